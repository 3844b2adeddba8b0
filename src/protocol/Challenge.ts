/**
 * The challenge and its answer: MD5 over the challenge with the password behind it.
 *
 * A challenge looks like a time with digits after a point, but may be any bytes of any length. It is kept as the
 * bytes received, since those are what is hashed. This module makes no randomness and reads no clock.
 */
import * as EffectDigest from "effect/crypto/Digest"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Bytes from "./Bytes.ts"
import { parameter } from "./Wire.ts"

/**
 * One or more bytes, none of which parts or ends a parameter.
 *
 * @keeps usr.challenge-opaque
 */
export const Challenge = Schema.String.check(Schema.makeFilter(Bytes.isWord)).pipe(
  Schema.brand("Challenge"),
  Schema.annotate({ description: "a challenge: one or more bytes without white space" }),
)
export type Challenge = typeof Challenge.Type

const isChallenge = (bytes: string): bytes is Challenge => Bytes.isWord(bytes)

/** A challenge as a parameter. */
export const FromWire = parameter(Challenge, {
  description: "a challenge: one or more bytes without white space",
  read: (bytes) => (isChallenge(bytes) ? bytes : undefined),
  write: (challenge) => (isChallenge(challenge) ? challenge : undefined),
})

/** 32 hexadecimal digits in lower case. */
export const Digest = Schema.String.check(Schema.isPattern(/^[0-9a-f]{32}$/)).pipe(Schema.brand("Digest"))
export type Digest = typeof Digest.Type

const isDigest = (text: string): text is Digest => /^[0-9a-f]{32}$/.test(text)

/**
 * A digest as a parameter: 32 hexadecimal digits of either case; in memory it is wrapped at once.
 *
 * @keeps beyond.digest-case
 */
export const DigestFromWire = parameter(Schema.Redacted(Digest), {
  description: "a digest: 32 hexadecimal digits",
  read: (word) => {
    const digits = isDigest(word) ? word : word.toLowerCase()
    return isDigest(digits) ? Redacted.make(digits, { label: "digest" }) : undefined
  },
  write: (digest) => {
    const digits = Redacted.value(digest)
    return isDigest(digits) ? digits : undefined
  },
})

/** Random digits behind the point of a challenge of ours, at least. */
export const minRandomDigits = 18

/**
 * Our server's challenge: the time in whole seconds since 1970, a point, and random digits.
 *
 * `random` gives a whole number from 0 to 999,999,999 and is asked twice, for 18 digits.
 */
export const make = (seconds: number, random: () => number): Challenge =>
  // Digits and a point are a word.
  Challenge.make(`${seconds}.${nineDigits(random())}${nineDigits(random())}`, { disableChecks: true })

const nineDigits = (n: number): string => String(n).padStart(minRandomDigits / 2, "0")

/** MD5 of some bytes, as 32 hexadecimal digits in lower case. */
export type Md5 = (bytes: string) => string

/** MD5 as effect has it, which runs wherever JavaScript does. Whoever has a faster one passes that. */
export const md5: Md5 = (bytes) => Hex.encode(implementation(Bytes.toUint8Array(bytes)))

const implementation: (data: Uint8Array) => Uint8Array = (data) => {
  const digest = EffectDigest.md5.implementation?.(data)
  if (digest === undefined) throw new Error("This version of effect has no MD5 of its own.")
  return digest
}

/** What is hashed: the bytes of a challenge followed by those of the password in UTF-8. */
const hashed = (challenge: Challenge, password: Redacted.Redacted<string>): string =>
  challenge + Bytes.fromText(Redacted.value(password))

/**
 * The answer to a challenge: MD5 of its bytes followed by those of the password in UTF-8.
 *
 * No source says in which encoding old clients hash a password that is not ASCII; theirs may then differ from ours.
 *
 * @keeps usr.digest
 */
export const respond = (
  challenge: Challenge,
  password: Redacted.Redacted<string>,
  by: Md5 = md5,
): Redacted.Redacted<Digest> => Redacted.make(Digest.make(by(hashed(challenge, password))), { label: "digest" })

/**
 * Whether a digest is the answer to a challenge: as {@link respond} and {@link matches} say together, and for what
 * wrapping the right answer costs (1.3 us, three times an MD5 of Node) less.
 */
export const isAnswer = (
  challenge: Challenge,
  password: Redacted.Redacted<string>,
  digest: Redacted.Redacted<Digest>,
  by: Md5 = md5,
): boolean => isSame(by(hashed(challenge, password)), Redacted.value(digest))

/** Whether two digests are equal, in a time that does not depend on where they differ. */
export const matches = (a: Redacted.Redacted<Digest>, b: Redacted.Redacted<Digest>): boolean =>
  isSame(Redacted.value(a), Redacted.value(b))

const isSame = (left: string, right: string): boolean => {
  let difference = 0
  for (let i = 0; i < left.length; i++) {
    difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
  }
  return difference === 0
}
