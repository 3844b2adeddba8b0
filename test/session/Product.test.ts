import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Product from "../../src/session/Product.ts"

describe("the official client", () => {
  it("has the name that it says in QRY", () => {
    expect(Product.clientId).toBe("msmsgs@msnmsgr.com")
  })

  it.each([
    ["15570131571988941333", "8f2f5a91b72102cd28355e9fc9000d6e", "hypothetic v2.0, pings and challenges"],
    ["12345678901234567890", "8ba1bb9d6dbf624fee31a2053af5fdd0", "the same rule"],
    ["11111111111111111111", "3b6666b60157322b6fc6e41a115968f5", "the wiki's CHL page"],
    ["29409134351025259292", "d0c1178c689350104350d99f8c36ed9c", "tests of clients of the time"],
  ])("answers %s with %s (%s)", { tags: ["beyond.qry"] }, (challenge, digits) => {
    expect(Redacted.value(Product.answer(Challenge.Challenge.make(challenge)))).toBe(digits)
  })
})

describe("a challenge of ours", () => {
  it.each([
    [[1557013157, 1988941333], "15570131571988941333"],
    [[0, 7], "00000000000000000007"],
    [[9_999_999_999, 0], "99999999990000000000"],
  ])("is twenty digits, as on Microsoft's servers: %j", (drawn, digits) => {
    const left = [...drawn]
    expect(Product.challenge(() => left.shift() ?? Number.NaN)).toBe(digits)
  })
})
