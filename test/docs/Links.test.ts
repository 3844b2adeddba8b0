/** What the documents point at is there. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describe, expect, it } from "vitest"
import { documents, root, textOf } from "./Blocks.ts"

/** The anchors that GitHub makes of a text's headings; one that comes again is numbered. */
const anchorsOf = (text: string): ReadonlyArray<string> => {
  const made: Array<string> = []
  for (const [, heading = ""] of text.matchAll(/^#+ (.*)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
    const before = made.filter((other) => other === anchor || other.startsWith(`${anchor}-`)).length
    made.push(made.includes(anchor) ? `${anchor}-${before}` : anchor)
  }
  return made
}

/** Why a link leads nowhere; undefined where it leads somewhere, or out of the project. */
const offence = (document: string, link: string): string | undefined => {
  if (/^https?:/.test(link)) return undefined
  const [path = "", fragment] = link.split("#")
  const file = path === "" ? document : Path.posix.join(Path.posix.dirname(document), path)
  if (!Fs.existsSync(Path.join(root, file))) return `${link}: there is no ${file}`
  if (fragment === undefined) return undefined
  const line = /^L(\d+)$/.exec(fragment)?.[1]
  const isThere =
    line === undefined
      ? anchorsOf(textOf(file)).includes(fragment)
      : textOf(file).split("\n")[Number(line) - 1] !== undefined
  return isThere ? undefined : `${link}: there is no such place in ${file}`
}

const linksIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/(?<!\\)\]\(([^)\s]+)\)/g), ([, link = ""]) => link)

describe("the documents", () => {
  it("make anchors as GitHub does", () => {
    expect(anchorsOf("# A b\n## usr.ok\n## A b\n## `--json`\n")).toEqual(["a-b", "usrok", "a-b-1", "--json"])
  })

  it.each(documents)("have links that lead somewhere: %s", (document) => {
    const links = linksIn(textOf(document))
    expect(links.flatMap((link) => offence(document, link) ?? [])).toEqual([])
  })

  it("are all named by the map", () => {
    const named = linksIn(textOf("docs/README.md"))
    const others = documents.map((document) => Path.posix.basename(document)).filter((name) => name !== "README.md")
    expect(others.filter((name) => !named.includes(name))).toEqual([])
  })
})
