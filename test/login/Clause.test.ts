/** The book of clauses: each is kept and tested by somebody, and whoever cites one cites one that there is. */
import { describe, expect, it } from "vitest"
import * as Citations from "../../docs/Citations.ts"
import * as Clause from "../../src/login/Clause.ts"
import * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import * as ClientSession from "../../src/session/ClientSession.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"

const rules = Citations.rules()
const keepers = Citations.keepers()
const tests = Citations.tests()

const isCited = (by: ReadonlyArray<Citations.Citation>, id: string): boolean => by.some(({ clause }) => clause === id)
const ofKind = (...tags: ReadonlyArray<Clause.Clause["_tag"]>) =>
  Clause.ids.filter((id) => tags.includes(Clause.all[id]._tag))

describe("a clause", () => {
  it("is kept by a rule, a refusal or a module, if it is no advice", () => {
    expect(ofKind("Kept", "Addition").filter((id) => !isCited([...rules, ...keepers], id))).toEqual([])
  })

  it("that is advice names an option that there is", () => {
    const lost = Clause.ids.flatMap((id) => {
      const clause = Clause.all[id]
      const isThere = clause._tag !== "Advice" || Citations.option(clause.option) !== undefined
      return isThere ? [] : [`${id} names ${clause.option}`]
    })
    expect(lost).toEqual([])
  })

  it("that is advice is kept by nobody", () => {
    expect(ofKind("Advice").filter((id) => isCited([...rules, ...keepers], id))).toEqual([])
  })

  it("is named by a test", () => {
    expect(Clause.ids.filter((id) => !isCited(tests, id))).toEqual([])
  })

  it("is one sentence that ends", () => {
    for (const id of Clause.ids) expect(Clause.all[id].says).toMatch(/^[A-Z][^\n]*[.]$/)
  })

  it("has a name of a chapter and a word or some, and a number of its own", () => {
    expect(Clause.ids.filter((id) => !/^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([])
    expect(Clause.ids.map(Clause.numberOf)).toEqual(Clause.ids.map((_, i) => i + 1))
    expect(Clause.isId("ver.reply-order")).toBe(true)
    expect(Clause.isId("toString")).toBe(false)
  })
})

describe("a citation", () => {
  it.each([
    ["a table", rules],
    ["a docstring", keepers],
    ["a test", tests],
  ])("in %s is of a clause that there is", (_, citations) => {
    expect(citations.length).toBeGreaterThan(0)
    const none = citations.filter(({ clause }) => !Clause.isId(clause))
    expect(none.map(({ clause, file, line }) => `${file}:${line} names ${clause}`)).toEqual([])
  })

  it("stands in each cell that says what the protocol says: rules, refusals and deferrals", () => {
    type Cells = { readonly [event: string]: { readonly kind: string; readonly cites?: ReadonlyArray<string> } }
    const tables: ReadonlyArray<readonly [string, { readonly [state: string]: Cells }]> = [
      ["Server", Server.table],
      ["Client", Client.table],
      ["ServerSession", ServerSession.table],
      ["ClientSession", ClientSession.table],
    ]
    const bare = tables.flatMap(([side, table]) =>
      Object.entries(table).flatMap(([state, row]) =>
        Object.entries(row).flatMap(([event, { cites = [], kind }]) =>
          ["rule", "refuse", "defer"].includes(kind) === cites.length > 0 ? [] : [`${event} in ${side}.${state}`],
        ),
      ),
    )
    expect(bare).toEqual([])
  })
})
