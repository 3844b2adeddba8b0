import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Net from "node:net"
import * as Admission from "../../src/host/Admission.ts"
import * as Referrals from "../../src/host/Referrals.ts"
import type * as Client from "../../src/login/Client.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const challenged = "VER 1 MSNP7\r\nUSR 2 MD5 S 1013928519.693957190\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const wrongAnswer = "USR 3 MD5 S 00000000000000000000000000000000\r\n"
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const signIn = Effect.fnUntraced(function* (peer: Peer.Peer) {
  yield* peer.say(opening + answer)
  assert.strictEqual((yield* peer.line) + (yield* peer.line) + (yield* peer.line), challenged + ok)
})

const ping: ServerCommand.ServerCommand = { _tag: "Foreign", verb: "QNG", parameters: [], payload: "" }

describe("a whole login over TCP, by way of a dispatch server", () => {
  for (const dialect of Dialect.all) {
    for (const manner of World.manners) {
      it.live(`comes about: ${dialect}, ${manner === "AskInf" ? "with" : "without"} INF`, () =>
        Effect.gen(function* () {
          const { dispatch, notification } = yield* World.serveBoth()
          const session = yield* LoginClient.login(World.aliceAt(dispatch, { manner, dialects: [dialect] }))
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
        const manner: Client.Manner = index % 2 === 0 ? "AskInf" : "SkipInf"
        return Effect.scoped(
          Effect.map(LoginClient.login(World.aliceAt(dispatch, { manner })), ({ dialect }) => dialect),
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

  it.live("911, for a wrong password", () =>
    Effect.gen(function* () {
      const address = yield* World.serveTcp(World.layerExample())
      yield* everyTry(address, opening + wrongAnswer, `${challenged}911 3\r\n`)
    }),
  )

  it.live("715, for a second VER", () =>
    Effect.gen(function* () {
      const address = yield* World.serveTcp(World.layerExample())
      yield* everyTry(address, "VER 1 MSNP7\r\nVER 2 MSNP7\r\n", "VER 1 MSNP7\r\n715 2\r\n")
    }),
  )

  it.live("XFR, from a dispatch server", () =>
    Effect.gen(function* () {
      const address = yield* World.serveTcp(World.layerReferring(World.notificationAddress))
      const xfr = "XFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n"
      yield* everyTry(address, opening, `VER 1 MSNP7\r\n${xfr}`)
    }),
  )

  it.live("OUT SSD, when the server goes down", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      // The application takes nothing, so that the server reads nothing.
      const serving = World.serveTcp(World.layerExample(), {}, () => Effect.never)
      const address = yield* Scope.provide(serving, scope)
      const peers = yield* Effect.forEach(tries, () => Peer.connect(address), { concurrency: 25 })
      for (const peer of peers) {
        yield* signIn(peer)
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
  )
})

describe("a peer that misbehaves", () => {
  /** A server of which the peer knows whether it still serves others. */
  const serving = (options?: Omit<LoginServer.Options, "listen">, onSession?: LoginServer.OnSession<never>) =>
    Effect.map(World.serveTcp(World.layerExample(), options, onSession), (address) => ({
      address,
      stillServes: Effect.scoped(Effect.flatMap(Peer.connect(address), signIn)),
    }))

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

  it.live("may stall: the connection is closed when the login has taken too long, and nothing said", () =>
    Effect.gen(function* () {
      const limits = { ...LoginServer.defaultLimits, loginTimeout: "500 millis" } as const
      const { address } = yield* serving({ limits })
      const peer = yield* Peer.connect(address)
      yield* peer.say("VER 1 MSNP7\r\nINF 2")
      assert.strictEqual(yield* peer.rest, "VER 1 MSNP7\r\n")
    }),
  )

  it.live("may be slow to read: sending to it waits, and what was said last arrives when it reads", () =>
    Effect.gen(function* () {
      const sessions = yield* Queue.unbounded<LoginServer.Session>()
      const { address, stillServes } = yield* serving({}, (session) =>
        Effect.andThen(Queue.offer(sessions, session), Stream.runDrain(session.commands)),
      )
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      yield* peer.stall
      const session = yield* Queue.take(sessions)

      const message: ServerCommand.ServerCommand = {
        _tag: "Foreign",
        verb: "NOT",
        parameters: ["60000"],
        payload: "x".repeat(60_000),
      }
      // It must come to wait before 60 MB lie in memory.
      let sent = 0
      const blocked = yield* Effect.repeat(
        Effect.tap(Effect.timeoutOption(session.send(message), "100 millis"), () => Effect.sync(() => sent++)),
        { until: (sending) => sending._tag === "None" || sent === 1000 },
      )
      assert.strictEqual(blocked._tag, "None")

      yield* session.displace
      yield* peer.recover
      assert.isTrue((yield* peer.rest).endsWith("OUT OTH\r\n"))
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
      const send = session.send({ _tag: "Foreign", verb: "NOT", parameters: ["60000"], payload: "x".repeat(60_000) })
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

  it.live("may flood a session whose application takes nothing: the server stops reading", () =>
    Effect.gen(function* () {
      const { address, stillServes } = yield* serving({}, () => Effect.never)
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      // What the system's buffers hold goes through; then a write must wait.
      const flood = Buffer.from("PNG\r\n".repeat(200_000), "latin1")
      let written = 0
      const write = Effect.callback<boolean>((resume) => {
        peer.conn.write(flood, () => resume(Effect.succeed(true)))
      })
      const blocked = yield* Effect.repeat(
        Effect.tap(Effect.timeoutOption(write, "200 millis"), () => Effect.sync(() => written++)),
        { until: (writing) => writing._tag === "None" || written === 60 },
      )
      assert.strictEqual(blocked._tag, "None")
      yield* stillServes
    }),
  )
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
      const layer = Layer.provide(LoginServer.layer({ listen: { host: "127.0.0.1", port: 0 } }), World.layerExample())
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
        World.layerExample(),
      )
      const { address } = yield* Effect.provideContext(LoginServer.LoginServer, yield* Layer.build(layer))
      const peer = yield* Peer.connect(address)
      yield* signIn(peer)
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
    }),
  )
})
