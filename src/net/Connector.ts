/**
 * How a client gets a connection to a server: by default a TCP connection of its own.
 *
 * It is a reference, so that a proxy or a test can take its place without the login knowing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import * as Address from "../protocol/Address.ts"
import * as Tcp from "./internal/tcp.ts"

/** One address that was tried, and what went wrong there, in a few words. */
export const Attempt = Schema.Struct({ address: Schema.String, why: Schema.String })
export type Attempt = typeof Attempt.Type

/** Attempts as a person reads them. */
export const describe = (tried: ReadonlyArray<Attempt>): string =>
  tried.map(({ address, why }) => `${address} (${why})`).join(", ")

/** No connection came about: a name may stand for several addresses, and each is tried. */
export class ConnectError extends Schema.TaggedError<ConnectError>("effect-msnp/net/ConnectError")("ConnectError", {
  tried: Schema.NonEmptyArray(Attempt),
}) {
  override get message() {
    return `No connection came about; tried ${describe(this.tried)}.`
  }
}

/** Opens connections; each is closed with its scope. */
export interface Connector {
  /** Whether PNG goes through: HTTP gateways took it for an error, and have polls in its place. */
  readonly pings: "Carried" | "Refused"
  readonly connect: (to: Address.Address) => Effect.Effect<Socket.Socket, ConnectError, Scope.Scope>
}

const reasons: { readonly [code: string]: string } = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
  ETIMEDOUT: "it did not answer",
}

/** Connects over TCP, with nothing in between. */
export const direct: Connector = {
  pings: "Carried",
  connect: (to) => Effect.mapError(Tcp.connect(to), (error) => new ConnectError({ tried: attemptsOf(error, to) })),
}

/** What Node says of a name whose addresses all failed: one error for each. */
interface Failed extends NodeJS.ErrnoException {
  readonly errors?: ReadonlyArray<NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }>
}

const attemptsOf = (error: Failed, to: Address.Address): readonly [Attempt, ...Array<Attempt>] => {
  const whole: Attempt = { address: Address.format(to), why: whyNot(error) }
  const [first = whole, ...others] = (error.errors ?? []).map((each) => ({
    address: Address.format({ host: each.address ?? to.host, port: each.port ?? to.port }),
    why: whyNot(each),
  }))
  return [first, ...others]
}

const whyNot = Tcp.whyNot(reasons)

/** The connector in use; {@link direct} unless another is provided. */
export const Connector: Context.Reference<Connector> = Context.Reference<Connector>("effect-msnp/net/Connector", {
  defaultValue: () => direct,
})
