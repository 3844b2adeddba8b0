import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as ErrorCode from "../../src/protocol/ErrorCode.ts"

const read = (word: string) => Schema.decodeUnknownResult(ErrorCode.FromWire)(word)

describe("an error code", () => {
  it.each(["100", "200", "715", "911", "999"])("is three digits: %s", (word) => {
    expect(read(word)).toEqual(Result.succeed(Number(word)))
    expect(Schema.encodeSync(ErrorCode.FromWire)(Number(word))).toBe(word)
  })

  it.each(["", "99", "099", "000", "1000", "9 1", "91a", "VER", "-11"])("is not %j", (word) => {
    expect(Result.isFailure(read(word))).toBe(true)
  })
})

describe("the blame for a code that answers a login", () => {
  // The meanings are those of the draft, 7.11, and for 731 and 910 to 924 of hypothetic v2 and the wikis.
  it.each([
    [911, "authentication failed"],
    [917, "authentication failed"],
    [923, "without parental consent"],
    [924, "not verified"],
  ])("of %d is the credentials': %s", (code, meaning) => {
    expect(ErrorCode.blame(code)).toBe("Credentials")
    expect(ErrorCode.describe(code)).toContain(meaning)
  })

  it.each([500, 501, 502, 600, 601, 602, 603, 604, 605, 707, 910, 914, 915, 916, 918, 919, 920, 921, 922])(
    "of %d is the server's",
    (code) => {
      expect(ErrorCode.blame(code)).toBe("Server")
    },
  )

  it.each([200, 201, 206, 207, 302, 540, 710, 715, 731])("of %d is that of our own commands", (code) => {
    expect(ErrorCode.blame(code)).toBe("Commands")
  })

  it("of a code that no source explains is the server's from 500 on, and below that of our own commands", () => {
    for (const code of [500, 599, 709, 711, 716, 730, 732, 999]) expect(ErrorCode.blame(code)).toBe("Server")
    for (const code of [100, 250, 499]) expect(ErrorCode.blame(code)).toBe("Commands")
  })

  it("falls on somebody for every code that there can be", () => {
    for (let code = 100; code <= 999; code++) {
      expect(["Credentials", "Server", "Commands"]).toContain(ErrorCode.blame(code))
      expect(ErrorCode.describe(code)).not.toBe("")
    }
  })
})

describe("what a host may say", () => {
  it("is one of three denials (seed: 911; the wiki: 923, 924), or one of four troubles (seed)", () => {
    expect(ErrorCode.Denial.literals).toEqual([911, 923, 924])
    expect(ErrorCode.Trouble.literals).toEqual([500, 601, 910, 921])
  })

  it("is a denial or a confession, never both", () => {
    expect(ErrorCode.Denial.literals.every((code) => ErrorCode.isDenial(code))).toBe(true)
    expect(ErrorCode.Trouble.literals.some((code) => ErrorCode.isDenial(code))).toBe(false)
  })
})
