/**
 * What the clauses say of one event in one state: the second entry of the book that the tables are the first of.
 *
 * Laws are written from the clauses, by hand, and know nothing of the tables: each names the states and events that it
 * is for, and the lines that must follow. `$dialect` stands for the dialect, `$state` for the state as it was.
 */
import type * as Clause from "../../src/login/Clause.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import type * as Quirk from "../../src/protocol/Quirk.ts"

/** What becomes of an event: who is to blame, if anybody. */
export type Verdict = "rule" | "refuse" | "defer" | "misuse" | "ignore"

/** The lines that follow, the state last; where dialects differ, each has its own. */
export type Outcome = (dialect: Dialect.Dialect, quirks: Quirk.Quirks) => ReadonlyArray<string>

/** A law: for each of these states with each of these events. */
export interface Law<S extends string, E extends string> {
  readonly cites: ReadonlyArray<Clause.Id>
  readonly states: ReadonlyArray<S>
  readonly events: ReadonlyArray<E>
  readonly verdict: Verdict
  readonly outcome: Outcome
}

/** The state, behind what is said: as it was. */
export const unchanged = "    $state"

/** Writes laws. */
export const laws = <S extends string, E extends string>() => {
  const law =
    (verdict: Verdict) =>
    (
      cites: ReadonlyArray<Clause.Id>,
      states: ReadonlyArray<S>,
      events: ReadonlyArray<E>,
      outcome: ReadonlyArray<string> | Outcome,
    ): Law<S, E> => ({
      cites,
      states,
      events,
      verdict,
      outcome: typeof outcome === "function" ? outcome : () => outcome,
    })
  const nobody: ReadonlyArray<Clause.Id> = []
  return {
    legal: law("rule"),
    refused: law("refuse"),
    waits: (cites: ReadonlyArray<Clause.Id>, states: ReadonlyArray<S>, events: ReadonlyArray<E>) =>
      law("defer")(cites, states, events, ["<o> It waits until the host has decided", unchanged]),
    defect: (states: ReadonlyArray<S>, events: ReadonlyArray<E>) =>
      law("misuse")(nobody, states, events, ["<o> A defect"]),
    late: (states: ReadonlyArray<S>, events: ReadonlyArray<E>) => law("ignore")(nobody, states, events, [unchanged]),
  }
}

/** The laws for one state and one event. */
export const lawsFor = <S extends string, E extends string>(
  book: ReadonlyArray<Law<S, E>>,
  state: S,
  event: E,
): ReadonlyArray<Law<S, E>> => book.filter(({ events, states }) => states.includes(state) && events.includes(event))
