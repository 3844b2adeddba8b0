/** Both tables, held against laws that are written from the clauses: the whole space, enumerated. */
import { describe, expect, it } from "vitest"
import * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as ClientSide from "../support/ClientSide.ts"
import type { Subject } from "../support/LawBook.ts"
import { agreeWithTheTable, violations } from "../support/LawBook.ts"
import * as Script from "../support/Script.ts"
import * as ServerSide from "../support/ServerSide.ts"
import { clientEvents, clientStates, serverEvents, serverStates } from "../support/Space.ts"
import { clientLaws } from "./ClientLaws.ts"
import { serverLaws } from "./ServerLaws.ts"

const dialect = "MSNP7"

const serverWith = (...quirks: ReadonlyArray<Quirk.Quirk>) => {
  const side = ServerSide.sideOf(Server.make(Quirk.only(...quirks)))
  return {
    laws: serverLaws,
    table: Server.table,
    states: serverStates,
    events: serverEvents,
    cell: (state, event) => Server.table[state][serverEvents(dialect)[event]._tag],
    describe: Script.describe,
    follow: (dialect, state, event) =>
      Script.follow("Server", side, serverStates(dialect)[state], serverEvents(dialect)[event]),
  } satisfies Subject<keyof ReturnType<typeof serverStates>, keyof ReturnType<typeof serverEvents>>
}

const client = {
  laws: clientLaws,
  table: Client.table,
  states: clientStates,
  events: clientEvents,
  cell: (state, event) => Client.table[clientStates(dialect)[state]._tag][clientEvents(dialect)[event]._tag],
  describe: Script.describe,
  follow: (dialect, state, event) =>
    Script.follow(
      "Client",
      ClientSide.sideOf(ClientSide.official),
      clientStates(dialect)[state],
      clientEvents(dialect)[event],
    ),
} satisfies Subject<keyof ReturnType<typeof clientStates>, keyof ReturnType<typeof clientEvents>>

describe("the laws of the server", () => {
  agreeWithTheTable(serverWith())

  it.each([
    ["no quirk", []],
    ...Quirk.all.map((quirk) => [quirk, [quirk]] as const),
    ["all quirks", Quirk.all],
  ] as const)("hold in every dialect with %s, to the byte", (_, quirks) => {
    expect(violations(serverWith(...quirks), Quirk.only(...quirks))).toEqual([])
  })
})

describe("the laws of the client", () => {
  agreeWithTheTable(client)

  it("hold in every dialect, to the byte", () => {
    expect(violations(client, Quirk.none)).toEqual([])
  })
})
