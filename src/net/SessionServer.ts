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
  const { handle, lists = nobody, profile = usual } = options

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

  return (session) =>
    Effect.flatMap(begin(session, lists, profile), (first) =>
      Effect.flatMap(Effect.context<R>(), (context) =>
        Effect.callback<void>((resume) => {
          const { hear, say, stop, taken } =
            handle === undefined ? Ear.make(session) : Ear.handling(session, handle, Effect.runForkWith(context))
          let state: ServerSession.State = first.state
          let alarm = noAlarm

          const carryOut = (step: Moved) => {
            state = step.state
            const said: Array<LoginServer.Sayable> = []
            for (const action of step.actions) {
              switch (action._tag) {
                case "Say":
                  said.push(
                    Result.getOrThrowWith(ServerSession.toServerCommand(action.command), (why) => new Error(why)),
                  )
                  break
                case "SetAlarm":
                  alarm.interruptUnsafe()
                  alarm = Effect.runForkWith(context)(Effect.map(ring(action.alarm), feed))
                  break
                case "Close":
                  // Whoever runs this closes the connection when it ends, which it does in a state that is over.
                  break
                case "Postponed":
                  throw new Error(`${action.event._tag} cannot wait in a session`)
              }
            }
            if (said.length > 0) say(said)
            if (state._tag === "Closed") end(Effect.asVoid(Effect.timeoutOption(taken, limits.lastWordsTimeout)))
          }
          const feed = (event: ServerSession.Event) => carryOut(machine.transition(state, event))
          const end = (last: Effect.Effect<void>) => {
            alarm.interruptUnsafe()
            stop()
            resume(last)
          }

          carryOut(first)
          hear({
            heard: (command) => feed(machine.classify(state, command)),
            warned: (minutes) => feed({ _tag: "Warn", minutes }),
            ended: end,
          })
          return Effect.sync(() => {
            alarm.interruptUnsafe()
            stop()
          })
        }),
      ),
    )
}

/** The alarm before one is set. */
const noAlarm: Fiber.Fiber<void> = Effect.runFork(Effect.void)

/** What the machine makes of an event. */
type Moved = Step<ServerSession.State, ServerSession.Action | Postponed<ServerSession.Event>>

const nobody = () => Effect.succeed(Lists.empty)
const usual = () => Effect.succeed<Message.Particulars>({})

/** What a session begins with. */
const begin = Effect.fnUntraced(function* <R>(
  session: LoginServer.Session,
  lists: (session: LoginServer.Session) => Effect.Effect<Lists.Lists, never, R>,
  profile: (session: LoginServer.Session) => Effect.Effect<Message.Particulars, never, R>,
) {
  const { account, dialect } = session
  const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const particulars = yield* profile(session)
  return ServerSession.start({
    dialect,
    lists: yield* lists(session),
    profile: Message.profile(dialect, account, seconds, particulars),
  })
})

/** The first number with eleven digits. */
const elevenDigits = 10_000_000_000

const challenge = Effect.sync((): ServerSession.Event => ({
  _tag: "Challenge",
  challenge: Product.challenge(() => Crypto.randomInt(elevenDigits)),
}))

const overdue = Effect.succeed<ServerSession.Event>({ _tag: "Overdue" })
