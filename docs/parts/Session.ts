/** A session: one from its beginning to its end, and what the dialects make of it. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Atlas from "../../src/machine/Atlas.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as Message from "../../src/session/Message.ts"
import * as Product from "../../src/session/Product.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"
import { rules } from "../../src/session/SessionRules.ts"
import type { Parts } from "../Splice.ts"
import { line } from "./Commands.ts"

const account = Account.Account.make("alice@example.com")
const machine = ServerSession.make({ INBOX: { path: "/inbox", login: "https://login.example.com/", site: "2" } })
const challenge = Product.challenge(() => 1557013157)

/** The lines of the table: what happens, and what the server says to it. */
const sessionOf = (dialect: Dialect.Dialect) => {
  const profile = Message.profile(dialect, account, 1050223025)
  const first = ServerSession.start({ dialect, lists: Lists.empty, profile })
  let state: ServerSession.State = first.state
  const rows: Array<ReadonlyArray<string>> = []
  const move = (what: string, step: ReturnType<typeof machine.transition>) => {
    state = step.state
    const said = step.actions.flatMap((action) => {
      if (action._tag === "Close") return ["closes"]
      if (action._tag !== "Say") return []
      return [line(Result.flatMap(ServerSession.toServerCommand(action.command), Codec.encodeServer))]
    })
    rows.push([what, said.join("<br>"), `\`${state._tag}\``])
  }
  move("USR OK is said", first)
  return {
    hears: (bytes: string) => {
      const taken = Line.take(bytes, Line.clientPayloads, Line.serverLimits)
      if (taken._tag !== "Whole") throw new Error(`${bytes} is not one command`)
      const heard = Result.merge(Codec.decodeClient(taken.frame))
      move(line(Result.succeed(bytes)), machine.transition(state, machine.classify(state, heard)))
    },
    feed: (what: string, event: ServerSession.Event) => move(what, machine.transition(state, event)),
    rows,
  }
}

/** One of MSNP7 that has everything in it. */
const example = (): string => {
  const { feed, hears, rows } = sessionOf("MSNP7")
  hears("SYN 4 0\r\n")
  hears("CHG 5 NLN\r\n")
  feed("it is time", { _tag: "Challenge", challenge })
  hears("CVR 6 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n")
  hears(`QRY 7 ${Product.clientId} 32\r\n${Redacted.value(Product.answer(challenge))}`)
  hears("URL 8 INBOX\r\n")
  hears("ADD 9 FL bob@example.com bob@example.com\r\n")
  hears("PNG\r\n")
  feed("the server goes down soon", { _tag: "Warn", minutes: 5 })
  hears("OUT\r\n")
  return Atlas.markdown(["what happens", "what the server says", "and then is in"], rows)
}

const answerToUrl = (dialect: Dialect.Dialect): string => {
  const { hears, rows } = sessionOf(dialect)
  hears("URL 5 INBOX\r\n")
  return rows.at(-1)?.[1] ?? ""
}

const differences = Atlas.markdown(
  ["dialect", "fields of the profile", "answer to URL", "PRP, BPR", "CHL, QRY", "LSG, groups in LST"],
  Dialect.all.toReversed().map((dialect) => {
    const { challenges, groups, phones } = rules[dialect]
    const fields = Object.keys(Message.profile(dialect, account, 0).fields).length
    return [
      dialect,
      String(fields),
      answerToUrl(dialect),
      ...[phones, challenges, groups].map((has) => has.toLowerCase()),
    ]
  }),
)

export const parts: Parts = { "session.example": example(), "session.dialects": differences }
