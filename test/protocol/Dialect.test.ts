import { describe, expect, it } from "vitest"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"

describe("the dialects", () => {
  it("are MSNP7 to MSNP2, the newest first", () => {
    expect(Dialect.all).toEqual(["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"])
  })

  // ver.case, ver.cvr0-decorative; MSNP8 logs in another way.
  it.each(["msnp7", "Msnp7", "MSNP1", "MSNP8", "MSNP", "MSNP07", "CVR0", "0", ""])("do not include %j", (name) => {
    expect(Dialect.isDialect(name)).toBe(false)
  })
})

describe("what the dialects do differently", () => {
  // xfr.form, usr.verified, beyond.denials
  it.each([
    ["MSNP2", "Address", "Absent", [911]],
    ["MSNP3", "AddressAndZero", "Absent", [911]],
    ["MSNP4", "AddressAndZero", "Absent", [911, 923]],
    ["MSNP5", "AddressAndZero", "Absent", [911, 923, 924]],
    ["MSNP6", "AddressAndZero", "Absent", [911, 923, 924]],
    ["MSNP7", "AddressZeroAndServer", "Present", [911, 923, 924]],
  ] as const)(
    "in %s: a referral is %s, the flag is %s, an account is denied with %j",
    (dialect, referral, flag, codes) => {
      expect(Dialect.rules[dialect]).toEqual({ referral, verifiedFlag: flag, denials: codes })
    },
  )

  it("is bent by no quirk unless one is on", () => {
    expect(Dialect.rulesWith(Quirk.none)).toEqual(Dialect.rules)
  })

  it("is bent for MSNP2 alone by msnp2ReferralZero", () => {
    expect(Dialect.rulesWith(Quirk.only("msnp2ReferralZero"))).toEqual({
      ...Dialect.rules,
      MSNP2: { ...Dialect.rules.MSNP2, referral: "AddressAndZero" },
    })
  })

  it("is bent for MSNP6 alone by verifiedFlagFromMsnp6", () => {
    expect(Dialect.rulesWith(Quirk.only("verifiedFlagFromMsnp6"))).toEqual({
      ...Dialect.rules,
      MSNP6: { ...Dialect.rules.MSNP6, verifiedFlag: "Present" },
    })
  })
})

describe("the quirks", () => {
  it("each have a sentence and a switch, and are off", () => {
    expect(Quirk.all).toEqual(Object.keys(Quirk.sentences))
    expect(Object.keys(Quirk.none)).toEqual(Object.keys(Quirk.sentences))
    expect(Object.values(Quirk.none)).not.toContain(true)
  })

  it.each(Quirk.all)("can be turned on one by one: %s", (quirk) => {
    expect(Quirk.only(quirk)).toEqual({ ...Quirk.none, [quirk]: true })
  })

  it("can be turned on together", () => {
    expect(Object.values(Quirk.only(...Quirk.all))).not.toContain(false)
  })

  it("are known by name, and nothing else is", () => {
    expect(Quirk.all.every((quirk) => Quirk.isQuirk(quirk))).toBe(true)
    expect(["cvranytime", "", "toString", "constructor"].some((text) => Quirk.isQuirk(text))).toBe(false)
  })
})
