/** Presence as clients meet it: at servers that listen, over TCP. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Socket from "effect/socket/Socket"
import * as Limits from "../../src/host/Limits.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

/** Logs Alice in, and says what came last. */
const logIn = Effect.fnUntraced(function* (server: Address.Address, account = "alice@hotmail.com") {
  const peer = yield* Peer.connect(server)
  yield* peer.say(`VER 1 MSNP7\r\nUSR 2 MD5 I ${account}\r\nUSR 3 MD5 S ${World.digest}\r\n`)
  yield* peer.line
  yield* peer.line
  return { peer, last: yield* peer.line }
})

const signedIn = (server: Address.Address, account?: string) =>
  Effect.map(logIn(server, account), ({ last, peer }) => {
    assert.strictEqual(last, ok)
    return peer
  })

/** A server on a free port, over who is signed in. */
const serve = Effect.gen(function* () {
  const listener = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
  yield* LoginServer.serve(listener, {}, LoginServer.hearOnly)
  return listener.address
})

/** How many are signed in. */
const present = Effect.flatMap(Presence.Presence, ({ list }) => Effect.map(list, ({ length }) => length))

/** Waits until so many are signed in. */
const until = (count: number) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Presence.Presence>()
    yield* Resources.until(() => Effect.runSyncWith(services)(present) === count)
  })

const host = World.layerHost()

describe("a client that logs in with an account that is signed in already", () => {
  it.live(
    "gets it, at whatever server: the older connection is told OUT OTH, and closed",
    () =>
      Effect.gen(function* () {
        const [one, other] = [yield* serve, yield* serve]
        const first = yield* signedIn(one)
        const second = yield* signedIn(other, "ALICE@hotmail.com")
        assert.strictEqual(yield* first.rest, "OUT OTH\r\n")
        const third = yield* signedIn(one)
        assert.strictEqual(yield* second.rest, "OUT OTH\r\n")
        assert.strictEqual(yield* present, 1)
        yield* third.say("OUT\r\n")
        assert.strictEqual(yield* third.rest, "")
        yield* until(0)
      }).pipe(Effect.provide(host)),
    { tags: ["closing.elsewhere", "closing.oth", "logoff.offline"] },
  )

  it.live(
    "is left alone with it, of twenty that log in at the same instant",
    () =>
      Effect.gen(function* () {
        const server = yield* serve
        const peers = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, i) => i),
          () => Effect.map(logIn(server), ({ peer }) => peer),
          { concurrency: "unbounded" },
        )
        yield* until(1)
        // Whoever stays is the one that still gets an answer to the end of the session: all others have heard OTH.
        for (const peer of peers) yield* peer.finish
        const rests = yield* Effect.forEach(peers, ({ rest }) => rest)
        assert.strictEqual(rests.filter((rest) => rest === "").length, 1)
        assert.strictEqual(rests.filter((rest) => rest.endsWith("OUT OTH\r\n")).length, 19)
        yield* until(0)
      }).pipe(Effect.provide(host)),
    { tags: ["closing.elsewhere"] },
  )
})

describe("a login that is displaced while USR OK is still being written", () => {
  it.effect("is told OUT OTH behind it, and is over then and there", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const listener = network.listen(World.notificationAddress)
      const isRead = yield* Deferred.make<void>()
      const accept: typeof listener.accept = (take) =>
        listener.accept(({ socket, ...ends }) => take({ ...ends, socket: waitingFor(isRead, socket) }))
      yield* LoginServer.serve({ ...listener, accept }, {}, LoginServer.hearOnly)

      const said = `VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\nUSR 3 MD5 S ${World.digest}\r\n`
      const connect = Effect.flatMap(network.dial(World.notificationAddress), Peer.inMemory)
      const [first, second] = [yield* connect, yield* connect]
      yield* first.say(said)
      yield* Effect.yieldNow
      yield* second.say(said)
      yield* Effect.yieldNow
      yield* Deferred.succeed(isRead, undefined)
      assert.isTrue((yield* first.rest).endsWith(`${ok}OUT OTH\r\n`))
      assert.strictEqual(yield* present, 1)
      yield* second.finish
      assert.isTrue((yield* second.rest).endsWith(ok))
    }).pipe(Effect.provide(host)),
  )
})

/** A socket whose USR OK is written only when somebody reads. */
const waitingFor = (isRead: Deferred.Deferred<void>, { reader, writer }: Socket.Socket): Socket.Socket =>
  Socket.make({
    reader,
    writer: Effect.map(writer, ({ write, writeAll }) => ({
      write: (chunk) => {
        const isOk = chunk instanceof Uint8Array && Bytes.fromUint8Array(chunk).startsWith("USR 3 OK")
        return isOk ? Effect.tap(write(chunk), () => Deferred.await(isRead)) : write(chunk)
      },
      writeAll,
    })),
  })

describe("a session that ends", () => {
  it.live("with a connection that was cut off gives its place up", () =>
    Effect.gen(function* () {
      const peer = yield* signedIn(yield* serve)
      assert.strictEqual(yield* present, 1)
      yield* peer.reset
      yield* until(0)
    }).pipe(Effect.provide(host)),
  )

  it.live("with OUT, or a closed connection, is over for everybody at once", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const out = yield* signedIn(server)
      yield* out.say("OUT\r\n")
      yield* until(0)
      const closing = yield* signedIn(server)
      yield* closing.finish
      yield* until(0)
    }).pipe(Effect.provide(host)),
  )

  it.live(
    "in silence, with a peer that is there no more, is thought of as signed in, until somebody else signs in",
    () =>
      Effect.gen(function* () {
        const server = yield* serve
        const deaf = yield* signedIn(server)
        yield* deaf.stall
        assert.strictEqual(yield* present, 1)
        yield* signedIn(server)
        assert.strictEqual(yield* present, 1)
        yield* deaf.recover
        assert.strictEqual(yield* deaf.rest, "OUT OTH\r\n")
      }).pipe(Effect.provide(host)),
    { tags: ["logoff.torn"] },
  )

  it.live("is over for everybody at once, whatever its application is still at", () =>
    Effect.gen(function* () {
      const listener = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
      yield* Effect.provide(
        LoginServer.serve(listener, {}, () => Effect.never),
        Limits.layer({ farewellTimeout: "1 hour" }),
      )
      const { dismiss } = yield* Presence.Presence
      const endings: ReadonlyArray<(peer: Peer.TcpPeer) => Effect.Effect<unknown, Presence.PresenceError>> = [
        (peer) => peer.say("OUT\r\n"),
        (peer) => peer.reset,
        () => dismiss(World.alice.account),
      ]
      for (const end of endings) {
        const peer = yield* signedIn(listener.address)
        assert.strictEqual(yield* present, 1)
        yield* end(peer)
        yield* until(0)
      }
    }).pipe(Effect.provide(host)),
  )

  it.live("because it is put off is closed without a word", () =>
    Effect.gen(function* () {
      const peer = yield* signedIn(yield* serve)
      const { dismiss } = yield* Presence.Presence
      assert.isTrue(yield* dismiss(World.alice.account))
      assert.strictEqual(yield* peer.rest, "")
      yield* until(0)
    }).pipe(Effect.provide(host)),
  )
})

describe("a client that logs in where nobody can find out who is signed in", () => {
  it.live("is told 500", () =>
    Effect.gen(function* () {
      const { last, peer } = yield* logIn(yield* serve)
      assert.strictEqual(last, "500 3\r\n")
      assert.strictEqual(yield* peer.rest, "")
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          World.layerExample(),
          Layer.succeed(Presence.Presence, {
            signIn: () => new Presence.PresenceError({ message: "the database is away" }),
            list: Effect.succeed([]),
            dismiss: () => Effect.succeed(false),
          }),
          Logger.layer([]),
        ),
      ),
    ),
  )
})
