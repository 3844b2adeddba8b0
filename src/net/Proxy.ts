/**
 * What a client goes through to its servers, as a person writes it down: a SOCKS proxy, or an HTTP gateway.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Address from "../protocol/Address.ts"
import * as Gateway from "../protocol/Gateway.ts"
import * as Connector from "./Connector.ts"
import * as GatewayConnector from "./GatewayConnector.ts"
import * as SocksConnector from "./SocksConnector.ts"
import * as Tls from "./Tls.ts"

/** What to go through. */
export type Proxy = SocksConnector.Proxy | { readonly _tag: "Gateway"; readonly address: Address.Address }

/** What {@link parse} reads, for a person who has to write it; user, password and port may be left out. */
export const forms: ReadonlyArray<string> = [
  "socks5://USER:PASSWORD@HOST:PORT",
  "socks4a://USER@HOST:PORT",
  "socks4://USER@HOST:PORT",
  "http://HOST:PORT",
]

const tags: { readonly [scheme: string]: Proxy["_tag"] } = {
  "socks4:": "Socks4",
  "socks4a:": "Socks4a",
  "socks5:": "Socks5",
  "socks5h:": "Socks5",
  "http:": "Gateway",
}

const unescape = Option.liftThrowable(decodeURIComponent)

const toWord = (escaped: string): Option.Option<SocksConnector.Word> =>
  Option.flatMap(unescape(escaped), Schema.decodeOption(SocksConnector.Word))

/**
 * Reads a URL of one of the {@link forms}; none for anything else.
 *
 * IPv6 stands in brackets, and a percent sign before the code of what a URL cannot hold in a user or a password. A SOCKS
 * proxy that is told without a port has 1080, a gateway 80. `socks5h` is `socks5`: the proxy resolves names at any rate.
 */
export const parse = (text: string): Option.Option<Proxy> =>
  Option.gen(function* () {
    const url = yield* Option.fromNullOr(URL.parse(text))
    const _tag = yield* Option.fromUndefinedOr(tags[url.protocol])
    const defaultPort = _tag === "Gateway" ? Gateway.defaultPort : SocksConnector.defaultPort
    const host = yield* unescape(url.hostname)
    const address = yield* Address.parse(`${host}:${url.port === "" ? defaultPort : url.port}`)
    if (address.port === 0 || !["", "/"].includes(url.pathname + url.search + url.hash)) return yield* Option.none()

    const given = url.password === "" ? [url.username].filter((user) => user !== "") : [url.username, url.password]
    const [user, password] = yield* Option.all(given.map(toWord))
    switch (_tag) {
      case "Socks4":
      case "Socks4a":
        return password === undefined ? { _tag, address, user: Option.fromUndefinedOr(user) } : yield* Option.none()
      case "Socks5":
        if (user === undefined) return { _tag, address, login: Option.none() }
        return password === undefined
          ? yield* Option.none()
          : { _tag, address, login: Option.some({ user, password: Redacted.make(password, { label: "password" }) }) }
      case "Gateway":
        return user === undefined ? { _tag, address } : yield* Option.none()
    }
  })

/** A proxy as {@link parse} reads it, but for the password, which is never shown. */
export const format = (proxy: Proxy): string => {
  const url = (scheme: string, user: Option.Option<string>): string => {
    const who = Option.match(user, { onNone: () => "", onSome: (user) => `${encodeURIComponent(user)}@` })
    return `${scheme}://${who}${Address.format(proxy.address)}`
  }
  switch (proxy._tag) {
    case "Socks4":
      return url("socks4", proxy.user)
    case "Socks4a":
      return url("socks4a", proxy.user)
    case "Socks5":
      return url(
        "socks5",
        Option.map(proxy.login, ({ user }) => user),
      )
    case "Gateway":
      return url("http", Option.none())
  }
}

/** How to use a proxy: over TLS, which then is the gateway's or else the servers', and to where a gateway may send us. */
export type Options = Pick<GatewayConnector.Options, "tls" | "referrals">

/** Connects through it. */
export const connector = (proxy: Proxy, options: Options = {}): Connector.Connector =>
  proxy._tag === "Gateway"
    ? GatewayConnector.make({ gateway: proxy.address, ...options })
    : SocksConnector.make(proxy, options)

/** How to get to a network. */
export interface Way extends Omit<Options, "tls"> {
  /** The server to begin with. */
  readonly server: Address.Address
  readonly proxy: Option.Option<Proxy>
  /** Over TLS, and whom to trust; in clear text where there is nothing. */
  readonly tls: Option.Option<Pick<Tls.Trust, "authority">>
}

/**
 * Connects that way. Over TLS, a certificate must be for the host of the server to begin with, as it is named there, or of
 * the gateway.
 */
export const connectorOf = ({
  proxy,
  server,
  tls,
  ...others
}: Way): Effect.Effect<Connector.Connector, Tls.CertificateError> => {
  const gateway = Option.filter(proxy, ({ _tag }) => _tag === "Gateway")
  const { host } = Option.match(gateway, { onNone: () => server, onSome: ({ address }) => address })
  const options = Option.match(tls, {
    onNone: () => Effect.succeed({}),
    onSome: ({ authority }) => Effect.map(Tls.client({ name: host, authority }), (tls) => ({ tls })),
  })
  return Effect.map(options, (options) =>
    Option.match(proxy, {
      onNone: () => Connector.make(options),
      onSome: (proxy) => connector(proxy, { ...others, ...options }),
    }),
  )
}
