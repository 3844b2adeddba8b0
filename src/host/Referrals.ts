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

/** A server that clients may be referred to, as it is now. */
export interface Candidate extends Server {
  /** Whether it takes clients now. */
  readonly isUp: () => boolean
  /** How many clients it has, as far as is known here. */
  readonly load: () => number
  /** Counts a client that is referred there, at a time in milliseconds that only passes, and is never set. */
  readonly refer: (now: number) => void
  /** The clients that were referred there and may not be in its load, each counting for less as time goes by. */
  readonly referred: (now: number) => number
}

/** How long a client that was referred to a server counts beside its load, in milliseconds: then it counts for a third. */
export const fading = {
  /** Where the load is known: until the client has come there, or has given up. */
  known: 10_000,
  /** Where nothing else is known: for as long as a session may well last. */
  unknown: 3_600_000,
} as const

/** A candidate, of which is known whether it is up, and how many clients it has. */
export const candidate = (
  server: Server,
  { fades, isUp, load }: Pick<Candidate, "isUp" | "load"> & { readonly fades: number },
): Candidate => {
  let tally = 0
  let asOf = 0
  const referred = (now: number) => tally * Math.exp(Math.min(0, asOf - now) / fades)
  return {
    ...server,
    isUp,
    load,
    referred,
    refer: (now) => {
      tally = referred(now) + 1
      asOf = now
    },
  }
}

/** A server elsewhere, of which nothing else is known than whether it is up. */
export const stranger = (server: Server, isUp: () => boolean = () => true): Candidate =>
  candidate(server, { isUp, load: () => 0, fades: fading.unknown })

/** The least loaded of the servers that are up and can be named to this client, and is counted; the name it has there. */
export const leastLoaded = (
  candidates: ReadonlyArray<Candidate>,
  reached: Address.Address,
  now: number,
): Option.Option<Address.Address> => {
  let best: { readonly candidate: Candidate; readonly name: Address.Address; readonly weight: number } | undefined
  for (const candidate of candidates) {
    const name = candidate.isUp() ? nameOf(candidate, reached) : Option.none()
    if (Option.isNone(name)) continue
    const weight = candidate.load() + candidate.referred(now)
    if (best === undefined || weight < best.weight) best = { candidate, name: name.value, weight }
  }
  best?.candidate.refer(now)
  return Option.fromUndefinedOr(best?.name)
}

/** Whether a server is bound to all addresses of its machine. */
export const isWildcard = ({ host }: Address.Address): boolean => wildcards.includes(host)

/** Whether there is a client to whom a server can be named. */
export const isNameable = ({ advertise, bound }: Server): boolean =>
  Option.match(advertise, { onNone: () => isWildcard(bound) || Address.isIpv4(bound), onSome: Address.isIpv4 })
