import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Token from "../../src/host/Token.ts"

describe("the secret of a token", () => {
  const secrets = Array.from({ length: 2000 }, () => Redacted.value(Token.makeSecret()))

  // Microsoft's article Q173999 of October 2000: a password has 8 to 16 characters, of letters, digits, - and _.
  it("is what a password of the time could be: 16 letters and digits", () => {
    assert.deepStrictEqual(
      secrets.filter((secret) => !/^[A-Za-z0-9_-]{8,16}$/.test(secret)),
      [],
    )
    assert.deepStrictEqual(new Set(secrets.map(({ length }) => length)), new Set([16]))
  })

  it("has 80 random bits: at each place each of 32 characters, none of which looks like another", () => {
    for (let place = 0; place < 16; place++) {
      const seen = new Set(secrets.map((secret) => secret[place]))
      assert.strictEqual(seen.size, 32)
      // RFC 4648, section 6, has none of these for that reason.
      assert.isFalse(["0", "1", "8", "9"].some((digit) => seen.has(digit)))
    }
    assert.strictEqual(new Set(secrets).size, secrets.length)
  })

  it("is wrapped", () => {
    const { id, secret } = Token.make()
    assert.strictEqual(`${String(secret)} ${JSON.stringify({ id, secret })}`.includes(Redacted.value(secret)), false)
  })
})

describe("the label of a token", () => {
  const isLabel = Schema.is(Token.Label)

  it("is any text of 1 to 64 characters that can be printed on a line", () => {
    for (const label of ["x", "Windows 98, in the attic", "Zoës Rechner 🦋", "x".repeat(64)]) {
      assert.isTrue(isLabel(label), label)
    }
  })

  it("is nothing that is blank, longer, of two lines, or an order to a terminal", () => {
    for (const label of ["", "  ", "\u3000", "x".repeat(65), "a\nb", "a\u2028b", "\u001b[31m", "a\u0000b", "\ud800"]) {
      assert.isFalse(isLabel(label), JSON.stringify(label))
    }
  })
})
