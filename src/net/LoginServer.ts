/**
 * A server that listens: each connection runs the server's machine, and its host's decisions come from `Admission`.
 *
 * Dispatch server and notification server are the same server over another `Admission`. What a client says once it is
 * logged in goes to the embedding application as a stream.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Crypto from "node:crypto"
import * as Admission from "../host/Admission.ts"
import * as Limits from "../host/Limits.ts"
import * as Presence from "../host/Presence.ts"
import * as Throttle from "../host/Throttle.ts"
import * as Server from "../login/Server.ts"
import type { ByTag } from "../machine/Machine.ts"
import type * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import * as Codec from "../protocol/Codec.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import type * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Line from "../protocol/Line.ts"
import * as Quirk from "../protocol/Quirk.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as Driver from "./Driver.ts"
import * as Limited from "./internal/limited.ts"
import * as Tcp from "./internal/tcp.ts"
import * as Telemetry from "./Telemetry.ts"
import type * as Tls from "./Tls.ts"
import * as Transcript from "./Transcript.ts"

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
  const decide = Admission.guarded(yield* Admission.Admission, limits)
  const presence = yield* Presence.Presence
  const throttle = yield* Throttle.orInMemory()
  const turnedAway = yield* Limited.make(throttle)
  const server = Server.make(options.quirks ?? Quirk.none)
  const role = options.role ?? "notification"
  Option.map(telemetry, ({ serving }) => serving(role))
  const runFork = Effect.runForkWith(yield* Effect.context<Scope.Scope | R>())
  // Whoever was being let in when it was announced is told, too.
  const warnings = yield* PubSub.unbounded<number>({ replay: 1 })
  const live = new Map<Fiber.Fiber<unknown, unknown>, ServerDriver>()
  const fibers = new Set<Fiber.Fiber<void>>()
  let sessions = 0
  let closing = false

  const connection = Effect.fnUntraced(
    function* (accepted: Tcp.Accepted, peer: Throttle.Peer, id: string) {
      const { local, remote } = accepted
      const limited = (limit: Limits.Name) => turnedAway(limit, remote)
      const witness = Option.map(telemetry, ({ connected }) => connected({ id, role, local, remote }))
      yield* Effect.addFinalizer(() => Effect.sync(() => Option.map(witness, ({ ended }) => ended())))
      const wire = yield* Scope.fork(yield* Effect.scope)
      const driver = yield* Driver.make(sideOf(server, limits, limited), accepted.socket, start, {
        loginTimeout: limits.loginTimeout,
        bounds: limits,
        limited,
        observer: options.observe?.(accepted) ?? Transcript.silent,
        ...Option.match(witness, { onNone: () => ({}), onSome: ({ stepped }) => ({ witness: stepped }) }),
      }).pipe(Scope.provide(wire))
      if (closing) return
      yield* Effect.withFiber((fiber) => {
        live.set(fiber, driver)
        return Effect.addFinalizer(() => Effect.sync(() => live.delete(fiber)))
      })

      // Nobody is signed in without a connection, whatever the application still does.
      const enter = (account: Account.Account, dialect: Dialect.Dialect) =>
        Scope.provide(
          presence.signIn({
            account,
            dialect,
            remote: accepted.remote,
            local: accepted.local,
            displace: driver.end({ _tag: "Displaced" }),
            dismiss: driver.end({ _tag: "Dismiss" }),
          }),
          wire,
        )
      const login = held(peer, limited, (question) => decide(question, accepted, enter, limited))
      const state = yield* Effect.ensuring(driver.login(login.decide), Effect.sync(login.over))
      yield* tell(state)
      if (state._tag === "Closed") {
        if (state.reason === "Overdue") limited("loginTimeout")
        return
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => sessions++),
        () => Effect.sync(() => sessions--),
      )

      const application = yield* Effect.forkChild(
        onSession(sessionOf(driver, state, accepted, Stream.fromPubSub(warnings))),
      )
      yield* Effect.raceFirst(driver.session, Fiber.await(application))
      // An application ends, too, once its client has no more to say: then it is not the one who ends the session.
      const ending = driver.isOpen() ? ({ _tag: "Dismiss" } as const) : ({ _tag: "HungUp" } as const)
      // A client that has no more to say may still listen; a connection that is over is closed at once.
      if (driver.state()._tag === "Closed") yield* Scope.close(wire, Exit.void)
      yield* Effect.timeoutOption(Fiber.join(application), limits.farewellTimeout)
      yield* driver.end(ending)
    },
    Effect.scoped,
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("A connection was dropped by a defect", cause),
    ),
  )

  listener.accept((accepted) => {
    const peer = throttle.at(accepted.remote.host)
    const counted = peer.connect()
    if (Result.isFailure(counted)) {
      accepted.refuse()
      turnedAway(counted.failure, accepted.remote)
      return
    }
    accepted.onClosed(counted.success)
    const id = nextId()
    const about = { connection: id, role, peer: Address.format(accepted.remote) }
    const fiber = runFork(Effect.annotateLogs(connection(accepted, peer, id), about))
    fibers.add(fiber)
    fiber.addObserver(() => fibers.delete(fiber))
  })

  yield* Effect.addFinalizer(
    Effect.fnUntraced(function* () {
      closing = true
      const applications: Array<Fiber.Fiber<unknown, unknown>> = []
      for (const [fiber, driver] of live) {
        if (driver.state()._tag === "LoggedIn") applications.push(fiber)
        yield* driver.end({ _tag: "ShutDown" })
      }
      // A login under way is over; an application gets the time to finish what it is doing.
      yield* Fiber.interruptAll(Array.from(fibers).filter((fiber) => !applications.includes(fiber)))
      yield* Effect.timeoutOption(Fiber.awaitAll(applications), limits.farewellTimeout)
      yield* Fiber.interruptAll(fibers)
    }),
  )

  return {
    sessions: () => sessions,
    warn: (minutes) => Effect.asVoid(PubSub.publish(warnings, minutes)),
  }
})

/** What the connections of this process have in common in their names, and those of hardly another. */
const idPrefix = Crypto.randomBytes(4).toString("hex")
let lastId = 0

/** The name of a connection, for logs and traces. */
const nextId = () => `${idPrefix}-${++lastId}`

/** Writes into the log how a login has ended. */
const tell = (state: Kinds["LoggedIn"] | Kinds["Over"]): Effect.Effect<void> =>
  Effect.logDebug(
    state._tag === "LoggedIn" ? `A client has logged in with ${state.dialect}` : `A login is over: ${state.reason}`,
  )

/** A connection before anything was said. */
const start = { state: Server.initial, actions: [] } as const

/** A server's side of a connection. */
interface Kinds extends Driver.Kinds {
  readonly State: Server.State
  readonly LoggedIn: ByTag<Server.State, "LoggedIn">
  readonly Over: ByTag<Server.State, "Closed">
  readonly Event: Server.Event
  readonly In: ClientCommand.ClientCommand
  readonly Out: ServerCommand.ServerCommand
  readonly Question: Server.Question
}

type ServerDriver = Driver.Driver<Kinds>

/** The host's decisions on one connection, as far as the peer may have any. */
const held = (
  peer: Throttle.Peer,
  limited: (limit: Limits.Name) => void,
  decide: (question: Server.Question) => Effect.Effect<Admission.Admit | Admission.Verdict>,
) => {
  let over = () => {}
  const begin = ({ _tag, account }: Server.Question): Option.Option<Limits.Name> => {
    if (_tag === "Verdict") return Option.none()
    return Result.match(peer.begin(account), {
      onFailure: Option.some,
      onSuccess: (release) => {
        over = release
        return Option.none()
      },
    })
  }
  const tooMany = (limit: Limits.Name) =>
    Effect.sync((): Admission.Verdict => {
      limited(limit)
      return { _tag: "Deny", code: 910 }
    })
  return {
    /** Counts what fails, and asks the host nothing for whom too much has failed already. */
    decide: (question: Server.Question) =>
      Effect.flatMap(
        Effect.suspend((): Effect.Effect<Option.Option<Limits.Name>> => {
          const limit = begin(question)
          return Option.isSome(limit) ? Effect.succeed(limit) : peer.exhausted(question.account)
        }),
        Option.match({
          onNone: () =>
            Effect.tap(decide(question), (decision) =>
              decision._tag === "Deny" && decision.code === wrongPassword ? peer.failed(question.account) : Effect.void,
            ),
          onSome: tooMany,
        }),
      ),
    /** The login is under way no more. */
    over: () => over(),
  }
}

/** What a login that fails for its password is told. */
const wrongPassword = 911

/** What VER offers too much in is as good as unreadable. */
const withinDialects = (
  heard: Result.Result<ClientCommand.ClientCommand, Codec.Undecodable>,
  { dialects }: Limits.Limits,
  limited: (limit: Limits.Name) => void,
): typeof heard => {
  if (Result.isFailure(heard) || heard.success._tag !== "Ver" || heard.success.dialects.length <= dialects) return heard
  limited("dialects")
  return Result.fail(Codec.unreadable(`VER offers more than ${dialects} dialects`))
}

const sideOf = (
  { classify, transition }: Server.Server,
  limits: Limits.Limits,
  limited: (limit: Limits.Name) => void,
): Driver.Side<Kinds> => ({
  speaker: "Server",
  limits,
  payloads: (state) => (state._tag === "LoggedIn" ? Line.clientPayloads : Line.noPayloads),
  decode: Codec.decodeClient,
  encode: Codec.encodeServer,
  classify: (state, heard) => classify(state._tag === "LoggedIn" ? heard : withinDialects(heard, limits, limited)),
  transition,
  isLoggedIn: (state) => state._tag === "LoggedIn",
  isOver: (state) => state._tag === "Closed",
  hungUp: { _tag: "HungUp" },
  overdue: { _tag: "Overdue" },
})

const sessionOf = (
  driver: ServerDriver,
  { account, dialect, friendlyName, verified }: Kinds["LoggedIn"],
  { local, remote }: Admission.Ends,
  goingDown: Session["goingDown"],
): Session => ({
  account,
  dialect,
  friendlyName,
  verified,
  local,
  remote,
  commands: driver.commands,
  goingDown,
  send: driver.send,
  displace: driver.end({ _tag: "Displaced" }),
})
