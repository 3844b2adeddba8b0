/**
 * The numbers that a server answers with instead of a command, and what they mean.
 *
 * Our server sends a code and the TrID, nothing else; a client takes any three digits, with or without a TrID.
 */
import * as Schema from "effect/Schema"
import { decimal, parameter } from "./Wire.ts"

/** Any code on the wire: 100 to 999. */
export const ErrorCode = Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 999 })).annotate({
  description: "an error code: three digits",
})
export type ErrorCode = typeof ErrorCode.Type

const isCode = (code: number): boolean => Number.isInteger(code) && code >= 100 && code <= 999

/** A code as the verb of a line: three digits. */
export const FromWire = parameter(ErrorCode, {
  description: "an error code: three digits",
  read: (word) => {
    const code = word.length === 3 ? decimal(word, 999) : undefined
    return code !== undefined && isCode(code) ? code : undefined
  },
  write: (code) => (isCode(code) ? String(code) : undefined),
})

/**
 * The codes of a login, and those that our server says in a session, in the draft's terms where it has one; 502, 540,
 * 731, 910, 921 to 924 are the seed's and the wikis'.
 */
export const names: Readonly<Record<number, string>> = {
  200: "syntax error",
  201: "invalid parameter",
  206: "domain name missing",
  207: "already logged in",
  302: "not logged in",
  500: "internal server error",
  501: "database server error",
  502: "command disabled",
  540: "wrong answer to a challenge",
  600: "server busy",
  601: "server unavailable",
  602: "peer notification server down",
  603: "database connect error",
  604: "server going down",
  605: "server unavailable",
  707: "could not create connection",
  710: "bad CVR parameters",
  711: "blocking write",
  712: "session overload",
  713: "user too active",
  714: "too many sessions",
  715: "not expected",
  731: "CVR not expected",
  910: "server too busy",
  911: "authentication failed",
  912: "server busy",
  914: "server unavailable",
  915: "server unavailable",
  916: "server unavailable",
  917: "authentication failed",
  918: "server too busy",
  919: "server too busy",
  920: "not accepting new users",
  921: "server too busy",
  922: "server too busy",
  923: "child's Passport without parental consent",
  924: "Passport's e-mail address not verified",
}

/** What a code means, in a few words. */
export const describe = (code: ErrorCode): string => names[code] ?? "an error that no source explains"

/** The codes by which a host turns an account down: wrong password, no parental consent, address not verified. */
export const Denial = Schema.Literals([911, 923, 924])
export type Denial = typeof Denial.Type

/** The codes by which a host says that it is in trouble or under maintenance. */
export const Trouble = Schema.Literals([500, 601, 910, 921])
export type Trouble = typeof Trouble.Type

/**
 * Who is to blame for a code that answers a login: the credentials, the server's condition, or our own commands.
 *
 * 911, 917, 923 and 924 are the credentials'. Every other code from 500 on counts as the server's, the unknown ones
 * included, but for 540, 710, 715 and 731; those and all below 500 are about our commands.
 */
export const blame = (code: ErrorCode): "Credentials" | "Server" | "Commands" => {
  if (code === 911 || code === 917 || code === 923 || code === 924) return "Credentials"
  return code >= 500 && ![540, 710, 715, 731].includes(code) ? "Server" : "Commands"
}

/** Whether a code turns an account down, and does not admit to trouble. */
export const isDenial = Schema.is(Denial)
