/**
 * The key under which a directory seals the passwords that it keeps: 32 bytes for AES-256-GCM.
 *
 * It shows nothing of itself when it is printed or logged. As text it is 64 hexadecimal digits or base64.
 */
import * as Aead from "effect/crypto/Aead"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** A key, opaque. */
export type DirectoryKey = Aead.Key<Aead.AesGcm>

/** A text that is no key; the text itself is not told. */
export class MalformedKey extends Schema.TaggedError<MalformedKey>("effect-msnp/host/MalformedKey")(
  "MalformedKey",
  {},
) {
  override get message() {
    return "A directory key is 32 bytes, written as 64 hexadecimal digits or in base64."
  }
}

/** The key that a text spells; white space around it is no part of it. */
export const parse = (text: Redacted.Redacted<string>): Effect.Effect<DirectoryKey, MalformedKey> => {
  const digits = Redacted.value(text).trim()
  const bytes = /^[0-9a-f]{64}$/i.test(digits) ? Hex.decode(digits) : Base64.decode(digits)
  return Effect.fromResult(bytes).pipe(
    Effect.flatMap((bytes) => Aead.key(Aead.aes256Gcm, bytes)),
    Effect.mapError(() => new MalformedKey()),
  )
}

/** A new key, of random bytes. */
export const generate: Effect.Effect<DirectoryKey> = Effect.flatMap(Aead.Aead, (aead) =>
  aead.generateKey(Aead.aes256Gcm),
).pipe(
  // It fails for want of randomness only, without which nothing else can go on either.
  Effect.orDie,
  Effect.provide(Layer.provide(Aead.layerWebCrypto, SecureRandom.layerWebCrypto)),
)

/** The 64 hexadecimal digits that spell a key. */
export const format = (key: DirectoryKey): Effect.Effect<Redacted.Redacted<string>> =>
  Effect.map(Effect.orDie(Aead.toBytes(key)), (bytes) => Redacted.make(Hex.encode(bytes), { label: "directory key" }))
