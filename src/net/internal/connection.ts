/**
 * One client's way through a server: its login, the host's decisions on it, and the application's session.
 *
 * Fibers are there where somebody has to wait, and for what an application does: a quiet session has the application's
 * alone. A fiber for the connection and two for each race took 38 KB a session, and this takes a seventh.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Crypto from "node:crypto"
import type * as Admission from "../../host/Admission.ts"
import type * as Limits from "../../host/Limits.ts"
import type * as Presence from "../../host/Presence.ts"
import type * as Throttle from "../../host/Throttle.ts"
import * as Server from "../../login/Server.ts"
import type { ByTag } from "../../machine/Machine.ts"
import type * as Account from "../../protocol/Account.ts"
import * as Address from "../../protocol/Address.ts"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import * as Codec from "../../protocol/Codec.ts"
import type * as Dialect from "../../protocol/Dialect.ts"
import type * as FriendlyName from "../../protocol/FriendlyName.ts"
import * as Line from "../../protocol/Line.ts"
import type * as ServerCommand from "../../protocol/ServerCommand.ts"
import type * as LoginServer from "../LoginServer.ts"
import type * as Telemetry from "../Telemetry.ts"
import type * as Transcript from "../Transcript.ts"
import type * as Attendance from "./attendance.ts"
import type * as Deadlines from "./deadlines.ts"
import * as Driver from "./driver.ts"
import type * as Limited from "./limited.ts"
import * as Tcp from "./tcp.ts"

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

/** What the connections of one server have in common. */
export interface Shared {
  readonly side: Driver.Side<Kinds>
  readonly limits: Limits.Limits
  readonly role: Telemetry.Role
  readonly decide: ReturnType<typeof Admission.guarded>
  readonly presence: Presence.Presence["Service"]
  /** The time for a login. */
  readonly overdue: Deadlines.Deadlines
  readonly limited: Limited.Limited
  /** What is done for a connection is done in this context, so that the log names it. */
  readonly contextOf: (about: About) => Context.Context<never>
  /** Begins what the application does with a session. */
  readonly apply: (session: LoginServer.Session, about: About) => Fiber.Fiber<void>
  /** Who attends to sessions in its place, if anybody does. */
  readonly attendant: Option.Option<Attendance.Attendant>
  readonly clock: Clock.Clock
  readonly after: Driver.Options<Kinds>["after"]
  readonly goingDown: Stream.Stream<number>
  /** In how many minutes the server goes down, as was announced last. */
  readonly announced: () => Option.Option<number>
  /** Whether the log has a line for each login. */
  readonly log: "Logins" | "NoLogins"
  readonly telemetry: Option.Option<Telemetry.Observer>
  readonly observe: Option.Option<(ends: Admission.Ends) => Transcript.Observer>
  readonly entered: () => void
  readonly left: () => void
  /** Is among those who are there, until what is returned is called. */
  readonly enter: (connection: Connection) => () => void
}

/** What the log says of a connection with each of its entries. */
export interface About {
  readonly connection: string
  readonly role: Telemetry.Role
  readonly peer: string
}

/** What the connections of this process have in common in their names, and those of hardly another. */
const idPrefix = Crypto.randomBytes(4).toString("hex")
let lastId = 0

/** The name of a connection, for logs and traces. */
const nextId = () => `${idPrefix}-${++lastId}`

/** A connection before anything was said. */
const start = { state: Server.initial, actions: [] } as const

/** What a login that fails for its password is told. */
const wrongPassword = 911

const nothing = () => {}

/** Says in the log that something of ours has thrown, or of whoever is told or has a say. */
export const dropped = (defect: unknown): Effect.Effect<void> =>
  Effect.logError("A connection was dropped by a defect", Cause.isCause(defect) ? defect : Cause.die(defect))

/** A client that is connected. */
export class Connection implements Driver.Owner<Kinds>, Admission.Asker, Attendance.Voice {
  private readonly shared: Shared
  readonly remote: Address.Address
  readonly local: Address.Address
  private readonly peer: Throttle.Peer
  private readonly id = nextId()
  private readonly witness: Option.Option<Telemetry.Witness>
  private readonly driver: Driver.Driver<Kinds>
  private leaveServer = nothing
  /** Lets go of what is held for the login alone. */
  private leaveDeadline = nothing
  private leaveThrottle: Throttle.Release = nothing
  /** The decision that is waited for. */
  private deciding: Fiber.Fiber<Admission.Admit | Admission.Verdict> | undefined
  /** What is signed in, until the connection is over. */
  private presence: Scope.Closeable | undefined
  private signingOut: Fiber.Fiber<void> | undefined
  private application: Fiber.Fiber<void> | undefined
  private farewell: Fiber.Fiber<void> | undefined
  private listener: Attendance.Listener | undefined
  private phase: "Login" | "Session" | "Leaving" | "Gone" = "Login"
  private isCounted = false
  private context: Context.Context<never> | undefined

  constructor(shared: Shared, accepted: Tcp.Accepted, peer: Throttle.Peer) {
    const { local, remote } = accepted
    this.shared = shared
    this.remote = remote
    this.local = local
    this.peer = peer
    const { role } = shared
    const observer = Option.map(shared.observe, (observe) => observe(accepted))
    this.witness = Option.map(shared.telemetry, ({ connected }) => connected({ id: this.id, role, local, remote }))
    const channel = Tcp.channelOf(accepted, (effect) => this.run(effect))
    this.driver = new Driver.Driver<Kinds>(shared.side, channel, this, start, {
      bounds: shared.limits,
      after: shared.after,
      observer,
      witness: Option.map(this.witness, ({ stepped }) => stepped),
    })
  }

  /** Hears the client from now on. */
  begin(): void {
    this.leaveServer = this.shared.enter(this)
    this.leaveDeadline = this.shared.overdue(() => this.driver.end({ _tag: "Overdue" }))
    this.driver.begin()
  }

  /** Tells the client that this server goes down; an application whose session is over already has had its time. */
  shutDown(): void {
    if (this.phase === "Leaving") this.application?.interruptUnsafe()
    else this.driver.end({ _tag: "ShutDown" })
  }

  /** Says when this server goes down, to whoever has asked to be told. */
  warn(minutes: number): void {
    this.listener?.warned(minutes)
  }

  private about(): About {
    return { connection: this.id, role: this.shared.role, peer: Address.format(this.remote) }
  }

  run<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    this.context ??= this.shared.contextOf(this.about())
    return Effect.runForkWith(this.context)(effect)
  }

  limited(limit: Limits.Name): void {
    this.shared.limited(limit, this.remote)
  }

  moved(): void {}

  asked(question: Server.Question): void {
    const deciding = this.run(this.decision(question))
    this.deciding = deciding
    // One that is done already is told of at once; so are the others below.
    deciding.addObserver((decided) => {
      this.deciding = undefined
      this.decided(decided)
      this.leave()
    })
  }

  private decided(decided: Exit.Exit<Admission.Admit | Admission.Verdict>): void {
    if (Exit.isSuccess(decided)) this.driver.decide(decided.value)
    else if (Cause.hasInterruptsOnly(decided.cause)) this.driver.decide({ _tag: "HungUp" })
    else this.failed(decided.cause)
  }

  unasked(): void {
    this.deciding?.interruptUnsafe()
  }

  /** The host's decision, as far as the peer may have any: counts what fails, and asks nothing for whom too much has. */
  private decision(question: Server.Question): Effect.Effect<Admission.Admit | Admission.Verdict> {
    if (question._tag === "Admission") {
      const begun = this.peer.begin(question.account)
      if (Result.isFailure(begun)) return this.tooMany(begun.failure)
      this.leaveThrottle = begun.success
    }
    return Effect.flatMap(this.peer.exhausted(question.account), (limit) =>
      Option.isSome(limit)
        ? this.tooMany(limit.value)
        : Effect.flatMap(this.shared.decide(question, this), (decision) =>
            decision._tag === "Deny" && decision.code === wrongPassword
              ? Effect.as(this.peer.failed(question.account), decision)
              : Effect.succeed(decision),
          ),
    )
  }

  private tooMany(limit: Limits.Name): Effect.Effect<Admission.Verdict> {
    return Effect.sync(() => {
      this.limited(limit)
      return { _tag: "Deny", code: 910 }
    })
  }

  /** Signs in; nobody is signed in without a connection, whatever the application still does. */
  enter(account: Account.Account, dialect: Dialect.Dialect): Effect.Effect<void, Presence.PresenceError> {
    const { driver, local, remote, shared } = this
    const scope = Scope.makeUnsafe()
    this.presence = scope
    const displace = Effect.sync(() => driver.end({ _tag: "Displaced" }))
    const dismiss = Effect.sync(() => driver.end({ _tag: "Dismiss" }))
    return Scope.provide(shared.presence.signIn({ account, dialect, remote, local, displace, dismiss }), scope)
  }

  private loginOver(state: Kinds["LoggedIn"] | Kinds["Over"]): void {
    this.leaveDeadline()
    this.leaveThrottle()
    if (this.shared.log === "NoLogins") return
    this.run(
      Effect.logDebug(
        state._tag === "LoggedIn" ? `A client has logged in with ${state.dialect}` : `A login is over: ${state.reason}`,
      ),
    )
  }

  loggedIn(state: Kinds["LoggedIn"]): void {
    this.loginOver(state)
    this.phase = "Session"
    this.isCounted = true
    this.shared.entered()
    if (Option.isSome(this.shared.attendant)) {
      this.attend(this.shared.attendant.value, state)
      return
    }
    const application = this.shared.apply(new Session(this.driver, state, this, this.shared.goingDown), this.about())
    this.application = application
    application.addObserver((done) => {
      this.application = undefined
      this.applied(done)
    })
  }

  /** Has somebody attend to the session in place of an application. */
  private attend({ attend }: Attendance.Attendant, state: Kinds["LoggedIn"]): void {
    const listener = attend(state, this, this.shared.clock.currentTimeMillisUnsafe())
    this.listener = listener
    this.driver.listen(listener.heard)
    const announced = this.shared.announced()
    if (Option.isSome(announced)) listener.warned(announced.value)
  }

  tell(commands: ReadonlyArray<LoginServer.Sayable>): void {
    this.driver.tell(commands)
  }

  /** The session is over for whoever attends to it. */
  closed(): void {
    const within = Option.match(this.shared.attendant, {
      onNone: () => 0,
      onSome: ({ lastWordsTimeout }) => lastWordsTimeout,
    })
    const end = Effect.sync(() => this.driver.end({ _tag: "Dismiss" }))
    this.run(Effect.andThen(Effect.timeoutOption(this.driver.taken(), within), end))
  }

  /** The application has done with the session. */
  private applied(done: Exit.Exit<void>): void {
    this.farewell?.interruptUnsafe()
    if (Exit.isFailure(done) && !Cause.hasInterruptsOnly(done.cause)) this.failed(done.cause)
    // An application ends, too, once its client has no more to say: then it is not the one who ends the session.
    else this.driver.end(this.driver.isOpen() ? { _tag: "Dismiss" } : { _tag: "HungUp" })
    this.leave()
  }

  hungUp(): void {
    if (this.listener === undefined) this.bidFarewell()
    else this.driver.end({ _tag: "HungUp" })
  }

  over(state: Kinds["Over"]): void {
    if (this.phase === "Login") {
      this.loginOver(state)
      if (state.reason === "Overdue") this.limited("loginTimeout")
    }
    this.close()
  }

  failed(defect: unknown): void {
    this.run(dropped(defect))
    this.leaveDeadline()
    this.leaveThrottle()
    this.close()
    this.deciding?.interruptUnsafe()
    this.application?.interruptUnsafe()
  }

  /** Lets go of the connection, and of whoever is signed in by it; the application may go on for a while. */
  private close(): void {
    if (this.phase === "Leaving" || this.phase === "Gone") return
    this.phase = "Leaving"
    this.listener?.ended()
    this.driver.release()
    this.bidFarewell()
    this.leave()
  }

  /** Gives the application the time to finish what it is doing. */
  private bidFarewell(): void {
    const { application } = this
    if (application === undefined || this.farewell !== undefined) return
    this.farewell = this.run(
      Effect.delay(
        Effect.sync(() => application.interruptUnsafe()),
        this.shared.limits.farewellTimeout,
      ),
    )
  }

  /** Is done with the client, once nothing goes on for it any more. */
  private leave(): void {
    if (this.phase !== "Leaving" || this.deciding !== undefined || this.signingOut !== undefined) return
    const { presence } = this
    if (presence !== undefined) {
      this.presence = undefined
      const signingOut = this.run(Scope.close(presence, Exit.void))
      this.signingOut = signingOut
      signingOut.addObserver(() => {
        this.signingOut = undefined
        this.leave()
      })
      return
    }
    if (this.application !== undefined) return
    this.phase = "Gone"
    if (this.isCounted) this.shared.left()
    try {
      if (Option.isSome(this.witness)) this.witness.value.ended()
    } catch (defect) {
      this.run(dropped(defect))
    }
    this.leaveServer()
  }
}

/** A session as the application has it. */
class Session implements LoginServer.Session {
  readonly account: Account.Account
  readonly dialect: Dialect.Dialect
  readonly friendlyName: FriendlyName.FriendlyName
  readonly verified: boolean
  readonly local: Address.Address
  readonly remote: Address.Address
  readonly commands: LoginServer.Session["commands"]
  readonly goingDown: LoginServer.Session["goingDown"]
  readonly send: LoginServer.Session["send"]
  readonly displace: Effect.Effect<void>

  constructor(
    driver: Driver.Driver<Kinds>,
    { account, dialect, friendlyName, verified }: Kinds["LoggedIn"],
    { local, remote }: Admission.Ends,
    goingDown: LoginServer.Session["goingDown"],
  ) {
    this.account = account
    this.dialect = dialect
    this.friendlyName = friendlyName
    this.verified = verified
    this.local = local
    this.remote = remote
    this.commands = driver.commands
    this.goingDown = goingDown
    this.send = (...commands) => driver.send(commands)
    this.displace = Effect.sync(() => driver.end({ _tag: "Displaced" }))
  }
}

/** What VER offers too much in is as good as unreadable. */
const tooManyDialects = (dialects: number): Option.Option<Driver.Excess> =>
  Option.some({ limit: "dialects", why: `VER offers more than ${dialects} dialects` })

/** The server's side of a connection. */
export const sideOf = ({ classify, transition }: Server.Server, limits: Limits.Limits): Driver.Side<Kinds> => ({
  speaker: "Server",
  limits,
  payloads: (state) => (state._tag === "LoggedIn" ? Line.clientPayloads : Line.noPayloads),
  decode: Codec.decodeClient,
  encode: Codec.encodeServer,
  excess: (state, command) =>
    command._tag === "Ver" && state._tag !== "LoggedIn" && command.dialects.length > limits.dialects
      ? tooManyDialects(limits.dialects)
      : Option.none(),
  classify: (_, heard) => classify(heard),
  transition,
  isLoggedIn: (state) => state._tag === "LoggedIn",
  isOver: (state) => state._tag === "Closed",
  hungUp: { _tag: "HungUp" },
})
