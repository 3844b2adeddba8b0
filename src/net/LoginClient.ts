/**
 * A client that logs in: to a server that refers it, to the one it is referred to, until it is signed in.
 *
 * The password is wrapped from the caller to the digest, and never comes into the machine.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as Client from "../login/Client.ts"
import type { ByTag } from "../machine/Machine.ts"
import type * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import * as Codec from "../protocol/Codec.ts"
import * as Dialect from "../protocol/Dialect.ts"
import type * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Line from "../protocol/Line.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import * as Connector from "./Connector.ts"
import * as Driver from "./Driver.ts"
import * as LoginError from "./LoginError.ts"
import * as Transcript from "./Transcript.ts"

/** Who logs in, and what is offered. */
export interface Credentials {
  readonly account: Account.Account
  readonly password: Redacted.Redacted<string>
  /** The dialects to offer, the preferred one first; by default all, the newest first. */
  readonly dialects?: readonly [Dialect.Dialect, ...Array<Dialect.Dialect>]
}

/** How to log in. */
export interface Options extends Credentials {
  /** The server to begin with: a dispatch server, or a notification server. */
  readonly server: Address.Address
  /** Whether to ask for the security package first, as official clients do; by default it is asked. */
  readonly manner?: Client.Manner
  /** What to log in with at the server that a referral names: another account, other dialects; by default the same. */
  readonly onReferral?: (to: Address.Address) => Effect.Effect<Credentials, LoginError.LoginError>
  /** Those that are not named are {@link defaultLimits}. */
  readonly limits?: Partial<Limits>
  /** Is told of each thing that happens on the wire. */
  readonly observer?: Transcript.Observer
}

/** The limits of a client. */
export interface Limits {
  /** How much is kept of a line or payload that is not yet whole. */
  readonly bytes: Line.Limits
  readonly connectTimeout: Duration.Input
  /** How long the login at one server may take. */
  readonly loginTimeout: Duration.Input
  /** How many referrals are followed. */
  readonly maxReferrals: number
  /** How long a server may take to close a connection that is over. */
  readonly closingTime: Duration.Input
}

/** The limits where none are named. */
export const defaultLimits: Limits = {
  bytes: Line.clientLimits,
  connectTimeout: "10 seconds",
  loginTimeout: "30 seconds",
  maxReferrals: 5,
  closingTime: "250 millis",
}

/** What can be said in a session: OUT is said by logging off. */
export type Sayable = Exclude<ClientCommand.ClientCommand, { readonly _tag: "Out" }>

/** How a session ends that we do not end: the server says OUT, closes the connection, or says what cannot be read. */
export type SessionError = LoginError.LoggedOut | LoginError.Disconnected | LoginError.ServerMisbehaved

/** A session: the client is logged in until its scope closes, which logs it off. */
export interface Session {
  readonly dialect: Dialect.Dialect
  /** The account, as the server spells it. */
  readonly account: Account.Account
  readonly friendlyName: FriendlyName.FriendlyName
  /** Whether the account's address has been verified; none where the server does not say (before MSNP7). */
  readonly verified: Option.Option<boolean>
  readonly server: Address.Address
  /**
   * What the server says, from the first byte behind its USR OK; ends when we log off. For one consumer.
   *
   * @keeps next.messages
   */
  readonly commands: Stream.Stream<ServerCommand.ServerCommand | Codec.Malformed, SessionError>
  /** Says something to the server, with one write; false where the session is over. What cannot be encoded is a defect. */
  readonly send: (...commands: ReadonlyArray<Sayable>) => Effect.Effect<boolean>
  /** {@link send} as a sink; done when the session is over. */
  readonly sink: Sink.Sink<void, Sayable, Sayable>
  /** A TrID that this session has not used. */
  readonly nextTrId: Effect.Effect<TrId.TrId>
  /** Says OUT and closes the connection. */
  readonly logOff: Effect.Effect<void>
}

/**
 * Logs in, and stays logged in until the scope closes.
 *
 * @keeps connect.log-in
 */
export const login = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<Session, LoginError.LoginError, Scope.Scope> {
  const limits = { ...defaultLimits, ...options.limits }
  const visited: Array<string> = []
  let to = options.server
  let credentials: Credentials = options

  while (true) {
    visited.push(Address.format(to))
    const outcome = yield* loginAt(to, credentials, options, limits)
    if (outcome._tag === "Session") return outcome.session

    const refuse = (got: string) =>
      new LoginError.ServerMisbehaved({ server: Address.format(to), expected: ["USR S"], got })
    if (visited.includes(Address.format(outcome.to))) {
      return yield* refuse(`a referral back to ${Address.format(outcome.to)}`)
    }
    if (visited.length > limits.maxReferrals)
      return yield* refuse(`more than ${limits.maxReferrals} referrals in a row`)
    to = outcome.to
    if (options.onReferral !== undefined) credentials = yield* options.onReferral(to)
  }
})

type Outcome =
  | { readonly _tag: "Session"; readonly session: Session }
  | { readonly _tag: "Referred"; readonly to: Address.Address }

/** Logs in at one server. Its connection lives on where a session comes of it. */
const loginAt = (
  to: Address.Address,
  credentials: Credentials,
  options: Options,
  limits: Limits,
): Effect.Effect<Outcome, LoginError.LoginError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const outer = yield* Effect.scope
      const scope = yield* Scope.fork(outer)
      const outcome = yield* restore(converse(to, credentials, options, limits)).pipe(
        Scope.provide(scope),
        Effect.onError(() => Scope.close(scope, Exit.void)),
      )
      if (outcome._tag === "Referred") yield* Scope.close(scope, Exit.void)
      return outcome
    }),
  )

const converse = Effect.fnUntraced(function* (
  to: Address.Address,
  credentials: Credentials,
  options: Options,
  limits: Limits,
): Effect.fn.Return<Outcome, LoginError.LoginError, Scope.Scope> {
  const server = Address.format(to)
  const observer = options.observer ?? Transcript.silent
  const unreachable = (attempt: Connector.Attempt) => new LoginError.Unreachable({ tried: [attempt] })

  const connector = yield* Connector.Connector
  const socket = yield* connector.connect(to).pipe(
    Effect.mapError(({ tried }) => new LoginError.Unreachable({ tried })),
    Effect.timeoutOrElse({ duration: limits.connectTimeout, orElse: () => unreachable(Connector.unanswered(to)) }),
  )
  observer({ _tag: "Connected", server })

  const first = Client.start({
    account: credentials.account,
    dialects: credentials.dialects ?? Dialect.all,
    manner: options.manner ?? "AskInf",
  })
  const driver = yield* Effect.mapError(
    Driver.make(sideOf(limits.bytes), socket, first, { loginTimeout: limits.loginTimeout, observer }),
    () => unreachable(Connector.lost(to)),
  )
  const state = yield* driver.login(({ challenge }) =>
    Effect.sync(() => ({ _tag: "Answer", digest: Challenge.respond(challenge, credentials.password) })),
  )
  if (state._tag === "LoggedIn") return { _tag: "Session", session: yield* sessionOf(driver, state, to, limits) }
  yield* driver.closing(limits.closingTime)
  if (state._tag === "Referred") return { _tag: "Referred", to: state.to }
  return yield* LoginError.fromReason(state.reason, server, credentials.account)
})

/** A client's side of a connection. */
interface Kinds extends Driver.Kinds {
  readonly State: Client.State
  readonly LoggedIn: ByTag<Client.State, "LoggedIn">
  readonly Over: ByTag<Client.State, "Referred" | "Closed">
  readonly Event: Client.Event
  readonly In: ServerCommand.ServerCommand
  readonly Out: ClientCommand.ClientCommand
  readonly Question: Client.Question
}

type ClientDriver = Driver.Driver<Kinds>

const sideOf = (limits: Line.Limits): Driver.Side<Kinds> => ({
  speaker: "Client",
  limits,
  payloads: () => Line.serverPayloads,
  decode: Codec.decodeServer,
  encode: Codec.encodeClient,
  classify: Client.classify,
  transition: Client.transition,
  isLoggedIn: (state) => state._tag === "LoggedIn",
  isOver: (state) => state._tag === "Referred" || state._tag === "Closed",
  hungUp: { _tag: "HungUp" },
  overdue: { _tag: "Overdue" },
})

const sessionOf = Effect.fnUntraced(function* (
  driver: ClientDriver,
  { account, dialect, friendlyName, trId, verified }: Kinds["LoggedIn"],
  server: Address.Address,
  limits: Limits,
): Effect.fn.Return<Session, never, Scope.Scope> {
  const lastTrId = yield* Ref.make(trId)
  const session = yield* Effect.forkScoped(Effect.andThen(driver.session, driver.end({ _tag: "HungUp" })), {
    startImmediately: true,
  })
  // Behind the fork, and so run before it is interrupted: whoever still listens learns that it was we who left.
  yield* Effect.addFinalizer(() => driver.end({ _tag: "LogOff" }))

  return {
    dialect,
    account,
    friendlyName,
    verified,
    server,
    commands: Stream.concat(
      driver.commands,
      Stream.fromEffectDrain(Effect.suspend(() => epilogue(driver.state(), { account, server }))),
    ),
    send: driver.send,
    sink: Sink.forEachWhile((command: Sayable) => driver.send(command)),
    nextTrId: Ref.updateAndGet(lastTrId, TrId.next),
    logOff: Effect.gen(function* () {
      yield* driver.end({ _tag: "LogOff" })
      yield* Fiber.await(session)
      yield* driver.closing(limits.closingTime)
    }),
  }
})

/** How the commands of a session end: with us, or by a failure of the server's making. */
const epilogue = (
  state: Client.State,
  { account, server }: Pick<Session, "account" | "server">,
): Effect.Effect<void, SessionError> => {
  const gone: Client.Reason = { _tag: "HungUp", awaiting: [] }
  const reason = state._tag === "Closed" ? state.reason : gone
  if (reason._tag === "LoggedOff") return Effect.void
  const error = LoginError.fromReason(reason, Address.format(server), account)
  return isSessionError(error) ? Effect.fail(error) : Effect.die(error)
}

const isSessionError = (error: LoginError.LoginError): error is SessionError =>
  error._tag === "LoggedOut" || error._tag === "Disconnected" || error._tag === "ServerMisbehaved"
