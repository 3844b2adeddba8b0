/**
 * Secrets under a directory's key: AES-256-GCM, each with a random nonce in front of it and bound to the name of what it
 * is for, so that the sealed password of one account cannot stand in for that of another.
 *
 * It is Node's own cipher and not WebCrypto, which hands each secret to another thread and back: of a password, opening
 * takes 4 to 6 us so, and 32 to 39 us otherwise.
 */
import * as Aead from "effect/crypto/Aead"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import type * as DirectoryKey from "../DirectoryKey.ts"

const { nonceLength } = Aead.aes256Gcm

/** The length of what shows that nobody has tampered with it, in bytes. */
const tagLength = 16

const algorithm = "aes-256-gcm"

const encoder = new TextEncoder()

/** What seals and opens. */
export interface Seal {
  /** Seals a secret for what has this name. */
  readonly close: (name: string, secret: Redacted.Redacted<string>) => Uint8Array
  /** Opens what was sealed for it; none where another key or another name sealed it, or somebody tampered with it. */
  readonly open: (name: string, sealed: Uint8Array) => Option.Option<Redacted.Redacted<string>>
}

/** What seals and opens with this key. */
export const make = (key: DirectoryKey.DirectoryKey): Effect.Effect<Seal> =>
  Effect.map(Effect.orDie(Aead.toBytes(key)), (bytes) => {
    const secretKey = Crypto.createSecretKey(bytes)
    const open = Option.liftThrowable((name: string, sealed: Uint8Array): string => {
      const tagAt = sealed.length - tagLength
      const decipher = Crypto.createDecipheriv(algorithm, secretKey, sealed.subarray(0, nonceLength), {
        authTagLength: tagLength,
      })
      decipher.setAAD(encoder.encode(name))
      decipher.setAuthTag(sealed.subarray(tagAt))
      const text = decipher.update(sealed.subarray(nonceLength, tagAt))
      // There is nothing in what comes last: it throws where the tag is not that of the rest.
      decipher.final()
      // A mark of byte order at the head of a password is part of it: a TextDecoder would have to be told.
      return text.toString("utf8")
    })
    return {
      close: (name, secret) => {
        const nonce = Crypto.randomBytes(nonceLength)
        const cipher = Crypto.createCipheriv(algorithm, secretKey, nonce, { authTagLength: tagLength })
        cipher.setAAD(encoder.encode(name))
        const text = cipher.update(encoder.encode(Redacted.value(secret)))
        return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()])
      },
      open: (name, sealed) => Option.map(open(name, sealed), (text) => Redacted.make(text, { label: "password" })),
    }
  })
