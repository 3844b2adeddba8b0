import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as TrId from "../../src/protocol/TrId.ts"

const isDigits = Schema.is(Schema.toEncoded(TrId.FromWire))
const read = Schema.decodeUnknownSync(TrId.FromWire)
const write = Schema.encodeSync(TrId.FromWire)

describe("the transaction identifier (draft 5.6)", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["139", 139],
    ["4294967295", 4_294_967_295],
  ])("is read from %s, and written so", (digits, trId) => {
    expect(read(digits)).toBe(trId)
    expect(write(TrId.TrId.make(trId))).toBe(digits)
  })

  it.each(["4294967296", "9999999999", "-1", "+1", "1.0", "1e3", "0x1", "", " 1", "1 ", "a", "\u0661", "00000000001"])(
    "is not %j",
    (text) => {
      expect(Schema.decodeUnknownResult(TrId.FromWire)(text)._tag).toBe("Failure")
    },
  )

  it.each([-1, 0.5, 4_294_967_296, Number.NaN, Number.POSITIVE_INFINITY])("can not be the number %d", (n) => {
    expect(Schema.is(TrId.TrId)(n)).toBe(false)
  })

  it("goes up by one, and never comes to 0, which marks what the server says unasked", () => {
    expect(TrId.initial).toBe(1)
    expect(TrId.next(TrId.initial)).toBe(2)
    expect(TrId.next(TrId.TrId.make(TrId.maximum - 1))).toBe(TrId.maximum)
    expect(TrId.next(TrId.TrId.make(TrId.maximum))).toBe(1)
  })

  it("is text on the wire", () => {
    expect(isDigits(1)).toBe(false)
  })
})
