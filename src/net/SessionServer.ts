/**
 * What a notification server does with a client that is logged in: the built-in session, which an application extends
 * command by command.
 *
 * The machine is `ServerSession`; here are its clock, its randomness, and what the host knows of the account.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Crypto from "node:crypto"
import type { Postponed, Step } from "../machine/Machine.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as Lists from "../session/Lists.ts"
import * as Message from "../session/Message.ts"
import * as Product from "../session/Product.ts"
import * as ServerSession from "../session/ServerSession.ts"
import * as Attendance from "./internal/attendance.ts"
import * as Ear from "./internal/ear.ts"
import type * as LoginServer from "./LoginServer.ts"

/** What an application makes of a command: it has answered it, or leaves it to the built-in session. */
export type Handled = "Served" | "Unserved"

/** What a client says once it is logged in; see `SessionClientCommand.decode` for what the verbs of a session bear. */
export type Heard = ClientCommand.ClientCommand | Codec.Malformed

/** What the built-in session is given; each may be left out. */
export interface Options<R = never> {
  /**
   * Is asked first, command by command. What it serves, the built-in session never hears; of what it leaves, that
   * answers what it knows, and says 502 to the rest. The next command waits meanwhile.
   */
  readonly handle?: (command: Heard, session: LoginServer.Session) => Effect.Effect<Handled, never, R>
  /** The lists of the account, as they are when its session begins; without it, those of nobody. */
  readonly lists?: (session: LoginServer.Session) => Effect.Effect<Lists.Lists, never, R>
  /** What the profile says besides the usual; see `Message.profile`. */
  readonly profile?: (session: LoginServer.Session) => Effect.Effect<Message.Particulars, never, R>
  /** Where the places are that clients ask for by URL; for any other they are told 502. */
  readonly places?: ServerSession.Places
  /** Those that are not named are {@link defaultLimits}. */
  readonly limits?: Partial<Limits>
}

/** The limits of a session. */
export interface Limits {
  /** How long behind the client's first CHG it is challenged. */
  readonly firstChallenge: Duration.Input
  /** How long behind a right answer it is challenged again; no source gives a figure. */
  readonly nextChallenge: Duration.Input
  /** How long it has for an answer. */
  readonly answerTimeout: Duration.Input
  /** How long a client that has to go may take to read what is said to it last. */
  readonly lastWordsTimeout: Duration.Input
}

/** The limits where none are named. */
export const defaultLimits: Limits = {
  firstChallenge: 0,
  nextChallenge: "5 minutes",
  answerTimeout: "50 seconds",
  lastWordsTimeout: "5 seconds",
}

/** Serves each client that logs in with the built-in session: for `LoginServer` and `Network`. */
export const serve = <R = never>(options: Options<R> = {}): LoginServer.OnSession<R> => {
  const limits = { ...defaultLimits, ...options.limits }
  const machine = ServerSession.make(options.places ?? {})
  const { handle, lists, profile } = options

  /** What an alarm feeds when it rings. It yields first, or one of no delay would ring while it is still being set. */
  const ring = (alarm: ServerSession.Alarm): Effect.Effect<ServerSession.Event> => {
    const { delay, event } = alarms[alarm]
    return Effect.sleep(delay).pipe(Effect.andThen(Effect.yieldNow), Effect.andThen(event))
  }
  const alarms = {
    FirstChallenge: { delay: limits.firstChallenge, event: challenge },
    NextChallenge: { delay: limits.nextChallenge, event: challenge },
    Overdue: { delay: limits.answerTimeout, event: overdue },
  }

  /** Runs a session that begins so; it is told what is heard, and does not wait. */
  const converse = (first: Moved, voice: Attendance.Voice): Attendance.Listener => {
    let state: ServerSession.State = first.state
    let alarm = noAlarm

    const carryOut = (step: Moved) => {
      state = step.state
      const said: Array<LoginServer.Sayable> = []
      for (const action of step.actions) {
        switch (action._tag) {
          case "Say":
            said.push(Result.getOrThrowWith(ServerSession.toServerCommand(action.command), (why) => new Error(why)))
            break
          case "SetAlarm":
            alarm.interruptUnsafe()
            alarm = voice.run(Effect.map(ring(action.alarm), feed))
            break
          case "Close":
            // Told below, once the last words are said.
            break
          case "Postponed":
            throw new Error(`${action.event._tag} cannot wait in a session`)
        }
      }
      if (said.length > 0) voice.tell(said)
      if (state._tag === "Closed") {
        alarm.interruptUnsafe()
        voice.closed()
      }
    }
    const feed = (event: ServerSession.Event) => carryOut(machine.transition(state, event))

    carryOut(first)
    return {
      heard: (command) => feed(machine.classify(state, command)),
      warned: (minutes) => feed({ _tag: "Warn", minutes }),
      ended: () => alarm.interruptUnsafe(),
    }
  }

  const onSession: LoginServer.OnSession<R> = (session) =>
    Effect.flatMap(begin(session, lists ?? nobody, profile ?? usual), (first) =>
      Ear.attend(session, handle ?? leave, (voice) => converse(first, voice), limits.lastWordsTimeout),
    )
  if (handle !== undefined || lists !== undefined || profile !== undefined) return onSession
  return Attendance.set(onSession, {
    attend: (session, voice, now) => converse(start(session, now, Lists.empty, {}), voice),
    lastWordsTimeout: limits.lastWordsTimeout,
  })
}

/** What the machine makes of an event. */
type Moved = Step<ServerSession.State, ServerSession.Action | Postponed<ServerSession.Event>>

/** The alarm before one is set. */
const noAlarm: Fiber.Fiber<void> = Effect.runFork(Effect.void)

const leave = () => Effect.succeed<Handled>("Unserved")
const nobody = () => Effect.succeed(Lists.empty)
const usual = () => Effect.succeed<Message.Particulars>({})

/** What a session begins with. */
const start = (
  { account, dialect }: Pick<LoginServer.Session, "account" | "dialect">,
  now: number,
  lists: Lists.Lists,
  particulars: Message.Particulars,
) =>
  ServerSession.start({
    dialect,
    lists,
    profile: Message.profile(dialect, account, Math.floor(now / 1000), particulars),
  })

const begin = Effect.fnUntraced(function* <R>(
  session: LoginServer.Session,
  lists: (session: LoginServer.Session) => Effect.Effect<Lists.Lists, never, R>,
  profile: (session: LoginServer.Session) => Effect.Effect<Message.Particulars, never, R>,
) {
  const now = yield* Clock.currentTimeMillis
  const particulars = yield* profile(session)
  return start(session, now, yield* lists(session), particulars)
})

/** The first number with eleven digits. */
const elevenDigits = 10_000_000_000

const challenge = Effect.sync((): ServerSession.Event => ({
  _tag: "Challenge",
  challenge: Product.challenge(() => Crypto.randomInt(elevenDigits)),
}))

const overdue = Effect.succeed<ServerSession.Event>({ _tag: "Overdue" })
