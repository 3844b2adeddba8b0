/**
 * An HTTP gateway as one more listener: a client's session with it is a connection like any other, and whoever serves the
 * connections does not know the difference.
 *
 * The gateway leads to this very server and nowhere else, whatever address a client names. Each answer names the session
 * anew; one request is answered at a time, and who names a session that there is not, or is not any more, is told 400.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Latch from "effect/Latch"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Limits from "../host/Limits.ts"
import * as Throttle from "../host/Throttle.ts"
import * as Address from "../protocol/Address.ts"
import * as Gateway from "../protocol/Gateway.ts"
import * as Channel from "./internal/channel.ts"
import * as Courier from "./internal/courier.ts"
import * as Serving from "./internal/http.ts"
import * as Limited from "./internal/limited.ts"
import * as Tcp from "./internal/tcp.ts"
import type * as LoginServer from "./LoginServer.ts"
import type * as Tls from "./Tls.ts"

/** Where a gateway is to listen, and how. */
export interface Options {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  /** The host that clients are told (`GW-IP`) for their next requests; by default, the one at which they reached us. */
  readonly advertise: Option.Option<string>
  /** The networks of HTTP proxies that are believed when they say for whom they ask (`X-Forwarded-For`). */
  readonly trustedProxies: ReadonlyArray<IpNetwork.IpNetwork>
  /** Over TLS (https), and with which certificate; in clear text where there is nothing. */
  readonly tls?: Tls.Server
}

/** How long requests under way may take at the end, once no session is left. */
const closingTimeout: Duration.Input = "2 seconds"

/** A session of a client with the gateway. */
interface Session {
  /** Passes on what a request carries, and answers it. */
  readonly exchange: (body: Effect.Effect<Uint8Array, Refusal>) => Effect.Effect<Answer, Refusal>
  /** Lets it go, whatever it still has to say. */
  readonly drop: () => void
  readonly isOver: () => boolean
}

/** What a request is answered with. */
interface Answer {
  readonly words: Uint8Array
  /** For the next request. */
  readonly sessionId: string
}

/** What a request is answered with instead, and a word for whoever sent it by hand. */
interface Refusal {
  readonly status: 400 | 404 | 405 | 413 | 503
  readonly why: string
}

const refuse = (status: Refusal["status"], why: string): Effect.Effect<never, Refusal> => Effect.fail({ status, why })

const tooMany = refuse(503, "There are too many sessions already.")

/**
 * Listens until the scope closes. Then nobody comes in any more, and the last words of each session wait until they are
 * fetched, or the time for it has passed. `Limits` says what is put up with, and the `Throttle` that is provided, or else
 * one of its own, counts the HTTP connections: a trusted proxy's are not counted.
 */
export const listen = Effect.fnUntraced(function* (
  options: Options,
): Effect.fn.Return<LoginServer.Listener, LoginServer.ListenError, Scope.Scope> {
  const limits = yield* Limits.Current
  // Node takes whole milliseconds alone.
  const keepAliveTimeout = Math.ceil(Duration.toMillis(limits.gatewayKeepAliveTimeout))
  const requestTimeout = Math.ceil(Duration.toMillis(limits.gatewayRequestTimeout))
  const throttle = yield* Throttle.orInMemory()
  const limited = yield* Limited.make(throttle)
  const sessions = new Map<string, Session>()
  const noneLeft = Latch.makeUnsafe(true)
  let isClosing = false
  /** Sessions that came before anybody took them. */
  const early: Array<Tcp.Accepted> = []
  let take = (accepted: Tcp.Accepted): void => void early.push(accepted)

  /** Opens a session, whose first request is still to be answered. */
  const begin = Effect.fnUntraced(function* ({ local, remote }: Ends) {
    let id = drawId()
    let isBusy = false
    let timer: NodeJS.Timeout | undefined
    let closed = () => {}

    const drop = () => {
      clearTimeout(timer)
      sessions.delete(id)
      if (sessions.size === 0) noneLeft.openUnsafe()
      courier.end(Channel.lost)
      closed()
    }
    /** Leaves the session to itself until the next request. */
    const rest = () => {
      clearTimeout(timer)
      if (!sessions.has(id)) return
      if (courier.isSpeaking()) timer = setTimeout(drop, Duration.toMillis(limits.gatewayIdleTimeout))
      else if (courier.isLaden()) timer = setTimeout(drop, Duration.toMillis(limits.gatewayFarewellTimeout))
      else drop()
    }
    const courier = yield* Courier.make(rest)

    const session: Session = {
      exchange: (body) =>
        Effect.suspend(() => {
          if (isBusy) return refuse(400, "Another request of this session is still to be answered.")
          isBusy = true
          clearTimeout(timer)
          return Effect.gen(function* () {
            const said = yield* body
            if (said.length > 0) {
              courier.expect()
              yield* courier.deliver(said)
              yield* Effect.timeoutOption(courier.ready, limits.gatewayAnswerTimeout)
            }
            sessions.delete(id)
            id = drawId()
            sessions.set(id, session)
            return { words: courier.collect(), sessionId: id }
          }).pipe(
            // What is too large does no harm; where anything else goes wrong, the client is gone.
            Effect.onError((cause) =>
              Option.exists(Cause.findErrorOption(cause), ({ status }) => status === 413)
                ? Effect.void
                : Effect.sync(drop),
            ),
            Effect.ensuring(
              Effect.sync(() => {
                isBusy = false
                rest()
              }),
            ),
          )
        }),
      drop,
      isOver: () => !courier.isSpeaking(),
    }
    sessions.set(id, session)
    noneLeft.closeUnsafe()
    take({
      socket: courier.socket,
      local,
      remote,
      refuse: drop,
      onClosed: (run) => void (closed = run),
    })
    return sessions.has(id) ? session : yield* tooMany
  })

  const exchange = Effect.fnUntraced(function* (
    asked: Gateway.Request,
    body: Effect.Effect<Uint8Array, Refusal>,
    ends: Ends,
  ): Effect.fn.Return<Answer, Refusal> {
    if (asked._tag !== "Open") {
      const session = sessions.get(asked.sessionId)
      return yield* session?.exchange(body) ?? refuse(400, "There is no such session, or not any more.")
    }
    const said = yield* body
    if (isClosing) return yield* refuse(503, "This server is going down.")
    if (sessions.size >= limits.gatewaySessions) {
      limited("gatewaySessions", ends.remote)
      return yield* tooMany
    }
    const session = yield* begin(ends)
    return yield* session.exchange(Effect.succeed(said))
  })

  const answer = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const asked = yield* askedBy(request)
    const ends = endsOf(request, options.trustedProxies)
    const body = Effect.tapError(bodyOf(request, limits.gatewayRequestBytes), ({ status }) =>
      Effect.sync(() => (status === 413 ? limited("gatewayRequestBytes", ends.remote) : undefined)),
    )
    const { sessionId, words } = yield* exchange(asked, body, ends)
    const host = Option.orElseSome(options.advertise, () => ends.local.host)
    // Not with the other headers, whose names lose their case: old clients look for this one as it is spelled here.
    NodeHttpServerRequest.toServerResponse(request).setHeader(
      Gateway.sessionHeader,
      Gateway.formatSession({ sessionId, host }),
    )
    return words
  }).pipe(
    Effect.match({
      onSuccess: (words) =>
        HttpServerResponse.uint8Array(words, {
          contentType: Gateway.contentType,
          ...(isClosing ? { headers: { connection: "close" } } : {}),
        }),
      onFailure: ({ status, why }) =>
        HttpServerResponse.text(`${why}\n`, { status, ...(status === 405 ? { headers: { allow: "POST" } } : {}) }),
    }),
    // Node has a limit only for what comes behind an answer that has gone out whole, and some never read theirs.
    Effect.tap(() =>
      Effect.map(HttpServerRequest.HttpServerRequest, (request) =>
        NodeHttpServerRequest.toIncomingMessage(request).socket.setTimeout(keepAliveTimeout),
      ),
    ),
    // Whoever vanishes interrupts the answer, and the session goes with it.
    Effect.interruptible,
  )

  const http = Http.createServer({
    keepAliveTimeout,
    requestTimeout,
    // Node looks for late requests every 30 s by itself: half of 60 s, and too seldom for a shorter time.
    connectionsCheckingInterval: Math.ceil(requestTimeout / 2),
  })
  http.on("connection", (conn) => {
    const remote = Tcp.endpoint(conn.remoteAddress, conn.remotePort)
    if (isTrusted(remote.host, options.trustedProxies)) return
    const counted = throttle.at(remote.host).connect()
    if (Result.isSuccess(counted)) conn.once("close", counted.success)
    else {
      conn.destroy()
      limited(counted.failure, remote)
    }
  })
  if (options.tls !== undefined) secure(http, options.tls.context)
  const address = yield* Serving.serve(http, { listen: options.listen, answer, closingTimeout })
  // Where nobody hears of upgrades, Node goes on with HTTP: else what comes with the request is lost, or waited for forever.
  http.removeAllListeners("upgrade")
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosing = true
      for (const session of sessions.values()) if (!session.isOver()) session.drop()
      // No session is left by then, but where the request that is to fetch the last words never all comes.
      return Effect.timeoutOption(noneLeft.await, limits.gatewayFarewellTimeout)
    }),
  )

  return {
    address,
    accept: (taking) => {
      take = taking
      early.forEach(taking)
      early.length = 0
    },
  }
})

/** Lets a server of HTTP speak over TLS: with its own limits from the first moment, so that no handshake outlasts them. */
const secure = (http: Http.Server, securing: Tcp.Securing): void => {
  const listeners = http.listeners("connection")
  http.removeAllListeners("connection")
  http.on("connection", (conn) => {
    const secured = Tcp.secure(conn, securing)
    for (const listener of listeners) listener.call(http, secured)
  })
}

/** Digits are drawn twelve at a time: this is the first number with thirteen. */
const thirteenDigits = 1_000_000_000_000

/** A session's next name: 35 digits that cannot be guessed (116 bits), parted as those of the live gateways were. */
const drawId = (): string => {
  const digits = Array.from({ length: 3 }, () => String(Crypto.randomInt(thirteenDigits)).padStart(12, "0")).join("")
  return `${digits.slice(0, 17)}.${digits.slice(17, 35)}`
}

/** Both ends of what a request belongs to. */
type Ends = Pick<Tcp.Accepted, "local" | "remote">

/** What a request asks for, if it asks for anything. */
const askedBy = ({ method, url }: HttpServerRequest.HttpServerRequest): Effect.Effect<Gateway.Request, Refusal> => {
  const [path = "", ...query] = url.split("?")
  if (path !== Gateway.path) return refuse(404, `Nothing is here; the gateway is at ${Gateway.path}.`)
  if (method !== "POST") return refuse(405, "A gateway is asked with POST.")
  return Option.match(Gateway.parseQuery(query.join("?")), {
    onNone: () => refuse(400, "This is no request that a gateway knows; it leads to a notification server (NS) alone."),
    onSome: Effect.succeed,
  })
}

/** What a request carries. */
const bodyOf = (request: HttpServerRequest.HttpServerRequest, maxRequest: number): Effect.Effect<Uint8Array, Refusal> =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxRequest)),
    Effect.mapBoth({
      onSuccess: (bytes) => new Uint8Array(bytes),
      onFailure: ({ reason }): Refusal =>
        reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
          ? { status: 413, why: `A request carries ${maxRequest} bytes at most.` }
          : { status: 400, why: "What the request carries cannot be read." },
    }),
  )

/** Who sends a request, and where it has reached us. A client's port is not its session's: there is none. */
const endsOf = (request: HttpServerRequest.HttpServerRequest, trusted: Options["trustedProxies"]): Ends => {
  const conn: Net.Socket = NodeHttpServerRequest.toIncomingMessage(request).socket
  const peer = Tcp.endpoint(conn.remoteAddress, conn.remotePort)
  return {
    local: Tcp.endpoint(conn.localAddress, conn.localPort),
    remote: { host: clientBehind(peer.host, request.headers["x-forwarded-for"] ?? "", trusted), port: 0 },
  }
}

const isTrusted = (host: string, trusted: Options["trustedProxies"]): boolean => {
  const ip = NetAddress.ipFromString(host)
  return Result.isSuccess(ip) && trusted.some((network) => IpNetwork.contains(network, ip.success))
}

/** For whom a peer asks: a proxy that is trusted is believed, and so is the one that it asks for, if it is trusted, too. */
const clientBehind = (peer: string, forwarded: string, trusted: Options["trustedProxies"]): string => {
  let client = peer
  for (const hop of forwarded.split(",").toReversed()) {
    const text = hop.trim()
    // Some proxies add the port.
    const { host } = Option.getOrElse(Address.parse(text), () => ({ host: text }))
    const next = NetAddress.ipFromString(host)
    if (Result.isFailure(next) || !isTrusted(client, trusted)) return client
    client = NetAddress.formatIp(NetAddress.toCanonical(next.success))
  }
  return client
}
