import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import * as Limits from "../../src/host/Limits.ts"
import * as Throttle from "../../src/host/Throttle.ts"
import * as Account from "../../src/protocol/Account.ts"

const alice = Account.Account.make("alice@hotmail.com")
const bob = Account.Account.make("bob@hotmail.com")

/** A throttle in memory under some limits. */
const under = (limits: Partial<Limits.Limits>, options?: Throttle.Options) =>
  Effect.provide(Throttle.Throttle, Layer.provide(Throttle.layerMemory(options), Limits.layer(limits)))

/** A clock that can be set otherwise, so many milliseconds from the true time, while time goes by as ever. */
const settable = Effect.map(Clock.Clock, (clock) => {
  let off = 0
  const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + off
  const currentTimeNanosUnsafe = () => clock.currentTimeNanosUnsafe() + BigInt(off) * 1_000_000n
  return {
    set: (millis: number) => void (off = millis),
    pass: (duration: Duration.Input) => Effect.provideService(TestClock.adjust(duration), Clock.Clock, clock),
    clock: {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe,
      currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration),
    } satisfies Clock.Clock,
  }
})

const isIn = (counted: Result.Result<Throttle.Release, unknown>): boolean => Result.isSuccess(counted)

/** What is told of a connection: that it is in, or the limit. */
const told = (counted: ReturnType<Throttle.Peer["connect"]>): string =>
  Result.match(counted, { onFailure: (limit) => limit, onSuccess: () => "in" })

describe("an address", () => {
  for (const [title, first, second, isOne] of [
    ["of IPv4 is one", "192.0.2.1", "192.0.2.1", true],
    ["of IPv4 is not its neighbor", "192.0.2.1", "192.0.2.2", false],
    ["of IPv6 is one with its whole /64", "2001:db8::1", "2001:db8::ffff:0:0:1", true],
    ["of IPv6 is not the next /64", "2001:db8::1", "2001:db8:0:1::1", false],
    ["of IPv4 in the form of IPv6 is itself", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["of a zone is one by itself", "fe80::1%eth0", "fe80::1%eth0", true],
    ["of a zone is not its neighbor", "fe80::1%eth0", "fe80::2%eth0", false],
  ] as const) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { at } = yield* under({ connectionsPerAddress: 1 })
        assert.isTrue(isIn(at(first).connect()))
        assert.strictEqual(isIn(at(second).connect()), !isOne)
      }),
    )
  }

  it.effect("of this machine, or of a network that is named, is counted in total only", () =>
    Effect.gen(function* () {
      const limits = { connections: 3, connectionsPerAddress: 1, loginsPerAccount: 1, failuresPerAddress: 1 }
      const exempt = [...Throttle.loopback, IpNetwork.fromStringUnsafe("2001:db8::/32")]
      for (const [host, isExempt] of [
        ["127.0.0.1", true],
        ["127.255.255.255", true],
        ["::1", true],
        ["::ffff:127.0.0.1", true],
        ["2001:db8:ffff::1", true],
        ["2001:db9::1", false],
        ["128.0.0.1", false],
      ] as const) {
        const peer = (yield* under(limits, { exempt })).at(host)
        assert.isTrue(isIn(peer.connect()))
        assert.strictEqual(told(peer.connect()), isExempt ? "in" : "connectionsPerAddress", host)
        assert.isTrue(isIn(peer.begin(alice)))
        assert.strictEqual(isIn(peer.begin(alice)), isExempt, host)
        yield* peer.failed(alice)
        assert.strictEqual(Option.isNone(yield* peer.exhausted(alice)), isExempt, host)
        if (!isExempt) continue
        assert.strictEqual(told(peer.connect()), "in")
        assert.strictEqual(told(peer.connect()), "connections")
      }
    }),
  )

  it.effect("is not exempt where nothing is", () =>
    Effect.gen(function* () {
      const { at } = yield* under({ connectionsPerAddress: 1 }, { exempt: [] })
      assert.strictEqual(told(at("127.0.0.1").connect()), "in")
      assert.strictEqual(told(at("127.0.0.1").connect()), "connectionsPerAddress")
    }),
  )
})

describe("a connection", () => {
  it.effect("is let go of once, however often that is said", () =>
    Effect.gen(function* () {
      const { at } = yield* under({ connections: 2, connectionsPerAddress: 2 })
      const first = Result.getOrThrow(at("192.0.2.1").connect())
      assert.strictEqual(told(at("192.0.2.1").connect()), "in")
      first()
      first()
      assert.strictEqual(told(at("192.0.2.1").connect()), "in")
      assert.strictEqual(told(at("192.0.2.1").connect()), "connections")
    }),
  )

  it.effect("that is one too many for its address takes no place of the others", () =>
    Effect.gen(function* () {
      const { at } = yield* under({ connections: 2, connectionsPerAddress: 1 })
      assert.strictEqual(told(at("192.0.2.1").connect()), "in")
      assert.strictEqual(told(at("192.0.2.1").connect()), "connectionsPerAddress")
      assert.strictEqual(told(at("192.0.2.2").connect()), "in")
    }),
  )
})

describe("a failed login", () => {
  it.effect("counts for its account in any spelling, and for its address with all accounts", () =>
    Effect.gen(function* () {
      const { at } = yield* under({ failuresPerAccount: 2, failuresPerAddress: 3 })
      const peer = at("192.0.2.1")
      yield* peer.failed(alice)
      assert.deepStrictEqual(yield* peer.exhausted(alice), Option.none())
      yield* peer.failed(Account.Account.make("Alice@Hotmail.com"))
      assert.deepStrictEqual(yield* peer.exhausted(alice), Option.some("failuresPerAccount"))
      assert.deepStrictEqual(yield* peer.exhausted(bob), Option.none())
      assert.deepStrictEqual(yield* at("192.0.2.2").exhausted(alice), Option.none())
      yield* peer.failed(bob)
      assert.deepStrictEqual(yield* peer.exhausted(bob), Option.some("failuresPerAddress"))
    }),
  )

  it.effect("does not make the time longer where it is beyond the limit", () =>
    Effect.gen(function* () {
      const peer = (yield* under({ failuresPerAccount: 2, failureWindow: "1 minute" })).at("192.0.2.1")
      for (const _ of [1, 2, 3, 4, 5]) yield* peer.failed(alice)
      yield* TestClock.adjust("59999 millis")
      assert.isTrue(Option.isSome(yield* peer.exhausted(alice)))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Option.isNone(yield* peer.exhausted(alice)))
    }),
  )

  it.effect.each([
    ["put back by an hour", -3_600_000],
    ["put forward by an hour", 3_600_000],
  ] as const)("counts for as long, and is told as often, where the clock is %s", ([, jump]) =>
    Effect.gen(function* () {
      const { clock, pass, set } = yield* settable
      yield* Effect.gen(function* () {
        const logs: Array<unknown> = []
        const throttle = yield* under({ failuresPerAccount: 1, failureWindow: "1 minute" })
        const logger = Logger.layer([Logger.make(({ message }) => void logs.push(message))])
        const turnedAway = Effect.provide(throttle.turnedAway("failuresPerAccount", "192.0.2.1"), logger)
        const peer = throttle.at("192.0.2.1")
        yield* peer.failed(alice)
        yield* turnedAway
        set(jump)
        assert.isTrue(Option.isSome(yield* peer.exhausted(alice)))
        yield* pass("59999 millis")
        assert.isTrue(Option.isSome(yield* peer.exhausted(alice)))
        yield* pass("1 millis")
        assert.isTrue(Option.isNone(yield* peer.exhausted(alice)))
        yield* turnedAway
        assert.strictEqual(logs.length, 2)
      }).pipe(Effect.provideService(Clock.Clock, clock))
    }),
  )

  it.effect("counts in memory as it does with effect's rate limiter, whatever fails when", () =>
    Effect.gen(function* () {
      const step = fc.record({
        account: fc.constantFrom(alice, bob),
        host: fc.constantFrom("192.0.2.1", "192.0.2.2"),
        fails: fc.integer({ min: 0, max: 3 }),
        pause: fc.constantFrom(0, 1, 999, 10_000, 15_000, 20_000, 60_000),
      })
      const limits = Limits.layer({ failuresPerAccount: 3, failuresPerAddress: 4, failureWindow: "1 minute" })
      const limiter = Throttle.layer().pipe(
        Layer.provide(RateLimiter.layer),
        Layer.provide(Layer.fresh(RateLimiter.layerStoreMemory)),
      )
      const reached = new Set<string>()
      for (const steps of fc.sample(fc.array(step, { maxLength: 40 }), 50)) {
        const memory = yield* Effect.provide(Throttle.Throttle, Layer.provide(Throttle.layerMemory(), limits))
        const effects = yield* Effect.provide(Throttle.Throttle, Layer.provide(limiter, limits))
        for (const { account, fails, host, pause } of steps) {
          for (let i = 0; i < fails; i++) {
            yield* memory.at(host).failed(account)
            yield* effects.at(host).failed(account)
          }
          yield* TestClock.adjust(pause)
          const limit = yield* memory.at(host).exhausted(account)
          assert.deepStrictEqual(limit, yield* effects.at(host).exhausted(account), JSON.stringify(steps))
          reached.add(Option.getOrElse(limit, () => "none"))
        }
      }
      assert.sameMembers(Array.from(reached), ["none", "failuresPerAccount", "failuresPerAddress"])
    }),
  )

  it.effect("is forgotten where memory would hold more than 65,536 accounts and addresses", () =>
    Effect.gen(function* () {
      const { at } = yield* under({ failuresPerAccount: 1, failuresPerAddress: 1_000_000 })
      const peer = at("192.0.2.1")
      // The address is one, and each account another.
      for (let i = 0; i < 65_535; i++) yield* peer.failed(Account.Account.make(`user${i}@hotmail.com`))
      const first = Account.Account.make("user0@hotmail.com")
      // To ask takes no place.
      yield* peer.exhausted(alice)
      assert.isTrue(Option.isSome(yield* peer.exhausted(first)))
      yield* peer.failed(alice)
      assert.isTrue(Option.isNone(yield* peer.exhausted(first)))
      assert.isTrue(Option.isSome(yield* peer.exhausted(alice)))
    }),
  )
})

describe("a store of failed logins", () => {
  /** A throttle over a store that answers in this way, and what it says in the log. */
  const over = (answer: ReturnType<RateLimiter.RateLimiterStore["Service"]["fixedWindow"]>) =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void logs.push(String(message)))])
      const memory = yield* Effect.provide(RateLimiter.RateLimiterStore, RateLimiter.layerStoreMemory)
      const store = Layer.succeed(RateLimiter.RateLimiterStore, { ...memory, fixedWindow: () => answer })
      const layer = Throttle.layer().pipe(Layer.provide(RateLimiter.layer), Layer.provide(store))
      return { throttle: yield* Effect.provide(Throttle.Throttle, layer), logger, logs }
    })

  const broken = new RateLimiter.RateLimiterError({
    reason: new RateLimiter.RateLimitStoreError({ message: "the store is gone" }),
  })

  it.effect("that several servers share knows of the failures at each", () =>
    Effect.gen(function* () {
      const shared = yield* Layer.build(RateLimiter.layerStoreMemory)
      const server = Effect.provide(
        Throttle.Throttle,
        Throttle.layer().pipe(
          Layer.provide(RateLimiter.layer),
          Layer.provide(Layer.succeedContext(shared)),
          Layer.provide(Limits.layer({ failuresPerAccount: 1 })),
        ),
      )
      const [one, other] = [yield* server, yield* server]
      yield* one.at("192.0.2.1").failed(alice)
      assert.deepStrictEqual(yield* other.at("192.0.2.1").exhausted(alice), Option.some("failuresPerAccount"))
    }),
  )

  it.effect("that fails holds nothing against anybody, and is told to the log once in a while", () =>
    Effect.gen(function* () {
      const { logger, logs, throttle } = yield* over(Effect.fail(broken))
      const peer = throttle.at("192.0.2.1")
      yield* Effect.gen(function* () {
        assert.isTrue(Option.isNone(yield* peer.exhausted(alice)))
        yield* peer.failed(alice)
        assert.deepStrictEqual(logs, ["Failed logins cannot be counted: the store is gone"])
        yield* TestClock.adjust("10 seconds")
        yield* peer.failed(alice)
        assert.strictEqual(logs.length, 2)
      }).pipe(Effect.provide(logger))
    }),
  )

  it.effect("that does not answer is waited for a second", () =>
    Effect.gen(function* () {
      const { logger, logs, throttle } = yield* over(Effect.never)
      const asking = yield* Effect.forkChild(Effect.provide(throttle.at("192.0.2.1").exhausted(alice), logger), {
        startImmediately: true,
      })
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(asking.pollUnsafe())
      assert.strictEqual(logs.length, 1)
    }),
  )
})
