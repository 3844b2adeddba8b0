/**
 * Everything in which the sessions of the dialects differ; see `Dialect` for their logins.
 */
import type * as Dialect from "../protocol/Dialect.ts"

/** What one dialect has in a session. */
export interface SessionRules {
  /** The profile that follows USR OK: the time of the login alone, or the user's particulars, too. */
  readonly profile: "LoginTime" | "Particulars"
  /** Whether the answer to URL ends with a number. */
  readonly site: "Absent" | "Present"
  /** Whether the lists tell telephone numbers: PRP and BPR. */
  readonly phones: "Absent" | "Present"
  /** Whether the server challenges the program: CHL and QRY. */
  readonly challenges: "Absent" | "Present"
  /** Whether the lists tell groups: LSG, and a last parameter of LST. */
  readonly groups: "Absent" | "Present"
}

const msnp3: SessionRules = {
  profile: "Particulars",
  site: "Present",
  phones: "Absent",
  challenges: "Absent",
  groups: "Absent",
}
const msnp5: SessionRules = { ...msnp3, phones: "Present" }
const msnp6: SessionRules = { ...msnp5, challenges: "Present" }

/** The table of differences (the wiki; hypothetic v2.0, messages, pings and challenges). */
export const rules: { readonly [dialect in Dialect.Dialect]: SessionRules } = {
  MSNP2: { ...msnp3, profile: "LoginTime", site: "Absent" },
  MSNP3: msnp3,
  MSNP4: msnp3,
  MSNP5: msnp5,
  MSNP6: msnp6,
  MSNP7: { ...msnp6, groups: "Present" },
}
