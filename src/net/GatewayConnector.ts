/**
 * Connections through an HTTP gateway: bytes go out with requests, and come in with their answers.
 *
 * One request is out at a time. What is written meanwhile is gathered for the next one; where nothing is written, the
 * gateway is polled for what the server has said. Each answer names the session anew, and may name another host for the
 * next request.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Dns from "node:dns"
import type * as Net from "node:net"
import * as Address from "../protocol/Address.ts"
import * as Gateway from "../protocol/Gateway.ts"
import * as Connector from "./Connector.ts"
import * as Channel from "./internal/channel.ts"
import * as Courier from "./internal/courier.ts"
import * as Reach from "./Reach.ts"
import * as Tls from "./Tls.ts"

/** How to connect through a gateway; names are those of gateways. */
export interface Options extends Connector.Options {
  /** Where the gateway is; the usual port is {@link Gateway.defaultPort}. */
  readonly gateway: Address.Address
  /** How long it is left in peace where there is nothing to say; by default 2 seconds, as official clients did. */
  readonly pollInterval?: Duration.Input
  /** How long it may take for an answer; by default 30 seconds. */
  readonly answerTimeout?: Duration.Input
  /**
   * What the first request carries: nothing, as aMSN's did, so that a gateway that there is not is told as one that cannot
   * be connected to; or the first words, as official clients' did, which saves a round trip. By default nothing.
   */
  readonly opening?: "Empty" | "FirstWords"
  /**
   * Where an answer may send the next request: to a host no nearer to this machine than the gateway itself, as by default,
   * or anywhere. See `LoginClient.Options`.
   */
  readonly referrals?: "NoNearer" | "Anywhere"
}

type Settled = Options & Required<Omit<Options, "tls">>

const defaults = {
  pollInterval: "2 seconds",
  answerTimeout: "30 seconds",
  opening: "Empty",
  referrals: "NoNearer",
  lookup: Dns.lookup,
} as const

/** How much a request carries, in bytes: more than any command is long, and less than any gateway is known to refuse. */
const maxRequest = 16_384

/** How long an answer may be, in bytes: many times the longest lists. */
const maxAnswer = 4_194_304

/** How long an empty opening may take: less than a client gives a connection, so that it is told whose trouble it is. */
const openTimeout: Duration.Input = "8 seconds"

/** How long the last words may take, once nobody waits for an answer any more. */
const farewellTimeout: Duration.Input = "1 second"

/** What the official client's requests said of themselves, but that we read no compressed answers. */
const headers = {
  accept: "*/*",
  "accept-language": "en-us",
  "user-agent": "MSMSGS",
  "proxy-connection": "Keep-Alive",
  pragma: "no-cache",
}

/**
 * Connects through a gateway, which is told the host of the server that is meant; its port is the gateway's business.
 *
 * PNG does not go through: the live gateways took it for an error.
 */
export const make = (options: Options): Connector.Connector => ({
  pings: "Refused",
  connect: (to) => open({ ...defaults, ...options }, to),
})

const open = Effect.fnUntraced(function* (
  options: Settled,
  to: Address.Address,
): Effect.fn.Return<Socket.Socket, Connector.ConnectError, Scope.Scope> {
  const exchange = yield* exchanging(options, to)
  const courier = yield* Courier.make(() => {})
  if (options.opening === "Empty") {
    const answer = yield* Effect.timeoutOrElse(exchange(nothing), {
      duration: openTimeout,
      orElse: () => Effect.fail(unanswered(options.gateway)),
    })
    yield* courier.deliver(Option.getOrElse(answer, () => nothing))
  }

  let isSaying = false
  const carry = Effect.gen(function* () {
    while (true) {
      yield* Effect.timeoutOption(courier.ready, options.pollInterval)
      isSaying = courier.isLaden()
      if (!isSaying && !courier.isSpeaking()) break
      const answer = yield* exchange(courier.collect(maxRequest))
      if (Option.isNone(answer)) break
      yield* courier.deliver(answer.value)
    }
    courier.end(Channel.closed)
  })
  const carrying = yield* Effect.forkScoped(
    Effect.catch(carry, (cause) =>
      Effect.sync(() => courier.end(new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) }))),
    ),
  )
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      courier.silence()
      const isUnfinished = isSaying || courier.isLaden()
      return isUnfinished ? Effect.timeoutOption(Fiber.await(carrying), farewellTimeout) : Effect.void
    }),
  )
  return courier.socket
})

const nothing = new Uint8Array(0)

/** Sends a request, for the session that the answer before has named, and reads the answer; none where that is over. */
const exchanging = Effect.fnUntraced(function* (
  { answerTimeout, gateway, lookup, referrals, tls }: Settled,
  to: Address.Address,
): Effect.fn.Return<
  (said: Uint8Array) => Effect.Effect<Option.Option<Uint8Array>, Connector.ConnectError>,
  never,
  Scope.Scope
> {
  const itself = Reach.gate("Nowhere")
  let gate = itself
  const lookUp: Net.LookupFunction = (...asked) => Connector.admitting(lookup, gate.admits)(...asked)
  const agent = yield* NodeHttpClient.makeAgent({
    keepAlive: true,
    lookup: lookUp,
    ...(tls === undefined ? {} : Tls.connecting(tls, gateway)),
  })
  const scheme = tls === undefined ? "http" : "https"
  const client = HttpClient.withScope(
    yield* Effect.provideService(NodeHttpClient.makeNodeHttp, NodeHttpClient.HttpAgent, agent),
  )
  let host = gateway.host
  if (Option.isSome(Reach.ofHost(host))) itself.admits(host)
  let sessionId = Option.none<string>()
  const at = () => ({ host, port: gateway.port })

  return (said) =>
    Effect.gen(function* () {
      const query = Gateway.formatQuery(
        Option.match(sessionId, {
          onNone: () => ({ _tag: "Open", host: to.host }),
          onSome: (sessionId) => ({ _tag: said.length > 0 ? "Say" : "Poll", sessionId }),
        }),
      )
      const request = HttpClientRequest.post(`${scheme}://${Address.format(at())}${Gateway.path}?${query}`, { headers })
      const response = yield* client.execute(HttpClientRequest.bodyUint8Array(request, said, Gateway.contentType))
      if (response.status === 400 && Option.isSome(sessionId)) return Option.none()
      if (response.status !== 200) return yield* refusal(at(), `it answered with HTTP ${response.status}`)
      const session = Option.flatMap(Headers.get(response.headers, Gateway.sessionHeader), Gateway.parseSession)
      const type = response.headers["content-type"] ?? Gateway.contentType
      if (Option.isNone(session) || !type.startsWith(Gateway.contentType)) {
        return yield* refusal(at(), "it answered, but not as a gateway does")
      }
      const bytes = yield* response.arrayBuffer
      sessionId = Option.some(session.value.sessionId)
      if (referrals === "NoNearer") gate = Reach.gate(itself.farthest())
      const next = Option.getOrElse(session.value.host, () => host)
      if (Option.isSome(Reach.ofHost(next)) && !gate.admits(next)) {
        return yield* refusal(at(), `it refers to ${next}, nearer than it is itself`)
      }
      host = next
      return Option.some(new Uint8Array(bytes))
    }).pipe(
      Effect.scoped,
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxAnswer)),
      Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
      Effect.catchTag("HttpClientError", ({ reason }) => Effect.fail(troubleOf(reason, at()))),
      Effect.timeoutOrElse({
        duration: answerTimeout,
        orElse: () => Effect.fail(unanswered(at())),
      }),
    )
})

/** What went wrong with a request, without the request. */
const troubleOf = (reason: HttpClientError.HttpClientError["reason"], gateway: Address.Address) => {
  const { _tag, cause } = reason
  if (_tag === "TransportError" && cause instanceof Error) return Connector.fromSystem(cause, gateway)
  return refusal(
    gateway,
    cause instanceof NodeStream.MaxBytesError ? "its answer is too long" : "its answer cannot be read",
  )
}

const refusal = (gateway: Address.Address, why: string) =>
  new Connector.ConnectError({ tried: [Connector.attempt(gateway, why, "Theirs")] })

const unanswered = (gateway: Address.Address) => new Connector.ConnectError({ tried: [Connector.unanswered(gateway)] })
