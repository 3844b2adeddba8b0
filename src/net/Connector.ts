/**
 * How a client gets a connection to a server: by default a TCP connection of its own.
 *
 * It is a reference, so that a proxy or a test can take its place without the login knowing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import * as Dns from "node:dns"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Address from "../protocol/Address.ts"
import * as Tcp from "./internal/tcp.ts"
import * as Tls from "./Tls.ts"

/**
 * Whose trouble it looks like that there is no connection: our own line's, theirs, that of a server which is to run on
 * this machine, or there is no telling; or there is a server, but not the one that was meant, or not over TLS.
 */
export const Fault = Schema.Literals(["Ours", "Theirs", "Here", "Unclear", "Mismatch"])
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

/** The fault of a server that cannot be had, where its host can: one of this machine's is nobody else's. */
export const theirs = ({ host }: Address.Address): Fault =>
  host === "localhost" || Address.isLoopbackHost(host) ? "Here" : "Theirs"

/** Nobody listens there: their host answered, but not their server. */
export const refused = (to: Address.Address): Attempt => attempt(to, "nothing listens there", theirs(to))

/** No connection came about in time: packets may be lost anywhere. */
export const unanswered = (to: Address.Address): Attempt => attempt(to, "it did not answer", "Unclear")

/** The connection came about, and was gone before anything was said. */
export const lost = (to: Address.Address): Attempt => attempt(to, "the connection was lost at once", theirs(to))

/** Attempts as a person reads them. */
export const describe = (tried: ReadonlyArray<Attempt>): string =>
  tried.map(({ address, why }) => `${address} (${why})`).join(", ")

/** Whose trouble it seems to be that all of these failed: one that was theirs shows that our own line works. */
export const blame = (tried: ReadonlyArray<Attempt>): Fault => {
  const isAny = (fault: Fault): boolean => tried.some(({ seems }) => seems === fault)
  if (isAny("Mismatch")) return "Mismatch"
  if (isAny("Theirs")) return "Theirs"
  if (isAny("Unclear")) return "Unclear"
  return isAny("Ours") ? "Ours" : "Here"
}

/** No connection came about: a name may stand for several addresses, and each is tried. */
export class ConnectError extends Schema.TaggedError<ConnectError>("effect-msnp/net/ConnectError")("ConnectError", {
  tried: Schema.NonEmptyArray(Attempt),
}) {
  override get message() {
    return `No connection came about; tried ${describe(this.tried)}.`
  }
}

/** Whether a numeric address, which a name stands for, may be gone to. */
export type Admits = (address: string) => boolean

const anywhere: Admits = () => true

/** The code of a name of whose addresses none is admitted. */
const notAdmitted = "ENOTADMITTED"

/** Looks names up, and leaves out those addresses that are not admitted. */
export const admitting =
  (lookup: Net.LookupFunction, admits: Admits): Net.LookupFunction =>
  (name, options, done) =>
    lookup(name, options, (error, found, family) => {
      if (error !== null) return done(error, found, family)
      const admitted = typeof found === "string" ? admits(found) : found.filter(({ address }) => admits(address))
      if (admitted === true) return done(null, found, family)
      if (admitted !== false && admitted.length > 0) return done(null, admitted)
      return done(Object.assign(new Error(`No address of ${name} is admitted`), { code: notAdmitted }), [])
    })

/** Opens connections; each is closed with its scope. */
export interface Connector {
  /** Whether PNG goes through: HTTP gateways took it for an error, and have polls in its place. */
  readonly pings: "Carried" | "Refused"
  /**
   * Goes to none of the addresses that are not admitted. Those of a name are asked about where it is looked up here;
   * numeric ones the caller knows, and what a proxy looks up is the proxy's.
   */
  readonly connect: (to: Address.Address, admits?: Admits) => Effect.Effect<Socket.Socket, ConnectError, Scope.Scope>
}

const untrusted = "nobody whom we trust vouches for its certificate"
const noTls = "it speaks no TLS"
const oldTls = "it speaks no TLS of 1.2 or newer"

/** What is wrong with a server that answers, but not as it was to answer over TLS: the codes of Node.js and OpenSSL. */
const mismatches: { readonly [code: string]: string } = {
  CERT_CHAIN_TOO_LONG: untrusted,
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or our clock is slow",
  CERT_REJECTED: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  [Tcp.noHandshake]: noTls,
  EPROTO: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  INVALID_CA: untrusted,
  INVALID_PURPOSE: "its certificate is not for servers",
  PATH_LENGTH_EXCEEDED: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  // Whatever OpenSSL finds out that Node.js has no word for, such as a key of too few bits.
  UNSPECIFIED: "its certificate is too weak, or not as it has to be",
}

/** What is wrong with such a server, in a few words; none where the code is of something else. */
const mismatchOf = ({ code = "" }: NodeJS.ErrnoException): Option.Option<string> => {
  const known = mismatches[code]
  if (known !== undefined) return Option.some(known)
  // An alert, or a breach of TLS: its name is the end of the code, and the message is one for OpenSSL's own people.
  const [, name] = /^ERR_SSL_(.+)$/.exec(code) ?? []
  return Option.map(
    Option.fromUndefinedOr(name),
    (name) => `the TLS handshake failed: ${name.toLowerCase().replaceAll("_", " ")}`,
  )
}

const whyNot = Tcp.whyNot({
  EACCES: "this machine does not allow it",
  EADDRNOTAVAIL: "this machine has no address to go there from",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no way to that host",
  EMFILE: "too many files are open",
  ENETDOWN: "the network is down",
  ENETUNREACH: "there is no way to that network",
  [notAdmitted]: "it may not be gone to",
  EPERM: "this machine does not allow it",
  ETIMEDOUT: "it did not answer",
})

/** Whose trouble these are; there is no telling with the others. */
const faults: { readonly [code: string]: Fault } = {
  EACCES: "Ours",
  EADDRNOTAVAIL: "Ours",
  EAI_AGAIN: "Ours",
  ECONNREFUSED: "Theirs",
  ECONNRESET: "Theirs",
  EMFILE: "Ours",
  ENETDOWN: "Ours",
  ENETUNREACH: "Ours",
  EPERM: "Ours",
}

/** What Node says of a name whose addresses all failed: one error for each. */
interface SystemError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
  readonly errors?: ReadonlyArray<SystemError>
}

/**
 * What an error of `node:net` or `node:dns` tells of a connection, for connectors that are made of these.
 *
 * A machine that has no address but its own looks to its own line, where that is not plain already.
 */
export const fromSystem = (
  error: SystemError,
  to: Address.Address,
  interfaces: ReturnType<typeof Os.networkInterfaces> = Os.networkInterfaces(),
): ConnectError => {
  const isOnline = Object.values(interfaces).some((addresses = []) => addresses.some(({ internal }) => !internal))
  const attemptOf = (one: SystemError): Attempt => {
    const at = { host: one.address ?? to.host, port: one.port ?? to.port }
    const { code = "" } = one
    const mismatch = mismatchOf(one)
    if (Option.isSome(mismatch)) return attempt(at, mismatch.value, "Mismatch")
    const seems = faults[code] ?? (isOnline ? "Unclear" : "Ours")
    return attempt(at, whyNot(one), seems === "Theirs" ? theirs(at) : seems)
  }
  const [first = attemptOf(error), ...others] = (error.errors ?? []).map(attemptOf)
  return new ConnectError({ tried: [first, ...others] })
}

/** How to connect with nothing in between. */
export interface Options {
  /** How a name becomes addresses; by default, as the system has it. */
  readonly lookup?: Net.LookupFunction
  /** Over TLS, and whom to take for the server; in clear text where there is nothing. */
  readonly tls?: Tls.Client
}

/** The same for `node:net`, for connectors that are made of it. */
export const tcpOptions = ({ lookup, tls }: Options, to: Address.Address): Tcp.Options => ({
  ...(lookup === undefined ? {} : { lookup }),
  ...(tls === undefined ? {} : { tls: Tls.connecting(tls, to) }),
})

/**
 * Connects over TCP, with nothing in between but TLS where that is wanted.
 *
 * The addresses of a name are tried in turn, IPv6 and IPv4 by turns: each has a quarter of a second, the last one more.
 */
export const make = (options: Options = {}): Connector => ({
  pings: "Carried",
  connect: (to, admits = anywhere) =>
    Effect.mapError(
      Tcp.connect(to, tcpOptions({ ...options, lookup: admitting(options.lookup ?? Dns.lookup, admits) }, to)),
      (error) => fromSystem(error, to),
    ),
})

/** {@link make}, with names as the system has them. */
export const direct: Connector = make()

/** The connector in use; {@link direct} unless another is provided. */
export const Connector: Context.Reference<Connector> = Context.Reference<Connector>("effect-msnp/net/Connector", {
  defaultValue: () => direct,
})
