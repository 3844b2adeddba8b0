import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Status from "../../src/session/Status.ts"

/** Draft 7.7, and the client's menu. */
const letters = [
  ["NLN", "Online"],
  ["FLN", "Offline"],
  ["HDN", "Hidden"],
  ["BSY", "Busy"],
  ["IDL", "Idle"],
  ["BRB", "BeRightBack"],
  ["AWY", "Away"],
  ["PHN", "OnThePhone"],
  ["LUN", "OutToLunch"],
] as const

describe("a status", () => {
  it.each(letters)("is %s on the wire, and %s in memory", (word, status) => {
    expect(Schema.decodeUnknownSync(Status.FromWire)(word)).toBe(status)
    expect(Schema.encodeSync(Status.FromWire)(status)).toBe(word)
  })

  it("has no other letters", () => {
    expect(Status.Status.literals.toSorted()).toEqual(letters.map(([, status]) => status).toSorted())
    const read = Schema.decodeUnknownResult(Status.FromWire)
    expect(["nln", "XXX", ""].filter((word) => Result.isSuccess(read(word)))).toEqual([])
  })

  it("can be taken if it is not that of somebody who is not there", () => {
    const takeable = letters.filter(([, status]) => Status.isTakeable(status)).map(([word]) => word)
    expect(takeable).toEqual(["NLN", "HDN", "BSY", "IDL", "BRB", "AWY", "PHN", "LUN"])
  })
})
