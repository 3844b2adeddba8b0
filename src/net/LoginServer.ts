/**
 * A server that listens: each connection runs the server's machine, and its host's decisions come from `Admission`.
 *
 * Dispatch server and notification server are the same server over another `Admission`. What a client says once it is
 * logged in goes to the embedding application as a stream.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Admission from "../host/Admission.ts"
import * as Limits from "../host/Limits.ts"
import * as Presence from "../host/Presence.ts"
import * as Throttle from "../host/Throttle.ts"
import * as Server from "../login/Server.ts"
import type * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import type * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Quirk from "../protocol/Quirk.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as Attendance from "./internal/attendance.ts"
import * as Connection from "./internal/connection.ts"
import * as Crowd from "./internal/crowd.ts"
import * as Deadlines from "./internal/deadlines.ts"
import * as Limited from "./internal/limited.ts"
import * as Tcp from "./internal/tcp.ts"
import * as Telemetry from "./Telemetry.ts"
import type * as Tls from "./Tls.ts"
import type * as Transcript from "./Transcript.ts"

/** What can be said in a session: OUT is said by the server itself. */
export type Sayable = Exclude<ServerCommand.ServerCommand, { readonly _tag: "Out" }>

/** A client that is logged in, as the embedding application meets it. */
export interface Session extends Admission.Ends {
  readonly dialect: Dialect.Dialect
  /** The account, spelled as it was created. */
  readonly account: Account.Account
  readonly friendlyName: FriendlyName.FriendlyName
  readonly verified: boolean
  /** What the client says, from the first byte behind its login; ends when it says no more. For one consumer. */
  readonly commands: Stream.Stream<ClientCommand.ClientCommand | Codec.Malformed>
  /** In how many minutes this server goes down: as was announced last, if it was, and whenever that is announced anew. */
  readonly goingDown: Stream.Stream<number>
  /**
   * Says something to the client, with one write; false where it is gone. Waits while the client does not read. A
   * command that cannot be encoded is a defect.
   */
  readonly send: (...commands: ReadonlyArray<Sayable>) => Effect.Effect<boolean>
  /** Tells the client that its account has logged in elsewhere (`OUT OTH`), and closes the connection. */
  readonly displace: Effect.Effect<void>
}

/** Where a server is to listen, and how. */
export interface Options {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  /** Over TLS, and with which certificate; in clear text where there is nothing. */
  readonly tls?: Tls.Server
  readonly quirks?: Quirk.Quirks
  /** What the server is to its operators; by default a notification server. */
  readonly role?: Telemetry.Role
  /** Is told of each thing that happens on the wire, connection by connection. */
  readonly observe?: (ends: Admission.Ends) => Transcript.Observer
}

/** A server could not listen where it was to. */
export class ListenError extends Schema.TaggedError<ListenError>("effect-msnp/net/ListenError")("ListenError", {
  address: Schema.String,
  why: Schema.String,
}) {
  override get message() {
    return `Cannot listen on ${this.address}: ${this.why}.`
  }
}

/** What an application does with a session; the connection is closed when it ends. */
export type OnSession<R> = (session: Session) => Effect.Effect<void, never, R>

/** Hears everything and answers nothing. */
export const hearOnly: OnSession<never> = (session) => Stream.runDrain(session.commands)

/** A server that listens. */
export class LoginServer extends Context.Service<
  LoginServer,
  {
    /** Where it listens: with port 0, the port that the system gave. */
    readonly address: Address.Address
  }
>()("effect-msnp/net/LoginServer") {}

/** What a server needs of its host: who may come in, and who is in already. */
export type Requirements = Admission.Admission | Presence.Presence

/**
 * Listens until the scope closes; then every client is told that the server goes down (`OUT SSD`).
 *
 * `Admission` decides who is let in, `Presence` who is put off for it; `onSession` is run for each client that is let in.
 * `Limits` says what is put up with, and the `Throttle` that is provided, or else one of its own, counts what a peer takes.
 */
export const make = Effect.fnUntraced(function* <R = never>(
  options: Options,
  onSession: OnSession<R>,
): Effect.fn.Return<LoginServer["Service"], ListenError, Scope.Scope | Requirements | R> {
  const listener = yield* listen(options.listen, Option.fromUndefinedOr(options.tls))
  yield* serve(listener, options, onSession)
  return { address: listener.address }
})

/** Provides a server that hears everything and answers nothing after the login; see {@link make}. */
export const layer = (options: Options): Layer.Layer<LoginServer, ListenError, Requirements> =>
  Layer.effect(LoginServer, make(options, hearOnly))

/** Provides a server over what an application does with its sessions; see {@link make}. */
export const layerWith = <R>(
  options: Options,
  onSession: OnSession<R>,
): Layer.Layer<LoginServer, ListenError, Requirements | Exclude<R, Scope.Scope>> =>
  Layer.effect(LoginServer, make(options, onSession))

/** A socket that listens, and on which nothing is served yet. */
export interface Listener extends Tcp.Listener {}

/**
 * Binds a listening socket: its address is known before anything is served on it. Closed with the scope.
 *
 * Over TLS, the time for a handshake is part of the time for a login.
 */
export const listen = (
  at: Address.Address,
  tls: Option.Option<Tls.Server> = Option.none(),
): Effect.Effect<Listener, ListenError, Scope.Scope> =>
  Effect.mapError(
    Tcp.listen(
      at,
      Option.map(tls, ({ context }) => context),
    ),
    fromSystem(at),
  )

const reasons: { readonly [code: string]: string } = {
  EADDRINUSE: "the port is in use",
  EACCES: "it needs more rights than this process has",
  EADDRNOTAVAIL: "this machine does not have that address",
}

const whyNot = Tcp.whyNot(reasons)

/** What an error of `node:net` says of listening at an address, for listeners that are made of it. */
export const fromSystem =
  (at: Address.Address) =>
  (error: NodeJS.ErrnoException): ListenError =>
    new ListenError({ address: Address.format(at), why: whyNot(error) })

/** A server at work. */
export interface Served {
  /** How many clients are logged in here. */
  readonly sessions: () => number
  /** Tells each session that this server goes down in so many minutes: see `Session.goingDown`. */
  readonly warn: (minutes: number) => Effect.Effect<void>
}

/**
 * Serves a listening socket until the scope closes. It returns at once: `Admission` and `Presence` must live as long as
 * the scope, so build their layers there (`Layer.build`), or use {@link layer}; `Effect.provide` would release them
 * behind this call.
 */
export const serve = Effect.fnUntraced(function* <R = never>(
  listener: Listener,
  options: Omit<Options, "listen" | "tls">,
  onSession: OnSession<R>,
): Effect.fn.Return<Served, never, Scope.Scope | Requirements | R> {
  const limits = yield* Limits.Current
  const telemetry = yield* Telemetry.Current
  const throttle = yield* Throttle.orInMemory()
  const turnedAway = yield* Limited.make(throttle)
  const context = Context.makeUnsafe<Scope.Scope | R>((yield* Effect.context<Scope.Scope | R>()).mapUnsafe)
  const annotations = yield* References.CurrentLogAnnotations
  const runFork = Effect.runForkWith(context)
  const role = options.role ?? "notification"
  Option.map(telemetry, ({ serving }) => serving(role))
  // Whoever was being let in when it was announced is told, too.
  const warnings = yield* PubSub.unbounded<number>({ replay: 1 })
  let announced = Option.none<number>()
  const connections = Crowd.make<Connection.Connection>()
  const noneLeft = Latch.makeUnsafe(true)
  let sessions = 0
  let isClosing = false

  const contextOf = (about: Connection.About) =>
    Context.add(context, References.CurrentLogAnnotations, { ...annotations, ...about })
  const shared: Connection.Shared = {
    side: Connection.sideOf(Server.make(options.quirks ?? Quirk.none), limits),
    limits,
    role,
    decide: Admission.guarded(yield* Admission.Admission, limits),
    presence: yield* Presence.Presence,
    overdue: yield* Deadlines.make(limits.loginTimeout),
    limited: turnedAway,
    contextOf,
    apply: (session, about) => Effect.runForkWith(contextOf(about))(Effect.scoped(onSession(session))),
    attendant: Attendance.of(onSession),
    clock: yield* Clock.Clock,
    after: (delay, run) => {
      const timer = runFork(Effect.delay(Effect.sync(run), delay))
      return () => timer.interruptUnsafe()
    },
    goingDown: Stream.fromPubSub(warnings),
    announced: () => announced,
    log: (yield* LogLevel.isEnabled("Debug")) ? "Logins" : "NoLogins",
    telemetry,
    observe: Option.fromUndefinedOr(options.observe),
    entered: () => sessions++,
    left: () => sessions--,
    enter: (connection) => {
      const place = connections.enter(connection)
      noneLeft.closeUnsafe()
      return () => {
        connections.leave(place)
        if (connections.isEmpty()) noneLeft.openUnsafe()
      }
    },
  }

  const take = (accepted: Tcp.Accepted) => {
    if (isClosing) {
      accepted.refuse()
      return
    }
    const peer = throttle.at(accepted.remote.host)
    const counted = peer.connect()
    if (Result.isFailure(counted)) {
      accepted.refuse()
      turnedAway(counted.failure, accepted.remote)
      return
    }
    accepted.onClosed(counted.success)
    new Connection.Connection(shared, accepted, peer).begin()
  }
  listener.accept((accepted) => {
    try {
      take(accepted)
    } catch (defect) {
      accepted.refuse()
      runFork(Connection.dropped(defect))
    }
  })

  // A login under way is over; an application gets the time to finish what it is doing.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosing = true
      for (const connection of connections.all()) connection.shutDown()
      return noneLeft.await
    }),
  )

  return {
    sessions: () => sessions,
    warn: (minutes) =>
      Effect.map(PubSub.publish(warnings, minutes), () => {
        announced = Option.some(minutes)
        for (const connection of connections.all()) connection.warn(minutes)
      }),
  }
})
