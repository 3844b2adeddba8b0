/** One side of a connection without a socket: bytes and events in, and all that comes of them, in order. */
import * as Result from "effect/Result"
import type { Step, Tagged } from "../../src/machine/Machine.ts"
import type { Action } from "../../src/net/internal/driver.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"

/** A machine with its codec: `I` is what it hears, `C` what it says, `Q` what it asks its host. */
export interface Side<S extends Tagged, E extends Tagged, I, C, Q> {
  readonly first: Step<S, Action<C, Q, E>>
  readonly limits: Line.Limits
  readonly payloads: (state: S) => Line.Payloads
  readonly decode: (frame: Line.Frame) => Result.Result<I, Codec.Undecodable>
  readonly encode: (command: C) => Result.Result<string, string>
  readonly classify: (state: S, heard: Result.Result<I, Codec.Undecodable>) => E
  readonly transition: (state: S, event: E) => Step<S, Action<C, Q, E>>
  readonly isOver: (state: S) => boolean
}

/** Something that came of what was fed: what was said as bytes, the other actions as they are. */
export type Happening<Q, E> =
  | { readonly _tag: "Said"; readonly bytes: string }
  | Exclude<Action<never, Q, E>, { readonly _tag: "Say" }>

/** One move of the machine, for whoever watches. */
interface Move<S, E, Q> {
  readonly from: S
  readonly event: E
  readonly to: S
  readonly happened: ReadonlyArray<Happening<Q, E>>
}

/** How a side is watched, and who decides for it. */
export interface Options<S, E, Q> {
  /** Answers a question at once; undefined while it is still thinking. */
  readonly host?: (question: Q) => E | undefined
  readonly onMove?: (move: Move<S, E, Q>) => void
}

/** Lets one side talk. */
export const talk = <S extends Tagged, E extends Tagged, I, C, Q>(
  side: Side<S, E, I, C, Q>,
  { host = () => undefined, onMove = () => {} }: Options<S, E, Q> = {},
) => {
  type Happened = ReadonlyArray<Happening<Q, E>>
  let state = side.first.state
  let bytes = ""
  let isDeaf = false
  /** What waits. A line is made out anew when its turn comes: what it is may hang on the state. */
  let waiting: Array<() => E> = []

  const told = (action: Action<C, Q, E>): Happening<Q, E> =>
    action._tag === "Say" ? { _tag: "Said", bytes: Result.getOrThrow(side.encode(action.command)) } : action

  /** What comes of a happening: a decision where the host is asked, a place in the queue where an event must wait. */
  const consequences = (happening: Happening<Q, E>, come: () => E): Happened => {
    if (happening._tag === "Postponed") waiting.push(come)
    const decision = happening._tag === "Ask" ? host(happening.question) : undefined
    return decision === undefined ? [happening] : [happening, ...feed(decision)]
  }

  const move = (come: () => E): Happened => {
    const event = come()
    const from = state
    const step = side.transition(from, event)
    state = step.state
    const happened = step.actions.map(told)
    onMove({ from, event, to: state, happened })
    return happened.flatMap((happening) => consequences(happening, come))
  }

  /** Feeds an event; where it changes the state, those that waited for that follow. */
  const feed = (event: E): Happened => {
    const before = state
    const happened = move(() => event)
    if (state === before) return happened
    const deferred = waiting
    waiting = []
    return [...happened, ...deferred.flatMap(move)]
  }

  /**
   * Hears some bytes, in however many pieces they come. Of what comes behind bytes that can be no command, nobody can tell
   * where it begins: nothing more is heard, even where the end of the conversation has to wait for its turn.
   */
  const hear = (piece: string): Happened => {
    bytes += piece
    const happened: Array<Happening<Q, E>> = []
    while (!side.isOver(state) && !isDeaf) {
      const taken = Line.take(bytes, side.payloads(state), side.limits)
      if (taken._tag === "NotYet") break
      isDeaf = taken._tag === "Never"
      bytes = taken._tag === "Whole" ? taken.rest : ""
      const heard = taken._tag === "Whole" ? side.decode(taken.frame) : Result.fail(Codec.unreadable(taken.why))
      happened.push(...move(() => side.classify(state, heard)))
    }
    return happened
  }

  /** Hears a line whatever the state is now: what it is was made out in another one, before. */
  const hearLate = (line: string, then: S): Happened => {
    const taken = Line.take(line, side.payloads(then), side.limits)
    const heard = taken._tag === "Whole" ? side.decode(taken.frame) : Result.fail(Codec.unreadable("no whole line"))
    return feed(side.classify(then, heard))
  }

  return {
    first: side.first.actions.map(told),
    hear,
    hearLate,
    feed,
    state: () => state,
  }
}

/** The bytes said, joined. */
export const saidOf = (happened: ReadonlyArray<Happening<unknown, unknown>>): string =>
  happened.map((happening) => (happening._tag === "Said" ? happening.bytes : "")).join("")
