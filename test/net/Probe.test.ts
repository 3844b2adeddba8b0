import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Admission from "../../src/host/Admission.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as Probe from "../../src/net/Probe.ts"
import * as Address from "../../src/protocol/Address.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

const here = World.notificationAddress

/** All that is found out at a server, without how long it took. */
const findings = (server: Address.Address, options: Partial<Probe.Options> = {}) =>
  Effect.map(Stream.runCollect(Probe.probe({ server, ...options })), (found) =>
    found.filter(({ _tag }) => _tag !== "Time"),
  )

/** What a server says to a line; undefined where it closes instead. */
type Script = (line: string, connection: number) => string | undefined

/** A network with one server, which goes by a script; `before` is run before each answer. */
const scripted = (script: Script, before: (connection: number) => Effect.Effect<void> = () => Effect.void) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    const scope = yield* Effect.scope
    const services = yield* Effect.context<never>()
    let connections = 0
    network.listen(here).accept(({ socket }) => {
      const connection = ++connections
      const playing = Effect.gen(function* () {
        const peer = yield* Peer.inMemory({ socket, said: () => "", close: Effect.void, reset: Effect.void })
        while (true) {
          const line = yield* peer.line
          const answer = line === "" ? undefined : script(line.trimEnd(), connection)
          if (answer === undefined) return
          yield* before(connection)
          yield* peer.say(answer)
        }
      })
      Effect.runForkWith(services)(Effect.forkIn(Effect.scoped(playing), scope))
    })
    return network
  })

/** All that is found out at a server that goes by a script, without how long it took. */
const at = (script: Script, options: Partial<Probe.Options> = {}) =>
  Effect.gen(function* () {
    const network = yield* scripted(script)
    return yield* Effect.provideService(findings(here, options), Connector.Connector, network.connector)
  }).pipe(Effect.scoped)

/** Limits for servers that do not do what is waited for; what they do say is there long before. */
const impatient: Partial<Probe.Options> = { limits: { answerTimeout: "300 millis", closingTime: "10 millis" } }

/** All that is found out at a server that says this to each client's first line, and then no more. */
const atLast = Effect.fnUntraced(function* (said: string, options: Partial<Probe.Options> = {}) {
  const stage = yield* Peer.listen
  const playing = Effect.gen(function* () {
    const peer = yield* stage.accept
    yield* peer.line
    yield* peer.say(said)
    yield* peer.finish
    yield* peer.rest
  })
  yield* Effect.forkScoped(Effect.forever(Effect.scoped(playing)))
  return yield* findings(stage.address, options)
}, Effect.scoped)

/** A server that speaks one dialect, and challenges. */
const lenient: Script = (line) => {
  const [verb, trId, ...parameters] = line.split(" ")
  if (verb === "VER") return parameters.includes("MSNP5") ? `VER ${trId} MSNP5\r\n` : undefined
  if (verb === "INF") return `INF ${trId} MD5\r\n`
  return verb === "USR" ? `USR ${trId} MD5 S 1013928519.693957190\r\n` : undefined
}

const spoken = (dialect: Dialect.Dialect): Probe.Finding => ({
  _tag: "Dialect",
  dialect,
  verdict: "Spoken",
  sent: `VER 1 ${dialect} CVR0`,
  answer: { _tag: "Dialects", line: `VER 1 ${dialect} CVR0`, names: [dialect, "CVR0"] },
  after: "Open",
})

const whole = "MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0"

/** What a server that speaks all dialects answers, up to the initial USR. */
const uptoUsr: ReadonlyArray<Probe.Finding> = [
  spoken("MSNP7"),
  spoken("MSNP6"),
  spoken("MSNP5"),
  spoken("MSNP4"),
  spoken("MSNP3"),
  spoken("MSNP2"),
  {
    _tag: "Offer",
    sent: `VER 1 ${whole}`,
    answer: { _tag: "Dialects", line: `VER 1 ${whole}`, names: whole.split(" ") },
    after: "Open",
  },
  { _tag: "Inf", sent: "INF 2", answer: { _tag: "Packages", line: "INF 2 MD5", packages: ["MD5"] }, after: "Open" },
]

const challenges: Probe.Finding = {
  _tag: "Admission",
  sent: "USR 2 MD5 I a@b.c",
  answer: { _tag: "Challenge", line: "USR 2 MD5 S 1013928519.693957190" },
  after: "Open",
}

describe("a probe", () => {
  it.live("tells of a dispatch server what it speaks, and where it refers to", () =>
    Effect.gen(function* () {
      const { dispatch, notification } = yield* World.serveBoth()
      const [self, to] = [Address.format(dispatch), Address.format(notification)]
      assert.deepStrictEqual(yield* findings(dispatch), [
        ...uptoUsr,
        {
          _tag: "Admission",
          sent: "USR 2 MD5 I a@b.c",
          answer: { _tag: "Referral", line: `XFR 2 NS ${to} 0 ${self}`, to },
          after: "Closed",
        },
      ])
    }),
  )

  it.live("tells of a notification server that it challenges, with the account that it is given", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      assert.deepStrictEqual(yield* findings(server, { account: World.alice.account }), [
        ...uptoUsr,
        { ...challenges, sent: "USR 2 MD5 I alice@hotmail.com" },
      ])
    }),
  )

  it.live("tells of a server in trouble what it says at the initial USR", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(Admission.layerMaintenance(601))
      assert.deepStrictEqual(yield* findings(server), [
        ...uptoUsr,
        {
          _tag: "Admission",
          sent: "USR 2 MD5 I a@b.c",
          answer: { _tag: "Refusal", line: "601 2", code: 601 },
          after: "Closed",
        },
      ])
    }),
  )

  it.live("sees that a server answers with one name only", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample(), { quirks: Quirk.only("verSingle") })
      const found = yield* findings(server)
      assert.deepStrictEqual(found[6], {
        _tag: "Offer",
        sent: `VER 1 ${whole}`,
        answer: { _tag: "Dialects", line: "VER 1 MSNP7", names: ["MSNP7"] },
        after: "Open",
      })
    }),
  )

  it.live("measures how long connections and answers to VER take, each seven times", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      const found = yield* Stream.runCollect(Probe.probe({ server }))
      const times = found.filter((finding) => finding._tag === "Time")
      assert.deepStrictEqual(
        times.map(({ count, of }) => [of, count]),
        [
          ["Connect", 7],
          ["Ver", 7],
        ],
      )
      for (const { max, median, min } of times) {
        assert.isAbove(min, 0)
        assert.isAtLeast(median, min)
        assert.isAtLeast(max, median)
      }
    }),
  )

  it.effect("tells the least, the median and the most of the times", () =>
    Effect.gen(function* () {
      const { connector } = yield* scripted(lenient)
      const delays = [7, 1, 3, 2, 6, 5, 4]
      const slow: Connector.Connector = {
        ...connector,
        connect: (to) =>
          Effect.suspend(() => Effect.andThen(Effect.sleep(`${delays.shift() ?? 0} millis`), connector.connect(to))),
      }
      const asking = yield* Stream.runCollect(Probe.probe({ server: here })).pipe(
        Effect.provideService(Connector.Connector, slow),
        Effect.forkChild({ startImmediately: true }),
      )
      while (asking.pollUnsafe() === undefined) yield* TestClock.adjust("1 milli")
      const found = yield* Fiber.join(asking)
      assert.deepStrictEqual(found[7], { _tag: "Time", of: "Connect", count: 7, min: 1, median: 4, max: 7 })
    }),
  )

  it.effect("takes as the median of two times what is between them", () =>
    Effect.gen(function* () {
      // Answers are those to MSNP5 alone, on the third connection, and to all dialects, on the seventh.
      const { connector } = yield* scripted(lenient, (connection) =>
        TestClock.adjust(connection === 3 ? "10 millis" : "5 millis"),
      )
      const asking = Stream.runCollect(Probe.probe({ server: here }))
      const found = yield* Effect.provideService(asking, Connector.Connector, connector)
      assert.deepStrictEqual(found[8], { _tag: "Time", of: "Ver", count: 2, min: 5, median: 7.5, max: 10 })
    }),
  )

  it.live("hears the same byte by byte", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network({ client: MemorySocket.bytewise, server: MemorySocket.bytewise })
      yield* World.serve(network.listen(here), World.layerExample())
      const found = yield* Effect.provideService(findings(here), Connector.Connector, network.connector)
      assert.deepStrictEqual(found, [...uptoUsr, challenges])
    }),
  )

  it.live("asks one thing after another, each on a connection that it closes", () =>
    Effect.gen(function* () {
      const network = yield* scripted(lenient)
      yield* Effect.provideService(findings(here), Connector.Connector, network.connector)
      assert.deepStrictEqual(
        network.connections.map(({ client }) => client()),
        [
          "VER 1 MSNP7 CVR0\r\n",
          "VER 1 MSNP6 CVR0\r\n",
          "VER 1 MSNP5 CVR0\r\n",
          "VER 1 MSNP4 CVR0\r\n",
          "VER 1 MSNP3 CVR0\r\n",
          "VER 1 MSNP2 CVR0\r\n",
          `VER 1 ${whole}\r\n`,
          "VER 1 MSNP5 CVR0\r\nINF 2\r\n",
          "VER 1 MSNP5 CVR0\r\nUSR 2 MD5 I a@b.c\r\n",
        ],
      )
    }),
  )
})

/** The answers to VER with one dialect, which are the first six; whether that dialect is then taken to be spoken. */
const dialects = (found: ReadonlyArray<Probe.Finding>) =>
  found.flatMap((one) => (one._tag === "Dialect" ? [[one.dialect, one.verdict, one.answer, one.after] as const] : []))

/** What was said and what came, in everything that was found out besides. */
const answers = (found: ReadonlyArray<Probe.Finding>) =>
  found.flatMap((one) =>
    one._tag === "Dialect" || one._tag === "Time" ? [] : [[one._tag, one.sent, one.answer, one.after] as const],
  )

const silence: Probe.Answer = { _tag: "Silent" }
const closing: Probe.Answer = { _tag: "Closed" }

describe("a probe of a server of another kind", () => {
  it.effect("waits five seconds for each answer that does not come, and asks no further", () =>
    Effect.gen(function* () {
      const heard = yield* Queue.unbounded<string>()
      const asking = yield* at((line) => {
        Queue.offerUnsafe(heard, line)
        return ""
      }).pipe(Effect.forkChild({ startImmediately: true }))
      for (let question = 0; question < 7; question++) {
        assert.match(yield* Queue.take(heard), /^VER 1 MSNP/)
        yield* TestClock.adjust("4999 millis")
        assert.strictEqual(Queue.sizeUnsafe(heard), 0)
        assert.isUndefined(asking.pollUnsafe())
        yield* TestClock.adjust("1 millis")
      }
      const found = yield* Fiber.join(asking)
      assert.deepStrictEqual(
        dialects(found),
        (["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"] as const).map((dialect) => [
          dialect,
          "NotSpoken",
          silence,
          "Open",
        ]),
      )
      assert.deepStrictEqual(answers(found), [["Offer", `VER 1 ${whole}`, silence, "Open"]])
    }),
  )

  it.live("times no answer where none comes", () =>
    Effect.gen(function* () {
      const { connector } = yield* scripted(() => undefined)
      const found = yield* Effect.provideService(
        Stream.runCollect(Probe.probe({ server: here })),
        Connector.Connector,
        connector,
      )
      assert.deepStrictEqual(
        found.flatMap((one) => (one._tag === "Time" ? [one.of] : [])),
        ["Connect"],
      )
    }),
  )

  it.live("tells at which command it closes", () =>
    Effect.gen(function* () {
      const until =
        (verb: string): Script =>
        (line, connection) =>
          line.startsWith(verb) ? undefined : lenient(line, connection)
      const offer = ["Offer", `VER 1 ${whole}`, { _tag: "Dialects", line: "VER 1 MSNP5", names: ["MSNP5"] }, "Open"]
      const inf = ["Inf", "INF 2", { _tag: "Packages", line: "INF 2 MD5", packages: ["MD5"] }, "Open"]
      const usr = [
        "Admission",
        "USR 2 MD5 I a@b.c",
        { _tag: "Challenge", line: "USR 2 MD5 S 1013928519.693957190" },
        "Open",
      ]
      assert.deepStrictEqual<ReadonlyArray<unknown>>(answers(yield* at(until("VER"))), [
        ["Offer", `VER 1 ${whole}`, closing, "Closed"],
      ])
      assert.deepStrictEqual<ReadonlyArray<unknown>>(answers(yield* at(until("INF"))), [
        offer,
        ["Inf", "INF 2", closing, "Closed"],
        usr,
      ])
      assert.deepStrictEqual<ReadonlyArray<unknown>>(answers(yield* at(until("USR"))), [
        offer,
        inf,
        ["Admission", "USR 2 MD5 I a@b.c", closing, "Closed"],
      ])
    }),
  )

  it.live("goes on with the newest dialect that is spoken, and needs no answer to the whole offer", () =>
    Effect.gen(function* () {
      const found = yield* at((line, connection) => (line.includes("MSNP6") ? undefined : lenient(line, connection)))
      assert.deepStrictEqual(
        dialects(found).filter(([, verdict]) => verdict === "Spoken"),
        [["MSNP5", "Spoken", { _tag: "Dialects", line: "VER 1 MSNP5", names: ["MSNP5"] }, "Open"]],
      )
      assert.deepStrictEqual(
        answers(found).map(([tag, , { _tag }]) => [tag, _tag]),
        [
          ["Offer", "Closed"],
          ["Inf", "Packages"],
          ["Admission", "Challenge"],
        ],
      )
    }),
  )

  it.live("takes no dialect for spoken that is not the first named, passing over CVR0", () =>
    Effect.gen(function* () {
      const named = (names: string) =>
        Effect.map(
          at(() => `VER 1 ${names}\r\n`, impatient),
          dialects,
        )
      const verdicts = (names: string) => Effect.map(named(names), (all) => all.map(([, verdict]) => verdict).join(" "))
      assert.strictEqual(yield* verdicts("CVR0 MSNP7"), "Spoken NotSpoken NotSpoken NotSpoken NotSpoken NotSpoken")
      assert.strictEqual(yield* verdicts("MSNP8 MSNP2"), "NotSpoken NotSpoken NotSpoken NotSpoken NotSpoken NotSpoken")
      assert.strictEqual(yield* verdicts("msnp2"), "NotSpoken NotSpoken NotSpoken NotSpoken NotSpoken NotSpoken")
    }),
  )

  it.live("tells whether VER 0 is the end, and what is named behind it", () =>
    Effect.gen(function* () {
      const none = (after: string) => [
        "MSNP7",
        "NotSpoken",
        { _tag: "NoDialect", line: "VER 1 0 MSNP21 MSNP20" },
        after,
      ]
      const said = "VER 1 0 MSNP21 MSNP20\r\n"
      assert.deepStrictEqual<unknown>(dialects(yield* at(() => said, impatient))[0], none("Open"))
      assert.deepStrictEqual<unknown>(dialects(yield* atLast(said))[0], none("Closed"))
    }),
  )

  /** What is found out first at a server that says this to everything. */
  const first = (said: string) =>
    Effect.map(
      at(() => said, impatient),
      (found) => dialects(found)[0]?.slice(1),
    )

  it.live("tells what is no answer at all, and why", () =>
    Effect.gen(function* () {
      const garbled = (line: string, why: string) => ["NotSpoken", { _tag: "Garbled", line, why }, "Open"]
      assert.deepStrictEqual<unknown>(
        yield* first("HTTP/1.1 400 Bad Request\r\n"),
        garbled("HTTP/1.1 400 Bad Request", "a line does not begin with three upper-case letters"),
      )
      assert.deepStrictEqual<unknown>(
        yield* first("VER 7 MSNP7\r\n"),
        garbled("VER 7 MSNP7", "it does not bear the TrID 1"),
      )
      assert.deepStrictEqual<unknown>(yield* first("VER 1 MSN"), garbled("VER 1 MSN", "a line has no end in time"))
      assert.deepStrictEqual<unknown>(yield* first("MSG 1 U 0\r\n"), [
        "NotSpoken",
        { _tag: "Other", line: "MSG 1 U 0" },
        "Open",
      ])
    }),
  )

  it.live("tells that a line ends with the connection", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(dialects(yield* atLast("VER 1 MSNP7"))[0], [
        "MSNP7",
        "NotSpoken",
        { _tag: "Garbled", line: "VER 1 MSNP7", why: "a line ends with the connection" },
        "Closed",
      ])
    }),
  )

  it.live("reads a line of 64 KiB, and of a longer one tells the beginning", () =>
    Effect.gen(function* () {
      const challenge = (length: number) => `USR 2 MD5 S ${"1".repeat(length - "USR 2 MD5 S ".length)}`
      const challenged = (length: number) =>
        Effect.map(
          at((line) => (line.startsWith("USR") ? `${challenge(length)}\r\n` : "VER 1 MSNP7\r\n"), impatient),
          (found) => found.find(({ _tag }) => _tag === "Admission"),
        )
      const [sent, longest] = ["USR 2 MD5 I a@b.c", challenge(65_536)]
      assert.deepStrictEqual(yield* challenged(65_536), {
        _tag: "Admission",
        sent,
        answer: { _tag: "Challenge", line: longest },
        after: "Open",
      })
      const line = `${challenge(80)}…`
      assert.deepStrictEqual(yield* challenged(65_537), {
        _tag: "Admission",
        sent,
        answer: { _tag: "Garbled", line, why: "a line is longer than 65536 bytes" },
        after: "Open",
      })
      assert.deepStrictEqual(yield* first("A".repeat(1_000_000)), [
        "NotSpoken",
        { _tag: "Garbled", line: `${"A".repeat(80)}…`, why: "a line is longer than 65536 bytes" },
        "Open",
      ])
    }),
  )

  it.live("spells out what a terminal would obey", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* first("VER 1 MSNP7 \u001b[2J\r\n"), [
        "Spoken",
        { _tag: "Dialects", line: "VER 1 MSNP7 \\x1b[2J", names: ["MSNP7", "\\x1b[2J"] },
        "Open",
      ])
      assert.deepStrictEqual(yield* first("\u009b2J\r\n"), [
        "NotSpoken",
        {
          _tag: "Garbled",
          line: "\\x9b2J",
          why: "a line does not begin with three upper-case letters",
        },
        "Open",
      ])
    }),
  )
})

type Row = readonly [moment: Probe.Moment, sent: string, answer: string, after: Probe.After, verdict: string]

/** What was found out about commands at the wrong time, each answer as its line or else its tag. */
const mistakes = (found: ReadonlyArray<Probe.Finding>): ReadonlyArray<Row> =>
  found.flatMap((one): ReadonlyArray<Row> => {
    if (one._tag !== "WrongTime") return []
    const answer = "line" in one.answer ? one.answer.line : one.answer._tag
    return [[one.moment, one.sent, answer, one.after, one.verdict]]
  })

const cvr = "0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS"
const zeros = "00000000000000000000000000000000"

/** Commands without a meaning in the login stage, and lines that are none: closed upon at once, at any time. */
const meaningless = (moment: Probe.Moment, trId: number): ReadonlyArray<Row> =>
  [`SYN ${trId} 0`, `CHG ${trId} NLN`, "PNG", `MSG ${trId} U 0`, `XYZ ${trId}`, `inf ${trId}`, "VER MSNP7"].map(
    (sent) => [moment, sent, "Closed", "Closed", "Agrees"],
  )

const agrees = (moment: Probe.Moment, sent: string, answer: string): Row => [moment, sent, answer, "Closed", "Agrees"]

const beforeUsr: ReadonlyArray<Row> = [
  agrees("BeforeVer", "INF 1", "715 1"),
  agrees("BeforeVer", `CVR 1 ${cvr}`, "731 1"),
  agrees("BeforeVer", "USR 1 MD5 I a@b.c", "715 1"),
  agrees("BeforeVer", `USR 1 MD5 S ${zeros}`, "715 1"),
  agrees("BeforeVer", "USR 1 TWN I a@b.c", "715 1"),
  ...meaningless("BeforeVer", 1),
  agrees("AfterVer", "VER 2 MSNP7 CVR0", "715 2"),
  agrees("AfterVer", `CVR 2 ${cvr}`, "731 2"),
  agrees("AfterVer", `USR 2 MD5 S ${zeros}`, "911 2"),
  agrees("AfterVer", "USR 2 TWN I a@b.c", "Closed"),
  ...meaningless("AfterVer", 2),
  agrees("AfterInf", "VER 3 MSNP7 CVR0", "715 3"),
  agrees("AfterInf", "INF 3", "715 3"),
  agrees("AfterInf", `CVR 3 ${cvr}`, "731 3"),
  agrees("AfterInf", `USR 3 MD5 S ${zeros}`, "911 3"),
  agrees("AfterInf", "USR 3 TWN I a@b.c", "Closed"),
  ...meaningless("AfterInf", 3),
]

const afterChallenge: ReadonlyArray<Row> = [
  agrees("AfterChallenge", "VER 3 MSNP7 CVR0", "715 3"),
  agrees("AfterChallenge", "INF 3", "715 3"),
  agrees("AfterChallenge", `CVR 3 ${cvr}`, "715 3"),
  agrees("AfterChallenge", "USR 3 MD5 I a@b.c", "715 3"),
  agrees("AfterChallenge", "USR 3 TWN I a@b.c", "Closed"),
  ...meaningless("AfterChallenge", 3),
]

const wrongTime: Partial<Probe.Options> = { wrongTime: "Tried" }

describe("a probe at the wrong time", () => {
  it.live(
    "finds that our notification server does what the page says",
    () =>
      Effect.gen(function* () {
        const server = yield* World.serveTcp(World.layerExample())
        assert.deepStrictEqual(mistakes(yield* findings(server, wrongTime)), [...beforeUsr, ...afterChallenge])
      }),
    { tags: ["login.wrong-time", "login.cvr-before-usr", "login.cvr-after-usr", "login.meaningless", "beyond.order"] },
  )

  it.live("comes to no challenge at a dispatch server", () =>
    Effect.gen(function* () {
      const { dispatch } = yield* World.serveBoth()
      assert.deepStrictEqual(mistakes(yield* findings(dispatch, wrongTime)), beforeUsr)
    }),
  )

  it.live("comes to nothing behind INF where that is not answered", () =>
    Effect.gen(function* () {
      const found = yield* at((line, connection) => (line === "INF 2" ? undefined : lenient(line, connection)), {
        ...wrongTime,
        ...impatient,
      })
      const moments = new Set(mistakes(found).map(([moment]) => moment))
      assert.deepStrictEqual([...moments], ["BeforeVer", "AfterVer", "AfterChallenge"])
    }),
  )

  it.live("finds that CVR is answered where it should be refused", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample(), { quirks: Quirk.only("cvrAnytime") })
      const found = mistakes(yield* findings(server, { ...wrongTime, limits: { closingTime: "10 millis" } }))
      const downloads = "http://messenger.microsoft.com"
      const answered = (moment: Probe.Moment, trId: number): Row => [
        moment,
        `CVR ${trId} ${cvr}`,
        `CVR ${trId} 3.6.0025 3.6.0025 1.0.0000 ${downloads} ${downloads}`,
        "Open",
        "Differs",
      ]
      assert.deepStrictEqual(
        found.filter(([, , , , verdict]) => verdict !== "Agrees"),
        [answered("BeforeVer", 1), answered("AfterVer", 2), answered("AfterInf", 3), answered("AfterChallenge", 3)],
      )
      assert.strictEqual(found.length, 47)
    }),
  )

  it.live("tells what the clauses let a server do, and which they are", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      const found = yield* findings(server, wrongTime)
      const letAt = (moment: Probe.Moment, sent: string) =>
        found.flatMap((one) =>
          one._tag === "WrongTime" && one.moment === moment && one.sent === sent ? [[one.expected, one.cites]] : [],
        )
      assert.deepStrictEqual<ReadonlyArray<unknown>>(letAt("BeforeVer", `CVR 1 ${cvr}`), [
        [[{ _tag: "Refusal", line: "731 1", code: 731 }], ["login.cvr-before-usr"]],
      ])
      assert.deepStrictEqual<ReadonlyArray<unknown>>(letAt("AfterChallenge", "SYN 3 0"), [
        [[closing], ["login.meaningless"]],
      ])
      const either = [closing, { _tag: "Refusal", line: "911 2", code: 911 }]
      assert.deepStrictEqual<ReadonlyArray<unknown>>(letAt("AfterVer", `USR 2 MD5 S ${zeros}`), [
        [either, ["usr.disliked-911"]],
      ])
      assert.deepStrictEqual<ReadonlyArray<unknown>>(letAt("AfterVer", "USR 2 TWN I a@b.c"), [
        [either, ["usr.disliked"]],
      ])
    }),
  )

  /** What is found out at a server that says this to a line before anything else, and then stays or goes. */
  const to = (question: string, said: string | undefined) =>
    Effect.map(
      at((line, connection) => (line === question ? said : lenient(line, connection)), { ...wrongTime, ...impatient }),
      (found) =>
        mistakes(found)
          .find(([, sent]) => sent === question)
          ?.slice(2),
    )

  it.live("tells silence, an error and a close apart, and what is said to no command", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* to("SYN 1 0", undefined), ["Closed", "Closed", "Agrees"])
      assert.deepStrictEqual(yield* to("SYN 1 0", ""), ["Silent", "Open", "Differs"])
      assert.deepStrictEqual(yield* to("SYN 1 0", "715 1\r\n"), ["715 1", "Open", "Differs"])
      assert.deepStrictEqual(yield* to("SYN 1 0", "SYN 1 0\r\n"), ["SYN 1 0", "Open", "Differs"])
      assert.deepStrictEqual(yield* to("INF 1", "715 1\r\n"), ["715 1", "Open", "Differs"])
      assert.deepStrictEqual(yield* to("INF 1", "INF 1 MD5\r\n"), ["INF 1 MD5", "Open", "Differs"])
    }),
  )

  it.live("expects the code, the TrID and the end of the connection", () =>
    Effect.gen(function* () {
      const toInf = (said: string) =>
        Effect.map(atLast(said, wrongTime), (found) =>
          mistakes(found)
            .find(([, sent]) => sent === "INF 1")
            ?.slice(2),
        )
      assert.deepStrictEqual(yield* toInf("715 1\r\n"), ["715 1", "Closed", "Agrees"])
      assert.deepStrictEqual(yield* toInf("715\r\n"), ["715", "Closed", "Differs"])
      assert.deepStrictEqual(yield* toInf("715 2\r\n"), ["715 2", "Closed", "Differs"])
      assert.deepStrictEqual(yield* toInf("911 1\r\n"), ["911 1", "Closed", "Differs"])
    }),
  )

  it.live("does not say that it has tried what it did not come to", () =>
    Effect.gen(function* () {
      // The first nine connections are those of the login, the next twelve those of the moment before VER.
      const found = yield* at((line, connection) => (connection > 21 ? undefined : lenient(line, connection)), {
        ...wrongTime,
        ...impatient,
      })
      const after = mistakes(found).filter(([moment]) => moment !== "BeforeVer")
      assert.strictEqual(after.length, 35)
      for (const [, , answer, , verdict] of after) {
        assert.deepStrictEqual([answer, verdict], ["VER 1 MSNP5 CVR0", "Unknown"])
      }
    }),
  )
})

describe("a probe without a connection", () => {
  it.live("fails, and says why", () =>
    Effect.gen(function* () {
      const { connector } = MemorySocket.network()
      const failing = findings(World.dispatchAddress).pipe(Effect.provideService(Connector.Connector, connector))
      assert.strictEqual(
        (yield* Effect.flip(failing)).message,
        "No connection came about; tried 10.0.0.1:1863 (nothing listens there).",
      )
    }),
  )

  it.effect("fails after ten seconds in which nothing comes about", () =>
    Effect.gen(function* () {
      const { connector } = MemorySocket.network()
      const failing = yield* findings(here).pipe(
        Effect.provideService(Connector.Connector, { ...connector, connect: () => Effect.never }),
        Effect.flip,
        Effect.forkChild({ startImmediately: true }),
      )
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(failing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(
        (yield* Fiber.join(failing)).message,
        "No connection came about; tried 10.0.0.5:1863 (it did not answer).",
      )
    }),
  )

  it.live("has told what it found out before", () =>
    Effect.gen(function* () {
      const { connector } = yield* scripted(lenient)
      let left = 3
      const failing: Connector.Connector = {
        ...connector,
        connect: (to) =>
          Effect.suspend(() =>
            left-- > 0
              ? connector.connect(to)
              : Effect.fail(new Connector.ConnectError({ tried: [Connector.refused(to)] })),
          ),
      }
      const told: Array<Probe.Finding> = []
      const error = yield* Stream.runForEach(Probe.probe({ server: here }), (finding) =>
        Effect.sync(() => void told.push(finding)),
      ).pipe(Effect.provideService(Connector.Connector, failing), Effect.flip)
      assert.strictEqual(error._tag, "ConnectError")
      assert.deepStrictEqual(
        dialects(told).map(([dialect, verdict]) => [dialect, verdict]),
        [
          ["MSNP7", "NotSpoken"],
          ["MSNP6", "NotSpoken"],
          ["MSNP5", "Spoken"],
        ],
      )
    }),
  )

  it.live("closes its connection where nobody wants to know more", () =>
    Effect.gen(function* () {
      const stage = yield* Peer.listen
      const asking = yield* Effect.forkChild(findings(stage.address))
      const peer = yield* stage.accept
      assert.strictEqual(yield* peer.line, "VER 1 MSNP7 CVR0\r\n")
      yield* Fiber.interrupt(asking)
      assert.strictEqual(yield* peer.rest, "")
    }),
  )
})

describe("the findings of a probe", () => {
  it.live("are as many at most as is said beforehand", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      for (const [extent, count] of [
        ["Spared", 11],
        ["Tried", 58],
      ] as const) {
        const found = yield* Stream.runCollect(Probe.probe({ server, wrongTime: extent }))
        assert.deepStrictEqual([found.length, Probe.most(extent)], [count, count])
      }
    }),
  )

  it.live("are plain data: JSON and back, they are the same", () =>
    Effect.gen(function* () {
      const server = yield* World.serveTcp(World.layerExample())
      const found = yield* Stream.runCollect(Probe.probe({ server, ...wrongTime }))
      const read: unknown = JSON.parse(JSON.stringify(found))
      assert.deepStrictEqual(Schema.decodeUnknownSync(Schema.Array(Probe.Finding))(read), found)
    }),
  )
})
