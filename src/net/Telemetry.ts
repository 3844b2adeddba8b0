/**
 * What operators can know of a server: what becomes of its connections, step by step, and which limits are hit.
 *
 * A server tells whoever is provided here, at once and on the fiber that does the work; by default it tells nobody.
 */
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import type * as Admission from "../host/Admission.ts"
import type * as Limits from "../host/Limits.ts"
import type * as Server from "../login/Server.ts"
import type * as Address from "../protocol/Address.ts"

/** Is told of one connection. */
export interface Witness {
  /** The machine has made a step: from which state, what for, and into which. */
  readonly stepped: (from: Server.State, event: Server.Event, to: Server.State) => void
  /** The connection is over, and all that belonged to it is gone. */
  readonly ended: () => void
}

/** Is told of a server's connections. */
export interface Observer {
  readonly connected: (ends: Admission.Ends) => Witness
  /** A peer would have gone beyond a limit. */
  readonly limited: (limit: keyof Limits.Limits, remote: Address.Address) => void
}

/** Who is told; nobody by default. */
export const Current = Context.Reference<Option.Option<Observer>>("effect-msnp/net/Telemetry", {
  defaultValue: Option.none,
})
