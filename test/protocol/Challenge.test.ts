import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Challenge from "../../src/protocol/Challenge.ts"

const respond = (challenge: string, password: string) =>
  Redacted.value(Challenge.respond(Challenge.Challenge.make(challenge), Redacted.make(password)))

const digest = (digits: string) => Redacted.make(Challenge.Digest.make(digits))

describe("the answer to a challenge", () => {
  it.each([
    ["abcdefg", "1234567", "d1713d0f1d2e8fae230328d8fd59de01", "hypothetic v2.0, md5"],
    ["1013928519.693957190", "mypassword", "6f3963009fc8a9d2b2ff137da0905c55", "hypothetic v2.0, md5"],
    ["1234567890.123456789", "password", "f59af8f2fa91d38aff7c870c17f99903", "the wiki's USR page"],
    ["15570131571988941333", "Q1P7W2E4J9R8U3S5", "8f2f5a91b72102cd28355e9fc9000d6e", "hypothetic v2.0, challenges"],
    ["12345678901234567890", "Q1P7W2E4J9R8U3S5", "8ba1bb9d6dbf624fee31a2053af5fdd0", "the same rule"],
    ["11111111111111111111", "Q1P7W2E4J9R8U3S5", "3b6666b60157322b6fc6e41a115968f5", "the wiki's CHL page"],
    ["29409134351025259292", "Q1P7W2E4J9R8U3S5", "d0c1178c689350104350d99f8c36ed9c", "tests of clients of the time"],
  ])("to %s with %s is %s (%s)", (challenge, password, digits) => {
    expect(respond(challenge, password)).toBe(digits)
  })

  // The documents' own digest for this session is wrong: it is none of this challenge and this password.
  it("to 1056561624.17795 with abcdefg1234567 is what MD5 says, and not what hypothetic v2.0 prints", () => {
    expect(respond("1056561624.17795", "abcdefg1234567")).toBe("483eee01d6a1de1b668cac9a0ac75d91")
  })

  it("hashes the bytes received, which need not be text", () => {
    // MD5 of the single byte FF, computed apart: `printf '\xff' | md5sum`.
    expect(respond("\u00ff", "")).toBe("00594fd4f42ba43fc1ca0427a0576295")
  })

  it("hashes a password as UTF-8", () => {
    // `printf 'a\xc3\xa9' | md5sum`
    expect(respond("a", "é")).toBe("128fda53c8c07c8c66f2a4812187d92f")
  })

  it("is wrapped, so that printing it tells nothing", () => {
    const answer = Challenge.respond(Challenge.Challenge.make("abcdefg"), Redacted.make("1234567"))
    expect(String(answer)).not.toContain("d1713d0f")
    expect(JSON.stringify(answer)).not.toContain("d1713d0f")
  })
})

describe("a digest", () => {
  const isAnswer = (challenge: string, password: string, digits: string, by?: Challenge.Md5) =>
    Challenge.isAnswer(Challenge.Challenge.make(challenge), Redacted.make(password), digest(digits), by)

  // hypothetic v2.0, md5
  it("is the answer to a challenge where it is MD5 of that and the password", () => {
    expect(isAnswer("abcdefg", "1234567", "d1713d0f1d2e8fae230328d8fd59de01")).toBe(true)
    expect(isAnswer("abcdefg", "1234568", "d1713d0f1d2e8fae230328d8fd59de01")).toBe(false)
    expect(isAnswer("abcdefh", "1234567", "d1713d0f1d2e8fae230328d8fd59de01")).toBe(false)
    expect(isAnswer("abcdefg", "1234567", "d1713d0f1d2e8fae230328d8fd59de00")).toBe(false)
  })

  it("is reckoned by another MD5 where there is one, which is handed the bytes of both", () => {
    const heard: Array<string> = []
    const md5: Challenge.Md5 = (bytes) => {
      heard.push(bytes)
      return "00594fd4f42ba43fc1ca0427a0576295"
    }
    expect(isAnswer("a", "é", "00594fd4f42ba43fc1ca0427a0576295", md5)).toBe(true)
    expect(heard).toEqual(["a\u00c3\u00a9"])
  })
})

describe("two digests", () => {
  const one = digest("d1713d0f1d2e8fae230328d8fd59de01")

  it("match where each digit does", () => {
    expect(Challenge.matches(one, digest("d1713d0f1d2e8fae230328d8fd59de01"))).toBe(true)
  })

  it.each(["e1713d0f1d2e8fae230328d8fd59de01", "d1713d0f1d2e8fae230328d8fd59de00", "d1713d0f1d2e8fae130328d8fd59de01"])(
    "do not match where one digit differs: %s",
    (other) => {
      expect(Challenge.matches(one, digest(other))).toBe(false)
    },
  )
})

describe("a digest as a parameter", () => {
  const read = (word: string) =>
    Result.map(Schema.decodeUnknownResult(Challenge.DigestFromWire)(word), (digest) => Redacted.value(digest))

  it("is 32 hexadecimal digits (seed)", () => {
    expect(read("23e54a439a6a17d15025f4c6cbd0f6b5")).toEqual(Result.succeed("23e54a439a6a17d15025f4c6cbd0f6b5"))
  })

  it("may be in upper case, and is the same digest then", () => {
    expect(read("23E54A439A6A17D15025F4C6CBD0F6B5")).toEqual(Result.succeed("23e54a439a6a17d15025f4c6cbd0f6b5"))
  })

  it("is written in lower case", () => {
    expect(Schema.encodeSync(Challenge.DigestFromWire)(digest("d1713d0f1d2e8fae230328d8fd59de01"))).toBe(
      "d1713d0f1d2e8fae230328d8fd59de01",
    )
  })

  it.each([
    ["31 digits", "d1713d0f1d2e8fae230328d8fd59de0"],
    ["33 digits", "d1713d0f1d2e8fae230328d8fd59de012"],
    ["a letter that is no digit", "g1713d0f1d2e8fae230328d8fd59de01"],
    ["nothing", ""],
  ])("is not %s", (_, word) => {
    expect(Result.isFailure(read(word))).toBe(true)
  })
})

describe("a challenge", () => {
  const isChallenge = Schema.is(Challenge.Challenge)

  // usr.challenge-opaque; white space would part it.
  it.each(["1013928519.693957190", "1056561624.17795", "x", "\u00ff\u0000", "a".repeat(60_000)])(
    "may be any bytes without white space",
    (bytes) => {
      expect(isChallenge(bytes)).toBe(true)
    },
  )

  it.each(["", "a b", "a\tb", "a\n", "€"])("is not %j", (bytes) => {
    expect(isChallenge(bytes)).toBe(false)
  })

  it("of ours is the time, a point and 18 random digits, zeros in front kept", () => {
    expect(Challenge.make(1_013_928_519, () => 693_957_190)).toBe("1013928519.693957190693957190")
    expect(Challenge.make(1_013_928_519, () => 7)).toBe("1013928519.000000007000000007")
    expect(Challenge.minRandomDigits).toBe(18)
  })

  it("of ours takes its digits from two random numbers", () => {
    const numbers = [999_999_999, 0]
    expect(Challenge.make(0, () => numbers.shift() ?? 1)).toBe("0.999999999000000000")
  })
})
