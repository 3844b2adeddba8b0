/**
 * Passwords under a directory's key: AES-256-GCM, each with a random nonce in front of it and bound to its account, so
 * that the sealed password of one cannot stand in for that of another.
 */
import * as Aead from "effect/crypto/Aead"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as DirectoryKey from "../DirectoryKey.ts"

const { nonceLength } = Aead.aes256Gcm

const encoder = new TextEncoder()
// A mark of byte order at the head of a password is part of it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** What seals and opens. */
export interface Seal {
  /** Seals a password for the account of this folded name. */
  readonly close: (name: string, password: Redacted.Redacted<string>) => Effect.Effect<Uint8Array>
  /** Opens what was sealed for it; none where another key or another name sealed it, or somebody tampered with it. */
  readonly open: (name: string, sealed: Uint8Array) => Effect.Effect<Option.Option<Redacted.Redacted<string>>>
}

/** What seals and opens with this key. */
export const make = Effect.fnUntraced(
  function* (key: DirectoryKey.DirectoryKey): Effect.fn.Return<Seal, never, Aead.Aead | SecureRandom.SecureRandom> {
    const aead = yield* Aead.Aead
    const random = yield* SecureRandom.SecureRandom
    return {
      close: Effect.fnUntraced(function* (name, password) {
        const nonce = yield* random.randomBytes(nonceLength)
        const text = encoder.encode(Redacted.value(password))
        const sealed = yield* aead.encrypt(key, text, { nonce, aad: encoder.encode(name) })
        return Buffer.concat([nonce, sealed])
      }, Effect.orDie),
      open: (name, sealed) =>
        aead
          .decrypt(key, sealed.subarray(nonceLength), {
            nonce: sealed.subarray(0, nonceLength),
            aad: encoder.encode(name),
          })
          .pipe(
            Effect.map((bytes) => Redacted.make(decoder.decode(bytes), { label: "password" })),
            Effect.option,
          ),
    }
  },
  Effect.provide(Layer.provideMerge(Aead.layerWebCrypto, SecureRandom.layerWebCrypto)),
)
