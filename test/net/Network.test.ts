import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import type * as Referrals from "../../src/host/Referrals.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Network from "../../src/net/Network.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

const free: Network.Endpoint = { listen: { host: "127.0.0.1", port: 0 }, advertise: Option.none() }

const plan: Network.Plan = {
  dispatch: Option.some(free),
  notification: [free],
  gateway: Option.none(),
  referTo: [],
}

describe("a network", () => {
  it.live(
    "logs clients in by way of its dispatch server, with a directory that lives as long as it does",
    () =>
      Effect.gen(function* () {
        const life: Array<string> = []
        const directory = Layer.unwrap(
          Effect.as(
            Effect.acquireRelease(
              Effect.sync(() => life.push("opened")),
              () => Effect.sync(() => life.push("closed")),
            ),
            Directory.layerElsewhere(() =>
              Effect.sync(() => {
                life.push("asked")
                return Option.some(World.alice)
              }),
            ),
          ),
        )
        yield* Effect.gen(function* () {
          const { dispatch, notification } = yield* Network.Network
          const server = yield* Effect.fromOption(dispatch)
          const { account, password } = World.alice
          const session = yield* LoginClient.login({ server: server.bound, account, password })
          assert.deepStrictEqual([session.server], [notification[0]?.bound])
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.provide(Network.layer(plan), Layer.merge(directory, Presence.layerMemory))),
        )
        assert.deepStrictEqual(life, ["opened", "asked", "closed"])
      }),
    { tags: ["connect.dispatch", "session.dispatch", "session.notification"] },
  )

  it.live("listens nowhere where one of its servers cannot listen", () =>
    Effect.gen(function* () {
      const taken = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
      const impossible = { ...plan, notification: [{ listen: taken.address, advertise: Option.none() }] }
      const error = yield* Effect.flip(Effect.scoped(Network.make(impossible, LoginServer.hearOnly)))
      assert.strictEqual(error._tag, "ListenError")
      assert.include(error.message, "the port is in use")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Directory.layerMemory([]), Presence.layerMemory))),
  )
})

/** Whatever a network needs of its host. */
const host = Layer.merge(Directory.layerMemory([World.alice]), Presence.layerMemory)

/** What a client hears that says VER and the initial USR to a server. */
const admitted = Effect.fnUntraced(function* (server: Option.Option<Referrals.Server>) {
  const { bound } = yield* Effect.fromOption(server)
  const peer = yield* Peer.connect(bound)
  yield* peer.say("VER 1 MSNP3\r\nUSR 2 MD5 I alice@hotmail.com\r\n")
  yield* peer.line
  return (yield* peer.line).replace(/MD5 S [0-9]+\.[0-9]+/, "MD5 S <challenge>")
})

const notificationOf = ({ notification }: Network.Network["Service"]) => Option.fromUndefinedOr(notification[0])

describe("a network that goes down", () => {
  it.live("tells whoever is signed in, and lets nobody in: 601, at both servers", () =>
    Effect.gen(function* () {
      const warned = yield* Queue.unbounded<number>()
      const ready = yield* Deferred.make<void>()
      const network = yield* Network.make(plan, (session) =>
        session.goingDown.pipe(
          Stream.onStart(Deferred.succeed(ready, undefined)),
          Stream.runForEach((minutes) => Queue.offer(warned, minutes)),
          Effect.raceFirst(Stream.runDrain(session.commands)),
        ),
      )
      const server = yield* Effect.fromOption(network.dispatch)
      const { account, password } = World.alice
      assert.strictEqual(yield* network.sessions, 0)
      yield* LoginClient.login({ server: server.bound, account, password })
      yield* Deferred.await(ready)
      assert.strictEqual(yield* network.sessions, 1)
      yield* network.goDown(0)
      yield* network.goDown(5)
      assert.strictEqual(yield* Queue.take(warned), 5)
      assert.strictEqual(yield* admitted(network.dispatch), "601 2\r\n")
      assert.strictEqual(yield* admitted(notificationOf(network)), "601 2\r\n")
    }).pipe(Effect.provide(host)),
  )

  it.live("refers everybody to a server elsewhere that is up, if there is one", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Peer.listen
      const network = yield* Network.make({ ...plan, referTo: [elsewhere.address] }, LoginServer.hearOnly)
      assert.strictEqual(yield* admitted(notificationOf(network)), "USR 2 MD5 S <challenge>\r\n")
      yield* network.goDown(0)
      const xfr = `XFR 2 NS ${Address.format(elsewhere.address)} 0\r\n`
      assert.strictEqual(yield* admitted(notificationOf(network)), xfr)
      assert.strictEqual(yield* admitted(network.dispatch), xfr)
    }).pipe(Effect.provide(host)),
  )

  it.live("turns those down who have been challenged, and answer now", () =>
    Effect.gen(function* () {
      const network = yield* Network.make(plan, LoginServer.hearOnly)
      const { bound } = yield* Effect.fromOption(notificationOf(network))
      const peer = yield* Peer.connect(bound)
      yield* peer.say("VER 1 MSNP3\r\nUSR 2 MD5 I alice@hotmail.com\r\n")
      yield* peer.line
      yield* peer.line
      yield* network.goDown(0)
      yield* peer.say(`USR 3 MD5 S ${World.digest}\r\n`)
      assert.strictEqual(yield* peer.rest, "601 3\r\n")
    }).pipe(Effect.provide(host)),
  )
})

describe("a network in trouble", () => {
  it.live(
    "tells everybody the code that it is told to",
    () =>
      Effect.gen(function* () {
        for (const trouble of [500, 601, 910, 921] as const) {
          const network = yield* Network.make({ ...plan, trouble }, LoginServer.hearOnly)
          assert.strictEqual(yield* admitted(network.dispatch), `${trouble} 2\r\n`)
          assert.strictEqual(yield* admitted(notificationOf(network)), `${trouble} 2\r\n`)
        }
      }).pipe(Effect.provide(host)),
    { tags: ["usr.trouble"] },
  )
})

describe("a dispatch server", () => {
  const alone: Network.Plan = { ...plan, notification: [] }

  it.live(
    "refers to the notification server with the fewest clients",
    () =>
      Effect.gen(function* () {
        const network = yield* Network.make({ ...plan, notification: [free, free] }, LoginServer.hearOnly)
        const [crowded, empty] = network.notification
        assert.isDefined(crowded)
        assert.isDefined(empty)
        const { account, password } = World.alice
        yield* LoginClient.login({ server: crowded.bound, account, password })
        assert.strictEqual(yield* admitted(network.dispatch), `XFR 2 NS ${Address.format(empty.bound)} 0\r\n`)
      }).pipe(Effect.provide(host)),
    { tags: ["xfr.dispatch"] },
  )

  it.live("refers to no server elsewhere that cannot be connected to, and says so once", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.make(({ message }) => void logs.push(String(message)))
      const up = yield* Peer.listen
      const gone = yield* Effect.scoped(Effect.map(LoginServer.listen(free.listen), ({ address }) => address))
      const network = yield* Effect.provide(
        Network.make({ ...alone, referTo: [gone, up.address] }, LoginServer.hearOnly),
        Logger.layer([logger]),
      )
      for (let each = 0; each < 4; each++) {
        assert.strictEqual(yield* admitted(network.dispatch), `XFR 2 NS ${Address.format(up.address)} 0\r\n`)
      }
      assert.deepStrictEqual(logs, [`${Address.format(gone)} cannot be connected to: clients are referred elsewhere.`])
    }).pipe(Effect.provide(host)),
  )

  it.effect("tries a server elsewhere every 10 seconds, and refers to it while it is up", () =>
    Effect.gen(function* () {
      let isUp = true
      let attempts = 0
      const logs: Array<string> = []
      const logger = Logger.make(({ message }) => void logs.push(String(message)))
      const connect: Connector.Connector["connect"] = () =>
        Effect.suspend(() => {
          attempts++
          return isUp
            ? Effect.succeed(MemorySocket.pair()[0].socket)
            : Effect.fail(
                new Connector.ConnectError({
                  tried: [Connector.attempt(World.notificationAddress, "it is down", "Theirs")],
                }),
              )
        })
      const network = yield* Network.make(
        { ...alone, dispatch: Option.none(), referTo: [World.notificationAddress] },
        LoginServer.hearOnly,
      ).pipe(
        Effect.provideService(Connector.Connector, { pings: "Carried", connect }),
        Effect.provide(Logger.layer([logger])),
      )
      const [server] = network.referrals
      assert.isDefined(server)
      assert.deepStrictEqual([attempts, server.isUp()], [1, true])
      isUp = false
      yield* TestClock.adjust("9999 millis")
      assert.deepStrictEqual([attempts, server.isUp()], [1, true])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([attempts, server.isUp()], [2, false])
      isUp = true
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([attempts, server.isUp()], [3, true])
      assert.deepStrictEqual(logs, [
        "10.0.0.5:1863 cannot be connected to: clients are referred elsewhere.",
        "10.0.0.5:1863 can be connected to again: clients are referred there.",
      ])
    }).pipe(Effect.provide(host)),
  )

  it.effect("takes a server elsewhere that does not answer within 3 seconds for down", () =>
    Effect.gen(function* () {
      const making = yield* Network.make(
        { ...alone, dispatch: Option.none(), referTo: [World.notificationAddress] },
        LoginServer.hearOnly,
      ).pipe(
        Effect.provideService(Connector.Connector, { pings: "Carried", connect: () => Effect.never }),
        Effect.provide(Logger.layer([])),
        Effect.forkScoped({ startImmediately: true }),
      )
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(making.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { referrals } = yield* Fiber.join(making)
      assert.deepStrictEqual(
        referrals.map(({ isUp }) => isUp()),
        [false],
      )
    }).pipe(Effect.provide(host)),
  )
})
