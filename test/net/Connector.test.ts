import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Socket from "effect/socket/Socket"
import type * as Net from "node:net"
import * as Os from "node:os"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as Resources from "../support/Resources.ts"
import * as Silence from "../support/Silence.ts"
import * as World from "../support/World.ts"

/** A name server that knows one name, of these IPv4 addresses. */
const knowing =
  (...addresses: ReadonlyArray<string>): Net.LookupFunction =>
  (host, _, callback) => {
    if (host === "messenger.test")
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      )
    else callback(Object.assign(new Error(`What is ${host}?`), { code: "ENOTFOUND" }), [])
  }

const failure = (connector: Connector.Connector, host: string, port: number) =>
  Effect.flip(Effect.scoped(connector.connect({ host, port })))

/** A port of 127.0.0.1 where a server is that lets alice in. */
const serving = Effect.map(World.serveTcp(World.layerExample()), ({ port }) => port)

const logIn = (port: number, ...addresses: ReadonlyArray<string>) =>
  Effect.provideService(
    LoginClient.login(World.aliceAt({ host: "messenger.test", port })),
    Connector.Connector,
    Connector.make({ lookup: knowing(...addresses) }),
  )

describe("a name of several addresses", () => {
  it.live("is reached though nothing listens at the first", () =>
    Effect.gen(function* () {
      const port = yield* serving
      const { account } = yield* logIn(port, "127.0.0.2", "127.0.0.1")
      assert.strictEqual(account, "alice@hotmail.com")
    }),
  )

  it.live("is reached though the first says nothing at all", () =>
    Effect.gen(function* () {
      const port = yield* serving
      yield* Silence.at({ host: "127.0.0.2", port })
      const { account } = yield* logIn(port, "127.0.0.2", "127.0.0.1")
      assert.strictEqual(account, "alice@hotmail.com")
    }),
  )

  it.live("that is not reached has each address named, and what went wrong there", () =>
    Effect.gen(function* () {
      const { port } = yield* Silence.at({ host: "127.0.0.2", port: 0 })
      const connector = Connector.make({ lookup: knowing("127.0.0.2", "127.0.0.3") })
      const { message, tried } = yield* failure(connector, "messenger.test", port)
      assert.strictEqual(
        message,
        `No connection came about; tried 127.0.0.2:${port} (it did not answer), ` +
          `127.0.0.3:${port} (nothing listens there).`,
      )
      assert.strictEqual(tried[1]?.seems, "Here")
    }),
  )
})

describe("a Socket that is not ours", () => {
  const over = (connector: Connector.Connector, port: number) =>
    Effect.provideService(LoginClient.login(World.aliceAt({ host: "127.0.0.1", port })), Connector.Connector, connector)

  it.live("may connect only once it is read from", () =>
    Effect.gen(function* () {
      const port = yield* serving
      const { account } = yield* over({ pings: "Carried", connect: (to) => NodeSocket.makeNet(to) }, port)
      assert.strictEqual(account, "alice@hotmail.com")
    }),
  )

  it.live("says in the log of whoever logs in that it has a defect, and is lost", () =>
    Effect.gen(function* () {
      const logged: Array<string> = []
      const layer = Logger.layer([Logger.make(({ cause }) => void logged.push(String(cause)))])
      const broken = Socket.make({
        reader: Effect.succeed({
          pull: Effect.die(new Error("a bug of the Socket")),
          upgrade: Socket.SocketUpgradeError.unsupported,
        }),
        writer: Effect.succeed({ write: () => Effect.void, writeAll: () => Effect.void }),
      })
      const login = over({ pings: "Carried", connect: () => Effect.succeed(broken) }, 1863)
      const error = yield* Effect.flip(Effect.provide(login, layer))
      assert.strictEqual(error._tag, "Disconnected")
      assert.lengthOf(logged, 1)
      assert.include(logged[0], "a bug of the Socket")
    }),
  )
})

describe("a connection that does not come about", () => {
  it.live("is theirs to see to, where nothing listens", () =>
    Effect.gen(function* () {
      const { tried } = yield* failure(Connector.direct, "127.0.0.1", 1)
      assert.deepStrictEqual(tried, [{ address: "127.0.0.1:1", why: "nothing listens there", seems: "Here" }])
    }),
  )

  it.live("names the name that nobody knows", () =>
    Effect.gen(function* () {
      const { tried } = yield* failure(Connector.make({ lookup: knowing() }), "elsewhere.test", 1863)
      assert.strictEqual(tried[0].address, "elsewhere.test:1863")
      assert.strictEqual(tried[0].why, "there is no host of that name")
    }),
  )

  it.live("leaves nothing behind when it is given up", () =>
    Effect.gen(function* () {
      yield* Resources.until(() => Resources.connections() === 0)
      const silent = yield* Silence.at({ host: "127.0.0.2", port: 0 })
      const before = Resources.connections()
      const connecting = yield* Effect.forkScoped(Connector.direct.connect(silent), { startImmediately: true })
      yield* Resources.until(() => Resources.connections() > before)
      yield* Fiber.interrupt(connecting)
      yield* Resources.until(() => Resources.connections() === before)
    }),
  )

  const online: ReturnType<typeof Os.networkInterfaces> = {
    lo: [{ address: "127.0.0.1", netmask: "255.0.0.0", family: "IPv4", mac: "", internal: true, cidr: null }],
    eth0: [{ address: "192.0.2.7", netmask: "255.255.255.0", family: "IPv4", mac: "", internal: false, cidr: null }],
  }
  const offline = { lo: online["lo"] }
  const to = { host: "messenger.test", port: 1863 }
  const seems = (code: string, interfaces: typeof online) =>
    Connector.fromSystem(Object.assign(new Error("why"), { code }), to, interfaces).tried.map(
      ({ seems, why }) => `${seems}: ${why}`,
    )

  it.each([
    ["ECONNREFUSED", "Theirs: nothing listens there"],
    ["ECONNRESET", "Theirs: the connection was reset"],
    ["ETIMEDOUT", "Unclear: it did not answer"],
    ["EHOSTUNREACH", "Unclear: there is no way to that host"],
    ["ENOTFOUND", "Unclear: there is no host of that name"],
    ["EAI_AGAIN", "Ours: the name cannot be resolved now"],
    ["ENETUNREACH", "Ours: there is no way to that network"],
    ["ENETDOWN", "Ours: the network is down"],
    ["EADDRNOTAVAIL", "Ours: this machine has no address to go there from"],
    ["EACCES", "Ours: this machine does not allow it"],
    ["EPERM", "Ours: this machine does not allow it"],
    ["EMFILE", "Ours: too many files are open"],
    ["EUNHEARDOF", "Unclear: why"],
    // How Node.js and OpenSSL name what keeps a handshake from coming about.
    ["INVALID_PURPOSE", "Mismatch: its certificate is not for servers"],
    ["UNSPECIFIED", "Mismatch: its certificate is too weak, or not as it has to be"],
    ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "Mismatch: the TLS handshake failed: tlsv1 unrecognized name"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "Mismatch: it speaks no TLS"],
  ])("is judged by the system's word: %s", (code, expected) => {
    assert.deepStrictEqual(seems(code, online), [expected])
  })

  it("is ours to see to where this machine is connected to nothing, unless somebody answered", () => {
    assert.deepStrictEqual(seems("ENOTFOUND", offline), ["Ours: there is no host of that name"])
    assert.deepStrictEqual(seems("ECONNREFUSED", offline), ["Theirs: nothing listens there"])
  })

  it("is judged by the interfaces of this machine, where it is told of no others", () => {
    const isOnline = Object.values(Os.networkInterfaces())
      .flat()
      .some((address) => address?.internal === false)
    const error = Object.assign(new Error("why"), { code: "ENOTFOUND" })
    assert.strictEqual(Connector.fromSystem(error, to).tried[0].seems, isOnline ? "Unclear" : "Ours")
  })
})
