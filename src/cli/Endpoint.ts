/**
 * Where a server is to listen, as the command line says it: `HOST:PORT`, `HOST:PORT,advertise=IPV4:PORT` or `none`; and
 * which networks it trusts.
 */
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import type { Endpoint } from "../net/Network.ts"
import * as Address from "../protocol/Address.ts"

/** What an address must look like. */
export const expected = "HOST:PORT, HOST:PORT,advertise=IPV4:PORT or none"

/** A host and a port, both named. */
export const parseAddress = (text: string): Option.Option<Address.Address> =>
  /:[0-9]+$/.test(text) ? Address.parse(text) : Option.none()

/** A numeric IPv4 address and a port: all that old clients can parse. */
export const parseIpv4 = (text: string): Option.Option<Address.Address> =>
  Option.filter(parseAddress(text), Address.isIpv4)

/** Where a server is to listen; none where it is not to. */
export const parse = (text: string): Option.Option<Option.Option<Endpoint>> => {
  if (text === "none") return Option.some(Option.none())
  const [address = "", advertise, ...more] = text.split(",advertise=")
  if (more.length > 0) return Option.none()
  const listen = parseAddress(address)
  if (advertise === undefined) {
    return Option.map(listen, (listen) => Option.some({ listen, advertise: Option.none() }))
  }
  return Option.zipWith(listen, parseIpv4(advertise), (listen, advertise) =>
    Option.some({ listen, advertise: Option.some(advertise) }),
  )
}

/** What a network must look like. */
export const expectedNetwork = "a network such as 10.0.0.0/8 or fd00::/8; /32 or /128 for a single address"

/** A network in CIDR. */
export const parseNetwork = (text: string): Option.Option<IpNetwork.IpNetwork> =>
  Option.getSuccess(IpNetwork.fromString(text))
