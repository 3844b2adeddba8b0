/** A server without a socket: bytes in, bytes out, with a host that the test plays. */
import * as Server from "../../src/login/Server.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import { crlf, lines } from "./Frame.ts"
import type { Side } from "./Talk.ts"
import { saidOf, talk } from "./Talk.ts"

/** What a host decides; nothing while it is still deciding. */
export type Host = (question: Server.Question) => Server.Event | undefined

/** The challenge of the seed's example session. */
export const challenge = Challenge.Challenge.make("1013928519.693957190")
const alice = Account.Account.make("alice@hotmail.com")

/** Lets everybody in, as Alice. */
export const admit: Host = (question) =>
  question._tag === "Admission"
    ? { _tag: "Challenge", challenge }
    : { _tag: "Accept", account: alice, friendlyName: FriendlyName.FriendlyName.make("Alice"), verified: true }

/** Is asked, and never answers. */
export const ponder: Host = () => undefined

type ServerSide = Side<
  Server.State,
  Server.Event,
  ClientCommand.ClientCommand,
  ServerCommand.ServerCommand,
  Server.Question
>

/** A server's machine and codec. */
export const sideOf = ({ classify, transition }: Server.Server): ServerSide => ({
  first: { state: Server.initial, actions: [] },
  limits: Line.serverLimits,
  payloads: (state) => (state._tag === "LoggedIn" ? Line.clientPayloads : Line.noPayloads),
  decode: Codec.decodeClient,
  encode: Codec.encodeServer,
  classify: (_, heard) => classify(heard),
  transition,
  isOver: (state) => state._tag === "Closed",
})

/** A connection's server side. */
export const serve = (host: Host = admit, server: Server.Server = Server) => {
  const asked: Array<Server.Question> = []
  const actions: Array<string> = []
  const login = talk(sideOf(server), {
    host,
    onMove: ({ happened }) => {
      for (const happening of happened) {
        actions.push(happening._tag === "Said" ? "Say" : happening._tag)
        if (happening._tag === "Ask") asked.push(happening.question)
      }
    },
  })
  return {
    /** Hears some bytes, in however many pieces they come; gives back the bytes said. */
    hear: (piece: string) => saidOf(login.hear(piece)),
    /** Feeds an event, then those that waited for it; gives back the bytes said. */
    feed: (event: Server.Event) => saidOf(login.feed(event)),
    asked,
    actions,
    state: login.state,
  }
}

/** What a server says to some lines of a client, and where that leads. */
export const answer = (heard: ReadonlyArray<string>, host?: Host, server?: Server.Server) => {
  const login = serve(host, server)
  const said = lines(login.hear(crlf(...heard)))
  return { said, state: login.state(), asked: login.asked, actions: login.actions }
}
