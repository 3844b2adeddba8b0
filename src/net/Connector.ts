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

/** Whose trouble it looks like that there is no connection: our own line's, theirs, or there is no telling. */
export const Fault = Schema.Literals(["Ours", "Theirs", "Unclear"])
export type Fault = typeof Fault.Type

/** One address that was tried, what went wrong there, in a few words, and whose trouble that seems to be. */
export const Attempt = Schema.Struct({ address: Schema.String, why: Schema.String, seems: Fault })
export type Attempt = typeof Attempt.Type

/** An attempt that failed. */
export const attempt = (to: Address.Address, why: string, seems: Fault): Attempt => ({
  address: Address.format(to),
  why,
  seems,
})

/** Nobody listens there: their host answered, but not their server. */
export const refused = (to: Address.Address): Attempt => attempt(to, "nothing listens there", "Theirs")

/** No connection came about in time: packets may be lost anywhere. */
export const unanswered = (to: Address.Address): Attempt => attempt(to, "it did not answer", "Unclear")

/** The connection came about, and was gone before anything was said. */
export const lost = (to: Address.Address): Attempt => attempt(to, "the connection was lost at once", "Theirs")

/** Attempts as a person reads them. */
export const describe = (tried: ReadonlyArray<Attempt>): string =>
  tried.map(({ address, why }) => `${address} (${why})`).join(", ")

/** Whose trouble it seems to be that all of these failed: one that was theirs shows that our own line works. */
export const blame = (tried: ReadonlyArray<Attempt>): Fault => {
  const isAny = (fault: Fault): boolean => tried.some(({ seems }) => seems === fault)
  if (isAny("Theirs")) return "Theirs"
  return isAny("Unclear") ? "Unclear" : "Ours"
}

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

/** What the system says where there is no connection, by the codes of its errors. */
const reasons: { readonly [code: string]: readonly [why: string, seems: Fault] } = {
  ECONNREFUSED: ["nothing listens there", "Theirs"],
  ECONNRESET: ["the connection was reset", "Theirs"],
  EHOSTUNREACH: ["there is no way to that host", "Unclear"],
  ENETUNREACH: ["there is no way to that network", "Ours"],
  ETIMEDOUT: ["it did not answer", "Unclear"],
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
  const [first = attemptOf(error, to), ...others] = (error.errors ?? []).map((each) =>
    attemptOf(each, { host: each.address ?? to.host, port: each.port ?? to.port }),
  )
  return [first, ...others]
}

const attemptOf = (error: NodeJS.ErrnoException, to: Address.Address): Attempt => {
  const [why, seems] = reasons[error.code ?? ""] ?? [whyNot(error), "Unclear"]
  return attempt(to, why, seems)
}

const whyNot = Tcp.whyNot({})

/** The connector in use; {@link direct} unless another is provided. */
export const Connector: Context.Reference<Connector> = Context.Reference<Connector>("effect-msnp/net/Connector", {
  defaultValue: () => direct,
})
