/**
 * The program that answers a server's CHL: from MSNP6 on, a server asks now and again whether the official client is
 * there, and takes whoever knows the key of its product for it.
 */
import * as Redacted from "effect/Redacted"
import * as Challenge from "../protocol/Challenge.ts"

/** The name of the official client of MSNP6 and MSNP7. */
export const clientId = "msmsgs@msnmsgr.com"

/** The key of that product. It has been public since 2002: no secret of anybody. */
export const key = Redacted.make("Q1P7W2E4J9R8U3S5", { label: "product key" })

/**
 * A challenge as Microsoft's servers made them: twenty digits.
 *
 * `random` gives a whole number from 0 to 9,999,999,999 and is asked twice.
 */
export const challenge = (random: () => number): Challenge.Challenge =>
  Challenge.Challenge.make(tenDigits(random()) + tenDigits(random()))

const tenDigits = (n: number): string => String(n).padStart(10, "0")

/** The answer to a CHL: MD5 of the challenge followed by the key. */
export const answer = (challenge: Challenge.Challenge): Redacted.Redacted<Challenge.Digest> =>
  Challenge.respond(challenge, key)
