import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Util from "node:util"
import * as DirectoryKey from "../../src/host/DirectoryKey.ts"

/** The 32 bytes from 0 to 31, as hexadecimal digits and as `base64` writes them. */
const hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
const base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

const parse = (text: string) => DirectoryKey.parse(Redacted.make(text))

const digits = (key: DirectoryKey.DirectoryKey) => Effect.map(DirectoryKey.format(key), Redacted.value)

describe("a directory key", () => {
  it.effect("is read from hexadecimal digits and from base64, whatever white space is around it", () =>
    Effect.gen(function* () {
      for (const text of [hex, hex.toUpperCase(), base64, `${hex}\n`, ` \t${base64}\r\n`]) {
        assert.strictEqual(yield* Effect.flatMap(parse(text), digits), hex)
      }
    }),
  )

  it.effect("is not read from anything else, which is not told either", () =>
    Effect.gen(function* () {
      const texts = [
        "",
        "correct horse battery staple",
        hex.slice(1),
        hex.slice(2),
        `${hex}00`,
        `${hex.slice(1)}g`,
        // 31 bytes and 33 bytes.
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        base64.replace("AAEC", "AA*C"),
      ]
      for (const text of texts) {
        const error = yield* Effect.flip(parse(text))
        assert.strictEqual(error.message, "A directory key is 32 bytes, written as 64 hexadecimal digits or in base64.")
        assert.notInclude(Util.inspect(error).replaceAll(error.stack ?? "", ""), text === "" ? "\0" : text)
      }
    }),
  )

  it.effect("is another one each time that it is made, and reads as it was written", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* DirectoryKey.generate, yield* DirectoryKey.generate]
      const [first, second] = [yield* digits(one), yield* digits(other)]
      assert.match(first, /^[0-9a-f]{64}$/)
      assert.notStrictEqual(first, second)
      assert.strictEqual(yield* Effect.flatMap(parse(first), digits), first)
    }),
  )

  it.effect("shows nothing of itself", () =>
    Effect.gen(function* () {
      const key = yield* parse(hex)
      const text = yield* DirectoryKey.format(key)
      for (const shown of [key, text].flatMap((it) => [
        String(it),
        JSON.stringify(it),
        Util.inspect(it, { depth: 9 }),
      ])) {
        assert.notInclude(shown, "0405")
        assert.notInclude(shown, "4, 5")
      }
    }),
  )
})
