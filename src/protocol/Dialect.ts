/**
 * The versions of the protocol, MSNP2 to MSNP7, and everything in which their logins differ.
 *
 * "Dialect" is the draft's word. `CVR0`, which clients offer beside them, is decoration and not a dialect.
 */
import * as Schema from "effect/Schema"
import * as ErrorCode from "./ErrorCode.ts"
import type * as Quirk from "./Quirk.ts"

/** The dialects, the newest first: the order in which our server prefers them. */
export const all = ["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"] as const

/** The name of a dialect. */
export const Dialect = Schema.Literals(all)
export type Dialect = typeof Dialect.Type

/**
 * Whether a text is the name of a dialect, in exactly these letters.
 *
 * @keeps ver.case
 */
export const isDialect = (text: string): text is Dialect => names.has(text)

const names = new Set<string>(all)

/** The decoration that old clients offer behind their dialects. */
export const cvr0 = "CVR0"

/** A referral's parameters behind `NS`: the address alone; a zero behind it; the zero and the referring server. */
export type ReferralForm = "Address" | "AddressAndZero" | "AddressZeroAndServer"

/** What one dialect does in its own way. */
export interface Rules {
  readonly referral: ReferralForm
  /** Whether USR OK ends with the flag that says if the account's address has been verified. */
  readonly verifiedFlag: "Absent" | "Present"
  /** The refusals of an account that clients of this dialect know. */
  readonly denials: ReadonlyArray<ErrorCode.Denial>
}

const msnp3: Rules = { referral: "AddressAndZero", verifiedFlag: "Absent", denials: [911] }

/**
 * The table of differences.
 *
 * @keeps xfr.form xfr.zero xfr.self usr.verified beyond.denials
 */
export const rules: { readonly [dialect in Dialect]: Rules } = {
  MSNP2: { ...msnp3, referral: "Address" },
  MSNP3: msnp3,
  MSNP4: { ...msnp3, denials: [911, 923] },
  MSNP5: { ...msnp3, denials: ErrorCode.Denial.literals },
  MSNP6: { ...msnp3, denials: ErrorCode.Denial.literals },
  MSNP7: { referral: "AddressZeroAndServer", verifiedFlag: "Present", denials: ErrorCode.Denial.literals },
}

/**
 * The table of differences as some quirks bend it.
 *
 * @keeps beyond.msnp2-zero beyond.msnp6-verified
 */
export const rulesWith = (quirks: Quirk.Quirks): typeof rules => ({
  ...rules,
  MSNP2: quirks.msnp2ReferralZero ? { ...rules.MSNP2, referral: "AddressAndZero" } : rules.MSNP2,
  MSNP6: quirks.verifiedFlagFromMsnp6 ? { ...rules.MSNP6, verifiedFlag: "Present" } : rules.MSNP6,
})
