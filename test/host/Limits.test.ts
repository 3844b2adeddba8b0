import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Limits from "../../src/host/Limits.ts"

describe("limits", () => {
  it.effect("are the defaults where none are named, and else those that are, over the defaults", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Limits.Current, Limits.defaults)
      const some = Effect.provide(Limits.Current, Limits.layer({ connections: 7, loginTimeout: "1 second" }))
      assert.deepStrictEqual(yield* some, { ...Limits.defaults, connections: 7, loginTimeout: "1 second" })
    }),
  )

  it("are whole numbers from 1, or times", () => {
    for (const [name, limit] of Object.entries(Limits.defaults)) {
      const isWhole = typeof limit === "number" && Number.isInteger(limit) && limit >= 1
      const isTime = typeof limit === "string" && Option.isSome(Schema.decodeOption(Schema.DurationFromString)(limit))
      assert.isTrue(isTime || isWhole, name)
    }
  })

  it("have names, and nothing else has: not what every object has either", () => {
    assert.isTrue(Object.keys(Limits.defaults).every(Limits.isName))
    assert.isFalse(Limits.isName("toString"))
    assert.isFalse(Limits.isName("Connections"))
  })
})
