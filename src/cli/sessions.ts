/**
 * `msnp sessions`: who is signed in at a server that runs on this machine, and how to put somebody off.
 */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Presence from "../host/Presence.ts"
import * as Control from "../net/Control.ts"
import * as Address from "../protocol/Address.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Place from "./Place.ts"

/** What each of these commands takes. */
const common = { directory: Place.directory, control: Place.control, json: Output.jsonFlag }

/** What {@link common} was given. */
interface Common {
  readonly directory: Option.Option<Place.Place>
  readonly control: Option.Option<string>
  readonly json: boolean
}

/** Does something at a running server. */
const at = Effect.fnUntraced(function* (
  { control, directory, ...flags }: Common,
  use: (
    server: Control.Control,
    reader: Output.Reader,
  ) => Effect.Effect<void, Control.ControlError | Presence.PresenceError | Failure.Failure>,
) {
  const reader = Output.readerOf(flags)
  const path = Place.controlOf(yield* Place.orDefault(directory), control)
  if (Option.isNone(path)) {
    return yield* Failure.badInput("Say with --control which server is meant: a database does not tell.")
  }
  yield* Control.connect(path.value).pipe(
    Effect.flatMap((server) => use(server, reader)),
    Effect.scoped,
    Effect.catchTags({
      ControlError: ({ _tag, message }) =>
        Output.fail(reader, _tag, new Failure.Failure({ kind: "Unreachable", message })),
      PresenceError: ({ _tag, message }) =>
        Output.fail(reader, _tag, new Failure.Failure({ kind: "Unavailable", message })),
    }),
  )
})

const headings = ["ACCOUNT", "DIALECT", "FROM", "SINCE", "FOR"]

const list = Command.make("list", common, (flags) =>
  at(
    flags,
    Effect.fnUntraced(function* (server, reader) {
      if (reader === "Program") {
        return yield* Stream.runForEach(server.list, ({ local, remote, since, ...session }) =>
          Output.say(
            Output.json({
              event: "session",
              ...session,
              remote: Address.format(remote),
              local: Address.format(local),
              since: Output.time(since),
            }),
          ),
        )
      }
      const now = yield* Clock.currentTimeMillis
      const sessions = yield* Stream.runCollect(
        Stream.map(server.list, ({ account, dialect, remote, since }) => [
          Output.legible(account),
          dialect,
          Address.format(remote),
          Output.time(since),
          Duration.format(Duration.seconds(Math.max(0, Math.floor((now - since) / 1000)))),
        ]),
      )
      if (sessions.length === 0) return yield* Output.say("Nobody is signed in.")
      yield* Effect.forEach(Output.table([headings, ...sessions]), Output.say)
    }),
  ),
).pipe(Command.withDescription("List who is signed in, in the order in which they signed in; times are in UTC"))

const kick = Command.make(
  "kick",
  { account: AccountArgument.make("Whom to put off"), ...common },
  ({ account, ...flags }) =>
    at(
      flags,
      Effect.fnUntraced(function* (server, reader) {
        if (!(yield* server.dismiss(account))) {
          const sentence = `${Output.legible(account)} is not signed in.`
          return yield* Output.fail(reader, "NotSignedIn", Failure.badInput(sentence))
        }
        yield* Output.write(reader, `Closed the session of ${Output.legible(account)}.`, { event: "kicked", account })
      }),
    ),
).pipe(
  Command.withDescription(
    "Close the session of an account. Its client may log in again at once: `msnp account disable` keeps it out",
  ),
)

/** The command, with its subcommands. */
export const sessions = Command.make("sessions").pipe(
  Command.withDescription(
    "See who is signed in at a server that runs on this machine, and put somebody off. Exit code 5: no server answers",
  ),
  Command.withShortDescription("See who is signed in, and put somebody off"),
  Command.withSubcommands([list, kick]),
)
