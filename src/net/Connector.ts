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

/** No connection came about: what went wrong, in a few words. */
export class ConnectError extends Schema.TaggedError<ConnectError>("effect-msnp/net/ConnectError")("ConnectError", {
  address: Schema.String,
  why: Schema.String,
}) {
  override get message() {
    return `Cannot connect to ${this.address}: ${this.why}.`
  }
}

/** Opens connections; each is closed with its scope. */
export interface Connector {
  readonly connect: (to: Address.Address) => Effect.Effect<Socket.Socket, ConnectError, Scope.Scope>
}

const reasons: { readonly [code: string]: string } = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name cannot be resolved now",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
  ETIMEDOUT: "it did not answer",
}

/** Connects over TCP, with nothing in between. */
export const direct: Connector = {
  connect: (to) =>
    Effect.mapError(
      Tcp.connect(to),
      ({ code, message }) => new ConnectError({ address: Address.format(to), why: reasons[code ?? ""] ?? message }),
    ),
}

/** The connector in use; {@link direct} unless another is provided. */
export const Connector: Context.Reference<Connector> = Context.Reference<Connector>("effect-msnp/net/Connector", {
  defaultValue: () => direct,
})
