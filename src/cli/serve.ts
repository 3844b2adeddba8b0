/**
 * `msnp serve`: a dispatch server and notification servers, until it is stopped.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Directory from "../host/Directory.ts"
import * as Limits from "../host/Limits.ts"
import * as Presence from "../host/Presence.ts"
import * as Referrals from "../host/Referrals.ts"
import * as Throttle from "../host/Throttle.ts"
import * as Network from "../net/Network.ts"
import type * as Readiness from "../net/Readiness.ts"
import * as SessionServer from "../net/SessionServer.ts"
import * as Address from "../protocol/Address.ts"
import * as Quirk from "../protocol/Quirk.ts"
import * as Accounts from "./Accounts.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Failure from "./Failure.ts"
import * as LimitFlag from "./LimitFlag.ts"
import * as Observe from "./Observe.ts"
import * as Output from "./Output.ts"
import * as Place from "./Place.ts"
import * as Stop from "./Stop.ts"
import * as TlsFlags from "./TlsFlags.ts"

/** Where the dispatch server listens unless told otherwise: the port of MSNP. */
export const defaultDispatch: Endpoint.Place = {
  listen: { host: "127.0.0.1", port: Address.defaultPort },
  advertise: Option.none(),
  speaks: "AsItCan",
}

/** Where the notification server listens unless told otherwise. */
export const defaultNotification: Endpoint.Place = {
  listen: { host: "127.0.0.1", port: Address.defaultPort + 1 },
  advertise: Option.none(),
  speaks: "AsItCan",
}

const endpoint = (name: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.filterMap(Endpoint.parse, () => Endpoint.expected),
  )

const networks = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("CIDR"),
    Flag.withDescription(description),
    Flag.filterMap(Endpoint.parseNetwork, () => Endpoint.expectedNetwork),
    Flag.atLeast(0),
  )

/** The longest notice of a shutdown, in minutes: a day. */
const maxNotice = 1440

const codes = { "500": 500, "601": 601, "910": 910, "921": 921 } as const
const troubles = ["500", "601", "910", "921"] as const

const flags = {
  dispatch: endpoint("dispatch").pipe(
    Flag.withDescription(
      "Where the dispatch server listens; port 0 takes a free one; ,advertise=IPV4:PORT names another address to clients; ,plain behind it all speaks no TLS; none for no dispatch server (default 127.0.0.1:1863)",
    ),
    Flag.withDefault(Option.some(defaultDispatch)),
  ),
  notification: endpoint("notification").pipe(
    Flag.withDescription("Where a notification server listens, likewise; may be repeated (default 127.0.0.1:1864)"),
    Flag.atLeast(0),
  ),
  gateway: endpoint("gateway").pipe(
    Flag.withDescription(
      "Where a notification server answers HTTP clients; ,advertise=IPV4:PORT names another address to them, without the port (default none)",
    ),
    Flag.withDefault(Option.none()),
  ),
  trustedProxies: networks(
    "trusted-proxy",
    "A network of HTTP proxies before the gateway that are believed when they say for whom they ask (X-Forwarded-For); may be repeated",
  ),
  referTo: Flag.String("refer-to").pipe(
    Flag.withMetavar("IPV4:PORT"),
    Flag.withDescription("A notification server elsewhere to refer clients to; may be repeated"),
    Flag.filterMap(Endpoint.parseIpv4, () => "IPV4:PORT, since old clients parse nothing else"),
    Flag.atLeast(0),
  ),
  shutdownNotice: Flag.Int("shutdown-notice").pipe(
    Flag.withMetavar("MINUTES"),
    Flag.withDescription(
      "When told to stop, tell everybody in how many minutes, let nobody else in, and stop then, or when all have left; a second signal stops it at once (default 0)",
    ),
    Flag.filter(
      (minutes) => minutes >= 0 && minutes <= maxNotice,
      () => `a number of minutes from 0 to ${maxNotice}`,
    ),
    Flag.withDefault(0),
  ),
  tlsCert: TlsFlags.cert,
  tlsKey: TlsFlags.key,
  trouble: Flag.Literals("trouble", troubles).pipe(
    Flag.withDescription("Let nobody in, and tell everybody this code: 601 or 910 for maintenance, 500, 921"),
    Flag.optional,
  ),
  unverified: Flag.Literals("unverified", ["let-in", "turn-down"]).pipe(
    Flag.withDescription(
      "What becomes of an account whose address has not been verified: let in and told so, or turned down with 924 (default let-in)",
    ),
    Flag.withDefault("let-in"),
  ),
  directory: Place.directory,
  control: Place.control,
  quirk: Flag.String("quirk").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription(`A deviation to tolerate; may be repeated: ${Quirk.all.join(", ")}`),
    Flag.filterMap(
      (name) => (Quirk.isQuirk(name) ? Option.some(name) : Option.none()),
      () => `one of ${Quirk.all.join(", ")}`,
    ),
    Flag.atLeast(0),
  ),
  limits: LimitFlag.limits,
  exempt: networks(
    "exempt",
    "A network whose clients share their addresses with many others: a gateway or a proxy. What one address may take does not hold there, as it does not for this machine and for trusted proxies; may be repeated",
  ),
  demo: Flag.Boolean("demo").pipe(
    Flag.withDescription("Let in alice@example.com (wonderland) and bob@example.com (builder)"),
    Flag.withDefault(false),
  ),
  demoCrowd: Flag.Int("demo-crowd").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Let in N accounts from user00000@example.com on, each with the password `password`"),
    Flag.filter(
      (size) => size >= 0 && size <= Accounts.maxCrowd,
      () => `a number from 0 to ${Accounts.maxCrowd}`,
    ),
    Flag.withDefault(0),
  ),
  ...Observe.flags,
  json: Output.jsonFlag,
}

/** Serves a plan over what is known of accounts and sessions; what cannot listen is told in a sentence. */
export const start = (
  plan: Network.Plan,
): Effect.Effect<Network.Network["Service"], Failure.Failure, Scope.Scope | Directory.Directory | Presence.Presence> =>
  Effect.mapError(Network.make(plan, SessionServer.serve()), ({ message }) => Failure.badInput(message))

const roles = { dispatch: "Dispatch server", notification: "Notification server", gateway: "HTTP gateway" } as const

/** Says where a network listens, and what a person should know of it. */
export const announce = Effect.fnUntraced(function* (network: Network.Network["Service"], reader: Output.Reader) {
  const listening = (role: keyof typeof roles, { bound, transport }: Network.Listening) => {
    const [said, told] = transport === "Tls" ? [", over TLS", { tls: true }] : ["", {}]
    const text = `${roles[role]} on ${Address.format(bound)}${said}`
    return Output.write(reader, text, { event: "listening", role, ...bound, ...told })
  }
  yield* Effect.forEach(Option.toArray(network.dispatch), (server) => listening("dispatch", server))
  yield* Effect.forEach(network.notification, (server) => listening("notification", server))
  yield* Effect.forEach(Option.toArray(network.gateway), (server) => listening("gateway", server))
  if (Option.isSome(network.dispatch) && !network.referrals.some(Referrals.isNameable)) {
    const how = { ClearText: "in clear text", Tls: "over TLS" }[network.dispatch.value.transport]
    yield* warn(
      reader,
      network.notification.some(Referrals.isNameable)
        ? `The dispatch server speaks ${how}, and no notification server does: clients are told 601.`
        : "There is no notification server to refer to at an IPv4 address: clients are told 601.",
    )
  }
  const all = [...Option.toArray(network.dispatch), ...network.notification, ...Option.toArray(network.gateway)]
  yield* Effect.forEach(Option.toArray(TlsFlags.exposureOf(all)), (text) => warn(reader, text))
})

/** Says what a person should know, but can live with. */
const warn = (reader: Output.Reader, text: string) => Output.write(reader, `Note: ${text}`, { event: "warning", text })

/** Lets operators ask the server, where it is said or known where; a server that cannot be asked serves all the same. */
const answerOperators = (place: Option.Option<Place.Place>, named: Option.Option<string>, reader: Output.Reader) =>
  Option.match(Option.match(place, { onNone: () => named, onSome: (place) => Place.controlOf(place, named) }), {
    onNone: () => Effect.void,
    onSome: (path) =>
      Effect.promise(() => import("../net/Control.ts")).pipe(
        Effect.flatMap((Control) => Control.serve(path)),
        Effect.catch(({ message }) => warn(reader, `${message} msnp sessions cannot ask this server.`)),
      ),
  })

/** Goes down, once told to: with notice where there is somebody to be told, and until nobody is left. */
const goDown = Effect.fnUntraced(function* (
  network: Network.Network["Service"],
  minutes: number,
  reader: Output.Reader,
) {
  yield* network.goDown(minutes)
  if (minutes > 0 && (yield* network.sessions) > 0) {
    yield* Output.write(
      reader,
      `Going down in ${minutes === 1 ? "a minute" : `${minutes} minutes`}; nobody is let in any more. A second signal ends it at once.`,
      { event: "goingDown", minutes },
    )
    const nobodyLeft = Effect.repeat(Effect.delay(network.sessions, "250 millis"), { until: (count) => count === 0 })
    const ways: ReadonlyArray<Effect.Effect<unknown>> = [Effect.sleep(`${minutes} minutes`), Stop.again, nobodyLeft]
    // On fibers of their own, since nothing can be interrupted here any more.
    yield* Effect.raceAllFirst(ways.map(Effect.interruptible))
  }
  yield* Stop.soon
})

/** The command. */
export const serve = Command.make("serve", flags, (flags) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const notification = flags.notification.length === 0 ? [Option.some(defaultNotification)] : flags.notification
    const tried = [...(flags.demo ? Accounts.demo : []), ...Accounts.crowd(flags.demoCrowd)]
    if (notification.length > 1 && notification.some(Option.isNone)) {
      return yield* Failure.badInput("--notification none goes with no other --notification.")
    }
    const hasAccounts = notification.some(Option.isSome) || Option.isSome(flags.gateway)
    if (Option.isNone(flags.dispatch) && !hasAccounts) {
      return yield* Failure.badInput(
        "There is nothing to serve: --dispatch, --notification and --gateway are all none.",
      )
    }
    if (Option.isNone(flags.gateway) && flags.trustedProxies.length > 0) {
      return yield* Failure.badInput("--trusted-proxy goes with --gateway: no other server is asked over HTTP.")
    }
    const isTrial = flags.demo || flags.demoCrowd > 0
    if (isTrial && Option.isSome(flags.directory)) {
      return yield* Failure.badInput(
        "--demo and --demo-crowd keep their accounts in memory: they go with no --directory.",
      )
    }

    const tls = yield* TlsFlags.serverOf({ cert: flags.tlsCert, key: flags.tlsKey })
    const endpointOf = Endpoint.endpointOf(tls)

    yield* Stop.awaited
    const place = isTrial || !hasAccounts ? Option.none() : Option.some(yield* Place.orDefault(flags.directory))
    const accounts = Option.match(place, {
      onNone: () => Directory.layerMemory(tried),
      onSome: (place) => Place.open(place, { use: "Serve", missing: "Make", reader }),
    })
    let readiness: Effect.Effect<Readiness.Readiness> = Effect.succeed("Starting")
    const observed = Observe.layer(
      flags,
      reader,
      Effect.suspend(() => readiness),
    )
    const throttle = Throttle.layerMemory({ exempt: [...Throttle.loopback, ...flags.trustedProxies, ...flags.exempt] })
    const host = yield* Layer.mergeAll(accounts, Presence.layerMemory, throttle).pipe(
      Layer.provideMerge(Layer.merge(observed, Limits.layer(flags.limits))),
      Layer.build,
    )
    return yield* Effect.gen(function* () {
      const network = yield* start({
        dispatch: Option.map(flags.dispatch, endpointOf),
        notification: notification.flatMap(Option.toArray).map(endpointOf),
        gateway: Option.map(flags.gateway, (place) => ({ ...endpointOf(place), trustedProxies: flags.trustedProxies })),
        referTo: flags.referTo,
        quirks: Quirk.only(...flags.quirk),
        unverified: flags.unverified === "let-in" ? "LetIn" : "TurnDown",
        ...Option.match(flags.trouble, { onNone: () => ({}), onSome: (code) => ({ trouble: codes[code] }) }),
      })
      readiness = network.readiness
      // Whoever is told that it listens may ask it, too.
      yield* answerOperators(place, flags.control, reader)
      yield* announce(network, reader)
      const expiries = yield* Effect.forEach(Option.toArray(tls), TlsFlags.expiryOf)
      yield* Effect.forEach(expiries.flatMap(Option.toArray), (text) => warn(reader, text))
      const { list } = yield* Directory.Directory
      if (hasAccounts && Option.isNone(yield* Effect.orElseSucceed(Stream.runHead(list), Option.none))) {
        yield* warn(reader, "There are no accounts: nobody can log in. Add one with `msnp account add`, or try --demo.")
      }
      return yield* Effect.onInterrupt(Effect.never, () => goDown(network, flags.shutdownNotice, reader))
    }).pipe(Effect.provideContext(host))
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription("Serve a dispatch server and notification servers until stopped"),
  Command.withExamples([
    { command: "msnp serve --demo", description: "Both servers on this machine, with two accounts to try" },
    {
      command: "msnp serve --directory /var/lib/msnp/accounts.db --shutdown-notice 5",
      description: "Accounts of a file of your choice; who is signed in is told before the server goes down",
    },
    {
      command: "msnp serve --dispatch none --notification 0.0.0.0:1863,advertise=203.0.113.7:1863",
      description: "A notification server alone, behind an address translation",
    },
    {
      command: "msnp serve --gateway 0.0.0.0:80,advertise=203.0.113.7:80 --trusted-proxy 10.0.0.0/8",
      description: "Clients that come over HTTP are let in, too",
    },
    {
      command:
        "msnp serve --dispatch 0.0.0.0:1863,plain --notification 0.0.0.0:1864,plain --notification 0.0.0.0:1874 --tls-cert chain.pem --tls-key key.pem",
      description: "Period clients in clear text, and modern ones over TLS at port 1874",
    },
    {
      command: "msnp serve --notification none --refer-to 203.0.113.7:1863 --refer-to 203.0.113.8:1863",
      description: "A dispatch server that refers to others, to the least loaded that is up",
    },
  ]),
)
