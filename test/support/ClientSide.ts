/** A client without a socket: bytes in, bytes out. */
import * as Redacted from "effect/Redacted"
import * as Client from "../../src/login/Client.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import { crlf, lines } from "./Frame.ts"
import type { Side } from "./Talk.ts"
import { saidOf, talk } from "./Talk.ts"

/** With what a client begins, unless a test says otherwise: Alice, as an official client of MSNP7. */
export const official: Client.Options = {
  account: Account.Account.make("alice@hotmail.com"),
  dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
  manner: "AskInf",
}

/** The password of the documents' own example. */
export const password = Redacted.make("mypassword")

/** Answers each challenge with that password at once. */
export const respond = ({ challenge }: Client.Question): Client.Event => ({
  _tag: "Answer",
  digest: Challenge.respond(challenge, password),
})

type ClientSide = Side<
  Client.State,
  Client.Event,
  ServerCommand.ServerCommand,
  ClientCommand.ClientCommand,
  Client.Question
>

/** A client's machine and codec. */
export const sideOf = (options: Client.Options): ClientSide => ({
  first: Client.start(options),
  limits: Line.clientLimits,
  payloads: () => Line.serverPayloads,
  decode: Codec.decodeServer,
  encode: Codec.encodeClient,
  classify: Client.classify,
  transition: Client.transition,
  isOver: (state) => state._tag === "Closed" || state._tag === "Referred",
})

/** A connection's client side; it answers each challenge with that password at once. */
export const connect = (options: Partial<Client.Options> = {}) => {
  const actions: Array<string> = []
  const login = talk(sideOf({ ...official, ...options }), {
    host: respond,
    onMove: ({ happened }) => {
      actions.push(...happened.map(({ _tag }) => (_tag === "Said" ? "Say" : _tag)))
    },
  })
  actions.push(...login.first.map(({ _tag }) => (_tag === "Said" ? "Say" : _tag)))
  return {
    hello: saidOf(login.first),
    /** Hears some bytes, in however many pieces they come; gives back the bytes said. */
    hear: (piece: string) => saidOf(login.hear(piece)),
    /** Feeds an event; gives back the bytes said. */
    feed: (event: Client.Event) => saidOf(login.feed(event)),
    actions,
    state: login.state,
  }
}

/** What a client says to some lines of a server, its first line included, and where that leads. */
export const reply = (heard: ReadonlyArray<string>, options?: Partial<Client.Options>) => {
  const login = connect(options)
  const said = lines(login.hello + login.hear(crlf(...heard)))
  return { said, state: login.state(), actions: login.actions }
}
