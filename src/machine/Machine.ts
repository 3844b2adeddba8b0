/**
 * The kit: a state machine as a total table of data, with handlers typed by it.
 *
 * The table says for each state and each event what becomes of it; the handlers say how, and only where the table
 * says that the move is legal. The kit knows nothing of MSN, and nothing of the world: no clock, no I/O.
 */

/** A member of a union, told by its tag. */
export interface Tagged {
  readonly _tag: string
}

/** The tags of a union. */
export type TagOf<A extends Tagged> = A["_tag"]

/** The members of a union that bear these tags. */
export type ByTag<A extends Tagged, Tag> = Extract<A, { readonly _tag: Tag }>

/** The names of the sentences that a cell carries out: one at least. */
export type Cites<Clause extends string> = readonly [Clause, ...Array<Clause>]

/** A legal move, for which nobody is to blame: its handler makes one of the states `to`, and says what is to be done. */
export interface Rule<Tag extends string, Clause extends string> {
  readonly kind: "rule"
  readonly name: string
  readonly to: readonly [Tag, ...Array<Tag>]
  readonly says: string
  readonly cites: Cites<Clause>
}

/** The peer misbehaved: it is answered with a code, or with silence, and the connection is closed. */
export interface Refuse<Code, Clause extends string> {
  readonly kind: "refuse"
  readonly code: Code
  readonly cites: Cites<Clause>
}

/** The host is deciding: the event waits until the state has changed. */
export interface Defer<Clause extends string> {
  readonly kind: "defer"
  readonly cites: Cites<Clause>
}

/** Our own shell fed an event that cannot come now: a defect. */
export interface Misuse {
  readonly kind: "misuse"
}

/** Too late to matter. */
export interface Ignore {
  readonly kind: "ignore"
  readonly why: string
}

/** What becomes of one event in one state. Each kind is another blame. */
export type Cell<Tag extends string, Code, Clause extends string = string> =
  | Rule<Tag, Clause>
  | Refuse<Code, Clause>
  | Defer<Clause>
  | Misuse
  | Ignore

/** A cell for each state and each event: a missing one does not compile, nor does a citation of no `Clause`. */
export type Table<S extends Tagged, E extends Tagged, Code, Clause extends string = string> = {
  readonly [s in TagOf<S>]: { readonly [e in TagOf<E>]: Cell<TagOf<S>, Code, Clause> }
}

/** Writes a rule. */
export const rule = <const To extends readonly [string, ...Array<string>], const C extends Cites<string>>(
  name: string,
  to: To,
  says: string,
  ...cites: C
) => ({ kind: "rule", name, to, says, cites }) as const

/** Writes a refusal. */
export const refuse = <const Code, const C extends Cites<string>>(code: Code, ...cites: C) =>
  ({ kind: "refuse", code, cites }) as const

/** Writes a deferral. */
export const defer = <const C extends Cites<string>>(...cites: C) => ({ kind: "defer", cites }) as const

/** Writes a misuse. */
export const misuse: Misuse = { kind: "misuse" }

/** Writes an event that comes too late. */
export const ignore = (why: string): Ignore => ({ kind: "ignore", why })

/** What a move leads to: the next state, and what the shell is to do, in order. */
export interface Step<out S, out A> {
  readonly state: S
  readonly actions: ReadonlyArray<A>
}

type Target<C> = C extends { readonly kind: "rule"; readonly to: ReadonlyArray<infer To> } ? To : never
type Ruled<Row> = { readonly [e in keyof Row]: Row[e] extends { readonly kind: "rule" } ? e : never }[keyof Row]

/** One handler for each rule of the table, and none besides; it may only lead to the states that the rule names. */
export type Handlers<T extends Table<S, E, unknown>, S extends Tagged, E extends Tagged, A> = {
  readonly [s in TagOf<S>]: {
    readonly [e in Ruled<T[s]> & TagOf<E>]: (
      state: ByTag<S, s>,
      event: ByTag<E, e>,
    ) => Step<ByTag<S, Target<T[s][e]>>, A>
  }
}

/** The states that an event leads to from a state; unions of either are taken member by member, or it would lie. */
export type Next<
  T extends Table<S, E, unknown>,
  S extends Tagged,
  E extends Tagged,
  s extends TagOf<S>,
  e extends TagOf<E>,
  Refused extends S,
> = s extends unknown ? (e extends unknown ? After<T[s][e], S, s, Refused> : never) : never

type After<C, S extends Tagged, s, Refused> = C extends { readonly kind: "rule" }
  ? ByTag<S, Target<C>>
  : C extends { readonly kind: "refuse" }
    ? Refused
    : C extends { readonly kind: "misuse" }
      ? never
      : ByTag<S, s>

/** The defect of feeding a machine an event that cannot come in its state. */
export class MisuseError extends Error {
  override readonly name = "MisuseError"
  constructor(state: string, event: string) {
    super(`${event} was fed to the machine in ${state}, where it cannot come`)
  }
}

/**
 * The action that gives an event back: it is to be fed again once the state has changed. Where the state decides which
 * event a line is, the line is to be classified anew then.
 */
export interface Postponed<out E> {
  readonly _tag: "Postponed"
  readonly event: E
}

/** What a machine is made of, besides its table. */
export interface Parts<T extends Table<S, E, unknown>, S extends Tagged, E extends Tagged, A, Code, Refused extends S> {
  readonly table: T
  readonly handlers: Handlers<T, S, E, A>
  /** What a refusal leads to and says on the wire: the one place that knows. */
  readonly refused: (state: S, event: E, code: Code) => Step<Refused, A>
}

/** The transition function of a machine: total over its states and events, and pure. */
export type Transition<T extends Table<S, E, unknown>, S extends Tagged, E extends Tagged, A, Refused extends S> = <
  const s extends S,
  const e extends E,
>(
  state: s,
  event: e,
) => Step<Next<T, S, E, s["_tag"], e["_tag"], Refused>, A | Postponed<e>>

/** Makes the transition function from a table and its handlers. */
export const make =
  <S extends Tagged, E extends Tagged, A, Code>() =>
  <const T extends Table<S, E, Code>, Refused extends S>(
    parts: Parts<T, S, E, A, Code, Refused>,
  ): Transition<T, S, E, A, Refused> => {
    type Move = (state: S, event: E) => Step<S, A | Postponed<E>>

    const moveOf = (state: string, event: string, cell: Cell<TagOf<S>, Code>): Move => {
      switch (cell.kind) {
        case "rule": {
          const handler: unknown = Reflect.get(Reflect.get(parts.handlers, state), event)
          // The table has typed each handler by its row and column, which are data here.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          return handler as Move
        }
        case "refuse":
          return (state, event) => parts.refused(state, event, cell.code)
        case "defer":
          return (state, event) => ({ state, actions: [{ _tag: "Postponed", event }] })
        case "ignore":
          return (state) => ({ state, actions: [] })
        case "misuse":
          return () => {
            throw new MisuseError(state, event)
          }
      }
    }

    // Each cell is made a function once, so that a step is two lookups and a call.
    const table: { readonly [state: string]: { readonly [event: string]: Cell<TagOf<S>, Code> } } = parts.table
    const moves: Record<string, Record<string, Move>> = {}
    for (const [state, row] of Object.entries(table)) {
      const ofRow: Record<string, Move> = (moves[state] = {})
      for (const [event, cell] of Object.entries(row)) ofRow[event] = moveOf(state, event, cell)
    }

    return (state, event) => {
      const move = moves[state._tag]?.[event._tag]
      if (move === undefined) throw new MisuseError(state._tag, event._tag)
      // Each kind of cell leads to what `Next` says of it.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return move(state, event) as never
    }
  }

/** The tags of the events that are legal in a state: what was expected, when something else came. */
export const expected = (row: { readonly [event: string]: { readonly kind: string } }): ReadonlyArray<string> =>
  Object.entries(row).flatMap(([event, { kind }]) => (kind === "rule" ? [event] : []))
