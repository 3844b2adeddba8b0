import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Count from "../../src/session/Count.ts"

const read = Schema.decodeUnknownResult(Count.FromWire)

describe("a number of a session", () => {
  it.each([
    ["0", 0],
    ["12183", 12183],
    ["4294967295", 4294967295],
    ["0000000001", 1],
  ])("is read from %s", (word, number) => {
    expect(read(word)).toEqual(Result.succeed(number))
  })

  it.each(["", "-1", "1.5", "x", "1e3", "4294967296", "00000000001"])("is not read from %j", (word) => {
    expect(Result.isFailure(read(word))).toBe(true)
  })

  it("is written without zeros in front", () => {
    expect(Schema.encodeSync(Count.FromWire)(12183)).toBe("12183")
  })
})
