/**
 * The one loop that both sides run: a socket's bytes through a login machine and back.
 *
 * Every complete line of a batch of bytes is run through decode, classify, transition and encode without waiting, and
 * what is to be said is written with one write. The loop stops where the machine asks its host, feeds the decision,
 * and goes on; what is read meanwhile waits its turn. Whose login it is, the driver does not know.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import type * as Limits from "../host/Limits.ts"
import type { Postponed, Step, Tagged } from "../machine/Machine.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Codec from "../protocol/Codec.ts"
import * as Line from "../protocol/Line.ts"
import * as Transcript from "./Transcript.ts"

/** What the actions of either machine are to the driver. */
export type Action<Out, Question, E> =
  | { readonly _tag: "Say"; readonly command: Out }
  | { readonly _tag: "Ask"; readonly question: Question }
  | { readonly _tag: "Deliver" }
  | { readonly _tag: "Close" }
  | Postponed<E>

/** What one side's machine and codec are made of. */
export interface Kinds {
  readonly State: Tagged
  /** The state in which the login is done. */
  readonly LoggedIn: this["State"]
  /** The states in which the connection is over. */
  readonly Over: this["State"]
  readonly Event: Tagged
  /** What the peer says. */
  readonly In: object
  /** What this side says. */
  readonly Out: object
  readonly Question: object
}

/** A step of one side's machine. */
type StepOf<K extends Kinds> = Step<K["State"], Action<K["Out"], K["Question"], K["Event"]>>

/** One side of a connection: its codec and its machine. */
export interface Side<K extends Kinds> {
  readonly speaker: Transcript.Speaker
  readonly limits: Line.Limits
  /** Which verbs announce a payload, at this point. */
  readonly payloads: (state: K["State"]) => Line.Payloads
  readonly decode: (frame: Line.Frame) => Result.Result<K["In"], Codec.Undecodable>
  readonly encode: (command: K["Out"]) => Result.Result<string, string>
  readonly classify: (state: K["State"], heard: Result.Result<K["In"], Codec.Undecodable>) => K["Event"]
  readonly transition: (state: K["State"], event: K["Event"]) => StepOf<K>
  readonly isLoggedIn: (state: K["State"]) => state is K["LoggedIn"]
  readonly isOver: (state: K["State"]) => state is K["Over"]
  readonly hungUp: K["Event"]
  readonly overdue: K["Event"]
}

/** What a peer is held to, besides what a line may be. */
export type Bounds = Pick<Limits.Limits, "loginBytes" | "loginCommands" | "writeTimeout">

/** How a connection is run. */
export interface Options<K extends Kinds> {
  /** How long the login may take, the host's decisions included. */
  readonly loginTimeout: Duration.Input
  /** How long the peer may take for each step of it; by default as long as it likes. */
  readonly answerTimeout?: Duration.Input
  /** Whether what is said at once goes out with one write, as by default, or with a write for each line. */
  readonly writes?: "Together" | "Apart"
  /** By default the peer may say as much before its login is done, and may read as slowly, as it likes. */
  readonly bounds?: Bounds
  /** Is told where the peer goes beyond a limit; it is taken for lost, or what it says for unreadable. */
  readonly limited?: (limit: keyof Limits.Limits) => void
  readonly observer: Transcript.Observer
  /** Is told of each step of the machine: from which state, what for, and into which. */
  readonly witness?: (from: K["State"], event: K["Event"], to: K["State"]) => void
}

/** How many commands of a peer wait for the application before nothing more is read: a few segments' worth. */
const inboxSize = 64

/** How much is read ahead, in bytes, while the host decides: enough to pipeline a login, and to see the peer vanish. */
const readAhead = 65_536

/** How much a peer has to take in each `writeTimeout`, in bytes: one that reads slowly is told from one that never reads. */
const share = 65_536

/** A connection at work. */
export interface Driver<K extends Kinds> {
  /** The state, as it is now. */
  readonly state: () => K["State"]
  /** Whether the peer may say more. */
  readonly isOpen: () => boolean
  /** Runs the login until it is done or over, asking `host` what the machine asks. */
  readonly login: <R>(
    host: (question: K["Question"]) => Effect.Effect<K["Event"], never, R>,
  ) => Effect.Effect<K["LoggedIn"] | K["Over"], never, R>
  /** Runs the session that a login has begun, filling {@link commands}, until it is over or the peer says no more. */
  readonly session: Effect.Effect<void>
  /** What the peer says once it is logged in; ends when the session is over. For one consumer. */
  readonly commands: Stream.Stream<K["In"] | Codec.Malformed>
  /**
   * Says something once logged in, with one write; false where the session is over. Waits while the peer does not
   * read. A command that cannot be encoded is a defect.
   */
  readonly send: (...commands: ReadonlyArray<K["Out"]>) => Effect.Effect<boolean>
  /** Feeds an event that ends the connection, and says what the machine says of it. Does not wait. */
  readonly end: (event: K["Event"]) => Effect.Effect<void>
  /** Says that this side has no more to say, and waits until the peer has closed, or the time for it has passed. */
  readonly closing: (within: Duration.Input) => Effect.Effect<void>
}

/**
 * Takes over a socket, until the scope closes.
 *
 * @keeps efficiency.packet beyond.half-close
 */
export const make = Effect.fnUntraced(function* <K extends Kinds>(
  side: Side<K>,
  socket: Socket.Socket,
  first: StepOf<K>,
  options: Options<K>,
): Effect.fn.Return<Driver<K>, Socket.SocketError, Scope.Scope> {
  const { pull } = yield* socket.reader
  const writer = yield* socket.writer
  type Heard = K["In"] | Codec.Malformed
  const inbox = yield* Queue.bounded<Heard, Cause.Done>(inboxSize)
  const over = yield* Deferred.make<void>()
  const peer: Transcript.Speaker = side.speaker === "Client" ? "Server" : "Client"

  let state = first.state
  let bytes = ""
  let wanted = 1
  /** What the peer has said before its login is done. */
  const said = { loginBytes: 0, loginCommands: 0 }
  let out = ""
  let asked: K["Question"] | undefined
  let delivered: Array<Heard> = []

  const say = (command: K["Out"]) => {
    const line = Result.getOrThrowWith(side.encode(command), (why) => new Error(why))
    options.observer(Transcript.said(side.speaker, words(line)))
    out += line
  }

  const carryOut = (step: StepOf<K>, heard?: Heard) => {
    state = step.state
    for (const action of step.actions) {
      switch (action._tag) {
        case "Say":
          say(action.command)
          break
        case "Ask":
          asked = action.question
          break
        case "Deliver":
          if (heard !== undefined) delivered.push(heard)
          break
        case "Close":
          Deferred.doneUnsafe(over, Effect.void)
          break
        case "Postponed":
          // No line is taken while the host decides, so that no event can come too early.
          throw new Error(`${action.event._tag} was fed while the host decides`)
      }
    }
  }

  const feed = (event: K["Event"], heard?: Heard) => {
    const step = side.transition(state, event)
    // Told first: whoever waits for the end goes on while the step is being carried out.
    options.witness?.(state, event, step.state)
    carryOut(step, heard)
  }

  const { bounds } = options

  /** The first command at hand, if the login may go on with it. */
  const take = (): Taken => {
    const taken = Line.take(bytes, side.payloads(state), side.limits)
    if (taken._tag === "Never" || bounds === undefined || side.isLoggedIn(state)) return taken
    said.loginBytes += bytes.length - taken.rest.length
    if (taken._tag === "Whole") said.loginCommands++
    for (const limit of ["loginBytes", "loginCommands"] as const) {
      if (said[limit] > bounds[limit]) return tooMuch(limit, bounds[limit])
    }
    return taken
  }

  /** Runs the complete lines at hand, until the state is `settled` or the host is asked. */
  const advance = (settled: (state: K["State"]) => boolean) => {
    while (asked === undefined && !settled(state) && bytes.length >= wanted) {
      const taken = take()
      switch (taken._tag) {
        case "NotYet":
          bytes = taken.rest
          wanted = taken.wanted
          return
        case "Never":
          bytes = ""
          wanted = 1
          if (Option.isSome(taken.beyond)) options.limited?.(taken.beyond.value)
          feed(side.classify(state, Result.fail(Codec.unreadable(taken.why))))
          break
        case "Whole": {
          bytes = taken.rest
          wanted = 1
          options.observer(Transcript.said(peer, taken.frame.words))
          const heard = side.decode(taken.frame)
          feed(side.classify(state, heard), whatWasHeard(heard))
        }
      }
    }
  }

  /** Whether the peer may say more, has no more to say, or is gone altogether. */
  let hearing: "Open" | "Ended" | "Lost" = "Open"
  const isOpen = () => hearing === "Open"

  const read = Effect.match(pull, {
    onSuccess: (chunks) => {
      if (side.isOver(state)) return
      for (const chunk of chunks) {
        bytes += typeof chunk === "string" ? Bytes.fromText(chunk) : Bytes.fromUint8Array(chunk)
      }
    },
    onFailure: ({ reason }) => {
      hearing = reason._tag === "SocketCloseError" && reason.code === cleanClose ? "Ended" : "Lost"
      options.observer({ _tag: "Closed", by: peer })
    },
  })

  /** Reads ahead while the host decides, and comes to an end only where nobody is left to tell the decision to. */
  const lost = Effect.gen(function* () {
    while (isOpen() && bytes.length < readAhead) yield* read
    return hearing === "Lost" ? side.hungUp : yield* Effect.never
  })

  const write = (bytes: string) => writer.write(Bytes.toUint8Array(bytes))

  /** Writes what is to be said, with one write or as told; whether the peer was still there to hear it. */
  const flush = Effect.suspend(() => {
    if (out === "") return Effect.succeed(true)
    const saying =
      options.writes === "Apart" ? Effect.forEach(out.split(/(?<=\n)/), write, { discard: true }) : write(out)
    out = ""
    return Effect.match(saying, { onSuccess: () => true, onFailure: () => false })
  })

  /** What has been said in the session, and the peer has not taken yet, in bytes. */
  let untaken = 0

  /** The same in a session, where nothing else ends a connection whose peer never reads. */
  const flushInTime =
    bounds === undefined
      ? flush
      : Effect.suspend(() => {
          if (out === "") return flush
          const { length } = out
          const writeTimeout = Duration.fromInputUnsafe(bounds.writeTimeout)
          untaken += length
          return Effect.timeoutOrElse(flush, {
            duration: Duration.times(writeTimeout, Math.max(1, Math.floor(untaken / share))),
            orElse: () =>
              Effect.sync(() => {
                options.limited?.("writeTimeout")
                if (!side.isOver(state)) feed(side.hungUp)
                return false
              }),
          }).pipe(Effect.ensuring(Effect.sync(() => (untaken -= length))))
        })

  /** Writes the last words without waiting for a peer that may not read: the socket's release delivers them. */
  const lastWords = Effect.suspend(() => {
    if (out === "") return Effect.void
    return Effect.forkDetach(flush, { startImmediately: true })
  })

  const isDone = (state: K["State"]): state is K["LoggedIn"] | K["Over"] => side.isLoggedIn(state) || side.isOver(state)

  /** Reads until the peer has taken a step, or is to be answered; part of a step gives it no more time. */
  const step = Effect.gen(function* () {
    const { _tag } = state
    while (isOpen() && asked === undefined && out === "" && state._tag === _tag) {
      yield* read
      advance(isDone)
    }
  })
  const stepInTime =
    options.answerTimeout === undefined
      ? step
      : Effect.timeoutOrElse(step, { duration: options.answerTimeout, orElse: () => Effect.asVoid(overdue) })

  const login = <R>(host: (question: K["Question"]) => Effect.Effect<K["Event"], never, R>) =>
    Effect.gen(function* () {
      carryOut(first)
      while (true) {
        advance(isDone)
        if (!side.isOver(state)) yield* flush
        if (isDone(state)) return state
        if (asked !== undefined) {
          const decision = yield* Effect.raceFirst(host(asked), lost)
          asked = undefined
          feed(decision)
        } else if (isOpen()) yield* stepInTime
        else feed(side.hungUp)
      }
    }).pipe(
      Effect.timeoutOrElse({ duration: options.loginTimeout, orElse: () => overdue }),
      Effect.ensuring(Effect.suspend(() => (side.isOver(state) ? lastWords : Effect.void))),
    )

  const overdue = Effect.sync(() => {
    feed(side.overdue)
    if (isDone(state)) return state
    throw new Error(`The login is overdue, but goes on in ${state._tag}`)
  })

  /** Offers what was heard to the application, on a fiber of its own: the end of the session loses none of it. */
  const offer = Effect.suspend(() => {
    const said = delivered
    delivered = []
    return Effect.forkDetach(Queue.offerAll(inbox, said), { startImmediately: true })
  })

  const pump = Effect.gen(function* () {
    while (true) {
      advance(side.isOver)
      if (delivered.length > 0) yield* Fiber.await(yield* offer)
      yield* flushInTime
      if (hearing === "Lost") feed(side.hungUp)
      if (!isOpen() || side.isOver(state)) return
      yield* read
    }
  })

  const session = Effect.raceFirst(pump, Deferred.await(over)).pipe(
    Effect.ensuring(Effect.all([offer, lastWords, Queue.end(inbox)], { discard: true })),
  )

  const end = (event: K["Event"]) =>
    Effect.suspend(() => {
      if (side.isOver(state)) return Effect.void
      feed(event)
      return lastWords
    })

  const closing = Effect.fnUntraced(function* (within: Duration.Input) {
    if (!isOpen()) return
    yield* Effect.ignore(writer.write(new Socket.CloseEvent()))
    yield* Effect.timeoutOption(Effect.repeat(read, { while: isOpen }), within)
    if (isOpen()) options.observer({ _tag: "Closed", by: side.speaker })
  })

  /** One at a time: a peer that does not read makes the senders wait, and fills no memory. */
  const turn = Semaphore.makeUnsafe(1)
  const send = (...commands: ReadonlyArray<K["Out"]>) =>
    turn.withPermit(
      Effect.suspend(() => {
        if (!side.isLoggedIn(state)) return Effect.succeed(false)
        for (const command of commands) say(command)
        return flushInTime
      }),
    )

  return { state: () => state, isOpen, login, session, commands: Stream.fromQueue(inbox), send, end, closing }
})

/** What the bytes at hand are, within the bounds of a login. */
type Taken = Exclude<Line.Taken, { readonly _tag: "Never" }> | Never

interface Never extends Omit<Extract<Line.Taken, { readonly _tag: "Never" }>, "beyond"> {
  readonly beyond: Option.Option<keyof Limits.Limits>
}

const tooMuch = (limit: "loginBytes" | "loginCommands", most: number): Never => ({
  _tag: "Never",
  why: `a login is of more than ${most} ${limit === "loginBytes" ? "bytes" : "commands"}`,
  beyond: Option.some(limit),
})

/** The code with which a socket ends in good order. */
const cleanClose = 1000

const whatWasHeard = <In>(heard: Result.Result<In, Codec.Undecodable>): In | Codec.Malformed | undefined => {
  if (Result.isSuccess(heard)) return heard.success
  return heard.failure._tag === "Malformed" ? heard.failure : undefined
}

/** The words of a line that we say ourselves. */
const words = (line: string): Line.Frame["words"] => {
  const [verb = "", ...parameters] = line.slice(0, line.search(/\r?\n/)).split(" ")
  return [verb, ...parameters]
}
