import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginError from "../../src/net/LoginError.ts"
import * as NsMemory from "../../src/net/NsMemory.ts"
import type * as Transcript from "../../src/net/Transcript.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

const dispatch = World.dispatchAddress
const notification = World.notificationAddress
const stored: Address.Address = { host: "10.0.0.4", port: 1863 }

const ver = "VER 1 MSNP7 CVR0\r\n"
const inf = "INF 2 MD5\r\n"
const challenged = `USR 3 MD5 S ${World.challenge}\r\n`
const ok = "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n"
const referral = "XFR 3 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n"

/** Servers whose connections a test plays by hand, but for those that do not answer, and one login at them. */
const logIn = (options: Partial<LoginClient.Options> = {}, ...silent: ReadonlyArray<Address.Address>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    const came = yield* Queue.unbounded<MemorySocket.End["socket"]>()
    for (const address of [stored, dispatch, notification]) {
      network.listen(address).accept(({ socket }) => Queue.offerUnsafe(came, socket))
    }
    const connector: Connector.Connector = {
      ...network.connector,
      connect: (to) =>
        silent.map(Address.format).includes(Address.format(to)) ? Effect.never : network.connector.connect(to),
    }
    const way: Array<string> = []
    const observer: Transcript.Observer = (entry) => {
      if (entry._tag === "TurnedAway") way.push(entry.why)
    }
    const logging = yield* LoginClient.login(
      World.aliceAt(dispatch, { dialects: ["MSNP7"], observer, ...options }),
    ).pipe(Effect.provideService(Connector.Connector, connector), Effect.forkChild({ startImmediately: true }))
    /** The next server, once it has said these, each behind a line, and has heard the line behind the last. */
    const next = (...answers: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const socket = yield* Queue.take(came)
        const peer = yield* Peer.inMemory({ socket, said: () => "", close: Effect.void, reset: Effect.void })
        yield* peer.line
        for (const answer of answers) yield* Effect.andThen(peer.say(answer), peer.line)
        return peer
      })
    /** A server that says nothing more; it closes once the client has closed. */
    const silence = (peer: Peer.Peer) => Effect.forkScoped(Effect.andThen(peer.rest, peer.finish))
    return { logging, next, silence, way, connections: network.connections }
  })

type Logging = Fiber.Fiber<LoginClient.Session, LoginError.LoginError>

/** It goes on for so many milliseconds less one, and not for one more. */
const endsAfter = (logging: { readonly pollUnsafe: () => unknown }, millis: number) =>
  Effect.gen(function* () {
    yield* TestClock.adjust(millis - 1)
    assert.isUndefined(logging.pollUnsafe())
    yield* TestClock.adjust(1)
  })

/** How a login fails after so many milliseconds, and not one earlier; a server that has not closed is given its time. */
const failsAfter = (logging: Logging, millis: number) =>
  Effect.gen(function* () {
    yield* endsAfter(logging, millis)
    yield* TestClock.adjust("250 millis")
    return yield* Effect.flip(Fiber.join(logging))
  })

const remembering = <A, E, R>(test: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { remember } = yield* NsMemory.NsMemory
    yield* remember(dispatch, stored)
    return yield* test
  }).pipe(Effect.provide(NsMemory.layerMemory))

const recalled = Effect.flatMap(NsMemory.NsMemory, ({ recall }) => recall(dispatch))

const timedOut = (server: string, ...awaiting: ReadonlyArray<string>) => new LoginError.TimedOut({ server, awaiting })

describe("the limit of connecting", () => {
  it.effect("is ten seconds, or as told, and the error says that nobody answered", () =>
    Effect.gen(function* () {
      for (const [options, millis] of [
        [{}, 10_000],
        [{ limits: { connectTimeout: "3 seconds" } }, 3000],
      ] as const) {
        const { logging } = yield* logIn(options, dispatch)
        const error = yield* failsAfter(logging, millis)
        assert.deepStrictEqual(error, new LoginError.Unreachable({ tried: [Connector.unanswered(dispatch)] }))
        assert.strictEqual(
          error.message,
          "No server could be reached; tried 10.0.0.1:1863 (it did not answer). It may be our connection or their network.",
        )
      }
    }),
  )

  it.effect("holds at each server anew", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn({}, stored, notification)
      yield* TestClock.adjust("10 seconds")
      const peer = yield* next(ver, inf)
      yield* peer.say(referral)
      yield* peer.finish
      assert.strictEqual(yield* peer.rest, "")
      const error = yield* failsAfter(logging, 10_000)
      assert.strictEqual(error._tag, "Unreachable")
      assert.include(error.message, "10.0.0.4:1863 (it did not answer), 10.0.0.5:1863 (it did not answer)")
      assert.deepStrictEqual(yield* recalled, Option.some(stored))
    }).pipe(remembering),
  )

  it.effect("is no longer than what is left for the whole login", () =>
    Effect.gen(function* () {
      const { connections, logging, next, silence } = yield* logIn(
        { limits: { answerTimeout: "8 seconds", loginTimeout: "12 seconds" } },
        dispatch,
      )
      yield* silence(yield* next(ver))
      yield* TestClock.adjust("8 seconds")
      const error = yield* failsAfter(logging, 4000)
      assert.strictEqual(error._tag, "Unreachable")
      assert.strictEqual(
        error.message,
        "No server could be reached; tried 10.0.0.4:1863 (did not say INF or an error in time), 10.0.0.1:1863 (it did not answer). It looks like their network, not our connection.",
      )
      assert.strictEqual(connections.length, 1)
    }).pipe(remembering),
  )
})

describe("the limit of an answer", () => {
  const stages = [
    [[], ["VER", "VER 0", "an error"], "10.0.0.5:1863 did not say VER, VER 0, or an error in time."],
    [[ver], ["INF", "an error"], "10.0.0.5:1863 did not say INF or an error in time."],
    [[ver, inf], ["USR S", "XFR", "an error"], "10.0.0.5:1863 did not say USR S, XFR, or an error in time."],
    [[ver, inf, challenged], ["USR OK", "an error"], "10.0.0.5:1863 did not say USR OK or an error in time."],
  ] as const
  for (const [answers, awaiting, message] of stages) {
    it.effect(
      `is twenty seconds, or as told, for ${awaiting[0]}, and the error says so`,
      () =>
        Effect.gen(function* () {
          for (const [options, millis] of [
            [{}, 20_000],
            [{ limits: { answerTimeout: "1500 millis" } }, 1500],
          ] as const) {
            const { logging, next } = yield* logIn({ ...options, server: notification })
            yield* next(...answers)
            const error = yield* failsAfter(logging, millis)
            assert.deepStrictEqual(error, timedOut("10.0.0.5:1863", ...awaiting))
            assert.strictEqual(error.message, message)
          }
        }),
      { tags: ["beyond.overdue"] },
    )
  }

  it.effect("begins anew with each answer", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn({ limits: { loginTimeout: "10 minutes" } })
      const peer = yield* next()
      for (const answer of [ver, inf, challenged]) {
        yield* TestClock.adjust("19999 millis")
        yield* peer.say(answer)
        yield* peer.line
      }
      yield* TestClock.adjust("19999 millis")
      yield* peer.say(ok)
      assert.strictEqual((yield* Fiber.join(logging)).dialect, "MSNP7")
    }),
  )

  it.effect("is not stretched by an answer that comes byte by byte", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn()
      const peer = yield* next()
      // One byte in two seconds: the last but one of twenty seconds is the ninth, and VER is not whole by then.
      for (const byte of ver.slice(0, 9)) {
        yield* TestClock.adjust("2 seconds")
        yield* peer.say(byte)
      }
      const error = yield* failsAfter(logging, 2000)
      assert.deepStrictEqual(error, timedOut("10.0.0.1:1863", "VER", "VER 0", "an error"))
    }),
  )

  it.effect(
    "is not stretched by lines that answer nothing",
    () =>
      Effect.gen(function* () {
        const { logging, next } = yield* logIn()
        const peer = yield* next(ver)
        for (const line of ["CHL 0 1\r\n", "MSG Hotmail Hotmail 3\r\nabc", "\r\n", "NLN 7 NLN\r\n", "CVR 9 1\r\n"]) {
          yield* TestClock.adjust("3 seconds")
          yield* peer.say(line)
        }
        const error = yield* failsAfter(logging, 5000)
        assert.deepStrictEqual(error, timedOut("10.0.0.1:1863", "INF", "an error"))
      }),
    { tags: ["beyond.asides"] },
  )
})

describe("the limit of the whole login", () => {
  it.effect("is a minute, over all servers, and the error says what was awaited at the last", () =>
    Effect.gen(function* () {
      const { logging, next, silence } = yield* logIn()
      const first = yield* next()
      for (const answer of [ver, inf]) {
        yield* TestClock.adjust("19 seconds")
        yield* first.say(answer)
        yield* first.line
      }
      yield* TestClock.adjust("19 seconds")
      yield* first.say(referral)
      yield* silence(first)
      yield* next(ver)
      const error = yield* failsAfter(logging, 3000)
      assert.deepStrictEqual(error, timedOut("10.0.0.5:1863", "INF", "an error"))
    }),
  )

  it.effect("is as told", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn({ limits: { loginTimeout: "7 seconds" } })
      yield* next(ver, inf)
      const error = yield* failsAfter(logging, 7000)
      assert.deepStrictEqual(error, timedOut("10.0.0.1:1863", "USR S", "XFR", "an error"))
    }),
  )

  it.effect("is not stretched by servers that do not close: they have what is left of it", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn({ limits: { loginTimeout: "7 seconds" } })
      yield* next(ver)
      yield* endsAfter(logging, 7000)
      assert.deepStrictEqual(yield* Effect.flip(Fiber.join(logging)), timedOut("10.0.0.1:1863", "INF", "an error"))
    }),
  )

  it.effect("may be used up by a server that refers on and does not close: then nobody is said not to answer", () =>
    Effect.gen(function* () {
      const { connections, logging, next } = yield* logIn({ limits: { loginTimeout: "7 seconds" } })
      const peer = yield* next(ver, inf)
      yield* TestClock.adjust("6900 millis")
      yield* peer.say(referral)
      assert.strictEqual(yield* peer.rest, "")
      yield* endsAfter(logging, 100)
      const error = yield* Effect.flip(Fiber.join(logging))
      assert.deepStrictEqual(error, timedOut("10.0.0.5:1863"))
      assert.strictEqual(error.message, "The login at 10.0.0.5:1863 was not done in time.")
      assert.strictEqual(connections.length, 1)
    }),
  )

  it.effect("holds for an application that is asked what to log in with at a referral's server", () =>
    Effect.gen(function* () {
      const { logging, next } = yield* logIn({ limits: { loginTimeout: "7 seconds" }, onReferral: () => Effect.never })
      const peer = yield* next(ver, inf)
      yield* peer.say(referral)
      yield* peer.finish
      assert.strictEqual(yield* peer.rest, "")
      yield* endsAfter(logging, 7000)
      assert.deepStrictEqual(yield* Effect.flip(Fiber.join(logging)), timedOut("10.0.0.5:1863"))
    }),
  )

  it.effect("counts what the server known from before has taken: the rest is left for the dispatch server", () =>
    Effect.gen(function* () {
      const { logging, next, silence, way } = yield* logIn({ limits: { loginTimeout: "30 seconds" } })
      yield* silence(yield* next(ver))
      yield* endsAfter(logging, 20_000)
      yield* next(ver)
      assert.deepStrictEqual(way, ["10.0.0.4:1863 did not say INF or an error in time."])
      const error = yield* failsAfter(logging, 10_000)
      assert.deepStrictEqual(error, timedOut("10.0.0.1:1863", "INF", "an error"))
      assert.deepStrictEqual(yield* recalled, Option.none())
    }).pipe(remembering),
  )

  it.effect("may be used up by the server known from before: then that is told of, and nobody else is asked", () =>
    Effect.gen(function* () {
      const { connections, logging, next } = yield* logIn({ limits: { loginTimeout: "15 seconds" } })
      yield* next(ver)
      const error = yield* failsAfter(logging, 15_000)
      assert.deepStrictEqual(error, timedOut("10.0.0.4:1863", "INF", "an error"))
      assert.strictEqual(connections.length, 1)
    }).pipe(remembering),
  )

  it.effect("may be used up by connecting to the server known from before, which is kept", () =>
    Effect.gen(function* () {
      const { connections, logging } = yield* logIn({ limits: { loginTimeout: "5 seconds" } }, stored)
      const error = yield* failsAfter(logging, 5000)
      assert.deepStrictEqual(error, new LoginError.Unreachable({ tried: [Connector.unanswered(stored)] }))
      assert.deepStrictEqual(yield* recalled, Option.some(stored))
      assert.strictEqual(connections.length, 0)
    }).pipe(remembering),
  )
})

describe("the time that a server has to close", () => {
  it.effect("is a quarter of a second, or as told; then the referral is followed all the same", () =>
    Effect.gen(function* () {
      for (const [options, millis] of [
        [{}, 250],
        [{ limits: { closingTime: "40 millis" } }, 40],
      ] as const) {
        const { connections, logging, next } = yield* logIn(options)
        const peer = yield* next(ver, inf)
        yield* peer.say(referral)
        // The client has no more to say.
        assert.strictEqual(yield* peer.rest, "")
        yield* TestClock.adjust(millis - 1)
        assert.strictEqual(connections.length, 1)
        yield* TestClock.adjust(1)
        yield* next()
        yield* Fiber.interrupt(logging)
      }
    }),
  )
})

describe("a server that says nothing to the fast way", () => {
  const asNobody = "VER 1 MSNP7\nUSR 2 MD5 I a@b.c\n"
  const official = "VER 1 MSNP7 CVR0\r\nINF 2\r\nUSR 3 MD5 I alice@hotmail.com\r\n"

  for (const [title, answers, why] of [
    [
      "takes a packet for one command",
      ["VER 1 MSNP7\r\n"],
      "10.0.0.1:1863 did not say USR S, XFR, or an error in time.",
    ],
    ["waits for CR", [], "10.0.0.1:1863 did not say VER, VER 0, or an error in time."],
  ] as const) {
    it.effect(`is asked the official way, over a new connection, where it ${title}`, () =>
      Effect.gen(function* () {
        const { connections, logging, next, silence, way } = yield* logIn({ strategy: "fast" })
        const first = yield* next(...answers)
        yield* silence(first)
        yield* TestClock.adjust("19999 millis")
        assert.strictEqual(connections.length, 1)
        yield* TestClock.adjust(1)
        const second = yield* next(ver, inf, challenged)
        yield* second.say(ok)
        assert.strictEqual((yield* Fiber.join(logging)).dialect, "MSNP7")
        assert.deepStrictEqual(way, [`${why} Trying the official way.`])
        assert.deepStrictEqual(
          connections.map(({ client }) => client()),
          [asNobody, `${official}USR 4 MD5 S ${World.digest}\r\n`],
        )
      }),
    )
  }

  it.effect("is not asked again where the time of the whole login is up", () =>
    Effect.gen(function* () {
      const { connections, logging, next } = yield* logIn({ strategy: "fast", limits: { loginTimeout: "20 seconds" } })
      yield* next("VER 1 MSNP7\r\n")
      const error = yield* failsAfter(logging, 20_000)
      assert.deepStrictEqual(error, timedOut("10.0.0.1:1863", "USR S", "XFR", "an error"))
      assert.strictEqual(connections.length, 1)
    }),
  )

  it.effect("is not asked again where the account's digest is what it says nothing to", () =>
    Effect.gen(function* () {
      const { connections, logging, next, silence, way } = yield* logIn({ strategy: "fast" })
      const peer = yield* next("VER 1 MSNP7\r\n", `USR 2 MD5 S ${World.challenge}\r\n`)
      yield* silence(peer)
      yield* endsAfter(logging, 20_000)
      yield* next()
      assert.deepStrictEqual(way, ["10.0.0.4:1863 did not say USR OK or an error in time."])
      assert.deepStrictEqual(
        connections.map(({ to }) => to),
        ["10.0.0.4:1863", "10.0.0.1:1863"],
      )
    }).pipe(remembering),
  )
})
