/**
 * A client that signs in: logs in, shows itself, keeps its lists, and says that it is there until it leaves.
 *
 * {@link signIn} is one session; {@link stay} signs in again, by a schedule, whenever a session is lost.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Address from "../protocol/Address.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as ClientSession from "../session/ClientSession.ts"
import type * as Lists from "../session/Lists.ts"
import * as SessionClientCommand from "../session/SessionClientCommand.ts"
import type * as Status from "../session/Status.ts"
import { Connector } from "./Connector.ts"
import * as LoginClient from "./LoginClient.ts"
import * as LoginError from "./LoginError.ts"

/** How to sign in: how to log in, and how to show oneself then. */
export interface Options extends LoginClient.Options {
  /** The status to take at once; by default Online. */
  readonly status?: Status.Takeable
  /** The lists kept from an earlier session: where the server's are the same, it need not send them again. */
  readonly lists?: Lists.Lists
  /** The version to report, in the words of `ClientCommand.Cvr`; by default none is reported. */
  readonly version?: ReadonlyArray<string>
  /**
   * How often to ask whether the server is there; by default each minute, as was usual, and never where the `Connector`
   * carries no PNG.
   */
  readonly pingEvery?: Duration.Input | "Never"
}

/** What happens in a session. */
export type Event =
  | ClientSession.Report
  /** The server has said something else, as it came. */
  | { readonly _tag: "Command"; readonly command: ClientSession.Heard }

/** How a session ends that we do not end; TimedOut where the server does not answer PNG by the time of the next. */
export type SessionError = LoginClient.SessionError | LoginError.TimedOut

/** The server does not give the lists out. */
export class ListsRefused extends Schema.TaggedError<ListsRefused>("effect-msnp/net/ListsRefused")("ListsRefused", {
  server: Schema.String,
  code: ErrorCode.ErrorCode,
}) {
  override get message() {
    return `${this.server} does not give the lists out: ${ErrorCode.describe(this.code)} (${this.code}).`
  }
}

/** A session that shows itself and looks after itself: it answers CHL, and says PNG. */
export interface SignedIn extends Omit<LoginClient.Session, "commands"> {
  /**
   * What happens, from the first line behind USR OK; ends when we log off. For one consumer. The session does not wait
   * for it: of more than {@link maxUnread} events that nobody has taken, the oldest are dropped.
   */
  readonly events: Stream.Stream<Event, SessionError>
  /** The lists as they are known now, once the server has told them. */
  readonly lists: Effect.Effect<Lists.Lists, SessionError | ListsRefused>
  /** Takes a status; the server confirms it with the event StatusSet. False where the session is over. */
  readonly setStatus: (status: Status.Takeable) => Effect.Effect<boolean>
  /** Asks for the lists anew; they come with the event Synchronized. False where the session is over. */
  readonly synchronize: Effect.Effect<boolean>
}

/** How many events are kept for a consumer that does not take them. */
export const maxUnread = 1024

/** As often as was usual. */
const usualPings: Duration.Input = "1 minute"

/**
 * Signs in, and stays signed in until the scope closes: SYN, CHG and, if told to, CVR are said at once, in the order of
 * the official client.
 */
export const signIn = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<SignedIn, LoginError.LoginError, Scope.Scope> {
  const session = yield* LoginClient.login(options)
  const server = Address.format(session.server)
  const events = yield* Queue.sliding<Event, SessionError | Cause.Done>(maxUnread)
  const told = yield* Deferred.make<Lists.Lists, SessionError | ListsRefused>()
  const gone = yield* Deferred.make<never, LoginError.TimedOut | LoginError.ServerMisbehaved>()

  const first = ClientSession.start({
    trId: yield* session.nextTrId,
    lists: options.lists ?? ClientSession.noLists,
    status: options.status ?? "Online",
    version: Option.fromUndefinedOr(options.version),
  })
  let state: ClientSession.State = first.state
  let lists = Deferred.await(told)

  const report = (report: ClientSession.Report) => {
    Queue.offerUnsafe(events, report)
    if (report._tag === "Synchronized") {
      lists = Effect.succeed(report.lists)
      Deferred.doneUnsafe(told, lists)
    } else if (report._tag === "ListsRefused") {
      Deferred.doneUnsafe(told, Effect.fail(new ListsRefused({ server, code: report.code })))
    }
  }

  /** Takes a step; what it says is still to be said. */
  const carryOut = (step: ReturnType<typeof ClientSession.transition>, heard?: ClientSession.Heard) => {
    const said: Array<LoginClient.Sayable> = []
    state = step.state
    for (const action of step.actions) {
      switch (action._tag) {
        case "Say":
          said.push(sayable(action.command))
          break
        case "Report":
          report(action.report)
          break
        case "Deliver":
          if (heard !== undefined) Queue.offerUnsafe(events, { _tag: "Command", command: heard })
          break
        case "Close":
          Deferred.doneUnsafe(gone, Effect.fail(closing[action.why](server)))
          break
        case "Postponed":
          throw new Error(`No state has ${action.event._tag} wait`)
      }
    }
    return said
  }
  const feed = (event: ClientSession.Event) =>
    Effect.suspend(() => session.send(...carryOut(ClientSession.transition(state, event))))
  const hear = (heard: ClientSession.Heard) =>
    Effect.suspend(() => {
      const said = carryOut(ClientSession.transition(state, ClientSession.classify(state, heard)), heard)
      // Whoever has nothing to say does not wait for its turn.
      return said.length === 0 ? Effect.void : session.send(...said)
    })

  const finish = (exit: Exit.Exit<unknown, SessionError>) => {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) {
      Deferred.doneUnsafe(told, Effect.fail(new LoginError.LoggedOut({ server, reason: "Unstated" })))
      return Queue.end(events)
    }
    Deferred.doneUnsafe(told, Effect.failCause(exit.cause))
    return Queue.failCause(events, exit.cause)
  }

  yield* session.send(...carryOut(first))
  const { pings: carried } = yield* Connector
  const { pingEvery = carried === "Carried" ? usualPings : "Never" } = options
  // A server that does not read does not take a PNG from us either: the next one is due all the same.
  const ping = Effect.forkChild(Effect.suspend(() => feed(ClientSession.due(state))))
  const pings = pingEvery === "Never" ? Effect.never : Effect.schedule(ping, Schedule.spaced(pingEvery))
  yield* Stream.runForEach(session.commands, hear).pipe(
    Effect.raceFirst(Deferred.await(gone)),
    Effect.raceFirst(pings),
    Effect.onExit(finish),
    Effect.catch(() => session.logOff),
    Effect.forkScoped({ startImmediately: true }),
  )

  const { account, dialect, friendlyName, logOff, send, sink, verified } = session
  return {
    dialect,
    account,
    friendlyName,
    verified,
    server: session.server,
    send,
    sink,
    logOff,
    nextTrId: Effect.sync(() => {
      const { trId } = state
      state = ClientSession.spend(state)
      return trId
    }),
    events: Stream.fromQueue(events),
    lists: Effect.suspend(() => lists),
    setStatus: (status) => feed({ _tag: "SetStatus", status }),
    synchronize: feed({ _tag: "Synchronize" }),
  }
})

/** Why we end a session that the server has not ended. */
const closing = {
  Unanswered: (server: string) => new LoginError.TimedOut({ server, awaiting: ["QNG"] }),
  ListsEndless: (server: string) =>
    new LoginError.ServerMisbehaved({
      server,
      expected: ["LST RL"],
      got: `more than ${ClientSession.maxLines} lines of lists`,
    }),
}

/** What a login's client is given to say. */
const sayable = (command: ClientSession.Sayable): LoginClient.Sayable =>
  command._tag === "Cvr"
    ? command
    : Result.getOrThrowWith(SessionClientCommand.encode(command), (why) => new Error(why))

/** How to stay signed in. */
export interface StayOptions extends Options {
  /**
   * When to try again after a session is lost, or a login has failed for no fault of ours; begins anew with each
   * session. By default {@link patience}.
   */
  readonly schedule?: Schedule.Schedule<unknown, LoginError.LoginError>
}

/** Tries again for ever: after a second, then after twice as long each time, up to a minute; each somewhat at random. */
export const patience: Schedule.Schedule<Duration.Duration> = Schedule.jittered(
  Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]),
)

/** What happens to somebody who stays signed in. */
export type StayEvent =
  | Event
  /** A session has begun; its own `events` are those of this stream, and not to be taken from it. */
  | { readonly _tag: "SignedIn"; readonly session: Omit<SignedIn, "events"> }
  /** There is no session now; the next try comes after so long. */
  | { readonly _tag: "Lost"; readonly error: LoginError.LoginError; readonly again: Duration.Duration }

/**
 * Whether it makes sense to try again: not where the same would come of it, and never after a login elsewhere, since
 * two clients would throw each other out for ever. Whoever ends a session without a reason may have that one.
 */
export const isPassing = (error: LoginError.LoginError): boolean => {
  switch (error._tag) {
    case "Unreachable":
    case "Unavailable":
    case "TimedOut":
    case "Disconnected":
      return true
    case "LoggedOut":
      return error.reason === "ShuttingDown"
    case "ServerMisbehaved":
    case "Misdirected":
    case "Denied":
    case "NoCommonDialect":
      return false
  }
}

/**
 * Signs in, and again whenever the session is lost, with the lists and the status as they were last; ends when we log
 * off, and fails where there is no use in trying again. Nobody is signed in once the stream is not run any more.
 *
 * @keeps beyond.stay
 */
export const stay = ({
  schedule = patience,
  ...options
}: StayOptions): Stream.Stream<StayEvent, LoginError.LoginError> =>
  Stream.callback<StayEvent, LoginError.LoginError>(
    (queue) => {
      let kept: Options = options
      const keep = (event: Event) => {
        if (event._tag === "Synchronized") kept = { ...kept, lists: event.lists }
      }
      const setStatus = (session: SignedIn) => (status: Status.Takeable) =>
        Effect.suspend(() => {
          kept = { ...kept, status }
          return session.setStatus(status)
        })
      const once = Effect.map(
        Effect.suspend(() => signIn(kept)),
        (session): Stream.Stream<StayEvent, SessionError> =>
          Stream.concat(
            Stream.succeed({ _tag: "SignedIn", session: { ...session, setStatus: setStatus(session) } }),
            Stream.tap(session.events, (event) => Effect.sync(() => keep(event))),
          ),
      )
      const lost = ({ duration, input }: Schedule.Metadata<unknown, LoginError.LoginError>) =>
        Queue.offer(queue, { _tag: "Lost", error: input, again: duration })
      const again = schedule.pipe(
        Schedule.while(({ input }) => isPassing(input)),
        Schedule.tap(lost),
      )
      return Stream.runIntoQueue(Stream.retry(Stream.unwrap(once), again), queue)
    },
    { bufferSize: 1 },
  )
