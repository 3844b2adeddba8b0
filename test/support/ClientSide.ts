/** A client without a socket: bytes in, bytes out. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Client from "../../src/login/Client.ts"
import type { Step } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import { crlf, lines } from "./Frame.ts"

/** With what a client begins, unless a test says otherwise: Alice, as an official client of MSNP7. */
export const official: Client.Options = {
  account: Account.Account.make("alice@hotmail.com"),
  dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
  manner: "AskInf",
}

/** The password of the documents' own example. */
export const password = Redacted.make("mypassword")

type Action = ReturnType<typeof Client.transition>["actions"][number]

/** A connection's client side; it answers each challenge with that password at once. */
export const connect = (options: Partial<Client.Options> = {}) => {
  let state: Client.State
  let bytes = ""
  const actions: Array<string> = []

  const carryOut = (action: Action): string => {
    actions.push(action._tag)
    switch (action._tag) {
      case "Say":
        return Result.getOrThrow(Codec.encodeClient(action.command))
      case "Ask":
        return feed({ _tag: "Answer", digest: Challenge.respond(action.question.challenge, password) })
      case "Postponed":
      case "Deliver":
      case "Close":
        return ""
    }
  }

  const follow = (step: Step<Client.State, Action>): string => {
    state = step.state
    return step.actions.map(carryOut).join("")
  }

  /** Feeds an event; gives back the bytes said. */
  const feed = (event: Client.Event): string => follow(Client.transition(state, event))

  /** Hears some bytes, in however many pieces they come; gives back the bytes said. */
  const hear = (piece: string): string => {
    bytes += piece
    let said = ""
    while (state._tag !== "Closed" && state._tag !== "Referred") {
      const taken = Line.take(bytes, Line.serverPayloads, Line.clientLimits)
      if (taken._tag === "NotYet") break
      bytes = taken._tag === "Whole" ? taken.rest : ""
      const heard = taken._tag === "Whole" ? Codec.decodeServer(taken.frame) : Result.fail(Codec.unreadable(taken.why))
      said += feed(Client.classify(state, heard))
    }
    return said
  }

  const first = Client.start({ ...official, ...options })
  state = first.state
  const hello = follow(first)
  return { hello, hear, feed, actions, state: () => state }
}

/** What a client says to some lines of a server, its first line included, and where that leads. */
export const reply = (heard: ReadonlyArray<string>, options?: Partial<Client.Options>) => {
  const login = connect(options)
  const said = lines(login.hello + login.hear(crlf(...heard)))
  return { said, state: login.state(), actions: login.actions }
}
