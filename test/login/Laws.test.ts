/** Both tables, held against laws that are written from the clauses: the whole space, enumerated. */
import { describe, expect, it } from "vitest"
import * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import type { Cell, Tagged } from "../../src/machine/Machine.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as ClientSide from "../support/ClientSide.ts"
import type { Law } from "../support/Law.ts"
import { lawsFor } from "../support/Law.ts"
import * as Script from "../support/Script.ts"
import * as ServerSide from "../support/ServerSide.ts"
import { clientEvents, clientStates, serverEvents, serverStates } from "../support/Space.ts"
import { clientLaws } from "./ClientLaws.ts"
import { serverLaws } from "./ServerLaws.ts"

/** One side, as the laws see it: names of states and events with what they stand for, and what becomes of them. */
interface Subject<S extends string, E extends string> {
  readonly laws: ReadonlyArray<Law<S, E>>
  readonly states: (dialect: Dialect.Dialect) => Readonly<Record<S, Tagged>>
  readonly events: (dialect: Dialect.Dialect) => Readonly<Record<E, Tagged>>
  readonly cell: (state: S, event: E) => Cell<string, unknown>
  readonly follow: (dialect: Dialect.Dialect, state: S, event: E) => ReadonlyArray<string>
}

const dialect = "MSNP7"

const serverWith = (...quirks: ReadonlyArray<Quirk.Quirk>) => {
  const side = ServerSide.sideOf(Server.make(Quirk.only(...quirks)))
  return {
    laws: serverLaws,
    states: serverStates,
    events: serverEvents,
    cell: (state, event) => Server.table[state][serverEvents(dialect)[event]._tag],
    follow: (dialect, state, event) =>
      Script.follow("Server", side, serverStates(dialect)[state], serverEvents(dialect)[event]),
  } satisfies Subject<keyof ReturnType<typeof serverStates>, keyof ReturnType<typeof serverEvents>>
}

const client = {
  laws: clientLaws,
  states: clientStates,
  events: clientEvents,
  cell: (state, event) => Client.table[clientStates(dialect)[state]._tag][clientEvents(dialect)[event]._tag],
  follow: (dialect, state, event) =>
    Script.follow(
      "Client",
      ClientSide.sideOf(ClientSide.official),
      clientStates(dialect)[state],
      clientEvents(dialect)[event],
    ),
} satisfies Subject<keyof ReturnType<typeof clientStates>, keyof ReturnType<typeof clientEvents>>

const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>

/** Each state with each event. */
const pairs = <S extends string, E extends string>({ events, states }: Subject<S, E>) =>
  keysOf(states(dialect)).flatMap((state) => keysOf(events(dialect)).map((event) => ({ state, event })))

/** Where there is not one law. */
const unlegislated = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  pairs(subject).flatMap(({ event, state }) => {
    const count = lawsFor(subject.laws, state, event).length
    return count === 1 ? [] : [`${event} in ${state} has ${count} laws`]
  })

/** Where a cell has another verdict than the law, or cites other clauses. */
const disagreements = <S extends string, E extends string>(subject: Subject<S, E>): ReadonlyArray<string> =>
  pairs(subject).flatMap(({ event, state }) =>
    lawsFor(subject.laws, state, event).flatMap((law) => {
      const cell = subject.cell(state, event)
      const cited = "cites" in cell ? [...cell.cites].toSorted() : []
      const found = `${cell.kind} (${cited.join(", ")})`
      const lawful = `${law.verdict} (${law.cites.toSorted().join(", ")})`
      return found === lawful ? [] : [`${event} in ${state} is ${found}, and by law ${lawful}`]
    }),
  )

/** Where something else follows than the law says, in a dialect. */
const violations = <S extends string, E extends string>(
  subject: Subject<S, E>,
  quirks: Quirk.Quirks,
): ReadonlyArray<string> =>
  Dialect.all.flatMap((dialect) =>
    pairs(subject).flatMap(({ event, state }) =>
      lawsFor(subject.laws, state, event).flatMap((law) => {
        const was = Script.describe(subject.states(dialect)[state])
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

describe("the laws of the server", () => {
  const server = serverWith()

  it("are for every state and every event that the table has, and for no other", () => {
    expect(tagsOf(serverStates(dialect))).toEqual(new Set(Object.keys(Server.table)))
    for (const row of Object.values(Server.table)) {
      expect(tagsOf(serverEvents(dialect))).toEqual(new Set(Object.keys(row)))
    }
    expect(unlegislated(server)).toEqual([])
  })

  it("and its table agree on who is to blame, and on the clauses", () => {
    expect(disagreements(server)).toEqual([])
  })

  it.each([
    ["no quirk", []],
    ...Quirk.all.map((quirk) => [quirk, [quirk]] as const),
    ["all quirks", Quirk.all],
  ] as const)("hold in every dialect with %s, to the byte", (_, quirks) => {
    expect(violations(serverWith(...quirks), Quirk.only(...quirks))).toEqual([])
  })
})

describe("the laws of the client", () => {
  it("are for every state and every event that the table has, and for no other", () => {
    expect(tagsOf(clientStates(dialect))).toEqual(new Set(Object.keys(Client.table)))
    for (const row of Object.values(Client.table)) {
      expect(tagsOf(clientEvents(dialect))).toEqual(new Set(Object.keys(row)))
    }
    expect(unlegislated(client)).toEqual([])
  })

  it("and its table agree on who is to blame, and on the clauses", () => {
    expect(disagreements(client)).toEqual([])
  })

  it("hold in every dialect, to the byte", () => {
    expect(violations(client, Quirk.none)).toEqual([])
  })
})
