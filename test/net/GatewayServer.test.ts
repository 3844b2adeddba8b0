import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Socket from "effect/socket/Socket"
import * as Tracer from "effect/Tracer"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Limits from "../../src/host/Limits.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import * as GatewayServer from "../../src/net/GatewayServer.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Network from "../../src/net/Network.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as Peer from "../support/Peer.ts"
import * as RawHttp from "../support/RawHttp.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

const here: Address.Address = { host: "127.0.0.1", port: 0 }

/** Listens on a free port; who ends a test with words unfetched does not wait for them. */
const listen = ({ limits, ...options }: Gate = {}) =>
  GatewayServer.listen({ listen: here, advertise: Option.none(), trustedProxies: [], ...options }).pipe(
    Effect.provideService(Limits.Current, { ...Limits.defaults, gatewayFarewellTimeout: "5 millis", ...limits }),
    Effect.orDie,
  )

/** How a gateway is to listen, and what it puts up with. */
interface Gate extends Partial<GatewayServer.Options> {
  readonly limits?: Partial<Limits.Limits>
}

/** A gateway to a server of the example session's challenge. */
const serve = <R = never>(
  options: Gate = {},
  { admission = World.layerExample(), onSession }: Partial<Serving<R>> = {},
) =>
  Effect.gen(function* () {
    const listener = yield* listen(options)
    const served = yield* World.serve(listener, admission, {}, onSession)
    return { at: listener.address, sessions: served.sessions }
  })

interface Serving<R> {
  readonly admission: Layer.Layer<Admission.Admission>
  readonly onSession: LoginServer.OnSession<R>
}

/** A gateway whose connections a test takes itself. */
const take = (options: Gate = {}) =>
  Effect.gen(function* () {
    type Accepted = Parameters<Parameters<LoginServer.Listener["accept"]>[0]>[0]
    const came = yield* Queue.unbounded<Accepted>()
    const listener = yield* listen(options)
    listener.accept((accepted) => void Queue.offerUnsafe(came, accepted))
    return { at: listener.address, next: Queue.take(came) }
  })

/** What a connection ends with, once all has been read from it. */
const ending = ({ socket }: { readonly socket: Socket.Socket }) =>
  Effect.gen(function* () {
    const { pull } = yield* socket.reader
    const { reason } = yield* Effect.flip(Effect.forever(pull, { disableYield: true }))
    return reason._tag === "SocketCloseError" ? reason.code : reason._tag
  })

const challenged = "VER 1 MSNP7\r\nUSR 2 MD5 S 1013928519.693957190\r\n"
const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

/** Signs in over HTTP. */
const signIn = Effect.fnUntraced(function* (at: Address.Address) {
  const { client, first } = yield* RawHttp.begin(at, opening)
  assert.strictEqual(first.body + (first.body === challenged ? "" : yield* client.until(/USR 2 /)), challenged)
  assert.strictEqual((yield* client.say(answer)).body, ok)
  return client
})

/** Decides when it is told to. */
const layerWaiting = Effect.gen(function* () {
  const go = yield* Deferred.make<void>()
  const asked = yield* Deferred.make<void>()
  const admit: Admission.Admission["Service"]["admit"] = () =>
    Deferred.succeed(asked, undefined).pipe(
      Effect.andThen(Deferred.await(go)),
      Effect.as({ _tag: "Challenge", challenge: World.challenge } as const),
    )
  const layer = Layer.succeed(Admission.Admission, { admit, judge: () => Effect.die("nobody gets there") })
  return { go: Deferred.succeed(go, undefined), asked: Deferred.await(asked), layer }
})

describe("a gateway", { tags: ["connect.http"] }, () => {
  // The captured request (hypothetic.org 2.1), byte for byte but for the dialect, which is older here.
  const captured = [
    "POST http://gateway.messenger.hotmail.com/gateway/gateway.dll?Action=open&Server=NS&IP=messenger.hotmail.com HTTP/1.1",
    "Accept: */*",
    "Accept-Language: en-us",
    "Accept-Encoding: gzip, deflate",
    "User-Agent: MSMSGS",
    "Host: gateway.messenger.hotmail.com",
    "Proxy-Connection: Keep-Alive",
    "Connection: Keep-Alive",
    "Pragma: no-cache",
    "Content-Type: application/x-msn-messenger",
    "Content-Length: 18",
    "",
    "VER 5 MSNP7 CVR0\r\n",
  ].join("\r\n")

  it.live("lets in whoever asks as the official client did, on one connection, to its last poll", () =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(captured)
      const first = yield* message
      assert.match(first.head, /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(first.head, /\r\nX-MSN-Messenger: SessionID=[0-9]+\.[0-9]+; GW-IP=127\.0\.0\.1\r\n/)
      assert.match(first.head, /\r\nContent-Type: application\/x-msn-messenger\r\n/i)
      assert.match(first.head, /\r\nContent-Length: 18\r\n/i)
      assert.strictEqual(first.body, "VER 5 MSNP7 CVR0\r\n")

      const next = (query: string, body: string) =>
        captured
          .replace("gateway.messenger.hotmail.com/", "127.0.0.1/")
          .replace(/\?[^ ]*/, `?${query}`)
          .replace("Content-Length: 18", `Content-Length: ${body.length}`)
          .replace(/\r\n\r\n[^]*/, `\r\n\r\n${body}`)
      yield* say(next(`SessionID=${RawHttp.sessionOf(first).sessionId}`, "USR 6 MD5 I alice@hotmail.com\r\n"))
      const second = yield* message
      assert.strictEqual(second.body, "USR 6 MD5 S 1013928519.693957190\r\n")
      yield* say(next(`Action=poll&SessionID=${RawHttp.sessionOf(second).sessionId}`, ""))
      const third = yield* message
      assert.match(third.head, /\r\nContent-Length: 0\r\n/i)
      yield* say(next(`SessionID=${RawHttp.sessionOf(third).sessionId}`, answer.replace("USR 3", "USR 7")))
      assert.strictEqual((yield* message).body, ok.replace("USR 3", "USR 7"))
    }),
  )

  it.live("is asked for a session with nothing, as by aMSN, and has nothing to say then", () =>
    Effect.gen(function* () {
      const { at } = yield* serve({ limits: { gatewayAnswerTimeout: "1 hour" } })
      const { client, first } = yield* RawHttp.begin(at)
      assert.strictEqual(RawHttp.statusOf(first), 200)
      assert.strictEqual(first.body, "")
      assert.strictEqual((yield* client.say("VER 1 MSNP7\r\n")).body, "VER 1 MSNP7\r\n")
    }),
  )

  it.live("answers HTTP/1.0, and keeps the connection where it is asked to", () =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const old = RawHttp.post(RawHttp.open, "VER 1 MSNP7\r\n")
        .replace("HTTP/1.1", "HTTP/1.0")
        .replace(/Host:.*\r\n/, "")
      const closing = yield* Peer.connect(at)
      yield* closing.say(old)
      assert.match(yield* closing.rest, /\r\n\r\nVER 1 MSNP7\r\n$/)
      const keeping = yield* RawHttp.connect(at)
      for (let i = 0; i < 2; i++) {
        yield* keeping.say(old.replace("\r\n", "\r\nConnection: Keep-Alive\r\n"))
        assert.strictEqual((yield* keeping.message).body, "VER 1 MSNP7\r\n")
      }
    }),
  )

  it.live("takes bytes in chunks", () =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const chunked = RawHttp.post(RawHttp.open)
        .replace("Content-Length: 0", "Transfer-Encoding: chunked")
        .concat("7\r\nVER 1 M\r\n6\r\nSNP7\r\n\r\n0\r\n\r\n")
      assert.strictEqual((yield* RawHttp.ask(at, chunked)).body, "VER 1 MSNP7\r\n")
    }),
  )

  it.live.each(["websocket", "h2c"])("goes on with HTTP where it is asked for another protocol: %s", (protocol) =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const { message, say } = yield* RawHttp.connect(at)
      for (let i = 0; i < 2; i++) {
        yield* say(RawHttp.post(RawHttp.open, "VER 1 MSNP7\r\n", ["Connection: Upgrade", `Upgrade: ${protocol}`]))
        assert.strictEqual((yield* message).body, "VER 1 MSNP7\r\n")
      }
    }),
  )

  const refused: ReadonlyArray<readonly [what: string, status: number, request: string]> = [
    ["a switchboard", 400, RawHttp.post("Action=open&Server=SB&IP=207.46.108.13")],
    ["a server of no kind", 400, RawHttp.post("Action=open&IP=207.46.108.13")],
    ["another action", 400, RawHttp.post("Action=close&SessionID=1.2")],
    ["nothing", 400, RawHttp.post("")],
    ["a session that there is not", 400, RawHttp.post("SessionID=954547325.13160", "VER 1 MSNP7\r\n")],
    ["a poll of a session that there is not", 400, RawHttp.post("Action=poll&SessionID=954547325.13160")],
    ["another path", 404, RawHttp.post("").replace("gateway.dll", "gateway.exe")],
    ["a path below", 404, RawHttp.post("").replace("gateway.dll", "gateway.dll/")],
    ["the root", 404, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["GET", 405, RawHttp.post(RawHttp.open).replace("POST", "GET")],
    ["PUT", 405, RawHttp.post(RawHttp.open).replace("POST", "PUT")],
    ["more than 64 KiB", 413, RawHttp.post(RawHttp.open, "A".repeat(65_537))],
  ]
  for (const [what, status, request] of refused) {
    it.live(`answers ${what} with ${status}, and goes on`, () =>
      Effect.gen(function* () {
        const { at, next } = yield* take({ limits: { gatewayAnswerTimeout: "1 millis" } })
        assert.strictEqual(RawHttp.statusOf(yield* RawHttp.ask(at, request)), status)
        // The first session that is opened is the one behind it.
        yield* RawHttp.ask(at, RawHttp.post(RawHttp.open, "VER 1"))
        const { pull } = yield* (yield* next).socket.reader
        assert.strictEqual(
          Bytes.fromUint8Array(yield* Effect.map(pull, ([bytes]) => new Uint8Array(Buffer.from(bytes)))),
          "VER 1",
        )
      }),
    )
  }

  it.live("leads to its own server, whatever address it is told", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Peer.listen
      const { at } = yield* serve()
      const query = `Action=open&Server=NS&IP=${elsewhere.address.host}:${elsewhere.address.port}`
      assert.strictEqual((yield* RawHttp.ask(at, RawHttp.post(query, "VER 1 MSNP7\r\n"))).body, "VER 1 MSNP7\r\n")
      assert.isUndefined((yield* Effect.forkScoped(elsewhere.accept, { startImmediately: true })).pollUnsafe())
    }),
  )

  it.live("tells the host that it is to be known by", () =>
    Effect.gen(function* () {
      const { at } = yield* serve({ advertise: Option.some("203.0.113.7") })
      assert.strictEqual(RawHttp.sessionOf(yield* RawHttp.ask(at, RawHttp.post(RawHttp.open))).host, "203.0.113.7")
    }),
  )

  it.live("opens no more sessions than it is to, and another when one is over", () =>
    Effect.gen(function* () {
      const { at } = yield* serve({ limits: { gatewaySessions: 2 } })
      const { client } = yield* RawHttp.begin(at)
      yield* RawHttp.begin(at)
      const third = Effect.map(RawHttp.ask(at, RawHttp.post(RawHttp.open)), RawHttp.statusOf)
      assert.strictEqual(yield* third, 503)
      yield* client.say("OUT\r\n")
      assert.strictEqual(yield* third, 200)
      assert.strictEqual(yield* third, 503)
    }),
  )

  it.live("cannot listen where somebody else does", () =>
    Effect.gen(function* () {
      const taken = yield* Peer.listen
      const error = yield* Effect.flip(
        GatewayServer.listen({ listen: taken.address, advertise: Option.none(), trustedProxies: [] }),
      )
      assert.strictEqual(error.message, `Cannot listen on 127.0.0.1:${taken.address.port}: the port is in use.`)
    }),
  )

  it.live("hands over the sessions that were opened before anybody took them", () =>
    Effect.gen(function* () {
      const listener = yield* listen()
      const { client } = yield* RawHttp.begin(listener.address)
      yield* World.serve(listener, World.layerExample())
      assert.strictEqual((yield* client.say("VER 1 MSNP7\r\n")).body, "VER 1 MSNP7\r\n")
    }),
  )
})

describe("the name of a session", () => {
  it.live("is another with each answer, of 35 random digits, and good once", () =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const { client } = yield* RawHttp.begin(at)
      const names = [client.sessionId()]
      for (let i = 0; i < 20; i++) {
        assert.strictEqual(RawHttp.statusOf(yield* client.poll), 200)
        names.push(client.sessionId())
      }
      assert.strictEqual(new Set(names).size, 21)
      for (const name of names) assert.match(name, /^[0-9]{17}\.[0-9]{18}$/)
      for (const name of names.slice(0, -1)) {
        const late = yield* RawHttp.ask(at, RawHttp.post(`SessionID=${name}`, "OUT\r\n"))
        assert.strictEqual(RawHttp.statusOf(late), 400)
        assert.notInclude(late.body, name)
      }
      assert.strictEqual((yield* client.say("VER 1 MSNP7\r\n")).body, "VER 1 MSNP7\r\n")
    }),
  )

  it.live("is of one session only", () =>
    Effect.gen(function* () {
      const { at } = yield* serve()
      const one = yield* RawHttp.begin(at, "VER 1 MSNP7\r\n")
      const other = yield* RawHttp.begin(at, "VER 1 MSNP2\r\n")
      assert.strictEqual((yield* one.client.say("INF 2\r\n")).body, "INF 2 MD5\r\n")
      assert.strictEqual((yield* other.client.say("INF 7\r\n")).body, "INF 7 MD5\r\n")
    }),
  )
})

describe("a request", () => {
  it.live("waits for words of the server, while another of its session is 400 and does no harm", () =>
    Effect.gen(function* () {
      const { asked, go, layer } = yield* layerWaiting
      const { at } = yield* serve({ limits: { gatewayAnswerTimeout: "1 hour" } }, { admission: layer })
      const { client } = yield* RawHttp.begin(at, "VER 1 MSNP7\r\n")
      const first = yield* RawHttp.connect(at)
      const say = RawHttp.post(`SessionID=${client.sessionId()}`, "USR 2 MD5 I alice@hotmail.com\r\n")
      yield* first.say(say)
      yield* asked
      for (const query of [`SessionID=${client.sessionId()}`, `Action=poll&SessionID=${client.sessionId()}`]) {
        assert.strictEqual(RawHttp.statusOf(yield* RawHttp.ask(at, RawHttp.post(query))), 400)
      }
      // On the same connection, too.
      yield* first.say(RawHttp.post(`SessionID=${client.sessionId()}`, "OUT\r\n"))
      yield* go
      assert.strictEqual((yield* first.message).body, "USR 2 MD5 S 1013928519.693957190\r\n")
      assert.strictEqual(RawHttp.statusOf(yield* first.message), 400)
    }),
  )

  it.live("is answered with nothing when its time is over, and the words come with a poll", () =>
    Effect.gen(function* () {
      const { asked, go, layer } = yield* layerWaiting
      const { at } = yield* serve({ limits: { gatewayAnswerTimeout: "5 millis" } }, { admission: layer })
      const { client } = yield* RawHttp.begin(at)
      yield* client.say("VER 1 MSNP7\r\n")
      const { body, head } = yield* client.say("USR 2 MD5 I alice@hotmail.com\r\n")
      assert.match(head, /^HTTP\/1\.1 200 /)
      assert.notInclude(body, "USR")
      yield* asked
      assert.notInclude((yield* client.poll).body, "USR")
      yield* go
      assert.match(yield* client.until(/\r\n$/), /USR 2 MD5 S 1013928519\.693957190\r\n$/)
    }),
  )

  it.live("waits for an answer of its own, and brings what was said before along", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take({ limits: { gatewayAnswerTimeout: "1 hour" } })
      const { client } = yield* RawHttp.begin(at)
      const { socket } = yield* next
      const { pull } = yield* socket.reader
      const { write } = yield* socket.writer
      yield* write(Bytes.toUint8Array("MSG "))
      const asking = yield* Effect.forkScoped(client.say("SYN 1 0\r\n"), { startImmediately: true })
      yield* pull
      yield* write(Bytes.toUint8Array("SYN 1 1\r\n"))
      assert.strictEqual((yield* Fiber.join(asking)).body, "MSG SYN 1 1\r\n")
    }),
  )

  it.live("that is too large does its session no harm", () =>
    Effect.gen(function* () {
      const { at } = yield* serve({ limits: { gatewayRequestBytes: 100 } })
      const { client } = yield* RawHttp.begin(at)
      assert.strictEqual(RawHttp.statusOf(yield* client.say("A".repeat(101))), 413)
      assert.strictEqual((yield* client.say(`VER 1 MSNP7${" ".repeat(87)}\r\n`)).body, "VER 1 MSNP7\r\n")
    }),
  )

  it.live("waits while the server has not read the one before", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take({ limits: { gatewayAnswerTimeout: "1 millis" } })
      const { client } = yield* RawHttp.begin(at, "first")
      const { pull } = yield* (yield* next).socket.reader
      const second = yield* Effect.forkScoped(client.say("second"), { startImmediately: true })
      for (let i = 0; i < 20; i++) yield* RawHttp.ask(at, RawHttp.post(""))
      assert.isUndefined(second.pollUnsafe())
      const text = (chunks: ReadonlyArray<Uint8Array | string>) => chunks.map(String).join()
      assert.strictEqual(text((yield* pull).map((chunk) => Buffer.from(chunk).toString())), "first")
      assert.strictEqual(text((yield* pull).map((chunk) => Buffer.from(chunk).toString())), "second")
      assert.strictEqual(RawHttp.statusOf(yield* Fiber.join(second)), 200)
    }),
  )
})

describe("a gateway whose times are no whole milliseconds", () => {
  it.live("answers like any other", () =>
    Effect.gen(function* () {
      const odd = "60000500 micros"
      const { at } = yield* serve({ limits: { gatewayKeepAliveTimeout: odd, gatewayRequestTimeout: odd } })
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(RawHttp.post(RawHttp.open))
      assert.strictEqual(RawHttp.statusOf(yield* message), 200)
    }),
  )
})

describe("a slow client", () => {
  for (const [what, length] of [
    ["headers", 20],
    ["bytes", -5],
  ] as const) {
    it.live(`is told 408 where the ${what} of its request do not all come in time`, () =>
      Effect.gen(function* () {
        const { at } = yield* serve({ limits: { gatewayRequestTimeout: "20 millis" } })
        const { message, say } = yield* RawHttp.connect(at)
        yield* say(RawHttp.post(RawHttp.open, "VER 1 MSNP7\r\n").slice(0, length))
        assert.strictEqual(RawHttp.statusOf(yield* message), 408)
      }),
    )
  }

  it.live("is cut off where it does not take its answer", () =>
    Effect.gen(function* () {
      const accepted = yield* Resources.accepted
      const { at, next } = yield* take({ limits: { gatewayKeepAliveTimeout: "20 millis" } })
      const { client } = yield* RawHttp.begin(at)
      const { write } = yield* (yield* next).socket.writer
      // More than the system's buffers hold.
      yield* Effect.forkScoped(write(new Uint8Array(33_554_432)), { startImmediately: true })
      const { conn, say, stall } = yield* Peer.connect(at)
      yield* stall
      yield* say(RawHttp.post(`SessionID=${client.sessionId()}`))
      yield* Resources.until(() => accepted(conn.localPort).destroyed)
    }),
  )
})

describe("a server behind a gateway", () => {
  it.live("that reads no more keeps nobody waiting", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take({ limits: { gatewayAnswerTimeout: "1 millis" } })
      const { client } = yield* RawHttp.begin(at, "first")
      const scope = yield* Scope.make()
      yield* Scope.provide((yield* next).socket.reader, scope)
      const second = yield* Effect.forkScoped(client.say("second"), { startImmediately: true })
      const other = RawHttp.ask(at, RawHttp.post(`SessionID=${client.sessionId()}`))
      yield* Effect.repeat(other, { until: (answer) => RawHttp.statusOf(answer) === 400 })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(second)).body, "")
      assert.strictEqual(RawHttp.statusOf(yield* client.poll), 400)
    }),
  )

  it.live("waits to say more while nobody polls, and loses nothing", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take()
      const { client } = yield* RawHttp.begin(at)
      const { write } = yield* (yield* next).socket.writer
      yield* write(new Uint8Array(60_000).fill(65))
      const second = yield* Effect.forkScoped(write(new Uint8Array(60_000).fill(66)), { startImmediately: true })
      assert.isUndefined(second.pollUnsafe())
      assert.strictEqual((yield* client.poll).body, "A".repeat(60_000) + "B".repeat(60_000))
      yield* Fiber.join(second)
    }),
  )

  it.live("cannot say more to whoever is gone", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take({ limits: { gatewayIdleTimeout: "5 millis" } })
      yield* RawHttp.begin(at)
      const accepted = yield* next
      const { write } = yield* accepted.socket.writer
      const waiting = yield* Effect.forkScoped(Effect.flip(write(new Uint8Array(100_000))), { startImmediately: true })
      assert.strictEqual(yield* ending(accepted), 1006)
      assert.strictEqual((yield* Fiber.join(waiting)).reason._tag, "SocketCloseError")
      assert.strictEqual((yield* Effect.flip(write("more"))).reason._tag, "SocketCloseError")
    }),
  )
})

describe("a session", () => {
  it.live("that has had no request for its time is over, and 400 from then on", () =>
    Effect.gen(function* () {
      const { at, next } = yield* take({ limits: { gatewayIdleTimeout: "5 millis" } })
      const { client } = yield* RawHttp.begin(at)
      assert.strictEqual(yield* ending(yield* next), 1006)
      assert.strictEqual(RawHttp.statusOf(yield* client.poll), 400)
    }),
  )

  it.live("is not idle while a request waits", () =>
    Effect.gen(function* () {
      const { at } = yield* take({ limits: { gatewayIdleTimeout: "250 millis", gatewayAnswerTimeout: "500 millis" } })
      const { client } = yield* RawHttp.begin(at)
      yield* client.say("VER 1 MSNP7\r\n")
      assert.strictEqual(RawHttp.statusOf(yield* client.poll), 200)
    }),
  )

  for (const [when, cut] of [
    ["while it waits for an answer", (request: string) => request],
    ["in the midst of a request", (request: string) => request.slice(0, -2)],
  ] as const) {
    it.live(`is over at once when its client vanishes ${when}`, () =>
      Effect.gen(function* () {
        const { at, next } = yield* take({ limits: { gatewayAnswerTimeout: "1 hour", gatewayIdleTimeout: "1 hour" } })
        const { client } = yield* RawHttp.begin(at)
        const accepted = yield* next
        const over = yield* Effect.forkScoped(ending(accepted), { startImmediately: true })
        const wire = yield* RawHttp.connect(at)
        yield* wire.say(cut(RawHttp.post(`SessionID=${client.sessionId()}`, "VER 1 MSNP7\r\n")))
        // It has come as far as to be a request of this session.
        const second = RawHttp.ask(at, RawHttp.post(`SessionID=${client.sessionId()}`))
        yield* Effect.repeat(second, { until: (answer) => RawHttp.statusOf(answer) === 400 })
        yield* wire.reset
        assert.strictEqual(yield* Fiber.join(over), 1006)
      }),
    )
  }

  it.live(
    "tells its last words with the request that they answer",
    () =>
      Effect.gen(function* () {
        const { at } = yield* serve()
        const { client } = yield* RawHttp.begin(at, opening)
        const denied = yield* client.say("USR 3 MD5 S 00000000000000000000000000000000\r\n")
        assert.strictEqual(denied.body.replace(/^USR 2 .*\r\n/, ""), "911 3\r\n")
        assert.strictEqual(RawHttp.statusOf(yield* client.poll), 400)
      }),
    { tags: ["usr.wrong-password"] },
  )

  it.live("keeps its last words for the next poll, once", () =>
    Effect.gen(function* () {
      const { at, sessions } = yield* serve({ limits: { gatewayFarewellTimeout: "1 second" } })
      const client = yield* signIn(at)
      yield* signIn(at)
      assert.strictEqual(yield* client.until(/OUT/), "OUT OTH\r\n")
      assert.strictEqual(RawHttp.statusOf(yield* client.poll), 400)
      assert.strictEqual(sessions(), 1)
    }),
  )

  it.live(
    "is over when its client says OUT, and says nothing to that",
    () =>
      Effect.gen(function* () {
        const { at, sessions } = yield* serve({ limits: { gatewayAnswerTimeout: "1 hour" } })
        const client = yield* signIn(at)
        assert.strictEqual((yield* client.say("OUT\r\n")).body, "")
        assert.strictEqual(RawHttp.statusOf(yield* client.poll), 400)
        yield* Resources.until(() => sessions() === 0)
      }),
    { tags: ["logoff.out"] },
  )
})

describe("a gateway that is closed", () => {
  it.live("waits until the last words are fetched, and lets nobody in meanwhile", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { at } = yield* Scope.provide(serve({ limits: { gatewayFarewellTimeout: "1 hour" } }), scope)
      const client = yield* signIn(at)
      const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
      const late = Effect.map(RawHttp.ask(at, RawHttp.post(RawHttp.open)), RawHttp.statusOf)
      yield* Effect.repeat(late, { until: (status) => status === 503 })
      assert.isUndefined(closing.pollUnsafe())
      const last = yield* client.poll
      assert.strictEqual(last.body, "OUT SSD\r\n")
      assert.match(last.head, /\r\nConnection: close/i)
      yield* Fiber.join(closing)
    }),
  )

  it.live("waits no longer than it is to", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { at } = yield* Scope.provide(serve({ limits: { gatewayFarewellTimeout: "5 millis" } }), scope)
      yield* signIn(at)
      yield* Scope.close(scope, Exit.void)
      yield* Resources.until(() => Resources.count("TCPServerWrap") === 0)
    }),
  )

  it.live("waits no longer for who fetches the last words with a request that never all comes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { at, next } = yield* Scope.provide(take({ limits: { gatewayFarewellTimeout: "1 second" } }), scope)
      const { client } = yield* RawHttp.begin(at)
      const { socket } = yield* next
      const lastWords = Effect.flatMap(socket.writer, ({ write }) => write("OUT SSD\r\n"))
      yield* Effect.scoped(Effect.andThen(socket.reader, lastWords))
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(RawHttp.post(`SessionID=${client.sessionId()}`, "PNG\r\n", ["Expect: 100-continue"]).slice(0, -1))
      assert.strictEqual(RawHttp.statusOf(yield* message), 100)
      yield* Scope.close(scope, Exit.void)
    }),
  )

  it.live("leaves no connection and no timer behind", () =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0 && Resources.count("TCPServerWrap") === 0)
      yield* Effect.gen(function* () {
        const { at } = yield* serve()
        const idle = yield* RawHttp.connect(at)
        yield* idle.say(RawHttp.post(RawHttp.open, "VER 1 MSNP7\r\n"))
        yield* idle.message
        yield* RawHttp.begin(at)
        const client = yield* signIn(at)
        yield* client.say("OUT\r\n")
      }).pipe(Effect.scoped)
      yield* Resources.until(() => Resources.connections() === 0)
      yield* Resources.until(() => Resources.count("TCPServerWrap") === 0)
    }),
  )

  for (const [what, length] of [
    ["headers", 20],
    ["bytes", -5],
  ] as const) {
    it.live(`waits no longer for a request whose ${what} never all come`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { at } = yield* Scope.provide(serve(), scope)
        const { conn, say } = yield* RawHttp.connect(at)
        yield* say(RawHttp.post(RawHttp.open, "VER 1 MSNP7\r\n").slice(0, length))
        // That has been read, as far as it goes, when this has been answered.
        yield* RawHttp.ask(at, RawHttp.post(""))
        yield* Scope.close(scope, Exit.void)
        yield* Resources.until(() => conn.readableEnded || conn.destroyed)
      }),
    )
  }
})

describe("whose address it is", () => {
  const proxies = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(IpNetwork.fromStringUnsafe)

  for (const [what, trusted, headers, host] of [
    ["is the peer's", [], [], "127.0.0.1"],
    [
      "is the peer's, whatever it says, where it is no proxy of ours",
      [],
      ["X-Forwarded-For: 203.0.113.9"],
      "127.0.0.1",
    ],
    [
      "is the peer's where another network is trusted",
      [IpNetwork.fromStringUnsafe("10.0.0.0/8")],
      ["X-Forwarded-For: 203.0.113.9"],
      "127.0.0.1",
    ],
    ["is what a proxy of ours says", proxies, ["X-Forwarded-For: 203.0.113.9"], "203.0.113.9"],
    ["is the peer's where a proxy of ours says nothing", proxies, [], "127.0.0.1"],
    [
      "is the last that is no proxy of ours, whatever stands before it",
      proxies,
      ["X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.1.2.3"],
      "203.0.113.9",
    ],
    [
      "is in all such headers, in their order",
      proxies,
      ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.9,fd00::1"],
      "203.0.113.9",
    ],
    ["is the outermost proxy's where all are ours", proxies, ["X-Forwarded-For: 10.0.0.1, 10.0.0.2"], "10.0.0.1"],
    ["is the last that can be read", proxies, ["X-Forwarded-For: 203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"],
    ["may be an IPv6 address", proxies, ["X-Forwarded-For: 2001:DB8::1"], "2001:db8::1"],
    ["may come with a port", proxies, ["X-Forwarded-For: 203.0.113.9:49152, 10.1.2.3:80"], "203.0.113.9"],
    ["may be an IPv6 address with a port", proxies, ["X-Forwarded-For: [2001:db8::1]:49152, [fd00::1]"], "2001:db8::1"],
    ["is IPv4 where it is so in truth", proxies, ["X-Forwarded-For: ::ffff:203.0.113.9"], "203.0.113.9"],
  ] as const) {
    it.live(what, () =>
      Effect.gen(function* () {
        const { at, next } = yield* take({ trustedProxies: trusted })
        yield* RawHttp.ask(at, RawHttp.post(RawHttp.open, "", headers))
        const { local, remote } = yield* next
        // The port is 0 in the profile of a client that comes over HTTP (hypothetic.org 2.0).
        assert.deepStrictEqual(remote, { host, port: 0 })
        assert.deepStrictEqual(local, at)
      }),
    )
  }
})

describe("a network with a gateway", () => {
  const free = { listen: here, advertise: Option.none() }
  const host = Layer.merge(Directory.layerMemory([World.alice]), Presence.layerMemory)

  it.live("has its clients signed in once, however they come", () =>
    Effect.gen(function* () {
      const gateway = Option.some({ ...free, trustedProxies: [] })
      const plan: Network.Plan = { dispatch: Option.none(), notification: [free], gateway, referTo: [] }
      const network = yield* Network.make(plan, LoginServer.hearOnly)
      const [direct] = network.notification
      const { bound } = yield* Effect.fromNullishOr(direct)
      const first = yield* LoginClient.login(World.aliceAt(bound))
      const connector = GatewayConnector.make({ gateway: (yield* Effect.fromOption(network.gateway)).bound })
      yield* Effect.provideService(LoginClient.login(World.aliceAt(bound)), Connector.Connector, connector)
      const ending = yield* Effect.flip(Stream.runDrain(first.commands))
      assert.strictEqual(ending._tag === "LoggedOut" ? ending.reason : ending._tag, "LoggedInElsewhere")
      assert.strictEqual(yield* network.sessions, 1)
    }).pipe(Effect.provide(host)),
  )

  it.live(
    "refers nobody through it: whoever would be referred is told 601",
    () =>
      Effect.gen(function* () {
        const elsewhere = yield* Peer.listen
        const gateway = Option.some({ ...free, trustedProxies: [] })
        const plan: Network.Plan = {
          dispatch: Option.none(),
          notification: [free],
          gateway,
          referTo: [elsewhere.address],
        }
        const network = yield* Network.make(plan, LoginServer.hearOnly)
        yield* network.goDown(0)
        const [direct] = network.notification
        const peer = yield* Peer.connect((yield* Effect.fromNullishOr(direct)).bound)
        yield* peer.say(opening)
        assert.match(yield* peer.rest, /\r\nXFR 2 NS /)
        const { bound } = yield* Effect.fromOption(network.gateway)
        const { client, first } = yield* RawHttp.begin(bound, opening)
        const rest = first.body.endsWith("601 2\r\n") ? "" : yield* client.until(/601/)
        assert.strictEqual(first.body + rest, "VER 1 MSNP7\r\n601 2\r\n")
      }).pipe(Effect.provide(host)),
    { tags: ["xfr.gateway"] },
  )
})

describe("what is told of sessions to logs and traces", () => {
  it.live("is nothing at all", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          told.push(options.name)
          return new Tracer.NativeSpan(options)
        },
      })
      const logger = Logger.make(({ message }) => void told.push(String(message)))
      yield* Effect.gen(function* () {
        const { at } = yield* serve()
        const client = yield* signIn(at)
        yield* RawHttp.ask(at, RawHttp.post("SessionID=1.2", "SECRET"))
        const wire = yield* RawHttp.connect(at)
        yield* wire.say(RawHttp.post(`SessionID=${client.sessionId()}`, "SECRET").slice(0, -1))
        const second = RawHttp.ask(at, RawHttp.post(`SessionID=${client.sessionId()}`))
        yield* Effect.repeat(second, { until: (answer) => RawHttp.statusOf(answer) === 400 })
        yield* wire.reset
      }).pipe(Effect.scoped, Effect.withTracer(tracer), Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(told, [])
    }),
  )
})

describe("whatever is asked of a gateway", () => {
  it.live("is answered by one of its answers, and harms nobody", () =>
    Effect.gen(function* () {
      const { at } = yield* serve({ limits: { gatewayAnswerTimeout: "1 millis" } })
      const { client } = yield* RawHttp.begin(at)
      const parts = [
        "Action=open",
        "Server=NS",
        "IP=a",
        "Action=poll",
        "SessionID=1.2",
        "&",
        "=",
        "?",
        "%00",
        "#",
        "//",
      ]
      const target = fc
        .array(fc.oneof(fc.constantFrom(...parts), fc.webSegment()), { maxLength: 6 })
        .map((parts) => parts.join("&"))
      const request = fc.record({
        method: fc.constantFrom("POST", "POST", "POST", "GET", "PUT", "OPTIONS", "DELETE"),
        path: fc.constantFrom("/gateway/gateway.dll", "http://a/gateway/gateway.dll", "/", "//gateway/gateway.dll"),
        target,
        body: fc.uint8Array({ maxLength: 300 }),
        header: fc.constantFrom(
          "X: y",
          "Upgrade: websocket\r\nConnection: Upgrade",
          "Expect: 100-continue",
          "Upgrade: h2c",
        ),
      })
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(request, async ({ body, header, method, path, target }) => {
            const bytes = [
              `${method} ${path}?${target} HTTP/1.1`,
              "Host: a",
              header,
              "Connection: close",
              `Content-Length: ${body.length}`,
              "",
              Bytes.fromUint8Array(body),
            ].join("\r\n")
            const status = await Effect.runPromise(Effect.map(RawHttp.ask(at, bytes), RawHttp.statusOf))
            assert.include([100, 200, 400, 404, 405], status)
          }),
          { numRuns: 300 },
        ),
      )
      assert.strictEqual((yield* client.say("VER 1 MSNP7\r\n")).body, "VER 1 MSNP7\r\n")
    }),
  )
})
