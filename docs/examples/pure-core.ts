/**
 * A whole login between the two machines, with nothing but bytes in between: no runtime, no socket, no fiber.
 *
 * Whoever has another way to move bytes than ours needs no more than this.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Client from "effect-msnp/login/Client"
import * as Server from "effect-msnp/login/Server"
import * as Account from "effect-msnp/protocol/Account"
import * as Challenge from "effect-msnp/protocol/Challenge"
import * as Codec from "effect-msnp/protocol/Codec"
import * as FriendlyName from "effect-msnp/protocol/FriendlyName"
import * as Line from "effect-msnp/protocol/Line"

const account = Account.Account.make("alice@example.com")
const friendlyName = FriendlyName.FriendlyName.make("Alice Liddell")
const password = Redacted.make("wonderland")

/** Each whole line of some bytes. */
function* framesOf(bytes: string, payloads: Line.Payloads, limits: Line.Limits): Generator<Line.Frame> {
  let rest = bytes
  while (true) {
    const taken = Line.take(rest, payloads, limits)
    if (taken._tag !== "Whole") return
    rest = taken.rest
    yield taken.frame
  }
}

const first = Client.start({ account, dialects: ["MSNP7"], manner: "AskInf" })

/** Where either side stands. */
const now: { client: Client.State; server: Server.State } = { client: first.state, server: Server.initial }

/** Where the client asks, it is given the answer to the challenge at once. */
const clientMoves = (event: Client.Event): string => {
  const { actions, state } = Client.transition(now.client, event)
  now.client = state
  let said = ""
  for (const action of actions) {
    if (action._tag === "Say") said += Result.getOrThrow(Codec.encodeClient(action.command))
    if (action._tag === "Ask") {
      const digest = Challenge.respond(action.question.challenge, password)
      said += clientMoves({ _tag: "Answer", digest })
    }
  }
  return said
}

/** Where the server asks, Alice is challenged, and let in if she knows her password. */
const serverMoves = (event: Server.Event): string => {
  const { actions, state } = Server.transition(now.server, event)
  now.server = state
  let said = ""
  for (const action of actions) {
    if (action._tag === "Say") said += Result.getOrThrow(Codec.encodeServer(action.command))
    if (action._tag === "Ask") said += serverMoves(decide(action.question))
  }
  return said
}

const decide = (question: Server.Question): Server.Event => {
  switch (question._tag) {
    case "Admission":
      // The time, and digits that nobody can guess: a real server draws them anew for each login.
      return { _tag: "Challenge", challenge: Challenge.make(1013928519, () => 693957190) }
    case "Verdict":
      return Challenge.matches(Challenge.respond(question.challenge, password), question.digest)
        ? { _tag: "Accept", account, friendlyName, verified: true }
        : { _tag: "Deny", code: 911 }
  }
}

let toServer = ""
for (const action of first.actions) {
  if (action._tag === "Say") toServer += Result.getOrThrow(Codec.encodeClient(action.command))
}
while (toServer !== "") {
  process.stdout.write(toServer)
  let toClient = ""
  for (const frame of framesOf(toServer, Line.noPayloads, Line.serverLimits)) {
    toClient += serverMoves(Server.classify(Codec.decodeClient(frame)))
  }
  process.stdout.write(toClient)
  toServer = ""
  for (const frame of framesOf(toClient, Line.serverPayloads, Line.clientLimits)) {
    toServer += clientMoves(Client.classify(now.client, Codec.decodeServer(frame)))
  }
}
if (now.client._tag === "LoggedIn" && now.server._tag === "LoggedIn") {
  process.stdout.write(`${now.client.friendlyName} is signed in with ${now.server.dialect}\n`)
}
