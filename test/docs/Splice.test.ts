import { describe, expect, it } from "vitest"
import * as Splice from "../../docs/Splice.ts"

const document = "# A\n\n<!-- generated: a -->\nold\n<!-- end -->\n\nprose\n\n<!-- generated: b -->\n<!-- end -->\n"

describe("a document with generated parts", () => {
  it("tells which ones it has", () => {
    expect(Splice.namesOf(document)).toEqual(["a", "b"])
  })

  it("has them between its markers, and keeps its prose", () => {
    const spliced = Splice.splice(document, { a: "new $& a", b: "new b" })
    expect(spliced).toBe(
      "# A\n\n<!-- generated: a -->\n\nnew $& a\n\n<!-- end -->\n\nprose\n\n<!-- generated: b -->\n\nnew b\n\n<!-- end -->\n",
    )
  })

  it("is the same, spliced twice", () => {
    const parts = { a: "new a", b: "new b" }
    expect(Splice.splice(Splice.splice(document, parts), parts)).toBe(Splice.splice(document, parts))
  })

  it.each(["a", "toString"])("is an error where it names a part that there is not: %s", (name) => {
    const one = `<!-- generated: ${name} -->\n<!-- end -->\n`
    expect(() => Splice.splice(one, {})).toThrow(`there is no generated part "${name}"`)
  })

  it.each([
    "<!-- generated: a -->\n",
    "<!-- end -->\n",
    "<!-- generated: a -->\n<!-- generated: a -->\n<!-- end -->\n",
  ])("is an error where a marker has no other end: %j", (one) => {
    expect(() => Splice.splice(one, { a: "a" })).toThrow("a marker has no other end")
  })
})

describe("a document with measured parts", () => {
  const both = "<!-- generated: a -->\nold\n<!-- end -->\n\n<!-- measured: a -->\nold\n<!-- end of measured -->\n"

  it("tells them from those that are generated", () => {
    expect(Splice.splice(both, { a: "new" }, "measured")).toBe(
      "<!-- generated: a -->\nold\n<!-- end -->\n\n<!-- measured: a -->\n\nnew\n\n<!-- end of measured -->\n",
    )
    expect(Splice.splice(both, { a: "new" })).toBe(
      "<!-- generated: a -->\n\nnew\n\n<!-- end -->\n\n<!-- measured: a -->\nold\n<!-- end of measured -->\n",
    )
  })

  it("is an error where a marker ends as the others do", () => {
    expect(() => Splice.splice("<!-- measured: a -->\n<!-- end -->\n", { a: "a" }, "measured")).toThrow(
      "a marker has no other end",
    )
  })
})

describe("the difference between two texts", () => {
  const elsewhere = "only charts, the order of lines or the line numbers in links differ"

  it("is nothing where they are the same", () => {
    expect(Splice.differences("a\nb", "a\nb")).toEqual([])
  })

  it("is the lines that go and those that come", () => {
    expect(Splice.differences("a\nb\nc", "a\nc\nd")).toEqual(["- b", "+ d"])
  })

  it("is a line that is there once too often", () => {
    expect(Splice.differences("a\na", "a")).toEqual(["- a"])
  })

  it("does not name each line in which only the line number of a link has moved", () => {
    expect(Splice.differences("[a](a.ts#L1)\nb", "[a](a.ts#L2)\nc")).toEqual(["- b", "+ c"])
    expect(Splice.differences("[a](a.ts#L1)", "[a](a.ts#L2)")).toEqual([elsewhere])
  })

  it("does not name the lines of a chart, which is drawn from what is told besides", () => {
    const chart = (label: string) => `a\n\n\`\`\`mermaid\n${label}\n\`\`\`\n`
    expect(Splice.differences(chart("b"), chart("c"))).toEqual([elsewhere])
  })

  it("names eight lines that go and eight that come, and counts the others", () => {
    const many = Array.from({ length: 20 }, (_, i) => `line ${i}`).join("\n")
    const lines = Splice.differences("old", many)
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe("- old")
    expect(lines[8]).toBe("+ line 7")
    expect(lines[9]).toBe("+ and 12 lines more")
  })

  it("names each line with the heading above it", () => {
    expect(Splice.differences("# A\n\n- x\n\n### b.c\n\n- y\n", "# A\n\n- x\n\n### b.c\n")).toEqual(["- b.c: - y"])
  })
})
