/**
 * `msnp serve`: a dispatch server and notification servers, until it is stopped.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Directory from "../host/Directory.ts"
import * as Presence from "../host/Presence.ts"
import * as Referrals from "../host/Referrals.ts"
import * as LoginServer from "../net/LoginServer.ts"
import * as Network from "../net/Network.ts"
import * as Address from "../protocol/Address.ts"
import * as Quirk from "../protocol/Quirk.ts"
import * as Accounts from "./Accounts.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"

/** Where the dispatch server listens unless told otherwise: the port of MSNP. */
export const defaultDispatch: Network.Endpoint = {
  listen: { host: "127.0.0.1", port: Address.defaultPort },
  advertise: Option.none(),
}

/** Where the notification server listens unless told otherwise. */
export const defaultNotification: Network.Endpoint = {
  listen: { host: "127.0.0.1", port: Address.defaultPort + 1 },
  advertise: Option.none(),
}

const endpoint = (name: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.filterMap(Endpoint.parse, () => Endpoint.expected),
  )

const flags = {
  dispatch: endpoint("dispatch").pipe(
    Flag.withDescription(
      "Where the dispatch server listens; port 0 takes a free one; ,advertise=IPV4:PORT names another address to clients; none for no dispatch server (default 127.0.0.1:1863)",
    ),
    Flag.withDefault(Option.some(defaultDispatch)),
  ),
  notification: endpoint("notification").pipe(
    Flag.withDescription("Where a notification server listens, likewise; may be repeated (default 127.0.0.1:1864)"),
    Flag.atLeast(0),
  ),
  referTo: Flag.String("refer-to").pipe(
    Flag.withMetavar("IPV4:PORT"),
    Flag.withDescription("A notification server elsewhere to refer clients to; may be repeated"),
    Flag.filterMap(Endpoint.parseIpv4, () => "IPV4:PORT, since old clients parse nothing else"),
    Flag.atLeast(0),
  ),
  quirk: Flag.String("quirk").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription(`A deviation to tolerate; may be repeated: ${Quirk.all.join(", ")}`),
    Flag.filterMap(
      (name) => (Quirk.isQuirk(name) ? Option.some(name) : Option.none()),
      () => `one of ${Quirk.all.join(", ")}`,
    ),
    Flag.atLeast(0),
  ),
  demo: Flag.Boolean("demo").pipe(
    Flag.withDescription("Let in alice@example.com (wonderland) and bob@example.com (builder)"),
    Flag.withDefault(false),
  ),
  demoCrowd: Flag.Int("demo-crowd").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Let in N accounts from user00000@example.com on, each with the password `password`"),
    Flag.filter(
      (size) => size >= 0 && size <= maxCrowd,
      () => `a number from 0 to ${maxCrowd}`,
    ),
    Flag.withDefault(0),
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON object a line"), Flag.withDefault(false)),
}

/** As many accounts as five digits can number. */
const maxCrowd = 100_000

/** Serves a plan over accounts in memory; what cannot listen is told in a sentence. */
export const start = Effect.fnUntraced(function* (
  plan: Network.Plan,
  accounts: ReadonlyArray<Directory.Entry>,
): Effect.fn.Return<Network.Network["Service"], Failure.Failure, Scope.Scope> {
  const host = yield* Layer.build(Layer.merge(Directory.layerMemory(accounts), Presence.layerMemory))
  return yield* Network.make(plan, LoginServer.hearOnly).pipe(
    Effect.provideContext(host),
    Effect.mapError(({ message }) => Failure.badInput(message)),
  )
})

/** Says where a network listens, and what a person should know of it. */
export const announce = Effect.fnUntraced(function* (network: Network.Network["Service"], reader: Output.Reader) {
  const listening = (role: "dispatch" | "notification", { bound }: Referrals.Server) =>
    Output.write(
      reader,
      `${role === "dispatch" ? "Dispatch server" : "Notification server"} on ${Address.format(bound)}`,
      {
        event: "listening",
        role,
        ...bound,
      },
    )
  yield* Effect.forEach(Option.toArray(network.dispatch), (server) => listening("dispatch", server))
  yield* Effect.forEach(network.notification, (server) => listening("notification", server))
  if (Option.isSome(network.dispatch) && !network.referrals.some(Referrals.isNameable)) {
    yield* warn(reader, "There is no notification server to refer to at an IPv4 address: clients are told 601.")
  }
})

/** Says what a person should know, but can live with. */
const warn = (reader: Output.Reader, text: string) => Output.write(reader, `Note: ${text}`, { event: "warning", text })

/** The command. */
export const serve = Command.make("serve", flags, (flags) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const notification = flags.notification.length === 0 ? [Option.some(defaultNotification)] : flags.notification
    const accounts = [...(flags.demo ? Accounts.demo : []), ...Accounts.crowd(flags.demoCrowd)]
    if (notification.length > 1 && notification.some(Option.isNone)) {
      return yield* Failure.badInput("--notification none goes with no other --notification.")
    }
    if (Option.isNone(flags.dispatch) && notification.every(Option.isNone)) {
      return yield* Failure.badInput("There is nothing to serve: both --dispatch and --notification are none.")
    }

    const network = yield* start(
      {
        dispatch: flags.dispatch,
        notification: notification.flatMap(Option.toArray),
        referTo: flags.referTo,
        quirks: Quirk.only(...flags.quirk),
      },
      accounts,
    )

    yield* announce(network, reader)
    if (accounts.length === 0 && network.notification.length > 0) {
      yield* warn(reader, "There are no accounts: nobody can log in. Try --demo.")
    }
    return yield* Effect.never
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription("Serve a dispatch server and notification servers until stopped"),
  Command.withExamples([
    { command: "msnp serve --demo", description: "Both servers on this machine, with two accounts to try" },
    {
      command: "msnp serve --dispatch none --notification 0.0.0.0:1863,advertise=203.0.113.7:1863",
      description: "A notification server alone, behind an address translation",
    },
    {
      command: "msnp serve --notification none --refer-to 203.0.113.7:1863 --refer-to 203.0.113.8:1863",
      description: "A dispatch server that refers to others, in turn",
    },
  ]),
)
