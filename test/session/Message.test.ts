import * as Option from "effect/Option"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Account from "../../src/protocol/Account.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Message from "../../src/session/Message.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { crlf } from "../support/Frame.ts"

const alice = Account.Account.make("alice@hotmail.com")

/** The wiki's example of MSNP2. */
const loginTime = crlf(
  "MIME-Version: 1.0",
  "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
  "LoginTime: 1050223025",
  "",
)

/** The fields that hypothetic v2.0 lists, in its order. */
const fields = [
  "LoginTime",
  "EmailEnabled",
  "MemberIdHigh",
  "MemberIdLow",
  "lang_preference",
  "preferredEmail",
  "country",
  "PostalCode",
  "Gender",
  "Kid",
  "Age",
  "BDayPre",
  "Birthday",
  "Wallet",
  "Flags",
  "sid",
  "kv",
  "MSPAuth",
]

/** The example of hypothetic v2.0. */
const maintenance = crlf(
  "MIME-Version: 1.0",
  "Content-Type: application/x-msmsgssystemmessage",
  "",
  "Type: 1",
  "Arg1: 5",
)

/** What both documents count. */
const counted = [
  ["the profile of MSNP2", loginTime, 95],
  ["the announcement that the server goes down", maintenance, 88],
] as const

describe("a payload of the documents", () => {
  it.each(counted)("has the bytes that they count: %s", (_, payload, length) => {
    expect(payload.length).toBe(length)
  })
})

describe("a profile", () => {
  it("has the time of the login alone in MSNP2", () => {
    expect(Message.toPayload(Message.profile("MSNP2", alice, 1050223025))).toBe(loginTime)
  })

  it.each(Dialect.all.filter((dialect) => dialect !== "MSNP2"))("has eighteen fields in %s", (dialect) => {
    const profile = Message.profile(dialect, alice, 1050223025)
    expect(Object.keys(profile.fields)).toEqual(fields)
    expect(Message.toPayload(profile)).toBe(
      crlf(
        "MIME-Version: 1.0",
        "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
        "LoginTime: 1050223025",
        "EmailEnabled: 0",
        "MemberIdHigh: 0",
        "MemberIdLow: 0",
        "lang_preference: 1033",
        "preferredEmail: alice@hotmail.com",
        "country: ",
        "PostalCode: ",
        "Gender: ",
        "Kid: 0",
        "Age: ",
        "BDayPre: ",
        "Birthday: ",
        "Wallet: 0",
        "Flags: 1027",
        "sid: 507",
        "kv: 4",
        "MSPAuth: ",
        "",
      ),
    )
  })

  it("has what the host knows better in the place of the usual", () => {
    const profile = Message.profile("MSNP7", alice, 1050223025, { lang_preference: "1031", country: "DE" })
    expect(Option.getOrThrow(Message.field(profile, "lang_preference"))).toBe("1031")
    expect(Option.getOrThrow(Message.field(profile, "country"))).toBe("DE")
    expect(Object.keys(profile.fields)).toEqual(fields)
  })

  it("has one line for each field, whatever that holds", () => {
    const country = "DE\r\nKid: 1\n\r\n\rOUT SSD\r\n"
    const payload = Message.toPayload(Message.profile("MSNP7", alice, 1050223025, { country }))
    expect(payload.split(/[\r\n]+/)).toContain("country: DE Kid: 1 OUT SSD ")
    expect(Message.fromPayload(payload)).toMatchObject({
      _tag: "Profile",
      fields: { country: "DE Kid: 1 OUT SSD", Kid: "0", MSPAuth: "" },
    })
  })

  it("tells MSNP2 nothing of that but the time", () => {
    const profile = Message.profile("MSNP2", alice, 1050223025, { LoginTime: "1", country: "DE" })
    expect(profile.fields).toEqual({ LoginTime: "1" })
  })

  // hypothetic v2.1 shows ClientIP, which no dialect of ours has.
  it("is read with fields missing, and with others, which are kept", () => {
    const payload = crlf(
      "MIME-Version: 1.0",
      "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
      "sid: 507",
      "ClientIP: 1.2.3.4",
      "",
    )
    const profile = Message.fromPayload(payload)
    expect(profile).toEqual({ _tag: "Profile", fields: { sid: "507", ClientIP: "1.2.3.4" } })
    if (profile._tag !== "Profile") return
    expect(Message.field(profile, "sid")).toEqual(Option.some("507"))
    expect(Message.field(profile, "kv")).toEqual(Option.none())
  })
})

describe("the announcement that the server goes down", () => {
  it("ends with its last line, without an empty one", () => {
    expect(Message.toPayload({ _tag: "Maintenance", minutes: 5 })).toBe(maintenance)
    expect(Message.fromPayload(maintenance)).toEqual({ _tag: "Maintenance", minutes: 5 })
  })

  it("comes from the server itself", () => {
    expect(SessionServerCommand.encode(Message.toCommand({ _tag: "Maintenance", minutes: 5 }))).toMatchObject({
      success: { verb: "MSG", parameters: ["Hotmail", "Hotmail", "88"], payload: maintenance },
    })
  })

  it.each(["Type: 2\r\nArg1: 5\r\n", "Type: 1\r\n", "Type: 1\r\nArg1: soon\r\n", ""])(
    "is nothing that any source explains, but kept, with the body %j",
    (body) => {
      const headers = { "MIME-Version": "1.0", "Content-Type": "application/x-msmsgssystemmessage" }
      const payload = `${crlf("MIME-Version: 1.0", "Content-Type: application/x-msmsgssystemmessage", "")}${body}`
      expect(Message.fromPayload(payload)).toEqual({ _tag: "Other", headers, body })
    },
  )
})

describe("any other message", () => {
  it.each([
    ["Subject: mail\r\n\r\none\r\n\r\ntwo", { headers: { Subject: "mail" }, body: "one\r\n\r\ntwo" }],
    ["Subject: mail\n\none\n", { headers: { Subject: "mail" }, body: "one\n" }],
    ["Subject: mail\r\n", { headers: { Subject: "mail" }, body: "" }],
    ["\r\nbody", { headers: {}, body: "body" }],
    ["no header\r\n\r\nbody", { headers: {}, body: "body" }],
    ["", { headers: {}, body: "" }],
    ["Name: J\u00c3\u00bcrgen\r\n\r\n", { headers: { Name: "Jürgen" }, body: "" }],
    ["Name: \u00ff\r\n\r\n", { headers: { Name: "\u00ff" }, body: "" }],
  ])("is its headers, and what stands behind the first empty line: %j", (payload, message) => {
    expect(Message.fromPayload(payload)).toEqual({ _tag: "Other", ...message })
  })

  it("is read whatever it is, and never throws", () => {
    fc.assert(
      fc.property(Arbitraries.bytes, (payload) => {
        expect(["Profile", "Maintenance", "Other"]).toContain(Message.fromPayload(payload)._tag)
      }),
    )
  })

  it("is the same when written and read again", () => {
    const value = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, "").trim())
    const headers = fc.dictionary(fc.stringMatching(/^X-[A-Za-z-]{1,10}$/), value, { noNullPrototype: true })
    fc.assert(
      fc.property(headers, fc.string({ unit: "grapheme", maxLength: 40 }), (headers, body) => {
        const message: Message.Message = { _tag: "Other", headers, body }
        expect(Message.fromPayload(Message.toPayload(message))).toEqual(message)
      }),
    )
  })
})
