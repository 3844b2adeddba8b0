import { describe, expect, it } from "vitest"
import type * as Bench from "./Bench.ts"
import * as Table from "./Table.ts"

const rows: ReadonlyArray<Bench.Row> = [
  {
    what: "Logins",
    against: "node:net",
    unit: "logins/s",
    compare: "Ratio",
    target: { is: "AtLeast", value: 0.75, next: 0.85 },
    rounds: [{ ours: 8000, theirs: 10_000 }],
  },
  {
    what: "Start",
    against: "node -e 0",
    unit: "ms",
    compare: "Difference",
    target: { is: "AtMost", value: 400 },
    rounds: [{ ours: 450.25, theirs: 30 }],
  },
]

describe("a table of figures", () => {
  it("has columns on a terminal, and says which row misses its target", () => {
    expect(Table.terminal(rows).map((line) => line.split(/ {2,}/))).toEqual([
      ["WHAT", "AGAINST", "OURS", "THEIRS", "COMPARED", "SPREAD", "TO REACH", ""],
      [
        "Logins",
        "node:net",
        "8,000 logins/s",
        "10,000 logins/s",
        "0.80",
        "0.80 to 0.80",
        ">= 0.75, then 0.85",
        "reached, not yet the next",
      ],
      ["Start", "node -e 0", "450 ms", "30.0 ms", "420 ms more", "420 to 420", "<= 400", "MISSED"],
    ])
  })

  it("is Markdown in a document, where what misses its target is bold", () => {
    expect(Table.markdown(rows).split("\n").slice(1)).toEqual([
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
      "| Logins | node:net | 8,000 logins/s | 10,000 logins/s | 0.80 | 0.80 to 0.80 | >= 0.75, then 0.85 | reached, not yet the next |",
      "| Start | node -e 0 | 450 ms | 30.0 ms | 420 ms more | 420 to 420 | <= 400 | **missed** |",
    ])
  })
})
