import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import * as DirectoryKey from "../../../src/host/DirectoryKey.ts"
import * as Seal from "../../../src/host/internal/seal.ts"

const digits = "0f".repeat(32)
const key = DirectoryKey.parse(Redacted.make(digits))
const seal = Effect.flatMap(key, Seal.make)

/** The cipher of browsers, which knows nothing of this module: AES-256-GCM with a nonce of 12 bytes and a tag of 16. */
const algorithm = (nonce: Uint8Array<ArrayBuffer>, name: string) => ({
  name: "AES-GCM",
  iv: nonce,
  additionalData: new TextEncoder().encode(name),
  tagLength: 128,
})
const webKey = Effect.promise(() =>
  Crypto.webcrypto.subtle.importKey("raw", Buffer.from(digits, "hex"), "AES-GCM", false, ["encrypt", "decrypt"]),
)

describe("a sealed secret", () => {
  it.effect("is the nonce, then what AES-256-GCM makes of its UTF-8, bound to its name: WebCrypto opens it", () =>
    Effect.gen(function* () {
      const { close } = yield* seal
      const web = yield* webKey
      for (const secret of ["mypassword", "", "pässwörd 🔑", "\uFEFFx", "é".repeat(32_768)]) {
        const sealed = Uint8Array.from(close("alice@hotmail.com", Redacted.make(secret)))
        const opened = yield* Effect.promise(() =>
          Crypto.webcrypto.subtle.decrypt(
            algorithm(sealed.subarray(0, 12), "alice@hotmail.com"),
            web,
            sealed.subarray(12),
          ),
        )
        assert.strictEqual(Buffer.from(opened).toString("utf8"), secret)
      }
    }),
  )

  it.effect("opens where WebCrypto has sealed it, as it was done before", () =>
    Effect.gen(function* () {
      const { open } = yield* seal
      const web = yield* webKey
      const nonce = Uint8Array.from(Crypto.randomBytes(12))
      const sealed = yield* Effect.promise(() =>
        Crypto.webcrypto.subtle.encrypt(algorithm(nonce, "alice@hotmail.com"), web, Buffer.from("pässwörd")),
      )
      const whole = Buffer.concat([nonce, Buffer.from(sealed)])
      assert.deepStrictEqual(Option.map(open("alice@hotmail.com", whole), Redacted.value), Option.some("pässwörd"))
    }),
  )

  it.effect("opens under its own name and key only, and not where a bit of it is another", () =>
    Effect.gen(function* () {
      const { close, open } = yield* seal
      const other = yield* Effect.flatMap(DirectoryKey.generate, Seal.make)
      const sealed = close("alice@hotmail.com", Redacted.make("mypassword"))
      assert.isTrue(Option.isSome(open("alice@hotmail.com", sealed)))
      assert.isTrue(Option.isNone(open("bob@hotmail.com", sealed)))
      assert.isTrue(Option.isNone(other.open("alice@hotmail.com", sealed)))
      for (let bit = 0; bit < 8 * sealed.length; bit++) {
        const tampered = Uint8Array.from(sealed, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        assert.isTrue(Option.isNone(open("alice@hotmail.com", tampered)), `bit ${bit}`)
      }
      for (let length = 0; length < sealed.length; length++) {
        assert.isTrue(Option.isNone(open("alice@hotmail.com", sealed.subarray(0, length))), `${length} bytes`)
      }
    }),
  )

  it.effect("is another one each time", () =>
    Effect.gen(function* () {
      const { close } = yield* seal
      const sealed = Array.from({ length: 100 }, () =>
        Buffer.from(close("alice@hotmail.com", Redacted.make("mypassword"))).toString("hex"),
      )
      assert.strictEqual(new Set(sealed.map((bytes) => bytes.slice(0, 24))).size, 100)
    }),
  )
})
