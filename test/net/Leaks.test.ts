import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LoginClient from "../../src/net/LoginClient.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Peer from "../support/Peer.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

/** What nobody caught, in this file's process. */
const uncaught: Array<unknown> = []
const note = (error: unknown) => void uncaught.push(error)

beforeAll(() => {
  process.on("unhandledRejection", note)
  process.on("uncaughtExceptionMonitor", note)
})

afterAll(() => {
  process.off("unhandledRejection", note)
  process.off("uncaughtExceptionMonitor", note)
})

const opening = "VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`

/** Runs it many times against both servers; afterwards nothing but the servers is open, and then nothing at all. */
const leavesNothing = (
  times: number,
  run: (servers: { readonly dispatch: Address.Address; readonly notification: Address.Address }) => Effect.Effect<void>,
) =>
  Effect.gen(function* () {
    yield* Resources.until(() => Resources.connections() === 0 && Resources.count("TCPServerWrap") === 0)
    let open = 0
    yield* Effect.gen(function* () {
      const onSession: LoginServer.OnSession<never> = (session) =>
        Effect.acquireUseRelease(
          Effect.sync(() => open++),
          () => Stream.runDrain(session.commands),
          () => Effect.sync(() => open--),
        )
      const notification = yield* World.serveTcp(World.layerExample(), {}, onSession)
      const dispatch = yield* World.serveTcp(World.layerReferring(notification))
      yield* Effect.forEach(Array.from({ length: times }), () => run({ dispatch, notification }), {
        concurrency: 10,
        discard: true,
      })
      yield* Resources.until(() => Resources.connections() === 0 && open === 0)
      assert.strictEqual(Resources.count("TCPServerWrap"), 2)
    }).pipe(Effect.scoped)
    yield* Resources.until(() => Resources.connections() === 0 && Resources.count("TCPServerWrap") === 0)
    assert.deepStrictEqual(uncaught, [])
  })

describe("nothing stays open", () => {
  it.live("after logins that log off", () =>
    leavesNothing(100, ({ dispatch }) =>
      LoginClient.login(World.aliceAt(dispatch)).pipe(
        Effect.flatMap(({ logOff }) => logOff),
        Effect.scoped,
        Effect.orDie,
      ),
    ),
  )

  it.live("after logins whose scope just closes", () =>
    leavesNothing(100, ({ dispatch }) =>
      LoginClient.login(World.aliceAt(dispatch)).pipe(Effect.asVoid, Effect.scoped, Effect.orDie),
    ),
  )

  it.live("after logins with a wrong password", () =>
    leavesNothing(100, ({ dispatch }) =>
      LoginClient.login(World.aliceAt(dispatch, { password: Redacted.make("wrong") })).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.asVoid,
        Effect.orDie,
      ),
    ),
  )

  it.live("after logins that are interrupted at any moment", () => {
    let turn = 0
    return leavesNothing(100, ({ dispatch }) =>
      Effect.gen(function* () {
        const turns = turn++
        const logging = yield* Effect.forkChild(Effect.scoped(LoginClient.login(World.aliceAt(dispatch))), {
          startImmediately: true,
        })
        for (let index = 0; index < turns % 20; index++) {
          yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        }
        yield* Fiber.interrupt(logging)
      }),
    )
  })

  it.live("after peers that reset, half-close or vanish at any moment", () => {
    let turn = 0
    const conversations = ["", "VER 1 MS", "VER 1 MSNP7\r\n", opening, opening + answer, `${opening}${answer}OUT\r\n`]
    return leavesNothing(100, ({ notification }) =>
      Effect.gen(function* () {
        const turns = turn++
        const peer = yield* Peer.connect(notification)
        yield* peer.say(conversations[turns % conversations.length] ?? "")
        if (turns % 3 === 0) yield* peer.reset
        if (turns % 3 === 1) {
          yield* peer.finish
          yield* peer.rest
        }
      }).pipe(Effect.scoped),
    )
  })
})
