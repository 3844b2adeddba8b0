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
    `${compared.median.toFixed(2)}${measured}`,
    `${compared.least.toFixed(2)} to ${compared.most.toFixed(2)}`,
    targetOf(row),
    standings[standing],
  ]
}

const head = ["what", "against", "ours", "theirs", "compared", "spread", "to reach", ""]

/** The table in columns. */
export const terminal = (rows: ReadonlyArray<Bench.Row>): ReadonlyArray<string> =>
  Output.table([head.map((name) => name.toUpperCase()), ...rows.map(cellsOf)])
