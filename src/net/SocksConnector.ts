/**
 * Connects by way of a SOCKS proxy: version 4, 4a or 5, with a user or without.
 *
 * The connection to the proxy is our own, and the package `socks` talks on it until the proxy is through; from then on it
 * is like any other. Who gives up on the way leaves nothing behind.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import * as Dns from "node:dns"
import * as Net from "node:net"
import * as Url from "node:url"
import * as Socks from "socks"
import * as Address from "../protocol/Address.ts"
import * as Connector from "./Connector.ts"
import * as Tcp from "./internal/tcp.ts"

/** A user or a password as SOCKS carries them: 1 to 255 bytes, none of them zero. */
export const Word = Schema.NonEmptyString.check(
  Schema.makeFilter((text) => !text.includes("\0") && Buffer.byteLength(text) <= 255, {
    expected: "1 to 255 bytes, none of them zero",
  }),
).pipe(Schema.brand("SocksWord"))
export type Word = typeof Word.Type

/** Who asks a proxy of version 5. */
export interface Login {
  readonly user: Word
  readonly password: Redacted.Redacted<Word>
}

/** A proxy, and who asks it: version 4 knows users, but no passwords. */
export type Proxy =
  /** It goes to IPv4 only; names are resolved here. */
  | { readonly _tag: "Socks4"; readonly address: Address.Address; readonly user: Option.Option<Word> }
  /** It resolves names itself. */
  | { readonly _tag: "Socks4a"; readonly address: Address.Address; readonly user: Option.Option<Word> }
  /** It resolves names itself. */
  | { readonly _tag: "Socks5"; readonly address: Address.Address; readonly login: Option.Option<Login> }

/** The port of SOCKS (IANA, RFC 1928). */
export const defaultPort = 1080

/** How to use a proxy; names are those that are resolved here: the proxy's own, and with version 4 the server's. */
export interface Options extends Connector.Options {
  /**
   * How long it may take until the proxy is through; by default 8 seconds, less than a client gives a connection, so that
   * it can be told that it was the proxy.
   */
  readonly timeout?: Duration.Input
}

/** The longest that a timer of Node runs, in milliseconds. */
const maxTimer = 2 ** 31 - 1

/** What a proxy does, and whose trouble that is. */
type Doing = readonly [does: string, seems: Connector.Fault]

const noSocks: Doing = ["does not speak this version of SOCKS", "Ours"]

/** What the package's errors mean; the answers of version 5 are those of RFC 1928. */
const meanings: { readonly [message: string]: Doing } = {
  "Received invalid Socks5 initial handshake (invalid socks version)": noSocks,
  "Received invalid Socks5 initial handshake (no accepted authentication type)": ["asks for other credentials", "Ours"],
  "Received invalid Socks5 initial handshake (unknown authentication type)": noSocks,
  "Socks4 Proxy rejected connection - (Failed)": ["could not or would not go there", "Unclear"],
  "Socks4 Proxy rejected connection - (Rejected)": ["cannot find out who asks", "Ours"],
  "Socks4 Proxy rejected connection - (RejectedIdent)": ["does not believe who asks", "Ours"],
  "Socks4 Proxy rejected connection - (undefined)": noSocks,
  "Socks5 Authentication failed": ["does not accept the user and password", "Ours"],
  "Socks5 proxy rejected connection - AddressNotSupported": ["does not go to such addresses", "Ours"],
  "Socks5 proxy rejected connection - CommandNotSupported": ["makes no connections", "Ours"],
  "Socks5 proxy rejected connection - ConnectionRefused": ["says that nothing listens there", "Theirs"],
  "Socks5 proxy rejected connection - Failure": ["could not go there", "Unclear"],
  "Socks5 proxy rejected connection - Granted": noSocks,
  "Socks5 proxy rejected connection - HostUnreachable": ["says that there is no way to that host", "Unclear"],
  "Socks5 proxy rejected connection - NetworkUnreachable": ["says that there is no way to that network", "Unclear"],
  "Socks5 proxy rejected connection - NotAllowed": ["does not allow that connection", "Ours"],
  "Socks5 proxy rejected connection - TTLExpired": ["says that it did not answer", "Unclear"],
  "Socks5 proxy rejected connection - undefined": noSocks,
}

/**
 * Connects by way of this proxy.
 *
 * @keeps connect.socks
 */
export const make = (proxy: Proxy, options: Options = {}): Connector.Connector => ({
  pings: "Carried",
  connect: (to, admits = () => true) => {
    const settled = { lookup: Dns.lookup, timeout: "8 seconds", ...options } as const
    return proxy._tag === "Socks4" ? connectToIpv4(proxy, to, settled, admits) : connectTo(proxy, to, settled)
  },
})

/** No connection, for a reason that is on the way. */
const noWay = (to: Address.Address, why: string, seems: Connector.Fault) =>
  new Connector.ConnectError({ tried: [Connector.attempt(to, why, seems)] })

/** How to use a proxy, with what is so where nothing is said. */
type Settled = Options & Required<Pick<Options, "lookup" | "timeout">>

/** Connects to the first of a host's IPv4 addresses that the proxy comes through to. */
const connectToIpv4 = Effect.fnUntraced(function* (
  proxy: Proxy,
  to: Address.Address,
  options: Settled,
  admits: Connector.Admits,
): Effect.fn.Return<Socket.Socket, Connector.ConnectError, Scope.Scope> {
  const lookup = Connector.admitting(options.lookup, admits)
  const addresses = yield* Effect.callback<ReadonlyArray<string>, Connector.ConnectError>((resume) =>
    lookup(to.host, { family: 4, all: true }, (error, found) => {
      if (error !== null) return resume(Effect.fail(Connector.fromSystem(error, to)))
      const all = typeof found === "string" ? [found] : found.map(({ address }) => address)
      // Of a host that is numeric the system says what it is, whatever family was asked for.
      resume(Effect.succeed(all.filter(Address.isIpv4Host)))
    }),
  )
  if (!Arr.isReadonlyArrayNonEmpty(addresses)) return yield* noWay(to, "SOCKS 4 goes to IPv4 only", "Ours")
  return yield* Effect.forEach(addresses, (host) =>
    Effect.flip(connectTo(proxy, { host, port: to.port }, options, to)),
  ).pipe(
    Effect.flip,
    Effect.mapError((errors) => new Connector.ConnectError({ tried: Arr.flatMap(errors, ({ tried }) => tried) })),
  )
})

/**
 * Connects to a numeric address, or to a name that the proxy knows. A certificate must be for what was meant: whoever answers
 * for a name may say any number.
 */
const connectTo = (
  proxy: Proxy,
  to: Address.Address,
  options: Settled,
  meant: Address.Address = to,
): Effect.Effect<Socket.Socket, Connector.ConnectError, Scope.Scope> =>
  Effect.suspend(() => {
    // The package takes a name for as many bytes as it has letters.
    const host = Net.isIP(to.host) === 0 ? Url.domainToASCII(to.host) : to.host
    if (host === "") return noWay(to, "that is no name of a host", "Ours")
    const it = `the proxy ${Address.format(proxy.address)}`
    /** Whose trouble it is if it breaks off here: version 5 says at once that it is there, version 4 waits for the server. */
    let fault: Connector.Fault = "Ours"
    /** Whether the proxy is through: what goes wrong from then on is between us and the server. */
    let isThrough = false

    const timeout = Duration.toMillis(options.timeout)
    const settle: Tcp.Settle = (conn, take, failed) => {
      if (proxy._tag !== "Socks5") fault = "Unclear"
      conn.once("data", () => (fault = "Unclear"))
      const closed = () => failed(new Error("it closed the connection"))
      conn.once("end", closed)
      const asking: Socks.SocksClientOptions = {
        command: "connect",
        destination: { host, port: to.port },
        proxy: { ...proxy.address, type: proxy._tag === "Socks5" ? 5 : 4, ...credentialsOf(proxy) },
        existing_socket: conn,
        // The package keeps everything until this is over, whatever becomes of the connection.
        timeout: Math.min(timeout, maxTimer),
      }
      void Socks.SocksClient.createConnection(asking, (error) => {
        conn.off("end", closed)
        if (error !== null) return failed(error)
        isThrough = true
        // What came in with the proxy's answer comes again, by the package's doing, before this is carried out.
        setImmediate(take())
      })
    }

    return Tcp.connect(proxy.address, { ...Connector.tcpOptions(options, meant), settle }).pipe(
      Effect.mapError((error) => {
        if (isThrough) return Connector.fromSystem(error, to)
        const meaning = meanings[error.message]
        if (meaning !== undefined) return noWay(to, `${it} ${meaning[0]}`, meaning[1])
        const whys = Connector.fromSystem(error, proxy.address).tried.map(({ why }) => why)
        return noWay(to, `${it} cannot be used: ${Arr.dedupe(whys).join(", ")}`, fault)
      }),
      Effect.timeoutOrElse({
        duration: timeout,
        orElse: () =>
          isThrough
            ? new Connector.ConnectError({ tried: [Connector.unanswered(to)] })
            : noWay(to, `${it} did not answer`, fault),
      }),
    )
  })

const credentialsOf = (proxy: Proxy): { readonly userId?: string; readonly password?: string } => {
  switch (proxy._tag) {
    case "Socks4":
    case "Socks4a":
      return Option.match(proxy.user, { onNone: () => ({}), onSome: (userId) => ({ userId }) })
    case "Socks5":
      return Option.match(proxy.login, {
        onNone: () => ({}),
        onSome: ({ password, user }) => ({ userId: user, password: Redacted.value(password) }),
      })
  }
}
