/** The error codes: what each means, whose fault it is, and when our server says it. */
import * as Server from "../../src/login/Server.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as ErrorCode from "../../src/protocol/ErrorCode.ts"
import type { Parts } from "../Splice.ts"
import * as Links from "./Links.ts"
import * as Machines from "./Machines.ts"

/** The server's machines: what it says in a login, and in a session. */
const machines = [Machines.server, Machines.serverSession]

const login = Atlas.entries(Machines.server.table)
const session = Atlas.entries(Machines.serverSession.table)

/** The refusals with a code: the clauses that they keep, and the states in which they stand. */
const refusals = (code: number): ReadonlyArray<string> => {
  const refused = [...login, ...session].filter(({ cell }) => cell.kind === "refuse" && cell.code === code)
  const clauses = Array.from(new Set(refused.flatMap(Atlas.cites)))
  return clauses.map((name) => {
    const states = refused.filter((entry) => Atlas.cites(entry).includes(name)).map(({ state }) => `\`${state}\``)
    return `refused in ${Links.and(Array.from(new Set(states)))} (${Links.clause(name)})`
  })
}

/** The rules of a session that say a code and end nothing: the clauses that they keep. */
const remarks = (code: number): ReadonlyArray<string> => {
  const said = session.filter((entry) => entry.cell.kind === "rule" && Atlas.sentence(entry) === `Say ${code}.`)
  const clauses = Array.from(new Set(said.flatMap(Atlas.cites)))
  return clauses.length === 0 ? [] : [`in a session, which goes on (${clauses.map(Links.clause).join(", ")})`]
}

const decided: ReadonlyArray<number> = Server.Event.cases.Deny.fields.code.literals

/** The states in which a host may decide for a code; dialects whose clients do not know it are told 911. */
const decisions = (code: number): ReadonlyArray<string> => {
  if (!decided.includes(code)) return []
  const states = login.flatMap(({ cell, event, state }) =>
    event === "Deny" && cell.kind === "rule" ? [`\`${state}\``] : [],
  )
  const knowing = Dialect.all.filter(
    (dialect) => !ErrorCode.isDenial(code) || Dialect.rules[dialect].denials.includes(code),
  )
  const oldest = knowing.length < Dialect.all.length ? `, from ${knowing.at(-1)} on` : ""
  return [`decided by the host in ${Links.and(states)}${oldest}`]
}

const blamed = { Credentials: "the credentials'", Server: "the server's", Commands: "our commands'" } as const

const codes = Atlas.markdown(
  ["code", "meaning", "whose fault, to a client", "our server says it"],
  Object.keys(ErrorCode.names).map((text) => {
    const code = Number(text)
    const when = [...refusals(code), ...decisions(code), ...remarks(code)]
    return [text, ErrorCode.describe(code), blamed[ErrorCode.blame(code)], when.join("; ") || "never"]
  }),
)

/** What is refused without a word. */
const silence = Atlas.markdown(
  ["state", "closed without a word at"],
  machines.flatMap(({ table, words }) =>
    Object.entries(table).flatMap(([state, row]) => {
      const events = Object.entries(row).flatMap(([event, cell]) =>
        cell.kind === "refuse" && cell.code === "Silence" ? [words.event(event)] : [],
      )
      return events.length === 0 ? [] : [[`\`${state}\``, events.join("; ")]]
    }),
  ),
)

export const parts: Parts = { "errors.codes": codes, "errors.silence": silence }
