import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Network from "../../src/net/Network.ts"
import * as World from "../support/World.ts"

const free: Network.Endpoint = { listen: { host: "127.0.0.1", port: 0 }, advertise: Option.none() }

const plan: Network.Plan = { dispatch: Option.some(free), notification: [free], referTo: [] }

describe("a network", () => {
  it.live(
    "logs clients in by way of its dispatch server, with a directory that lives as long as it does",
    () =>
      Effect.gen(function* () {
        const life: Array<string> = []
        const directory = Layer.unwrap(
          Effect.as(
            Effect.acquireRelease(
              Effect.sync(() => life.push("opened")),
              () => Effect.sync(() => life.push("closed")),
            ),
            Directory.layerElsewhere(() =>
              Effect.sync(() => {
                life.push("asked")
                return Option.some(World.alice)
              }),
            ),
          ),
        )
        yield* Effect.gen(function* () {
          const { dispatch, notification } = yield* Network.Network
          const server = yield* Effect.fromOption(dispatch)
          const { account, password } = World.alice
          const session = yield* LoginClient.login({ server: server.bound, account, password })
          assert.deepStrictEqual([session.server], [notification[0]?.bound])
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.provide(Network.layer(plan), Layer.merge(directory, Presence.layerMemory))),
        )
        assert.deepStrictEqual(life, ["opened", "asked", "closed"])
      }),
    { tags: ["connect.dispatch", "session.dispatch", "session.notification"] },
  )

  it.live("listens nowhere where one of its servers cannot listen", () =>
    Effect.gen(function* () {
      const taken = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
      const impossible = { ...plan, notification: [{ listen: taken.address, advertise: Option.none() }] }
      const error = yield* Effect.flip(Effect.scoped(Network.make(impossible, LoginServer.hearOnly)))
      assert.strictEqual(error._tag, "ListenError")
      assert.include(error.message, "the port is in use")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Directory.layerMemory([]), Presence.layerMemory))),
  )
})
