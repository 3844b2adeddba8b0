/** How the documents point at clauses and at places in the sources. */
import * as Clause from "../../src/login/Clause.ts"

/** A clause, linked to where it stands in source.md; GitHub makes the anchor of a heading without its point. */
export const clause = (name: string): string => {
  if (!Clause.isId(name)) throw new Error(`there is no clause "${name}"`)
  return `[${name}](source.md#${name.replace(".", "")})`
}

/** A place in the sources. */
export const place = ({ file, line }: { readonly file: string; readonly line: number }, text: string): string =>
  `[${text.replaceAll(/[[\]\\`*_<|]/g, "\\$&")}](../${file}#L${line})`

/** A list of Markdown. */
export const list = (items: ReadonlyArray<string>): string => items.map((item) => `- ${item}`).join("\n")

/** Words in a row, as a sentence has them. */
export const and = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`
