import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Account from "../../src/protocol/Account.ts"

const read = (bytes: string) => Schema.decodeUnknownResult(Account.FromWire)(bytes)

/** An address of so many bytes. */
const long = (bytes: number) => `${"a".repeat(bytes - "@hotmail.com".length)}@hotmail.com`

describe("an account", () => {
  it.each([
    "alice@hotmail.com",
    "example@passport.com",
    // seed: the account to send to a dispatch server that refers everybody.
    "a@b.c",
    "a@localhost",
    "x.y+z_%@a-b.example",
    "ALICE@Hotmail.COM",
    "jürgen@example.com",
  ])("is an address such as %s", (text) => {
    expect(Account.isAccount(text)).toBe(true)
  })

  it.each([
    ["nothing", ""],
    ["a name without a domain", "alice"],
    ["no name", "@hotmail.com"],
    ["no domain", "alice@"],
    ["an @ alone", "@"],
    ["two @", "a@b@c"],
    ["a space", "a b@c"],
    ["a no-break space", "a\u00a0b@c"],
    ["a tab", "a\tb@c"],
    ["a line end", "a@b\r\n"],
    ["a control character", "a\u0007@b"],
    ["a control character of Latin-1", "a\u0085@b"],
    ["a control character behind the @", "a@b\u0007"],
    ["a space behind the @", "a@b c"],
    ["half of a surrogate pair", "a\ud800@b"],
  ])("is not %s", (_, text) => {
    expect(Account.isAccount(text)).toBe(false)
  })

  it("has at most 129 bytes (draft 5.4)", () => {
    expect(Account.maxBytes).toBe(129)
    expect(Account.isAccount(long(129))).toBe(true)
    expect(Account.isAccount(long(130))).toBe(false)
  })

  it("is measured in bytes of UTF-8, not in characters", () => {
    const umlauts = (n: number) => `${"ü".repeat(n)}@b`
    expect(Account.isAccount(umlauts(63))).toBe(true)
    expect(Account.isAccount(umlauts(64))).toBe(false)
  })
})

describe("an account as a parameter", () => {
  it("is sent unencoded (draft 5.4): a % stands for itself", () => {
    expect(read("a%40b@c")).toEqual(Result.succeed("a%40b@c"))
  })

  it("is UTF-8", () => {
    expect(read("j\u00c3\u00bcrgen@example.com")).toEqual(Result.succeed("jürgen@example.com"))
    expect(Schema.encodeSync(Account.FromWire)(Account.Account.make("jürgen@example.com"))).toBe(
      "j\u00c3\u00bcrgen@example.com",
    )
  })

  it("is none where the bytes are no UTF-8, or no address", () => {
    expect(Result.isFailure(read("j\u00fcrgen@example.com"))).toBe(true)
    expect(Result.isFailure(read("alice"))).toBe(true)
    expect(Result.isFailure(read("a\u00c2\u0085@b"))).toBe(true)
    expect(Result.isFailure(read(long(130)))).toBe(true)
  })
})

describe("two accounts", () => {
  const alice = Account.Account.make("alice@hotmail.com")

  it("are one where they differ in letter case only", { tags: ["beyond.account-case"] }, () => {
    expect(Account.same(alice, Account.Account.make("Alice@HOTMAIL.com"))).toBe(true)
    expect(Account.fold(Account.Account.make("Alice@HOTMAIL.com"))).toBe("alice@hotmail.com")
  })

  // Unicode: a final sigma is a sigma, a sharp s is SS in capitals; so is a dotless i an I, though it folds to itself.
  it.each([
    ["ΟΔΟΣ@x", "οδοσ@x"],
    ["ΟΔΟΣ@x", "οδος@x"],
    ["οδος@x", "οδοσ@x"],
    ["JÜRGEN@x", "jürgen@x"],
    ["STRASSE@x", "straße@x"],
    ["i@x", "ı@x"],
  ])("are one in every alphabet: %s and %s", (one, other) => {
    expect(Account.same(Account.Account.make(one), Account.Account.make(other))).toBe(true)
  })

  it("are compared by a form that is its own", () => {
    for (const text of ["ΟΔΟΣ@x", "οδος@x", "straße@x", "İ@x", "ı@x", "ŉ@x"]) {
      const folded = Account.fold(Account.Account.make(text))
      expect(Account.fold(Account.Account.make(folded))).toBe(folded)
    }
  })

  it("are two where they differ in anything else", () => {
    expect(Account.same(alice, Account.Account.make("alice@hotmail.co"))).toBe(false)
  })
})
