import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as SocksConnector from "../../src/net/SocksConnector.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as Silence from "../support/Silence.ts"
import * as Socks from "../support/Socks.ts"
import * as World from "../support/World.ts"

const word = (text: string) => SocksConnector.Word.make(text)
const nobody = Option.none()
const alice = Option.some(word("alice"))
const login = (password: string) =>
  Option.some({ user: word("alice"), password: Redacted.make(word(password), { label: "password" }) })

type At = (address: Address.Address) => SocksConnector.Proxy

const socks4: At = (address) => ({ _tag: "Socks4", address, user: nobody })
const socks4a: At = (address) => ({ _tag: "Socks4a", address, user: nobody })
const socks5: At = (address) => ({ _tag: "Socks5", address, login: nobody })
const socks5WithLogin: At = (address) => ({ _tag: "Socks5", address, login: login("secret") })

/** The server that is meant: nothing in these tests connects to it but a proxy that they play. */
const server: Address.Address = { host: "10.0.0.5", port: 1863 }

describe("a whole login by way of a SOCKS proxy", { tags: ["connect.socks"] }, () => {
  const hosts = { "dispatch.test": "127.0.0.1" }
  const ways: ReadonlyArray<{
    readonly name: string
    readonly proxy: ReturnType<typeof Socks.serve4>
    readonly at: At
    readonly user: string
    /** The dispatch server as the client is told it, and as the proxy is. */
    readonly names: readonly [client: string, proxy: string]
  }> = [
    {
      name: "of version 4, which is told numbers only",
      proxy: Socks.serve4(),
      at: socks4,
      user: "",
      names: ["localhost", "127.0.0.1"],
    },
    {
      name: "of version 4, as a user",
      proxy: Socks.serve4({ user: "alice" }),
      at: (address) => ({ _tag: "Socks4", address, user: alice }),
      user: "alice",
      names: ["127.0.0.1", "127.0.0.1"],
    },
    {
      name: "of version 4a, which resolves names",
      proxy: Socks.serve4({ hosts }),
      at: socks4a,
      user: "",
      names: ["dispatch.test", "dispatch.test"],
    },
    {
      name: "of version 4a, as a user",
      proxy: Socks.serve4({ hosts, user: "alice" }),
      at: (address) => ({ _tag: "Socks4a", address, user: alice }),
      user: "alice",
      names: ["dispatch.test", "dispatch.test"],
    },
    {
      name: "of version 5, which resolves names",
      proxy: Socks.serve5({ hosts }),
      at: socks5,
      user: "",
      names: ["dispatch.test", "dispatch.test"],
    },
    {
      name: "of version 5, with a user and a password",
      proxy: Socks.serve5({ hosts, user: "alice", password: "secret" }),
      at: socks5WithLogin,
      user: "alice",
      names: ["dispatch.test", "dispatch.test"],
    },
    {
      name: "of version 5, for a name in other letters than ASCII",
      proxy: Socks.serve5({ hosts: { "xn--mnchen-3ya.test": "127.0.0.1" } }),
      at: socks5,
      user: "",
      names: ["münchen.test", "xn--mnchen-3ya.test"],
    },
  ]
  for (const { at, name, names, proxy, user } of ways) {
    it.live(`comes about, referral included: ${name}`, () =>
      Effect.gen(function* () {
        const { dispatch, notification } = yield* World.serveBoth()
        const { address, requests } = yield* proxy
        const session = yield* Effect.provideService(
          // Nobody but the proxy knows that these names are this machine's.
          LoginClient.login(World.aliceAt({ host: names[0], port: dispatch.port }, { referrals: "Anywhere" })),
          Connector.Connector,
          SocksConnector.make(at(address)),
        )
        assert.strictEqual(session.account, "alice@hotmail.com")
        assert.deepStrictEqual(session.server, notification)
        assert.deepStrictEqual(requests, [
          { host: names[1], port: dispatch.port, user },
          { host: "127.0.0.1", port: notification.port, user },
        ])
        yield* session.logOff
      }),
    )
  }
})

/** What a proxy says that is through, by version. */
const through4 = "\x00\x5a\x00\x00\x00\x00\x00\x00"
const through5 = "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"

/** Connects through a proxy that the test plays, which says this at once. */
const connectThrough = Effect.fnUntraced(function* (at: At, said: string) {
  const stage = yield* Peer.listen
  const connecting = yield* Effect.forkScoped(SocksConnector.make(at(stage.address)).connect(server), {
    startImmediately: true,
  })
  const peer = yield* stage.accept
  yield* peer.say(said)
  return { peer, socket: yield* Fiber.join(connecting) }
})

const pulled = (chunks: ReadonlyArray<Uint8Array | string>) =>
  chunks.map((chunk) => (typeof chunk === "string" ? chunk : Bytes.fromUint8Array(chunk))).join("")

describe("a connection by way of a proxy", () => {
  it.live.each([
    ["4", socks4, through4],
    ["5", socks5, through5],
  ] as const)("has what the server said right behind the proxy's answer: version %s", ([, at, through]) =>
    Effect.gen(function* () {
      const { peer, socket } = yield* connectThrough(at, `${through}first\r\n`)
      const { pull } = yield* socket.reader
      assert.strictEqual(pulled(yield* pull), "first\r\n")
      yield* peer.say("second\r\n")
      assert.strictEqual(pulled(yield* pull), "second\r\n")
    }),
  )

  it.live("has what the server said in its order, however much that is", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 50_000 }, (_, number) => `${number}\r\n`).join("")
      const { socket } = yield* connectThrough(socks4, through4 + numbers)
      const { pull } = yield* socket.reader
      let heard = ""
      while (heard.length < numbers.length) heard += pulled(yield* pull)
      assert.isTrue(heard === numbers, "bytes were lost or changed places")
    }),
  )

  it.live.each([
    ["4", socks4, through4],
    ["5", socks5, through5],
  ] as const)(
    "has the last words of a server that closes at once, and takes ours to it: version %s",
    ([, at, through]) =>
      Effect.gen(function* () {
        const stage = yield* Peer.listen
        const connecting = yield* Effect.forkScoped(SocksConnector.make(at(stage.address)).connect(server), {
          startImmediately: true,
        })
        const peer = yield* stage.accept
        yield* peer.say(`${through}OUT SSD\r\n`)
        yield* peer.finish
        const { reader, writer } = yield* Fiber.join(connecting)
        const { pull } = yield* reader
        assert.strictEqual(pulled(yield* pull), "OUT SSD\r\n")
        const error = yield* Effect.flip(pull)
        assert.isTrue(Socket.isSocketError(error) && error.reason._tag === "SocketCloseError", String(error))
        // The server listens still: what it is told arrives.
        const { write } = yield* writer
        yield* write("OUT\r\n")
        yield* write(new Socket.CloseEvent())
        assert.isTrue((yield* peer.rest).endsWith("OUT\r\n"))
      }),
  )

  it.live("carries what was said last, and is closed with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { peer, socket } = yield* Scope.provide(connectThrough(socks4, through4), scope).pipe(Effect.scoped)
      yield* Effect.gen(function* () {
        yield* socket.reader
        const { write } = yield* socket.writer
        yield* write("OUT\r\n")
      }).pipe(Effect.scoped)
      assert.isTrue((yield* peer.rest).endsWith("OUT\r\n"))
      yield* Scope.close(scope, Exit.void)
    }),
  )

  it.live("goes to the first address of the proxy's name that answers", () =>
    Effect.gen(function* () {
      const { port } = yield* World.serveTcp(World.layerExample())
      const { address, requests } = yield* Socks.serve5()
      const proxy = { host: "proxy.test", port: address.port }
      const by = (...addresses: ReadonlyArray<string>) =>
        SocksConnector.make(socks5(proxy), {
          lookup: (_, __, callback) =>
            callback(
              null,
              addresses.map((address) => ({ address, family: 4 })),
            ),
        }).connect({ host: "127.0.0.1", port })
      yield* by("127.0.0.2", "127.0.0.1")
      assert.deepStrictEqual(requests, [{ host: "127.0.0.1", port, user: "" }])
      const { tried } = yield* Effect.flip(Effect.scoped(by("127.0.0.2", "127.0.0.3")))
      assert.deepStrictEqual(
        tried.map(({ why }) => why),
        [`the proxy proxy.test:${address.port} cannot be used: nothing listens there`],
      )
    }),
  )

  it.live("asks a proxy of version 5 for IPv6 by its number", () =>
    Effect.gen(function* () {
      const number = "2001:0db8:0000:0000:0000:0000:0000:0001"
      const { address, requests } = yield* Socks.serve5({ hosts: { [number]: "127.0.0.1" } })
      const { port } = yield* World.serveTcp(World.layerExample())
      yield* SocksConnector.make(socks5(address)).connect({ host: "2001:db8::1", port })
      assert.deepStrictEqual(requests, [{ host: number, port, user: "" }])
    }),
  )

  it.live("does not ask for a name that can be none", () =>
    Effect.gen(function* () {
      const { address, requests } = yield* Socks.serve5()
      const proxy = SocksConnector.make(socks5(address))
      const { tried } = yield* Effect.flip(Effect.scoped(proxy.connect({ host: "xn--münchen.test", port: 1863 })))
      assert.deepStrictEqual(tried, [
        { address: "xn--münchen.test:1863", why: "that is no name of a host", seems: "Ours" },
      ])
      assert.deepStrictEqual(requests, [])
    }),
  )

  it.live("may take as long as it likes, where it is given all the time there is", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const warned = (warning: Error) => void warnings.push(warning.message)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("warning", warned)),
        () => Effect.sync(() => process.off("warning", warned)),
      )
      const { port } = yield* World.serveTcp(World.layerExample())
      const { address } = yield* Socks.serve5()
      yield* SocksConnector.make(socks5(address), { timeout: "Infinity" }).connect({ host: "127.0.0.1", port })
      assert.deepStrictEqual(warnings, [])
    }),
  )

  it.live("of version 4 goes to the next address of a name, where the proxy does not come through to one", () =>
    Effect.gen(function* () {
      const { port } = yield* World.serveTcp(World.layerExample())
      const { address, requests } = yield* Socks.serve4()
      const to = { host: "messenger.test", port }
      const by = (...addresses: ReadonlyArray<string>) =>
        SocksConnector.make(socks4(address), {
          lookup: (_, __, callback) =>
            callback(
              null,
              addresses.map((address) => ({ address, family: 4 })),
            ),
        }).connect(to)
      yield* by("127.0.0.2", "127.0.0.1", "127.0.0.3")
      assert.deepStrictEqual(
        requests.map(({ host }) => host),
        ["127.0.0.2", "127.0.0.1"],
      )
      const { tried } = yield* Effect.flip(Effect.scoped(by("127.0.0.2", "127.0.0.3")))
      assert.deepStrictEqual(
        tried.map(({ address }) => address),
        [`127.0.0.2:${port}`, `127.0.0.3:${port}`],
      )
    }),
  )
})

describe("a proxy that is of no use", () => {
  /** What becomes of a connection through it. */
  const outcome = Effect.fnUntraced(function* (proxy: SocksConnector.Proxy, to = server) {
    const { tried } = yield* Effect.flip(Effect.scoped(SocksConnector.make(proxy).connect(to)))
    assert.strictEqual(tried.length, 1)
    assert.strictEqual(tried[0].address, Address.format(to))
    const it = `the proxy ${Address.format(proxy.address)} `
    assert.isTrue(tried[0].why.startsWith(it), tried[0].why)
    return `${tried[0].seems}: ${tried[0].why.slice(it.length)}`
  })

  /** What becomes of a connection where the proxy says this, and then nothing. */
  const outcomeOf = Effect.fnUntraced(function* (at: At, play: (peer: Peer.TcpPeer) => Effect.Effect<void>) {
    const stage = yield* Peer.listen
    yield* Effect.forkScoped(Effect.flatMap(stage.accept, play), { startImmediately: true })
    return yield* outcome(at(stage.address))
  })

  /** A refusal of version 5, by its code (RFC 1928, section 6). */
  const refused5 = (code: string) => `\x05\x00\x05${code}\x00\x01\x00\x00\x00\x00\x00\x00`

  const sayings: ReadonlyArray<readonly [name: string, at: At, said: string, outcome: string]> = [
    ["5: it is content with none of our methods", socks5, "\x05\xff", "Ours: asks for other credentials"],
    ["5: it asks for a method that we did not name", socks5, "\x05\x01", "Ours: does not speak this version of SOCKS"],
    ["5: a wrong password", socks5WithLogin, "\x05\x02\x01\x01", "Ours: does not accept the user and password"],
    ["5: code 1", socks5, refused5("\x01"), "Unclear: could not go there"],
    ["5: code 2", socks5, refused5("\x02"), "Ours: does not allow that connection"],
    ["5: code 3", socks5, refused5("\x03"), "Unclear: says that there is no way to that network"],
    ["5: code 4", socks5, refused5("\x04"), "Unclear: says that there is no way to that host"],
    ["5: code 5", socks5, refused5("\x05"), "Theirs: says that nothing listens there"],
    ["5: code 6", socks5, refused5("\x06"), "Unclear: says that it did not answer"],
    ["5: code 7", socks5, refused5("\x07"), "Ours: makes no connections"],
    ["5: code 8", socks5, refused5("\x08"), "Ours: does not go to such addresses"],
    ["5: code 9, which there is not", socks5, refused5("\x09"), "Ours: does not speak this version of SOCKS"],
    [
      "5: a final answer of another version",
      socks5,
      "\x05\x00\x04\x00\x00\x01\x00\x00",
      "Ours: does not speak this version of SOCKS",
    ],
    ["5: HTTP", socks5, "HTTP/1.1 400 Bad Request\r\n\r\n", "Ours: does not speak this version of SOCKS"],
    ["4: code 91", socks4, "\x00\x5b\x00\x00\x00\x00\x00\x00", "Unclear: could not or would not go there"],
    ["4: code 92", socks4, "\x00\x5c\x00\x00\x00\x00\x00\x00", "Ours: cannot find out who asks"],
    ["4: code 93", socks4, "\x00\x5d\x00\x00\x00\x00\x00\x00", "Ours: does not believe who asks"],
    ["4: HTTP", socks4a, "HTTP/1.1 400 Bad Request\r\n\r\n", "Ours: does not speak this version of SOCKS"],
  ]
  it.live.each(sayings)(
    "is named, with what it says, and whose trouble that is: version %s",
    ([, at, said, expected]) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* outcomeOf(at, (peer) => peer.say(said)), expected)
      }),
  )

  const silences: ReadonlyArray<readonly [name: string, at: At, said: string, heard: number, seems: Connector.Fault]> =
    [
      ["4", socks4, "", 9, "Unclear"],
      ["5, from the beginning", socks5, "", 3, "Ours"],
      ["5, behind its greeting", socks5, "\x05\x00", 3 + 10, "Unclear"],
      ["5, in the midst of its answer", socks5, through5.slice(0, -1), 3 + 10, "Unclear"],
    ]
  it.effect.each(silences)("is named where it says nothing: version %s", ([, at, said, heard, seems]) =>
    Effect.gen(function* () {
      const stage = yield* Peer.listen
      const failing = yield* Effect.forkScoped(outcome(at(stage.address)), { startImmediately: true })
      const peer = yield* stage.accept
      yield* peer.say(said)
      yield* TestClock.withLive(Resources.until(() => peer.conn.bytesRead === heard))
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* Fiber.join(failing), `${seems}: did not answer`)
    }),
  )

  const closings: ReadonlyArray<readonly [name: string, at: At, said: string, seems: Connector.Fault]> = [
    ["5, at once", socks5, "", "Ours"],
    ["5, behind its greeting", socks5, "\x05\x00", "Unclear"],
    ["4", socks4, "", "Unclear"],
  ]
  it.live.each(closings)("is named where it closes: version %s", ([, at, said, seems]) =>
    Effect.gen(function* () {
      const closing = (peer: Peer.TcpPeer) => Effect.andThen(peer.say(said), peer.finish)
      assert.strictEqual(yield* outcomeOf(at, closing), `${seems}: cannot be used: it closed the connection`)
    }),
  )

  it.live("is named where it cuts the connection off", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* outcomeOf(socks5, (peer) => peer.reset),
        "Ours: cannot be used: the connection was reset",
      )
    }),
  )

  it.live("is named where there is none", () =>
    Effect.gen(function* () {
      const gone = { host: "127.0.0.1", port: 1 }
      assert.strictEqual(yield* outcome(socks5(gone)), "Ours: cannot be used: nothing listens there")
      assert.strictEqual(yield* outcome(socks4(gone)), "Ours: cannot be used: nothing listens there")
    }),
  )

  it.effect("is named where it cannot even be connected to", () =>
    Effect.gen(function* () {
      const silent = yield* Silence.at({ host: "127.0.0.2", port: 0 })
      const failing = yield* Effect.forkScoped(outcome(socks4(silent)), { startImmediately: true })
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* Fiber.join(failing), "Ours: did not answer")
    }),
  )

  it.live("is named where a real one turns us down", () =>
    Effect.gen(function* () {
      const five = yield* Socks.serve5({ user: "alice", password: "other" })
      assert.strictEqual(yield* outcome(socks5WithLogin(five.address)), "Ours: does not accept the user and password")
      assert.strictEqual(yield* outcome(socks5(five.address)), "Ours: asks for other credentials")
      const four = yield* Socks.serve4({ user: "bob" })
      assert.strictEqual(yield* outcome(socks4(four.address)), "Ours: does not believe who asks")
      assert.strictEqual(yield* outcome(socks4(five.address)), "Unclear: cannot be used: it closed the connection")
    }),
  )

  it.live("is named where a real one finds nothing that listens", () =>
    Effect.gen(function* () {
      const nowhere = { host: "127.0.0.1", port: 1 }
      const five = yield* Socks.serve5()
      assert.strictEqual(yield* outcome(socks5(five.address), nowhere), "Theirs: says that nothing listens there")
      const four = yield* Socks.serve4()
      assert.strictEqual(yield* outcome(socks4a(four.address), nowhere), "Unclear: could not or would not go there")
    }),
  )

  it.live("is not asked for IPv6, nor for a name that nobody knows, by version 4", () =>
    Effect.gen(function* () {
      const { address, requests } = yield* Socks.serve4()
      const connector = SocksConnector.make(socks4(address))
      const ipv6 = yield* Effect.flip(Effect.scoped(connector.connect({ host: "::1", port: 1863 })))
      assert.deepStrictEqual(ipv6.tried, [{ address: "[::1]:1863", why: "SOCKS 4 goes to IPv4 only", seems: "Ours" }])
      const unknown = yield* Effect.flip(Effect.scoped(connector.connect({ host: "nobody.invalid", port: 1863 })))
      assert.strictEqual(unknown.tried[0].address, "nobody.invalid:1863")
      assert.deepStrictEqual(requests, [])
    }),
  )

  it.live("is left at once, whatever becomes of the scope", () =>
    Effect.gen(function* () {
      const stage = yield* Peer.listen
      const connecting = yield* Effect.forkScoped(SocksConnector.make(socks4(stage.address)).connect(server), {
        startImmediately: true,
      })
      const peer = yield* stage.accept
      yield* peer.finish
      yield* Effect.flip(Fiber.join(connecting))
      yield* Resources.until(() => peer.conn.readableEnded || peer.conn.destroyed)
    }),
  )

  it.effect("is given 8 seconds, so that a client still has the time to say that it was the proxy", () =>
    Effect.gen(function* () {
      const stage = yield* Peer.listen
      const login = LoginClient.login(World.aliceAt(server))
      const logging = yield* Effect.forkScoped(
        Effect.provideService(login, Connector.Connector, SocksConnector.make(socks5(stage.address))),
        { startImmediately: true },
      )
      yield* stage.accept
      yield* TestClock.adjust("7999 millis")
      assert.isUndefined(logging.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Effect.flip(Fiber.join(logging))
      const proxy = Address.format(stage.address)
      assert.strictEqual(
        error.message,
        `No server could be reached; tried 10.0.0.5:1863 (the proxy ${proxy} did not answer). ` +
          "It looks like our own connection: see to that, or to the proxy.",
      )
    }),
  )

  it.live("does not have the password told", () =>
    Effect.gen(function* () {
      const { address } = yield* Socks.serve5({ user: "alice", password: "other" })
      const error = yield* Effect.flip(Effect.scoped(SocksConnector.make(socks5WithLogin(address)).connect(server)))
      for (const text of [String(error), JSON.stringify(error), error.stack ?? "", String(error.cause)])
        assert.notInclude(text, "secret")
    }),
  )
})

describe("who gives up on the way", () => {
  const stages: ReadonlyArray<readonly [name: string, at: At, said: string, heard: number]> = [
    ["4, before the answer", socks4, "", 9],
    ["5, before the greeting", socks5, "", 3],
    ["5, before the password is judged", socks5WithLogin, "\x05\x02", 4 + 14],
    ["5, before the answer", socks5WithLogin, "\x05\x02\x01\x00", 4 + 14 + 10],
    ["5, in the midst of the answer", socks5, through5.slice(0, -2), 3 + 10],
  ]
  it.live.each(stages)("closes the connection to the proxy at once: version %s", ([, at, said, heard]) =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0)
      const stage = yield* Peer.listen
      const scope = yield* Scope.make()
      const connecting = yield* Effect.forkScoped(
        Scope.provide(SocksConnector.make(at(stage.address)).connect(server), scope),
        { startImmediately: true },
      )
      const peer = yield* stage.accept
      yield* peer.say(said)
      yield* Resources.until(() => peer.conn.bytesRead === heard)
      yield* Fiber.interrupt(connecting)
      assert.strictEqual((yield* peer.rest).length, heard)
      yield* peer.finish
      // The scope is still open: it is the interruption that has closed it.
      yield* Resources.until(() => Resources.connections() === 0)
      yield* Scope.close(scope, Exit.void)
    }),
  )

  it.live("leaves nothing behind, at whatever moment of a login", () =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0)
      const { dispatch } = yield* World.serveBoth()
      const { address } = yield* Socks.serve4({ hosts: { "dispatch.test": "127.0.0.1" } })
      const proxy = SocksConnector.make(socks4a(address))
      const login = LoginClient.login(World.aliceAt({ host: "dispatch.test", port: dispatch.port }))
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, turns) => turns % 25),
        Effect.fnUntraced(function* (turns) {
          const logging = yield* Effect.forkChild(
            Effect.scoped(Effect.provideService(login, Connector.Connector, proxy)),
            { startImmediately: true },
          )
          for (let turn = 0; turn < turns; turn++) {
            yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
          }
          yield* Fiber.interrupt(logging)
        }),
        { concurrency: 10, discard: true },
      )
      yield* Resources.until(() => Resources.connections() === 0)
    }),
  )
})

describe("a user or a password for a proxy", () => {
  const isWord = Schema.is(SocksConnector.Word)

  it("is 1 to 255 bytes, none of them zero", () => {
    assert.isTrue(isWord("a"))
    assert.isTrue(isWord("é".repeat(127)))
    assert.isTrue(isWord("a".repeat(255)))
    for (const text of ["", "a".repeat(256), "é".repeat(128), "a\0b"])
      assert.isFalse(isWord(text), JSON.stringify(text))
  })
})
