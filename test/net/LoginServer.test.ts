import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Admission from "../../src/host/Admission.ts"
import type * as Server from "../../src/login/Server.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as Telemetry from "../../src/net/Telemetry.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import type * as Codec from "../../src/protocol/Codec.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

/** A server in memory; each use of it is a client that has just connected. */
const serverWith = <R = never>(
  admission: Layer.Layer<Admission.Admission>,
  options: World.Options = {},
  onSession?: LoginServer.OnSession<R>,
) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    yield* World.serve(network.listen(World.notificationAddress), admission, options, onSession)
    return Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory)
  })

/** A notification server in memory that says the example session's challenge. */
const notification = <R = never>(options?: World.Options, onSession?: LoginServer.OnSession<R>) =>
  serverWith(World.layerExample(), options, onSession)

const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const challenged = "VER 1 MSNP7\r\nUSR 2 MD5 S 1013928519.693957190\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"
const wrongAnswer = "USR 3 MD5 S 00000000000000000000000000000000\r\n"

/** Logs a peer in. */
const signIn = Effect.fnUntraced(function* (peer: Peer.Peer) {
  yield* peer.say(opening)
  assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
  yield* peer.say(answer)
  assert.strictEqual(yield* peer.line, ok)
})

/** What a peer hears that says this and waits. */
const hears = (connect: Effect.Effect<Peer.Peer, never, Scope.Scope>, said: string) =>
  Effect.gen(function* () {
    const peer = yield* connect
    yield* peer.say(said)
    return yield* peer.rest
  }).pipe(Effect.scoped)

/** What a peer hears that says this and has no more to say. */
const hearsBehind = (connect: Effect.Effect<Peer.Peer, never, Scope.Scope>, said: string) =>
  Effect.gen(function* () {
    const peer = yield* connect
    yield* peer.say(said)
    yield* peer.finish
    return yield* peer.rest
  }).pipe(Effect.scoped)

const foreign = (verb: string, ...parameters: ReadonlyArray<string>): ClientCommand.ClientCommand => ({
  _tag: "Foreign",
  verb,
  parameters,
  payload: "",
})

type Heard = ClientCommand.ClientCommand | Codec.Malformed

/** An application that writes down what it hears, and when it hears no more. */
const recorder = Effect.gen(function* () {
  const heard: Array<Heard> = []
  const ended = yield* Deferred.make<ReadonlyArray<Heard>>()
  const onSession: LoginServer.OnSession<never> = (session) =>
    Effect.andThen(
      Stream.runForEach(session.commands, (command) => Effect.sync(() => heard.push(command))),
      Deferred.succeed(ended, heard),
    )
  return { onSession, ended: Deferred.await(ended) }
})

/** A host that says what it decides when it is told to. */
const hesitant = Effect.gen(function* () {
  const admitted = yield* Deferred.make<void>()
  const asked = yield* Deferred.make<void>()
  const judged = yield* Deferred.make<void>()
  const layer = Layer.effect(
    Admission.Admission,
    Effect.map(Admission.Admission, ({ admit, judge }) => ({
      admit: (question) => Effect.andThen(Deferred.await(admitted), admit(question)),
      judge: (question) =>
        Deferred.succeed(asked, undefined).pipe(
          Effect.andThen(Deferred.await(judged)),
          Effect.andThen(judge(question)),
        ),
    })),
  ).pipe(Layer.provide(World.layerExample()))
  return {
    layer,
    admit: Deferred.succeed(admitted, undefined),
    isAsked: Effect.andThen(Deferred.await(asked), Effect.yieldNow),
    judge: Deferred.succeed(judged, undefined),
  }
})

describe("pipelining", () => {
  it.effect(
    "takes VER and USR together with lone line feeds",
    () =>
      Effect.gen(function* () {
        const connect = yield* serverWith(World.layerReferring(World.notificationAddress))
        assert.strictEqual(
          yield* hears(connect, "VER 1 MSNP7\nUSR 2 MD5 I a@b.c\n"),
          "VER 1 MSNP7\r\nXFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n",
        )
      }),
    { tags: ["efficiency.together", "efficiency.packet", "efficiency.lf"] },
  )

  it.effect(
    "keeps what comes while the host decides, in order: CVR behind USR I is 715 then",
    () =>
      Effect.gen(function* () {
        const host = yield* hesitant
        const peer = yield* yield* serverWith(host.layer)
        yield* peer.say(opening)
        yield* peer.say("CVR 3 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n")
        assert.strictEqual(yield* peer.line, "VER 1 MSNP7\r\n")
        yield* host.admit
        assert.strictEqual(yield* peer.rest, "USR 2 MD5 S 1013928519.693957190\r\n715 3\r\n")
      }),
    { tags: ["beyond.pending", "login.cvr-after-usr"] },
  )

  it.effect("hands over what comes behind the last USR while the host decides, in order", () =>
    Effect.gen(function* () {
      const host = yield* hesitant
      const { ended, onSession } = yield* recorder
      const peer = yield* yield* serverWith(host.layer, {}, onSession)
      yield* peer.say(opening)
      yield* host.admit
      assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
      yield* peer.say(`${answer}SYN 4 0\r\n`)
      yield* peer.say("CHG 5 NLN\r\nPN")
      yield* peer.say("G\r\n")
      yield* host.judge
      assert.strictEqual(yield* peer.line, ok)
      yield* peer.finish
      assert.deepStrictEqual(yield* ended, [foreign("SYN", "4", "0"), foreign("CHG", "5", "NLN"), foreign("PNG")])
    }),
  )

  it.effect(
    "hands over what comes behind the last USR while the host decides, where the client then has no more to say",
    () =>
      Effect.gen(function* () {
        const host = yield* hesitant
        const { ended, onSession } = yield* recorder
        const peer = yield* yield* serverWith(host.layer, {}, onSession)
        yield* host.admit
        yield* peer.say(`${opening}${answer}SYN 4 0\r\nPNG\r\n`)
        yield* peer.finish
        yield* host.isAsked
        yield* host.judge
        assert.strictEqual(yield* peer.rest, challenged + ok)
        assert.deepStrictEqual(yield* ended, [foreign("SYN", "4", "0"), foreign("PNG")])
      }),
  )

  it.effect(
    "hands over what comes behind the last USR in the same segment",
    () =>
      Effect.gen(function* () {
        const { ended, onSession } = yield* recorder
        const peer = yield* yield* notification({}, onSession)
        yield* peer.say(opening)
        assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
        yield* peer.say(`${answer}SYN 4 0\r\nQRY 5 msmsgs@msnmsgr.com 32\r\n8f2f5a91b72102cd28355e9fc9000d6ePNG\r\n`)
        yield* peer.finish
        assert.deepStrictEqual(yield* ended, [
          foreign("SYN", "4", "0"),
          {
            _tag: "Foreign",
            verb: "QRY",
            parameters: ["5", "msmsgs@msnmsgr.com", "32"],
            payload: "8f2f5a91b72102cd28355e9fc9000d6e",
          },
          foreign("PNG"),
        ])
      }),
    { tags: ["efficiency.packet"] },
  )

  it.effect("hands over what stands between the last USR and OUT in one segment", () =>
    Effect.gen(function* () {
      const { ended, onSession } = yield* recorder
      const peer = yield* yield* notification({}, onSession)
      yield* peer.say(opening)
      assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
      yield* peer.say(`${answer}SYN 4 0\r\nOUT\r\nPNG\r\n`)
      assert.strictEqual(yield* peer.rest, ok)
      assert.deepStrictEqual(yield* ended, [foreign("SYN", "4", "0")])
    }),
  )

  it.effect("loses none of many commands that come in one segment with OUT behind them", () =>
    Effect.gen(function* () {
      const { ended, onSession } = yield* recorder
      const peer = yield* yield* notification({}, onSession)
      yield* signIn(peer)
      const many = Array.from({ length: 1000 }, (_, index) => String(index))
      yield* peer.say(`${many.map((n) => `PNG ${n}\r\n`).join("")}OUT\r\n`)
      assert.strictEqual(yield* peer.rest, "")
      assert.deepStrictEqual(
        yield* ended,
        many.map((n) => foreign("PNG", n)),
      )
    }),
  )

  it.effect(
    "hands over lines that make no sense, and goes on",
    () =>
      Effect.gen(function* () {
        const { ended, onSession } = yield* recorder
        const peer = yield* yield* notification({}, onSession)
        yield* signIn(peer)
        yield* peer.say("VER 4\r\nUSR 5 TWN I alice@hotmail.com\r\nPNG\r\n")
        yield* peer.finish
        const heard = yield* ended
        assert.deepStrictEqual(
          heard.map((command) => ("verb" in command ? command.verb : command._tag)),
          ["Ver", "USR", "PNG"],
        )
      }),
    { tags: ["login.stage-only"] },
  )
})

describe("a client that has no more to say", () => {
  it.effect(
    "is answered every whole line, and then the connection is closed",
    () =>
      Effect.gen(function* () {
        const connect = yield* notification()
        assert.strictEqual(yield* hearsBehind(connect, opening), challenged)
        assert.strictEqual(yield* hearsBehind(connect, opening + answer), challenged + ok)
        assert.strictEqual(yield* hearsBehind(connect, opening + wrongAnswer), `${challenged}911 3\r\n`)
        assert.strictEqual(yield* hearsBehind(connect, ""), "")
      }),
    { tags: ["beyond.half-close"] },
  )

  it.effect(
    "is answered what the host was still deciding",
    () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const asked = yield* Deferred.make<void>()
        const layer = Layer.effect(
          Admission.Admission,
          Effect.map(Admission.Admission, ({ admit, judge }) => ({
            admit: (question) =>
              Deferred.succeed(asked, undefined).pipe(
                Effect.andThen(Deferred.await(gate)),
                Effect.andThen(admit(question)),
              ),
            judge,
          })),
        ).pipe(Layer.provide(World.layerExample()))
        const peer = yield* yield* serverWith(layer)
        yield* peer.say(opening)
        yield* peer.finish
        yield* Deferred.await(asked)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* peer.rest, challenged)
      }),
    { tags: ["beyond.half-close"] },
  )

  it.effect(
    "is not answered a last line without a line end",
    () =>
      Effect.gen(function* () {
        const connect = yield* notification()
        assert.strictEqual(yield* hearsBehind(connect, "VER 1 MSNP7\r\nINF 2"), "VER 1 MSNP7\r\n")
        assert.strictEqual(yield* hearsBehind(connect, "VER 1 MSNP7\r"), "")
      }),
    { tags: ["beyond.half-close"] },
  )

  it.effect("still hears what the application answers to its last commands", () =>
    Effect.gen(function* () {
      const pong: ServerCommand.ServerCommand = { _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }
      const connect = yield* notification({}, (session) =>
        Effect.andThen(Stream.runDrain(session.commands), Effect.asVoid(session.send(pong))),
      )
      assert.strictEqual(yield* hearsBehind(connect, `${opening}${answer}PNG\r\n`), `${challenged}${ok}QNG\r\n`)
    }),
  )
})

describe("the length of a line", () => {
  const ver = (length: number) => `VER 1 MSNP7 ${"X".repeat(length - "VER 1 MSNP7 ".length)}`

  it.effect(
    "may be 2,048 bytes without the line end",
    () =>
      Effect.gen(function* () {
        const connect = yield* notification()
        assert.strictEqual(yield* hearsBehind(connect, `${ver(2048)}\r\n`), "VER 1 MSNP7\r\n")
        assert.strictEqual(yield* hearsBehind(connect, `${ver(2048)}\n`), "VER 1 MSNP7\r\n")
      }),
    { tags: ["beyond.limit"] },
  )

  it.effect(
    "may not be 2,049 bytes: the connection is closed, and nothing said, before the line end is there",
    () =>
      Effect.gen(function* () {
        const connect = yield* notification()
        assert.strictEqual(yield* hears(connect, `${ver(2049)}\r\n`), "")
        assert.strictEqual(yield* hears(connect, ver(2049)), "")
        assert.strictEqual(yield* hears(connect, `VER 1 MSNP7\r\n${"X".repeat(2049)}`), "VER 1 MSNP7\r\n")
      }),
    { tags: ["beyond.limit"] },
  )

  it.effect("may be limited otherwise", () =>
    Effect.gen(function* () {
      const connect = yield* notification({ limits: { lineBytes: 20, payloadBytes: 0 } })
      assert.strictEqual(yield* hears(connect, `${ver(21)}\r\n`), "")
      assert.strictEqual(yield* hearsBehind(connect, `${ver(20)}\r\n`), "VER 1 MSNP7\r\n")
    }),
  )
})

describe("the time that a login may take", () => {
  it.effect(
    "is 30 seconds: then the connection is closed, and nothing said",
    () =>
      Effect.gen(function* () {
        const peer = yield* yield* notification()
        yield* peer.say(opening)
        assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
        const rest = yield* Effect.forkChild(peer.rest, { startImmediately: true })
        yield* TestClock.adjust("29999 millis")
        assert.isUndefined(rest.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* Fiber.join(rest), "")
      }),
    { tags: ["beyond.overdue"] },
  )

  it.effect("includes what the host takes, where its decisions may take longer", () =>
    Effect.gen(function* () {
      const layer = Layer.succeed(Admission.Admission, { admit: () => Effect.never, judge: () => Effect.never })
      const peer = yield* yield* serverWith(layer, {
        limits: { decisionTimeout: "1 minute", loginTimeout: "20 seconds" },
      })
      yield* peer.say(opening)
      assert.strictEqual(yield* peer.line, "VER 1 MSNP7\r\n")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* peer.rest, "")
    }),
  )

  it.effect("is over where the host takes too long: 910", () =>
    Effect.gen(function* () {
      const layer = Layer.succeed(Admission.Admission, { admit: () => Effect.never, judge: () => Effect.never })
      const peer = yield* yield* serverWith(layer)
      yield* peer.say(opening)
      assert.strictEqual(yield* peer.line, "VER 1 MSNP7\r\n")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* peer.rest, "910 2\r\n")
    }),
  )

  it.effect("does not matter once the client is logged in: no session is closed for being quiet", () =>
    Effect.gen(function* () {
      const pong: ServerCommand.ServerCommand = { _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }
      const peer = yield* yield* notification({}, (session) =>
        Stream.runForEach(session.commands, () => session.send(pong)),
      )
      yield* signIn(peer)
      yield* TestClock.adjust("30 days")
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
    }),
  )
})

describe("the end of a connection", () => {
  it.effect(
    "comes without an answer to OUT, at any time",
    () =>
      Effect.gen(function* () {
        const connect = yield* notification()
        assert.strictEqual(yield* hears(connect, "OUT\r\n"), "")
        assert.strictEqual(yield* hears(connect, "VER 1 MSNP7\r\nOUT\r\n"), "VER 1 MSNP7\r\n")
        assert.strictEqual(yield* hears(connect, `${opening}OUT\r\n`), challenged)
        assert.strictEqual(yield* hears(connect, `${opening}${answer}OUT\r\n`), challenged + ok)
        const peer = yield* connect
        yield* signIn(peer)
        yield* peer.say("OUT\r\n")
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["logoff.out-silent"] },
  )

  it.effect(
    "comes at once with OUT, even where the application has still to do",
    () =>
      Effect.gen(function* () {
        const peer = yield* yield* notification({}, () => Effect.never)
        yield* signIn(peer)
        yield* peer.say("OUT\r\n")
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["logoff.out-closes"] },
  )

  it.effect(
    "comes with OUT OTH where the account has logged in elsewhere, at once",
    () =>
      Effect.gen(function* () {
        const sessions = yield* Queue.unbounded<LoginServer.Session>()
        const peer = yield* yield* notification({}, (session) =>
          Effect.andThen(Queue.offer(sessions, session), Effect.never),
        )
        yield* signIn(peer)
        const session = yield* Queue.take(sessions)
        yield* session.displace
        assert.strictEqual(yield* peer.rest, "OUT OTH\r\n")
        assert.isFalse(yield* session.send({ _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }))
        yield* session.displace
      }),
    { tags: ["closing.oth"] },
  )

  it.effect(
    "comes with OUT SSD to everybody when the server goes down",
    () =>
      Effect.gen(function* () {
        const network = MemorySocket.network()
        const scope = yield* Scope.make()
        const listener = network.listen(World.notificationAddress)
        yield* Scope.provide(World.serve(listener, World.layerExample()), scope)
        const connect = Effect.flatMap(network.dial(World.notificationAddress), Peer.inMemory)
        const silent = yield* connect
        const begun = yield* connect
        yield* begun.say(opening)
        assert.strictEqual((yield* begun.line) + (yield* begun.line), challenged)
        const signedIn = yield* connect
        yield* signIn(signedIn)
        yield* Scope.close(scope, Exit.void)
        for (const peer of [silent, begun, signedIn]) assert.strictEqual(yield* peer.rest, "OUT SSD\r\n")
        const late = yield* connect
        assert.strictEqual(yield* late.rest, "")
      }),
    { tags: ["closing.ssd", "closing.ssd-closes"] },
  )

  it.effect("gives an application up to 5 seconds to finish when the server goes down", () =>
    Effect.gen(function* () {
      const done: Array<string> = []
      for (const [name, takes] of [
        ["in time", "4 seconds"],
        ["too late", "6 seconds"],
      ] as const) {
        const network = MemorySocket.network()
        const scope = yield* Scope.make()
        const application: LoginServer.OnSession<never> = (session) =>
          Stream.runDrain(session.commands).pipe(
            Effect.andThen(Effect.sleep(takes)),
            Effect.andThen(Effect.sync(() => void done.push(name))),
          )
        const listener = network.listen(World.notificationAddress)
        yield* Scope.provide(World.serve(listener, World.layerExample(), {}, application), scope)
        const peer = yield* Effect.flatMap(network.dial(World.notificationAddress), Peer.inMemory)
        yield* signIn(peer)
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        assert.strictEqual(yield* peer.rest, "OUT SSD\r\n")
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(closing)
      }
      assert.deepStrictEqual(done, ["in time"])
    }),
  )

  it.effect(
    "comes when the application is done with the session",
    () =>
      Effect.gen(function* () {
        const peer = yield* yield* notification({}, () => Effect.void)
        yield* signIn(peer)
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["beyond.dismiss"] },
  )

  it.effect("comes when the application has a defect, which is logged; others are served on", () =>
    Effect.gen(function* () {
      const logs = yield* Queue.unbounded<string>()
      const logger = Logger.make(({ cause }) => void Queue.offerUnsafe(logs, String(cause)))
      const connect = yield* Effect.provide(
        notification({}, () => Effect.die(new Error("a bug of the application"))),
        Logger.layer([logger]),
      )
      for (const _ of [1, 2]) {
        const peer = yield* connect
        yield* signIn(peer)
        assert.strictEqual(yield* peer.rest, "")
        assert.include(yield* Queue.take(logs), "a bug of the application")
      }
    }),
  )

  it.effect("gives an application that goes on without its client 5 seconds", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const peer = yield* yield* notification({}, () =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)),
      )
      yield* signIn(peer)
      yield* peer.finish
      yield* TestClock.adjust("4999 millis")
      assert.isFalse(yield* Deferred.isDone(interrupted))
      yield* TestClock.adjust("1 millis")
      yield* Deferred.await(interrupted)
    }),
  )

  it.effect("gives an application 5 seconds that goes on after it has put its client off at once", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const host = yield* hesitant
      const peer = yield* yield* serverWith(host.layer, {}, (session) =>
        Effect.andThen(
          session.displace,
          Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)),
        ),
      )
      yield* host.admit
      yield* peer.say(opening + answer)
      yield* host.isAsked
      yield* host.judge
      assert.strictEqual(yield* peer.rest, `${challenged}${ok}OUT OTH\r\n`)
      yield* TestClock.adjust("4999 millis")
      assert.isFalse(yield* Deferred.isDone(interrupted))
      yield* TestClock.adjust("1 millis")
      yield* Deferred.await(interrupted)
    }),
  )

  it.effect("takes the question to the host back where the client is lost meanwhile, and makes room for others", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const takenBack = yield* Deferred.make<void>()
      const waiting = Deferred.succeed(asked, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(takenBack, undefined)),
      )
      const admission = Layer.succeed(Admission.Admission, {
        admit: ({ account }) =>
          account === "alice@hotmail.com" ? waiting : Effect.succeed({ _tag: "Deny", code: 601 }),
        judge: () => Effect.never,
      })
      const connect = yield* serverWith(admission, { limits: { pendingDecisions: 1 } })
      const lost = yield* connect
      yield* lost.say(opening)
      yield* Deferred.await(asked)
      yield* lost.reset
      yield* Deferred.await(takenBack)
      assert.strictEqual(
        yield* hears(connect, "VER 1 MSNP7\r\nUSR 2 MD5 I bob@hotmail.com\r\n"),
        "VER 1 MSNP7\r\n601 2\r\n",
      )
    }),
  )

  it.effect(
    "is nothing to the application but the end of what it hears, where the client vanishes",
    () =>
      Effect.gen(function* () {
        const { ended, onSession } = yield* recorder
        const peer = yield* yield* notification({}, onSession)
        yield* signIn(peer)
        yield* peer.reset
        assert.deepStrictEqual(yield* ended, [])
      }),
    { tags: ["logoff.close"] },
  )
})

describe("whoever is told what happens on the wire", () => {
  it.live("is told once that the client has closed the connection, though it is then lost besides", () =>
    Effect.gen(function* () {
      const closed: Array<string> = []
      const lost = yield* Deferred.make<void>()
      const observer: Telemetry.Observer = {
        serving: () => {},
        limited: () => {},
        connected: () => ({
          stepped: (_, { _tag }) => void (_tag === "HungUp" && Deferred.doneUnsafe(lost, Effect.void)),
          ended: () => {},
        }),
      }
      const half = yield* Deferred.make<void>()
      const observe: LoginServer.Options["observe"] = () => (entry) => {
        if (entry._tag !== "Closed") return
        closed.push(entry.by)
        Deferred.doneUnsafe(half, Effect.void)
      }
      const at = yield* Effect.provide(
        World.serveTcp(World.layerExample(), { observe }, (session) =>
          Effect.asVoid(
            Effect.repeat(
              Effect.delay(session.send({ _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }), "10 millis"),
              { while: (isSaid) => isSaid },
            ),
          ),
        ),
        Telemetry.layer(Effect.succeed(observer)),
      )
      const peer = yield* Peer.connect(at)
      yield* signIn(peer)
      yield* peer.finish
      yield* Deferred.await(half)
      yield* peer.reset
      yield* Deferred.await(lost)
      assert.deepStrictEqual(closed, ["Client"])
    }),
  )
})

describe("whoever is told of a connection, and has a defect,", () => {
  const defect = new Error("a bug of whoever is told")
  const fail = () => {
    throw defect
  }

  /** Somebody who has a defect at these steps, and who writes down what else it is told. */
  const witness = (isAt: (event: Server.Event) => boolean) => {
    const told: Array<string> = []
    const observer: Telemetry.Observer = {
      serving: () => {},
      limited: (limit) => void told.push(limit),
      connected: () => ({
        stepped: (_, event) => {
          if (isAt(event)) fail()
          told.push(event._tag)
        },
        ended: () => void told.push("ended"),
      }),
    }
    return { told, layer: Telemetry.layer(Effect.succeed(observer)) }
  }

  /** What is logged, and a layer that has it written there. */
  const logged = () => {
    const causes: Array<string> = []
    return { causes, layer: Logger.layer([Logger.make(({ cause }) => void causes.push(String(cause)))]) }
  }

  it.effect("does not keep others from being put off in time", () =>
    Effect.gen(function* () {
      const { causes, layer } = logged()
      const { layer: telemetry } = witness(({ _tag }) => _tag === "Overdue")
      const connect = yield* Effect.provide(notification(), Layer.merge(telemetry, layer))
      for (const _ of [1, 2]) {
        const peer = yield* connect
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* peer.rest, "")
      }
      assert.lengthOf(causes, 2)
    }),
  )

  it.effect("loses its own client alone, where another takes the account", () =>
    Effect.gen(function* () {
      const { told, layer } = witness(({ _tag }) => _tag === "Displaced")
      const connect = yield* Effect.provide(notification(), layer)
      const first = yield* connect
      yield* signIn(first)
      const second = yield* connect
      yield* signIn(second)
      assert.strictEqual(yield* first.rest, "")
      assert.strictEqual(told.at(-1), "Accept")
      assert.include(told, "ended")
    }),
  )

  it.effect("does not keep a server from going down", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const scope = yield* Scope.make()
      const observer: Telemetry.Observer = {
        serving: () => {},
        limited: () => {},
        connected: () => ({
          stepped: (_, { _tag }) => (_tag === "ShutDown" ? fail() : undefined),
          ended: fail,
        }),
      }
      yield* World.serve(network.listen(World.notificationAddress), World.layerExample()).pipe(
        Scope.provide(scope),
        Effect.provide(Telemetry.layer(Effect.succeed(observer))),
      )
      const connect = Effect.flatMap(network.dial(World.notificationAddress), Peer.inMemory)
      const peers = [yield* connect, yield* connect]
      yield* Scope.close(scope, Exit.void)
      for (const peer of peers) assert.strictEqual(yield* peer.rest, "")
    }),
  )

  it.effect("is told of nothing any more but the end", () =>
    Effect.gen(function* () {
      const { told, layer } = witness(({ _tag }) => _tag === "HungUp")
      const interrupted = yield* Deferred.make<void>()
      const connect = yield* Effect.provide(
        notification({}, () =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.andThen(Effect.sleep("1 second"), Deferred.succeed(interrupted, undefined)),
          ),
        ),
        layer,
      )
      const peer = yield* connect
      yield* signIn(peer)
      yield* peer.reset
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(interrupted)
      assert.deepStrictEqual(told.slice(-2), ["Accept", "ended"])
    }),
  )

  it.live("loses the connection, and not the process", () =>
    Effect.gen(function* () {
      const { causes, layer } = logged()
      const observer: Telemetry.Observer = {
        serving: () => {},
        limited: fail,
        connected: fail,
      }
      const at = yield* Effect.provide(
        World.serveTcp(World.layerExample()),
        Layer.merge(Telemetry.layer(Effect.succeed(observer)), layer),
      )
      for (const _ of [1, 2]) assert.strictEqual(yield* (yield* Peer.connect(at)).rest, "")
      assert.lengthOf(causes, 2)
    }),
  )

  it.live("loses the connection where it is told that the client has closed it", () =>
    Effect.gen(function* () {
      const { causes, layer } = logged()
      const at = yield* Effect.provide(
        World.serveTcp(World.layerExample(), {
          observe:
            () =>
            ({ _tag }) =>
              _tag === "Closed" ? fail() : undefined,
        }),
        layer,
      )
      const peer = yield* Peer.connect(at)
      yield* peer.finish
      assert.strictEqual(yield* peer.rest, "")
      assert.lengthOf(causes, 1)
    }),
  )
})

describe("a server", () => {
  it.effect("says where to be referred to in each dialect's form, under the quirks that it is given", () =>
    Effect.gen(function* () {
      const quirks = Quirk.only("msnp2ReferralZero", "verSingle")
      const connect = yield* serverWith(World.layerReferring(World.notificationAddress), { quirks })
      assert.strictEqual(
        yield* hears(connect, "VER 1 MSNP2 CVR0\r\nUSR 2 MD5 I a@b.c\r\n"),
        "VER 1 MSNP2\r\nXFR 2 NS 10.0.0.5:1863 0\r\n",
      )
    }),
  )

  it.effect(
    "that is a notification server may refer a client to another, once it has too much to do",
    () =>
      Effect.gen(function* () {
        let room = 1
        const admission = Layer.succeed(Admission.Admission, {
          admit: () =>
            Effect.succeed(
              room-- > 0
                ? ({ _tag: "Challenge", challenge: World.challenge } as const)
                : ({ _tag: "Refer", to: { host: "10.0.0.6", port: 1864 }, from: World.notificationAddress } as const),
            ),
          judge: () => Effect.succeed({ _tag: "Deny", code: 911 } as const),
        })
        const connect = yield* serverWith(admission)
        const first = yield* connect
        yield* first.say(opening)
        assert.strictEqual((yield* first.line) + (yield* first.line), challenged)
        assert.strictEqual(yield* hears(connect, opening), "VER 1 MSNP7\r\nXFR 2 NS 10.0.0.6:1864 0 10.0.0.5:1863\r\n")
      }),
    { tags: ["login.redirect", "xfr.rare"] },
  )

  it.effect("tells the application who has logged in, from where, and in which dialect", () =>
    Effect.gen(function* () {
      const sessions = yield* Queue.unbounded<LoginServer.Session>()
      const peer = yield* yield* notification({}, (session) =>
        Effect.andThen(Queue.offer(sessions, session), Stream.runDrain(session.commands)),
      )
      yield* peer.say("VER 1 MSNP5 CVR0\r\nUSR 2 MD5 I ALICE@hotmail.com\r\n")
      yield* peer.say(answer)
      const session = yield* Queue.take(sessions)
      assert.strictEqual(session.account, "alice@hotmail.com")
      assert.strictEqual(session.friendlyName, "My Screen Name")
      assert.strictEqual(session.dialect, "MSNP5")
      assert.isTrue(session.verified)
      assert.deepStrictEqual(session.local, World.notificationAddress)
      assert.strictEqual(session.remote.host, "192.0.2.1")
    }),
  )

  it.effect("stops reading from a client whose commands the application does not take, and goes on when it does", () =>
    Effect.gen(function* () {
      const taking = yield* Deferred.make<void>()
      const heard = yield* Queue.unbounded<Heard>()
      const peer = yield* yield* notification({}, (session) =>
        Effect.andThen(
          Deferred.await(taking),
          Stream.runForEach(session.commands, (command) => Queue.offer(heard, command)),
        ),
      )
      yield* signIn(peer)
      for (let index = 0; index < 300; index++) yield* peer.say(`PNG ${index}\r\n`)
      yield* Deferred.succeed(taking, undefined)
      const commands = yield* Queue.takeN(heard, 300)
      assert.deepStrictEqual(
        commands,
        Array.from({ length: 300 }, (_, index) => foreign("PNG", String(index))),
      )
    }),
  )

  it.live("says what waits for a client that reads slowly, whoever is interrupted meanwhile", () =>
    Effect.gen(function* () {
      const line = (payload: string): ServerCommand.Foreign => ({
        _tag: "Foreign",
        verb: "MSG",
        parameters: ["a", "b", String(payload.length)],
        payload,
      })
      const much = line("x".repeat(16_000_000))
      const stalled = yield* Deferred.make<void>()
      const waiting = yield* Deferred.make<void>()
      const said = yield* Deferred.make<boolean>()
      const at = yield* World.serveTcp(World.layerExample(), {}, (session) =>
        Effect.gen(function* () {
          yield* Deferred.await(stalled)
          yield* Effect.forkScoped(session.send(much), { startImmediately: true })
          const first = yield* Effect.forkScoped(session.send(line("first")), { startImmediately: true })
          const second = yield* Effect.forkScoped(session.send(line("second")), { startImmediately: true })
          first.addObserver(() => {
            Effect.runFork(Effect.flatMap(session.send(much), (isSaid) => Deferred.succeed(said, isSaid)))
            second.interruptUnsafe()
          })
          yield* Deferred.succeed(waiting, undefined)
          return yield* Effect.never
        }),
      )
      const peer = yield* Peer.connect(at)
      yield* signIn(peer)
      yield* peer.stall
      yield* Deferred.succeed(stalled, undefined)
      yield* Deferred.await(waiting)
      yield* peer.recover
      assert.isTrue(yield* Deferred.await(said))
    }),
  )

  it.effect("says a defect where a command cannot be encoded, and serves others on", () =>
    Effect.gen(function* () {
      const exits = yield* Queue.unbounded<Exit.Exit<boolean>>()
      const connect = yield* notification({}, (session) =>
        Effect.flatMap(
          Effect.exit(session.send({ _tag: "Foreign", verb: "MSG", parameters: ["a\r\nb", "1"], payload: "x" })),
          (exit) => Queue.offer(exits, exit),
        ),
      )
      const peer = yield* connect
      yield* signIn(peer)
      assert.isTrue(Exit.isFailure(yield* Queue.take(exits)))
      assert.strictEqual(yield* peer.rest, "")
    }),
  )
})
