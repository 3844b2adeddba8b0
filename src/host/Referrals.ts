/**
 * Where a dispatch server refers its clients to, and which address it names.
 *
 * Period clients parse numeric IPv4 and a port, and nothing else: no other address is ever named.
 */
import * as Option from "effect/Option"
import * as Address from "../protocol/Address.ts"

/** Addresses that stand for all addresses of a machine, and so cannot be named to a client. */
const wildcards = ["0.0.0.0", "::"]

/** A server that clients can be told of. */
export interface Server {
  /** Where it listens. */
  readonly bound: Address.Address
  /** The address to name, where it is another. */
  readonly advertise: Option.Option<Address.Address>
}

/** A server that listens elsewhere, known by its address alone. */
export const elsewhere = (address: Address.Address): Server => ({ bound: address, advertise: Option.none() })

/**
 * The address of a server as a client is told it: the advertised one, else the one it is bound to, else, bound to
 * all addresses, the one on which that client has reached us. None where that is not numeric IPv4.
 */
export const nameOf = ({ advertise, bound }: Server, reached: Address.Address): Option.Option<Address.Address> =>
  Option.filter(
    Option.orElseSome(advertise, () => (isWildcard(bound) ? { ...bound, host: reached.host } : bound)),
    Address.isIpv4,
  )

/** Whether a server is bound to all addresses of its machine. */
export const isWildcard = ({ host }: Address.Address): boolean => wildcards.includes(host)

/** Whether there is a client to whom a server can be named. */
export const isNameable = ({ advertise, bound }: Server): boolean =>
  Option.match(advertise, { onNone: () => isWildcard(bound) || Address.isIpv4(bound), onSome: Address.isIpv4 })
