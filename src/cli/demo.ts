/**
 * `msnp demo`: a whole session, from the dispatch server to the sign-in, between our own server and client.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Directory from "../host/Directory.ts"
import * as Presence from "../host/Presence.ts"
import * as LoginClient from "../net/LoginClient.ts"
import type * as Network from "../net/Network.ts"
import * as Accounts from "./Accounts.ts"
import * as Failure from "./Failure.ts"
import * as login from "./login.ts"
import * as Output from "./Output.ts"
import * as serve from "./serve.ts"

const flags = {
  stay: Flag.Boolean("stay").pipe(
    Flag.withDescription("Listen on the ports 1863 and 1864, and go on serving until stopped"),
    Flag.withDefault(false),
  ),
  json: Output.jsonFlag,
}

const freePort: Network.Endpoint = { listen: { host: "127.0.0.1", port: 0 }, advertise: Option.none() }

/** Serves the demo accounts, and shows Alice's login. */
const show = Effect.fnUntraced(function* (
  dispatch: Network.Endpoint,
  notification: Network.Endpoint,
  reader: Output.Reader,
): Effect.fn.Return<Network.Network["Service"], Failure.Failure, Scope.Scope> {
  const host = yield* Layer.build(Layer.merge(Directory.layerMemory(Accounts.demo), Presence.layerMemory))
  const plan = { dispatch: Option.some(dispatch), notification: [notification], gateway: Option.none(), referTo: [] }
  const network = yield* Effect.provideContext(serve.start(plan), host)
  const server = Option.getOrElse(network.dispatch, () => ({ bound: dispatch.listen })).bound
  const { account, password } = Accounts.alice
  const observer = yield* Output.transcriber(reader)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const session = yield* LoginClient.login({ server, account, password, observer })
      // The profile, with which every session begins.
      yield* Stream.runHead(session.commands)
      yield* session.logOff
      if (reader === "Person") yield* Output.say("")
      yield* Output.write(reader, login.describe(session), login.signedIn(session))
    }),
  ).pipe(Effect.mapError(Failure.fromLogin))
  return network
})

/** How the command line is called from where this runs: by npm from the sources, by its name once installed. */
const msnp = import.meta.url.endsWith(".ts") ? "npm run --silent msnp --" : "msnp"

/** The command. */
export const demo = Command.make("demo", flags, (flags) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    if (!flags.stay) return yield* Effect.asVoid(show(freePort, freePort, reader))

    const network = yield* show(serve.defaultDispatch, serve.defaultNotification, reader)
    yield* serve.announce(network, reader)
    if (reader === "Person") {
      yield* Output.say("")
      yield* Output.say(`Log in from a second terminal (the password is ${Accounts.alicesPassword}):`)
      yield* Output.say(`  ${msnp} login ${Accounts.alice.account} --transcript`)
      yield* Output.say("Press Ctrl-C to stop.")
    }
    return yield* Effect.never
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription("Show a whole login, from the dispatch server to the sign-in"),
  Command.withExamples([
    { command: "msnp demo", description: "Show a login on free ports of this machine" },
    { command: "msnp demo --stay", description: "Show it, and go on serving for a second terminal" },
  ]),
)
