/**
 * Tolerated deviations: each has a name, a sentence and a switch, and is off unless turned on.
 *
 * A quirk never changes the tables: it reaches them as a command with another tag, or as another set of rules for a
 * dialect.
 */

/** The quirks, by name, each with what it does. */
export const sentences = {
  verSingle: "Answer VER with the chosen dialect alone, as Microsoft's servers did from 2008 on.",
  dialectCaseInsensitive: "Take the dialects in VER in either letter case, as the draft has it.",
  msnp2ReferralZero: "Send MSNP2 clients the zero of XFR, too: MSN Messenger 1.0, tried in 2010, did not go without.",
  verifiedFlagFromMsnp6: "Send the verified flag of USR OK from MSNP6 on, as Escargot does.",
  cvrAnytime: "Answer CVR during the login instead of refusing it, as lenient networks do.",
} as const

/** The name of a quirk. */
export type Quirk = keyof typeof sentences

/** The names of all quirks. */
export const all: ReadonlyArray<Quirk> = [
  "verSingle",
  "dialectCaseInsensitive",
  "msnp2ReferralZero",
  "verifiedFlagFromMsnp6",
  "cvrAnytime",
]

/** Which quirks are on. */
export type Quirks = { readonly [quirk in Quirk]: boolean }

/** Only these quirks, all others off. */
export const only = (...on: ReadonlyArray<Quirk>): Quirks => ({
  verSingle: on.includes("verSingle"),
  dialectCaseInsensitive: on.includes("dialectCaseInsensitive"),
  msnp2ReferralZero: on.includes("msnp2ReferralZero"),
  verifiedFlagFromMsnp6: on.includes("verifiedFlagFromMsnp6"),
  cvrAnytime: on.includes("cvrAnytime"),
})

/** No quirk: what the seed page describes. */
export const none: Quirks = only()

/** Whether a text names a quirk. */
export const isQuirk = (text: string): text is Quirk => Object.hasOwn(sentences, text)
