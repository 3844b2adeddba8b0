import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as Network from "../../src/net/Network.ts"
import * as Readiness from "../../src/net/Readiness.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as World from "../support/World.ts"

const freePort: Address.Address = { host: "127.0.0.1", port: 0 }

describe("a network", () => {
  const plan: Network.Plan = {
    dispatch: Option.some({ listen: freePort, advertise: Option.none() }),
    notification: [{ listen: freePort, advertise: Option.none() }],
    gateway: Option.none(),
    referTo: [],
  }
  const networkOver = (directory: Layer.Layer<Directory.Directory>) =>
    Effect.flatMap(Layer.build(Network.layer(plan).pipe(Layer.provide([directory, Presence.layerMemory]))), (context) =>
      Effect.provideContext(Network.Network, context),
    )

  it.live("is ready while its accounts answer, until it goes down", () =>
    Effect.gen(function* () {
      const { goDown, readiness } = yield* networkOver(Directory.layerMemory([World.alice]))
      assert.strictEqual(yield* readiness, "Ready")
      yield* goDown(0)
      assert.strictEqual(yield* readiness, "GoingDown")
    }),
  )

  it.live("is not ready where its accounts fail, or do not answer in a second", () =>
    Effect.gen(function* () {
      const down = new Directory.DirectoryError({ message: "The database is down." })
      const failing = yield* networkOver(Directory.layerElsewhere(() => Effect.fail(down)))
      assert.strictEqual(yield* failing.readiness, "NoDirectory")
      const silent = yield* networkOver(Directory.layerElsewhere(() => Effect.never))
      assert.strictEqual(yield* silent.readiness, "NoDirectory")
    }),
  )

  it.effect("asks its accounts once a second, however often it is asked", () =>
    Effect.gen(function* () {
      let asked = 0
      const counting = Directory.layerElsewhere(() => Effect.sync(() => (asked++, Option.none())))
      const readiness = yield* Effect.provide(Readiness.ofDirectory, counting)
      yield* Effect.all([readiness, readiness, readiness])
      assert.strictEqual(asked, 1)
    }),
  )
})
