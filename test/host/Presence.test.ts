import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as World from "../support/World.ts"

/** A session of an account: what becomes of it is written down. */
const session = (name: string, port = 49_152) => {
  const told: Array<string> = []
  const arrival: Presence.Arrival = {
    account: Account.Account.make(name),
    dialect: "MSNP7",
    remote: { host: "192.0.2.1", port },
    local: { host: "198.51.100.7", port: 1863 },
    displace: Effect.sync(() => void told.push("OTH")),
    dismiss: Effect.sync(() => void told.push("dismissed")),
  }
  return { arrival, told }
}

const signIn = (arrival: Presence.Arrival) => Effect.flatMap(Presence.Presence, ({ signIn }) => signIn(arrival))

/** Signs in on a scope of its own: closing it is the end of that session. */
const signInFor = Effect.fnUntraced(function* (arrival: Presence.Arrival) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  yield* Scope.provide(signIn(arrival), scope)
  return Scope.close(scope, Exit.void)
})

const ports = Effect.flatMap(Presence.Presence, ({ list }) =>
  Effect.map(list, (sessions) => sessions.map(({ remote }) => remote.port)),
)

describe("who is signed in", () => {
  it.effect(
    "is whoever has signed in, with the two ends of the connection and since when, until the session ends",
    () =>
      Effect.gen(function* () {
        const { list } = yield* Presence.Presence
        yield* TestClock.setTime(1_013_928_519_693)
        const alice = session("Alice@hotmail.com", 1)
        const endAlice = yield* signInFor(alice.arrival)
        yield* TestClock.adjust("1 second")
        yield* signIn(session("bob@hotmail.com", 2).arrival)
        assert.deepStrictEqual(yield* list, [
          {
            account: Account.Account.make("Alice@hotmail.com"),
            dialect: "MSNP7",
            remote: { host: "192.0.2.1", port: 1 },
            local: { host: "198.51.100.7", port: 1863 },
            since: 1_013_928_519_693,
          },
          {
            account: Account.Account.make("bob@hotmail.com"),
            dialect: "MSNP7",
            remote: { host: "192.0.2.1", port: 2 },
            local: { host: "198.51.100.7", port: 1863 },
            since: 1_013_928_520_693,
          },
        ])
        yield* endAlice
        assert.deepStrictEqual(yield* ports, [2])
        assert.deepStrictEqual(alice.told, [])
      }).pipe(Effect.provide(Presence.layerMemory)),
    { tags: ["logoff.offline"] },
  )

  it.effect(
    "is the last to have signed in with an account, in any letter case; the session before is told OTH",
    () =>
      Effect.gen(function* () {
        const [first, second, third] = [
          session("Alice@hotmail.com", 1),
          session("alice@HOTMAIL.com", 2),
          session("ALICE@hotmail.com", 3),
        ]
        const endFirst = yield* signInFor(first.arrival)
        yield* signIn(second.arrival)
        assert.deepStrictEqual([first.told, second.told], [["OTH"], []])
        // The displaced session ends, as it does in its own time, and takes nothing with it that is another's.
        yield* endFirst
        assert.deepStrictEqual(yield* ports, [2])
        yield* signIn(third.arrival)
        assert.deepStrictEqual([first.told, second.told, third.told], [["OTH"], ["OTH"], []])
        assert.deepStrictEqual(yield* ports, [3])
      }).pipe(Effect.provide(Presence.layerMemory)),
    { tags: ["closing.elsewhere", "beyond.account-case"] },
  )

  it.effect(
    "is exactly one of many that sign in at the same instant: all others are told OTH, once",
    () =>
      Effect.gen(function* () {
        const sessions = Array.from({ length: 50 }, (_, port) => session("alice@hotmail.com", port))
        const gate = yield* Deferred.make<void>()
        const signing = yield* Effect.forkChild(
          Effect.forEach(sessions, ({ arrival }) => Effect.andThen(Deferred.await(gate), signIn(arrival)), {
            concurrency: "unbounded",
          }),
        )
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(signing)
        const [one, ...others] = yield* ports
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual(
          sessions.map(({ told }) => told),
          sessions.map((_, port) => (port === one ? [] : ["OTH"])),
        )
      }).pipe(Effect.provide(Presence.layerMemory)),
    { tags: ["closing.elsewhere"] },
  )

  it.effect("can be put off by account, in any letter case, and only if signed in", () =>
    Effect.gen(function* () {
      const { dismiss } = yield* Presence.Presence
      const [alice, bob] = [session("alice@hotmail.com"), session("bob@hotmail.com")]
      yield* signIn(alice.arrival)
      yield* signIn(bob.arrival)
      assert.isTrue(yield* dismiss(Account.Account.make("ALICE@hotmail.com")))
      assert.isFalse(yield* dismiss(Account.Account.make("carol@hotmail.com")))
      assert.deepStrictEqual([alice.told, bob.told], [["dismissed"], []])
    }).pipe(Effect.provide(Presence.layerMemory)),
  )
})

/** A host that puts off whoever is barred, with a decision's ten seconds. */
const layerBarring = Presence.layerBarring("10 seconds").pipe(
  Layer.provideMerge(Presence.layerMemory),
  Layer.provideMerge(
    Directory.layerMemory(
      ["alice@hotmail.com", "bob@hotmail.com", "carol@hotmail.com"].map((name) => World.entry(name)),
    ),
  ),
)

describe("whoever is disabled or removed", () => {
  it.effect("is put off, and nobody else is", () =>
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      const names = ["alice@hotmail.com", "bob@hotmail.com", "carol@hotmail.com"]
      const [alice, bob, carol] = names.map((name) => session(name))
      assert.isDefined(alice)
      assert.isDefined(bob)
      assert.isDefined(carol)
      for (const { arrival } of [alice, bob, carol]) yield* signIn(arrival)
      yield* Effect.yieldNow
      yield* directory.setStanding(alice.arrival.account, "Disabled")
      yield* directory.setStanding(carol.arrival.account, "Enabled")
      yield* directory.remove(bob.arrival.account)
      yield* Effect.yieldNow
      assert.deepStrictEqual([alice.told, bob.told, carol.told], [["dismissed"], ["dismissed"], []])
    }).pipe(Effect.provide(layerBarring)),
  )

  it.effect("is put off, too, who signs in by a decision that was made before; but nobody who is let in again", () =>
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      const names = ["alice@hotmail.com", "bob@hotmail.com", "carol@hotmail.com"]
      const [alice, bob, carol] = names.map((name) => session(name))
      assert.isDefined(alice)
      assert.isDefined(bob)
      assert.isDefined(carol)
      yield* Effect.yieldNow
      yield* directory.setStanding(alice.arrival.account, "Disabled")
      yield* directory.remove(bob.arrival.account)
      yield* directory.setStanding(carol.arrival.account, "Disabled")
      yield* Effect.yieldNow
      for (const { arrival } of [alice, bob, carol]) yield* signIn(arrival)
      yield* directory.setStanding(carol.arrival.account, "Enabled")
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual([alice.told, bob.told, carol.told], [[], [], []])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([alice.told, bob.told, carol.told], [["dismissed"], ["dismissed"], []])
    }).pipe(Effect.provide(layerBarring)),
  )

  it.effect("is told of again, once the directory that could not tell can be reached", () =>
    Effect.gen(function* () {
      const told = yield* Queue.unbounded<Account.Account>()
      let failures = 0
      const failing = Stream.suspend(() =>
        ++failures < 3
          ? Stream.fail(new Directory.DirectoryError({ message: "the database is away" }))
          : Stream.fromQueue(told),
      )
      const directory = Layer.effect(
        Directory.Directory,
        Effect.map(Directory.Directory, (directory) => ({ ...directory, barred: failing })),
      ).pipe(Layer.provide(Directory.layerMemory([])))
      const alice = session("alice@hotmail.com")
      yield* Effect.gen(function* () {
        yield* signIn(alice.arrival)
        yield* TestClock.adjust("2 seconds")
        yield* Queue.offer(told, alice.arrival.account)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(alice.told, ["dismissed"])
        assert.strictEqual(failures, 3)
      }).pipe(
        Effect.provide(
          Layer.provideMerge(Presence.layerBarring("10 seconds"), Layer.merge(directory, Presence.layerMemory)),
        ),
      )
    }),
  )

  it.effect("is put off once it can be found out who is signed in", () =>
    Effect.gen(function* () {
      let failures = 0
      const away = new Presence.PresenceError({ message: "the database is away" })
      const presence = Layer.effect(
        Presence.Presence,
        Effect.map(Presence.Presence, (presence) => ({
          ...presence,
          dismiss: (account: Account.Account) =>
            Effect.suspend(() => (++failures < 3 ? Effect.fail(away) : presence.dismiss(account))),
        })),
      ).pipe(Layer.provide(Presence.layerMemory))
      const alice = session("alice@hotmail.com")
      yield* Effect.gen(function* () {
        const directory = yield* Directory.Directory
        yield* signIn(alice.arrival)
        yield* Effect.yieldNow
        yield* directory.setStanding(alice.arrival.account, "Disabled")
        yield* TestClock.adjust("1999 millis")
        assert.deepStrictEqual(alice.told, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(alice.told, ["dismissed"])
      }).pipe(
        Effect.provide(
          Presence.layerBarring("10 seconds").pipe(
            Layer.provideMerge(presence),
            Layer.provideMerge(Directory.layerMemory([World.alice])),
          ),
        ),
      )
    }),
  )
})
