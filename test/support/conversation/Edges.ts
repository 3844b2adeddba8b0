/**
 * The edges of a table, and how often each was passed. A sample may miss one and say nothing: here it says which.
 */
import type { Cell, Tagged } from "../../../src/machine/Machine.ts"

/** A table of either machine. */
export type Table = { readonly [state: string]: { readonly [event: string]: Cell<string, unknown> } }

const edge = (from: string, event: string, to: string): string => `${event} in ${from} leads to ${to}`

/** Where a cell leads, if it is one that can be passed; a misuse cannot. */
const targets = (state: string, cell: Cell<string, unknown>, refused: string): ReadonlyArray<string> => {
  switch (cell.kind) {
    case "rule":
      return cell.to
    case "refuse":
      return [refused]
    case "defer":
    case "ignore":
      return [state]
    case "misuse":
      return []
  }
}

/** All edges of a table, as sentences; a refusal leads to `Closed`. */
export const edgesOf = (table: Table): ReadonlyArray<string> =>
  Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).flatMap(([event, cell]) => targets(state, cell, "Closed").map((to) => edge(state, event, to))),
  )

/** Counts how often each edge is passed. */
export const witness = () => {
  const passed = new Map<string, number>()
  const count = (name: string): number => passed.get(name) ?? 0
  return {
    see: ({ event, from, to }: Record<"event" | "from" | "to", Tagged>): void => {
      const name = edge(from._tag, event._tag, to._tag)
      passed.set(name, count(name) + 1)
    },
    count,
  }
}
