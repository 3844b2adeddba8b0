/**
 * What operators can know of a server: what becomes of its connections, step by step, and which limits are hit.
 *
 * A server tells whoever is provided here, at once and where the work is done; by default it tells nobody. One who throws
 * loses the connection that is told of, and no other. `Metrics` and `Traces` are two who can be told.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Admission from "../host/Admission.ts"
import type * as Limits from "../host/Limits.ts"
import type * as Clause from "../login/Clause.ts"
import * as Server from "../login/Server.ts"
import type { ByTag, Cell } from "../machine/Machine.ts"
import type * as Address from "../protocol/Address.ts"
import type * as Dialect from "../protocol/Dialect.ts"

/** What a server is to its operators. */
export type Role = "dispatch" | "notification" | "gateway"

/** A connection to a server. */
export interface Connection extends Admission.Ends {
  /** Its name in logs and traces; no other connection of this process has it, and hardly one of another. */
  readonly id: string
  readonly role: Role
}

/** Is told of one connection. */
export interface Witness {
  /** The machine has made a step: from which state, what for, and into which. */
  readonly stepped: (from: Server.State, event: Server.Event, to: Server.State) => void
  /** The connection is over, and all that belonged to it is gone. */
  readonly ended: () => void
}

/** Is told of a server's connections. */
export interface Observer {
  /** A server of this role is about to take connections. */
  readonly serving: (role: Role) => void
  readonly connected: (connection: Connection) => Witness
  /** A peer would have gone beyond a limit. */
  readonly limited: (limit: keyof Limits.Limits, remote: Address.Address) => void
}

/** Who is told; nobody by default. */
export const Current = Context.Reference<Option.Option<Observer>>("effect-msnp/net/Telemetry", {
  defaultValue: Option.none,
})

/** Tells these, in this order, of the servers that are begun under the layer, and nobody else. */
export const layer = <E = never, R = never>(
  ...observers: ReadonlyArray<Effect.Effect<Observer, E, R>>
): Layer.Layer<never, E, R> =>
  Layer.effect(
    Current,
    Effect.map(Effect.all(observers), (observers) => Option.some(together(observers))),
  )

const together = (observers: ReadonlyArray<Observer>): Observer => ({
  serving: (role) => {
    for (const { serving } of observers) serving(role)
  },
  connected: (connection) => {
    const witnesses = observers.map(({ connected }) => connected(connection))
    return {
      stepped: (from, event, to) => {
        for (const { stepped } of witnesses) stepped(from, event, to)
      },
      ended: () => {
        for (const { ended } of witnesses) ended()
      },
    }
  },
  limited: (limit, remote) => {
    for (const { limited } of observers) limited(limit, remote)
  },
})

/**
 * How a login ends: the client is let in, or the connection is over for a reason. "Dropped" is without one: by a defect of
 * ours, or of whoever is told.
 */
export type Outcome = "LoggedIn" | Ending

/** How a session ends, or a connection that never became one. */
export type Ending = Server.Reason | "Dropped"

/** A state on the way to the login. */
export type Stage = Exclude<Server.State, { readonly _tag: "Closed" }>

/** The dialect of a login; "none" before one is agreed on. */
export type Spoken = Dialect.Dialect | "none"

/** Is told of one login, and of the session behind it, in terms that can be counted. */
export interface Follower {
  /** Another stage than before has been reached; the first is told of no more than its connection. */
  readonly reached: (stage: Stage) => void
  /** The client has misbehaved, by these clauses. */
  readonly refused: (clauses: ReadonlyArray<Clause.Id>) => void
  /** The host has turned the login down with this code. */
  readonly denied: (code: ByTag<Server.Event, "Deny">["code"]) => void
  /** The login is over: told once of each connection. */
  readonly ended: (outcome: Outcome, dialect: Spoken) => void
  /** The session is over: told once of each connection that was logged in. */
  readonly left: (ending: Ending) => void
  /** The connection is over: told last. */
  readonly gone: () => void
}

/** Follows a connection through its login. */
export const follow = (follower: Follower): Witness => {
  let phase: "Login" | "Session" | "Over" = "Login"
  let dialect: Spoken = "none"

  const end = (ending: Ending) => {
    const ended = phase
    phase = "Over"
    if (ended === "Login") follower.ended(ending, dialect)
    if (ended === "Session") follower.left(ending)
  }
  return {
    stepped: (from, event, to) => {
      if (from._tag === "Closed") return
      const cell: Cell<Server.State["_tag"], Server.Code, Clause.Id> = Server.table[from._tag][event._tag]
      if (cell.kind === "refuse") follower.refused(cell.cites)
      if (event._tag === "Deny") follower.denied(event.code)
      if (to._tag === from._tag) return
      if (to._tag === "Closed") {
        end(to.reason)
        return
      }
      if ("dialect" in to) dialect = to.dialect
      follower.reached(to)
      if (to._tag === "LoggedIn") {
        phase = "Session"
        follower.ended("LoggedIn", dialect)
      }
    },
    ended: () => {
      end("Dropped")
      follower.gone()
    },
  }
}
