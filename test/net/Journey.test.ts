import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Net from "node:net"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginError from "../../src/net/LoginError.ts"
import * as NsMemory from "../../src/net/NsMemory.ts"
import type * as Transcript from "../../src/net/Transcript.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Folder from "../support/Folder.ts"
import * as Played from "../support/Played.ts"
import * as Resources from "../support/Resources.ts"
import * as Silence from "../support/Silence.ts"
import * as World from "../support/World.ts"

/** What a server answers to the official way, with MSNP7 alone on offer. */
const ver = "VER 1 MSNP7 CVR0\r\n"
const inf = "INF 2 MD5\r\n"
const challenged = `USR 3 MD5 S ${World.challenge}\r\n`
const ok = "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n"

const letsIn = Played.answering(ver, inf, challenged, ok)
const refersTo = (to: Address.Address): Played.Play =>
  Played.closing(ver, inf, `XFR 3 NS ${Address.format(to)} 0 127.0.0.1:1863\r\n`)

/** Where nothing listens: two ports that no program of this machine is given by chance. */
const gone: Address.Address = { host: "127.0.0.1", port: 1 }
const goneToo: Address.Address = { host: "127.0.0.1", port: 2 }

/** What the client says on the official way. */
const hello = "VER 1 MSNP7 CVR0\r\nINF 2\r\nUSR 3 MD5 I alice@hotmail.com\r\n"
const signIn = `${hello}USR 4 MD5 S ${World.digest}\r\n`

/** One login, its session left at once, and what its observer was told of the way. */
const journey = (to: Address.Address, options: Partial<LoginClient.Options> = {}) =>
  Effect.gen(function* () {
    const { observer, way } = observing()
    const session = yield* LoginClient.login(World.aliceAt(to, { dialects: ["MSNP7"], observer, ...options }))
    yield* session.logOff
    return { server: session.server, way }
  }).pipe(Effect.scoped)

/** Notes the servers that were connected to, and why they were left. */
const observing = () => {
  const way: Array<string> = []
  const observer: Transcript.Observer = (entry) => {
    if (entry._tag === "Connected") way.push(entry.server)
    if (entry._tag === "TurnedAway") way.push(entry.why)
  }
  return { observer, way }
}

const failure = (to: Address.Address, options: Partial<LoginClient.Options> = {}) => Effect.flip(journey(to, options))

const recalled = (dispatch: Address.Address) =>
  Effect.flatMap(NsMemory.NsMemory, ({ recall }) => Effect.map(recall(dispatch), Option.map(Address.format)))

const known = (dispatch: Address.Address, server: Address.Address) =>
  Effect.flatMap(NsMemory.NsMemory, ({ remember }) => remember(dispatch, server))

/** A test of a client that remembers as long as the test lasts. */
const remembering = <E>(test: Effect.Effect<void, E, Scope.Scope>) => Effect.provide(test, NsMemory.layerMemory)

describe("a notification server known from before", () => {
  it.live(
    "is the one that let in last, and is gone to at once",
    () =>
      Effect.gen(function* () {
        const notification = yield* Played.serve(letsIn)
        const dispatch = yield* Played.serve(refersTo(notification.address))
        const first = yield* journey(dispatch.address)
        assert.deepStrictEqual(first.way, [Address.format(dispatch.address), Address.format(notification.address)])
        assert.deepStrictEqual(yield* recalled(dispatch.address), Option.some(Address.format(notification.address)))
        const second = yield* journey(dispatch.address)
        assert.deepStrictEqual(second.way, [Address.format(notification.address)])
        assert.deepStrictEqual(second.server, notification.address)
        assert.deepStrictEqual(dispatch.heard, [hello])
        assert.deepStrictEqual(notification.heard, [`${signIn}OUT\r\n`, `${signIn}OUT\r\n`])
      }).pipe(remembering),
    { tags: ["connect.stored-first"] },
  )

  it.live(
    "is not gone to if it is a name, which may stand for a nearer address by now, unless any referral is followed",
    () =>
      Effect.gen(function* () {
        const notification = yield* Played.serve(letsIn, letsIn)
        const dispatch = yield* Played.serve(refersTo(notification.address))
        const named = { ...notification.address, host: "stored.test" }
        yield* known(dispatch.address, named)
        const { connect } = Connector.make({
          lookup: (_, __, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
        })
        const travel = (options: Partial<LoginClient.Options>) =>
          Effect.provideService(journey(dispatch.address, options), Connector.Connector, { pings: "Carried", connect })
        assert.deepStrictEqual((yield* travel({ referrals: "Anywhere" })).way, [Address.format(named)])
        const [first] = (yield* travel({})).way
        assert.strictEqual(first, Address.format(dispatch.address))
      }).pipe(remembering),
  )

  it.live("is none where nothing is to be remembered", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const dispatch = yield* Played.serve(refersTo(notification.address))
      yield* journey(dispatch.address)
      yield* journey(dispatch.address)
      assert.strictEqual(dispatch.heard.length, 2)
    }),
  )

  it.live("is none where the server asked lets in itself", () =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(letsIn)
      yield* journey(address)
      assert.deepStrictEqual(yield* recalled(address), Option.none())
      assert.deepStrictEqual((yield* journey(address)).way, [Address.format(address)])
      assert.strictEqual(heard.length, 2)
    }).pipe(remembering),
  )

  it.live("is another for each network", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Played.serve(letsIn), yield* Played.serve(letsIn, Played.closing(), letsIn)]
      const [toOne, toOther] = [
        yield* Played.serve(refersTo(one.address)),
        yield* Played.serve(refersTo(other.address)),
      ]
      for (const { address } of [toOne, toOther]) yield* journey(address)
      assert.deepStrictEqual((yield* journey(toOne.address)).server, one.address)
      assert.deepStrictEqual((yield* journey(toOther.address)).server, other.address)
      assert.strictEqual(toOne.heard.length, 1)
      assert.strictEqual(toOther.heard.length, 2)
    }).pipe(remembering),
  )

  const turnedAway: ReadonlyArray<readonly [title: string, play: Played.Play, why: string]> = [
    ["refuses at the account", Played.closing(ver, inf, "601 3\r\n"), "cannot log anybody in now"],
    ["refuses at the digest", Played.closing(ver, inf, challenged, "601 4\r\n"), "cannot log anybody in now"],
    ["misbehaves", Played.closing("VER 2 MSNP7\r\n"), "broke the protocol: expected VER, VER 0, or an error"],
    ["speaks no common dialect", Played.closing("VER 1 0\r\n"), "speaks none of the dialects offered: MSNP7"],
    ["goes down", Played.closing(ver, "OUT SSD\r\n"), "ended the session: the server is shutting down"],
    ["closes at once", Played.closing(), "closed the connection where it was to say VER, VER 0, or an error"],
    ["closes behind VER", Played.closing(ver), "closed the connection where it was to say INF"],
    [
      "closes behind INF",
      Played.closing(ver, inf),
      "closed the connection where it was to say USR S, XFR, or an error",
    ],
    ["closes behind USR", Played.closing(ver, inf, challenged), "closed the connection where it was to say USR OK"],
    ["refers to one that is gone", refersTo(gone), "tried 127.0.0.1:1 (nothing listens there)"],
  ]
  for (const [title, play, why] of turnedAway) {
    it.live(
      `is replaced where it ${title}`,
      () =>
        Effect.gen(function* () {
          const stored = yield* Played.serve(play)
          const notification = yield* Played.serve(letsIn)
          const dispatch = yield* Played.serve(refersTo(notification.address))
          yield* known(dispatch.address, stored.address)
          const { server, way } = yield* journey(dispatch.address)
          assert.deepStrictEqual(server, notification.address)
          const [first, reason, ...others] = way
          assert.strictEqual(first, Address.format(stored.address))
          assert.include(reason, why)
          assert.deepStrictEqual(others, [Address.format(dispatch.address), Address.format(notification.address)])
          assert.deepStrictEqual(yield* recalled(dispatch.address), Option.some(Address.format(notification.address)))
        }).pipe(remembering),
      { tags: ["connect.fallback"] },
    )

    it.live(`is forgotten where it ${title}, though nobody else can be reached`, () =>
      Effect.gen(function* () {
        const stored = yield* Played.serve(play)
        yield* known(gone, stored.address)
        const error = yield* failure(gone)
        assert.deepStrictEqual(yield* recalled(gone), Option.none())
        assert.strictEqual(stored.heard.length, 1)
        assert.include(error.message, why)
        assert.include(error.message, "127.0.0.1:1 (nothing listens there)")
      }).pipe(remembering),
    )
  }

  it.live("is stored again where the dispatch server leads back to it, and it lets in", () =>
    Effect.gen(function* () {
      const stored = yield* Played.serve(Played.closing(ver, inf, "601 3\r\n"), letsIn)
      const dispatch = yield* Played.serve(refersTo(stored.address))
      yield* known(dispatch.address, stored.address)
      assert.deepStrictEqual((yield* journey(dispatch.address)).server, stored.address)
      assert.deepStrictEqual(yield* recalled(dispatch.address), Option.some(Address.format(stored.address)))
    }).pipe(remembering),
  )

  it.live("is replaced by the one that it refers to, and the dispatch server is not asked", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const stored = yield* Played.serve(refersTo(notification.address))
      yield* known(gone, stored.address)
      assert.deepStrictEqual((yield* journey(gone)).server, notification.address)
      assert.deepStrictEqual(yield* recalled(gone), Option.some(Address.format(notification.address)))
    }).pipe(remembering),
  )

  it.live("is not tried again where it is gone, and the dispatch server lets in itself", () =>
    Effect.gen(function* () {
      const dispatch = yield* Played.serve(letsIn)
      yield* known(dispatch.address, gone)
      assert.deepStrictEqual((yield* journey(dispatch.address)).server, dispatch.address)
      assert.deepStrictEqual((yield* journey(dispatch.address)).way, [Address.format(dispatch.address)])
    }).pipe(remembering),
  )

  it.live("is replaced where it is gone, and the dispatch server leads elsewhere", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const dispatch = yield* Played.serve(refersTo(notification.address))
      yield* known(dispatch.address, gone)
      const { way } = yield* journey(dispatch.address)
      assert.deepStrictEqual(way, [
        "No server could be reached; tried 127.0.0.1:1 (nothing listens there). That is this machine: is the server running?",
        Address.format(dispatch.address),
        Address.format(notification.address),
      ])
      assert.deepStrictEqual(yield* recalled(dispatch.address), Option.some(Address.format(notification.address)))
    }).pipe(remembering),
  )

  it.live(
    "is kept where it is gone together with the dispatch server, and one error tells of both",
    () =>
      Effect.gen(function* () {
        yield* known(goneToo, gone)
        const error = yield* failure(goneToo)
        assert.deepStrictEqual(
          error,
          new LoginError.Unreachable({
            tried: [
              { address: "127.0.0.1:1", why: "nothing listens there", seems: "Here" },
              { address: "127.0.0.1:2", why: "nothing listens there", seems: "Here" },
            ],
          }),
        )
        assert.strictEqual(
          error.message,
          "No server could be reached; tried 127.0.0.1:1 (nothing listens there), 127.0.0.1:2 (nothing listens there). That is this machine: is the server running?",
        )
        assert.deepStrictEqual(yield* recalled(goneToo), Option.some("127.0.0.1:1"))
      }).pipe(remembering),
    { tags: ["connect.unreachable"] },
  )

  it.live(
    "is told of in one error with the dispatch server that is gone, where it closed",
    () =>
      Effect.gen(function* () {
        const stored = yield* Played.serve(Played.closing())
        yield* known(gone, stored.address)
        const at = Address.format(stored.address)
        assert.strictEqual(
          (yield* failure(gone)).message,
          `No server could be reached; tried ${at} (closed the connection where it was to say VER, VER 0, or an error), 127.0.0.1:1 (nothing listens there). That is this machine: is the server running?`,
        )
      }).pipe(remembering),
    { tags: ["connect.unreachable"] },
  )

  it.live("is forgotten where it denies, and the password is not tried a second time", () =>
    Effect.gen(function* () {
      const stored = yield* Played.serve(Played.closing(ver, inf, challenged, "911 4\r\n"))
      const dispatch = yield* Played.serve(letsIn)
      yield* known(dispatch.address, stored.address)
      assert.deepStrictEqual(
        yield* failure(dispatch.address),
        new LoginError.Denied({ server: Address.format(stored.address), account: "alice@hotmail.com", code: 911 }),
      )
      assert.deepStrictEqual(yield* recalled(dispatch.address), Option.none())
      assert.deepStrictEqual(dispatch.heard, [])
    }).pipe(remembering),
  )

  it.live("is logged in at with what a referral to it would be followed with", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const dispatch = yield* Played.serve(refersTo(notification.address))
      const { account, password } = World.alice
      const asked: Array<string> = []
      const options: Partial<LoginClient.Options> = {
        account: Account.Account.make("nobody@hotmail.com"),
        password: Redacted.make("nothing"),
        onReferral: (to) => {
          asked.push(Address.format(to))
          return Effect.succeed({ account, password, dialects: ["MSNP7"] })
        },
      }
      yield* journey(dispatch.address, options)
      yield* journey(dispatch.address, options)
      const to = Address.format(notification.address)
      assert.deepStrictEqual(asked, [to, to])
      assert.deepStrictEqual(notification.heard, [`${signIn}OUT\r\n`, `${signIn}OUT\r\n`])
    }).pipe(remembering),
  )
})

/** A dispatch server and a notification server, and before each a relay that counts. */
const counted = Effect.gen(function* () {
  const notification = yield* Effect.flatMap(World.serveTcp(World.layerExample()), Played.relay)
  const dispatch = yield* Effect.flatMap(World.serveTcp(World.layerReferring(notification.address)), Played.relay)
  return { dispatch, notification }
})

/** A connector that notes each write to its sockets. */
const noting = () => {
  const writes: Array<string> = []
  const connector: Connector.Connector = {
    ...Connector.direct,
    connect: (to) =>
      Effect.map(Connector.direct.connect(to), ({ reader, writer }) =>
        Socket.make({
          reader,
          writer: Effect.map(writer, ({ write, writeAll }) => ({
            write: (chunk) => {
              if (chunk instanceof Uint8Array) writes.push(Bytes.fromUint8Array(chunk))
              return write(chunk)
            },
            writeAll,
          })),
        }),
      ),
  }
  return { connector, writes }
}

describe("a login by way of a dispatch server", () => {
  /** All dialects, 48 bytes with CRLF; and MSNP7 alone, 12 with LF. */
  const offer = "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0\r\n"
  const quick = "VER 1 MSNP7\n"

  interface Way {
    readonly strategy: LoginClient.Strategy
    /** What the client says in each round trip, at either server. */
    readonly dispatch: ReadonlyArray<string>
    readonly notification: ReadonlyArray<string>
    /** How many bytes these are. */
    readonly bytes: { readonly dispatch: number; readonly notification: number }
    /** How many bytes the notification server says, up to its USR OK. */
    readonly heard: number
  }

  const ways: ReadonlyArray<Way> = [
    {
      strategy: "official",
      dispatch: [offer, "INF 2\r\n", "USR 3 MD5 I alice@hotmail.com\r\n"],
      notification: [offer, "INF 2\r\n", "USR 3 MD5 I alice@hotmail.com\r\n", `USR 4 MD5 S ${World.digest}\r\n`],
      bytes: { dispatch: 48 + 7 + 31, notification: 48 + 7 + 31 + 46 },
      heard: 48 + 11 + 34 + 49,
    },
    {
      strategy: "no-inf",
      dispatch: [offer, "USR 2 MD5 I alice@hotmail.com\r\n"],
      notification: [offer, "USR 2 MD5 I alice@hotmail.com\r\n", `USR 3 MD5 S ${World.digest}\r\n`],
      bytes: { dispatch: 48 + 31, notification: 48 + 31 + 46 },
      heard: 48 + 34 + 49,
    },
    {
      strategy: "fast",
      dispatch: [`${quick}USR 2 MD5 I a@b.c\n`],
      notification: [`${quick}USR 2 MD5 I alice@hotmail.com\n`, `USR 3 MD5 S ${World.digest}\n`],
      bytes: { dispatch: 12 + 18, notification: 12 + 30 + 45 },
      heard: 13 + 34 + 49,
    },
  ]

  for (const { bytes, dispatch, heard, notification, strategy } of ways) {
    for (const writes of ["Together", "Apart"] as const) {
      it.live(
        `takes ${dispatch.length} and ${notification.length} round trips the ${strategy} way, written ${writes.toLowerCase()}`,
        () =>
          Effect.gen(function* () {
            const relays = yield* counted
            const session = yield* LoginClient.login(World.aliceAt(relays.dispatch.address, { strategy, writes }))
            const [atDispatch] = relays.dispatch.connections()
            const [atNotification] = relays.notification.connections()
            assert.strictEqual(session.dialect, "MSNP7")
            assert.deepStrictEqual(atDispatch?.trips, dispatch)
            assert.deepStrictEqual(atNotification?.trips, notification)
            assert.strictEqual(atDispatch?.client.length, bytes.dispatch)
            assert.strictEqual(atNotification?.client.length, bytes.notification)
            const said = atNotification?.server ?? ""
            assert.strictEqual(said.indexOf("\r\n", said.indexOf(" OK ")) + 2, heard)
            assert.strictEqual(relays.dispatch.connections().length, 1)
            assert.strictEqual(relays.notification.connections().length, 1)
          }),
        {
          tags: [
            "efficiency.together",
            "efficiency.packet",
            "efficiency.ver-usr",
            "efficiency.one-dialect",
            "efficiency.any-account",
            "efficiency.no-inf",
            "efficiency.lf",
          ],
        },
      )
    }
  }

  it.live(
    "says VER and USR with one write the fast way, and with a write for each where it is told to",
    () =>
      Effect.gen(function* () {
        const notification = yield* World.serveTcp(World.layerExample())
        const dispatch = yield* World.serveTcp(World.layerReferring(notification))
        const written = (writes: "Together" | "Apart") =>
          Effect.gen(function* () {
            const noted = noting()
            yield* LoginClient.login(World.aliceAt(dispatch, { strategy: "fast", writes })).pipe(
              Effect.provideService(Connector.Connector, noted.connector),
            )
            return noted.writes
          })
        const digest = `USR 3 MD5 S ${World.digest}\n`
        assert.deepStrictEqual(yield* written("Together"), [
          "VER 1 MSNP7\nUSR 2 MD5 I a@b.c\n",
          "VER 1 MSNP7\nUSR 2 MD5 I alice@hotmail.com\n",
          digest,
        ])
        assert.deepStrictEqual(yield* written("Apart"), [
          "VER 1 MSNP7\n",
          "USR 2 MD5 I a@b.c\n",
          "VER 1 MSNP7\n",
          "USR 2 MD5 I alice@hotmail.com\n",
          digest,
        ])
      }),
    { tags: ["efficiency.together", "efficiency.packet"] },
  )

  it.live("goes on with short lines in a session that was begun the fast way, and no payload is shown", () =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(
        Played.answering("VER 1 MSNP7\r\n", `USR 2 MD5 S ${World.challenge}\r\n`, ok.replace("4", "3")),
      )
      yield* known(gone, address)
      const said: Array<string> = []
      const observer: Transcript.Observer = (entry) => {
        if (entry._tag === "Said" && entry.by === "Client") said.push(entry.words.join(" "))
      }
      const session = yield* LoginClient.login(World.aliceAt(gone, { strategy: "fast", observer }))
      yield* session.send({ _tag: "Foreign", verb: "MSG", parameters: ["4", "N", "6"], payload: "secret" })
      yield* session.logOff
      assert.deepStrictEqual(heard, [
        `VER 1 MSNP7\nUSR 2 MD5 I alice@hotmail.com\nUSR 3 MD5 S ${World.digest}\nMSG 4 N 6\nsecretOUT\n`,
      ])
      assert.deepStrictEqual(said, [
        "VER 1 MSNP7",
        "USR 2 MD5 I alice@hotmail.com",
        "USR 3 MD5 S 6f39\u00e2\u0080\u00a6",
        "MSG 4 N 6",
        "OUT",
      ])
    }).pipe(remembering),
  )
})

describe("the connections of a login", () => {
  /** A connector that notes which connections have been given up, by where they went. */
  const releasing = () => {
    const released: Array<number> = []
    const connector: Connector.Connector = {
      ...Connector.direct,
      connect: (to) =>
        Effect.andThen(
          Effect.addFinalizer(() => Effect.sync(() => void released.push(to.port))),
          Connector.direct.connect(to),
        ),
    }
    return { connector, released }
  }

  it.live("are given up where they lead no further, though the session's scope is open", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(letsIn)
      const dispatch = yield* Played.serve(refersTo(notification.address))
      const { connector, released } = releasing()
      const options = World.aliceAt(dispatch.address, { dialects: ["MSNP7"] })
      yield* LoginClient.login(options).pipe(Effect.provideService(Connector.Connector, connector))
      assert.deepStrictEqual(released, [dispatch.address.port])
    }),
  )

  it.live("are given up where the login fails, though its scope is open", () =>
    Effect.gen(function* () {
      const { address } = yield* Played.serve(Played.closing(ver, inf, challenged, "911 4\r\n"))
      const { connector, released } = releasing()
      const options = World.aliceAt(address, { dialects: ["MSNP7"] })
      yield* Effect.flip(LoginClient.login(options)).pipe(Effect.provideService(Connector.Connector, connector))
      assert.deepStrictEqual(released, [address.port])
    }),
  )
})

describe("the fast way", () => {
  const fast = { strategy: "fast", dialects: ["MSNP7", "MSNP6"] } as const
  const chosen = "VER 1 MSNP7\r\n"
  const asNobody = "VER 1 MSNP7\nUSR 2 MD5 I a@b.c\n"
  const asAlice = "VER 1 MSNP7\nUSR 2 MD5 I alice@hotmail.com\n"
  const fullOffer = "VER 1 MSNP7 MSNP6 CVR0\r\nINF 2\r\nUSR 3 MD5 I alice@hotmail.com\r\n"
  const full = `${fullOffer}USR 4 MD5 S ${World.digest}\r\nOUT\r\n`
  const official = Played.answering("VER 1 MSNP7 MSNP6 CVR0\r\n", inf, challenged, ok)

  const rejections: ReadonlyArray<readonly [title: string, play: Played.Play, heard: string, why: string]> = [
    [
      "challenges whoever comes",
      Played.answering(chosen, `USR 2 MD5 S ${World.challenge}\r\n`),
      `${asNobody}OUT\n`,
      "challenges whoever comes.",
    ],
    [
      "does not speak the preferred dialect",
      Played.closing("VER 1 0\r\n"),
      asNobody,
      "speaks none of the dialects offered: MSNP7.",
    ],
    [
      "turns nobody's account down",
      Played.closing(chosen, "911 2\r\n"),
      asNobody,
      "does not let a@b.c in: the account or the password is wrong (911).",
    ],
    [
      "closes at once",
      Played.closing(),
      asNobody,
      "closed the connection where it was to say VER, VER 0, or an error.",
    ],
    [
      "closes behind VER",
      Played.closing(chosen),
      asNobody,
      "closed the connection where it was to say USR S, XFR, or an error.",
    ],
    [
      "wants INF first",
      Played.closing(chosen, "715 2\r\n"),
      asNobody,
      "broke the protocol: expected USR S, XFR, or an error, got 715, not expected.",
    ],
  ]
  for (const [title, play, heard, why] of rejections) {
    it.live(`is left for the official way, over a new connection, where the server ${title}`, () =>
      Effect.gen(function* () {
        const dispatch = yield* Played.serve(play, official)
        const { server, way } = yield* journey(dispatch.address, fast)
        const at = Address.format(dispatch.address)
        assert.deepStrictEqual(server, dispatch.address)
        assert.deepStrictEqual(way, [at, `${at} ${why} Trying the official way.`, at])
        assert.deepStrictEqual(dispatch.heard, [heard, full])
      }),
    )
  }

  it.live("counts its TrIDs on where the official way takes over, and where that refers on", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(Played.closing("VER 12 0\r\n"))
      const dispatch = yield* Played.serve(
        Played.closing(),
        Played.closing(
          "VER 9 MSNP7 CVR0\r\n",
          "INF 10 MD5\r\n",
          `XFR 11 NS ${Address.format(notification.address)} 0 127.0.0.1:1863\r\n`,
        ),
      )
      yield* failure(dispatch.address, { strategy: "fast", trId: TrId.TrId.make(7) })
      assert.deepStrictEqual(dispatch.heard, [
        "VER 7 MSNP7\nUSR 8 MD5 I a@b.c\n",
        "VER 9 MSNP7 CVR0\r\nINF 10\r\nUSR 11 MD5 I alice@hotmail.com\r\n",
      ])
      assert.deepStrictEqual(notification.heard, ["VER 12 MSNP7 CVR0\r\n"])
    }),
  )

  it.live("is not tried again at the servers that the official way leads to", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(official)
      const dispatch = yield* Played.serve(
        Played.closing(),
        Played.closing(
          "VER 1 MSNP7 MSNP6 CVR0\r\n",
          inf,
          `XFR 3 NS ${Address.format(notification.address)} 0 127.0.0.1:1863\r\n`,
        ),
      )
      yield* journey(dispatch.address, fast)
      assert.deepStrictEqual(dispatch.heard, [asNobody, fullOffer])
      assert.deepStrictEqual(notification.heard, [full])
    }),
  )

  it.live("is left for the official way at a notification server, too, that does not take it", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(Played.closing(chosen), official)
      const dispatch = yield* Played.serve(
        Played.closing(chosen, `XFR 2 NS ${Address.format(notification.address)} 0 127.0.0.1:1863\r\n`),
      )
      yield* journey(dispatch.address, fast)
      assert.deepStrictEqual(dispatch.heard, [asNobody])
      assert.deepStrictEqual(notification.heard, [asAlice, full])
    }),
  )

  it.live(
    "is not left where the account is not let in at the notification server, or the server closes or misbehaves behind the digest",
    () =>
      Effect.gen(function* () {
        const challenges = `USR 2 MD5 S ${World.challenge}\r\n`
        for (const [play, tag, heard] of [
          [Played.closing(chosen, "911 2\r\n"), "Denied", asAlice],
          [Played.closing(chosen, challenges, "911 3\r\n"), "Denied", `${asAlice}USR 3 MD5 S ${World.digest}\n`],
          [Played.closing(chosen, challenges, ""), "Disconnected", `${asAlice}USR 3 MD5 S ${World.digest}\n`],
          [
            Played.closing(chosen, challenges, "INF 3 MD5\r\n"),
            "ServerMisbehaved",
            `${asAlice}USR 3 MD5 S ${World.digest}\n`,
          ],
        ] as const) {
          const notification = yield* Played.serve(play)
          const dispatch = yield* Played.serve(
            Played.closing(chosen, `XFR 2 NS ${Address.format(notification.address)} 0 127.0.0.1:1863\r\n`),
          )
          assert.strictEqual((yield* failure(dispatch.address, fast))._tag, tag)
          assert.deepStrictEqual(notification.heard, [heard])
          assert.strictEqual(dispatch.heard.length, 1)
        }
      }),
  )

  it.live("is not left where the server is in trouble, or goes down", () =>
    Effect.gen(function* () {
      for (const [answer, tag] of [
        ["500 2\r\n", "Unavailable"],
        ["601 2\r\n", "Unavailable"],
        ["910 2\r\n", "Unavailable"],
        ["921 2\r\n", "Unavailable"],
        ["OUT SSD\r\n", "LoggedOut"],
      ] as const) {
        const dispatch = yield* Played.serve(Played.closing(chosen, answer))
        assert.strictEqual((yield* failure(dispatch.address, fast))._tag, tag, answer)
        assert.deepStrictEqual(dispatch.heard, [asNobody])
      }
    }),
  )

  it.live("never answers a challenge that was made to nobody's account", () =>
    Effect.gen(function* () {
      const challenges = `USR 2 MD5 S ${World.challenge}\r\n`
      const plays = [Played.answering(chosen, challenges), Played.answering(chosen + challenges), official]
      for (const play of plays) {
        const dispatch = yield* Played.serve(play, official)
        yield* Effect.exit(journey(dispatch.address, fast))
        const toNobody = dispatch.heard.filter((said) => said.includes("a@b.c"))
        assert.strictEqual(toNobody.length, 1)
        assert.notInclude(toNobody[0], "MD5 S")
      }
    }),
  )
})

describe("a server in bad company", () => {
  /** Servers that each refer to the next, the last one to the first. */
  const circle = (length: number) =>
    Effect.gen(function* () {
      const circle: Array<Played.Played> = []
      for (let index = 0; index < length; index++) {
        const next = () => circle[(index + 1) % length]?.address ?? gone
        circle.push(yield* Played.serve((peer) => refersTo(next())(peer)))
      }
      return circle
    })

  /** Where the first of so many servers is that each refer to the next, before one that lets in. */
  const chain = (referrals: number) =>
    Effect.gen(function* () {
      let { address } = yield* Played.serve(letsIn)
      for (let index = 0; index < referrals; index++) address = (yield* Played.serve(refersTo(address))).address
      return address
    })

  it.live("refers in a circle of one, two or three, and is told so where it closes", () =>
    Effect.gen(function* () {
      for (const length of [1, 2, 3]) {
        const servers = yield* circle(length)
        const [first = gone, ...others] = servers.map(({ address }) => address)
        const last = Address.format(others.at(-1) ?? first)
        assert.strictEqual(
          (yield* failure(first)).message,
          `${last} broke the protocol: expected USR S, got a referral back to ${Address.format(first)}.`,
        )
        for (const { heard } of servers) assert.deepStrictEqual(heard, [hello])
      }
    }),
  )

  it.live("is followed through five referrals, and not through six", () =>
    Effect.gen(function* () {
      const five = yield* journey(yield* chain(5))
      assert.strictEqual(five.way.length, 6)
      const error = yield* failure(yield* chain(6))
      assert.strictEqual(error._tag, "ServerMisbehaved")
      assert.include(error.message, "got more than 5 referrals in a row.")
    }),
  )

  it.live("is heard out where it says one byte at a time", () =>
    Effect.gen(function* () {
      const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      const bytewise =
        (play: Played.Play): Played.Play =>
        (peer) =>
          play({
            ...peer,
            say: (bytes) => Effect.forEach(bytes, (byte) => Effect.andThen(peer.say(byte), turn), { discard: true }),
          })
      const notification = yield* Played.serve(bytewise(letsIn))
      const dispatch = yield* Played.serve(bytewise(refersTo(notification.address)))
      assert.deepStrictEqual((yield* journey(dispatch.address)).server, notification.address)
    }),
  )

  it.live("is Disconnected where it closes, at each stage", () =>
    Effect.gen(function* () {
      for (const [answers, awaiting] of [
        [[], ["VER", "VER 0", "an error"]],
        [[ver], ["INF", "an error"]],
        [
          [ver, inf],
          ["USR S", "XFR", "an error"],
        ],
        [
          [ver, inf, challenged],
          ["USR OK", "an error"],
        ],
      ] as const) {
        const notification = yield* Played.serve(Played.closing(...answers))
        const dispatch = yield* Played.serve(refersTo(notification.address))
        const server = Address.format(notification.address)
        assert.deepStrictEqual(yield* failure(dispatch.address), new LoginError.Disconnected({ server, awaiting }))
      }
    }),
  )

  /** Answers so, and behind the next line says something without end, whether it is read or not. */
  const flooding =
    (words: string, ...answers: ReadonlyArray<string>): Played.Play =>
    (peer) =>
      Effect.andThen(
        Played.respond(peer, [...answers, ""]),
        Effect.callback<void>((resume) => {
          const much = words.repeat(1000)
          const pour = () => {
            while (peer.conn.write(much, "latin1"));
          }
          peer.conn.on("drain", pour)
          peer.conn.once("close", () => resume(Effect.void))
          pour()
        }),
      )

  it.live(
    "breaks the protocol where it speaks without end, at each stage",
    () =>
      Effect.gen(function* () {
        const answers = [ver, inf, challenged]
        for (const [words, got] of [
          ["CHL 0 1\r\n", "more than 64 lines that answer nothing"],
          ["MSG Hotmail Hotmail 3\r\nabc", "more than 64 lines that answer nothing"],
          ["MSG Hotmail Hotmail 99999999\r\n", "MSG announces more than 65536 bytes"],
          ["x", "a line is longer than 65536 bytes"],
        ] as const) {
          for (const stage of [0, 1, 2, 3]) {
            const { address } = yield* Played.serve(flooding(words, ...answers.slice(0, stage)))
            const error = yield* failure(address, { limits: { closingTime: "10 millis" } })
            assert.strictEqual(error._tag, "ServerMisbehaved")
            assert.isTrue(error.message.endsWith(`got ${got}.`), error.message)
          }
        }
      }),
    { tags: ["beyond.asides", "beyond.limit"] },
  )

  it.live("is overdue where it says empty lines without end", () =>
    Effect.gen(function* () {
      const { address } = yield* Played.serve(flooding("\r\n", ver))
      const error = yield* failure(address, { limits: { answerTimeout: "50 millis", closingTime: "10 millis" } })
      assert.deepStrictEqual(
        error,
        new LoginError.TimedOut({ server: Address.format(address), awaiting: ["INF", "an error"] }),
      )
    }),
  )

  it.live("is left where it goes on speaking behind its last word", () =>
    Effect.gen(function* () {
      const { address } = yield* Played.serve(flooding("911 4\r\n", ver, inf, challenged))
      const error = yield* failure(address, { limits: { closingTime: "10 millis" } })
      assert.strictEqual(error._tag, "Denied")
    }),
  )
})

describe("a login that is interrupted", () => {
  /** Stops a login at its nth step: there it waits for ever, and whoever waits for that is told. */
  const stopping = (nth: number) => {
    const reached = Deferred.makeUnsafe<void>()
    let steps = 0
    const isHere = () => steps++ === nth
    /** A step at which it can wait. */
    const halt = Effect.suspend(() =>
      isHere() ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void,
    )
    /** A step that goes on at once, and is interrupted in the midst of what follows. */
    const pass = Effect.withFiber((fiber) => {
      if (isHere()) {
        queueMicrotask(() => {
          Deferred.doneUnsafe(reached, Exit.void)
          fiber.interruptUnsafe()
        })
      }
      return Effect.void
    })
    /** The last step; what is said and done behind it is the end of a session. */
    const arrive = Effect.andThen(
      halt,
      Effect.sync(() => (steps = Infinity)),
    )
    return { reached, halt, pass, arrive }
  }
  type Stops = ReturnType<typeof stopping>

  /** Connects over TCP, and stops before and behind connecting, and behind each read and write. */
  const stoppingConnector = ({ halt, pass }: Stops): Connector.Connector => ({
    ...Connector.direct,
    connect: (to) =>
      halt.pipe(
        Effect.andThen(pass),
        Effect.andThen(Connector.direct.connect(to)),
        Effect.tap(() => halt),
        Effect.map(({ reader, writer }) =>
          Socket.make({
            reader: Effect.map(reader, ({ pull, upgrade }) => ({
              pull: Effect.tap(pull, () => halt),
              upgrade,
            })),
            writer: Effect.map(writer, ({ write, writeAll }) => ({
              write: (chunk) => Effect.tap(write(chunk), () => halt),
              writeAll,
            })),
          }),
        ),
      ),
  })

  /** A memory that stops before and behind each thing that is done in it. */
  const stoppingMemory = (
    { forget, recall, remember }: NsMemory.NsMemory,
    { halt, pass }: Stops,
  ): NsMemory.NsMemory => ({
    recall: (dispatch) => Effect.tap(Effect.andThen(halt, recall(dispatch)), () => halt),
    forget: (dispatch) => Effect.tap(Effect.andThen(halt, forget(dispatch)), () => halt),
    // What is begun is brought to its end: there is nowhere to wait.
    remember: (dispatch, server) => Effect.andThen(pass, remember(dispatch, server)),
  })

  it.live("at any instant leaves no connection and no fiber, and the memory as before or complete", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const memory = yield* Effect.provide(
        NsMemory.NsMemory,
        NsMemory.layerFolder(folder).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer])),
      )
      const complaints: Array<string> = []
      const logger = Logger.make(({ message }) => void complaints.push(String(message)))
      const stored = yield* Played.serve(Played.closing(ver, inf, challenged, "601 4\r\n"))
      const notification = yield* Played.serve(letsIn)
      const dispatch = yield* Played.serve(refersTo(notification.address))
      const [before, after] = [stored.address, notification.address].map(Address.format)

      yield* Resources.until(() => Resources.connections() === 0)
      let fibers = 0
      const counting = { recordFiberStart: () => void fibers++, recordFiberEnd: () => void fibers-- }

      /** Whether the login was over before it came to its nth step; and what is remembered then. */
      const upTo = Effect.fnUntraced(function* (nth: number) {
        yield* memory.remember(dispatch.address, stored.address)
        const stops = stopping(nth)
        const logging = yield* LoginClient.login(World.aliceAt(dispatch.address, { dialects: ["MSNP7"] })).pipe(
          Effect.tap(stops.arrive),
          Effect.scoped,
          Effect.provideService(Connector.Connector, stoppingConnector(stops)),
          Effect.provideService(NsMemory.NsMemory, stoppingMemory(memory, stops)),
          Effect.forkChild,
        )
        yield* Effect.raceFirst(Fiber.await(logging), Deferred.await(stops.reached))
        const isOver = !(yield* Deferred.isDone(stops.reached))
        yield* Fiber.interrupt(logging)
        yield* Resources.until(() => Resources.connections() === 0 && fibers === 0)
        return { isOver, remembered: Option.map(yield* memory.recall(dispatch.address), Address.format) }
      })

      const remembered: Array<string> = []
      for (let nth = 0; ; nth++) {
        const { isOver, remembered: now } = yield* upTo(nth).pipe(
          Effect.provideService(Metric.FiberRuntimeMetrics, counting),
          Effect.provide(Logger.layer([logger])),
        )
        remembered.push(Option.getOrElse(now, () => "nothing"))
        if (isOver) break
      }
      assert.deepStrictEqual(
        remembered.filter((now, index) => now !== remembered[index - 1]),
        [before, "nothing", after],
      )
      // Steps: 2 to recall; at the stored server 3 to connect, 4 lines, 4 answers and 1 to close; 2 to forget; at the
      // dispatch server 3, 3, 3 and 1; at the notification server 3, 4 and 4; 1 to remember; 1 behind it all. Then the
      // login is over before it comes to the next.
      assert.strictEqual(remembered.length, 2 + 12 + 2 + 10 + 11 + 1 + 1 + 1)
      assert.deepStrictEqual(complaints, [])
      assert.deepStrictEqual(new Set(stored.heard.map((said) => said.split("\n").length)), new Set([1, 2, 3, 4, 5]))
    }),
  )

  it.live("while a name is looked up, or an address does not answer, leaves no connection and no fiber", () =>
    Effect.gen(function* () {
      const silent = yield* Silence.at({ host: "127.0.0.1", port: 0 })
      const connections = Resources.connections()
      let fibers = 0
      const counting = { recordFiberStart: () => void fibers++, recordFiberEnd: () => void fibers-- }
      const begun = yield* Queue.unbounded<string>()
      const lookup: Net.LookupFunction = (host) => void Queue.offerUnsafe(begun, host)
      for (const [host, connector] of [
        ["messenger.test", Connector.make({ lookup })],
        [
          silent.host,
          {
            ...Connector.direct,
            connect: (to: Address.Address) => Effect.andThen(Queue.offer(begun, to.host), Connector.direct.connect(to)),
          },
        ],
      ] as const) {
        yield* Effect.gen(function* () {
          const logging = yield* LoginClient.login(World.aliceAt({ host, port: silent.port })).pipe(
            Effect.scoped,
            Effect.provideService(Connector.Connector, connector),
            Effect.forkChild,
          )
          assert.strictEqual(yield* Queue.take(begun), host)
          assert.isAbove(fibers, 0)
          yield* Fiber.interrupt(logging)
          yield* Resources.until(() => Resources.connections() === connections && fibers === 0)
        }).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, counting))
      }
    }),
  )
})
