/**
 * Documents with generated parts: prose around markers, between which a part is spliced.
 *
 *     <!-- generated: NAME -->
 *     ...
 *     <!-- end -->
 */

/** Generated text, by the name that its marker has. */
export type Parts = { readonly [name: string]: string }

const marker = /^<!-- generated: (.*?) -->\n[^]*?^<!-- end -->$/gm

/** The names of the parts that a document has, in order. */
export const namesOf = (document: string): ReadonlyArray<string> =>
  Array.from(document.matchAll(marker), ([, name = ""]) => name)

/** A document with its parts as they are now; one that there is not, and a marker that never ends, are errors. */
export const splice = (document: string, parts: Parts): string => {
  const spliced = document.replace(marker, (_, name: string) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part === undefined) throw new Error(`there is no generated part "${name}"`)
    return `<!-- generated: ${name} -->\n\n${part}\n\n<!-- end -->`
  })
  const [opened, closed] = [/^<!-- generated: /gm, /^<!-- end -->$/gm].map((mark) => document.match(mark)?.length ?? 0)
  if (opened !== namesOf(document).length || opened !== closed) throw new Error("a marker has no other end")
  return spliced
}

/** A line without the numbers of lines in its links, which move whenever a file is edited. */
const unnumbered = (line: string): string => line.replaceAll(/#L\d+/g, "#L")

/** The lines of one text that the other has not, or not as often. */
const missing = (from: string, other: string): ReadonlyArray<string> => {
  const left = other.split("\n").map(unnumbered)
  return from.split("\n").filter((line) => {
    const at = left.indexOf(unnumbered(line))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** How many lines that differ are named. */
const shown = 12

/** In what a text differs from what it should be: each line that goes or comes, the first dozen. */
export const differences = (is: string, should: string): ReadonlyArray<string> => {
  const lines = [...missing(is, should).map((line) => `- ${line}`), ...missing(should, is).map((line) => `+ ${line}`)]
  if (lines.length === 0) return is === should ? [] : ["only the order of lines, or the line numbers in links, differ"]
  return lines.length > shown ? [...lines.slice(0, shown), `and ${lines.length - shown} lines more`] : lines
}
