/** Every block of code in the documents is in a language that a test here runs. */
import { describe, expect, it } from "vitest"
import * as Machines from "../../docs/parts/Machines.ts"
import * as Script from "../support/Script.ts"
import { blocks, blocksIn, inLanguage } from "./Blocks.ts"

describe("the blocks of a text", () => {
  it("are those between fences, with their language and their line", () => {
    expect(blocksIn("a.md", "# A\n\n```ts\na\n\nb\n```\n\n~~~\nc\n~~~\n")).toEqual([
      { place: "a.md:4", language: "ts", text: "a\n\nb" },
      { place: "a.md:10", language: "", text: "c" },
    ])
  })

  it("are the indented lines, too, which have no language", () => {
    expect(blocksIn("a.md", "A:\n\n    let a\n")).toEqual([{ place: "a.md:3", language: "", text: "    let a" }])
  })

  it("are not what is indented within a fence", () => {
    expect(blocksIn("a.md", "```ts\n    a\n```\n")).toEqual([{ place: "a.md:2", language: "ts", text: "    a" }])
  })
})

describe("the documents", () => {
  it("have blocks of languages that a test here tries, and no others", () => {
    const known = ["ts", "sh", "csv", "promql", "json", "ini", "reg", "transcript", "mermaid"]
    expect(blocks.filter(({ language }) => !known.includes(language)).map(({ place }) => place)).toEqual([])
    expect(known.filter((language) => inLanguage(language).length === 0)).toEqual([])
  })

  const conversations = inLanguage("transcript")
  const isScript = ([, text]: readonly [place: string, text: string]): boolean => text.startsWith("== ")

  it.each(conversations.filter(isScript))("have conversations that go as they are told: %s", (_, text) => {
    expect(Script.replay(text)).toBe(text)
  })

  it("have one session besides, which is the demo's: the README's own test plays it", () => {
    const sessions = conversations.filter((conversation) => !isScript(conversation))
    expect(sessions.map(([place]) => place.replace(/:\d+$/, ""))).toEqual(["README.md"])
  })

  it.each(inLanguage("mermaid"))("have charts that are drawn from the tables: %s", (_, text) => {
    expect(Object.values(Machines.parts)).toContain(`\`\`\`mermaid\n${text}\n\`\`\``)
  })
})
