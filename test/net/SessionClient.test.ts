import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Connector from "../../src/net/Connector.ts"
import type * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginError from "../../src/net/LoginError.ts"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Wire from "../../src/protocol/Wire.ts"
import * as Lists from "../../src/session/Lists.ts"
import { crlf } from "../support/Frame.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

const here = World.notificationAddress
const server = Address.format(here)
const msnp7: Partial<LoginClient.Options> = { dialects: ["MSNP7"] }

const login = [
  "VER 1 MSNP7 CVR0\r\n",
  "INF 2 MD5\r\n",
  "USR 3 MD5 S 1013928519.693957190\r\n",
  "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n",
]

/** Lets the client on the other end log in. */
const letIn = (peer: Peer.Peer) =>
  Effect.forEach(login, (answer) => Effect.andThen(peer.line, peer.say(answer)), { discard: true })

/** A network with one server on it, which a test plays connection by connection. */
const stage = Effect.gen(function* () {
  const network = MemorySocket.network()
  const came = yield* Queue.unbounded<MemorySocket.End>()
  network.listen(here).accept(({ socket }) => {
    Queue.offerUnsafe(came, { socket, said: () => "", close: Effect.void, reset: Effect.void })
  })
  return {
    network,
    /** The next connection, played until the scope closes. */
    accept: Effect.flatMap(Queue.take(came), Peer.inMemory),
  }
})

/** Signs in at a server that a test plays. */
const signedIn = Effect.fnUntraced(function* (options: Partial<SessionClient.Options> = {}) {
  const { accept, network } = yield* stage
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const signing = yield* SessionClient.signIn({ ...World.aliceAt(here, msnp7), ...options }).pipe(
    Effect.provideService(Connector.Connector, network.connector),
    Scope.provide(scope),
    Effect.forkChild({ startImmediately: true }),
  )
  const peer = yield* accept
  yield* letIn(peer)
  return { peer, session: yield* Fiber.join(signing), network, leave: Scope.close(scope, Exit.void) }
})

/** What the client has said in each connection behind its login. */
const afterLogin = (network: MemorySocket.Network) =>
  network.connections.map(({ client }) => client().replace(/^VER [^]*?USR 4 [^]*?\r\n/, ""))

/** Takes so many events. */
const take = (session: Pick<SessionClient.SignedIn, "events">, count: number) =>
  Stream.runCollect(Stream.take(session.events, count))

const bodyOf = (payload: string) => `MSG Hotmail Hotmail ${payload.length}\r\n${payload}`
const profile = bodyOf(
  "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nLoginTime: 1050223025\r\n\r\n",
)
const maintenance = bodyOf(
  "MIME-Version: 1.0\r\nContent-Type: application/x-msmsgssystemmessage\r\n\r\nType: 1\r\nArg1: 5\r\n",
)

describe("a client that signs in", () => {
  it.effect(
    "says SYN, CHG and, if told to, CVR, in the order of the official client and without waiting for answers",
    () =>
      Effect.gen(function* () {
        const version = ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"]
        const { peer } = yield* signedIn({ version, status: "Hidden" })
        assert.strictEqual(yield* peer.line, "SYN 5 0\r\n")
        assert.strictEqual(yield* peer.line, "CHG 6 HDN\r\n")
        assert.strictEqual(yield* peer.line, "CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n")
      }),
    { tags: ["next.sync", "next.status", "next.cvr"] },
  )

  it.effect("shows itself online and reports no version, unless told otherwise; and logs off with its scope", () =>
    Effect.gen(function* () {
      const { leave, network } = yield* signedIn()
      yield* leave
      assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\nOUT\r\n"])
    }),
  )

  it.effect(
    "tells of the profile, the lists, its status, its contacts, a maintenance to come, and what else is said",
    () =>
      Effect.gen(function* () {
        const { peer, session } = yield* signedIn()
        yield* peer.say(`${profile}SYN 5 1\r\nGTC 5 1 A\r\nBLP 5 1 AL\r\nLSG 5 1 1 1 0 ~ 0\r\nLST 5 FL 1 0 0\r\n`)
        yield* peer.say("LST 5 AL 1 0 0\r\nLST 5 BL 1 0 0\r\nLST 5 RL 1 0 0\r\nCHG 6 NLN\r\n")
        yield* peer.say(
          `NLN NLN bob@hotmail.com Bob\r\n${maintenance}RNG 1 10.0.0.7:1863 CKI 1 bob@hotmail.com Bob\r\n`,
        )
        assert.deepStrictEqual(
          [...(yield* take(session, 6))],
          [
            { _tag: "Profile", fields: { LoginTime: "1050223025" } },
            { _tag: "Synchronized", lists: Lists.empty },
            { _tag: "StatusSet", status: "Online" },
            { _tag: "ContactOnline", account: "bob@hotmail.com", friendlyName: "Bob", status: "Online" },
            { _tag: "Maintenance", minutes: 5 },
            {
              _tag: "Command",
              command: {
                _tag: "Foreign",
                verb: "RNG",
                parameters: ["1", "10.0.0.7:1863", "CKI", "1", "bob@hotmail.com", "Bob"],
                payload: "",
              },
            },
          ],
        )
      }),
    { tags: ["next.messages", "beyond.hear-messages", "beyond.hear-rest"] },
  )

  it.effect(
    "answers a challenge by itself, with a TrID that nobody else uses",
    () =>
      Effect.gen(function* () {
        const { peer, session } = yield* signedIn()
        assert.strictEqual(yield* session.nextTrId, 7)
        yield* peer.say("CHL 0 15570131571988941333\r\n")
        yield* peer.line
        yield* peer.line
        assert.strictEqual(yield* peer.line, "QRY 8 msmsgs@msnmsgr.com 32\r\n")
        assert.isTrue(yield* session.setStatus("Busy"))
        assert.strictEqual(yield* peer.line, "8f2f5a91b72102cd28355e9fc9000d6eCHG 9 BSY\r\n")
        assert.strictEqual(yield* session.nextTrId, 10)
      }),
    { tags: ["beyond.hear-challenge"] },
  )

  it.effect("has nothing more to say once it has logged off, and its events end", () =>
    Effect.gen(function* () {
      const { network, peer, session } = yield* signedIn()
      const ending = yield* Effect.forkChild(Stream.runCollect(session.events), { startImmediately: true })
      const leaving = yield* Effect.forkChild(session.logOff, { startImmediately: true })
      yield* peer.finish
      yield* Fiber.join(leaving)
      assert.deepStrictEqual([...(yield* Fiber.join(ending))], [])
      assert.isFalse(yield* session.setStatus("Busy"))
      assert.isFalse(yield* session.synchronize)
      assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\nOUT\r\n"])
    }),
  )

  it.effect("fails as the login does", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Effect.provideService(
          SessionClient.signIn(World.aliceAt(here)),
          Connector.Connector,
          MemorySocket.network().connector,
        ),
      )
      assert.strictEqual(error._tag, "Unreachable")
    }),
  )
})

describe("the lists of a client that signs in", () => {
  it.effect(
    "are waited for, and asked for with the serial of those that were kept",
    () =>
      Effect.gen(function* () {
        const kept = { ...Lists.empty, serial: 5 }
        const { peer, session } = yield* signedIn({ lists: kept })
        const waiting = yield* Effect.forkChild(session.lists, { startImmediately: true })
        assert.strictEqual(yield* peer.line, "SYN 5 5\r\n")
        assert.isUndefined(waiting.pollUnsafe())
        yield* peer.say("SYN 5 5\r\n")
        assert.deepStrictEqual(yield* Fiber.join(waiting), kept)
      }),
    { tags: ["next.sync", "beyond.hear-lists"] },
  )

  it.effect("are the newest ones where they are asked for again", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.say("SYN 5 1\r\nLST 5 RL 1 0 0\r\n")
      assert.deepStrictEqual(yield* session.lists, Lists.empty)
      assert.isTrue(yield* session.synchronize)
      for (const line of ["SYN 5 0\r\n", "CHG 6 NLN\r\n", "SYN 7 1\r\n"]) assert.strictEqual(yield* peer.line, line)
      yield* peer.say("SYN 7 2\r\nGTC 7 2 N\r\nLST 7 RL 2 0 0\r\n")
      yield* take(session, 2)
      assert.deepStrictEqual(yield* session.lists, { ...Lists.empty, serial: 2, addPolicy: "N" })
    }),
  )

  it.effect("are an error where the server refuses them, and the session goes on", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.say("603 5\r\n")
      const error = yield* Effect.flip(session.lists)
      assert.deepStrictEqual(error, new SessionClient.ListsRefused({ server, code: 603 }))
      assert.strictEqual(error.message, `${server} does not give the lists out: database connect error (603).`)
      assert.isTrue(yield* session.synchronize)
      yield* peer.say("SYN 7 1\r\nLST 7 RL 1 0 0\r\n")
      yield* take(session, 2)
      assert.deepStrictEqual(yield* session.lists, Lists.empty)
    }),
  )

  it.effect("end the session where they have no end, for good", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.say("SYN 5 255\r\n")
      yield* peer.say("LST 5 AL 255 1 2 bob@hotmail.com Bob\r\n".repeat(100_001))
      const error = yield* Effect.flip(session.lists)
      assert.strictEqual(
        error.message,
        `${server} broke the protocol: expected LST RL, got more than 100000 lines of lists.`,
      )
      assert.isFalse(error._tag !== "ListsRefused" && SessionClient.isPassing(error))
    }),
  )

  it.effect("are an error where the session ends before they are there, whoever ends it", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.say("OUT SSD\r\n")
      const error = yield* Effect.flip(session.lists)
      assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason: "ShuttingDown" }))
      const ours = yield* signedIn()
      const waiting = yield* Effect.forkChild(Effect.flip(ours.session.lists), { startImmediately: true })
      yield* ours.leave
      assert.deepStrictEqual(yield* Fiber.join(waiting), new LoginError.LoggedOut({ server, reason: "Unstated" }))
    }),
  )
})

describe("a session that a server ends", () => {
  it.effect(
    "fails with the reason, behind all that was said before",
    () =>
      Effect.gen(function* () {
        for (const [words, reason] of [
          ["OUT OTH", "LoggedInElsewhere"],
          ["OUT SSD", "ShuttingDown"],
          ["OUT", "Unstated"],
        ] as const) {
          const { peer, session } = yield* signedIn()
          yield* peer.say(`CHG 6 NLN\r\n${words}\r\n`)
          const told: Array<string> = []
          const error = yield* Effect.flip(
            Stream.runForEach(session.events, ({ _tag }) => Effect.sync(() => void told.push(_tag))),
          )
          assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason }))
          assert.deepStrictEqual(told, ["StatusSet"])
          // The connection is closed, without OUT and without waiting for the scope.
          yield* peer.finish
          assert.strictEqual(yield* peer.rest, "SYN 5 0\r\nCHG 6 NLN\r\n")
        }
      }),
    { tags: ["closing.reasons", "closing.oth", "closing.ssd"] },
  )

  it.effect("fails with Disconnected where the connection is lost", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.finish
      const error = yield* Effect.flip(Stream.runDrain(session.events))
      assert.deepStrictEqual(error, new LoginError.Disconnected({ server, awaiting: [] }))
    }),
  )
})

describe("PNG", () => {
  it.effect(
    "is said each minute, and a server that answers it stays",
    () =>
      Effect.gen(function* () {
        const { peer, session } = yield* signedIn()
        const ending = yield* Effect.forkChild(Effect.exit(Stream.runDrain(session.events)), { startImmediately: true })
        yield* peer.line
        yield* peer.line
        for (let minute = 0; minute < 3; minute++) {
          yield* TestClock.adjust("60 seconds")
          assert.strictEqual(yield* peer.line, "PNG\r\n")
          yield* peer.say(`QNG\r\nCHG 0 NLN\r\n`)
        }
        assert.isUndefined(ending.pollUnsafe())
      }),
    { tags: ["beyond.ping"] },
  )

  it.effect(
    "that is not answered by the time of the next is the end: TimedOut, and OUT for whoever may still listen",
    () =>
      Effect.gen(function* () {
        const { network, peer, session } = yield* signedIn({ pingEvery: "10 seconds" })
        const failing = yield* Effect.forkChild(Effect.flip(Stream.runDrain(session.events)), {
          startImmediately: true,
        })
        yield* peer.say("CHG 6 NLN\r\n")
        yield* TestClock.adjust("19999 millis")
        assert.isUndefined(failing.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        const error = yield* Fiber.join(failing)
        assert.deepStrictEqual(error, new LoginError.TimedOut({ server, awaiting: ["QNG"] }))
        assert.strictEqual(error.message, `${server} did not say QNG in time.`)
        assert.isFalse(yield* session.setStatus("Busy"))
        assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\nPNG\r\nOUT\r\n"])
      }),
    { tags: ["beyond.ping"] },
  )

  it.live("is due all the same where the server does not read, and what that says is heard until then", () =>
    Effect.gen(function* () {
      const { accept, address } = yield* Peer.listen
      const signing = yield* Effect.forkChild(
        SessionClient.signIn({ ...World.aliceAt(address, msnp7), pingEvery: "1 second" }),
        { startImmediately: true },
      )
      const peer = yield* accept
      yield* letIn(peer)
      const session = yield* Fiber.join(signing)
      yield* peer.stall
      // More than the system takes from one who writes for one who does not read.
      const much = Array.from({ length: 400 }, () => Wire.withText("MSG", ["1", "N"], "x".repeat(60_000)))
      const sending = yield* Effect.forkChild(session.send(...much), { startImmediately: true })
      yield* peer.say("CHG 6 BSY\r\nCHG 0 AWY\r\n")
      assert.deepStrictEqual(
        [...(yield* take(session, 2))],
        [
          { _tag: "StatusSet", status: "Busy" },
          { _tag: "StatusSet", status: "Away" },
        ],
      )
      assert.isUndefined(sending.pollUnsafe())
      const error = yield* Effect.flip(Stream.runDrain(session.events))
      assert.strictEqual(error._tag, "TimedOut")
    }),
  )

  it.effect("is not said where it is told never to be", () =>
    Effect.gen(function* () {
      const { network } = yield* signedIn({ pingEvery: "Never" })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\n"])
    }),
  )
})

describe("events that nobody takes", () => {
  it.effect("do not keep a session from being there; the oldest of more than 1,024 are dropped", () =>
    Effect.gen(function* () {
      const { peer, session } = yield* signedIn()
      yield* peer.say(crlf(...Array.from({ length: 1025 }, (_, index) => `FLN user${index}@hotmail.com`)))
      yield* peer.say("CHL 0 15570131571988941333\r\n")
      for (const line of ["SYN 5 0\r\n", "CHG 6 NLN\r\n", "QRY 7 msmsgs@msnmsgr.com 32\r\n"]) {
        assert.strictEqual(yield* peer.line, line)
      }
      const [first] = yield* take(session, 1)
      assert.deepStrictEqual(first, { _tag: "ContactOffline", account: Account.Account.make("user1@hotmail.com") })
    }),
  )
})

/** Stays signed in on a network; what happens, one event at a time, and how it ends. */
const staying = Effect.fnUntraced(function* (
  network: MemorySocket.Network,
  options: Partial<SessionClient.StayOptions> = {},
) {
  const happened = yield* Queue.unbounded<SessionClient.StayEvent>()
  const fiber = yield* SessionClient.stay({ ...World.aliceAt(here, msnp7), ...options }).pipe(
    Stream.runForEach((event) => Queue.offer(happened, event)),
    Effect.provideService(Connector.Connector, network.connector),
    Effect.forkChild({ startImmediately: true }),
  )
  return { next: Queue.take(happened), fiber }
})

const session = Effect.fnUntraced(function* (next: Effect.Effect<SessionClient.StayEvent>) {
  const event = yield* next
  if (event._tag !== "SignedIn") throw new Error(`${event._tag} came where a session was to begin`)
  return event.session
})

const lost = (error: LoginError.LoginError, again: Duration.Input): SessionClient.StayEvent => ({
  _tag: "Lost",
  error,
  again: Duration.fromInputUnsafe(again),
})

const disconnected = new LoginError.Disconnected({ server, awaiting: [] })

describe("a client that stays", () => {
  const everyFiveSeconds = { schedule: Schedule.spaced("5 seconds") }

  it.effect(
    "signs in again by its schedule, with the lists and the status as they were last",
    () =>
      Effect.gen(function* () {
        const { accept, network } = yield* stage
        const { next } = yield* staying(network, everyFiveSeconds)
        const first = yield* accept
        yield* letIn(first)
        const { setStatus } = yield* session(next)
        yield* first.say("SYN 5 1\r\nLST 5 RL 1 0 0\r\n")
        assert.deepStrictEqual(yield* next, { _tag: "Synchronized", lists: Lists.empty })
        yield* setStatus("Away")
        yield* first.finish

        assert.deepStrictEqual(yield* next, lost(disconnected, "5 seconds"))
        yield* TestClock.adjust("4999 millis")
        assert.strictEqual(network.connections.length, 1)
        yield* TestClock.adjust("1 millis")
        const second = yield* accept
        yield* letIn(second)
        yield* session(next)
        assert.strictEqual(yield* second.line, "SYN 5 1\r\n")
        assert.strictEqual(yield* second.line, "CHG 6 AWY\r\n")
      }),
    { tags: ["beyond.stay"] },
  )

  it.effect(
    "never does so behind a login elsewhere, nor where the server does not say why",
    () =>
      Effect.gen(function* () {
        for (const [words, reason] of [
          ["OUT OTH", "LoggedInElsewhere"],
          ["OUT", "Unstated"],
        ] as const) {
          const { accept, network } = yield* stage
          const { fiber, next } = yield* staying(network, everyFiveSeconds)
          const peer = yield* accept
          yield* letIn(peer)
          yield* session(next)
          yield* peer.say(`${words}\r\n`)
          const error = yield* Effect.flip(Fiber.join(fiber))
          assert.deepStrictEqual(error, new LoginError.LoggedOut({ server, reason }))
          yield* TestClock.adjust("1 day")
          assert.strictEqual(network.connections.length, 1)
        }
      }),
    { tags: ["beyond.stay", "closing.oth"] },
  )

  it.effect(
    "does so where the server goes down, and where it does not answer PNG",
    () =>
      Effect.gen(function* () {
        const { accept, network } = yield* stage
        const { next } = yield* staying(network, everyFiveSeconds)
        const first = yield* accept
        yield* letIn(first)
        yield* session(next)
        yield* first.say("OUT SSD\r\n")
        assert.deepStrictEqual(
          yield* next,
          lost(new LoginError.LoggedOut({ server, reason: "ShuttingDown" }), "5 seconds"),
        )
        yield* TestClock.adjust("5 seconds")
        const second = yield* accept
        yield* letIn(second)
        yield* session(next)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(yield* next, lost(new LoginError.TimedOut({ server, awaiting: ["QNG"] }), "5 seconds"))
        yield* TestClock.adjust("5 seconds")
        yield* letIn(yield* accept)
        yield* session(next)
        assert.strictEqual(network.connections.length, 3)
      }),
    { tags: ["beyond.stay"] },
  )

  it.effect("tries a login again that fails for a reason that passes, and no other", () =>
    Effect.gen(function* () {
      const answersOf = (error: string) => [...login.slice(0, 3), error]
      for (const [answers, tag, tries] of [
        [answersOf("500 4\r\n"), "Unavailable", 2],
        [answersOf("921 4\r\n"), "Unavailable", 2],
        [login.slice(0, 1), "Disconnected", 2],
        [answersOf("911 4\r\n"), "Denied", 1],
        [answersOf("924 4\r\n"), "Denied", 1],
        [["VER 1 0\r\n"], "NoCommonDialect", 1],
        [["VER 1 MSNP9\r\n"], "ServerMisbehaved", 1],
      ] as const) {
        const { accept, network } = yield* stage
        const { fiber } = yield* staying(network, { schedule: Schedule.recurs(1) })
        for (let i = 0; i < tries; i++) {
          const peer = yield* accept
          yield* Effect.forEach(answers, (answer) => Effect.andThen(peer.line, peer.say(answer)))
          yield* peer.finish
        }
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error._tag, tag)
        assert.strictEqual(network.connections.length, tries)
      }
    }),
  )

  it.effect("begins its schedule anew with each session", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const { next } = yield* staying(network, { schedule: Schedule.exponential("1 second") })
      const unreachable = new LoginError.Unreachable({ tried: [Connector.refused(World.notificationAddress)] })
      for (const seconds of [1, 2, 4]) {
        assert.deepStrictEqual(yield* next, lost(unreachable, `${seconds} seconds`))
        if (seconds < 4) yield* TestClock.adjust(`${seconds} seconds`)
      }
      const came = yield* Queue.unbounded<Peer.Peer>()
      const run = Effect.runForkWith(yield* Effect.context<Scope.Scope>())
      network.listen(here).accept(({ socket }) => {
        run(
          Effect.flatMap(Peer.inMemory({ socket, said: () => "", close: Effect.void, reset: Effect.void }), (peer) =>
            Queue.offer(came, peer),
          ),
        )
      })
      yield* TestClock.adjust("4 seconds")
      const peer = yield* Queue.take(came)
      yield* letIn(peer)
      yield* session(next)
      yield* peer.finish
      assert.deepStrictEqual(yield* next, lost(disconnected, "1 second"))
    }),
  )

  it.effect("fails with the last error where its schedule has come to an end", () =>
    Effect.gen(function* () {
      const { fiber, next } = yield* staying(MemorySocket.network(), { schedule: Schedule.recurs(2) })
      assert.strictEqual((yield* next)._tag, "Lost")
      assert.strictEqual((yield* next)._tag, "Lost")
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "Unreachable")
    }),
  )

  it.effect("is done when it has logged off", () =>
    Effect.gen(function* () {
      const { accept, network } = yield* stage
      const { fiber, next } = yield* staying(network, everyFiveSeconds)
      const peer = yield* accept
      yield* letIn(peer)
      const { logOff } = yield* session(next)
      const leaving = yield* Effect.forkChild(logOff, { startImmediately: true })
      yield* peer.finish
      yield* Fiber.join(leaving)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\nOUT\r\n"])
    }),
  )

  it.effect("is signed in no longer than its stream is run", () =>
    Effect.gen(function* () {
      const { accept, network } = yield* stage
      const { fiber, next } = yield* staying(network)
      const peer = yield* accept
      yield* letIn(peer)
      yield* session(next)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(afterLogin(network), ["SYN 5 0\r\nCHG 6 NLN\r\nOUT\r\n"])
    }),
  )

  it.effect("is patient by default: a second, then twice as long each time, up to a minute, somewhat at random", () =>
    Effect.gen(function* () {
      const { next } = yield* staying(MemorySocket.network())
      for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
        const event = yield* next
        if (event._tag !== "Lost") throw new Error(`${event._tag} came where nobody listens`)
        const again = Duration.toSeconds(event.again)
        // Effect's jitter is a fifth, up or down.
        assert.isAtLeast(again, seconds * 0.8)
        assert.isAtMost(again, seconds * 1.2)
        yield* TestClock.adjust(event.again)
      }
    }),
  )
})

describe("a client that signs in at our own server", () => {
  /** What a server says of its own accord, or because it is asked whether it is there. */
  const further = { MSNP2: [], MSNP3: [], MSNP4: [], MSNP5: [], MSNP6: ["QRY"], MSNP7: ["QRY", "QNG"] } as const

  it.live(
    "is told its lists and its status in every dialect, is known by its answer to CHL, and hears QNG, over TCP",
    () =>
      Effect.gen(function* () {
        const bob = Lists.contact(Account.Account.make("bob@hotmail.com"), FriendlyName.FriendlyName.make("Bob B"))
        const lists = { ...Lists.empty, serial: 7, forward: [bob], reverse: [bob] }
        const address = yield* World.serveTcp(
          World.layerExample(),
          {},
          SessionServer.serve({ lists: () => Effect.succeed(lists) }),
        )
        for (const dialect of Dialect.all) {
          const spoken = yield* Queue.unbounded<string>()
          yield* Effect.scoped(
            Effect.gen(function* () {
              const signedIn = yield* SessionClient.signIn({
                ...World.aliceAt(address, { dialects: [dialect] }),
                status: "Busy",
                version: ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"],
                pingEvery: dialect === "MSNP7" ? "1 second" : "Never",
                observer: (event) => {
                  if (event._tag === "Said" && event.by === "Server") Queue.offerUnsafe(spoken, event.words[0])
                },
              })
              assert.strictEqual(signedIn.dialect, dialect)
              const found = yield* signedIn.lists
              assert.deepStrictEqual(
                found.forward.map(({ account }) => account),
                ["bob@hotmail.com"],
              )
              assert.strictEqual(found.serial, 7)
              const tags = yield* Stream.runCollect(
                Stream.take(
                  Stream.map(signedIn.events, ({ _tag }) => _tag),
                  4,
                ),
              )
              assert.sameMembers([...tags], ["Profile", "Synchronized", "StatusSet", "VersionAdvice"])
              const awaited = new Set<string>(further[dialect])
              while (awaited.size > 0) awaited.delete(yield* Queue.take(spoken))
            }),
          )
        }
      }),
    { tags: ["next.sync", "next.status", "next.cvr", "beyond.ping"] },
  )
})
