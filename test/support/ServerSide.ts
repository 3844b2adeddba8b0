/** A server without a socket: bytes in, bytes out, with a host that the test plays. */
import * as Result from "effect/Result"
import * as Server from "../../src/login/Server.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import { crlf, lines } from "./Frame.ts"

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

/** A connection's server side. */
export const serve = (host: Host = admit, server: Server.Server = Server) => {
  let state: Server.State = Server.initial
  let bytes = ""
  let waiting: Array<Server.Event> = []
  const asked: Array<Server.Question> = []
  const actions: Array<string> = []

  const carryOut = (action: ReturnType<Server.Server["transition"]>["actions"][number]): string => {
    actions.push(action._tag)
    switch (action._tag) {
      case "Say":
        return Result.getOrThrow(Codec.encodeServer(action.command))
      case "Ask": {
        asked.push(action.question)
        const decision = host(action.question)
        return decision === undefined ? "" : feed(decision)
      }
      case "Postponed":
        waiting.push(action.event)
        return ""
      case "Deliver":
      case "Close":
        return ""
    }
  }

  const step = (event: Server.Event): string => {
    const step = server.transition(state, event)
    state = step.state
    return step.actions.map(carryOut).join("")
  }

  /** Feeds an event, then those that waited for it; gives back the bytes said. */
  const feed = (event: Server.Event): string => {
    const said = step(event)
    const deferred = waiting
    waiting = []
    return said + deferred.map(step).join("")
  }

  /** Hears some bytes, in however many pieces they come; gives back the bytes said. */
  const hear = (piece: string): string => {
    bytes += piece
    let said = ""
    while (state._tag !== "Closed") {
      const taken = Line.take(bytes, Line.noPayloads, Line.serverLimits)
      if (taken._tag === "NotYet") break
      bytes = taken._tag === "Whole" ? taken.rest : ""
      said += step(
        server.classify(
          taken._tag === "Whole" ? Codec.decodeClient(taken.frame) : Result.fail(Codec.unreadable(taken.why)),
        ),
      )
    }
    return said
  }

  return { hear, feed, asked, actions, state: () => state }
}

/** What a server says to some lines of a client, and where that leads. */
export const answer = (heard: ReadonlyArray<string>, host?: Host, server?: Server.Server) => {
  const login = serve(host, server)
  const said = lines(login.hear(crlf(...heard)))
  return { said, state: login.state(), asked: login.asked, actions: login.actions }
}
