/**
 * Sign-in tokens: random secrets that work in place of an account's own password, each of which can be revoked alone.
 *
 * A server of this protocol has to keep what its clients sign in with. Whoever gives an old client a token keeps a
 * password to himself that may open other doors.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"

/**
 * Small letters and the digits that look like none of them (the alphabet of base32, RFC 4648): whatever keyboard there
 * is has them, and no client or proxy means another character by them.
 */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/**
 * The length of a secret, in characters: as long as a password of the time might be (16, says Microsoft's article
 * Q173999 of 2000), and a client of the time may take no more. That is 80 random bits: from a digest that was overheard,
 * 2^79 MD5 sums to find it, on average.
 */
const secretLength = 16

/** The length of an ID: an account has few, and somebody types them. */
const idLength = 6

/** How many tokens an account may have: each of them is tried at each login. */
export const maxPerAccount = 16

/** How long a label may be, in UTF-16 code units. */
export const maxLabelLength = 64

/** What tells the tokens of an account apart: six letters and digits. */
export const Id = Schema.String.check(Schema.isPattern(/^[a-z2-7]{6}$/)).pipe(
  Schema.brand("TokenId"),
  Schema.annotate({ description: "the ID of a token: 6 letters and digits" }),
)
export type Id = typeof Id.Type

/** What a token is for, in its owner's words: printable, on one line, not blank, up to 64 characters. */
export const Label = Schema.String.check(
  Schema.makeFilter(
    (text) =>
      text.trim() !== "" && text.length <= maxLabelLength && text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text),
  ),
).pipe(
  Schema.brand("TokenLabel"),
  Schema.annotate({ description: `a label: 1 to ${maxLabelLength} printable characters` }),
)
export type Label = typeof Label.Type

/** A token as its account's owner is shown it, who has been shown its secret before. */
export interface Token {
  readonly id: Id
  readonly label: Label
  /** When it was made, in milliseconds since 1970. */
  readonly created: number
  /** When somebody has signed in with it last, in milliseconds since 1970, to the minute; none if nobody has. */
  readonly lastUsed: Option.Option<number>
}

/** What a token is known by, and what proves it. */
export interface Proof {
  readonly id: Id
  readonly secret: Redacted.Redacted<string>
}

/** A token as a login is judged by it. */
export interface Judged extends Proof, Pick<Token, "lastUsed"> {}

/** How precisely it is known when a token was used last, in milliseconds: a client that comes back at once costs no write. */
export const lastUsedPrecision = 60_000

/** Whether a use is to be kept, at so many milliseconds since 1970. */
export const isDue = ({ lastUsed }: Pick<Token, "lastUsed">, at: number): boolean =>
  Option.getOrElse(lastUsed, () => -Infinity) <= at - lastUsedPrecision

const random = (length: number): string =>
  Array.from({ length }, () => alphabet.charAt(Crypto.randomInt(alphabet.length))).join("")

/** A new secret: 16 letters and digits, 80 random bits. */
export const makeSecret = (): Redacted.Redacted<string> => Redacted.make(random(secretLength), { label: "token" })

/** A new ID and a new secret. */
export const make = (): Proof => ({ id: Id.make(random(idLength)), secret: makeSecret() })
