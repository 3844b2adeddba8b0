/**
 * Our client as each of the official ones, at servers that a test plays and at our own, over TCP: what it says, byte by
 * byte, from the first line to the last.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as SessionServer from "../../src/net/SessionServer.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as OfficialClient from "../../src/session/OfficialClient.ts"
import * as Played from "../support/Played.ts"
import * as World from "../support/World.ts"

/** Signs in, waits until this has happened, and logs off. */
const visit = (options: SessionClient.Options, last: SessionClient.Event["_tag"] = "VersionAdvice") =>
  Effect.gen(function* () {
    const session = yield* SessionClient.signIn(options)
    yield* Stream.runDrain(Stream.takeUntil(session.events, ({ _tag }) => _tag === last))
    yield* session.logOff
    return session
  }).pipe(Effect.scoped)

const jd = Account.Account.make("jd@hotmail.com")

/** The real 1.0, which had counted to 138 when it was listened to. */
const firstClient = { ...OfficialClient.options["MSN1.0"], account: jd, trId: TrId.TrId.make(139) }

/** What a client says in a transcript. */
const saidIn = (transcript: string): string =>
  Fs.readFileSync(new URL(`../transcripts/clients/${transcript}.txt`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(">>> "))
    .map((line) => line.slice(">>> ".length))
    .join("")
    .replace("<digest>", World.digest)
    .replaceAll("\\r\\n", "\r\n")

describe("the client as MSN Messenger 1.0", { tags: ["inf.emulate"] }, () => {
  const first = [
    "VER 139 MSNP2 CVR0\r\n",
    "INF 140\r\n",
    "USR 141 MD5 I jd@hotmail.com\r\n",
    `USR 142 MD5 S ${World.digest}\r\n`,
    "SYN 143 0\r\n",
    "CHG 144 NLN\r\n",
    "CVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863\r\n",
    "OUT\r\n",
  ].join("")

  it.live("says what the real one said, and understands what it was told (whatwaschat.blogspot.com)", () =>
    Effect.gen(function* () {
      const { address, heard } = yield* Played.serve(
        Played.answering(
          "VER 139 MSNP2\r\n",
          "INF 140 MD5\r\n",
          `USR 141 MD5 S ${World.challenge}\r\n`,
          "USR 142 OK jd@hotmail.com JD\r\n",
          "SYN 143 0\r\n",
          "CHG 144 NLN\r\n",
          "CVR 145 1.0.0864 1.0.0864 1.0.0863 http://messenger.hotmail.com/mmsetup.exe http://messenger.hotmail.com\r\n",
        ),
      )
      const { dialect, friendlyName } = yield* visit(World.aliceAt(address, firstClient))
      assert.deepStrictEqual([dialect, friendlyName], ["MSNP2", "JD"])
      assert.deepStrictEqual(heard, [first])
    }),
  )

  it.live("says to our server what the transcript of the real one has", () =>
    Effect.gen(function* () {
      const entry = World.entry(jd, { friendlyName: FriendlyName.FriendlyName.make("JD") })
      const server = yield* World.serveTcp(World.layerExample([entry]), {}, SessionServer.serve())
      const { address, connections } = yield* Played.relay(server)
      yield* visit(World.aliceAt(address, firstClient))
      assert.deepStrictEqual(
        connections().map(({ client }) => client),
        [saidIn("messenger-1.0")],
      )
    }),
  )
})

describe("the client as MSN Messenger 4.5", { tags: ["inf.emulate"] }, () => {
  const offer = "MSNP7 MSNP6 MSNP5 MSNP4 CVR0"

  it.live("counts on at the second server, as in the example session of 2003 (hypothetic v2.0)", () =>
    Effect.gen(function* () {
      const notification = yield* Played.serve(
        Played.answering(
          `VER 4 ${offer}\r\n`,
          "INF 5 MD5\r\n",
          `USR 6 MD5 S ${World.challenge}\r\n`,
          "USR 7 OK alice@hotmail.com Alice 1\r\n",
          "SYN 8 0\r\n",
          "CHG 9 NLN\r\nCHL 0 11111111111111111111\r\n",
          "",
          "QRY 11\r\nCVR 10 4.6.0083 4.6.0083 1.0.0000 http://messenger.microsoft.com http://messenger.microsoft.com\r\n",
        ),
      )
      const dispatch = yield* Played.serve(
        Played.closing(
          `VER 1 ${offer}\r\n`,
          "INF 2 MD5\r\n",
          `XFR 3 NS ${Address.format(notification.address)} 0 207.46.104.20:1863\r\n`,
        ),
      )
      yield* visit(World.aliceAt(dispatch.address, OfficialClient.options["MSN4.5"]))
      assert.deepStrictEqual(dispatch.heard, [`VER 1 ${offer}\r\nINF 2\r\nUSR 3 MD5 I alice@hotmail.com\r\n`])
      assert.deepStrictEqual(notification.heard, [
        [
          `VER 4 ${offer}\r\n`,
          "INF 5\r\n",
          "USR 6 MD5 I alice@hotmail.com\r\n",
          `USR 7 MD5 S ${World.digest}\r\n`,
          "SYN 8 0\r\n",
          "CHG 9 NLN\r\n",
          "CVR 10 0x0409 win 4.10 i386 MSMSGS 4.5.0121 MSMSGS\r\n",
          "QRY 11 msmsgs@msnmsgr.com 32\r\n3b6666b60157322b6fc6e41a115968f5",
          "OUT\r\n",
        ].join(""),
      ])
    }),
  )
})

/** A dispatch server and a notification server of ours, with a relay before each, and no challenge while one looks. */
const counted = Effect.gen(function* () {
  const onSession = SessionServer.serve({ limits: { firstChallenge: "1 hour" } })
  const notification = yield* Effect.flatMap(World.serveTcp(World.layerExample(), {}, onSession), Played.relay)
  const dispatch = yield* Effect.flatMap(World.serveTcp(World.layerReferring(notification.address)), Played.relay)
  return { dispatch, notification }
})

describe("the client at a dispatch server of ours, and at the server that it is referred to", () => {
  const clients = [
    ["MSN1.0", "MSNP2", "MSNP2 CVR0", "win 4.0 i386 MSMSGS 1.0.0863"],
    ["MSN2.0", "MSNP3", "MSNP3 MSNP2 CVR0", "win 4.10 i386 MSMSGS 2.0.0083"],
    ["MSN2.1", "MSNP4", "MSNP4 MSNP3 CVR0", "win 4.10 i386 MSMSGS 2.1.1047 MSMSGS"],
    ["MSN2.2", "MSNP4", "MSNP4 MSNP3 CVR0", "win 4.10 i386 MSMSGS 2.2.1053 MSMSGS"],
    ["MSN3.0", "MSNP5", "MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 3.0.0283 MSMSGS"],
    ["MSN3.6", "MSNP6", "MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 3.6.0038 MSMSGS"],
    ["MSN4.5", "MSNP7", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 4.5.0121 MSMSGS"],
    ["MSN4.6", "MSNP7", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 4.6.0083 MSMSGS"],
    ["MSN4.7", "MSNP7", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "winnt 5.1 i386 MSMSGS 4.7.0105 WindowsMessenger"],
  ] as const

  for (const [name, dialect, offer, version] of clients) {
    it.live(`speaks as ${name}, and is let in with ${dialect}`, () =>
      Effect.gen(function* () {
        const { dispatch, notification } = yield* counted
        const session = yield* visit(World.aliceAt(dispatch.address, OfficialClient.options[name]))
        assert.strictEqual(session.dialect, dialect)
        assert.deepStrictEqual(
          dispatch.connections().map(({ trips }) => trips),
          [[`VER 1 ${offer}\r\n`, "INF 2\r\n", "USR 3 MD5 I alice@hotmail.com\r\n"]],
        )
        assert.deepStrictEqual(
          notification.connections().map(({ client }) => client),
          [
            [
              `VER 4 ${offer}\r\nINF 5\r\nUSR 6 MD5 I alice@hotmail.com\r\nUSR 7 MD5 S ${World.digest}\r\n`,
              `SYN 8 0\r\nCHG 9 NLN\r\nCVR 10 0x0409 ${version}\r\nOUT\r\n`,
            ].join(""),
          ],
        )
      }),
    )
  }
})
