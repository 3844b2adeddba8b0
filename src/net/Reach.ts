/**
 * How near an address is: on this machine, on its link, in a private network, or out in public.
 *
 * A server that refers a client elsewhere could have it knock on doors that are open to the client alone. What a client
 * makes of that is decided in `LoginClient`.
 */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"

/** From the nearest to the farthest; Nowhere is what nobody can be connected to: multicast, broadcast, reserved. */
const reaches = ["Nowhere", "Loopback", "Link", "Private", "Public"] as const
export type Reach = (typeof reaches)[number]

/** The networks that are not public, by the registries of special-purpose addresses (RFC 6890); the first match counts. */
const networks = (
  [
    // To connect to 0.0.0.0 or to :: is to connect to this machine.
    ["Loopback", ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"]],
    ["Link", ["169.254.0.0/16", "fe80::/10"]],
    ["Private", ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15"]],
    ["Private", ["64:ff9b:1::/48", "fc00::/7", "fec0::/10"]],
    ["Nowhere", ["224.0.0.0/4", "240.0.0.0/4", "ff00::/8"]],
  ] as const
).flatMap(([reach, cidrs]) => cidrs.map((cidr) => ({ reach, network: IpNetwork.fromStringUnsafe(cidr) })))

/** IPv4 in IPv6: as the system maps it (RFC 4291), as it did once, and as a translator at 64:ff9b::/96 does (RFC 6052). */
const carriers = ["::ffff:0:0/96", "::/96", "64:ff9b::/96"].map(IpNetwork.fromStringUnsafe)

const ofIp = (ip: NetAddress.IpAddress): Reach => {
  const special = networks.find(({ network }) => IpNetwork.contains(network, ip))
  if (special !== undefined) return special.reach
  return NetAddress.isIpv6Address(ip) && carriers.some((carrier) => IpNetwork.contains(carrier, ip))
    ? ofIp(NetAddress.ipv4FromBytesUnsafe(Uint8Array.from(NetAddress.ipv6ToOctets(ip).slice(12))))
    : "Public"
}

/** How near a host is; none for a name that has yet to be resolved. `localhost` is this machine (RFC 6761). */
export const ofHost = (host: string): Option.Option<Reach> => {
  if (/^(.+\.)?localhost\.?$/i.test(host)) return Option.some("Loopback")
  // A zone is how a link is called here.
  return Option.map(Option.getSuccess(NetAddress.ipFromString(host.replace(/%.*$/, ""))), ofIp)
}

/** Whether one is at least as far away as the other. */
export const isNoNearer = (one: Reach, other: Reach): boolean => reaches.indexOf(one) >= reaches.indexOf(other)

/** Where such an address is, in a few words. */
export const describe: { readonly [reach in Reach]: string } = {
  Nowhere: "an address of no host",
  Loopback: "on this machine",
  Link: "on this link",
  Private: "in a private network",
  Public: "in public",
}

/** Looks at each address of one server before it is gone to. */
export interface Gate {
  /** Whether a host may be gone to: a numeric address, or a name of this machine. */
  readonly admits: (host: string) => boolean
  /** Where the server is that may not be gone to; none as long as one of its addresses may, or none is known. */
  readonly refused: () => Option.Option<Reach>
  /** How far away the server is: of several addresses, as the farthest; where none is known, it is taken for public. */
  readonly farthest: () => Reach
}

/** A gate for what is no nearer than this. */
export const gate = (nearest: Reach): Gate => {
  let met: Option.Option<Reach> = Option.none()
  return {
    admits: (host) => {
      const reach = Option.getOrElse(ofHost(host), (): Reach => "Public")
      if (Option.isNone(met) || isNoNearer(reach, met.value)) met = Option.some(reach)
      return isNoNearer(reach, nearest)
    },
    refused: () => Option.filter(met, (reach) => !isNoNearer(reach, nearest)),
    farthest: () => Option.getOrElse(met, (): Reach => "Public"),
  }
}
