import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Net from "node:net"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginError from "../../src/net/LoginError.ts"
import type * as Transcript from "../../src/net/Transcript.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

/** What a server played by a test does with a connection. */
type Play = (peer: Peer.Peer, address: Address.Address) => Effect.Effect<void>

/** A network on which servers play. */
const stage = (...servers: ReadonlyArray<readonly [Address.Address, Play]>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    const scope = yield* Effect.scope
    for (const [address, play] of servers) {
      network.listen(address).accept(({ socket }) => {
        const end = { socket, said: () => "", close: Effect.void, reset: Effect.void }
        const playing = Effect.scoped(Effect.flatMap(Peer.inMemory(end), (peer) => play(peer, address)))
        Effect.runFork(Scope.provide(Effect.forkScoped(playing), scope))
      })
    }
    return network
  })

/** A server that answers each line with the next of these, and closes the connection behind the last. */
const answering =
  (...answers: ReadonlyArray<string>): Play =>
  (peer) =>
    Effect.forEach(answers, (answer) => Effect.andThen(peer.line, peer.say(answer)), { discard: true })

/** A server that answers so, and then says nothing more until it hears no more. */
const lingering =
  (...answers: ReadonlyArray<string>): Play =>
  (peer, address) =>
    Effect.andThen(answering(...answers)(peer, address), Effect.asVoid(peer.rest))

const ver = "VER 1 MSNP7 CVR0\r\n"
const inf = "INF 2 MD5\r\n"
const challenged = "USR 3 MD5 S 1013928519.693957190\r\n"
const ok = "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const here = World.notificationAddress

/** How a login fails at a server that plays so. */
const failure = (play: Play, options: Partial<LoginClient.Options> = {}) =>
  Effect.gen(function* () {
    const network = yield* stage([here, play])
    return yield* Effect.flip(World.loginOver(network, World.aliceAt(here, { dialects: ["MSNP7"], ...options })))
  }).pipe(Effect.scoped)

/** A session at a server that plays so. */
const sessionAt = (play: Play, options: Partial<LoginClient.Options> = {}) =>
  Effect.gen(function* () {
    const network = yield* stage([here, play])
    const session = yield* World.loginOver(network, World.aliceAt(here, { dialects: ["MSNP7"], ...options }))
    return { session, network }
  })

const server = "10.0.0.5:1863"

const foreign = (verb: string, ...parameters: ReadonlyArray<string>): ServerCommand.Foreign => ({
  _tag: "Foreign",
  verb,
  parameters,
  payload: "",
})

describe("a login that fails", () => {
  it.effect(
    "is Denied for 911, 923 and 924 (WIKI: 923, 924)",
    () =>
      Effect.gen(function* () {
        for (const code of [911, 923, 924]) {
          const error = yield* failure(answering(ver, inf, challenged, `${code} 4\r\n`))
          assert.deepStrictEqual(error, new LoginError.Denied({ server, account: "alice@hotmail.com", code }))
        }
      }),
    { tags: ["usr.wrong-password"] },
  )

  it.effect(
    "is Unavailable for 500, 601, 910 and 921, at either USR",
    () =>
      Effect.gen(function* () {
        for (const code of [500, 601, 910, 921]) {
          const expected = new LoginError.Unavailable({ server, code })
          assert.deepStrictEqual(yield* failure(answering(ver, inf, `${code} 3\r\n`)), expected)
          assert.deepStrictEqual(yield* failure(answering(ver, inf, challenged, `${code} 4\r\n`)), expected)
        }
      }),
    { tags: ["usr.trouble", "usr.trouble-again"] },
  )

  it.effect(
    "is NoCommonDialect for VER 0, with what was offered",
    () =>
      Effect.gen(function* () {
        const expected = new LoginError.NoCommonDialect({ server, offered: ["MSNP7", "MSNP6"] })
        const options: Partial<LoginClient.Options> = { dialects: ["MSNP7", "MSNP6"] }
        assert.deepStrictEqual(yield* failure(answering("VER 1 0\r\n"), options), expected)
        assert.deepStrictEqual(yield* failure(answering("VER 1 0 MSNP21 MSNP20\r\n"), options), expected)
      }),
    { tags: ["ver.none"] },
  )

  it.effect("is ServerMisbehaved where the server breaks the protocol, with what was expected", () =>
    Effect.gen(function* () {
      for (const [answers, got] of [
        [["VER 2 MSNP7\r\n"], "Ver with the TrID 2 where 1 was asked"],
        [["VER 1 MSNP9\r\n"], "VER with MSNP9, which was not offered"],
        [[ver, "INF 2 CTP\r\n"], "INF without MD5: CTP"],
        [[ver, inf, ok.replace("4", "3")], "USR OK"],
        [[ver, inf, challenged, "USR 4 OK bob@hotmail.com Bob 1\r\n"], "USR OK for bob@hotmail.com"],
        [[ver, inf, "715 3\r\n"], "715, not expected"],
      ] as const) {
        const error = yield* failure(answering(...answers))
        assert.strictEqual(error._tag, "ServerMisbehaved", got)
        if (error._tag === "ServerMisbehaved") {
          assert.strictEqual(error.server, server)
          assert.strictEqual(error.got, got)
          assert.isAbove(error.expected.length, 0)
        }
      }
    }),
  )

  it.effect(
    "is ServerMisbehaved for a line of more than 64 KiB, and not for one as long as that",
    () =>
      Effect.gen(function* () {
        const challengeOf = (length: number) => `USR 3 MD5 S ${"1".repeat(length - "USR 3 MD5 S ".length)}\r\n`
        const error = yield* failure(answering(ver, inf, challengeOf(65_537)))
        assert.strictEqual(error._tag, "ServerMisbehaved")
        const { session } = yield* sessionAt(lingering(ver, inf, challengeOf(65_536), ok))
        assert.strictEqual(session.dialect, "MSNP7")
      }),
    { tags: ["beyond.limit"] },
  )

  it.effect(
    "is Disconnected where the server closes without a word, with what it was to say",
    () =>
      Effect.gen(function* () {
        const answers = [ver, inf, challenged]
        for (const length of [0, 1, 2, 3]) {
          const error = yield* failure(answering(...answers.slice(0, length)))
          const awaiting = [["VER", "VER 0"], ["INF"], ["USR S", "XFR"], ["USR OK"]][length] ?? []
          const disconnected = new LoginError.Disconnected({ server, awaiting: [...awaiting, "an error"] })
          assert.deepStrictEqual(error, disconnected)
        }
      }),
    { tags: ["usr.disliked"] },
  )

  it.effect("is Disconnected where the server closes in the midst of a line", () =>
    Effect.gen(function* () {
      const error = yield* failure(answering(ver, inf, challenged, ok.slice(0, -2)))
      assert.strictEqual(error._tag, "Disconnected")
    }),
  )

  it.effect(
    "is TimedOut where the server says nothing for 20 seconds, and says nothing itself",
    () =>
      Effect.gen(function* () {
        const network = yield* stage([here, lingering(ver)])
        const failing = yield* Effect.forkChild(
          Effect.flip(Effect.scoped(World.loginOver(network, World.aliceAt(here)))),
          {
            startImmediately: true,
          },
        )
        yield* TestClock.adjust("19999 millis")
        assert.isUndefined(failing.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        // The server is given its time to close.
        yield* TestClock.adjust("250 millis")
        const error = yield* Fiber.join(failing)
        assert.strictEqual(error._tag, "TimedOut")
        if (error._tag === "TimedOut") assert.deepStrictEqual(error.awaiting, ["INF", "an error"])
        assert.deepStrictEqual(
          network.connections.map(({ client }) => client()),
          ["VER 1 MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0\r\nINF 2\r\n"],
        )
      }),
    { tags: ["beyond.overdue"] },
  )

  it.effect("is LoggedOut where the server goes down in the midst of it", () =>
    Effect.gen(function* () {
      const error = yield* failure(answering(ver, "OUT SSD\r\n"))
      assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason: "ShuttingDown" }))
    }),
  )

  it.effect("is Unreachable where nobody listens, with the address and why", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.scoped(World.loginOver(MemorySocket.network(), World.aliceAt(World.dispatchAddress))),
      )
      assert.deepStrictEqual(error, new LoginError.Unreachable({ tried: [Connector.refused(World.dispatchAddress)] }))
    }),
  )

  it.effect("is Unreachable where no connection comes about in 10 seconds", () =>
    Effect.gen(function* () {
      const network = {
        ...MemorySocket.network(),
        connector: { pings: "Carried" as const, connect: () => Effect.never },
      }
      const failing = yield* Effect.forkChild(
        Effect.flip(Effect.scoped(World.loginOver(network, World.aliceAt(here)))),
        {
          startImmediately: true,
        },
      )
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(
        yield* Fiber.join(failing),
        new LoginError.Unreachable({ tried: [Connector.unanswered(here)] }),
      )
    }),
  )

  it.live("is Unreachable over TCP where nothing listens", () =>
    Effect.gen(function* () {
      const nobody = { host: "127.0.0.1", port: 1 }
      const refused = yield* Effect.flip(Effect.scoped(LoginClient.login(World.aliceAt(nobody))))
      assert.deepStrictEqual(refused, new LoginError.Unreachable({ tried: [Connector.refused(nobody)] }))
    }),
  )

  it.effect("leaves no connection open when it is given up", () =>
    Effect.gen(function* () {
      const ended = yield* Queue.unbounded<string>()
      const network = yield* stage([
        here,
        (peer) =>
          peer.line.pipe(
            Effect.andThen(peer.rest),
            Effect.flatMap((rest) => Queue.offer(ended, rest)),
          ),
      ])
      const logging = yield* Effect.forkChild(Effect.scoped(World.loginOver(network, World.aliceAt(here))), {
        startImmediately: true,
      })
      yield* Resources.until(() => network.connections.length === 1).pipe(TestClock.withLive)
      yield* Fiber.interrupt(logging)
      assert.strictEqual(yield* Queue.take(ended), "")
    }),
  )
})

describe("referrals", () => {
  const at = (last: number): Address.Address => ({ host: `10.0.1.${last}`, port: 1863 })
  const refersTo = (to: Address.Address): Play => answering(ver, inf, `XFR 3 NS ${Address.format(to)} 0\r\n`)
  const letsIn: Play = lingering(ver, inf, challenged, ok)

  /** Servers that refer to the next one, so many times, and then one that lets in. */
  const chain = (referrals: number) =>
    stage(...Array.from({ length: referrals }, (_, index) => [at(index), refersTo(at(index + 1))] as const), [
      at(referrals),
      letsIn,
    ])

  const msnp7 = { dialects: ["MSNP7"] } as const

  it.effect("are followed up to five in a row", () =>
    Effect.gen(function* () {
      const network = yield* chain(5)
      const session = yield* World.loginOver(network, World.aliceAt(at(0), msnp7))
      assert.deepStrictEqual(session.server, at(5))
      assert.strictEqual(network.connections.length, 6)
    }),
  )

  it.effect("are not followed beyond five in a row", () =>
    Effect.gen(function* () {
      const network = yield* chain(6)
      const error = yield* Effect.flip(World.loginOver(network, World.aliceAt(at(0), msnp7)))
      assert.strictEqual(
        error.message,
        "10.0.1.5:1863 broke the protocol: expected USR S, got more than 5 referrals in a row.",
      )
      assert.strictEqual(network.connections.length, 6)
    }),
  )

  it.effect("are not followed back to a server that was there before, or is there now", () =>
    Effect.gen(function* () {
      const network = yield* stage([at(0), refersTo(at(1))], [at(1), refersTo(at(0))], [at(2), refersTo(at(2))])
      const error = yield* Effect.flip(World.loginOver(network, World.aliceAt(at(0), msnp7)))
      assert.strictEqual(
        error.message,
        "10.0.1.1:1863 broke the protocol: expected USR S, got a referral back to 10.0.1.0:1863.",
      )
      const itself = yield* Effect.flip(World.loginOver(network, World.aliceAt(at(2), msnp7)))
      assert.include(itself.message, "a referral back to 10.0.1.2:1863")
    }),
  )

  it.effect(
    "go to port 1863 where none is named (draft 7.4), as early samples show: XFR 2 NS 64.4.12.133 0",
    () =>
      Effect.gen(function* () {
        const network = yield* stage(
          [at(0), answering(ver, inf, "XFR 3 NS 64.4.12.133 0\r\n")],
          [{ host: "64.4.12.133", port: 1863 }, letsIn],
        )
        const session = yield* World.loginOver(network, World.aliceAt(at(0), msnp7))
        assert.strictEqual(Address.format(session.server), "64.4.12.133:1863")
      }),
    { tags: ["connect.direct", "xfr.port"] },
  )

  it.effect(
    "may be followed with another account and other dialects",
    () =>
      Effect.gen(function* () {
        const network = MemorySocket.network()
        const bob = World.entry("bob@hotmail.com", { password: Redacted.make("builder") })
        yield* World.serve(network.listen(World.dispatchAddress), World.layerReferring(here))
        yield* World.serve(network.listen(here), World.layerExample([bob]))
        const asked: Array<Address.Address> = []
        const session = yield* World.loginOver(
          network,
          World.aliceAt(World.dispatchAddress, {
            account: Account.Account.make("a@b.c"),
            strategy: "no-inf",
            dialects: ["MSNP7"],
            onReferral: (to) => {
              asked.push(to)
              return Effect.succeed({ account: bob.account, password: bob.password, dialects: ["MSNP3", "MSNP2"] })
            },
          }),
        )
        assert.deepStrictEqual(asked, [here])
        assert.strictEqual(session.account, "bob@hotmail.com")
        assert.strictEqual(session.dialect, "MSNP3")
        assert.deepStrictEqual(
          network.connections.map(({ client }) => client().split("\r\n").slice(0, 2)),
          [
            ["VER 1 MSNP7 CVR0", "USR 2 MD5 I a@b.c"],
            ["VER 1 MSNP3 MSNP2 CVR0", "USR 2 MD5 I bob@hotmail.com"],
          ],
        )
      }),
    { tags: ["xfr.again", "xfr.independent", "efficiency.any-account"] },
  )
})

describe("a session", () => {
  const play = (behind: string): Play => lingering(ver, inf, challenged, ok + behind)

  it.effect(
    "hands over what the server says behind USR OK in the same segment",
    () =>
      Effect.gen(function* () {
        const payload = "MIME-Version: 1.0\r\n\r\n"
        const { session } = yield* sessionAt(play(`MSG Hotmail Hotmail 21\r\n${payload}CHL 0 15570131571988941333\r\n`))
        assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(session.commands, 2)), [
          { _tag: "Foreign", verb: "MSG", parameters: ["Hotmail", "Hotmail", "21"], payload },
          foreign("CHL", "0", "15570131571988941333"),
        ])
      }),
    { tags: ["next.messages"] },
  )

  it.effect(
    "fails with LoggedOut when the account has logged in elsewhere or the server goes down",
    () =>
      Effect.gen(function* () {
        for (const [words, reason] of [
          ["OUT OTH", "LoggedInElsewhere"],
          ["OUT SSD", "ShuttingDown"],
          ["OUT", "Unstated"],
        ] as const) {
          const { session } = yield* sessionAt((peer, address) =>
            answering(
              ver,
              inf,
              challenged,
              ok,
            )(peer, address).pipe(Effect.andThen(peer.line), Effect.andThen(peer.say(`${words}\r\n`))),
          )
          yield* session.send({ _tag: "Foreign", verb: "PNG", parameters: [], payload: "" })
          const error = yield* Effect.flip(Stream.runDrain(session.commands))
          assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason }))
          assert.isFalse(yield* session.send(foreign("PNG")))
        }
      }),
    { tags: ["closing.reasons"] },
  )

  it.effect("begins, and fails with LoggedOut, where USR OK and OUT come in one segment", () =>
    Effect.gen(function* () {
      const { session } = yield* sessionAt(answering(ver, inf, challenged, `${ok}CHL 0 1\r\nOUT SSD\r\n`))
      const heard: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(session.commands, (command) => Effect.sync(() => heard.push(command))),
      )
      assert.deepStrictEqual(heard, [foreign("CHL", "0", "1")])
      assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason: "ShuttingDown" }))
    }),
  )

  it.effect("ends for whoever listens when its scope closes, before it has begun and later", () =>
    Effect.gen(function* () {
      for (const turns of [0, 1, 10]) {
        const network = yield* stage([here, lingering(ver, inf, challenged, ok)])
        const listening = yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* World.loginOver(network, World.aliceAt(here, { dialects: ["MSNP7"] }))
            const listening = yield* Effect.forkDetach(Stream.runCollect(session.commands))
            for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
            return listening
          }),
        )
        assert.deepStrictEqual(yield* Fiber.join(listening), [])
      }
    }),
  )

  it.effect("ends a sink of commands when the server ends it", () =>
    Effect.gen(function* () {
      const { session } = yield* sessionAt(answering(ver, inf, challenged, `${ok}OUT SSD\r\n`))
      yield* Effect.ignore(Stream.runDrain(session.commands))
      yield* Stream.run(Stream.forever(Stream.make(foreign("PNG"))), session.sink)
    }),
  )

  it.effect("fails with Disconnected when the connection is gone", () =>
    Effect.gen(function* () {
      const { session } = yield* sessionAt(answering(ver, inf, challenged, `${ok}CHL 0 1\r\n`))
      const heard: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(session.commands, (command) => Effect.sync(() => heard.push(command))),
      )
      assert.deepStrictEqual(heard, [foreign("CHL", "0", "1")])
      assert.deepStrictEqual(error, new LoginError.Disconnected({ server, awaiting: [] }))
    }),
  )

  it.effect("loses none of many commands that come in one segment with OUT behind them", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 1000 }, (_, index) => String(index))
      const { session } = yield* sessionAt((peer, address) =>
        answering(
          ver,
          inf,
          challenged,
          ok,
        )(peer, address).pipe(
          Effect.andThen(peer.line),
          Effect.andThen(peer.say(`${many.map((n) => `FLN ${n}\r\n`).join("")}OUT OTH\r\n`)),
        ),
      )
      yield* session.send({ _tag: "Foreign", verb: "PNG", parameters: [], payload: "" })
      const heard: Array<unknown> = []
      const error = yield* Effect.flip(
        Stream.runForEach(session.commands, (command) => Effect.sync(() => heard.push(command))),
      )
      assert.deepStrictEqual(
        heard,
        many.map((n) => foreign("FLN", n)),
      )
      assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason: "LoggedInElsewhere" }))
    }),
  )

  it.effect("fails with ServerMisbehaved when the server says what cannot be read", () =>
    Effect.gen(function* () {
      const { session } = yield* sessionAt((peer, address) =>
        answering(
          ver,
          inf,
          challenged,
          ok,
        )(peer, address).pipe(Effect.andThen(peer.line), Effect.andThen(peer.say("MSG Hotmail Hotmail many\r\n"))),
      )
      yield* session.send({ _tag: "Foreign", verb: "PNG", parameters: [], payload: "" })
      const error = yield* Effect.flip(Stream.runDrain(session.commands))
      assert.strictEqual(error._tag, "ServerMisbehaved")
    }),
  )

  it.effect(
    "ends what it hears without a failure when it logs off, with OUT",
    () =>
      Effect.gen(function* () {
        const { network, session } = yield* sessionAt((peer, address) =>
          Effect.andThen(answering(ver, inf, challenged, ok)(peer, address), peer.line),
        )
        const hearing = yield* Effect.forkChild(Stream.runCollect(session.commands), { startImmediately: true })
        yield* session.logOff
        assert.deepStrictEqual(yield* Fiber.join(hearing), [])
        assert.isFalse(yield* session.send(foreign("PNG")))
        yield* session.logOff
        const said = network.connections[0]?.client() ?? ""
        assert.isTrue(said.endsWith("\r\nOUT\r\n"))
        assert.strictEqual(said.split("OUT").length, 2)
      }),
    { tags: ["logoff.out"] },
  )

  it.effect("logs off when its scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const ended = yield* Queue.unbounded<string>()
      const play: Play = (peer, address) =>
        answering(
          ver,
          inf,
          challenged,
          ok,
        )(peer, address).pipe(
          Effect.andThen(peer.rest),
          Effect.flatMap((rest) => Queue.offer(ended, rest)),
        )
      const network = yield* stage([here, play])
      yield* World.loginOver(network, World.aliceAt(here, { dialects: ["MSNP7"] })).pipe(Scope.provide(scope))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Queue.take(ended), "OUT\r\n")
    }),
  )

  it.effect("counts its TrIDs on from those of the login", () =>
    Effect.gen(function* () {
      const { session } = yield* sessionAt(play(""))
      assert.deepStrictEqual([yield* session.nextTrId, yield* session.nextTrId], [5, 6])
    }),
  )

  it.effect(
    "sends the first status, asks for the lists and tells its version, if it is told to",
    () =>
      Effect.gen(function* () {
        const { network, session } = yield* sessionAt(play(""))
        const trId = yield* session.nextTrId
        yield* session.send({ _tag: "Foreign", verb: "CHG", parameters: [String(trId), "NLN"], payload: "" })
        yield* session.send({ _tag: "Foreign", verb: "SYN", parameters: [String(trId + 1), "0"], payload: "" })
        const parameters = ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"]
        yield* session.send({ _tag: "Cvr", trId: TrId.TrId.make(trId + 2), parameters })
        assert.isTrue(
          network.connections[0]
            ?.client()
            .endsWith("\r\nCHG 5 NLN\r\nSYN 6 0\r\nCVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n"),
        )
      }),
    { tags: ["next.status", "next.sync", "next.cvr"] },
  )

  it.effect("sends what a stream of commands says", () =>
    Effect.gen(function* () {
      const { network, session } = yield* sessionAt(play(""))
      yield* Stream.run(
        Stream.make(
          { _tag: "Foreign", verb: "SYN", parameters: ["5", "0"], payload: "" } as const,
          { _tag: "Foreign", verb: "CHG", parameters: ["6", "NLN"], payload: "" } as const,
        ),
        session.sink,
      )
      assert.isTrue(network.connections[0]?.client().endsWith("\r\nSYN 5 0\r\nCHG 6 NLN\r\n"))
    }),
  )
})

describe("a client over TCP", () => {
  /** A bare server of `node:net` that is played by a test. */
  const playing = (play: (peer: Peer.TcpPeer) => Effect.Effect<void, never, Scope.Scope>) =>
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const server = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (conn) =>
            Effect.runFork(Scope.provide(Effect.forkScoped(Effect.flatMap(Peer.overTcp(conn), play)), scope)),
          )
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void))),
      )
      const bound = server.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : 0
      return { host: "127.0.0.1", port }
    })

  const signingIn = (peer: Peer.Peer) => answering(ver, inf, challenged, ok)(peer, here)

  it.live(
    "says OUT, and sees the server close",
    () =>
      Effect.gen(function* () {
        const address = yield* World.serveTcp(World.layerExample())
        for (const strategy of LoginClient.Strategy.literals) {
          const entries: Array<Transcript.Entry> = []
          const observer: Transcript.Observer = (entry) => void entries.push(entry)
          const session = yield* LoginClient.login(World.aliceAt(address, { strategy, observer }))
          yield* session.logOff
          assert.deepStrictEqual(entries.slice(-2), [
            { _tag: "Said", by: "Client", words: ["OUT"] },
            { _tag: "Closed", by: "Server" },
          ])
        }
      }),
    { tags: ["logoff.out-closes"] },
  )

  it.live("closes a connection itself where the server does not, and says so", () =>
    Effect.gen(function* () {
      const address = yield* playing((peer) =>
        Effect.andThen(answering(ver, inf, challenged, "911 4\r\n")(peer, here), Effect.asVoid(peer.rest)),
      )
      const entries: Array<Transcript.Entry> = []
      const observer: Transcript.Observer = (entry) => void entries.push(entry)
      const limits = { ...LoginClient.defaultLimits, closingTime: "20 millis" } as const
      const options = World.aliceAt(address, { dialects: ["MSNP7"], observer, limits })
      const error = yield* Effect.flip(Effect.scoped(LoginClient.login(options)))
      assert.strictEqual(error._tag, "Denied")
      assert.deepStrictEqual(entries.slice(-1), [{ _tag: "Closed", by: "Client" }])
    }),
  )

  it.live("is Disconnected where the server resets the connection, at any time", () =>
    Effect.gen(function* () {
      const answers = [ver, inf, challenged]
      for (const length of [0, 1, 2, 3]) {
        const address = yield* playing((peer) =>
          answering(...answers.slice(0, length))(peer, here).pipe(
            Effect.andThen(peer.line),
            Effect.andThen(peer.reset),
          ),
        )
        const error = yield* Effect.flip(
          Effect.scoped(LoginClient.login(World.aliceAt(address, { dialects: ["MSNP7"] }))),
        )
        assert.strictEqual(error._tag, "Disconnected")
      }
    }),
  )

  it.live("is TimedOut where the server stalls", () =>
    Effect.gen(function* () {
      const address = yield* playing((peer) => Effect.andThen(answering(ver)(peer, here), Effect.asVoid(peer.rest)))
      const limits = { ...LoginClient.defaultLimits, loginTimeout: "30 millis", closingTime: "10 millis" } as const
      const options = World.aliceAt(address, { dialects: ["MSNP7"], limits })
      const error = yield* Effect.flip(Effect.scoped(LoginClient.login(options)))
      assert.strictEqual(error._tag, "TimedOut")
    }),
  )

  it.live("hands over everything of many a segment, though nobody takes it for a while", () =>
    Effect.gen(function* () {
      const payload = "x".repeat(5000)
      const address = yield* playing((peer) =>
        signingIn(peer).pipe(
          Effect.andThen(peer.say(`NOT 5000\r\n${payload}`.repeat(1000))),
          Effect.andThen(Effect.asVoid(peer.rest)),
        ),
      )
      const session = yield* LoginClient.login(World.aliceAt(address, { dialects: ["MSNP7"] }))
      const commands = yield* Stream.runCollect(Stream.take(session.commands, 1000))
      assert.isTrue(commands.every((command) => command._tag === "Foreign" && command.payload === payload))
    }),
  )

  it.live("is not kept from closing by a server that never reads", () =>
    Effect.gen(function* () {
      const address = yield* playing((peer) =>
        signingIn(peer).pipe(Effect.andThen(peer.stall), Effect.andThen(Effect.never)),
      )
      const scope = yield* Scope.make()
      const session = yield* LoginClient.login(World.aliceAt(address, { dialects: ["MSNP7"] })).pipe(
        Scope.provide(scope),
      )
      const page = {
        _tag: "Foreign",
        verb: "MSG",
        parameters: ["5", "N", "60000"],
        payload: "x".repeat(60_000),
      } as const
      const blocked = yield* Effect.repeat(Effect.timeoutOption(session.send(page), "50 millis"), {
        until: Option.isNone,
        times: 1000,
      })
      assert.isTrue(Option.isNone(blocked))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(yield* session.send(foreign("PNG")))
    }),
  )

  it.live("uses the connector that it is given", () =>
    Effect.gen(function* () {
      const address = yield* World.serveTcp(World.layerExample())
      const asked: Array<string> = []
      const connector: Connector.Connector = {
        pings: "Carried",
        connect: (to) =>
          Effect.suspend(() => {
            asked.push(Address.format(to))
            return Connector.direct.connect(address)
          }),
      }
      yield* Effect.provideService(LoginClient.login(World.aliceAt(here)), Connector.Connector, connector)
      assert.deepStrictEqual(asked, [server])
    }),
  )

  it("says in a connector's error where it could not connect to, and why", () => {
    const error = new Connector.ConnectError({ tried: [Connector.refused(here)] })
    assert.strictEqual(error.message, "No connection came about; tried 10.0.0.5:1863 (nothing listens there).")
  })
})
