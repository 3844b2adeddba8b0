/** The error codes: what each means, whose fault it is, and when our server says it. */
import * as Server from "../../src/login/Server.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as ErrorCode from "../../src/protocol/ErrorCode.ts"
import type { Parts } from "../Splice.ts"
import * as Links from "./Links.ts"
import * as Machines from "./Machines.ts"

const entries = Atlas.entries(Server.table)

const nameOf = ({ event }: Atlas.Entry): string => Machines.server.words.event(event)

/** The refusals with a code: the clauses that they keep, and the states in which they stand. */
const refusals = (code: number): ReadonlyArray<string> => {
  const refused = entries.filter(({ cell }) => cell.kind === "refuse" && cell.code === code)
  const clauses = Array.from(new Set(refused.flatMap(Atlas.cites)))
  return clauses.map((name) => {
    const states = refused.filter((entry) => Atlas.cites(entry).includes(name)).map(({ state }) => `\`${state}\``)
    return `refused in ${Links.and(Array.from(new Set(states)))} (${Links.clause(name)})`
  })
}

const decided: ReadonlyArray<number> = Server.Event.cases.Deny.fields.code.literals

/** The states in which a host may decide for a code; dialects whose clients do not know it are told 911. */
const decisions = (code: number): ReadonlyArray<string> => {
  if (!decided.includes(code)) return []
  const states = entries.flatMap(({ cell, event, state }) =>
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
    const when = [...refusals(code), ...decisions(code)]
    return [text, ErrorCode.describe(code), blamed[ErrorCode.blame(code)], when.join("; ") || "never"]
  }),
)

/** What is refused without a word. */
const silence = Atlas.markdown(
  ["state", "closed without a word at"],
  Object.keys(Server.table).flatMap((state) => {
    const events = entries.flatMap((entry) =>
      entry.state === state && entry.cell.kind === "refuse" && entry.cell.code === "Silence" ? [nameOf(entry)] : [],
    )
    return events.length === 0 ? [] : [[`\`${state}\``, events.join("; ")]]
  }),
)

export const parts: Parts = { "errors.codes": codes, "errors.silence": silence }
