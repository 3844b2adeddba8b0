/**
 * The edges of a table, and how often each was passed. A sample may miss one and say nothing: here it says which.
 */
import type { Entry, Table } from "../../../src/machine/Atlas.ts"
import * as Atlas from "../../../src/machine/Atlas.ts"
import type { Tagged } from "../../../src/machine/Machine.ts"

const edge = (from: string, event: string, to: string): string => `${event} in ${from} leads to ${to}`

/** Where a cell leads, if it is one that can be passed; a misuse cannot. */
const targets = ({ cell, state }: Entry, refused: string): ReadonlyArray<string> => {
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
  Atlas.entries(table).flatMap((entry) => targets(entry, "Closed").map((to) => edge(entry.state, entry.event, to)))

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
