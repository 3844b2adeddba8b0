import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Address from "../../src/protocol/Address.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

const tries = 1000

/** So many at a time: enough to be quick, and few enough for the system's buffers. */
const concurrency = 20

/** More than our side reads ahead, and more than the system takes in: most of it is unread when we close. */
const unread = "X".repeat(300 * 1024)

/** Says this, and at once 300 KB more; what is answered, to the end of the connection. */
const answerTo = (server: Address.Address, said: string): Effect.Effect<string> =>
  Effect.scoped(
    Effect.gen(function* () {
      const peer = yield* Peer.connect(server)
      yield* peer.say(said + unread)
      return yield* peer.rest
    }),
  )

/** Tries it a thousand times; how often each answer came. */
const answers = (once: Effect.Effect<string>) =>
  Effect.gen(function* () {
    const counts = new Map<string, number>()
    const all = yield* Effect.forEach(Array.from({ length: tries }), () => once, { concurrency })
    for (const answer of all) counts.set(answer, (counts.get(answer) ?? 0) + 1)
    return counts
  })

const ver = "VER 1 MSNP7\r\n"
const usr = "USR 2 MD5 I alice@hotmail.com\r\n"
const challenged = `USR 2 MD5 S ${World.challenge}\r\n`

describe(`the last word arrives ${tries} of ${tries} times, over TCP, with 300 KB of the peer's unread`, () => {
  for (const [word, admission, said, answer] of [
    ["715", World.layerExample(), `${ver}${usr}INF 3\r\n`, `${ver}${challenged}715 3\r\n`],
    ["911", World.layerExample(), `${ver}${usr}USR 3 MD5 S ${"0".repeat(32)}\r\n`, `${ver}${challenged}911 3\r\n`],
    [
      "XFR",
      World.layerReferring(World.notificationAddress),
      ver + usr,
      `${ver}XFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863\r\n`,
    ],
    ["VER 0", World.layerExample(), "VER 1 MSNP99\r\n", "VER 1 0\r\n"],
  ] as const) {
    it.live(
      word,
      () =>
        Effect.gen(function* () {
          const server = yield* World.serveTcp(admission)
          assert.deepStrictEqual(yield* answers(answerTo(server, said)), new Map([[answer, tries]]))
          yield* Resources.until(() => Resources.connections() === 0)
        }),
      120_000,
    )
  }

  /** As many accounts as there are tries at a time, so that no two tries put each other off. */
  const accounts = Array.from({ length: concurrency }, (_, i) => World.entry(`user${i}@hotmail.com`))
  const signedIn = `${ver}${challenged}USR 3 OK alice@hotmail.com My%20Screen%20Name 1\r\n`
  const signIn = `${ver}${usr}USR 3 MD5 S ${World.digest}\r\n`

  it.live(
    "OUT OTH",
    () =>
      Effect.gen(function* () {
        // An application that takes nothing of what the client says, and is not waited for.
        const limits = { farewellTimeout: "1 millis" } as const
        const server = yield* World.serveTcp(World.layerExample(accounts), { limits }, () => Effect.never)
        let next = 0
        const once = Effect.suspend(() => {
          const account = accounts[next++ % accounts.length]?.account ?? World.alice.account
          const as = (text: string) => text.replace("alice@hotmail.com", account)
          return Effect.scoped(
            Effect.gen(function* () {
              const first = yield* Peer.connect(server)
              yield* first.say(as(signIn))
              const heard = (yield* first.line) + (yield* first.line) + (yield* first.line)
              assert.strictEqual(heard, as(signedIn))
              yield* first.say("PNG\r\n".repeat(60 * 1024))
              const second = yield* Peer.connect(server)
              yield* second.say(as(signIn))
              return yield* first.rest
            }),
          )
        })
        assert.deepStrictEqual(yield* answers(once), new Map([["OUT OTH\r\n", tries]]))
      }),
    120_000,
  )
})
