/**
 * What the clients of the time wrote, byte by byte, said to our server; and what the servers of the time wrote, said to
 * our client. Where a line was captured on Microsoft's servers, or a real client said it, the name of the test says so.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Admission from "../../src/host/Admission.ts"
import * as Referrals from "../../src/host/Referrals.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as LoginClient from "../../src/net/LoginClient.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

type Host = Layer.Layer<Admission.Admission>

/** A client that has just connected to a server that decides so. */
const connect = (admission: Host, onSession?: LoginServer.OnSession<never>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    yield* World.serve(network.listen(World.notificationAddress), admission, {}, onSession)
    return yield* Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory)
  })

/** What the server says to each of these, said one after the other. */
const converse = (peer: Peer.Peer, ...said: ReadonlyArray<string>) =>
  Effect.forEach(said, (line) => Effect.andThen(peer.say(line), peer.line))

/** All that a server says to this, and to the end of it. */
const hears = (admission: Host, said: string) =>
  Effect.gen(function* () {
    const peer = yield* connect(admission)
    yield* peer.say(said)
    yield* peer.finish
    return yield* peer.rest
  }).pipe(Effect.scoped)

const named = (account: string, friendlyName: string) =>
  World.entry(account, { friendlyName: FriendlyName.FriendlyName.make(friendlyName) })

/** The words of a line that was heard. */
const words = (line = ""): ReadonlyArray<string> => line.trimEnd().split(" ")

/** The answer to a challenge line of ours, for the password of the page on MD5. */
const answerTo = (line: string): string => {
  const challenge = Challenge.Challenge.make(words(line)[4] ?? "")
  return Redacted.value(Challenge.respond(challenge, Redacted.make(World.password)))
}

describe("our server and the clients of the time", () => {
  it.effect(
    "a dispatch server says to the official client what Microsoft's said (hypothetic.org 2.0, June 2003)",
    () =>
      Effect.gen(function* () {
        const admission = Admission.layerDispatch({
          self: Referrals.elsewhere({ host: "207.46.104.20", port: 1863 }),
          servers: [Referrals.elsewhere({ host: "207.46.106.118", port: 1863 })],
        })
        const peer = yield* connect(admission)
        assert.deepStrictEqual(
          yield* converse(
            peer,
            "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
            "INF 2\r\n",
            "USR 3 MD5 I alice@hotmail.com\r\n",
          ),
          [
            "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
            "INF 2 MD5\r\n",
            "XFR 3 NS 207.46.106.118:1863 0 207.46.104.20:1863\r\n",
          ],
        )
        assert.strictEqual(yield* peer.rest, "")
      }),
    { tags: ["session.dispatch"] },
  )

  it.effect("a notification server says to it what Microsoft's said (hypothetic.org 2.0, June 2003)", () =>
    Effect.gen(function* () {
      const peer = yield* connect(World.layerExample([named("alice@hotmail.com", "Alice")]))
      assert.deepStrictEqual(
        yield* converse(
          peer,
          "VER 4 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
          "INF 5\r\n",
          "USR 6 MD5 I alice@hotmail.com\r\n",
          `USR 7 MD5 S ${World.digest}\r\n`,
        ),
        [
          "VER 4 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
          "INF 5 MD5\r\n",
          "USR 6 MD5 S 1013928519.693957190\r\n",
          "USR 7 OK alice@hotmail.com Alice 1\r\n",
        ],
      )
    }),
  )

  it.effect(
    "takes the seed's example session, TrID 0 and all (seed, February 2002)",
    () =>
      Effect.gen(function* () {
        const peer = yield* connect(World.layerExample([World.alice]))
        assert.deepStrictEqual(
          yield* converse(
            peer,
            "VER 0 MSNP7\r\n",
            "INF 1\r\n",
            "USR 2 MD5 I alice@hotmail.com\r\n",
            `USR 3 MD5 S ${World.digest}\r\n`,
          ),
          [
            "VER 0 MSNP7\r\n",
            "INF 1 MD5\r\n",
            "USR 2 MD5 S 1013928519.693957190\r\n",
            "USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n",
          ],
        )
      }),
    { tags: ["session.notification"] },
  )

  it.effect("answers VER as Microsoft's servers did (hypothetic.org 2.0; seed)", () =>
    Effect.gen(function* () {
      const host = World.layerExample()
      assert.strictEqual(yield* hears(host, "VER 15 MSNP7 FOO BAR\r\n"), "VER 15 MSNP7\r\n")
      assert.strictEqual(yield* hears(host, "VER 0 MYPROTOCOL\r\n"), "VER 0 0\r\n")
      assert.strictEqual(yield* hears(host, "VER MSNP7\r\n"), "")
      assert.strictEqual(yield* hears(host, "VER 1 MSNP8 CVR0\r\n"), "VER 1 0\r\n")
    }),
  )

  it.effect("signs MSN Messenger 1.0.0863 in, and hands over what it says then (a real client, 2022)", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const ended = yield* Deferred.make<void>()
      const peer = yield* connect(World.layerExample([named("jd@hotmail.com", "JD")]), (session) =>
        Stream.runForEach(session.commands, (command) =>
          Effect.sync(() => {
            if (command._tag !== "Malformed") lines.push(Result.getOrThrow(Codec.encodeClient(command)))
          }),
        ).pipe(Effect.andThen(Deferred.succeed(ended, undefined))),
      )
      const heard = yield* converse(peer, "VER 139 MSNP2 CVR0\r\n", "INF 140\r\n", "USR 141 MD5 I jd@hotmail.com\r\n")
      assert.deepStrictEqual(heard.slice(0, 2), ["VER 139 MSNP2 CVR0\r\n", "INF 140 MD5\r\n"])
      const signedIn = yield* converse(peer, `USR 142 MD5 S ${answerTo(heard[2] ?? "")}\r\n`)
      assert.deepStrictEqual(signedIn, ["USR 142 OK jd@hotmail.com JD\r\n"])
      const further = ["SYN 143 0\r\n", "CHG 144 NLN\r\n", "CVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863\r\n"]
      yield* peer.say(further.join(""))
      yield* peer.say("OUT\r\n")
      assert.strictEqual(yield* peer.rest, "")
      yield* Deferred.await(ended)
      assert.deepStrictEqual(lines, further)
    }),
  )

  for (const [version, offer, answer] of [
    ["1.0", "MSNP2 CVR0", "MSNP2 CVR0"],
    ["2.0", "MSNP3 MSNP2 CVR0", "MSNP3 MSNP2 CVR0"],
    ["2.1", "MSNP4 MSNP3 CVR0", "MSNP4 MSNP3 CVR0"],
    ["3.0", "MSNP5 MSNP4 CVR0", "MSNP5 MSNP4 CVR0"],
    ["3.6.0038", "MSNP6 MSNP5 MSNP4 CVR0", "MSNP6 MSNP5 MSNP4 CVR0"],
    ["4.5", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0"],
    ["5.0, which speaks none of these dialects", "MSNP8 CVR0", "0"],
  ] as const) {
    it.effect(`answers the offer of MSN Messenger ${version} (WIKI)`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* hears(World.layerExample(), `VER 1 ${offer}\r\n`), `VER 1 ${answer}\r\n`)
      }),
    )
  }

  it.effect("takes aMSN's space before the line end, and gives it the tokens CVR0 and MD5 (aMSN 2002)", () =>
    Effect.gen(function* () {
      const peer = yield* connect(World.layerExample())
      const [ver, inf, usr] = yield* converse(
        peer,
        "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
        "INF 2 \r\n",
        "USR 3 MD5 I alice@hotmail.com\r\n",
      )
      assert.include(words(ver), "CVR0")
      assert.include(words(inf), "MD5")
      const [ok] = yield* converse(peer, `USR 4 MD5 S ${answerTo(usr ?? "")}\r\n`)
      assert.strictEqual(ok, "USR 4 OK alice@hotmail.com My%20Screen%20Name 1\r\n")
    }),
  )

  it.effect("gives Gaim the token MSNP5, and OK as the second word (Gaim 2003)", () =>
    Effect.gen(function* () {
      const peer = yield* connect(World.layerExample())
      const [ver, , usr] = yield* converse(
        peer,
        "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
        "INF 2\r\n",
        "USR 3 MD5 I alice@hotmail.com\r\n",
      )
      assert.include(words(ver), "MSNP5")
      const [ok] = yield* converse(peer, `USR 4 MD5 S ${answerTo(usr ?? "")}\r\n`)
      assert.strictEqual(words(ok)[2], "OK")
    }),
  )

  it.effect("takes ayttm's TrIDs from 10 and its digest in sixteen writes, and says MSNP7 first (ayttm 2003)", () =>
    Effect.gen(function* () {
      const peer = yield* connect(World.layerExample())
      const [ver, usr] = yield* converse(peer, "VER 10 MSNP7\r\n", "USR 11 MD5 I alice@hotmail.com\r\n")
      assert.strictEqual(ver, "VER 10 MSNP7\r\n")
      yield* peer.say("USR 12 MD5 S ")
      const digest = answerTo(usr ?? "")
      for (let place = 0; place < digest.length; place += 2) yield* peer.say(digest.slice(place, place + 2))
      yield* peer.say("\r\n")
      const ok = yield* peer.line
      assert.strictEqual(ok, "USR 12 OK alice@hotmail.com My%20Screen%20Name 1\r\n")
      assert.isAtLeast(words(ok).length, 5)
    }),
  )

  it.effect("takes the same TrID for both USR, a time (Kopete)", () =>
    Effect.gen(function* () {
      const peer = yield* connect(World.layerExample())
      const [, usr] = yield* converse(peer, "VER 1 MSNP7\r\n", "USR 1056561624 MD5 I alice@hotmail.com\r\n")
      assert.strictEqual(usr, "USR 1056561624 MD5 S 1013928519.693957190\r\n")
      const [ok] = yield* converse(peer, `USR 1056561624 MD5 S ${World.digest}\r\n`)
      assert.strictEqual(ok, "USR 1056561624 OK alice@hotmail.com My%20Screen%20Name 1\r\n")
    }),
  )

  it.effect("takes the TrID 0 in VER (Adium 2003)", () =>
    Effect.gen(function* () {
      const said = "VER 0 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n"
      assert.strictEqual(yield* hears(World.layerExample(), said), said)
    }),
  )

  it.effect(
    "takes the lines that the seed suggests for the dispatch server",
    () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* hears(World.layerReferring(World.notificationAddress), "VER 0 MSNP2\nUSR 1 MD5 I a@b.c\n"),
          "VER 0 MSNP2\r\nXFR 1 NS 10.0.0.5:1863\r\n",
        )
      }),
    { tags: ["efficiency.packet", "efficiency.any-account", "efficiency.lf"] },
  )

  it("reads the answers whose passwords nobody knows as what they are (seed; hypothetic.org 2.0; a real 1.0)", () => {
    for (const [line, trId, digest] of [
      ["USR 3 MD5 S 23e54a439a6a17d15025f4c6cbd0f6b5\r\n", 3, "23e54a439a6a17d15025f4c6cbd0f6b5"],
      ["USR 7 MD5 S ae931a41daebc7703b84beba4183bc2f\r\n", 7, "ae931a41daebc7703b84beba4183bc2f"],
      ["USR 142 MD5 S 8f03d9aaca85a468f1625c10652c3c91\r\n", 142, "8f03d9aaca85a468f1625c10652c3c91"],
    ] as const) {
      const taken = Line.take(line, Line.noPayloads, Line.serverLimits)
      assert.strictEqual(taken._tag, "Whole")
      if (taken._tag !== "Whole") continue
      const command = Result.getOrThrow(Codec.decodeClient(taken.frame))
      assert.strictEqual(command._tag, "UsrRespond")
      if (command._tag !== "UsrRespond") continue
      assert.strictEqual(Number(command.trId), trId)
      assert.strictEqual(String(Redacted.value(command.digest)), digest)
    }
  })
})

describe("our client and the servers of the time", () => {
  /** Logs in without INF at a server that says these lines, one to each of the client's: VER, USR I, USR S. */
  const login = (options: {
    readonly account: string
    readonly dialects: readonly [Dialect.Dialect, ...Array<Dialect.Dialect>]
    readonly at?: Address.Address
    readonly strategy?: LoginClient.Strategy
    readonly answers: ReadonlyArray<string>
    readonly referred?: readonly [Address.Address, ReadonlyArray<string>]
  }) =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const scope: Scope.Scope = yield* Effect.scope
      const play = (address: Address.Address, answers: ReadonlyArray<string>) =>
        network.listen(address).accept(({ socket }) => {
          const end: MemorySocket.End = { socket, said: () => "", close: Effect.void, reset: Effect.void }
          const playing = Effect.gen(function* () {
            const peer = yield* Peer.inMemory(end)
            for (const answer of answers) {
              yield* peer.line
              yield* peer.say(`${answer}\r\n`)
            }
            // Behind a referral or an error the server closes the connection.
            if (!/^(XFR|[0-9]{3})/.test(answers.at(-1) ?? "")) yield* peer.rest
          })
          Effect.runFork(Effect.forkIn(Effect.scoped(playing), scope))
        })
      const at = options.at ?? World.dispatchAddress
      play(at, options.answers)
      if (options.referred !== undefined) play(...options.referred)
      return yield* World.loginOver(network, {
        account: Account.Account.make(options.account),
        password: Redacted.make(World.password),
        server: at,
        dialects: options.dialects,
        strategy: options.strategy ?? "no-inf",
      })
    })

  const challengedAt = (trId: number) => `USR ${trId} MD5 S 1013928519.693957190`

  it.effect("is signed in by Microsoft's servers of June 2003, by way of a referral (hypothetic.org 2.0)", () =>
    Effect.gen(function* () {
      const session = yield* login({
        account: "alice@hotmail.com",
        dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
        strategy: "official",
        answers: [
          "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
          "INF 2 MD5",
          "XFR 3 NS 207.46.106.118:1863 0 207.46.104.20:1863",
        ],
        referred: [
          { host: "207.46.106.118", port: 1863 },
          [
            "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
            "INF 2 MD5",
            "USR 3 MD5 S 1056561624.17795",
            "USR 4 OK alice@hotmail.com Alice 1",
          ],
        ],
      })
      assert.strictEqual(session.dialect, "MSNP7")
      assert.strictEqual(session.friendlyName, "Alice")
      assert.deepStrictEqual(session.verified, Option.some(true))
    }),
  )

  it.effect("is signed in by the server that real 1.0 clients were tried with (a hobby server, 2022)", () =>
    Effect.gen(function* () {
      const session = yield* login({
        account: "jd@hotmail.com",
        dialects: ["MSNP2"],
        strategy: "official",
        answers: ["VER 1 MSNP2", "INF 2 MD5", challengedAt(3), "USR 4 OK jd@hotmail.com JD"],
      })
      assert.strictEqual(session.dialect, "MSNP2")
      assert.strictEqual(session.friendlyName, "JD")
      assert.deepStrictEqual(session.verified, Option.none())
    }),
  )

  it.effect("takes CVR0 before the dialect (MSNPIKI), and one name alone (Microsoft's servers from 2008 on)", () =>
    Effect.gen(function* () {
      for (const ver of ["VER 1 CVR0 MSNP7", "VER 1 MSNP7"]) {
        const session = yield* login({
          account: "alice@hotmail.com",
          dialects: ["MSNP7"],
          answers: [ver, challengedAt(2), "USR 3 OK alice@hotmail.com Alice 1"],
        })
        assert.strictEqual(session.dialect, "MSNP7")
      }
    }),
  )

  it.effect("takes a list of security packages that MD5 is in (WIKI: INF 1 MD5 CTP)", () =>
    Effect.gen(function* () {
      const session = yield* login({
        account: "example@hotmail.com",
        dialects: ["MSNP2"],
        strategy: "official",
        answers: [
          "VER 1 MSNP2 CVR0",
          "INF 2 MD5 CTP",
          challengedAt(3),
          "USR 4 OK example@hotmail.com example%40hotmail.com",
        ],
      })
      assert.strictEqual(session.friendlyName, "example@hotmail.com")
    }),
  )

  it.effect("takes the verified flag where it stands (WIKI: MSNP6)", () =>
    Effect.gen(function* () {
      const session = yield* login({
        account: "example@hotmail.com",
        dialects: ["MSNP6"],
        answers: ["VER 1 MSNP6", challengedAt(2), "USR 3 OK example@hotmail.com example%20user 1"],
      })
      assert.strictEqual(session.friendlyName, "example user")
      assert.deepStrictEqual(session.verified, Option.some(true))
    }),
  )

  for (const [dialect, xfr, to] of [
    ["MSNP2", "XFR 2 NS 10.0.0.5:1863", { host: "10.0.0.5", port: 1863 }],
    ["MSNP3", "XFR 2 NS 10.0.0.5:1863 0", { host: "10.0.0.5", port: 1863 }],
    ["MSNP7", "XFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863", { host: "10.0.0.5", port: 1863 }],
    ["MSNP7", "XFR 2 NS 64.4.12.132:1862 0", { host: "64.4.12.132", port: 1862 }],
    ["MSNP7", "XFR 2 NS 64.4.12.133 0", { host: "64.4.12.133", port: 1863 }],
  ] as const) {
    it.effect(`follows \`${xfr}\` (${xfr.includes("64.4") ? "hypothetic.org 1" : "WIKI"})`, () =>
      Effect.gen(function* () {
        const flag = dialect === "MSNP7" ? " 1" : ""
        const session = yield* login({
          account: "example@hotmail.com",
          dialects: [dialect],
          answers: [`VER 1 ${dialect}`, xfr],
          referred: [to, [`VER 1 ${dialect}`, challengedAt(2), `USR 3 OK example@hotmail.com Example${flag}`]],
        })
        assert.deepStrictEqual(session.server, to)
      }),
    )
  }

  it.effect("takes what hypothetic.org's first edition shows of USR OK", () =>
    Effect.gen(function* () {
      const session = yield* login({
        account: "example@passport.com",
        dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
        answers: [
          "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
          challengedAt(2),
          "USR 3 OK example@passport.com My%20Screen%20Name 1",
        ],
      })
      assert.strictEqual(session.friendlyName, "My Screen Name")
    }),
  )

  it.effect("is turned down with the codes that are on record, with and without a TrID (WIKI; draft 7.11)", () =>
    Effect.gen(function* () {
      for (const line of ["911 3", "923 3", "924 3", "911", "911 3 It's over dude"]) {
        const error = yield* Effect.flip(
          login({
            account: "example@hotmail.com",
            dialects: ["MSNP7"],
            answers: ["VER 1 MSNP7", challengedAt(2), line],
          }),
        )
        assert.strictEqual(error._tag, "Denied", line)
      }
    }),
  )
})
