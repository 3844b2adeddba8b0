import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import * as Net from "node:net"
import * as Admission from "../../src/host/Admission.ts"
import * as Referrals from "../../src/host/Referrals.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Transcript from "../../src/net/Transcript.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import { crlf } from "../support/Frame.ts"
import * as Msnp from "../support/Msnp.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const challenged = "VER 1 MSNP7\r\nUSR 2 MD5 S 1013928519.693957190\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const wrongAnswer = "USR 3 MD5 S 00000000000000000000000000000000\r\n"
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const signIn = Effect.fnUntraced(function* (peer: Peer.Peer, account = "alice@hotmail.com") {
  yield* peer.say((opening + answer).replace("alice@hotmail.com", account))
  const heard = (yield* peer.line) + (yield* peer.line) + (yield* peer.line)
  assert.strictEqual(heard, challenged + ok.replace("alice@hotmail.com", account))
})

const ping: ServerCommand.ServerCommand = { _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }

describe(
  "a whole login over TCP, by way of a dispatch server",
  { tags: ["connect.log-in", "connect.dispatch", "session.dispatch", "session.notification"] },
  () => {
    for (const dialect of Dialect.all) {
      for (const strategy of LoginClient.Strategy.literals) {
        it.live(`comes about: ${dialect}, ${strategy}`, () =>
          Effect.gen(function* () {
            const { dispatch, notification } = yield* World.serveBoth()
            const session = yield* LoginClient.login(World.aliceAt(dispatch, { strategy, dialects: [dialect] }))
            assert.strictEqual(session.dialect, dialect)
            assert.strictEqual(session.account, "alice@hotmail.com")
            assert.strictEqual(session.friendlyName, "My Screen Name")
            assert.deepStrictEqual(session.server, notification)
          }),
        )
      }
    }

    it.live("comes about for many clients at once", () =>
      Effect.gen(function* () {
        const { dispatch } = yield* World.serveBoth()
        const login = (_: number, index: number) => {
          const strategy = LoginClient.Strategy.literals[index % 3] ?? "official"
          return Effect.scoped(
            Effect.map(LoginClient.login(World.aliceAt(dispatch, { strategy })), ({ dialect }) => dialect),
          )
        }
        const dialects = yield* Effect.forEach(Array.from({ length: 200 }), (_, index) => login(0, index), {
          concurrency: "unbounded",
        })
        assert.deepStrictEqual(new Set(dialects), new Set(["MSNP7"]))
      }),
    )

    it.live("names the address on which the client has reached a server that is bound to all addresses", () =>
      Effect.gen(function* () {
        const notification = yield* LoginServer.listen({ host: "0.0.0.0", port: 0 })
        yield* World.serve(notification, World.layerExample())
        const dispatch = yield* LoginServer.listen({ host: "0.0.0.0", port: 0 })
        yield* World.serve(
          dispatch,
          Admission.layerDispatch({
            self: Referrals.elsewhere(dispatch.address),
            servers: [Referrals.elsewhere(notification.address)],
          }),
        )
        const peer = yield* Peer.connect({ host: "127.0.0.1", port: dispatch.address.port })
        yield* peer.say(opening)
        assert.strictEqual(
          yield* peer.rest,
          `VER 1 MSNP7\r\nXFR 2 NS 127.0.0.1:${notification.address.port} 0 127.0.0.1:${dispatch.address.port}\r\n`,
        )
      }),
    )
  },
)

/** What the client says at each server in turn, and what it is answered; the referral names this address. */
const byTheBook = (to: Address.Address, from: Address.Address) => {
  const opening: ReadonlyArray<readonly [string, string]> = [
    [crlf("VER 1 MSNP7 CVR0"), crlf("VER 1 MSNP7 CVR0")],
    [crlf("INF 2"), crlf("INF 2 MD5")],
  ]
  const usr = crlf("USR 3 MD5 I alice@hotmail.com")
  return {
    dispatch: [...opening, [usr, crlf(`XFR 3 NS ${Address.format(to)} 0 ${Address.format(from)}`)]],
    notification: [
      ...opening,
      [usr, crlf("USR 3 MD5 S 1013928519.693957190")],
      [crlf(`USR 4 MD5 S ${World.digest}`), crlf("USR 4 OK alice@hotmail.com My%20Screen%20Name 1")],
      [crlf("OUT"), ""],
    ],
  } satisfies { readonly [server: string]: ReadonlyArray<readonly [string, string]> }
}

type Turns = ReadonlyArray<readonly [string, string]>
const client = (turns: Turns) => turns.map(([heard]) => heard).join("")
const server = (turns: Turns) => turns.map(([, said]) => said).join("")

/** Each place at which so many bytes can be cut in two. */
const places = (length: number) => Array.from({ length: length - 1 }, (_, index) => index + 1)

/** The same listener, with a note of what is read from its one connection. */
const gauged = (listener: LoginServer.Listener, gauge: Peer.Gauge): LoginServer.Listener => ({
  ...listener,
  accept: (take) => listener.accept((accepted) => take({ ...accepted, socket: gauge.on(accepted.socket) })),
})

describe("a login over TCP, however its bytes are cut", () => {
  const free: Address.Address = { host: "127.0.0.1", port: 0 }
  const { dispatch, notification } = byTheBook(World.notificationAddress, World.dispatchAddress)
  const everywhere: Peer.Cut = () => true

  /** Says a client's whole side to our server, with these cuts: what it is answered, and the pieces that were read. */
  const toServer = (said: string, admission: Layer.Layer<Admission.Admission>, isCut: Peer.Cut) =>
    Effect.scoped(
      Effect.gen(function* () {
        const gauge = Peer.gauge()
        const listener = yield* LoginServer.listen(free)
        yield* World.serve(gauged(listener, gauge), admission)
        const peer = yield* Peer.connect(listener.address)
        yield* Peer.inPieces(peer.say, gauge, isCut)(said)
        const answered = yield* peer.rest
        yield* peer.finish
        return { answered, pieces: gauge.pieces }
      }),
    )

  const servers = [
    { name: "a notification server", turns: notification, admission: World.layerExample() },
    {
      name: "a dispatch server",
      turns: dispatch,
      admission: World.layerReferring(World.notificationAddress),
    },
  ]
  for (const { admission, name, turns } of servers) {
    const said = client(turns)

    it.live(`gets the same answers from ${name}, wherever the client's bytes are cut in two`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* toServer(said, admission, () => false), {
          answered: server(turns),
          pieces: [said],
        })
        const cut = (place: number) => toServer(said, admission, (here) => here === place)
        assert.deepStrictEqual(
          yield* Effect.forEach(places(said.length), cut, { concurrency: 50 }),
          places(said.length).map((place) => ({
            answered: server(turns),
            pieces: [said.slice(0, place), said.slice(place)],
          })),
        )
      }),
    )

    it.live(`gets the same answers from ${name}, byte by byte`, () =>
      Effect.gen(function* () {
        const expected = { answered: server(turns), pieces: Array.from(said) }
        assert.deepStrictEqual(yield* toServer(said, admission, everywhere), expected)
      }),
    )
  }

  /** Logs in by way of two servers that are played with these cuts: the pieces that the client read of each. */
  const fromServers = (isCut: Peer.Cut) =>
    Effect.scoped(
      Effect.gen(function* () {
        const stages = { dispatch: yield* Peer.listen, notification: yield* Peer.listen }
        const gauges = { dispatch: Peer.gauge(), notification: Peer.gauge() }
        const turns = byTheBook(stages.notification.address, stages.dispatch.address)
        const play = Effect.fnUntraced(function* (role: "dispatch" | "notification") {
          const peer = yield* stages[role].accept
          const say = Peer.inPieces(peer.say, gauges[role], isCut)
          for (const [heard, said] of turns[role]) {
            assert.strictEqual(yield* peer.line, heard)
            yield* say(said)
          }
          yield* peer.finish
          assert.strictEqual(yield* peer.rest, "")
        })
        const login = Effect.gen(function* () {
          const session = yield* LoginClient.login(World.aliceAt(stages.dispatch.address, { dialects: ["MSNP7"] }))
          assert.strictEqual(session.account, "alice@hotmail.com")
          assert.strictEqual(session.friendlyName, "My Screen Name")
          assert.deepStrictEqual(session.verified, Option.some(true))
          assert.deepStrictEqual(session.server, stages.notification.address)
          yield* session.logOff
        })
        yield* Effect.all([login, play("dispatch"), play("notification")], { concurrency: "unbounded" }).pipe(
          Effect.provideService(Connector.Connector, {
            pings: "Carried",
            connect: (to) =>
              Effect.map(
                Connector.direct.connect(to),
                gauges[to.port === stages.dispatch.address.port ? "dispatch" : "notification"].on,
              ),
          }),
        )
        return [
          { turns: turns.dispatch, pieces: gauges.dispatch.pieces },
          { turns: turns.notification, pieces: gauges.notification.pieces },
        ]
      }),
    )

  /** What is read of a server's answers, where each is cut in these places. */
  const cutUp = (turns: Turns, isCut: Peer.Cut) => {
    const pieces: Array<string> = []
    let place = 0
    for (const [, said] of turns) {
      let piece = ""
      for (const byte of said) {
        piece += byte
        place++
        if (!isCut(place)) continue
        pieces.push(piece)
        piece = ""
      }
      if (piece !== "") pieces.push(piece)
    }
    return pieces
  }

  it.live("comes about for our client, wherever the servers' bytes are cut in two", () =>
    Effect.gen(function* () {
      const cuts = [0, ...places(server(notification).length)].map(
        (place): Peer.Cut =>
          (here) =>
            here === place,
      )
      const read = yield* Effect.forEach(cuts, (isCut) => fromServers(isCut), { concurrency: 50 })
      assert.deepStrictEqual(
        read.map((servers) => servers.map(({ pieces }) => pieces)),
        read.map((servers, index) => servers.map(({ turns }) => cutUp(turns, (here) => cuts[index]?.(here) === true))),
      )
    }),
  )

  it.live("comes about for our client, where the servers' bytes come one by one", () =>
    Effect.gen(function* () {
      for (const { pieces, turns } of yield* fromServers(everywhere)) {
        assert.deepStrictEqual(pieces, Array.from(server(turns)))
      }
    }),
  )

  it.live("comes about between our client and our servers, where all bytes come one by one in both directions", () =>
    Effect.gen(function* () {
      const gauges = { dispatch: [Peer.gauge(), Peer.gauge()], notification: [Peer.gauge(), Peer.gauge()] } as const
      const stages = { dispatch: yield* Peer.listen, notification: yield* Peer.listen }

      /** Stands between our client and a server of ours. */
      const relay = Effect.fnUntraced(function* (role: "dispatch" | "notification", to: Address.Address) {
        const near = yield* stages[role].accept
        const far = yield* Peer.connect(to)
        const [atServer, atClient] = gauges[role]
        const pass = (from: Peer.TcpPeer, to: Peer.TcpPeer, gauge: Peer.Gauge) => {
          const say = Peer.inPieces(to.say, gauge, everywhere)
          return Effect.repeat(Effect.tap(from.line, say), { until: (line) => line === "" }).pipe(
            Effect.andThen(to.finish),
          )
        }
        yield* Effect.all([pass(near, far, atServer), pass(far, near, atClient)], { concurrency: "unbounded" })
      })

      const listeners = { dispatch: yield* LoginServer.listen(free), notification: yield* LoginServer.listen(free) }
      yield* World.serve(gauged(listeners.notification, gauges.notification[0]), World.layerExample())
      yield* World.serve(
        gauged(listeners.dispatch, gauges.dispatch[0]),
        Admission.layerDispatch({
          self: Referrals.elsewhere(stages.dispatch.address),
          servers: [Referrals.elsewhere(stages.notification.address)],
        }),
      )
      const login = Effect.gen(function* () {
        const session = yield* LoginClient.login(World.aliceAt(stages.dispatch.address, { dialects: ["MSNP7"] }))
        assert.deepStrictEqual(session.server, stages.notification.address)
        yield* session.logOff
      }).pipe(
        Effect.provideService(Connector.Connector, {
          pings: "Carried",
          connect: (to) =>
            Effect.map(
              Connector.direct.connect(to),
              gauges[to.port === stages.dispatch.address.port ? "dispatch" : "notification"][1].on,
            ),
        }),
      )
      yield* Effect.all(
        [login, relay("dispatch", listeners.dispatch.address), relay("notification", listeners.notification.address)],
        { concurrency: "unbounded" },
      )

      const turns = byTheBook(stages.notification.address, stages.dispatch.address)
      for (const role of ["dispatch", "notification"] as const) {
        const [atServer, atClient] = gauges[role]
        assert.deepStrictEqual(atServer.pieces, Array.from(client(turns[role])))
        assert.deepStrictEqual(atClient.pieces, Array.from(server(turns[role])))
      }
    }),
  )
})

/** 10 KB in lines of 1,000 bytes. */
const unread = `PNG ${"x".repeat(994)}\r\n`.repeat(10)

describe("the last word arrives, even where 300 KB of the peer's own are still unread", () => {
  const tries = Array.from({ length: 200 }, (_, index) => index)

  /** Connects peers that do not read until they are told to. */
  const lateReaders = (to: Address.Address) =>
    Effect.forEach(tries, () => Effect.tap(Peer.connect(to), ({ stall }) => stall), { concurrency: 25 })

  /** Goes on saying what nobody will read, 300 KB of it in pieces: a connection that is cut off ends with an error. */
  const goOn = Effect.fnUntraced(function* (peers: ReadonlyArray<Peer.TcpPeer>) {
    for (let piece = 0; piece < 30; piece++) {
      for (const peer of peers) yield* peer.say(unread)
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
    }
    for (const peer of peers) yield* peer.finish
  })

  /** Each says it all, and reads only when the server has closed its side of every connection. */
  const everyTry = (to: Address.Address, said: string, expected: string) =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0)
      const peers = yield* lateReaders(to)
      for (const peer of peers) yield* peer.say(said)
      yield* goOn(peers)
      yield* Resources.until(() => Resources.connections() <= peers.length)
      const heard = yield* Effect.forEach(peers, (peer) => Effect.andThen(peer.recover, peer.rest))
      assert.deepStrictEqual(
        heard,
        tries.map(() => expected),
      )
    })

  it.live(
    "911, for a wrong password",
    () =>
      Effect.gen(function* () {
        const address = yield* World.serveTcp(World.layerExample())
        yield* everyTry(address, opening + wrongAnswer, `${challenged}911 3\r\n`)
      }),
    { tags: ["usr.wrong-password"] },
  )

  it.live(
    "715, for a second VER",
    () =>
      Effect.gen(function* () {
        const address = yield* World.serveTcp(World.layerExample())
        yield* everyTry(address, "VER 1 MSNP7\r\nVER 2 MSNP7\r\n", "VER 1 MSNP7\r\n715 2\r\n")
      }),
    { tags: ["login.wrong-time"] },
  )

  it.live(
    "XFR, from a dispatch server",
    () =>
      Effect.gen(function* () {
        const address = yield* World.serveTcp(World.layerReferring(World.notificationAddress))
        const xfr = "XFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n"
        yield* everyTry(address, opening, `VER 1 MSNP7\r\n${xfr}`)
      }),
    { tags: ["xfr.closes"] },
  )

  it.live(
    "OUT SSD, when the server goes down",
    () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        // The application takes nothing, so that the server reads nothing.
        const limits = { farewellTimeout: 0 }
        const accounts = tries.map((each) => `user${each}@hotmail.com`)
        const entries = accounts.map((account) => World.entry(account))
        const serving = World.serveTcp(World.layerExample(entries), { limits }, () => Effect.never)
        const address = yield* Scope.provide(serving, scope)
        const peers = yield* Effect.forEach(tries, () => Peer.connect(address), { concurrency: 25 })
        for (const [i, peer] of peers.entries()) {
          yield* signIn(peer, accounts[i])
          yield* peer.stall
          yield* peer.say(unread)
        }
        const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* goOn(peers)
        yield* Fiber.join(closing)
        const heard = yield* Effect.forEach(peers, (peer) => Effect.andThen(peer.recover, peer.rest))
        assert.deepStrictEqual(
          heard,
          tries.map(() => "OUT SSD\r\n"),
        )
      }),
    { tags: ["closing.ssd", "closing.ssd-closes"] },
  )
})

describe("a peer that misbehaves", () => {
  /** A server of which the peer knows whether it still serves others. */
  const serving = (options?: World.Options, onSession?: LoginServer.OnSession<never>) =>
    Effect.map(World.serveTcp(World.layerExample([World.alice, bob]), options, onSession), (address) => ({
      address,
      stillServes: Effect.scoped(Effect.flatMap(Peer.connect(address), (peer) => signIn(peer, bob.account))),
    }))
  const bob = World.entry("bob@hotmail.com")

  it.live("may reset the connection at any time: others are served on", () =>
    Effect.gen(function* () {
      const { address, stillServes } = yield* serving()
      const conversations = [
        "",
        "VER 1 MSN",
        "VER 1 MSNP7\r\n",
        opening,
        opening + answer,
        `${opening}${answer}PNG\r\n`,
      ]
      for (const said of conversations) {
        const peer = yield* Peer.connect(address)
        yield* peer.say(said)
        yield* peer.reset
        assert.strictEqual(yield* peer.rest, "")
      }
      yield* stillServes
    }),
  )

  it.live("may vanish while the host decides: the decision goes nowhere, and others are served on", () =>
    Effect.gen(function* () {
      const asked = yield* Queue.unbounded<void>()
      const gate = yield* Deferred.make<void>()
      const layer = Layer.effect(
        Admission.Admission,
        Effect.map(Admission.Admission, ({ admit, judge }) => ({
          admit: (question) =>
            Queue.offer(asked, undefined).pipe(Effect.andThen(Deferred.await(gate)), Effect.andThen(admit(question))),
          judge,
        })),
      ).pipe(Layer.provide(World.layerExample()))
      const address = yield* World.serveTcp(layer)
      const peer = yield* Peer.connect(address)
      yield* peer.say(opening)
      yield* Queue.take(asked)
      yield* peer.reset
      yield* Deferred.succeed(gate, undefined)
      const other = yield* Peer.connect(address)
      yield* signIn(other)
    }),
  )

  it.live(
    "may stall: the connection is closed when the login has taken too long, and nothing said",
    () =>
      Effect.gen(function* () {
        const limits = { loginTimeout: "500 millis" } as const
        const { address } = yield* serving({ limits })
        const peer = yield* Peer.connect(address)
        yield* peer.say("VER 1 MSNP7\r\nINF 2")
        assert.strictEqual(yield* peer.rest, "VER 1 MSNP7\r\n")
      }),
    { tags: ["beyond.overdue"] },
  )

  /** Does something over and over on a fiber of its own; returns when it waits while 20 other clients log in. */
  const untilItWaits = Effect.fnUntraced(function* <A>(once: Effect.Effect<A>, stillServes: Effect.Effect<void>) {
    let done = 0
    let isEnough = false
    const going = yield* Effect.forkScoped(
      Effect.repeat(
        Effect.tap(once, () => Effect.sync(() => done++)),
        { until: () => isEnough || done === 2000 },
      ),
      { startImmediately: true },
    )
    let before = done
    for (let logins = 0; logins < 20; logins++) {
      yield* stillServes
      if (done > before) logins = 0
      before = done
    }
    assert.isUndefined(going.pollUnsafe(), "it never came to wait")
    return {
      done: () => done,
      /** Waits for what was under way, and does it no more. */
      stop: Effect.suspend(() => {
        isEnough = true
        return Fiber.join(going)
      }),
    }
  })

  const message = {
    _tag: "Foreign",
    verb: "NOT",
    parameters: ["60000"],
    payload: "x".repeat(60_000),
  } as const
  const messageBytes = `NOT 60000\r\n${message.payload}`

  /** Sends messages to a peer that does not read, until the sending waits. */
  const clogged = Effect.gen(function* () {
    const accepted = yield* Resources.accepted
    const sessions = yield* Queue.unbounded<LoginServer.Session>()
    const { address, stillServes } = yield* serving({}, (session) =>
      Effect.andThen(Queue.offer(sessions, session), Stream.runDrain(session.commands)),
    )
    const peer = yield* Peer.connect(address)
    yield* signIn(peer)
    yield* peer.stall
    const session = yield* Queue.take(sessions)
    const conn = accepted(peer.conn.localPort)
    let buffered = 0
    const send = Effect.tap(session.send(message), () =>
      Effect.sync(() => (buffered = Math.max(buffered, conn.writableLength))),
    )
    const sending = yield* untilItWaits(send, stillServes)
    buffered = Math.max(buffered, conn.writableLength)
    // What the system's buffers do not take waits in this process: one message at the most.
    assert.isAtMost(buffered, conn.writableHighWaterMark + messageBytes.length)
    return { peer, sending, session, stillServes }
  })

  it.live("may be slow to read: sending to it waits, fills no memory, and goes on when it reads", () =>
    Effect.gen(function* () {
      const { peer, sending, session } = yield* clogged
      const before = sending.done()
      yield* peer.recover
      assert.isTrue(yield* sending.stop)
      assert.isAbove(sending.done(), before)
      yield* session.displace
      assert.isTrue((yield* peer.rest) === `${messageBytes.repeat(sending.done())}OUT OTH\r\n`, "bytes were lost")
    }),
  )

  it.live("may be slow to read: what was said last arrives when it reads", () =>
    Effect.gen(function* () {
      const { peer, session, stillServes } = yield* clogged
      yield* session.displace
      yield* peer.recover
      assert.isTrue((yield* peer.rest).endsWith(`${messageBytes}OUT OTH\r\n`))
      yield* stillServes
    }),
  )

  it.live("may be slow to read while many send to it: there is no warning of a leak", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const warned = (warning: Error) => void warnings.push(warning.message)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("warning", warned)),
        () => Effect.sync(() => process.off("warning", warned)),
      )
      const sessions = yield* Queue.unbounded<LoginServer.Session>()
      const { address } = yield* serving({}, (session) =>
        Effect.andThen(Queue.offer(sessions, session), Stream.runDrain(session.commands)),
      )
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      yield* peer.stall
      const session = yield* Queue.take(sessions)
      const send = session.send(message)
      const sending = yield* Effect.forkScoped(
        Effect.all(
          Array.from({ length: 200 }, () => send),
          { concurrency: "unbounded" },
        ),
        { startImmediately: true },
      )
      yield* peer.recover
      yield* Fiber.join(sending)
      assert.deepStrictEqual(warnings, [])
    }),
  )

  it.live("may flood a session whose application takes nothing: the server reads no more until it does", () =>
    Effect.gen(function* () {
      const accepted = yield* Resources.accepted
      const sessions = yield* Queue.unbounded<LoginServer.Session>()
      const over = yield* Deferred.make<void>()
      const { address, stillServes } = yield* serving({}, (session) =>
        Effect.andThen(Queue.offer(sessions, session), Deferred.await(over)),
      )
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      const session = yield* Queue.take(sessions)
      const conn = accepted(peer.conn.localPort)

      const flood = Buffer.from(unread.repeat(5), "latin1")
      const write = Effect.callback<void>((resume) => void peer.conn.write(flood, () => resume(Effect.void)))
      const writing = yield* untilItWaits(write, stillServes)
      // 64 commands wait for the application, and a few reads of 64 KB for those.
      assert.isAtMost(conn.bytesRead, 6 * 65_536)

      const before = writing.done()
      const taking = yield* Effect.forkScoped(Stream.runCount(session.commands), { startImmediately: true })
      yield* writing.stop
      assert.isAbove(writing.done(), before)
      yield* peer.finish
      assert.strictEqual(yield* Fiber.join(taking), writing.done() * 50)
      yield* Deferred.succeed(over, undefined)
    }),
  )
})

// Each of these starts a process, which a machine under load takes its time for.
describe("a server whose process is killed in the midst of a login", { timeout: 60_000 }, () => {
  const stages = [
    { name: "VER", said: ">>> VER " },
    { name: "INF", said: ">>> INF " },
    { name: "USR I", said: ">>> USR 3 MD5 I " },
    { name: "USR S", said: ">>> USR 4 MD5 S " },
  ]
  for (const { name, said } of stages) {
    it.live(`leaves the client disconnected, behind its ${name}`, () =>
      Effect.gen(function* () {
        const served = yield* Effect.acquireRelease(
          Effect.sync(() =>
            Msnp.start(["serve", "--demo", "--json", "--dispatch", "none", "--notification", "127.0.0.1:0"]),
          ),
          (served) =>
            Effect.promise(() => {
              served.kill("SIGKILL")
              return served.ended
            }),
        )
        const server = { host: "127.0.0.1", port: yield* Effect.promise(() => Msnp.portOf(served, "notification")) }

        /** Stopped before the line is written, so that it is never answered, and killed when it has been. */
        let isStopped = false
        const since: Array<string> = []
        const observer: Transcript.Observer = (entry) => {
          const line = Transcript.format(entry)
          if (isStopped) since.push(line)
          if (!line.startsWith(said)) return
          served.kill("SIGSTOP")
          isStopped = true
        }
        const connect = (to: Address.Address) =>
          Effect.map(Connector.direct.connect(to), ({ reader, writer }) =>
            Socket.make({
              reader,
              writer: Effect.map(writer, ({ write, writeAll }) => ({
                write: (chunk) =>
                  Effect.tap(write(chunk), () =>
                    Effect.sync(() => {
                      if (isStopped) served.kill("SIGKILL")
                    }),
                  ),
                writeAll,
              })),
            }),
          )

        const account = Account.Account.make("alice@example.com")
        const login = LoginClient.login({ server, account, password: Redacted.make("wonderland"), observer })
        const error = yield* Effect.flip(
          Effect.provideService(Effect.scoped(login), Connector.Connector, { pings: "Carried", connect }),
        )
        assert.strictEqual(error._tag, "Disconnected")
        assert.deepStrictEqual(since, ["<o> Server closes connection"])
        yield* Resources.until(() => Resources.connections() === 0)
      }),
    )
  }
})

describe("where a server cannot listen", () => {
  const refusal = (at: Address.Address) => Effect.flip(Effect.scoped(LoginServer.listen(at)))

  it.live("it says the address and that the port is in use", () =>
    Effect.gen(function* () {
      const { address } = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
      const error = yield* refusal(address)
      assert.strictEqual(error.message, `Cannot listen on ${Address.format(address)}: the port is in use.`)
    }),
  )

  it.live("it says that this machine does not have the address", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ host: "203.0.113.1", port: 1863 })
      assert.strictEqual(error.message, "Cannot listen on 203.0.113.1:1863: this machine does not have that address.")
    }),
  )
})

describe("a listening socket", () => {
  it.live("closes, though somebody is connected whom nobody has served", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address } = yield* Scope.provide(LoginServer.listen({ host: "127.0.0.1", port: 0 }), scope)
      const peer = yield* Peer.connect(address)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* peer.rest, "")
    }),
  )

  it.live("keeps who comes before it is served", () =>
    Effect.gen(function* () {
      const listener = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
      const peer = yield* Peer.connect(listener.address)
      yield* peer.say(opening)
      yield* World.serve(listener, World.layerExample())
      assert.strictEqual((yield* peer.line) + (yield* peer.line), challenged)
    }),
  )

  it.live("tells IPv4 peers as such, where it is bound to both families", () =>
    Effect.gen(function* () {
      // A machine without IPv6 has one family only: there it holds just as well.
      const listener = yield* Effect.catch(LoginServer.listen({ host: "::", port: 0 }), () =>
        LoginServer.listen({ host: "0.0.0.0", port: 0 }),
      )
      const accepted = yield* Queue.unbounded<Address.Address>()
      listener.accept(({ local, socket }) => {
        Queue.offerUnsafe(accepted, local)
        Effect.runFork(Effect.scoped(socket.reader))
      })
      yield* Peer.connect({ host: "127.0.0.1", port: listener.address.port })
      assert.deepStrictEqual(yield* Queue.take(accepted), { host: "127.0.0.1", port: listener.address.port })
    }),
  )
})

describe("the services of a server", () => {
  it.live("say where it listens, and run it until they are released", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const layer = Layer.provide(LoginServer.layer({ listen: { host: "127.0.0.1", port: 0 } }), World.layerHost())
      const services = yield* Layer.build(layer).pipe(Scope.provide(scope))
      const { address } = yield* Effect.provideContext(LoginServer.LoginServer, services)
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      const [, last] = yield* Effect.all([Scope.close(scope, Exit.void), Effect.tap(peer.rest, () => peer.finish)], {
        concurrency: "unbounded",
      })
      assert.strictEqual(last, "OUT SSD\r\n")
      const refused = yield* Effect.callback<string | undefined>((resume) => {
        Net.connect(address.port, address.host).once("error", (error: NodeJS.ErrnoException) =>
          resume(Effect.succeed(error.code)),
        )
      })
      assert.strictEqual(refused, "ECONNREFUSED")
    }),
  )

  it.live("run what an application does with its sessions", () =>
    Effect.gen(function* () {
      const layer = Layer.provide(
        LoginServer.layerWith({ listen: { host: "127.0.0.1", port: 0 } }, (session) =>
          Stream.runForEach(session.commands, () => session.send(ping)),
        ),
        World.layerHost(),
      )
      const { address } = yield* Effect.provideContext(LoginServer.LoginServer, yield* Layer.build(layer))
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
    }),
  )
})
