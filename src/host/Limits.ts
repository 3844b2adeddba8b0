/**
 * What a server puts up with: every limit that it has for its peers and its host, with its default.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Line from "../protocol/Line.ts"

/** The limits of a server. Counts are of whole things; what is beyond one is turned away, and never waits. */
export interface Limits extends Line.Limits {
  /** The dialects that VER may offer. */
  readonly dialects: number
  /** What a client may say before USR OK, line ends included, in bytes. */
  readonly loginBytes: number
  /** How many commands a client may say before USR OK. */
  readonly loginCommands: number
  /** How long a login may take, from the connection to USR OK; no source gives a figure. */
  readonly loginTimeout: Duration.Input
  /** How long a decision of the host may take. */
  readonly decisionTimeout: Duration.Input
  /** How many decisions of the host may be waited for at once, by one server. */
  readonly pendingDecisions: number
  /** How many connections there may be at once. */
  readonly connections: number
  /** How many of them may come from one address; of IPv6, from one /64. */
  readonly connectionsPerAddress: number
  /** How many logins to one account may be under way at once from one address. */
  readonly loginsPerAccount: number
  /** How many logins to one account may fail from one address, each {@link failureWindow}. */
  readonly failuresPerAccount: number
  /** How many logins may fail from one address, each {@link failureWindow}. */
  readonly failuresPerAddress: number
  /** How long as many failed logins as there may be count; of fewer, each counts for its part of that time. */
  readonly failureWindow: Duration.Input
  /** How long a client in session may take to read what it is told; as long again for each further 64 KiB that wait for it. */
  readonly writeTimeout: Duration.Input
  /** How long an application may go on with a session that is over, before it is interrupted. */
  readonly farewellTimeout: Duration.Input
  /** How long a gateway waits for words of the server, before it answers a request that carries something without any. */
  readonly gatewayAnswerTimeout: Duration.Input
  /** How long a session with a gateway lives without a request. */
  readonly gatewayIdleTimeout: Duration.Input
  /** How long the last words of a session that is over wait at a gateway to be fetched. */
  readonly gatewayFarewellTimeout: Duration.Input
  /** How long a gateway keeps an HTTP connection without a request, or one whose client does not take its answer. */
  readonly gatewayKeepAliveTimeout: Duration.Input
  /** How long a request may take to arrive at a gateway. */
  readonly gatewayRequestTimeout: Duration.Input
  /** What a request may carry, in bytes. */
  readonly gatewayRequestBytes: number
  /** How many sessions a gateway may have at once: one HTTP connection can open any number. */
  readonly gatewaySessions: number
}

/** The name of a limit. */
export type Name = keyof Limits

/**
 * The limits where none are named.
 *
 * Over HTTP, polls come every 2 to 5 s, so that whoever is told something last fetches it, and other gateways gave up on a
 * session after 60 s, too.
 */
export const defaults: Limits = {
  ...Line.serverLimits,
  dialects: 500,
  loginBytes: 16_384,
  loginCommands: 32,
  loginTimeout: "30 seconds",
  decisionTimeout: "10 seconds",
  pendingDecisions: 1024,
  connections: 20_000,
  connectionsPerAddress: 512,
  loginsPerAccount: 8,
  failuresPerAccount: 10,
  failuresPerAddress: 100,
  failureWindow: "5 minutes",
  writeTimeout: "1 minute",
  farewellTimeout: "5 seconds",
  gatewayAnswerTimeout: "1 second",
  gatewayIdleTimeout: "60 seconds",
  gatewayFarewellTimeout: "8 seconds",
  gatewayKeepAliveTimeout: "60 seconds",
  gatewayRequestTimeout: "60 seconds",
  gatewayRequestBytes: 65_536,
  gatewaySessions: 16_384,
}

/** Whether there is a limit of this name. */
export const isName = (text: string): text is Name => Object.hasOwn(defaults, text)

/** The limits of the servers that are begun under them. */
export const Current = Context.Reference<Limits>("effect-msnp/host/Limits", { defaultValue: () => defaults })

/** Sets some limits; those that are not named are {@link defaults}. */
export const layer = (some: Partial<Limits>): Layer.Layer<never> => Layer.succeed(Current, { ...defaults, ...some })
