/**
 * What a server puts up with: every limit that it has for its peers and its host, with its default.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Line from "../protocol/Line.ts"

/** The limits of a server; counts are of whole things, and lengths in bytes. */
export interface Limits {
  /** A line without its line end. */
  readonly lineBytes: number
  /** What a line may announce as its payload. */
  readonly payloadBytes: number
  /** How long a login may take, from the connection to USR OK; no source gives a figure. */
  readonly loginTimeout: Duration.Input
  /** How long a decision of the host may take. */
  readonly decisionTimeout: Duration.Input
  /** How many decisions of the host may be waited for at once. */
  readonly pendingDecisions: number
  /** How long an application may go on with a session that is over, before it is interrupted. */
  readonly farewellTimeout: Duration.Input
}

/** The limits where none are named. */
export const defaults: Limits = {
  lineBytes: Line.serverLimits.line,
  payloadBytes: Line.serverLimits.payload,
  loginTimeout: "30 seconds",
  decisionTimeout: "10 seconds",
  pendingDecisions: 1024,
  farewellTimeout: "5 seconds",
}

/** The limits of the servers that are begun under them. */
export const Current = Context.Reference<Limits>("effect-msnp/host/Limits", { defaultValue: () => defaults })

/** Sets some limits; those that are not named are {@link defaults}. */
export const layer = (some: Partial<Limits>): Layer.Layer<never> => Layer.succeed(Current, { ...defaults, ...some })
