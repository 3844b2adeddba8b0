/** Every limit of a server, just below it and just beyond. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Admission from "../../src/host/Admission.ts"
import * as Limits from "../../src/host/Limits.ts"
import * as Throttle from "../../src/host/Throttle.ts"
import * as GatewayServer from "../../src/net/GatewayServer.ts"
import * as Courier from "../../src/net/internal/courier.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import * as Telemetry from "../../src/net/Telemetry.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as RawHttp from "../support/RawHttp.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

/** What a test finds to hold at a limit, and beyond it. */
interface Bound {
  readonly below: Effect.Effect<unknown, never, Scope.Scope>
  readonly beyond: Effect.Effect<unknown, never, Scope.Scope>
  /** On a clock that stands still, or on that of the world. */
  readonly clock: "Still" | "World"
}

const still = (below: Bound["below"], beyond: Bound["beyond"]): Bound => ({ below, beyond, clock: "Still" })
const live = (below: Bound["below"], beyond: Bound["beyond"]): Bound => ({ below, beyond, clock: "World" })

/** Runs something with a note of each limit that is said to be hit. */
const noting = <A, E, R>(run: (hits: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const hits: Array<string> = []
    const observer: Telemetry.Observer = {
      serving: () => {},
      connected: () => ({ stepped: () => {}, ended: () => {} }),
      limited: (limit) => void hits.push(limit),
    }
    return Effect.provideService(run(hits), Telemetry.Current, Option.some(observer))
  })

/** A server in memory, which clients reach from the addresses that they name. */
const serverOf = <R = never>(
  limits: Partial<Limits.Limits>,
  admission: Layer.Layer<Admission.Admission> = World.layerExample([World.alice, World.entry("bob@hotmail.com")]),
  onSession?: LoginServer.OnSession<R>,
) =>
  noting((hits) =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      yield* World.serve(network.listen(World.notificationAddress), admission, { limits }, onSession)
      const connect = (from?: string) =>
        Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress, from)), Peer.inMemory)
      return { connect, hits }
    }),
  )

const elsewhere = "198.51.100.7"

const ver = "VER 1 MSNP7\r\n"
const initiate = (account = "alice@hotmail.com") => `USR 2 MD5 I ${account}\r\n`
const challenged = `USR 2 MD5 S ${World.challenge}\r\n`
const right = `USR 3 MD5 S ${World.digest}\r\n`
const wrong = "USR 3 MD5 S 00000000000000000000000000000000\r\n"
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

/** What a peer hears, line by line. */
const hears = Effect.fnUntraced(function* (peer: Peer.Peer, ...lines: ReadonlyArray<string>) {
  for (const line of lines) assert.strictEqual(yield* peer.line, line)
})

/** Gets as far as the challenge. */
const begin = Effect.fnUntraced(function* (peer: Peer.Peer, account?: string) {
  yield* peer.say(ver + initiate(account))
  yield* hears(peer, ver, challenged)
})

const signIn = Effect.fnUntraced(function* (peer: Peer.Peer) {
  yield* begin(peer)
  yield* peer.say(right)
  yield* hears(peer, ok)
})

/** Answers wrong, and is told so. */
const fail = Effect.fnUntraced(function* (peer: Peer.Peer, account?: string) {
  yield* begin(peer, account)
  yield* peer.say(wrong)
  assert.strictEqual(yield* peer.rest, "911 3\r\n")
})

/** Is told 910 at the USR that begins the login, and nothing else. */
const isBusy = Effect.fnUntraced(function* (peer: Peer.Peer, account?: string) {
  yield* peer.say(ver + initiate(account))
  assert.strictEqual(yield* peer.rest, `${ver}910 2\r\n`)
})

/** Below: a server of this limit answers this. Beyond: it closes without a word, and says why it did. */
const silence = (
  limits: Partial<Limits.Limits>,
  limit: Limits.Name,
  below: { readonly says: string; readonly hears: string },
  beyond: { readonly says: string; readonly hears: string },
) =>
  still(
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf(limits)
      const peer = yield* connect()
      yield* peer.say(below.says)
      yield* hears(peer, ...below.hears.split(/(?<=\n)/))
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf(limits)
      const peer = yield* connect()
      yield* peer.say(beyond.says)
      assert.strictEqual(yield* peer.rest, beyond.hears)
      assert.deepStrictEqual(hits, [limit])
    }),
  )

const whole = ver + initiate() + right

/** A login of this many bytes and commands, which is the last of those that may be, or the first of those that may not. */
const login = (limits: Partial<Limits.Limits>, limit: "loginBytes" | "loginCommands", most: number) => {
  const run = (most: number) => serverOf({ ...limits, [limit]: most })
  return still(
    Effect.gen(function* () {
      const { connect, hits } = yield* run(most)
      const peer = yield* connect()
      yield* signIn(peer)
      // What is said in the session does not count.
      yield* peer.say("PNG\r\n".repeat(most))
      yield* peer.finish
      assert.strictEqual(yield* peer.rest, "")
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* run(most - 1)
      const peer = yield* connect()
      yield* begin(peer)
      yield* peer.say(right)
      assert.strictEqual(yield* peer.rest, "")
      assert.deepStrictEqual(hits, [limit])
    }),
  )
}

/** Decides after a time, or when told to. */
const deciding = (decision: Effect.Effect<unknown>) =>
  Layer.succeed(Admission.Admission, {
    admit: () => Effect.as(decision, { _tag: "Challenge", challenge: World.challenge } as const),
    judge: () => Effect.die("nobody gets there"),
  })

/** A client in session at a server of one write time-out, which reads when it is told to. */
const reader = (onSession: LoginServer.OnSession<never>) =>
  Effect.gen(function* () {
    const courier = yield* Courier.make(() => {})
    const listener: LoginServer.Listener = {
      address: World.notificationAddress,
      accept: (take) =>
        take({
          socket: courier.socket,
          local: World.notificationAddress,
          remote: { host: "192.0.2.1", port: 49_152 },
          refuse: () => {},
          onClosed: () => {},
        }),
    }
    const limits = { writeTimeout: "1 minute", payloadBytes: 100_000 } as const
    yield* World.serve(listener, World.layerExample(), { limits }, onSession)
    const say = (text: string) =>
      Effect.gen(function* () {
        courier.expect()
        yield* courier.deliver(new TextEncoder().encode(text))
        yield* courier.ready
      })
    const read = (limit?: number) => new TextDecoder().decode(courier.collect(limit))
    yield* say(ver + initiate())
    while (!read().includes("USR 2")) yield* courier.ready
    yield* say(right)
    while (!read(ok.length).endsWith(ok)) yield* courier.ready
    return { courier, say, read }
  })

/** One that does not read what the application says at once. */
const unread = (times: number) =>
  noting((hits) =>
    Effect.gen(function* () {
      const sent = yield* Deferred.make<boolean>()
      const over = yield* Deferred.make<void>()
      const payload = Bytes.fromText("x".repeat(65_536))
      const hello = { _tag: "Foreign", verb: "MSG", parameters: ["a", "b", "65536"], payload } as const
      const { courier } = yield* reader((session) =>
        session.send(...Array.from({ length: times }, () => hello)).pipe(
          Effect.flatMap((isSent) => Deferred.succeed(sent, isSent)),
          Effect.andThen(Stream.runDrain(session.commands)),
          Effect.andThen(Deferred.succeed(over, undefined)),
        ),
      )
      return { courier, sent: yield* Effect.forkScoped(Deferred.await(sent)), over: Deferred.await(over), hits }
    }),
  )

/** One that asks for its lists so often at once, and does not read the answers, which are some ten times as long. */
const asking = (times: number, options: SessionServer.Options) =>
  noting((hits) =>
    Effect.gen(function* () {
      const client = yield* reader(SessionServer.serve(options))
      client.read()
      yield* client.say(Array.from({ length: times }, (_, i) => `SYN ${i + 5} 0\r\n`).join(""))
      return { ...client, hits }
    }),
  )

/** A server whose application goes on, and whose client is gone. */
const goingOn = Effect.gen(function* () {
  const interrupted = yield* Deferred.make<void>()
  const { connect } = yield* serverOf({ farewellTimeout: "5 seconds" }, World.layerExample(), () =>
    Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined)),
  )
  const peer = yield* connect()
  yield* signIn(peer)
  yield* peer.reset
  return yield* Effect.forkScoped(Deferred.await(interrupted), { startImmediately: true })
})

/** A gateway to a server, which count together. */
const gatewayOf = (
  limits: Partial<Limits.Limits>,
  admission = World.layerExample(),
  trustedProxies: GatewayServer.Options["trustedProxies"] = [],
) =>
  noting((hits) =>
    Effect.gen(function* () {
      const all = { gatewayFarewellTimeout: "5 millis", ...limits } as const
      const listener = yield* GatewayServer.listen({
        listen: { host: "127.0.0.1", port: 0 },
        advertise: Option.none(),
        trustedProxies,
      }).pipe(Effect.provide(Limits.layer(all)), Effect.orDie)
      const served = yield* World.serve(listener, admission, { limits: all })
      return { at: listener.address, hits, sessions: served.sessions }
    }).pipe(Effect.provide(Layer.provide(Throttle.layerMemory(), Limits.layer(limits)))),
  )

const statusOf = (answer: Effect.Effect<RawHttp.Message>) => Effect.map(answer, RawHttp.statusOf)

/** Signs in over HTTP. */
const signInOver = Effect.fnUntraced(function* (at: Address.Address) {
  const { client, first } = yield* RawHttp.begin(at, ver + initiate())
  if (first.body === ver) yield* client.until(/USR 2/)
  assert.strictEqual((yield* client.say(right)).body, ok)
  return client
})

/** A client over HTTP whose account has logged in elsewhere, and who has not been told yet. */
const displaced = Effect.fnUntraced(function* (limits: Partial<Limits.Limits>) {
  const { at } = yield* gatewayOf(limits)
  const client = yield* signInOver(at)
  yield* signInOver(at)
  return client
})

const hour = "1 hour"

const bounds: { readonly [N in Limits.Name]: Bound } = {
  lineBytes: silence(
    { lineBytes: 40 },
    "lineBytes",
    { says: `${"VER 1 MSNP7".padEnd(40)}\r\n`, hears: ver },
    { says: `${"VER 1 MSNP7".padEnd(41)}\r\n`, hears: "" },
  ),
  lineWords: silence(
    { lineWords: 4 },
    "lineWords",
    { says: "VER 1 MSNP7 MSNP6\r\n", hears: "VER 1 MSNP7 MSNP6\r\n" },
    { says: "VER 1 MSNP7 MSNP6 MSNP5\r\n", hears: "" },
  ),
  payloadBytes: still(
    Effect.gen(function* () {
      const heard = yield* Queue.unbounded<string>()
      const { connect } = yield* serverOf({ payloadBytes: 3 }, World.layerExample(), (session) =>
        Stream.runForEach(session.commands, (command) =>
          Queue.offer(heard, "payload" in command ? command.payload : ""),
        ),
      )
      const peer = yield* connect()
      yield* signIn(peer)
      yield* peer.say("MSG 4 U 3\r\nabc")
      assert.strictEqual(yield* Queue.take(heard), "abc")
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ payloadBytes: 3 })
      const peer = yield* connect()
      yield* signIn(peer)
      yield* peer.say("MSG 4 U 4\r\nabcd")
      assert.strictEqual(yield* peer.rest, "")
      assert.deepStrictEqual(hits, ["payloadBytes"])
    }),
  ),
  dialects: silence(
    { dialects: 2 },
    "dialects",
    { says: "VER 1 MSNP7 MSNP6\r\n", hears: "VER 1 MSNP7 MSNP6\r\n" },
    { says: "VER 1 MSNP7 MSNP6 MSNP5\r\n", hears: "" },
  ),
  loginBytes: login({}, "loginBytes", whole.length),
  loginCommands: login({}, "loginCommands", 3),
  loginTimeout: still(
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ loginTimeout: "30 seconds" })
      const peer = yield* connect()
      yield* begin(peer)
      yield* TestClock.adjust("29999 millis")
      yield* peer.say(right)
      yield* hears(peer, ok)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ loginTimeout: "30 seconds" })
      const peer = yield* connect()
      yield* begin(peer)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* peer.rest, "")
      assert.deepStrictEqual(hits, ["loginTimeout"])
    }),
  ),
  decisionTimeout: still(
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({}, deciding(Effect.sleep("9999 millis")))
      const peer = yield* connect()
      yield* peer.say(ver + initiate())
      yield* hears(peer, ver)
      yield* TestClock.adjust("9999 millis")
      yield* hears(peer, challenged)
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({}, deciding(Effect.sleep("10001 millis")))
      const peer = yield* connect()
      yield* peer.say(ver + initiate())
      yield* hears(peer, ver)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* peer.rest, "910 2\r\n")
      assert.deepStrictEqual(hits, ["decisionTimeout"])
    }),
  ),
  pendingDecisions: still(
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const { connect, hits } = yield* serverOf({ pendingDecisions: 2 }, deciding(Deferred.await(go)))
      const peers = [yield* connect(), yield* connect()]
      for (const peer of peers) {
        yield* peer.say(ver + initiate())
        yield* hears(peer, ver)
      }
      yield* Deferred.succeed(go, undefined)
      for (const peer of peers) yield* hears(peer, challenged)
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ pendingDecisions: 1 }, deciding(Effect.never))
      const first = yield* connect()
      yield* first.say(ver + initiate())
      yield* hears(first, ver)
      yield* isBusy(yield* connect())
      assert.deepStrictEqual(hits, ["pendingDecisions"])
    }),
  ),
  connections: still(
    Effect.gen(function* () {
      const { connect } = yield* serverOf({ connections: 2 })
      yield* signIn(yield* connect())
      yield* begin(yield* connect(elsewhere))
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ connections: 2 })
      const first = yield* connect()
      yield* begin(first)
      yield* connect(elsewhere)
      assert.strictEqual(yield* (yield* connect("203.0.113.1")).rest, "")
      assert.deepStrictEqual(hits, ["connections"])
      // As soon as one has gone, there is a place.
      yield* first.say("OUT\r\n")
      assert.strictEqual(yield* first.rest, "")
      yield* begin(yield* connect("203.0.113.1"))
    }),
  ),
  connectionsPerAddress: still(
    Effect.gen(function* () {
      const { connect } = yield* serverOf({ connectionsPerAddress: 2 })
      yield* signIn(yield* connect())
      yield* begin(yield* connect())
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ connectionsPerAddress: 2 })
      const first = yield* connect()
      yield* begin(first)
      yield* connect()
      assert.strictEqual(yield* (yield* connect()).rest, "")
      assert.deepStrictEqual(hits, ["connectionsPerAddress"])
      yield* begin(yield* connect(elsewhere))
      yield* first.say("OUT\r\n")
      assert.strictEqual(yield* first.rest, "")
      yield* begin(yield* connect())
    }),
  ),
  loginsPerAccount: still(
    Effect.gen(function* () {
      const { connect } = yield* serverOf({ loginsPerAccount: 2 })
      const first = yield* connect()
      yield* begin(first)
      yield* begin(yield* connect())
      // One that is done makes room for another.
      yield* first.say(right)
      yield* hears(first, ok)
      yield* begin(yield* connect(), "ALICE@hotmail.com")
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ loginsPerAccount: 2 })
      yield* begin(yield* connect())
      yield* begin(yield* connect())
      yield* isBusy(yield* connect(), "ALICE@hotmail.com")
      assert.deepStrictEqual(hits, ["loginsPerAccount"])
      yield* begin(yield* connect(), "bob@hotmail.com")
      yield* begin(yield* connect(elsewhere))
    }),
  ),
  failuresPerAccount: still(
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ failuresPerAccount: 2 })
      yield* fail(yield* connect())
      yield* signIn(yield* connect())
      yield* fail(yield* connect())
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ failuresPerAccount: 2 })
      const before = yield* connect()
      yield* begin(before)
      yield* fail(yield* connect())
      yield* fail(yield* connect(), "ALICE@hotmail.com")
      yield* isBusy(yield* connect())
      // Not even one that has been challenged before, with the right password.
      yield* before.say(right)
      assert.strictEqual(yield* before.rest, "910 3\r\n")
      assert.deepStrictEqual(hits, ["failuresPerAccount", "failuresPerAccount"])
      yield* begin(yield* connect(), "bob@hotmail.com")
      // A stranger does not keep the owner out.
      yield* signIn(yield* connect(elsewhere))
    }),
  ),
  failuresPerAddress: still(
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ failuresPerAddress: 2 })
      yield* fail(yield* connect())
      yield* fail(yield* connect(), "nobody@hotmail.com")
      yield* fail(yield* connect(elsewhere))
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { connect, hits } = yield* serverOf({ failuresPerAddress: 2 })
      yield* fail(yield* connect())
      yield* fail(yield* connect(), "nobody@hotmail.com")
      for (const account of ["alice@hotmail.com", "bob@hotmail.com", "nobody@hotmail.com"]) {
        yield* isBusy(yield* connect(), account)
      }
      assert.deepStrictEqual(hits, ["failuresPerAddress", "failuresPerAddress", "failuresPerAddress"])
      yield* signIn(yield* connect(elsewhere))
    }),
  ),
  failureWindow: still(
    Effect.gen(function* () {
      const { connect } = yield* serverOf({ failuresPerAccount: 2, failureWindow: "5 minutes" })
      yield* fail(yield* connect())
      yield* fail(yield* connect())
      yield* TestClock.adjust("299999 millis")
      yield* isBusy(yield* connect())
    }),
    Effect.gen(function* () {
      const { connect } = yield* serverOf({ failuresPerAccount: 2, failureWindow: "5 minutes" })
      yield* fail(yield* connect())
      yield* fail(yield* connect())
      yield* isBusy(yield* connect())
      yield* TestClock.adjust("300000 millis")
      yield* signIn(yield* connect())
    }),
  ),
  writeTimeout: still(
    Effect.gen(function* () {
      const { courier, hits, sent } = yield* unread(1)
      yield* TestClock.adjust("59999 millis")
      assert.isUndefined(sent.pollUnsafe())
      courier.collect()
      assert.isTrue(yield* Fiber.join(sent))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(courier.isSpeaking())
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { courier, hits, over, sent } = yield* unread(1)
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* Fiber.join(sent))
      yield* over
      yield* Effect.yieldNow
      assert.isFalse(courier.isSpeaking())
      assert.deepStrictEqual(hits, ["writeTimeout"])
    }),
  ),
  farewellTimeout: still(
    Effect.gen(function* () {
      const interrupted = yield* goingOn
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(interrupted.pollUnsafe())
    }),
    Effect.gen(function* () {
      const interrupted = yield* goingOn
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(interrupted)
    }),
  ),
  gatewayAnswerTimeout: live(
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayAnswerTimeout: hour }, deciding(Effect.sleep("50 millis")))
      const { client, first } = yield* RawHttp.begin(at, ver)
      assert.strictEqual(first.body, ver)
      assert.strictEqual((yield* client.say(initiate())).body, challenged)
    }),
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayAnswerTimeout: "20 millis" }, deciding(Effect.never))
      const { client } = yield* RawHttp.begin(at)
      yield* client.say(ver)
      const { body, ...answer } = yield* client.say(initiate())
      assert.deepStrictEqual([RawHttp.statusOf({ body, ...answer }), body.replace(ver, "")], [200, ""])
    }),
  ),
  gatewayIdleTimeout: live(
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayIdleTimeout: hour })
      const { client } = yield* RawHttp.begin(at, ver)
      assert.strictEqual(yield* statusOf(client.poll), 200)
    }),
    Effect.gen(function* () {
      const { at, sessions } = yield* gatewayOf({ gatewayIdleTimeout: "300 millis" })
      const client = yield* signInOver(at)
      assert.strictEqual(sessions(), 1)
      yield* Resources.until(() => sessions() === 0)
      assert.strictEqual(yield* statusOf(client.poll), 400)
    }),
  ),
  gatewayFarewellTimeout: live(
    Effect.gen(function* () {
      const client = yield* displaced({ gatewayFarewellTimeout: "1 second" })
      assert.strictEqual(yield* client.until(/OUT/), "OUT OTH\r\n")
    }),
    Effect.gen(function* () {
      const client = yield* displaced({ gatewayFarewellTimeout: "1 millis" })
      // The gateway's timer was set before this one.
      yield* Effect.sleep("2 millis")
      assert.strictEqual(yield* statusOf(client.poll), 400)
    }),
  ),
  gatewayKeepAliveTimeout: live(
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayKeepAliveTimeout: hour })
      const { message, say } = yield* RawHttp.connect(at)
      for (const _ of [1, 2]) {
        yield* say(RawHttp.post(RawHttp.open))
        assert.strictEqual(yield* statusOf(message), 200)
      }
    }),
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayKeepAliveTimeout: "20 millis" })
      const peer = yield* Peer.connect(at)
      const { message, say } = RawHttp.on(peer)
      yield* say(RawHttp.post(RawHttp.open))
      assert.strictEqual(yield* statusOf(message), 200)
      yield* peer.rest
    }),
  ),
  gatewayRequestTimeout: live(
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayRequestTimeout: hour })
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(RawHttp.post(RawHttp.open, ver).slice(0, -5))
      yield* say(ver.slice(-5))
      assert.strictEqual((yield* message).body, ver)
    }),
    Effect.gen(function* () {
      const { at } = yield* gatewayOf({ gatewayRequestTimeout: "20 millis" })
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(RawHttp.post(RawHttp.open, ver).slice(0, -5))
      assert.strictEqual(yield* statusOf(message), 408)
    }),
  ),
  gatewayRequestBytes: live(
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ gatewayRequestBytes: ver.length })
      assert.strictEqual((yield* RawHttp.begin(at, ver)).first.body, ver)
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ gatewayRequestBytes: ver.length - 1 })
      assert.strictEqual(yield* statusOf(RawHttp.ask(at, RawHttp.post(RawHttp.open, ver))), 413)
      assert.deepStrictEqual(hits, ["gatewayRequestBytes"])
    }),
  ),
  gatewaySessions: live(
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ gatewaySessions: 2 })
      for (const _ of [1, 2]) assert.strictEqual(RawHttp.statusOf((yield* RawHttp.begin(at)).first), 200)
      assert.deepStrictEqual(hits, [])
    }),
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ gatewaySessions: 1 })
      yield* RawHttp.begin(at)
      assert.strictEqual(yield* statusOf(RawHttp.ask(at, RawHttp.post(RawHttp.open))), 503)
      assert.deepStrictEqual(hits, ["gatewaySessions"])
    }),
  ),
}

describe("the limit", () => {
  for (const name of Object.keys(bounds).filter(Limits.isName)) {
    const { below, beyond, clock } = bounds[name]
    const run = clock === "Still" ? it.effect : it.live
    run(`${name} holds nobody back who keeps to it`, () => below)
    run(`${name} is kept`, () => beyond)
  }

  it("of each name is tried here", () => {
    assert.sameMembers(Object.keys(bounds), Object.keys(Limits.defaults))
  })

  it("of all connections is 15,000 or more by default, so that a server can be full of clients", () => {
    assert.isAtLeast(Limits.defaults.connections, 15_000)
  })
})

describe("a peer beyond a limit", () => {
  it.effect("is told to the log at once, then every ten seconds at most, and how many there were since", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.make(({ message }) => void logs.push(String(message)))
      yield* Effect.gen(function* () {
        const { connect, hits } = yield* serverOf({ connectionsPerAddress: 1 })
        yield* connect()
        const refused = Effect.flatMap(connect(), ({ rest }) => rest)
        yield* refused
        yield* refused
        yield* TestClock.adjust("9999 millis")
        yield* refused
        assert.deepStrictEqual(logs, ["A peer was turned away by the limit connectionsPerAddress: 192.0.2.1"])
        yield* TestClock.adjust("1 millis")
        yield* refused
        assert.deepStrictEqual(logs.slice(1), [
          "3 peers were turned away by the limit connectionsPerAddress, the last of them 192.0.2.1",
        ])
        assert.strictEqual(hits.length, 4)
      }).pipe(Effect.provide(Logger.layer([logger])))
    }),
  )

  it.live("is cut off at once over TCP, where it does not close itself", () =>
    Effect.gen(function* () {
      const accepted = yield* Resources.accepted
      const at = yield* World.serveTcp(World.layerExample(), { limits: { connections: 1 } })
      yield* signIn(yield* Peer.connect(at))
      const second = yield* Peer.connect(at)
      assert.strictEqual(yield* second.rest, "")
      assert.isTrue(accepted(second.conn.localPort).destroyed)
    }),
  )

  it.live("counts as long as its connection is not closed on its side, too", () =>
    Effect.gen(function* () {
      const accepted = yield* Resources.accepted
      const at = yield* World.serveTcp(World.layerExample(), { limits: { connections: 1 } })
      const first = yield* Peer.connect(at)
      yield* first.say("OUT\r\n")
      assert.strictEqual(yield* first.rest, "")
      const end = accepted(first.conn.localPort)
      assert.strictEqual(yield* (yield* Peer.connect(at)).rest, "")
      yield* first.finish
      yield* Resources.until(() => end.closed)
      yield* begin(yield* Peer.connect(at))
    }),
  )

  it.live("is told 503 over HTTP, where its session would be one connection too many", () =>
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ connections: 2 })
      // An HTTP connection, its first session, and a second one.
      const { message, say } = yield* RawHttp.connect(at)
      yield* say(RawHttp.post(RawHttp.open, ver))
      assert.strictEqual((yield* message).body, ver)
      yield* say(RawHttp.post(RawHttp.open, ver))
      assert.strictEqual(yield* statusOf(message), 503)
      assert.deepStrictEqual(hits, ["connections"])
    }),
  )

  it.live("is cut off with its HTTP connection, where that would be one too many", () =>
    Effect.gen(function* () {
      const { at, hits } = yield* gatewayOf({ connections: 1 })
      yield* RawHttp.connect(at)
      const second = yield* Peer.connect(at)
      assert.strictEqual(yield* second.rest, "")
      assert.deepStrictEqual(hits, ["connections"])
    }),
  )
})

describe("a proxy that is trusted", () => {
  it.live("is not counted, but those for whom it asks are", () =>
    Effect.gen(function* () {
      const trusted = [IpNetwork.fromStringUnsafe("127.0.0.0/8")]
      const limits = { connections: 2, connectionsPerAddress: 1 }
      const { at, hits } = yield* gatewayOf(limits, World.layerExample(), trusted)
      const { message, say } = yield* RawHttp.connect(at)
      const openFor = (host: string) =>
        Effect.andThen(say(RawHttp.post(RawHttp.open, "", [`X-Forwarded-For: ${host}`])), statusOf(message))
      assert.strictEqual(yield* openFor(elsewhere), 200)
      assert.strictEqual(yield* openFor(elsewhere), 503)
      assert.strictEqual(yield* openFor("203.0.113.1"), 200)
      assert.strictEqual(yield* openFor("203.0.113.2"), 503)
      assert.deepStrictEqual(hits, ["connectionsPerAddress", "connections"])
    }),
  )
})

describe("a peer of this machine", () => {
  it.live("may fail, and connect, as often as it likes: others share its address", () =>
    Effect.gen(function* () {
      const limits = { connectionsPerAddress: 1, failuresPerAccount: 1, failuresPerAddress: 1, loginsPerAccount: 1 }
      const at = yield* World.serveTcp(World.layerExample(), { limits })
      for (const _ of [1, 2]) yield* fail(yield* Peer.connect(at))
      for (const _ of [1, 2]) yield* begin(yield* Peer.connect(at))
      yield* signIn(yield* Peer.connect(at))
    }),
  )
})

describe("a client in session that is told much at once", () => {
  it.effect("has as much more time to read it, for each 64 KiB", () =>
    Effect.gen(function* () {
      const { courier, hits, sent } = yield* unread(4)
      yield* TestClock.adjust("239999 millis")
      assert.isUndefined(sent.pollUnsafe())
      courier.collect()
      assert.isTrue(yield* Fiber.join(sent))
      assert.deepStrictEqual(hits, [])
    }),
  )

  it.effect("is cut off behind that, all the same", () =>
    Effect.gen(function* () {
      const { hits, sent } = yield* unread(4)
      yield* TestClock.adjust("4 minutes")
      assert.isFalse(yield* Fiber.join(sent))
      assert.deepStrictEqual(hits, ["writeTimeout"])
    }),
  )
})

describe("a client in session that asks for much at once", () => {
  /** What is asked for: in bytes, a tenth of what is answered. */
  const times = 4000
  const mostWaiting = 2 * 65_536

  const servers: ReadonlyArray<readonly [how: string, options: SessionServer.Options]> = [
    ["by what is built in", {}],
    ["with lists of an application", { lists: () => Effect.succeed(Lists.empty) }],
  ]
  for (const [how, options] of servers) {
    it.effect(`is answered as it reads, and little waits for it: ${how}`, () =>
      Effect.gen(function* () {
        const { courier, hits, read } = yield* asking(times, options)
        let answers = ""
        while (true) {
          const some = read()
          assert.isBelow(some.length, mostWaiting)
          answers += some
          if (answers.includes(`SYN ${times + 4} `)) break
          yield* courier.ready
        }
        assert.isAbove(answers.length, 2 * mostWaiting)
        assert.strictEqual(answers.match(/^SYN /gm)?.length, times)
        assert.deepStrictEqual(hits, [])
      }),
    )

    it.effect(`is cut off in one time-out where it does not read, however much it has asked for: ${how}`, () =>
      Effect.gen(function* () {
        const { courier, hits } = yield* asking(times, options)
        yield* TestClock.adjust("59999 millis")
        assert.isTrue(courier.isSpeaking())
        yield* TestClock.adjust("1 millis")
        yield* Effect.yieldNow
        assert.isFalse(courier.isSpeaking())
        assert.deepStrictEqual(hits, ["writeTimeout"])
      }),
    )
  }
})

describe("a client over TCP that does not read", () => {
  it.live("is cut off where it takes longer than the limit", () =>
    Effect.gen(function* () {
      const accepted = yield* Resources.accepted
      const over = yield* Deferred.make<void>()
      const text = Bytes.fromText("x".repeat(60_000))
      const at = yield* World.serveTcp(World.layerExample(), { limits: { writeTimeout: "200 millis" } }, (session) =>
        Effect.repeat(session.send({ _tag: "Foreign", verb: "MSG", parameters: ["a", "b", "60000"], payload: text }), {
          while: (isSent) => isSent,
        }).pipe(Effect.andThen(Deferred.succeed(over, undefined))),
      )
      const peer = yield* Peer.connect(at)
      yield* begin(peer)
      yield* peer.stall
      yield* peer.say(right)
      yield* Deferred.await(over)
      yield* Resources.until(() => accepted(peer.conn.localPort).destroyed)
    }),
  )
})
