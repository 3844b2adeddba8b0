/** A machine, held against laws that are written from the clauses: the whole space, enumerated. */
import { expect, it } from "vitest"
import type { Cell, Tagged } from "../../src/machine/Machine.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import type * as Quirk from "../../src/protocol/Quirk.ts"
import type { Law } from "./Law.ts"
import { lawsFor } from "./Law.ts"
import { keysOf, tagOf } from "./Space.ts"

/** One side, as the laws see it: names of states and events with what they stand for, and what becomes of them. */
export interface Subject<S extends string, E extends string> {
  readonly laws: ReadonlyArray<Law<S, E>>
  readonly table: { readonly [state: string]: { readonly [event: string]: Cell<string, unknown> } }
  readonly states: (dialect: Dialect.Dialect) => Readonly<Record<S, Tagged>>
  readonly events: (dialect: Dialect.Dialect) => Readonly<Record<E, Tagged>>
  readonly cell: (state: S, event: E) => Cell<string, unknown>
  /** A state as it stands behind what was said. */
  readonly describe: (state: Tagged) => string
  readonly follow: (dialect: Dialect.Dialect, state: S, event: E) => ReadonlyArray<string>
}

const dialect = "MSNP7"

/** Each state with each event. */
const pairs = <S extends string, E extends string>({ events, states }: Subject<S, E>) =>
  keysOf(states(dialect)).flatMap((state) => keysOf(events(dialect)).map((event) => ({ state, event })))

/** Where there is not one law. */
const unlegislated = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  pairs(subject).flatMap(({ event, state }) => {
    const count = lawsFor(subject.laws, state, event).length
    return count === 1 ? [] : [`${event} in ${state} has ${count} laws`]
  })

/** Where a cell has another verdict than the law, or does not cite what the law is written from. */
const disagreements = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  pairs(subject).flatMap(({ event, state }) =>
    lawsFor(subject.laws, state, event).flatMap((law) => {
      const cell = subject.cell(state, event)
      const uncited = law.cites.filter((clause) => !citesOf(cell).includes(clause))
      return [
        ...(cell.kind === law.verdict ? [] : [`${event} in ${state} is ${cell.kind}, and by law ${law.verdict}`]),
        ...uncited.map((clause) => `${event} in ${state} does not cite ${clause}`),
      ]
    }),
  )

const citesOf = (cell: Cell<string, unknown>): ReadonlyArray<string> => ("cites" in cell ? cell.cites : [])

/** Each cell, with the varieties of states and events that come to it. */
const cellsOf = <S extends string, E extends string>(subject: Subject<S, E>) =>
  Object.entries(Object.groupBy(pairs(subject), ({ event, state }) => `${tagOf(event)} in ${tagOf(state)}`)).flatMap(
    ([name, varieties = []]) =>
      varieties.slice(0, 1).map(({ event, state }) => ({ name, cell: subject.cell(state, event), varieties })),
  )

/** Where a cell cites a clause that no law of it is written from. */
const overcited = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  cellsOf(subject).flatMap(({ cell, name, varieties }) => {
    const lawful = varieties.flatMap(({ event, state }) =>
      lawsFor(subject.laws, state, event).flatMap((law): ReadonlyArray<string> => law.cites),
    )
    return citesOf(cell).flatMap((clause) => (lawful.includes(clause) ? [] : [`${name} cites ${clause}`]))
  })

/** Where a rule names other states than those that it leads to. */
const mistargeted = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  cellsOf(subject).flatMap(({ cell, name, varieties }) => {
    if (cell.kind !== "rule") return []
    const reached = varieties.flatMap(({ event, state }) =>
      Dialect.all.map((dialect) => tagOf(subject.follow(dialect, state, event).at(-1)?.trim() ?? "")),
    )
    const found = Array.from(new Set(reached)).toSorted().join(", ")
    const named = cell.to.toSorted().join(", ")
    return found === named ? [] : [`${name} leads to ${found}, and names ${named}`]
  })

/** Where a rule is to say a command, by its sentence, and says another or none; or is to say nothing, and does. */
const misspoken = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  cellsOf(subject).flatMap(({ cell, name, varieties }) => {
    if (cell.kind !== "rule") return []
    const [, verb] = /^Say ([A-Z]{3}|[0-9]{3}|the code)/.exec(cell.says) ?? []
    const isSilent = /say nothing/i.test(cell.says)
    const asSaid = new RegExp(`^(>>>|<<<) ${verb === "the code" ? "[0-9]{3}" : verb}`)
    return varieties.flatMap(({ event, state }) => {
      const said = subject.follow(dialect, state, event).filter((line) => /^(>>>|<<<) /.test(line))
      const isSo = (verb === undefined || said.some((line) => asSaid.test(line))) && !(isSilent && said.length > 0)
      return isSo ? [] : [`${name}: "${cell.says}", but it says: ${said.join(", ")}`]
    })
  })

/** Names of rules that stand for several sentences. */
const ambiguous = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> => {
  const rules = cellsOf(subject).flatMap(({ cell }) => (cell.kind === "rule" ? [cell] : []))
  return Object.entries(Object.groupBy(rules, ({ name }) => name)).flatMap(([name, same = []]) =>
    new Set(same.map(({ says }) => says)).size === 1 ? [] : [name],
  )
}

/** Where something else follows than the law says, in a dialect. */
export const violations = <S extends string, E extends string>(
  subject: Subject<S, E>,
  quirks: Quirk.Quirks,
): ReadonlyArray<string> =>
  Dialect.all.flatMap((dialect) =>
    pairs(subject).flatMap(({ event, state }) =>
      lawsFor(subject.laws, state, event).flatMap((law) => {
        const was = subject.describe(subject.states(dialect)[state])
        const lawful = law
          .outcome(dialect, quirks)
          .map((line) => line.replaceAll("$state", was).replaceAll("$dialect", dialect))
        const found = subject.follow(dialect, state, event)
        return found.join("\n") === lawful.join("\n")
          ? []
          : [[`${event} in ${state}, in ${dialect}, leads to`, ...found, "and by law to", ...lawful].join("\n")]
      }),
    ),
  )

/** The tags there are, of states or events; a name may stand for a variety of one. */
const tagsOf = (all: Readonly<Record<string, Tagged>>): ReadonlySet<string> =>
  new Set(Object.values(all).map(({ _tag }) => _tag))

/** What holds of the laws of either side, whatever the quirks. */
export const agreeWithTheTable = <S extends string, E extends string>(subject: Subject<S, E>): void => {
  it("are for every state and every event that the table has, and for no other", () => {
    expect(tagsOf(subject.states(dialect))).toEqual(new Set(Object.keys(subject.table)))
    for (const row of Object.values(subject.table)) {
      expect(tagsOf(subject.events(dialect))).toEqual(new Set(Object.keys(row)))
    }
    expect(unlegislated(subject)).toEqual([])
  })

  it("and the table agree on who is to blame, and on the clauses", () => {
    expect(disagreements(subject)).toEqual([])
    expect(overcited(subject)).toEqual([])
  })

  it("lead to each state that a rule names, and to no other", () => {
    expect(mistargeted(subject)).toEqual([])
  })

  it("have said what each rule's sentence says, and a rule's name has one sentence", () => {
    expect(misspoken(subject)).toEqual([])
    expect(ambiguous(subject)).toEqual([])
  })
}
