/**
 * Where a server is to listen, as the command line says it: `HOST:PORT`, with `,advertise=IPV4:PORT` and `,plain` behind it
 * where that is wanted, or `none`; and which networks it trusts.
 */
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import type { Endpoint } from "../net/Network.ts"
import type * as Tls from "../net/Tls.ts"
import * as Address from "../protocol/Address.ts"

/** What an address must look like. */
export const expected = "HOST:PORT, HOST:PORT,advertise=IPV4:PORT, either with ,plain behind it, or none"

/** A host and a port, both named. */
export const parseAddress = (text: string): Option.Option<Address.Address> =>
  /:[0-9]+$/.test(text) ? Address.parse(text) : Option.none()

/** A numeric IPv4 address and a port: all that old clients can parse. */
export const parseIpv4 = (text: string): Option.Option<Address.Address> =>
  Option.filter(parseAddress(text), Address.isIpv4)

/** Where a server is to listen, and how it speaks: over TLS if the process has a certificate, or in clear text even so. */
export interface Place extends Omit<Endpoint, "tls"> {
  readonly speaks: "AsItCan" | "ClearText"
}

/** Where a server is to listen; none where it is not to. */
export const parse = (text: string): Option.Option<Option.Option<Place>> => {
  if (text === "none") return Option.some(Option.none())
  const parts = /^([^,]+)(?:,advertise=([^,]+))?(,plain)?$/.exec(text)
  if (parts === null) return Option.none()
  const [, address = "", advertise, plain] = parts
  const speaks = plain === undefined ? "AsItCan" : "ClearText"
  const listen = parseAddress(address)
  if (advertise === undefined) {
    return Option.map(listen, (listen) => Option.some({ listen, advertise: Option.none(), speaks }))
  }
  return Option.zipWith(listen, parseIpv4(advertise), (listen, advertise) =>
    Option.some({ listen, advertise: Option.some(advertise), speaks }),
  )
}

/** The endpoint of a place, where the process has this certificate, if it has one. */
export const endpointOf =
  (tls: Option.Option<Tls.Server>) =>
  ({ speaks, ...place }: Place): Endpoint =>
    Option.match(tls, {
      onNone: () => place,
      onSome: (tls) => (speaks === "AsItCan" ? { ...place, tls } : place),
    })

/** What a network must look like. */
export const expectedNetwork = "a network such as 10.0.0.0/8 or fd00::/8; /32 or /128 for a single address"

/** A network in CIDR. */
export const parseNetwork = (text: string): Option.Option<IpNetwork.IpNetwork> =>
  Option.getSuccess(IpNetwork.fromString(text))
