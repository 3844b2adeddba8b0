import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type * as Net from "node:net"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as Played from "../support/Played.ts"
import * as RawHttp from "../support/RawHttp.ts"
import * as World from "../support/World.ts"

const ver = "VER 1 MSNP7 CVR0\r\n"
const inf = "INF 2 MD5\r\n"
const challenged = `USR 3 MD5 S ${World.challenge}\r\n`
const ok = "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const msnp7 = { dialects: ["MSNP7"] } as const

/** Everything that a client of the example sessions says, up to its digest. */
const usual = `VER 1 MSNP7 CVR0\r\nINF 2\r\nUSR 3 MD5 I alice@hotmail.com\r\n`
const digest = `USR 4 MD5 S ${World.digest}\r\n`

/** Dispatch servers in memory, each at its address, that refer whoever comes. */
const referring = (servers: ReadonlyArray<readonly [from: Address.Address, to: Address.Address]>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    for (const [from, to] of servers) {
      yield* World.serve(
        network.listen(from),
        Layer.succeed(Admission.Admission, {
          admit: () => Effect.succeed({ _tag: "Refer", to, from }),
          judge: () => Effect.succeed({ _tag: "Deny", code: 911 }),
        }),
      )
    }
    return network
  })

const at = (host: string, port = 1863): Address.Address => ({ host, port })

const outside = at("203.0.113.7")

describe("a referral", () => {
  for (const [from, to, where] of [
    [outside, at("127.0.0.1", 22), "on this machine"],
    [outside, at("0.0.0.0"), "on this machine"],
    [outside, at("::1"), "on this machine"],
    [outside, at("::ffff:127.0.0.1"), "on this machine"],
    [outside, at("localhost"), "on this machine"],
    [outside, at("169.254.169.254", 80), "on this link"],
    [outside, at("fe80::1"), "on this link"],
    [outside, at("10.0.0.1"), "in a private network"],
    [outside, at("172.16.0.1"), "in a private network"],
    [outside, at("192.168.0.1"), "in a private network"],
    [outside, at("fd00::1"), "in a private network"],
    [outside, at("224.0.0.1"), "an address of no host"],
    [outside, at("255.255.255.255"), "an address of no host"],
    [at("messenger.example.org"), at("127.0.0.1"), "on this machine"],
    [at("192.168.0.1"), at("127.0.0.1"), "on this machine"],
    [at("192.168.0.1"), at("169.254.169.254"), "on this link"],
  ] as const) {
    it.effect(`from ${from.host} to ${to.host} is not followed`, () =>
      Effect.gen(function* () {
        const network = yield* referring([[from, to]])
        // It would let in, if anybody came.
        yield* World.serve(network.listen(to), World.layerExample())
        const error = yield* Effect.flip(World.loginOver(network, World.aliceAt(from, msnp7)))
        assert.strictEqual(
          error.message,
          `${Address.format(from)} refers to ${Address.format(to)}, ${where}: nearer than it is itself, so nobody went there. If that is meant, log in there, or allow any referral.`,
        )
        assert.deepStrictEqual(
          network.connections.map(({ to }) => to),
          [Address.format(from)],
        )
        const anywhere = World.aliceAt(from, { ...msnp7, referrals: "Anywhere" })
        assert.deepStrictEqual((yield* World.loginOver(network, anywhere)).server, to)
      }),
    )
  }

  for (const [from, to] of [
    [outside, at("198.51.100.9")],
    [outside, at("elsewhere.example.org")],
    [at("10.0.0.1"), at("192.168.0.1")],
    [at("10.0.0.1"), outside],
    [at("169.254.0.1"), at("10.0.0.1")],
    [at("127.0.0.1"), at("127.0.0.1", 1864)],
    [at("localhost"), at("::1")],
    [at("::1"), outside],
  ] as const) {
    it.effect(`from ${from.host} to ${to.host} is followed`, () =>
      Effect.gen(function* () {
        const network = yield* referring([[from, to]])
        yield* World.serve(network.listen(to), World.layerExample())
        assert.deepStrictEqual((yield* World.loginOver(network, World.aliceAt(from, msnp7))).server, to)
      }),
    )
  }

  it.effect("does not come in again by way of a server outside", () =>
    Effect.gen(function* () {
      const [first, last] = [at("10.0.0.1"), at("10.0.0.2")]
      const network = yield* referring([
        [first, outside],
        [outside, last],
      ])
      const error = yield* Effect.flip(World.loginOver(network, World.aliceAt(first, msnp7)))
      assert.strictEqual(error._tag, "Misdirected")
      assert.include(error.message, "203.0.113.7:1863 refers to 10.0.0.2:1863")
      assert.strictEqual(network.connections.length, 2)
    }),
  )

  /** Looks up names that a test has made up. */
  const knowing =
    (names: { readonly [name: string]: ReadonlyArray<string> }): Net.LookupFunction =>
    (name, _, done) =>
      done(
        null,
        (names[name] ?? []).map((address) => ({ address, family: 4 })),
      )

  /** Over TCP; a server of this machine is reached as if it were outside, at a name of its own. */
  const overTcp = (names: { readonly [name: string]: ReadonlyArray<string> }, gate: Address.Address) => {
    const { connect } = Connector.make({ lookup: knowing(names) })
    return {
      pings: "Carried" as const,
      connect: (to: Address.Address, admits?: Connector.Admits) =>
        to.host === outside.host ? Connector.direct.connect(gate) : connect(to, admits),
    }
  }

  it.live("to a name counts by the addresses of the name", () =>
    Effect.gen(function* () {
      const inside = yield* Played.serve(Played.answering(ver, inf, challenged, ok))
      const to = at("harmless.example.org", inside.address.port)
      const gate = yield* Played.serve(Played.closing(ver, inf, `XFR 3 NS ${Address.format(to)} 0\r\n`))
      const login = (names: { readonly [name: string]: ReadonlyArray<string> }, options = {}) =>
        Effect.provideService(
          LoginClient.login(World.aliceAt(outside, { ...msnp7, ...options })),
          Connector.Connector,
          overTcp(names, gate.address),
        )
      for (const addresses of [["127.0.0.1"], ["127.0.0.1", "10.0.0.1", "224.0.0.1"]]) {
        const error = yield* Effect.flip(login({ [to.host]: addresses }))
        assert.strictEqual(error._tag, "Misdirected")
        assert.include(error.message, `refers to ${Address.format(to)}, `)
      }
      assert.deepStrictEqual(inside.heard, [])
      const session = yield* login({ [to.host]: ["127.0.0.1"] }, { referrals: "Anywhere" })
      assert.deepStrictEqual(session.server, to)
      assert.deepStrictEqual(inside.heard, [usual + digest])
    }),
  )

  it.live("from a name counts by the addresses of the name, too", () =>
    Effect.gen(function* () {
      const inside = yield* Played.serve(Played.answering(ver, inf, challenged, ok))
      const gate = yield* Played.serve(Played.closing(ver, inf, `XFR 3 NS ${Address.format(inside.address)} 0\r\n`))
      const login = (addresses: ReadonlyArray<string>) =>
        Effect.provideService(
          LoginClient.login(World.aliceAt(at("messenger.test", gate.address.port), msnp7)),
          Connector.Connector,
          Connector.make({ lookup: knowing({ "messenger.test": addresses }) }),
        )
      assert.deepStrictEqual((yield* login(["127.0.0.1"])).server, inside.address)
      // A server that is in public, too, is taken for one that is there only.
      assert.strictEqual((yield* Effect.flip(login(["127.0.0.1", "203.0.113.7"])))._tag, "Misdirected")
    }),
  )

  it("leaves out those addresses of a name that are not admitted, and only those", () => {
    const admitted = (addresses: ReadonlyArray<string>) => {
      const found: Array<unknown> = []
      const lookup = Connector.admitting(knowing({ "a.test": addresses }), (address) => address.startsWith("203."))
      lookup("a.test", { all: true }, (error, addresses) => void found.push(error?.code ?? addresses))
      return found
    }
    assert.deepStrictEqual(admitted(["127.0.0.1", "203.0.113.7", "10.0.0.1", "203.0.113.8"]), [
      [
        { address: "203.0.113.7", family: 4 },
        { address: "203.0.113.8", family: 4 },
      ],
    ])
    assert.deepStrictEqual(admitted(["127.0.0.1"]), ["ENOTADMITTED"])
  })

  for (const [gateway, next, arrives, tag] of [
    ["gateway.test", "127.0.0.2", false, "Unreachable"],
    ["gateway.test", "localhost", false, "Unreachable"],
    ["gateway.test", "inside.test", false, "Disconnected"],
    ["127.0.0.1", "127.0.0.2", true, "TimedOut"],
    ["127.0.0.1", "inside.test", true, "TimedOut"],
  ] as const) {
    it.live(`by a gateway's GW-IP is held to the same: from ${gateway} to ${next}`, () =>
      Effect.gen(function* () {
        const head = ["HTTP/1.1 200 OK", `X-MSN-Messenger: SessionID=1.1; GW-IP=${next}`, "Content-Length: 0"]
        const stage = yield* Peer.listen
        const { port } = stage.address
        const came = yield* Played.counting({ host: "127.0.0.2", port })
        // The gateway by name has an address outside, too.
        const lookup = knowing({ "gateway.test": ["127.0.0.1", "203.0.113.7"], "inside.test": ["127.0.0.2"] })
        const logging = yield* LoginClient.login(
          World.aliceAt(at("ns.test"), { limits: { answerTimeout: "1 second" } }),
        ).pipe(
          Effect.provideService(Connector.Connector, GatewayConnector.make({ gateway: at(gateway, port), lookup })),
          Effect.flip,
          Effect.forkChild({ startImmediately: true }),
        )
        const { message, say } = RawHttp.on(yield* stage.accept)
        yield* message
        yield* say(`${head.join("\r\n")}\r\n\r\n`)
        const error = yield* Fiber.join(logging)
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(came() > 0, arrives)
      }),
    )
  }
})

describe("a server that means harm", () => {
  /** How a login at a server that plays so fails, and what the server has heard. */
  const failure = (play: Played.Play, options: Partial<LoginClient.Options> = {}) =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(play)
      const error = yield* Effect.flip(LoginClient.login(World.aliceAt(address, { ...msnp7, ...options })))
      return { error, heard }
    }).pipe(Effect.scoped)

  /** Says something again and again, as fast as the client takes it, until the client is gone. */
  const endless =
    (before: ReadonlyArray<string>, piece: string): Played.Play =>
    (peer) =>
      Effect.gen(function* () {
        yield* Played.respond(peer, before)
        yield* Effect.callback<void>((resume) => {
          const more = () => {
            while (peer.conn.writable && peer.conn.write(piece, "latin1"));
          }
          peer.conn.on("drain", more).on("close", () => resume(Effect.void))
          more()
        })
      })

  for (const [what, play, message] of [
    [
      "a line without an end",
      endless([], "V".repeat(8192)),
      "expected VER, VER 0, or an error, got a line is longer than 65536 bytes.",
    ],
    [
      "an endless challenge",
      endless([ver, inf, "USR 3 MD5 S "], "9".repeat(8192)),
      "a line is longer than 65536 bytes.",
    ],
    [
      "endless messages before its OK",
      endless([ver, inf, challenged], "MSG Hotmail Hotmail 3\r\nabc".repeat(1000)),
      "got more than 64 lines that answer nothing.",
    ],
    [
      "endless verbs that nobody knows",
      endless([ver, inf], "ZZZ 1 2 3\r\n".repeat(1000)),
      "got more than 64 lines that answer nothing.",
    ],
    [
      "a payload of a gigabyte",
      Played.answering(ver, inf, "MSG Hotmail Hotmail 999999999\r\n"),
      "MSG announces more than",
    ],
    [
      "OK for another account",
      Played.answering(ver, inf, challenged, "USR 4 OK mallory@hotmail.com Mallory 1\r\n"),
      "USR OK",
    ],
    ["OK without a challenge", Played.answering(ver, inf, "USR 3 OK alice@hotmail.com Alice 1\r\n"), "expected USR S"],
    ["a second challenge", Played.answering(ver, inf, challenged, "USR 4 MD5 S 1.2\r\n"), "expected USR OK"],
    ["a challenge before anything is asked", Played.answering("USR 1 MD5 S 1.2\r\n"), "expected VER"],
    ["a dialect that was not offered", Played.answering("VER 1 MSNP2\r\n"), "expected VER"],
    ["control characters", Played.answering("\u001b]0;owned\u0007\u001b[2J 1\r\n"), "expected VER"],
  ] as const) {
    it.live(`is told off, and learns nothing that it should not: ${what}`, () =>
      Effect.gen(function* () {
        const { error, heard } = yield* failure(play)
        assert.strictEqual(error._tag, "ServerMisbehaved")
        assert.include(error.message, message)
        assert.notMatch(error.message, /\p{Cc}/u)
        // The digest of the one challenge that was to be answered, and none of another.
        assert.include(usual + digest, heard.join(""))
      }),
    )
  }

  for (const [what, play] of [
    ["endless empty lines", endless([ver], "\r\n".repeat(8192))],
    [
      "a byte now and then",
      (peer) =>
        Effect.forEach(Array.from({ length: 1000 }), () => Effect.delay(peer.say("V"), "20 millis"), { discard: true }),
    ],
  ] satisfies ReadonlyArray<readonly [string, Played.Play]>) {
    it.live(`is given so much time for an answer, whatever it says meanwhile: ${what}`, () =>
      Effect.gen(function* () {
        const before = process.memoryUsage().rss
        const { error } = yield* failure(play, { limits: { answerTimeout: "700 millis" } })
        assert.strictEqual(error._tag, "TimedOut", error.message)
        assert.isBelow(process.memoryUsage().rss - before, 100 * 1024 * 1024)
      }),
    )
  }

  it.live("is given so much time for the whole login, whatever it refers to", () =>
    Effect.gen(function* () {
      // Each refers to the next one just before its time is up.
      const servers: Array<Address.Address> = []
      for (let i = 0; i < 5; i++) {
        const to = servers.at(-1) ?? at("127.0.0.1", 1)
        const late: Played.Play = (peer) =>
          Effect.gen(function* () {
            yield* Played.respond(peer, [ver, inf])
            yield* peer.line
            yield* Effect.sleep("300 millis")
            yield* peer.say(`XFR 3 NS ${Address.format(to)} 0\r\n`)
            yield* peer.rest
          })
        servers.push((yield* Played.serve(late)).address)
      }
      const error = yield* Effect.flip(
        LoginClient.login(
          World.aliceAt(servers.at(-1) ?? outside, {
            ...msnp7,
            limits: { answerTimeout: "1 second", loginTimeout: "700 millis" },
          }),
        ),
      )
      assert.strictEqual(error._tag, "TimedOut")
    }),
  )
})

describe("a login that somebody else has recorded", () => {
  it.live("lets nobody in when it is said again, for as often as it is tried", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(
        Layer.provide(Admission.layerNotification(), Directory.layerMemory([World.alice])),
      )
      const relay = yield* Played.relay(server)
      yield* Effect.scoped(LoginClient.login(World.aliceAt(relay.address, msnp7)))
      const recorded = relay.connections()[0]?.client ?? ""
      assert.match(recorded, /USR 4 MD5 S [0-9a-f]{32}\r\n/)
      const challenges = new Set<string>()
      for (let i = 0; i < 50; i++) {
        const again = yield* Peer.connect(server)
        yield* again.say(recorded)
        const [, challenge = ""] = /USR 3 MD5 S (\S+)\r\n911 4\r\n$/.exec(yield* again.rest) ?? []
        challenges.add(challenge)
      }
      // A challenge of its own each time, and no other answer than 911.
      assert.isFalse(challenges.has(""))
      assert.strictEqual(challenges.size, 50)
    }),
  )
})

describe("a server in between that relays another one's challenge", () => {
  it.live(
    "is let in with the client's answer: MD5 does not say for whom an answer is meant, so pin servers or use TLS",
    () =>
      Effect.gen(function* () {
        const real = yield* World.serveTcp(World.layerExample())
        const between = yield* Played.relay(real)
        const session = yield* LoginClient.login(World.aliceAt(between.address, msnp7))
        assert.deepStrictEqual(session.server, between.address)
        const [traffic] = between.connections()
        // It has a session at the real server; but what it has seen opens no second one, and holds no password.
        assert.include(traffic?.server, ok)
        assert.notInclude(`${traffic?.client}${traffic?.server}`, World.password)
      }),
  )
})

/** Text that would end a line, part words or name a payload, were it written as it is. */
const hostile = fc.oneof(
  fc.constantFrom(
    "\r\nOUT\r\n",
    "a\nOUT OTH",
    "a\rb",
    " ",
    "a b",
    "\t",
    "",
    "\0",
    "\u2028",
    "\u0085",
    "a@b.c\r\nUSR 1",
  ),
  fc
    .array(fc.constantFrom("a", "@", "\r", "\n", " ", "\t", "%0d%0a", "\u00e9", "\ud800", "1", ":"), { maxLength: 12 })
    .map((all) => all.join("")),
)

/** A program may come by a value without asking whether it is one: it is in JavaScript, or has it from a database. */
const unchecked = { disableChecks: true }

/** Whether these are whole lines, each of a form that is expected there. */
const assertLines = (bytes: string, forms: RegExp) => {
  assert.match(bytes, /^([^\r\n]+\r\n)*$/)
  for (const line of bytes.split("\r\n").slice(0, -1)) assert.match(line, forms)
}

const silent = Effect.provide(Logger.layer([]))

describe("no text that a program hands over makes a second line", () => {
  const sampled = <T>(property: fc.IAsyncProperty<T>) => Effect.promise(() => fc.assert(property, { numRuns: 300 }))

  it.live("of what the server's host decides: challenge, account, friendly name, addresses", () =>
    sampled(
      fc.asyncProperty(hostile, hostile, hostile, hostile, fc.boolean(), (challenge, account, name, host, refers) =>
        Effect.gen(function* () {
          const network = MemorySocket.network()
          const to = { host, port: 1863 }
          yield* World.serve(
            network.listen(World.notificationAddress),
            Layer.succeed(Admission.Admission, {
              admit: () =>
                Effect.succeed(
                  refers
                    ? { _tag: "Refer", to, from: to }
                    : { _tag: "Challenge", challenge: Challenge.Challenge.make(challenge, unchecked) },
                ),
              judge: () =>
                Effect.succeed({
                  _tag: "Accept",
                  account: Account.Account.make(account, unchecked),
                  friendlyName: FriendlyName.FriendlyName.make(name, unchecked),
                  verified: true,
                }),
            }),
          )
          const peer = yield* Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory)
          yield* peer.say(`VER 1 MSNP7\r\nUSR 2 MD5 I a@b.c\r\nUSR 3 MD5 S ${World.digest}\r\nOUT\r\n`)
          assertLines(
            yield* peer.rest,
            /^(VER 1 MSNP7|USR 2 MD5 S [^ ]+|XFR 2 NS [^ ]+ 0 [^ ]+|USR 3 OK [^ ]+@[^ ]+ [^ ]+ 1|(500|911) [23])$/,
          )
        }).pipe(Effect.scoped, silent, Effect.runPromise),
      ),
    ),
  )

  it.live("of what is in a directory", () =>
    sampled(
      fc.asyncProperty(hostile, hostile, (account, name) =>
        Effect.gen(function* () {
          const network = MemorySocket.network()
          const entry = {
            ...World.alice,
            account: Account.Account.make(account, unchecked),
            friendlyName: FriendlyName.FriendlyName.make(name, unchecked),
          }
          yield* World.serve(
            network.listen(World.notificationAddress),
            Layer.provide(
              Admission.layerNotification(),
              Directory.layerElsewhere(() => Effect.succeed(Option.some(entry))),
            ),
            {},
            SessionServer.serve(),
          )
          const session = yield* Effect.exit(World.loginOver(network, World.aliceAt(World.notificationAddress, msnp7)))
          // The profile behind it is a payload of as many bytes as it announces; its fields are lines of their own.
          const said = network.connections[0]?.server() ?? ""
          assertLines(
            said.replace(/MSG Hotmail Hotmail [0-9]+\r\n[^]*$/, ""),
            /^(VER 1 MSNP7 CVR0|INF 2 MD5|USR 3 MD5 S [0-9.]+|USR 4 OK [^ ]+@[^ ]+ [^ ]+ 1|500 4)$/,
          )
          if (Exit.isSuccess(session)) assert.match(said, /USR 4 OK/)
        }).pipe(Effect.scoped, silent, Effect.runPromise),
      ),
    ),
  )

  it.live("of who logs in, and as what", () =>
    sampled(
      fc.asyncProperty(hostile, hostile, (account, version) =>
        Effect.gen(function* () {
          const network = MemorySocket.network()
          yield* World.serve(network.listen(World.notificationAddress), World.layerExample())
          for (const options of [{ account: Account.Account.make(account, unchecked) }, { version: [version] }]) {
            const signing = SessionClient.signIn({ ...World.aliceAt(World.notificationAddress, msnp7), ...options })
            yield* Effect.exit(Effect.scoped(Effect.provideService(signing, Connector.Connector, network.connector)))
          }
          for (const { client } of network.connections) {
            assertLines(
              client(),
              /^(VER 1 MSNP7 CVR0|INF 2|USR 3 MD5 I [^ ]+@[^ ]+|USR 4 MD5 S [0-9a-f]{32}|SYN 5 0|CHG 6 NLN|CVR 7( [^ ]+)?|OUT)$/,
            )
          }
        }).pipe(Effect.scoped, silent, Effect.runPromise),
      ),
    ),
  )

  for (const [side, run] of [
    [
      "server",
      (command: ServerCommand.Foreign) =>
        Effect.gen(function* () {
          const network = MemorySocket.network()
          yield* World.serve(network.listen(World.notificationAddress), World.layerExample(), {}, (session) =>
            Effect.asVoid(session.send(command)),
          )
          const { commands } = yield* World.loginOver(network, World.aliceAt(World.notificationAddress, msnp7))
          yield* Effect.exit(Stream.runDrain(commands))
          return network.connections[0]?.server().split(ok.trim())[1] ?? ""
        }),
    ],
    [
      "client",
      (command: ClientCommand.Foreign) =>
        Effect.gen(function* () {
          const network = MemorySocket.network()
          yield* World.serve(network.listen(World.notificationAddress), World.layerExample())
          const session = yield* World.loginOver(network, World.aliceAt(World.notificationAddress, msnp7))
          yield* Effect.exit(session.send(command))
          return network.connections[0]?.client().split(digest)[1] ?? ""
        }),
    ],
  ] as const) {
    it.live(`of what a program says in a session, of the ${side}`, () =>
      sampled(
        fc.asyncProperty(hostile, fc.array(hostile, { maxLength: 4 }), (verb, parameters) =>
          Effect.gen(function* () {
            const said = yield* run({
              _tag: "Foreign",
              verb: verb.length === 3 ? verb : "QNG",
              parameters,
              payload: "",
            })
            assertLines(said.replace(/^\r\n/, ""), /^(QNG( [^ \t]+)*|OUT)$/)
          }).pipe(Effect.scoped, silent, Effect.runPromise),
        ),
      ),
    )
  }

  it.live("of lists, places and profile that an application has from its users", () =>
    sampled(
      fc.asyncProperty(hostile, fc.constantFrom("account", "name", "place", "field", "phone"), (text, slot) =>
        Effect.gen(function* () {
          const or = (name: typeof slot, harmless: string) => (slot === name ? text : harmless)
          const network = MemorySocket.network()
          const contact = Lists.contact(
            Account.Account.make(or("account", "bob@hotmail.com"), unchecked),
            FriendlyName.FriendlyName.make(or("name", "Bob"), unchecked),
          )
          yield* World.serve(
            network.listen(World.notificationAddress),
            World.layerExample(),
            {},
            SessionServer.serve({
              lists: () =>
                Effect.succeed({
                  ...Lists.empty,
                  serial: 2,
                  forward: [contact],
                  phones: [{ property: "PHH", value: or("phone", "1") }],
                }),
              profile: () => Effect.succeed({ country: or("field", "gb") }),
              places: { INBOX: { path: or("place", "/inbox"), login: or("place", "https://login.test"), site: "2" } },
            }),
          )
          const peer = yield* Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory)
          yield* peer.say(
            `VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\nUSR 3 MD5 S ${World.digest}\r\nSYN 4 0\r\nURL 5 INBOX\r\n`,
          )
          yield* peer.finish
          const said = yield* peer.rest
          const [, length = "0"] = /MSG Hotmail Hotmail ([0-9]+)\r\n/.exec(said) ?? []
          const begin = said.indexOf("MIME-Version")
          const payload = said.slice(begin, begin + Number(length))
          // Nineteen fields and the empty line behind them, whatever is in them.
          if (begin !== -1) assert.strictEqual(payload.match(/[\r\n]+/g)?.length, 20)
          assertLines(
            begin === -1 ? said : said.slice(begin + Number(length)),
            /^(VER|USR|SYN|GTC|BLP|PRP|LSG|LST|URL|502|CHL)( [^ ]+)+$/,
          )
        }).pipe(Effect.scoped, silent, Effect.runPromise),
      ),
    ),
  )
})
