/** TLS on either side, over real sockets; the other side is `node:tls` itself where it is not ours. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import type * as Net from "node:net"
import * as Path from "node:path"
import * as NodeTls from "node:tls"
import type * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as ClientConfig from "../../src/net/ClientConfig.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Network from "../../src/net/Network.ts"
import * as SocksConnector from "../../src/net/SocksConnector.ts"
import * as Tls from "../../src/net/Tls.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Certificates from "../support/Certificates.ts"
import * as Folder from "../support/Folder.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as Socks from "../support/Socks.ts"
import * as World from "../support/World.ts"

const local = "127.0.0.1"

/** Knows where the certificates' host is, which nobody else does. */
const lookup: Net.LookupFunction = (_, options, done) =>
  options.all === true ? done(null, [{ address: local, family: 4 }]) : done(null, local, 4)

/** A server over TLS on a free port of this machine. */
const serve = Effect.fnUntraced(function* <R = never>(
  tls: Tls.Server,
  admission: Layer.Layer<Admission.Admission> = World.layerExample(),
  options: World.Options = {},
  onSession?: LoginServer.OnSession<R>,
) {
  const listener = yield* Effect.orDie(LoginServer.listen({ host: local, port: 0 }, Option.some(tls)))
  yield* World.serve(listener, admission, options, onSession)
  return listener.address
})

/** Logs in with a client that trusts the tests' authority, or what is named. */
const logIn = (to: Address.Address, tls: Tls.Client, password = World.password) =>
  Effect.provideService(
    LoginClient.login(World.aliceAt(to, { password: Redacted.make(password) })),
    Connector.Connector,
    Connector.make({ lookup, tls }),
  )

/** What a login comes to that does not come about. */
const failing = (to: Address.Address, tls: Tls.Client) => Effect.scoped(Effect.flip(logIn(to, tls)))

/** Goes on listening where the other end has no more to say. */
const halfOpen = { allowHalfOpen: true }

/** Plays a client of a server over TLS. */
const connect = (to: Address.Address, options: NodeTls.ConnectionOptions = {}) =>
  Effect.flatMap(
    Effect.callback<NodeTls.TLSSocket>((resume) => {
      const conn = NodeTls.connect({
        host: to.host,
        port: to.port,
        servername: Certificates.host,
        ca: Certificates.read("authority.pem"),
        ...halfOpen,
        ...options,
      })
      conn.once("error", (error) => resume(Effect.die(error)))
      conn.once("secureConnect", () => resume(Effect.succeed(conn)))
    }),
    (conn) => Effect.map(Peer.overTcp(conn), (peer) => ({ ...peer, conn })),
  )

const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const challenged = "VER 1 MSNP7\r\nUSR 2 MD5 S 1013928519.693957190\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const ok = "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

describe("a whole login over TLS", () => {
  /** The dispatch server shows the host's name, and the notification server, to which is referred by number, the name alone. */
  const serveBoth = Effect.gen(function* () {
    const notification = yield* serve(yield* Certificates.server("named"))
    const dispatch = yield* serve(yield* Certificates.server("server"), World.layerReferring(notification))
    return { dispatch, notification }
  })

  it.live("comes about by way of a dispatch server, under the name that the user said", () =>
    Effect.gen(function* () {
      const { dispatch, notification } = yield* serveBoth
      const session = yield* logIn({ ...dispatch, host: Certificates.host }, yield* Certificates.client())
      assert.strictEqual(session.account, "alice@hotmail.com")
      assert.deepStrictEqual(session.server, notification)
      yield* session.logOff
    }),
  )

  it.live("comes about by way of a dispatch server, where the certificate is for the number that is referred to", () =>
    Effect.gen(function* () {
      const tls = yield* Certificates.server("server")
      const dispatch = yield* serve(tls, World.layerReferring(yield* serve(tls)))
      const session = yield* logIn(dispatch, yield* Certificates.client(local))
      assert.strictEqual(session.account, "alice@hotmail.com")
      yield* session.logOff
    }),
  )

  it.live.each([
    ["4a", (address: Address.Address): SocksConnector.Proxy => ({ _tag: "Socks4a", address, user: Option.none() })],
    ["5", (address: Address.Address): SocksConnector.Proxy => ({ _tag: "Socks5", address, login: Option.none() })],
  ] as const)("comes about through a SOCKS proxy, of version %s, which sees nothing of it", ([version, at]) =>
    Effect.gen(function* () {
      const { dispatch, notification } = yield* serveBoth
      const options = { hosts: { [Certificates.host]: local } }
      const { address, requests } = yield* version === "5" ? Socks.serve5(options) : Socks.serve4(options)
      const session = yield* Effect.provideService(
        // Of a name that the proxy looks up, nobody here knows how near it is.
        LoginClient.login(World.aliceAt({ ...dispatch, host: Certificates.host }, { referrals: "Anywhere" })),
        Connector.Connector,
        SocksConnector.make(at(address), { tls: yield* Certificates.client() }),
      )
      assert.deepStrictEqual(session.server, notification)
      assert.deepStrictEqual(
        requests.map(({ host, port }) => ({ host, port })),
        [{ host: Certificates.host, port: dispatch.port }, notification],
      )
      yield* session.logOff
    }),
  )

  for (const [title, name] of [
    ["is signed by itself", "alone"],
    ["its authority is not known of", "server"],
  ] as const) {
    it.live(`comes about with a certificate that ${title}, for whoever has been given it`, () =>
      Effect.gen(function* () {
        const server = yield* serve(yield* Certificates.server(name))
        const session = yield* logIn(server, yield* Certificates.client(local, `${name}.pem`))
        assert.strictEqual(session.account, "alice@hotmail.com")
        yield* session.logOff
      }),
    )
  }

  it.live("is one of TLS 1.2 or newer", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      const { conn: newest } = yield* connect(server)
      assert.strictEqual(newest.getProtocol(), "TLSv1.3")
      const { conn: older } = yield* connect(server, { maxVersion: "TLSv1.2" })
      assert.strictEqual(older.getProtocol(), "TLSv1.2")
      // At the lowest level of security OpenSSL would speak 1.1, too.
      const oldest = yield* Effect.scoped(
        Effect.exit(connect(server, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })),
      )
      assert.strictEqual(oldest._tag, "Failure")
    }),
  )
})

describe("a client that is told by its environment", () => {
  const connect = (server: Address.Address, settings: { readonly [name: string]: string }) =>
    Effect.scoped(LoginClient.login(World.aliceAt(server))).pipe(
      Effect.provide(
        Layer.provide(
          ClientConfig.layerConnector,
          ConfigProvider.layer(ConfigProvider.fromUnknown({ MSNP_SERVER: `${local}:${server.port}`, ...settings })),
        ),
      ),
    )

  it.live("speaks TLS with whom it is told to trust", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      const authority = { MSNP_TLS_CA: Certificates.path("authority.pem") }
      const session = yield* connect(server, { ...authority, MSNP_TLS: "true" })
      assert.strictEqual(session.account, "alice@hotmail.com")
      const inClearText = yield* Effect.flip(connect(server, { ...authority, MSNP_TLS: "false" }))
      assert.strictEqual(inClearText._tag, "Disconnected")
    }),
  )

  it.live("says what makes no sense there", () =>
    Effect.gen(function* () {
      const told = (settings: { readonly [name: string]: string }) =>
        Effect.map(Effect.flip(connect(World.dispatchAddress, settings)), ({ message }) => message)
      assert.include(yield* told({ MSNP_TLS: "yes" }), "MSNP_TLS is not true or false.")
      const key = Certificates.path("server.key")
      assert.include(yield* told({ MSNP_TLS: "true", MSNP_TLS_CA: key }), "the authority is no certificate in PEM.")
      assert.include(
        yield* told({ MSNP_TLS: "true", MSNP_TLS_CA: "nowhere.pem" }),
        "MSNP_TLS_CA: nowhere.pem cannot be read.",
      )
    }),
  )
})

describe("a client over TLS", () => {
  const unreachable = (server: Address.Address, why: string) =>
    `No server could be reached; tried ${local}:${server.port} (${why}). The server is there, but not as we were to find it: see to its TLS, or to ours.`

  it.live("goes to nobody whom it does not trust", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      const why = "nobody whom we trust vouches for its certificate"
      const ofNode = yield* Tls.client({ name: local, authority: Option.none() })
      assert.strictEqual((yield* failing(server, ofNode)).message, unreachable(server, why))
      const ofAnother = yield* Certificates.client(local, "alone.pem")
      assert.strictEqual((yield* failing(server, ofAnother)).message, unreachable(server, why))
      const alone = yield* serve(yield* Certificates.server("alone"))
      assert.strictEqual((yield* failing(alone, yield* Certificates.client(local))).message, unreachable(alone, why))
    }),
  )

  it.live("goes to nobody whose certificate has expired", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("expired"))
      assert.strictEqual(
        (yield* failing(server, yield* Certificates.client(local))).message,
        unreachable(server, "its certificate has expired"),
      )
    }),
  )

  it.live("goes to nobody whose certificate is neither for the name that the user said nor for the address", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("named"))
      for (const name of [local, "other.test"]) {
        assert.strictEqual(
          (yield* failing(server, yield* Certificates.client(name))).message,
          unreachable(server, "its certificate is for another name"),
        )
      }
    }),
  )

  it.live("says so of a server that speaks no TLS", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      assert.strictEqual(
        (yield* failing(server, yield* Certificates.client(local))).message,
        unreachable(server, "it speaks no TLS"),
      )
    }),
  )

  it.live("says so of a server that closes the connection, or answers in clear text", () =>
    Effect.gen(function* () {
      for (const act of [
        (peer: Peer.TcpPeer) => peer.reset,
        (peer: Peer.TcpPeer) => peer.finish,
        (peer: Peer.TcpPeer) => peer.say("VER 0 CVR0\r\n"),
      ]) {
        const stage = yield* Peer.listen
        const logging = yield* Effect.forkScoped(failing(stage.address, yield* Certificates.client(local)))
        yield* act(yield* stage.accept)
        assert.strictEqual((yield* Fiber.join(logging)).message, unreachable(stage.address, "it speaks no TLS"))
      }
    }),
  )

  /** A server of `node:tls` on a free port of this machine, as it is told to be. */
  const serveTls = (options: NodeTls.TlsOptions): Effect.Effect<Address.Address, never, Scope.Scope> =>
    Effect.map(
      Effect.acquireRelease(
        Effect.callback<NodeTls.Server>((resume) => {
          const server = NodeTls.createServer(options, (conn) => conn.on("error", () => {}).end())
          server.listen(0, local, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void))),
      ),
      (server) => {
        const bound = server.address()
        return { host: local, port: typeof bound === "object" && bound !== null ? bound.port : 0 }
      },
    )

  it.live("says in a few words why a handshake fails, and not in those of OpenSSL", () =>
    Effect.gen(function* () {
      // Without a certificate, there is no cipher that both have.
      const server = yield* serveTls({})
      const { message } = yield* failing(server, yield* Certificates.client(local))
      const [why = ""] = /the TLS handshake failed: [a-z0-9/ ]* handshake failure/.exec(message) ?? []
      assert.strictEqual(message, unreachable(server, why))
    }),
  )

  it.live("asks for a host by its name in ASCII, without a dot behind it, and takes a certificate for that", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const server = yield* serveTls({
        cert: Certificates.read("named.pem"),
        key: Certificates.read("server.key"),
        SNICallback: (name, done) => {
          asked.push(name)
          done(null)
        },
      })
      // The first letter of the last one is U+FF4D, which a resolver is asked about as "m" (UTS #46).
      for (const host of [Certificates.host, `${Certificates.host}.`, "\uff4dessenger.test"]) {
        const { connect } = Connector.make({ lookup, tls: yield* Certificates.client(host) })
        yield* Effect.scoped(connect({ ...server, host }))
      }
      assert.deepStrictEqual(asked, [Certificates.host, Certificates.host, Certificates.host])
    }),
  )

  it.live("takes no offence at the proxy for what is wrong with the server", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("expired"))
      const { address } = yield* Socks.serve5()
      const error = yield* Effect.provideService(
        Effect.flip(LoginClient.login(World.aliceAt(server))),
        Connector.Connector,
        SocksConnector.make(
          { _tag: "Socks5", address, login: Option.none() },
          { tls: yield* Certificates.client(local) },
        ),
      )
      assert.strictEqual(error.message, unreachable(server, "its certificate has expired"))
    }),
  )

  it.live(
    "does not take a certificate for the number that a name was looked up as, since anybody may have said that",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(yield* Certificates.server("server"))
        const { address } = yield* Socks.serve4()
        const tls = yield* Certificates.client("other.test")
        const there = { ...server, host: "other.test" }
        for (const connector of [
          Connector.make({ lookup, tls }),
          SocksConnector.make({ _tag: "Socks4", address, user: Option.none() }, { lookup, tls }),
        ]) {
          const error = yield* Effect.scoped(
            Effect.provideService(Effect.flip(LoginClient.login(World.aliceAt(there))), Connector.Connector, connector),
          )
          assert.include(error.message, "its certificate is for another name")
        }
      }),
  )

  it.live("leaves nothing behind where it is interrupted in the handshake", () =>
    Effect.gen(function* () {
      const stage = yield* Peer.listen
      const logging = yield* Effect.forkScoped(failing(stage.address, yield* Certificates.client(local)))
      const peer = yield* stage.accept
      yield* Effect.callback<void>((resume) => void peer.conn.once("data", () => resume(Effect.void)))
      yield* Fiber.interrupt(logging)
      yield* peer.rest
    }),
  )
})

/** Carries bytes to a server and back, and keeps what comes back. */
const relay = Effect.fnUntraced(function* (to: Address.Address) {
  const chunks: Array<Buffer> = []
  const stage = yield* Peer.listen
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      const server = yield* Peer.connect(to)
      server.conn.on("data", (chunk) => chunks.push(chunk))
      // Whatever it says first must find somebody to hand it on.
      const client = yield* stage.accept
      client.conn.pipe(server.conn).pipe(client.conn)
    }),
  )
  return { address: stage.address, fromServer: () => Buffer.concat(chunks) }
})

/** The kind of each record of TLS. */
const recordsIn = (bytes: Buffer): ReadonlyArray<number> =>
  bytes.length < 5 ? [] : [bytes.readUInt8(0), ...recordsIn(bytes.subarray(5 + bytes.readUInt16BE(3)))]

/** 10 KB in lines of 1,000 bytes. */
const unread = `PNG ${"x".repeat(994)}\r\n`.repeat(10)

describe("the last word over TLS", () => {
  it.live.each(["TLSv1.2", "TLSv1.3"] as const)(
    "arrives, even where 300 KB of the peer's own are still unread: %s",
    (maxVersion) =>
      Effect.gen(function* () {
        const server = yield* serve(yield* Certificates.server("server"))
        // Twenty at a time, so that all is said within the two seconds for which a server goes on listening.
        const some = Effect.gen(function* () {
          yield* Resources.until(() => Resources.connections() === 0)
          const peers = yield* Effect.forEach(Array.from({ length: 20 }), () =>
            Effect.tap(connect(server, { maxVersion }), ({ stall }) => stall),
          )
          for (const peer of peers) yield* peer.say(`${opening}USR 3 MD5 S 00000000000000000000000000000000\r\n`)
          for (let piece = 0; piece < 30; piece++) {
            for (const peer of peers) yield* peer.say(unread)
            yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
          }
          for (const peer of peers) yield* peer.finish
          // They read only when the server has closed its side of every connection.
          yield* Resources.until(() => Resources.connections() <= peers.length)
          return yield* Effect.forEach(peers, (peer) => Effect.andThen(peer.recover, peer.rest))
        }).pipe(Effect.scoped)
        const heard = (yield* Effect.forEach(Array.from({ length: 10 }), () => some)).flat()
        assert.deepStrictEqual(
          heard,
          Array.from({ length: 200 }, () => `${challenged}911 3\r\n`),
        )
      }),
  )

  it.live("is followed by the end of TLS (close_notify), so that nobody can have cut it off", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        yield* Certificates.server("server"),
        World.layerReferring({ host: "10.0.0.5", port: 1863 }),
      )
      const { address, fromServer } = yield* relay(server)
      const peer = yield* connect(address, { maxVersion: "TLSv1.2" })
      yield* peer.say(opening)
      assert.strictEqual(yield* peer.rest, "VER 1 MSNP7\r\nXFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n")
      // An alert is a record of kind 21 (RFC 5246, 6.2.1); before the end of TLS there is none.
      assert.deepStrictEqual(
        recordsIn(fromServer()).flatMap((kind, i, all) => (kind === 21 ? [i - all.length] : [])),
        [-1],
      )
    }),
  )

  it.live("is heard by a peer that has no more to say itself", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      const peer = yield* connect(server)
      yield* peer.say(opening + answer)
      yield* peer.finish
      const heard = yield* peer.rest
      assert.isTrue(heard.startsWith(challenged + ok), heard)
    }),
  )
})

describe("a server over TLS", () => {
  it.live("closes on a peer that never gets done with the handshake, in the time of a login", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"), World.layerExample(), {
        limits: { loginTimeout: "200 millis" },
      })
      const silent = yield* Peer.connect(server)
      const slow = yield* Peer.connect(server)
      // The head of a record that never comes.
      yield* slow.say("\x16\x03\x01\x02\x00\x01")
      assert.strictEqual(yield* silent.rest, "")
      assert.strictEqual(yield* slow.rest, "")
    }),
  )

  it.live("closes on a peer that speaks in clear text, and logs nothing of it", () => {
    const logged: Array<unknown> = []
    const note = Logger.make(({ message }) => void logged.push(message))
    return Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      const peer = yield* Peer.connect(server)
      yield* peer.say("VER 1 MSNP7\r\n")
      assert.notInclude(yield* peer.rest, "VER")
      yield* peer.reset
      yield* Resources.until(() => Resources.connections() === 0)
      assert.deepStrictEqual(logged, [])
    }).pipe(Effect.provide(Logger.layer([note])))
  })

  it.live("goes on serving others whatever a peer does in the handshake", () =>
    Effect.gen(function* () {
      const server = yield* serve(yield* Certificates.server("server"))
      for (const said of ["", "\x16", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n\r\n", "\x00".repeat(5000)]) {
        for (const end of ["reset", "finish"] as const) {
          const peer = yield* Peer.connect(server)
          yield* peer.say(said)
          yield* peer[end]
        }
      }
      const session = yield* logIn(server, yield* Certificates.client(local))
      assert.strictEqual(session.account, "alice@hotmail.com")
      yield* session.logOff
    }),
  )

  it.live("does not take a certificate that it cannot show", () =>
    Effect.gen(function* () {
      const { chain, key } = Certificates.certificate("server")
      const told = Effect.fnUntraced(function* (certificate: Tls.Certificate) {
        return (yield* Effect.flip(Tls.server(certificate))).message
      })
      const keyOf = (file: string) => Redacted.make(Certificates.read(file))
      assert.deepStrictEqual(
        [
          yield* told({ chain, key: keyOf("renewed.key") }),
          yield* told({ chain, key: keyOf("encrypted.key") }),
          yield* told({ chain, key: Redacted.make("nothing") }),
          yield* told({ chain: "nothing", key }),
        ],
        [
          "TLS cannot be spoken: the key is not that of the certificate.",
          "TLS cannot be spoken: the key is sealed with a passphrase.",
          "TLS cannot be spoken: the key is no private key in PEM.",
          "TLS cannot be spoken: the certificate is no certificate in PEM.",
        ],
      )
      const authority = yield* Effect.flip(Tls.client({ name: local, authority: Option.some("nothing") }))
      assert.strictEqual(authority.message, "TLS cannot be spoken: the authority is no certificate in PEM.")
    }),
  )
})

describe("a network that speaks both", () => {
  const at = { listen: { host: local, port: 0 }, advertise: Option.none() }
  const plan: Network.Plan = { dispatch: Option.some(at), notification: [], gateway: Option.none(), referTo: [] }
  const withHost = Effect.provide(Layer.merge(Directory.layerMemory([World.alice]), Presence.layerMemory))

  it.live("refers to servers that speak as its dispatch server does, and has one presence for all", () =>
    Effect.gen(function* () {
      const tls = yield* Certificates.server("server")
      const network = yield* Network.make(
        { ...plan, dispatch: Option.some({ ...at, tls }), notification: [at, { ...at, tls }] },
        LoginServer.hearOnly,
      )
      assert.deepStrictEqual(
        network.notification.map(({ transport }) => transport),
        ["ClearText", "Tls"],
      )
      const [plain, secured] = network.notification
      const dispatch = yield* Effect.fromOption(network.dispatch)
      const client = yield* Certificates.client(local)
      const session = yield* logIn(dispatch.bound, client)
      assert.deepStrictEqual(session.server, secured?.bound)
      const elsewhere = yield* LoginClient.login(
        World.aliceAt(yield* Effect.fromOption(Option.fromUndefinedOr(plain?.bound))),
      )
      const ending = yield* Effect.flip(Stream.runDrain(session.commands))
      assert.strictEqual(ending._tag === "LoggedOut" ? ending.reason : ending._tag, "LoggedInElsewhere")
      yield* elsewhere.logOff
    }).pipe(withHost),
  )

  it.live("tells 601 where no server speaks as its dispatch server does", () =>
    Effect.gen(function* () {
      const tls = yield* Certificates.server("server")
      const network = yield* Network.make({ ...plan, notification: [{ ...at, tls }] }, LoginServer.hearOnly)
      const dispatch = yield* Effect.fromOption(network.dispatch)
      const error = yield* Effect.scoped(Effect.flip(LoginClient.login(World.aliceAt(dispatch.bound))))
      assert.strictEqual(error._tag === "Unavailable" ? error.code : error._tag, 601)
      assert.deepStrictEqual(network.referrals, [])
    }).pipe(withHost),
  )

  it.live("sends who is to leave a server for another one only to those that speak as it does", () =>
    Effect.gen(function* () {
      const tls = yield* Certificates.server("server")
      const stage = yield* Peer.listen
      const network = yield* Network.make(
        { ...plan, notification: [at, { ...at, tls }], referTo: [stage.address] },
        LoginServer.hearOnly,
      )
      yield* network.goDown(0)
      const [plain, secured] = network.notification
      const error = yield* Effect.scoped(
        Effect.flip(
          logIn(yield* Effect.fromOption(Option.fromUndefinedOr(secured?.bound)), yield* Certificates.client(local)),
        ),
      )
      assert.strictEqual(error._tag === "Unavailable" ? error.code : error._tag, 601)
      const peer = yield* Peer.connect(yield* Effect.fromOption(Option.fromUndefinedOr(plain?.bound)))
      yield* peer.say(opening)
      assert.include(yield* peer.rest, `XFR 2 NS ${local}:${stage.address.port} `)
    }).pipe(withHost),
  )

  it.live("speaks TLS over its HTTP gateway, too", () =>
    Effect.gen(function* () {
      const tls = yield* Certificates.server("named")
      const network = yield* Network.make(
        { ...plan, dispatch: Option.none(), gateway: Option.some({ ...at, tls, trustedProxies: [] }) },
        LoginServer.hearOnly,
      )
      const gateway = (yield* Effect.fromOption(network.gateway)).bound
      const through = (tls: Tls.Client) =>
        Effect.provideService(
          LoginClient.login(World.aliceAt({ host: "10.0.0.1", port: 1863 })),
          Connector.Connector,
          GatewayConnector.make({ gateway, tls }),
        )
      const session = yield* through(yield* Certificates.client())
      assert.strictEqual(session.account, "alice@hotmail.com")
      yield* session.logOff
      const error = yield* Effect.scoped(Effect.flip(through(yield* Certificates.client(local))))
      assert.include(error.message, "its certificate is for another name")
    }).pipe(withHost),
  )
})

describe("a certificate in files", () => {
  const put = (folder: string, name: "server" | "renewed") => {
    Fs.copyFileSync(Certificates.path(`${name}.pem`), Path.join(folder, "chain.pem"))
    Fs.copyFileSync(Certificates.path(`${name}.key`), Path.join(folder, "own.key"))
  }
  const filesIn = (folder: string): Tls.Files => ({
    chain: Path.join(folder, "chain.pem"),
    key: Path.join(folder, "own.key"),
    interval: "20 millis",
  })
  /** The name on the certificate that a server shows now. */
  const shown = (server: Address.Address): Effect.Effect<string | undefined> =>
    Effect.scoped(Effect.map(connect(server), ({ conn }) => String(conn.getPeerCertificate().subject.CN)))
  const until = (server: Address.Address, name: string): Effect.Effect<void> =>
    Effect.flatMap(shown(server), (now) =>
      now === name ? Effect.void : Effect.andThen(Effect.sleep("10 millis"), until(server, name)),
    )

  it.live("is taken up when it is renewed, and who is in stays in", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      put(folder, "server")
      const server = yield* serve(yield* Tls.serverFromFiles(filesIn(folder)))
      assert.strictEqual(yield* shown(server), "effect-msnp test server")
      const peer = yield* connect(server)
      yield* peer.say("VER 1 MSNP7\r\n")
      assert.strictEqual(yield* peer.line, "VER 1 MSNP7\r\n")
      put(folder, "renewed")
      yield* until(server, "effect-msnp test renewed")
      yield* peer.say("USR 2 MD5 I alice@hotmail.com\r\n")
      assert.strictEqual(yield* peer.line, "USR 2 MD5 S 1013928519.693957190\r\n")
    }).pipe(Effect.provide(NodeServices.layer)),
  )

  it.live("is shown on where the renewed one cannot be used, which is told once", () => {
    const logged: Array<string> = []
    const note = Logger.make(({ message }) => void logged.push(String(message)))
    return Effect.gen(function* () {
      const folder = yield* Folder.fresh
      put(folder, "server")
      let looks = 0
      const fs = yield* FileSystem.FileSystem
      const counted: FileSystem.FileSystem = {
        ...fs,
        readFileString: (...asked) =>
          Effect.andThen(
            Effect.sync(() => looks++),
            fs.readFileString(...asked),
          ),
      }
      const files = Tls.serverFromFiles(filesIn(folder))
      const server = yield* serve(yield* Effect.provideService(files, FileSystem.FileSystem, counted))
      // A certificate without its key.
      Fs.copyFileSync(Certificates.path("renewed.pem"), Path.join(folder, "chain.pem"))
      yield* Resources.until(() => logged.length > 0)
      const before = looks
      yield* Resources.until(() => looks >= before + 10)
      assert.strictEqual(yield* shown(server), "effect-msnp test server")
      Fs.rmSync(Path.join(folder, "own.key"))
      put(folder, "renewed")
      yield* until(server, "effect-msnp test renewed")
      assert.deepStrictEqual(logged, [
        "The renewed certificate cannot be used, and the one before is shown on: the key is not that of the certificate.",
        "A renewed certificate is shown from now on.",
      ])
    }).pipe(Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([note]))))
  })

  it.live("is shown on where the renewed one cannot be read, which is told once", () => {
    const logged: Array<string> = []
    const note = Logger.make(({ message }) => void logged.push(String(message)))
    return Effect.gen(function* () {
      const folder = yield* Folder.fresh
      put(folder, "server")
      const fs = yield* FileSystem.FileSystem
      let looks = 0
      const counted: FileSystem.FileSystem = {
        ...fs,
        readFileString: (...asked) =>
          Effect.andThen(
            Effect.sync(() => looks++),
            fs.readFileString(...asked),
          ),
      }
      const files = Tls.serverFromFiles(filesIn(folder))
      const server = yield* serve(yield* Effect.provideService(files, FileSystem.FileSystem, counted))
      Fs.rmSync(Path.join(folder, "chain.pem"))
      const before = looks
      yield* Resources.until(() => looks >= before + 6)
      assert.strictEqual(yield* shown(server), "effect-msnp test server")
      put(folder, "renewed")
      yield* until(server, "effect-msnp test renewed")
      assert.lengthOf(logged, 2)
      assert.match(
        logged[0] ?? "",
        /^The certificate cannot be read anew, and the one before is shown on: NotFound: .*chain\.pem\)/,
      )
    }).pipe(Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([note]))))
  })
})
