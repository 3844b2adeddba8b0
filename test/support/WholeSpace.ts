/** A machine held against its table, for every state and every event. */
import * as Equal from "effect/Equal"
import type { Table } from "../../src/machine/Atlas.ts"
import type { Cell, Step, Tagged } from "../../src/machine/Machine.ts"
import * as Machine from "../../src/machine/Machine.ts"

type Done = Step<Tagged, Tagged>

/** A machine, with a value of every kind of state and event, or several. */
export interface Space<S extends Tagged, E extends Tagged> {
  readonly table: Table
  readonly states: ReadonlyArray<S>
  readonly events: ReadonlyArray<E>
  readonly transition: (state: S, event: E) => Done
  /** Whether a state that a rule led to is well made. */
  readonly isState: (state: Tagged) => boolean
  /** What a refusal leads to. */
  readonly refused: (state: S, event: E, code: unknown) => Done
}

/** Each cell of a kind, with each state and event of the space that it is for. */
export const cells = <S extends Tagged, E extends Tagged>(
  { events, states, table }: Omit<Space<S, E>, "transition" | "isState" | "refused">,
  kind: Cell<string, unknown>["kind"],
) =>
  states.flatMap((state) =>
    events.flatMap((event) => {
      const cell = table[state._tag]?.[event._tag]
      return cell?.kind === kind ? [{ state, event, cell }] : []
    }),
  )

const attempt = (move: () => Done): Done | "misuse" => {
  try {
    return move()
  } catch (error) {
    if (error instanceof Machine.MisuseError) return "misuse"
    throw error
  }
}

/** Where a machine does something else than its table says; each as a line to read. */
export const offences = <S extends Tagged, E extends Tagged>(space: Space<S, E>): ReadonlyArray<string> => {
  const { events, isState, refused, states, table, transition } = space
  const unreached = new Set<string>()
  const reached = new Set<string>()

  const offence = (state: S, event: E): string | undefined => {
    const cell = table[state._tag]?.[event._tag]
    const done = attempt(() => transition(state, event))
    if (cell === undefined) return "has no cell"
    if (cell.kind === "misuse") return done === "misuse" ? undefined : "is a misuse that does not throw"
    if (done === "misuse") return `is a ${cell.kind} that throws`
    switch (cell.kind) {
      case "rule": {
        for (const to of cell.to) unreached.add(`${event._tag} in ${state._tag} never leads to ${to}`)
        reached.add(`${event._tag} in ${state._tag} never leads to ${done.state._tag}`)
        if (!cell.to.includes(done.state._tag)) return `leads to ${done.state._tag}`
        return isState(done.state) ? undefined : "leads to a state that is none"
      }
      case "refuse":
        return Equal.equals(done, refused(state, event, cell.code)) ? undefined : "is refused in another way"
      case "defer":
        return done.state === state && Equal.equals(done.actions, [{ _tag: "Postponed", event }])
          ? undefined
          : "does not give the event back"
      case "ignore":
        return done.state === state && done.actions.length === 0 ? undefined : "is not ignored"
    }
  }

  const found = states.flatMap((state) =>
    events.flatMap((event) => {
      const what = offence(state, event)
      return what === undefined ? [] : [`${event._tag} in ${state._tag} ${what}`]
    }),
  )
  return [...found, ...[...unreached].filter((line) => !reached.has(line))]
}
