/**
 * Where a server listens: a host and a port.
 *
 * Our server writes numeric IPv4 and a port, since period clients parse nothing else; we read names, IPv6 in
 * brackets, and a host without a port.
 */
import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parameter } from "./Wire.ts"

/**
 * The port that a referral means when it names none (draft 7.4), and the port of MSNP (draft 5.1).
 *
 * @keeps connect.direct
 */
export const defaultPort = 1863

/** A host (a name, IPv4, or IPv6 without brackets) and a port from 0 to 65535; 0 asks the system for a free one. */
export const Address = Schema.Struct({
  host: Schema.NonEmptyString,
  port: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 })),
}).annotate({ identifier: "Address" })
export type Address = typeof Address.Type

/**
 * Reads `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; none for anything else.
 *
 * @keeps xfr.port
 */
export const parse = (text: string): Option.Option<Address> => {
  const parts = /^(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/.exec(text)
  if (parts === null) return Option.none()
  const [, ipv6, name, digits] = parts
  const host = ipv6 ?? name
  if (host === undefined || !isHost(host)) return Option.none()
  const port = digits === undefined ? defaultPort : Number(digits)
  return port <= 65535 ? Option.some({ host, port }) : Option.none()
}

const byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
const ipv4 = new RegExp(`^(?:${byte}\\.){3}${byte}$`)

/** A name, IPv4 or IPv6. Numeric IPv4 is what referrals bear, and is told by its digits, in a tenth of the time. */
const isHost = (text: string): boolean => ipv4.test(text) || Result.isSuccess(Host.hostFromString(text))

/** `host:port`, with brackets around IPv6. */
export const format = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** Whether an address is numeric IPv4 with a port that can be connected to: all that period clients can parse. */
export const isIpv4 = ({ host, port }: Address): boolean => isIpv4Host(host) && port > 0

/** Whether a host is numeric IPv4, each part in its shortest form. */
export const isIpv4Host = (host: string): boolean => Result.isSuccess(NetAddress.ipv4FromString(host))

/** Whether a host is a numeric address of this machine's loopback. */
export const isLoopbackHost = (host: string): boolean => {
  const ip = NetAddress.ipFromString(host)
  return Result.isSuccess(ip) && NetAddress.isLoopback(ip.success)
}

/** The address that a word spells, in ASCII, with a port that can be connected to; else undefined. */
export const read = (word: string): Address | undefined => {
  const address = /^[!-~]+$/.test(word) ? parse(word) : Option.none()
  return Option.isSome(address) && address.value.port > 0 ? address.value : undefined
}

/** The word for an address that {@link read} reads; else undefined. */
export const write = (address: Address): string | undefined => {
  const word = format(address)
  return read(word) === undefined ? undefined : word
}

/** An address as a parameter, in ASCII, for instance `207.46.106.118:1863`. */
export const FromWire = parameter(Address, { description: "an address, HOST:PORT", read, write })
