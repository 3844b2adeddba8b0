import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Limits from "../../src/host/Limits.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import * as GatewayServer from "../../src/net/GatewayServer.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Peer from "../support/Peer.ts"
import * as RawHttp from "../support/RawHttp.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

/** The server that is meant; a gateway of ours leads to its own, whatever is meant. */
const meant: Address.Address = { host: "messenger.hotmail.com", port: 1863 }

/** A gateway of ours to a server of the example session's challenge. */
const serve = <R = never>(onSession?: LoginServer.OnSession<R>, limits: Partial<Limits.Limits> = {}) =>
  Effect.gen(function* () {
    const listener = yield* GatewayServer.listen({
      listen: { host: "127.0.0.1", port: 0 },
      advertise: Option.none(),
      trustedProxies: [],
    }).pipe(
      Effect.provideService(Limits.Current, { ...Limits.defaults, gatewayFarewellTimeout: "5 millis", ...limits }),
      Effect.orDie,
    )
    const { sessions } = yield* World.serve(listener, World.layerExample(), {}, onSession)
    return { gateway: listener.address, sessions }
  })

const through =
  (options: GatewayConnector.Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(effect, Connector.Connector, GatewayConnector.make(options))

describe("a login through a gateway", { tags: ["connect.http"] }, () => {
  for (const opening of ["Empty", "FirstWords"] as const) {
    for (const dialect of Dialect.all) {
      it.live(`comes about, and is the same as any other: ${dialect}, ${opening}`, () =>
        Effect.gen(function* () {
          const { gateway, sessions } = yield* serve()
          const login = LoginClient.login(World.aliceAt(meant, { dialects: [dialect] }))
          const session = yield* through({ gateway, opening })(login)
          assert.strictEqual(session.dialect, dialect)
          assert.strictEqual(session.account, "alice@hotmail.com")
          assert.strictEqual(sessions(), 1)
          yield* session.logOff
          yield* Resources.until(() => sessions() === 0)
        }),
      )
    }
  }

  it.live("ends as the server ends it", () =>
    Effect.gen(function* () {
      const { gateway } = yield* serve()
      const login = LoginClient.login(World.aliceAt(meant, { password: Redacted.make("wrong") }))
      const error = yield* Effect.flip(Effect.scoped(through({ gateway })(login)))
      assert.strictEqual(error._tag, "Denied")
    }),
  )

  it.live("is over for the server when its scope closes, since OUT is said still", () =>
    Effect.gen(function* () {
      const { gateway, sessions } = yield* serve(undefined, { gatewayIdleTimeout: "1 hour" })
      const login = LoginClient.login(World.aliceAt(meant))
      yield* Effect.scoped(Effect.andThen(through({ gateway, pollInterval: "1 hour" })(login), Effect.void))
      yield* Resources.until(() => sessions() === 0)
    }),
  )

  it.live("becomes a session that is told what happens by polls, and to which PNG is refused", () =>
    Effect.gen(function* () {
      // The last words wait for the next poll.
      const { gateway } = yield* serve(SessionServer.serve(), { gatewayFarewellTimeout: "1 second" })
      assert.strictEqual(GatewayConnector.make({ gateway }).pings, "Refused")
      const polling = through({ gateway, pollInterval: "10 millis" })
      const first = yield* polling(SessionClient.signIn(World.aliceAt(meant)))
      assert.strictEqual((yield* first.lists).serial, 1)
      yield* polling(LoginClient.login(World.aliceAt(meant)))
      const ending = yield* Effect.flip(Stream.runDrain(first.events))
      assert.strictEqual(ending._tag === "LoggedOut" ? ending.reason : ending._tag, "LoggedInElsewhere")
    }),
  )

  it.live("tells no tracer of the requests", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          told.push(options.name)
          return new Tracer.NativeSpan(options)
        },
      })
      const { gateway } = yield* serve()
      const login = LoginClient.login(World.aliceAt(meant))
      yield* Effect.withTracer(Effect.scoped(through({ gateway })(login)), tracer)
      assert.deepStrictEqual(told, [])
    }),
  )
})

/** A gateway that a test plays, and a client that connects through it. */
const play = Effect.fnUntraced(function* (options: Partial<GatewayConnector.Options> = { pollInterval: "1 hour" }) {
  const stage = yield* Peer.listen
  const connector = GatewayConnector.make({ gateway: stage.address, ...options })
  const connecting = yield* Effect.forkScoped(connector.connect(meant), { startImmediately: true })
  return { connecting, accept: Effect.map(stage.accept, RawHttp.on), port: stage.address.port }
})

const answered = (session: string, body = "", more: ReadonlyArray<string> = []) =>
  ["HTTP/1.1 200 OK", `X-MSN-Messenger: ${session}`, `Content-Length: ${body.length}`, ...more, "", body].join("\r\n")

/** A connection that has been opened, and its gateway's end. */
const opened = Effect.fnUntraced(function* (options?: Partial<GatewayConnector.Options>) {
  const { accept, connecting, port } = yield* play(options)
  const wire = yield* accept
  yield* wire.message
  yield* wire.say(answered("SessionID=1.1; GW-IP=127.0.0.1"))
  const socket = yield* Fiber.join(connecting)
  const { pull } = yield* socket.reader
  const { write } = yield* socket.writer
  return {
    wire,
    pull: Effect.map(pull, (chunks) => chunks.map((chunk) => Buffer.from(chunk).toString()).join("")),
    write,
    accept,
    port,
  }
})

const lineOf = ({ head }: RawHttp.Message) => head.slice(0, head.indexOf("\r\n"))

describe("a connection through a gateway", () => {
  it.live("is opened with the host that is meant, as the official client described itself", () =>
    Effect.gen(function* () {
      const { accept, port } = yield* play()
      const { head } = yield* (yield* accept).message
      const [line = "", ...headers] = head.split("\r\n")
      assert.strictEqual(line, "POST /gateway/gateway.dll?Action=open&Server=NS&IP=messenger.hotmail.com HTTP/1.1")
      const given = new Map(headers.map((header) => [header.split(": ")[0]?.toLowerCase(), header.split(": ")[1]]))
      for (const [name, value] of [
        ["accept", "*/*"],
        ["accept-language", "en-us"],
        ["user-agent", "MSMSGS"],
        ["host", `127.0.0.1:${port}`],
        ["proxy-connection", "Keep-Alive"],
        ["connection", "keep-alive"],
        ["pragma", "no-cache"],
        ["content-type", "application/x-msn-messenger"],
        ["content-length", "0"],
      ] as const) {
        assert.strictEqual(given.get(name), value)
      }
      assert.isFalse(given.has("accept-encoding"))
    }),
  )

  it.live("is opened with its first words where it is to be", () =>
    Effect.gen(function* () {
      const { accept, connecting } = yield* play({ opening: "FirstWords" })
      const socket = yield* Fiber.join(connecting)
      yield* Effect.flatMap(socket.writer, ({ write }) => write("VER 5 MSNP7 CVR0\r\n"))
      const first = yield* (yield* accept).message
      assert.include(lineOf(first), "Action=open&Server=NS&IP=messenger.hotmail.com ")
      assert.strictEqual(first.body, "VER 5 MSNP7 CVR0\r\n")
    }),
  )

  it.live("names its session by its newest name, and gathers what is said while a request is out", () =>
    Effect.gen(function* () {
      const { pull, wire, write } = yield* opened()
      yield* write("one\r\n")
      const first = yield* wire.message
      assert.strictEqual(lineOf(first), "POST /gateway/gateway.dll?SessionID=1.1 HTTP/1.1")
      assert.strictEqual(first.body, "one\r\n")
      yield* write("two\r\n")
      yield* write("three\r\n")
      yield* wire.say(answered("SessionID=2.2; GW-IP=127.0.0.1", "ONE\r\n"))
      assert.strictEqual(yield* pull, "ONE\r\n")
      const second = yield* wire.message
      assert.strictEqual(lineOf(second), "POST /gateway/gateway.dll?SessionID=2.2 HTTP/1.1")
      assert.strictEqual(second.body, "two\r\nthree\r\n")
    }),
  )

  it.live("goes to the host that the answer names, and to the port of the gateway", () =>
    Effect.gen(function* () {
      const { accept, connecting, port } = yield* play()
      const wire = yield* accept
      yield* wire.message
      yield* wire.say(answered("SessionID=1.1; GW-IP=127.0.0.1"))
      const socket = yield* Fiber.join(connecting)
      const { write } = yield* socket.writer
      yield* write("one")
      yield* wire.message
      yield* wire.say(answered("SessionID=1.2; GW-IP=localhost"))
      yield* write("two")
      const elsewhere = yield* accept
      const { body, head } = yield* elsewhere.message
      assert.include(head.toLowerCase(), `\r\nhost: localhost:${port}\r\n`)
      assert.strictEqual(body, "two")
    }),
  )

  it.effect("asks every 2 seconds what there is, and never while a request is out", () =>
    Effect.gen(function* () {
      const { pull, wire, write } = yield* opened({})
      const answer = (session: string) =>
        Effect.andThen(wire.say(answered(`SessionID=${session}; GW-IP=127.0.0.1`, "news\r\n")), pull)
      yield* TestClock.adjust("1999 millis")
      yield* write("one")
      assert.strictEqual((yield* wire.message).body, "one")
      yield* answer("1.2")
      yield* TestClock.adjust("1999 millis")
      yield* write("one more")
      assert.strictEqual((yield* wire.message).body, "one more")
      yield* answer("2.2")
      yield* TestClock.adjust("2 seconds")
      const poll = yield* wire.message
      assert.strictEqual(lineOf(poll), "POST /gateway/gateway.dll?Action=poll&SessionID=2.2 HTTP/1.1")
      assert.strictEqual(poll.body, "")
      yield* TestClock.adjust("10 seconds")
      yield* write("two")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* answer("3.3"), "news\r\n")
      const next = yield* wire.message
      assert.include(lineOf(next), "?SessionID=3.3 ")
      assert.strictEqual(next.body, "two")
      // Whoever closes now would wait for the answer by a clock that stands still.
      yield* answer("4.4")
    }),
  )

  it.live("says long things in requests of 16 KiB", () =>
    Effect.gen(function* () {
      const { wire, write } = yield* opened()
      yield* write("A".repeat(20_000))
      assert.strictEqual((yield* wire.message).body, "A".repeat(16_384))
      yield* wire.say(answered("SessionID=2.2"))
      assert.strictEqual((yield* wire.message).body, "A".repeat(3616))
    }),
  )

  it.live("is over in good order when its session is not known any more", () =>
    Effect.gen(function* () {
      const { pull, wire, write } = yield* opened()
      yield* write("OUT\r\n")
      yield* wire.message
      yield* wire.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
      const { reason } = yield* Effect.flip(pull)
      assert.strictEqual(reason._tag === "SocketCloseError" ? reason.code : reason._tag, 1000)
      assert.strictEqual((yield* Effect.flip(write("more"))).reason._tag, "SocketCloseError")
    }),
  )

  it.live("fails with what went wrong where it went wrong later", () =>
    Effect.gen(function* () {
      const { port, pull, wire, write } = yield* opened()
      yield* write("one")
      yield* wire.message
      yield* wire.say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
      const { reason } = yield* Effect.flip(pull)
      const cause = reason._tag === "SocketReadError" ? reason.cause : undefined
      assert.strictEqual(
        cause instanceof Connector.ConnectError ? cause.message : cause,
        `No connection came about; tried 127.0.0.1:${port} (it answered with HTTP 502).`,
      )
    }),
  )

  it.live("says what has been written before it is closed, and then no more", () =>
    Effect.gen(function* () {
      const { pull, wire, write } = yield* opened()
      yield* write("OUT\r\n")
      yield* write(new Socket.CloseEvent())
      assert.strictEqual((yield* wire.message).body, "OUT\r\n")
      yield* wire.say(answered("SessionID=2.2", "last"))
      assert.strictEqual(yield* pull, "last")
      const { reason } = yield* Effect.flip(pull)
      assert.strictEqual(reason._tag === "SocketCloseError" ? reason.code : reason._tag, 1000)
    }),
  )
})

describe("a connection through a gateway that nobody reads from", () => {
  it.live("takes nothing more once its scope is closed", () =>
    Effect.gen(function* () {
      const { gateway } = yield* serve()
      const connecting = Effect.flatMap(GatewayConnector.make({ gateway }).connect(meant), ({ writer }) => writer)
      const { write } = yield* Effect.scoped(connecting)
      assert.strictEqual((yield* Effect.flip(write("late"))).reason._tag, "SocketCloseError")
    }),
  )
})

describe("a gateway that is none", () => {
  const html = "<html></html>"
  for (const [what, why, said] of [
    ["is another web server", "it answered with HTTP 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    [
      "leads elsewhere",
      "it answered with HTTP 302",
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
    ["turns us down", "it answered with HTTP 400", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"],
    [
      "has a page for everything",
      "it answered, but not as a gateway does",
      `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
    ],
    [
      "has something else to tell",
      "it answered, but not as a gateway does",
      answered("SessionID=1.1", html, ["Content-Type: text/html"]),
    ],
    ["names no session", "it answered, but not as a gateway does", answered("GW-IP=127.0.0.1")],
    ["names a host that is none", "it answered, but not as a gateway does", answered("SessionID=1.1; GW-IP=a b")],
    ["tells too much", "its answer is too long", answered("SessionID=1.1", "A".repeat(4_194_305))],
  ] as const) {
    it.live(`is told as one that ${what}`, () =>
      Effect.gen(function* () {
        const { accept, connecting, port } = yield* play()
        const wire = yield* accept
        yield* wire.message
        yield* wire.say(said)
        const { tried } = yield* Effect.flip(Fiber.join(connecting))
        assert.deepStrictEqual(tried, [{ address: `127.0.0.1:${port}`, why, seems: "Theirs" }])
      }),
    )
  }

  const toNobody = Effect.gen(function* () {
    const { address } = yield* Effect.scoped(Peer.listen)
    return yield* Effect.flip(Effect.scoped(GatewayConnector.make({ gateway: address }).connect(meant)))
  })

  it.live("is told as one that nobody is at", () =>
    Effect.gen(function* () {
      const { tried } = yield* toNobody
      assert.deepStrictEqual(
        tried.map(({ seems, why }) => [why, seems]),
        [["nothing listens there", "Here"]],
      )
    }),
  )

  it.live("is told as one that breaks off", () =>
    Effect.gen(function* () {
      const { accept, connecting } = yield* play()
      const wire = yield* accept
      yield* wire.message
      yield* wire.reset
      const [{ why }] = (yield* Effect.flip(Fiber.join(connecting))).tried
      assert.strictEqual(why, "the connection was reset")
    }),
  )

  it.live("is told as one that breaks off in the midst of an answer", () =>
    Effect.gen(function* () {
      const { accept, connecting } = yield* play()
      const wire = yield* accept
      yield* wire.message
      yield* wire.say(answered("SessionID=1.1", "VER 1 MSNP7\r\n").slice(0, -3))
      yield* Effect.sync(() => wire.conn.end())
      const [{ why }] = (yield* Effect.flip(Fiber.join(connecting))).tried
      assert.strictEqual(why, "its answer cannot be read")
    }),
  )

  it.live("is told as one that does not answer in time", () =>
    Effect.gen(function* () {
      const { accept, connecting } = yield* play({ answerTimeout: "5 millis" })
      yield* accept
      const [{ why }] = (yield* Effect.flip(Fiber.join(connecting))).tried
      assert.strictEqual(why, "it did not answer")
    }),
  )
})

describe("nothing stays open", () => {
  const uncaught: Array<unknown> = []
  const note = (error: unknown) => void uncaught.push(error)
  beforeAll(() => {
    process.on("unhandledRejection", note)
    process.on("uncaughtExceptionMonitor", note)
  })
  afterAll(() => {
    process.off("unhandledRejection", note)
    process.off("uncaughtExceptionMonitor", note)
  })

  /** Runs it many times through one gateway; afterwards nobody is signed in and nothing is open, and then the gateway neither. */
  const leavesNothing = (
    limits: Partial<Limits.Limits>,
    run: (gateway: Address.Address, turn: number) => Effect.Effect<unknown, never, Scope.Scope>,
  ) =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0 && Resources.count("TCPServerWrap") === 0)
      yield* Effect.gen(function* () {
        const { gateway, sessions } = yield* serve(undefined, limits)
        const turns = Array.from({ length: 60 }, (_, turn) => turn)
        yield* Effect.forEach(turns, (turn) => Effect.scoped(run(gateway, turn)), { concurrency: 10, discard: true })
        yield* Resources.until(() => Resources.connections() === 0 && sessions() === 0)
      }).pipe(Effect.scoped)
      yield* Resources.until(() => Resources.connections() === 0 && Resources.count("TCPServerWrap") === 0)
      assert.deepStrictEqual(uncaught, [])
    })

  it.live("after logins that log off, or whose scope just closes", () =>
    leavesNothing({ gatewayIdleTimeout: "1 hour" }, (gateway, turn) =>
      Effect.gen(function* () {
        const { logOff } = yield* through({ gateway })(LoginClient.login(World.aliceAt(meant)))
        if (turn % 2 === 0) yield* logOff
      }).pipe(Effect.orDie),
    ),
  )

  it.live("after logins that are interrupted at any moment", () =>
    leavesNothing({ gatewayIdleTimeout: "500 millis" }, (gateway, turn) =>
      Effect.gen(function* () {
        const login = Effect.scoped(through({ gateway })(LoginClient.login(World.aliceAt(meant))))
        const logging = yield* Effect.forkChild(login, { startImmediately: true })
        for (let index = 0; index < turn; index++) {
          yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        }
        yield* Fiber.interrupt(logging)
      }),
    ),
  )

  it.live("after interrupting a client whose gateway never answers", () =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0)
      const { accept, connecting } = yield* play()
      const wire = yield* accept
      yield* wire.message
      yield* Fiber.interrupt(connecting)
      yield* Resources.until(() => wire.conn.readableEnded || wire.conn.destroyed)
    }),
  )
})
