import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Connector from "../../src/net/Connector.ts"
import * as Latency from "../../src/net/Latency.ts"
import * as Load from "../../src/net/Load.ts"
import * as LoginError from "../../src/net/LoginError.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Played from "../support/Played.ts"
import * as World from "../support/World.ts"

const hello = ["VER 1 MSNP7 CVR0\r\n", "INF 2 MD5\r\n"]
const challenged = `USR 3 MD5 S ${World.challenge}\r\n`
const ok = "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const letsIn = Played.answering(...hello, challenged, ok)
const says = (code: number) => Played.closing(...hello, challenged, `${code} 4\r\n`)
const referral = (to: Address.Address) => `XFR 3 NS ${Address.format(to)} 0 127.0.0.1:1863\r\n`

/** A load of Alice's logins. */
const loadOn = (server: Address.Address, options: Partial<Load.Options> = {}) =>
  Load.make({
    members: [World.alice],
    login: { server, dialects: ["MSNP7"] },
    concurrency: 1,
    extent: { _tag: "Logins", count: 5 },
    ...options,
  })

/** What comes of it, at its end. */
const reportOf = (server: Address.Address, options?: Partial<Load.Options>) =>
  Effect.gen(function* () {
    const load = yield* loadOn(server, options)
    yield* load.run
    return yield* load.report
  })

/** A turn of the event loop: where time stands still, bytes do not. */
const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))

const countOf = (report: Load.Report) => Option.match(report.logins, { onNone: () => 0, onSome: ({ count }) => count })

describe("a load", () => {
  it.live("is of so many logins, so many at once and no more, behind one that is tried alone", () =>
    Effect.gen(function* () {
      const all = yield* Latch.make(false)
      let open = 0
      let most = 0
      const crowded: Played.Play = (peer) =>
        Effect.suspend(() => {
          open++
          most = Math.max(most, open)
          return open === 3 ? all.open : Effect.void
        }).pipe(
          Effect.andThen(all.await),
          Effect.andThen(letsIn(peer)),
          Effect.ensuring(Effect.sync(() => void open--)),
        )
      const { address, heard } = yield* Played.serve(letsIn, crowded)
      const report = yield* reportOf(address, { concurrency: 3, extent: { _tag: "Logins", count: 20 } })
      assert.strictEqual(most, 3)
      assert.strictEqual(heard.length, 21)
      assert.isTrue(heard.every((said) => said.endsWith("OUT\r\n")))
      assert.strictEqual(countOf(report), 20)
      assert.strictEqual(report.ended, 20)
      assert.deepStrictEqual(report.before, { ended: 1, failed: 0 })
      assert.deepStrictEqual(report.failures, [])
      assert.strictEqual(report.phase, "Over")
    }).pipe(Effect.scoped),
  )

  it.live("goes round the accounts, of which those at once have shares of their own", () =>
    Effect.gen(function* () {
      const names = ["a", "b", "c", "d", "e"].map((name) => `${name}@hotmail.com`)
      const busy = new Set<string>()
      const shared = new Set<string>()
      const came = new Map<string, number>()
      const play: Played.Play = (peer) =>
        Effect.gen(function* () {
          yield* Played.respond(peer, hello)
          const [, , , , account = ""] = (yield* peer.line).trimEnd().split(" ")
          if (busy.has(account)) shared.add(account)
          busy.add(account)
          came.set(account, (came.get(account) ?? 0) + 1)
          yield* peer.say(challenged)
          yield* peer.line
          yield* peer.say(`USR 4 OK ${account} Alice 1\r\n`)
          yield* peer.rest
          busy.delete(account)
        })
      const { address } = yield* Played.serve(play)
      const [first = World.alice, ...others] = names.map((name) => World.entry(name))
      const options = { members: [first, ...others], concurrency: 2 } as const
      const report = yield* reportOf(address, { ...options, extent: { _tag: "Logins", count: 40 } })
      assert.strictEqual(countOf(report), 40)
      assert.deepStrictEqual([...came.keys()].toSorted(), names)
      assert.deepStrictEqual([...shared], [])
    }).pipe(Effect.scoped),
  )

  it.effect("is not measured while it warms up", () =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(letsIn)
      const load = yield* loadOn(address, { warmUp: "1 second" })
      const running = yield* Effect.forkChild(load.run)
      yield* Effect.repeat(turn, { until: () => heard.length > 4 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      const report = yield* load.report
      assert.strictEqual(countOf(report), 5)
      assert.strictEqual(report.ended, 5)
      assert.isAbove(report.before.ended, 3)
      assert.strictEqual(heard.length, report.before.ended + 5)
    }).pipe(Effect.scoped),
  )

  it.effect("is of some time, and those under way at its end count", () =>
    Effect.gen(function* () {
      const late = yield* Latch.make(false)
      const slow: Played.Play = (peer) => Effect.andThen(late.await, letsIn(peer))
      const { address, heard } = yield* Played.serve(letsIn, letsIn, slow)
      const phases: Array<Load.Phase> = []
      const load = yield* loadOn(address, {
        extent: { _tag: "Time", duration: "300 millis" },
        onPhase: (phase) =>
          Effect.suspend(() => {
            phases.push(phase)
            return phase === "Finishing" ? late.open : Effect.void
          }),
      })
      const running = yield* Effect.forkChild(load.run)
      yield* Effect.repeat(turn, { until: () => heard.length === 3 })
      yield* TestClock.adjust("300 millis")
      yield* Fiber.join(running)
      const report = yield* load.report
      assert.deepStrictEqual(phases, ["Trying", "Measuring", "Finishing", "Over"])
      assert.strictEqual(heard.length, 3)
      assert.strictEqual(countOf(report), 2)
      assert.strictEqual(report.ended, 1)
      assert.strictEqual(report.seconds, 0.3)
      const { max } = Option.getOrThrow(report.logins)
      assert.closeTo(max, 300, 300 * Latency.relativeError)
    }).pipe(Effect.scoped),
  )

  it.live("counts those that fail by how they do", () =>
    Effect.gen(function* () {
      const plays = [says(911), says(500), letsIn, says(911), letsIn]
      const { address } = yield* Played.serve(letsIn, ...plays)
      const report = yield* reportOf(address)
      assert.strictEqual(countOf(report), 2)
      const server = Address.format(address)
      const denied = new LoginError.Denied({ server, account: "alice@hotmail.com", code: 911 })
      const unavailable = new LoginError.Unavailable({ server, code: 500 })
      assert.deepStrictEqual(report.failures, [
        { why: "Denied", message: denied.message, count: 2 },
        { why: "Unavailable", message: unavailable.message, count: 1 },
      ])
    }).pipe(Effect.scoped),
  )

  it.live("is over with the first login, where that fails", () =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(says(911))
      const load = yield* loadOn(address, { concurrency: 8 })
      const error = yield* Effect.flip(load.run)
      assert.strictEqual(error._tag, "Denied")
      assert.strictEqual(heard.length, 1)
      assert.strictEqual((yield* load.report).seconds, 0)
    }).pipe(Effect.scoped),
  )

  it.live("follows referrals, or is done with them, whether the server closes behind them or not", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const closes = yield* Played.serve(Played.closing(...hello, referral(notification.address)))
      const followed = yield* reportOf(closes.address)
      assert.strictEqual(countOf(followed), 5)
      assert.strictEqual(notification.heard.length, 6)
      assert.strictEqual(Option.getOrThrow(followed.connections).count, 10)

      const counted = yield* reportOf(closes.address, { goal: "Referral" })
      const stays = yield* Played.serve((peer) =>
        Effect.andThen(Played.respond(peer, [...hello, referral(notification.address)]), Effect.never),
      )
      const extent = { _tag: "Logins", count: 1 } as const
      const login = { server: stays.address, dialects: ["MSNP7"], limits: { closingTime: "2 seconds" } } as const
      const open = yield* reportOf(stays.address, { goal: "Referral", login, extent })
      assert.strictEqual(countOf(counted), 5)
      assert.strictEqual(notification.heard.length, 6)
      assert.strictEqual(Option.getOrThrow(counted.connections).count, 5)
      const { max, min } = Option.getOrThrow(open.logins)
      assert.isAbove(min, 0.01)
      assert.isBelow(max, 1900)
    }).pipe(Effect.scoped),
  )

  it.live("goes on beside those who stay, and tells who was lost of them, and who did not come in", () =>
    Effect.gen(function* () {
      const lost = yield* Latch.make(false)
      const leaves = Played.closing(...hello, challenged, ok)
      const waits: Played.Play = (peer) => Effect.andThen(lost.await, letsIn(peer))
      const { address, heard } = yield* Played.serve(letsIn, letsIn, leaves, says(601), waits)
      const staying = [World.alice, World.alice, World.alice]
      const load = yield* loadOn(address, { staying })
      const running = yield* Effect.forkChild(load.run)
      yield* Effect.repeat(Effect.delay(load.report, 1), { until: ({ stayed }) => stayed.lost > 0 })
      yield* lost.open
      yield* Fiber.join(running)
      const report = yield* load.report
      assert.strictEqual(heard.length, 9)
      assert.strictEqual(countOf(report), 5)
      const { failures, lost: away, seconds, signedIn } = report.stayed
      assert.deepStrictEqual({ signedIn, away }, { signedIn: 2, away: 1 })
      assert.deepStrictEqual(
        failures.map(({ count, why }) => [why, count]),
        [["Unavailable", 1]],
      )
      assert.isAbove(seconds, 0)
      // What was said last may be on its way still.
      const farewell = Effect.sync(() => heard[1]?.endsWith("OUT\r\n"))
      yield* Effect.repeat(Effect.delay(farewell, 1), { until: (isSaid) => isSaid === true })
    }).pipe(Effect.scoped),
  )

  it.live("can be interrupted, and tells then what was measured until then", () =>
    Effect.gen(function* () {
      const { address } = yield* Played.serve(letsIn)
      const load = yield* loadOn(address, { concurrency: 4, extent: { _tag: "Time", duration: "1 hour" } })
      const running = yield* Effect.forkChild(load.run)
      yield* Effect.repeat(Effect.delay(load.report, 1), { until: (report) => countOf(report) > 10 })
      yield* Fiber.interrupt(running)
      const report = yield* load.report
      assert.isAbove(countOf(report), 10)
      assert.isAbove(report.seconds, 0)
      assert.deepStrictEqual(report.failures, [])
      assert.strictEqual(report.phase, "Over")
      assert.strictEqual((yield* load.report).seconds, report.seconds)
    }).pipe(Effect.scoped),
  )

  it.effect("tries again no more than ten times a second where no connection comes about", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      yield* World.serve(network.listen(World.notificationAddress), World.layerExample())
      let tried = 0
      const dying: Connector.Connector = {
        ...network.connector,
        connect: (to, admits) =>
          tried++ === 0
            ? network.connector.connect(to, admits)
            : Effect.fail(new Connector.ConnectError({ tried: [Connector.refused(to)] })),
      }
      const load = yield* Effect.provideService(
        loadOn(World.notificationAddress, { extent: { _tag: "Time", duration: "950 millis" } }),
        Connector.Connector,
        dying,
      )
      const running = yield* Effect.forkChild(load.run)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(running)
      assert.strictEqual(tried, 1 + 10)
      const report = yield* load.report
      assert.deepStrictEqual(
        report.failures.map(({ count, why }) => [why, count]),
        [["Unreachable", 10]],
      )
      assert.isTrue(Option.isNone(report.logins))
    }).pipe(Effect.scoped),
  )
})
