import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import * as Telemetry from "../../src/net/Telemetry.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Lists from "../../src/session/Lists.ts"
import { crlf } from "../support/Frame.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

/** A notification server in memory; each use of `connect` is a client that has just connected. */
const serve = <R = never>(onSession: LoginServer.OnSession<R>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    const listener = network.listen(World.notificationAddress)
    const { warn } = yield* World.serve(listener, World.layerExample(), {}, onSession)
    return { connect: Effect.flatMap(Effect.orDie(network.dial(listener.address)), Peer.inMemory), warn }
  })

const serverWith = <R = never>(onSession: LoginServer.OnSession<R>) =>
  Effect.map(serve(onSession), ({ connect }) => connect)

/** Hears as many lines. */
const heard = Effect.fnUntraced(function* (peer: Peer.Peer, count: number) {
  let lines = ""
  for (let i = 0; i < count; i++) lines += yield* peer.line
  return lines
})

/** Logs a peer in, up to USR OK. */
const logIn = Effect.fnUntraced(function* (peer: Peer.Peer, dialect: Dialect.Dialect) {
  yield* peer.say(`VER 1 ${dialect}\r\nUSR 2 MD5 I alice@hotmail.com\r\n`)
  yield* heard(peer, 2)
  yield* peer.say(`USR 3 MD5 S ${World.digest}\r\n`)
  assert.match(yield* peer.line, /^USR 3 OK /)
})

/** MSG with its headers, the empty line behind them, and in MSNP2 one field, else eighteen. */
const profileLines = (dialect: Dialect.Dialect) => 1 + 2 + (dialect === "MSNP2" ? 1 : 18) + 1

/** A client that is logged in, and has read its profile. */
const signIn = Effect.fnUntraced(function* (
  connect: Effect.Effect<Peer.Peer, never, Scope.Scope>,
  dialect: Dialect.Dialect,
) {
  const peer = yield* connect
  yield* logIn(peer, dialect)
  const profile = yield* heard(peer, profileLines(dialect))
  assert.match(profile, /^MSG Hotmail Hotmail [0-9]+\r\n/)
  assert.isTrue(profile.endsWith("\r\n\r\n"))
  return peer
})

/** A client of the built-in session. */
const clientOf = <R = never>(options: SessionServer.Options<R>, dialect: Dialect.Dialect) =>
  Effect.flatMap(serverWith(SessionServer.serve(options)), (connect) => signIn(connect, dialect))

/** The challenge in a CHL of ours. */
const challengeIn = (line: string) => {
  const [, digits = ""] = /^CHL 0 ([0-9]{20})\r\n$/.exec(line) ?? []
  assert.notStrictEqual(digits, "", `${line} is no challenge`)
  return Challenge.Challenge.make(digits)
}

/** QRY as the official client says it. */
const answerTo = (challenge: Challenge.Challenge, trId: number) =>
  `QRY ${trId} msmsgs@msnmsgr.com 32\r\n${Redacted.value(Challenge.respond(challenge, Redacted.make("Q1P7W2E4J9R8U3S5")))}`

/** A client that has taken a status, and has been challenged for it. */
const challenged = <R = never>(options: SessionServer.Options<R> = {}) =>
  Effect.gen(function* () {
    const peer = yield* clientOf(options, "MSNP7")
    yield* peer.say("CHG 4 NLN\r\n")
    assert.strictEqual(yield* peer.line, "CHG 4 NLN\r\n")
    return { peer, challenge: challengeIn(yield* peer.line) }
  })

describe("a session whose connection is lost by a defect", () => {
  const failing: LoginServer.Options["observe"] = () => (entry) => {
    if (entry._tag === "Said" && entry.by === "Server" && entry.words[0] === "QNG") throw new Error("a bug")
  }

  /** What a witness is told of a session, a minute after it has been lost. */
  const told = <R = never>(onSession: LoginServer.OnSession<R>) =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const observer: Telemetry.Observer = {
        serving: () => {},
        limited: () => {},
        connected: () => ({
          stepped: (_, { _tag }) => void told.push(_tag),
          ended: () => void told.push("ended"),
        }),
      }
      const network = MemorySocket.network()
      const listener = network.listen(World.notificationAddress)
      yield* Effect.provide(
        World.serve(listener, World.layerExample(), { observe: failing }, onSession),
        Telemetry.layer(Effect.succeed(observer)),
      )
      const peer = yield* signIn(Effect.flatMap(Effect.orDie(network.dial(listener.address)), Peer.inMemory), "MSNP7")
      yield* peer.say("CHG 4 NLN\r\n")
      assert.strictEqual(yield* peer.line, "CHG 4 NLN\r\n")
      challengeIn(yield* peer.line)
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.rest, "")
      yield* TestClock.adjust("1 minute")
      return told.slice(-2)
    })

  it.effect("does nothing any more, not even when an answer is overdue", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* told(SessionServer.serve()), ["Foreign", "ended"])
    }),
  )

  it.effect("does nothing any more where an application is asked first, either", () =>
    Effect.gen(function* () {
      const handle = () => Effect.succeed<SessionServer.Handled>("Unserved")
      assert.deepStrictEqual(yield* told(SessionServer.serve({ handle })), ["Foreign", "ended"])
    }),
  )
})

describe("the built-in session", () => {
  // The lines of MSN Messenger 1.0.0863 to its end; 95 bytes are counted by the wiki.
  it.effect(
    "shows MSN Messenger 1.0 itself signed in",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_050_223_025_999)
        const peer = yield* yield* serverWith(SessionServer.serve())
        yield* logIn(peer, "MSNP2")
        assert.strictEqual(
          yield* heard(peer, profileLines("MSNP2")),
          `MSG Hotmail Hotmail 95\r\n${crlf("MIME-Version: 1.0", "Content-Type: text/x-msmsgsprofile; charset=UTF-8", "LoginTime: 1050223025", "")}`,
        )
        yield* peer.say("SYN 143 0\r\n")
        assert.strictEqual(
          yield* heard(peer, 7),
          crlf(
            "SYN 143 1",
            "GTC 143 1 A",
            "BLP 143 1 AL",
            ...["FL", "AL", "BL", "RL"].map((list) => `LST 143 ${list} 1 0 0`),
          ),
        )
        yield* peer.say("CHG 144 NLN\r\nCVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863\r\n")
        assert.strictEqual(yield* peer.line, "CHG 144 NLN\r\n")
        assert.match(yield* peer.line, /^CVR 145 1\.0\.0863 1\.0\.0863 1\.0\.0000 http:\S+ http:\S+\r\n$/)
        yield* peer.say("OUT\r\n")
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["next.messages", "beyond.profile"] },
  )

  it.effect("is told by its host whose lists, whose profile and which places there are", () =>
    Effect.gen(function* () {
      const bob = {
        account: Account.Account.make("bob@hotmail.com"),
        friendlyName: FriendlyName.FriendlyName.make("Bob"),
      }
      const peer = yield* yield* serverWith(
        SessionServer.serve({
          lists: ({ account }) =>
            Effect.succeed({ ...Lists.empty, serial: 9, reverse: account === "alice@hotmail.com" ? [bob] : [] }),
          profile: () => Effect.succeed({ country: "SE" }),
          places: { INBOX: { path: "/inbox", login: "https://login.example/", site: "2" } },
        }),
      )
      yield* logIn(peer, "MSNP3")
      assert.include(yield* heard(peer, profileLines("MSNP3")), "\r\ncountry: SE\r\n")
      yield* peer.say("SYN 4 9\r\nSYN 5 8\r\nURL 6 INBOX\r\nURL 7 CHAT\r\n")
      assert.strictEqual(yield* peer.line, "SYN 4 9\r\n")
      assert.include(yield* heard(peer, 7), "\r\nLST 5 RL 9 1 1 bob@hotmail.com Bob\r\n")
      assert.strictEqual(yield* heard(peer, 2), crlf("URL 6 /inbox https://login.example/ 2", "502 7"))
    }),
  )

  it.effect("answers with one write what is one answer", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const writes: Array<number> = []
      const counting: LoginServer.OnSession<never> = (session) =>
        SessionServer.serve()({
          ...session,
          send: (...commands) => {
            writes.push(commands.length)
            return session.send(...commands)
          },
        })
      yield* World.serve(network.listen(World.notificationAddress), World.layerExample(), {}, counting)
      const peer = yield* signIn(
        Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory),
        "MSNP7",
      )
      yield* peer.say("SYN 4 0\r\n")
      yield* heard(peer, 8)
      assert.deepStrictEqual(writes, [1, 8])
    }),
  )

  it.effect("ends when its client hangs up, or has no more to say", () =>
    Effect.gen(function* () {
      for (const end of ["finish", "reset"] as const) {
        const ended = yield* Deferred.make<void>()
        const peer = yield* Effect.flatMap(
          serverWith((session) => Effect.ensuring(SessionServer.serve()(session), Deferred.succeed(ended, undefined))),
          (connect) => signIn(connect, "MSNP7"),
        )
        yield* peer[end]
        yield* Deferred.await(ended)
      }
    }),
  )

  it.effect(
    "still answers whatever a client has said that has no more to say",
    () =>
      Effect.gen(function* () {
        const peer = yield* clientOf({}, "MSNP7")
        yield* peer.say("SYN 4 1\r\nPNG\r\nPN")
        yield* peer.finish
        assert.strictEqual(yield* peer.rest, "SYN 4 1\r\nQNG\r\n")
      }),
    { tags: ["beyond.half-close"] },
  )

  it.effect(
    "closes without a word at MSG, and at what bears no TrID",
    () =>
      Effect.gen(function* () {
        for (const bytes of ["MSG 5 U 3\r\nabc", "SYN\r\n"]) {
          const peer = yield* clientOf({}, "MSNP7")
          yield* peer.say(`${bytes}PNG\r\n`)
          assert.strictEqual(yield* peer.rest, "")
        }
      }),
    { tags: ["beyond.msg"] },
  )
})

describe("the challenge of a program", () => {
  it.effect(
    "comes at once behind the first CHG, and five minutes behind each right answer, each time another",
    () =>
      Effect.gen(function* () {
        const { challenge: first, peer } = yield* challenged()
        yield* peer.say(answerTo(first, 5))
        assert.strictEqual(yield* peer.line, "QRY 5\r\n")
        yield* TestClock.adjust("299 seconds")
        yield* peer.say("CHG 6 AWY\r\nPNG\r\n")
        assert.strictEqual(yield* heard(peer, 2), crlf("CHG 6 AWY", "QNG"))
        yield* TestClock.adjust("1 second")
        const second = challengeIn(yield* peer.line)
        assert.notStrictEqual(second, first)
        yield* peer.say(answerTo(second, 7))
        assert.strictEqual(yield* peer.line, "QRY 7\r\n")
        yield* TestClock.adjust("5 minutes")
        challengeIn(yield* peer.line)
      }),
    { tags: ["beyond.chl", "beyond.qry"] },
  )

  it.effect(
    "ends the session with 540 at a wrong answer, which is still read",
    () =>
      Effect.gen(function* () {
        const { peer } = yield* challenged()
        yield* peer.say(answerTo(Challenge.Challenge.make("1"), 5))
        yield* peer.say("PNG\r\n")
        assert.strictEqual(yield* peer.rest, "540 5\r\n")
      }),
    { tags: ["beyond.qry-wrong"] },
  )

  it.effect(
    "ends it without a word where no answer comes within 50 seconds, whatever else does",
    () =>
      Effect.gen(function* () {
        const { peer } = yield* challenged()
        yield* TestClock.adjust("49 seconds")
        yield* peer.say("PNG\r\n")
        assert.strictEqual(yield* peer.line, "QNG\r\n")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["beyond.qry-overdue"] },
  )

  it.effect("does not wait for an application that is still at it", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const { peer } = yield* challenged({
        handle: (command) =>
          command._tag === "Foreign" && command.verb === "ADD"
            ? Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
            : Effect.succeed("Unserved"),
      })
      yield* peer.say("ADD 5 FL a@b a@b\r\n")
      yield* TestClock.adjust("50 seconds")
      yield* Deferred.await(interrupted)
      assert.strictEqual(yield* peer.rest, "")
    }),
  )

  it.effect.each(["MSNP2", "MSNP5"] as const)("never comes in %s", (dialect) =>
    Effect.gen(function* () {
      const peer = yield* clientOf({}, dialect)
      yield* peer.say("CHG 4 NLN\r\n")
      assert.strictEqual(yield* peer.line, "CHG 4 NLN\r\n")
      yield* TestClock.adjust("1 hour")
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
    }),
  )

  it.effect("comes and is due when the limits say", () =>
    Effect.gen(function* () {
      const limits = { firstChallenge: "10 seconds", nextChallenge: "20 seconds", answerTimeout: "5 seconds" } as const
      const peer = yield* clientOf({ limits }, "MSNP6")
      yield* peer.say("CHG 4 NLN\r\n")
      assert.strictEqual(yield* peer.line, "CHG 4 NLN\r\n")
      yield* TestClock.adjust("9 seconds")
      yield* peer.say("PNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
      yield* TestClock.adjust("1 second")
      yield* peer.say(answerTo(challengeIn(yield* peer.line), 5))
      assert.strictEqual(yield* peer.line, "QRY 5\r\n")
      yield* TestClock.adjust("20 seconds")
      challengeIn(yield* peer.line)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* peer.rest, "")
    }),
  )

  // Real sockets, since only those have an end to what lies unread.
  it.live("ends the session of a client that does not read, too", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const many = Array.from({ length: 2000 }, (_, i) => ({
        account: Account.Account.make(`${i}@hotmail.com`),
        friendlyName: FriendlyName.FriendlyName.make("x".repeat(300)),
      }))
      const serve = SessionServer.serve({
        lists: () => Effect.succeed({ ...Lists.empty, reverse: many }),
        limits: { firstChallenge: "200 millis", answerTimeout: "200 millis", lastWordsTimeout: "100 millis" },
      })
      const address = yield* World.serveTcp(World.layerExample(), {}, (session) =>
        Effect.ensuring(serve(session), Deferred.succeed(ended, undefined)),
      )
      const peer = yield* Peer.connect(address)
      yield* logIn(peer, "MSNP7")
      yield* peer.stall
      yield* peer.say("CHG 4 NLN\r\n")
      yield* peer.say("SYN 5 0\r\n".repeat(40))
      yield* Deferred.await(ended)
    }),
  )
})

describe("an application", () => {
  it.effect(
    "is asked nothing behind a command that ends the session, though it was there before the session began",
    () =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const connect = yield* serverWith(
          SessionServer.serve({
            lists: () => Effect.as(Effect.sleep("1 second"), Lists.empty),
            handle: (command) =>
              Effect.sync(() => {
                asked.push("verb" in command ? command.verb : command._tag)
                return "Unserved"
              }),
          }),
        )
        const peer = yield* connect
        yield* logIn(peer, "MSNP7")
        yield* peer.say("QRY 4 msmsgs@msnmsgr.com 32\r\n00000000000000000000000000000000PNG\r\n")
        yield* TestClock.adjust("1 second")
        yield* peer.rest
        assert.deepStrictEqual(asked, ["QRY"])
      }),
  )

  it.effect("is asked first, command by command and in order, and answers what it serves", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const peer = yield* clientOf(
        {
          handle: Effect.fnUntraced(function* (command, session) {
            asked.push(command._tag === "Foreign" ? command.verb : command._tag)
            if (command._tag !== "Foreign" || command.verb !== "ADD") return "Unserved"
            const [trId = "", ...parameters] = command.parameters
            const answer = { ...command, parameters: [trId, "FL", "2", ...parameters.slice(1)] }
            assert.isTrue(yield* session.send(answer))
            return "Served"
          }),
        },
        "MSNP5",
      )
      yield* peer.say("CHG 4 NLN\r\nADD 5 FL a@b a@b\r\nREM 6 FL a@b\r\nUSR 7 MD5 X\r\nPNG\r\n")
      assert.strictEqual(yield* heard(peer, 5), crlf("CHG 4 NLN", "ADD 5 FL 2 a@b a@b", "502 6", "207 7", "QNG"))
      assert.deepStrictEqual(asked, ["CHG", "ADD", "REM", "Malformed", "PNG"])
    }),
  )

  it.effect("is not asked about what comes behind the end of a session", () =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const peer = yield* clientOf(
        {
          handle: (command) => {
            asked.push(command._tag === "Foreign" ? command.verb : command._tag)
            return Effect.succeed("Unserved")
          },
        },
        "MSNP7",
      )
      yield* peer.say("PNG\r\nCHG 4 XXX\r\nADD 5 FL a@b a@b\r\n")
      assert.strictEqual(yield* peer.rest, "QNG\r\n")
      assert.deepStrictEqual(asked, ["PNG", "CHG"])
    }),
  )

  it.effect("takes from the built-in session what that would serve", () =>
    Effect.gen(function* () {
      const peer = yield* clientOf(
        {
          handle: (command) =>
            Effect.succeed(command._tag === "Foreign" && command.verb === "MSG" ? ("Served" as const) : "Unserved"),
        },
        "MSNP5",
      )
      yield* peer.say("MSG 5 U 3\r\nabcPNG\r\n")
      assert.strictEqual(yield* peer.line, "QNG\r\n")
    }),
  )
})

/** The system message that says in how many minutes the server goes down, with the draft's 88 bytes. */
const warning = (left: number) =>
  `MSG Hotmail Hotmail 88\r\n${crlf("MIME-Version: 1.0", "Content-Type: application/x-msmsgssystemmessage", "", "Type: 1", `Arg1: ${left}`)}`

describe("a server that is about to go down", () => {
  it.effect(
    "says in how many minutes, each time that it knows, and goes on meanwhile",
    () =>
      Effect.gen(function* () {
        const { connect, warn } = yield* serve(SessionServer.serve())
        const peer = yield* signIn(connect, "MSNP2")
        yield* warn(5)
        assert.strictEqual(yield* heard(peer, 6), warning(5))
        yield* peer.say("PNG\r\n")
        assert.strictEqual(yield* peer.line, "QNG\r\n")
        yield* warn(1)
        assert.strictEqual(yield* heard(peer, 6), warning(1))
      }),
    { tags: ["closing.warning"] },
  )

  it.effect(
    "says so behind the profile to a client whose session was about to begin",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_050_223_025_000)
        const known = yield* Deferred.make<Lists.Lists>()
        const { connect, warn } = yield* serve(SessionServer.serve({ lists: () => Deferred.await(known) }))
        const peer = yield* connect
        yield* logIn(peer, "MSNP2")
        yield* warn(5)
        yield* Deferred.succeed(known, Lists.empty)
        assert.match(yield* heard(peer, profileLines("MSNP2")), /^MSG Hotmail Hotmail 95\r\n/)
        assert.strictEqual(yield* heard(peer, 6), warning(5))
      }),
    { tags: ["closing.warning"] },
  )
})
