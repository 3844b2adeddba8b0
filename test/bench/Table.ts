/** Rows as a table: for a terminal, and for a document. */
import * as Output from "../../src/cli/Output.ts"
import * as Bench from "./Bench.ts"

/** A number in as many digits as say something. */
const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)

const bound = (is: Bench.Row["target"]["is"], value: number): string =>
  `${{ AtMost: "<=", AtLeast: ">=" }[is]} ${value}`

const targetOf = ({ target: { is, next, value } }: Bench.Row): string =>
  next === undefined ? bound(is, value) : `${bound(is, value)}, then ${next}`

const standings: { readonly [standing in Bench.Standing]: string } = {
  Missed: "MISSED",
  Reached: "reached, not yet the next",
  ReachedAll: "reached",
}

const cellsOf = (row: Bench.Row): ReadonlyArray<string> => {
  const { compared, ours, standing, theirs } = Bench.figureOf(row)
  const measured = { Ratio: "", Difference: ` ${row.unit} more` }[row.compare]
  return [
    row.what,
    row.against,
    `${digits(ours)} ${row.unit}`,
    `${digits(theirs)} ${row.unit}`,
    `${digits(compared.median)}${measured}`,
    `${digits(compared.least)} to ${digits(compared.most)}`,
    targetOf(row),
    standings[standing],
  ]
}

const head = ["what", "against", "ours", "theirs", "compared", "spread", "to reach", ""]

/** The table in columns. */
export const terminal = (rows: ReadonlyArray<Bench.Row>): ReadonlyArray<string> =>
  Output.table([head.map((name) => name.toUpperCase()), ...rows.map(cellsOf)])

/** Rows of cells as Markdown, the first of which is the head. */
export const markdownOf = ([head = [], ...rows]: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** The table as Markdown, with what misses its target in bold. */
export const markdown = (rows: ReadonlyArray<Bench.Row>): string =>
  markdownOf([head, ...rows.map(cellsOf)]).replaceAll(standings.Missed, `**${standings.Missed.toLowerCase()}**`)
