/**
 * Documents with generated parts: prose around markers, between which a part is spliced.
 *
 *     <!-- generated: NAME -->
 *     ...
 *     <!-- end -->
 */

/** Generated text, by the name that its marker has. */
export type Parts = { readonly [name: string]: string }

/**
 * What makes a part: `npm run docs`, of the code, or `npm run bench`, by measuring. Figures differ from one run to the next,
 * so what is measured ends with a word of its own, and is not looked at when it is checked what is stale.
 */
export type Kind = "generated" | "measured"

const ends = { generated: "end", measured: "end of measured" } as const

const markerOf = (kind: Kind): RegExp => new RegExp(`^<!-- ${kind}: (.*?) -->\\n[^]*?^<!-- ${ends[kind]} -->$`, "gm")

/** The names of the parts of a kind that a document has, in order. */
export const namesOf = (document: string, kind: Kind = "generated"): ReadonlyArray<string> =>
  Array.from(document.matchAll(markerOf(kind)), ([, name = ""]) => name)

/** A document with its parts of a kind as they are now; one that there is not, and a marker that never ends, are errors. */
export const splice = (document: string, parts: Parts, kind: Kind = "generated"): string => {
  const spliced = document.replace(markerOf(kind), (_, name: string) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part === undefined) throw new Error(`there is no ${kind} part "${name}"`)
    return `<!-- ${kind}: ${name} -->\n\n${part}\n\n<!-- ${ends[kind]} -->`
  })
  const [opened, closed] = [`<!-- ${kind}: `, `<!-- ${ends[kind]} -->$`].map(
    (mark) => document.match(new RegExp(`^${mark}`, "gm"))?.length ?? 0,
  )
  if (opened !== namesOf(document, kind).length || opened !== closed) throw new Error("a marker has no other end")
  return spliced
}

/** The lines of a text, each behind the heading under which it stands; not those of charts, which say nothing new. */
const located = (text: string): ReadonlyArray<string> => {
  let heading = ""
  return text
    .replaceAll(/^```mermaid\n[^]*?^```$/gm, "")
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("#")) heading = `${line.replace(/^#+ /, "")}: `
      return line === "" ? [] : [`${heading}${line}`]
    })
}

/** A line without the numbers of lines in its links, which move whenever a file is edited. */
const unnumbered = (line: string): string => line.replaceAll(/#L\d+/g, "#L")

/** How many lines that go are named, and how many that come. */
const shown = 8

/** The lines of one text that the other has not, or not as often: the first of them, and how many others there are. */
const missing = (sign: "-" | "+", from: string, other: string): ReadonlyArray<string> => {
  const left = located(other).map(unnumbered)
  const lines = located(from).filter((line) => {
    const at = left.indexOf(unnumbered(line))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  const named = lines.slice(0, shown).map((line) => `${sign} ${line}`)
  return lines.length > shown ? [...named, `${sign} and ${lines.length - shown} lines more`] : named
}

/** In what a text differs from what it should be: the lines that go, and those that come, each with its heading. */
export const differences = (is: string, should: string): ReadonlyArray<string> => {
  const lines = [...missing("-", is, should), ...missing("+", should, is)]
  return lines.length > 0 || is === should
    ? lines
    : ["only charts, the order of lines or the line numbers in links differ"]
}
