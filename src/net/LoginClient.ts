/**
 * A client that logs in: to a server that refers it, to the one it is referred to, until it is signed in.
 *
 * The password is wrapped from the caller to the digest, and never comes into the machine.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import type * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import * as Md5 from "../host/Md5.ts"
import * as Client from "../login/Client.ts"
import type { ByTag } from "../machine/Machine.ts"
import * as Account from "../protocol/Account.ts"
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
import * as Channel from "./internal/channel.ts"
import * as Driver from "./internal/driver.ts"
import * as Watch from "./internal/watch.ts"
import * as LoginError from "./LoginError.ts"
import * as NsMemory from "./NsMemory.ts"
import * as Reach from "./Reach.ts"
import * as Transcript from "./Transcript.ts"

/** Who logs in, and what is offered. */
export interface Credentials {
  readonly account: Account.Account
  readonly password: Redacted.Redacted<string>
  /** The dialects to offer, the preferred one first; by default all, the newest first. */
  readonly dialects?: readonly [Dialect.Dialect, ...Array<Dialect.Dialect>]
}

/**
 * How to go about a login:
 *
 * - `official`: as official clients did, one command at a time, INF among them. The answer to one is awaited before the
 *   next: 3 round trips at a dispatch server, 4 at a notification server.
 * - `no-inf`: the same without INF: 2 and 3.
 * - `fast`: VER and the initial USR at once, with the preferred dialect alone, an account that is nobody's for the
 *   dispatch server, and lines that end with LF: 1 and 2. Where a server does not take that, `official` from there on,
 *   over a new connection: many networks have no server that refers, and challenge the account that is nobody's.
 */
export const Strategy = Schema.Literals(["official", "no-inf", "fast"])
export type Strategy = typeof Strategy.Type

/** How to log in. */
export interface Options extends Credentials {
  /**
   * The server to begin with: a dispatch server, or a notification server. Where `NsMemory` knows by which notification
   * server this one's network let us in last, that is tried first, unless it is a name that `referrals` keeps us from.
   */
  readonly server: Address.Address
  /** By default `official`. */
  readonly strategy?: Strategy
  /** Whether commands that are said at once go out with one write, as by default, or with a write for each. */
  readonly writes?: "Together" | "Apart"
  /** The TrID to begin with, which the next connection goes on from; by default each connection begins with 1. */
  readonly trId?: TrId.TrId
  /**
   * What to log in with at the server that a referral names, or named in an earlier login: another account, other
   * dialects; by default the same.
   */
  readonly onReferral?: (to: Address.Address) => Effect.Effect<Credentials, LoginError.LoginError>
  /**
   * Where a server may refer us: no nearer to this machine than it is itself, as by default, so that none out in public
   * has us knock on doors of a private network or of this machine; or anywhere. Names count by their addresses, unless a
   * proxy looks them up.
   */
  readonly referrals?: "NoNearer" | "Anywhere"
  /** Those that are not named are {@link defaultLimits}. */
  readonly limits?: Partial<Limits>
  /** Is told of each thing that happens on the wire. */
  readonly observer?: Transcript.Observer
}

/** The limits of a client. */
export interface Limits {
  /** How much is kept of a line or payload that is not yet whole. */
  readonly bytes: Line.Limits
  /** How long a connection may take to come about. */
  readonly connectTimeout: Duration.Input
  /** How long a server may take for each answer. */
  readonly answerTimeout: Duration.Input
  /** How long the whole login may take, at however many servers. */
  readonly loginTimeout: Duration.Input
  /** How many referrals are followed. */
  readonly maxReferrals: number
  /** How long a server may take to close a connection that is over. */
  readonly closingTime: Duration.Input
}

/** The limits where none are named. */
export const defaultLimits: Limits = {
  bytes: Line.clientLimits,
  connectTimeout: Duration.seconds(10),
  answerTimeout: Duration.seconds(20),
  loginTimeout: Duration.minutes(1),
  maxReferrals: 5,
  closingTime: Duration.millis(250),
}

/** The account that is nobody's, for servers that refer whoever comes. */
const nobody = Account.Account.make("a@b.c")

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
 * Logs in, and stays logged in until the scope closes: at the notification server known from before, or else by way of
 * `options.server`.
 *
 * @keeps connect.log-in connect.stored-first connect.fallback
 */
export const login = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<Session, LoginError.LoginError, Scope.Scope> {
  const { forget, recall, remember } = yield* NsMemory.NsMemory
  const plan = planOf(options, yield* Effect.context<Scope.Scope>())
  /** Logs in from there, and stores where that ends, unless it is stored already. */
  const from = (to: Address.Address, role: Role, stored: Option.Option<Address.Address>) =>
    Effect.gen(function* () {
      const { strategy = "official", trId = TrId.initial } = options
      const onLeave = role === "Notification" ? forget(options.server) : Effect.void
      const credentials = yield* credentialsAt(to, role, plan)
      const stop: Stop = { to, role, credentials, strategy, trId, referrer: Option.none(), onLeave }
      const session = yield* travel(stop, [], plan)
      // Cut short, it would leave half a file.
      if (!isAt(stored, session.server)) yield* Effect.uninterruptible(remember(options.server, session.server))
      return session
    })

  const itself = Option.some(options.server)
  const known = Option.filter(
    yield* recall(options.server),
    (known) => !isAt(itself, known) && (options.referrals === "Anywhere" || isSettled(known)),
  )
  const session = Option.match(known, {
    onNone: () => from(options.server, "Dispatch", itself),
    onSome: (at) =>
      Effect.catch(from(at, "Notification", known), (error) =>
        Effect.gen(function* () {
          // What cannot be reached now may be reached again, and is kept until another server takes its place.
          if (error._tag !== "Unreachable") yield* forget(options.server)
          if (error._tag === "Denied" || millisLeft(plan) === 0) return yield* error
          plan.observe({ _tag: "TurnedAway", why: error.message })
          return yield* Effect.mapError(from(options.server, "Dispatch", Option.none()), (later) =>
            LoginError.further(error, at, later),
          )
        }),
      ),
  })
  return yield* Effect.ensuring(
    session,
    Effect.sync(() => plan.watch.stop()),
  )
})

/**
 * Whether a server is where it was when it was referred to. A name may stand for another address by now, and nobody knows
 * any more how near the one was that referred to it.
 */
const isSettled = ({ host }: Address.Address): boolean => Option.isSome(Reach.ofHost(host))

/** Whether it is this one. */
const isAt = (server: Option.Option<Address.Address>, address: Address.Address): boolean =>
  Option.exists(server, ({ host, port }) => host === address.host && port === address.port)

/** What a server is taken for: dispatch servers refer whoever comes, and so need not be told who it is. */
type Role = "Dispatch" | "Notification"

/** What is the same at all servers. */
interface Plan {
  readonly options: Options
  readonly limits: Limits
  readonly observe: Transcript.Observer
  readonly connector: Connector.Connector
  readonly context: Context.Context<Scope.Scope>
  /** Looks at the time, on behalf of whatever is waited for. */
  readonly watch: Watch.Watch
  /** When the time for the whole login is up. */
  readonly end: number
}

/** The plan of a login that begins now. */
const planOf = (options: Options, context: Context.Context<Scope.Scope>): Plan => {
  const limits = { ...defaultLimits, ...options.limits }
  const watch = new Watch.Watch(Context.get(context, Clock.Clock), context)
  return {
    options,
    limits,
    observe: options.observer ?? Transcript.silent,
    connector: Context.get(context, Connector.Connector),
    context,
    watch,
    end: watch.now() + Duration.toMillis(limits.loginTimeout),
  }
}

/** How many milliseconds are left for the whole login. */
const millisLeft = ({ end, watch }: Plan): number => Math.max(0, end - watch.now())

/** The time for the whole login is up, and it was our turn. */
const late = (to: Address.Address) => new LoginError.TimedOut({ server: Address.format(to), awaiting: [] })

const credentialsAt = (
  to: Address.Address,
  role: Role,
  plan: Plan,
): Effect.Effect<Credentials, LoginError.LoginError> => {
  const { options } = plan
  return role === "Dispatch" || options.onReferral === undefined
    ? Effect.succeed(options)
    : Effect.timeoutOrElse(options.onReferral(to), { duration: millisLeft(plan), orElse: () => late(to) })
}

/** One login at one server. */
interface Stop {
  readonly to: Address.Address
  readonly role: Role
  readonly credentials: Credentials
  readonly strategy: Strategy
  readonly trId: TrId.TrId
  /** Who sends us there, and how near that one is; none where we may be sent anywhere. */
  readonly referrer: Option.Option<Referrer>
  /** Is done where the server refers on. */
  readonly onLeave: Effect.Effect<void>
}

/** A server that refers us, and how near it is. */
interface Referrer {
  readonly server: string
  readonly reach: Reach.Reach
}

/** Logs in at one server, and at those that it refers to, but for those that have been visited. */
const travel = Effect.fnUntraced(function* (
  stop: Stop,
  before: ReadonlyArray<string>,
  plan: Plan,
): Effect.fn.Return<Session, LoginError.LoginError> {
  const { limits, observe, options } = plan
  const outcome = yield* loginAt(stop, plan)
  if (outcome._tag === "Session") return outcome.session
  const trId = options.trId === undefined ? TrId.initial : TrId.next(outcome.trId)
  if (outcome._tag === "Rejected") {
    observe({ _tag: "TurnedAway", why: outcome.why })
    return yield* travel({ ...stop, strategy: "official", trId }, before, plan)
  }

  yield* stop.onLeave
  const { reach, to } = outcome
  const server = Address.format(stop.to)
  const refuse = (got: string) => new LoginError.ServerMisbehaved({ server, expected: ["USR S"], got })
  const visited = [...before, server]
  if (visited.includes(Address.format(to))) return yield* refuse(`a referral back to ${Address.format(to)}`)
  if (visited.length > limits.maxReferrals) {
    return yield* refuse(`more than ${limits.maxReferrals} referrals in a row`)
  }
  const role = "Notification"
  const credentials = yield* credentialsAt(to, role, plan)
  const referrer = options.referrals === "Anywhere" ? Option.none() : Option.some({ server, reach })
  return yield* travel({ ...stop, to, role, credentials, trId, referrer }, visited, plan)
})

type Outcome =
  | { readonly _tag: "Session"; readonly session: Session }
  | {
      readonly _tag: "Referred"
      readonly to: Address.Address
      readonly trId: TrId.TrId
      /** How near the server is that refers us. */
      readonly reach: Reach.Reach
    }
  /** The server does not take the fast way; why, in a sentence. */
  | { readonly _tag: "Rejected"; readonly why: string; readonly trId: TrId.TrId }

/** Logs in at one server. Its connection lives on where a session comes of it. */
const loginAt = (stop: Stop, plan: Plan): Effect.Effect<Outcome, LoginError.LoginError> =>
  Effect.suspend(() => {
    const scope = Scope.forkUnsafe(Context.get(plan.context, Scope.Scope))
    return Effect.onExit(converse(stop, plan, scope), (exit) =>
      Exit.isSuccess(exit) && exit.value._tag === "Session" ? Effect.void : Scope.close(scope, Exit.void),
    )
  })

/** Fails where the gate has met no address that may be gone to. */
const passage = (gate: Reach.Gate, to: Address.Address, referrer: Stop["referrer"]) =>
  Option.match(Option.product(gate.refused(), referrer), {
    onNone: () => Effect.void,
    onSome: ([reach, { server }]) =>
      Effect.fail(new LoginError.Misdirected({ server, to: Address.format(to), where: Reach.describe[reach] })),
  })

/** Connects, unless the time for it is up before. */
const connect = (
  to: Address.Address,
  admits: Connector.Admits,
  { connector, context, end, limits, watch }: Plan,
  scope: Scope.Scope,
): Effect.Effect<Socket.Socket, Connector.ConnectError | LoginError.Unreachable> =>
  Effect.callback((resume) => {
    const connecting = Effect.runForkWith(context)(Scope.provide(connector.connect(to, admits), scope))
    connecting.addObserver(resume)
    const due = Math.min(end, watch.now() + Duration.toMillis(limits.connectTimeout))
    watch.until(due, () =>
      resume(
        Effect.andThen(
          Fiber.interrupt(connecting),
          Effect.fail(new LoginError.Unreachable({ tried: [Connector.unanswered(to)] })),
        ),
      ),
    )
    return Fiber.interrupt(connecting)
  })

/** What a server is told, by the strategy. */
const manners = { official: "AskInf", "no-inf": "SkipInf", fast: "Pipeline" } as const

const converse = Effect.fnUntraced(function* (
  { credentials, referrer, role, strategy, to, trId }: Stop,
  plan: Plan,
  scope: Scope.Scope,
): Effect.fn.Return<Outcome, LoginError.LoginError> {
  const { limits, observe } = plan
  const server = Address.format(to)
  if (millisLeft(plan) === 0) return yield* late(to)

  const gate = Reach.gate(Option.match(referrer, { onNone: () => "Nowhere", onSome: ({ reach }) => reach }))
  const meetItself = () => {
    if (Option.isSome(Reach.ofHost(to.host))) gate.admits(to.host)
  }
  if (Option.isSome(referrer)) {
    meetItself()
    yield* passage(gate, to, referrer)
  }
  const socket = yield* Effect.catchTag(connect(to, gate.admits, plan, scope), "ConnectError", ({ tried }) =>
    Effect.andThen(passage(gate, to, referrer), Effect.fail(new LoginError.Unreachable({ tried }))),
  )
  observe({ _tag: "Connected", server })

  const isFast = strategy === "fast"
  const isNobody = isFast && role === "Dispatch"
  const account = isNobody ? nobody : credentials.account
  const [preferred, ...others] = credentials.dialects ?? Dialect.all
  const first = Client.start({
    account,
    dialects: isFast ? [preferred] : [preferred, ...others],
    manner: manners[strategy],
    trId,
  })
  const { driver, login } = talk(
    sideOf(limits.bytes, isFast ? shortLines : Codec.encodeClient),
    Channel.of(socket, Effect.runForkWith(plan.context)),
    first,
    ({ challenge }) =>
      isNobody
        ? { _tag: "LogOff" }
        : { _tag: "Answer", digest: Challenge.respond(challenge, credentials.password, Md5.fastest) },
    plan,
  )
  let isLoggingOff = false
  const logOff = Effect.suspend(() => {
    isLoggingOff = true
    driver.end({ _tag: "LogOff" })
    return driver.closing(limits.closingTime)
  })
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => {
      if (driver.state()._tag === "LoggedIn") driver.end({ _tag: "LogOff" })
      const letGo = Effect.sync(() => driver.release())
      // Whoever is waiting for the server to close has the time for it, though nobody needs the session any more.
      return isLoggingOff ? Effect.andThen(driver.closing(limits.closingTime), letGo) : letGo
    }),
  )
  const state = yield* login
  if (state._tag === "LoggedIn") return { _tag: "Session", session: sessionOf(driver, state, to, logOff) }
  yield* driver.closing(Math.min(Duration.toMillis(limits.closingTime), millisLeft(plan)))
  if (state._tag === "Referred") {
    // Where we go of our own accord, how near that is matters to nobody before it refers us.
    meetItself()
    return { ...state, reach: gate.farthest() }
  }
  const error = LoginError.fromReason(state.reason, server, account)
  const isOverdue = error._tag === "TimedOut" && millisLeft(plan) === 0
  if (!isFast || isOverdue || !isRejection(state.reason, isNobody)) return yield* error
  const why = state.reason._tag === "LoggedOff" ? `${server} challenges whoever comes.` : error.message
  return { _tag: "Rejected", why: `${why} Trying the official way.`, trId: TrId.next(trId) }
})

/** Whether a server may have turned down the fast way, and not the account that logs in. */
const isRejection = (reason: Client.Reason, isNobody: boolean): boolean => {
  switch (reason._tag) {
    case "NoCommonDialect":
      return true
    case "Denied":
    case "LoggedOff":
      return isNobody
    // A server that waits for CR, or takes a packet for one command, says nothing. Behind the digest, nothing of the fast
    // way is left.
    case "ServerMisbehaved":
      return !reason.expected.includes("USR OK")
    case "HungUp":
    case "TimedOut":
      return !reason.awaiting.includes("USR OK")
    case "Unavailable":
    case "LoggedOut":
      return false
  }
}

/**
 * A line with LF for CRLF.
 *
 * @keeps efficiency.lf
 */
const shortLines: Encode = (command) => Result.map(Codec.encodeClient(command), (line) => line.replace("\r\n", "\n"))

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

type Encode = Driver.Side<Kinds>["encode"]

const sideOf = (limits: Line.Limits, encode: Encode): Driver.Side<Kinds> => ({
  speaker: "Client",
  limits,
  payloads: () => Line.serverPayloads,
  decode: Codec.decodeServer,
  encode,
  excess: Option.none,
  classify: Client.classify,
  transition: Client.transition,
  isLoggedIn: (state) => state._tag === "LoggedIn",
  isOver: (state) => state._tag === "Referred" || state._tag === "Closed",
  hungUp: { _tag: "HungUp" },
})

/** A connection at work, and the login on it, until that is done or over. */
interface Talk {
  readonly driver: ClientDriver
  readonly login: Effect.Effect<Kinds["LoggedIn"] | Kinds["Over"]>
}

const talk = (
  side: Driver.Side<Kinds>,
  channel: Channel.Channel,
  first: ReturnType<typeof Client.start>,
  answer: (question: Client.Question) => Client.Event,
  { end, limits, observe, options, watch }: Plan,
): Talk => {
  const answerMillis = Duration.toMillis(limits.answerTimeout)
  const overdue = () => driver.end({ _tag: "Overdue" })
  let loggedIn: Option.Option<Kinds["LoggedIn"]> = Option.none()
  let settle: (outcome: Effect.Effect<Kinds["LoggedIn"] | Kinds["Over"]>) => void = () => {}

  const driver: ClientDriver = new Driver.Driver<Kinds>(
    side,
    channel,
    {
      asked: (question) => driver.decide(answer(question)),
      unasked: () => {},
      // The line is still being carried out: whoever waits for the login goes on when that is done.
      loggedIn: (state) => (loggedIn = Option.some(state)),
      moved: () => {
        if (Option.isSome(loggedIn)) settle(Effect.succeed(loggedIn.value))
        else watch.until(Math.min(end, watch.now() + answerMillis), overdue)
      },
      // A session may be over with the very bytes that began it.
      over: (state) => settle(Effect.succeed(Option.getOrElse(loggedIn, () => state))),
      hungUp: () => driver.end({ _tag: "HungUp" }),
      failed: (defect) => settle(Effect.die(defect)),
      limited: () => {},
    },
    first,
    {
      writes: options.writes ?? "Together",
      after: () => () => {},
      observer: observe === Transcript.silent ? Option.none() : Option.some(observe),
      witness: Option.none(),
    },
  )
  const login = Effect.callback<Kinds["LoggedIn"] | Kinds["Over"]>((resume) => {
    settle = (outcome) => {
      settle = () => {}
      watch.rest()
      resume(outcome)
    }
    driver.begin()
  })
  return { driver, login }
}

/** The session of a login; its streams are made for whoever asks for them. */
const sessionOf = (
  driver: ClientDriver,
  { account, dialect, friendlyName, trId, verified }: Kinds["LoggedIn"],
  server: Address.Address,
  logOff: Effect.Effect<void>,
): Session => {
  let lastTrId = trId
  return {
    dialect,
    account,
    friendlyName,
    verified,
    server,
    commands: Stream.unwrap(
      Effect.sync(() =>
        Stream.concat(
          driver.commands,
          Stream.fromEffectDrain(Effect.suspend(() => epilogue(driver.state(), { account, server }))),
        ),
      ),
    ),
    send: (...commands) => driver.send(commands),
    sink: Sink.forEachWhile((command: Sayable) => driver.send([command])),
    nextTrId: Effect.sync(() => (lastTrId = TrId.next(lastTrId))),
    logOff,
  }
}

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
