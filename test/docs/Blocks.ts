/** The blocks of code in README.md and in the documents, each with its place. */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

/** The top of the project. */
export const root = fileURLToPath(new URL("../../", import.meta.url))

/** Each document, from the top of the project on. */
export const documents: ReadonlyArray<string> = [
  "README.md",
  ...Fs.readdirSync(`${root}docs`)
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => `docs/${name}`),
]

/** The text of a document. */
export const textOf = (document: string): string => Fs.readFileSync(`${root}${document}`, "utf8")

/** A block of code. */
export interface Block {
  /** `FILE:LINE` of its first line. */
  readonly place: string
  /** What stands behind the fence; empty where nothing does, and where a block is indented and has no fence. */
  readonly language: string
  readonly text: string
}

/** The blocks of a text, the fenced ones and the indented ones. */
export const blocksIn = (document: string, text: string): ReadonlyArray<Block> => {
  const found: Array<{ readonly at: number; readonly language: string; readonly lines: Array<string>; open: boolean }> =
    []
  for (const [index, line] of text.split("\n").entries()) {
    const current = found.at(-1)
    const fence = /^ {0,3}(?:```+|~~~+)(.*)$/.exec(line)
    if (current?.open === true) {
      if (fence === null) current.lines.push(line)
      else current.open = false
    } else if (fence !== null) {
      found.push({ at: index + 2, language: fence[1]?.trim() ?? "", lines: [], open: true })
    } else if (/^(?: {4}|\t)/.test(line)) {
      found.push({ at: index + 1, language: "", lines: [line], open: false })
    }
  }
  return found.map(({ at, language, lines }) => ({ place: `${document}:${at}`, language, text: lines.join("\n") }))
}

/** Every block of every document. */
export const blocks: ReadonlyArray<Block> = documents.flatMap((document) => blocksIn(document, textOf(document)))

/** The blocks in a language, as pairs of place and text for `it.each`. */
export const inLanguage = (language: string): ReadonlyArray<readonly [place: string, text: string]> =>
  blocks.filter((block) => block.language === language).map(({ place, text }) => [place, text])

/** TypeScript as it runs in a clone: the package's own name stands for its sources. */
export const runnable = (text: string): string => text.replaceAll(/"effect-msnp\/([\w/]+)"/g, `"./src/$1.ts"`)
