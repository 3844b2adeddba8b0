import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"

const name = (text: string) => FriendlyName.FriendlyName.make(text)

describe("reading a friendly name (draft 5.5: URL-encoded UTF-8)", () => {
  it.each([
    ["My%20Screen%20Name", "My Screen Name", "seed"],
    ["example%40hotmail.com", "example@hotmail.com", "over-encoded, as the wiki shows for MSNP2"],
    ["%41lice", "Alice", "over-encoded letters"],
    ["J%c3%bcrgen", "Jürgen", "hexadecimal digits in lower case"],
    ["J%C3%BCrgen", "Jürgen", "hexadecimal digits in upper case"],
    ["J\u00c3\u00bcrgen", "Jürgen", "raw UTF-8"],
    ["J\u00c3%bcrgen", "Jürgen", "a character half raw and half escaped"],
    ["1+1", "1+1", "aMSN 2002: a plus sign is no space"],
    ["100%25", "100%", "an escaped percent sign"],
    ["%2541", "%41", "escaped once, not twice"],
  ])("reads %s as %s: %s", (bytes, text) => {
    expect(FriendlyName.decode(bytes)).toBe(text)
  })

  it.each([
    ["100%", "a % at the end"],
    ["100%2", "an escape that breaks off"],
    ["%zz%41", "an escape of no hexadecimal digits, with a good one behind it"],
    ["%ff", "escaped bytes that are no UTF-8"],
    ["%C3", "escaped bytes that break off"],
    ["%ED%A0%80", "an escaped surrogate"],
    ["J\u00fcrgen", "raw bytes that are no UTF-8"],
    ["%41\u00ff", "raw bytes that are no UTF-8, behind a good escape"],
  ])("keeps %j raw: %s", (bytes) => {
    expect(FriendlyName.decode(bytes)).toBe(bytes)
  })
})

describe("writing a friendly name", () => {
  it.each([
    ["Alice", "Alice"],
    ["My Screen Name", "My%20Screen%20Name"],
    ["Jürgen", "J%C3%BCrgen"],
    ["100%", "100%25"],
    ["a\tb\r\nc", "a%09b%0D%0Ac"],
  ])("writes %j as %s", (text, bytes) => {
    expect(FriendlyName.encode(name(text))).toBe(bytes)
  })

  it("escapes every byte up to the space, and % (hypothetic v2.0, connections)", () => {
    for (let code = 0; code <= 0x20; code++) {
      expect(FriendlyName.encode(name(String.fromCharCode(code)))).toMatch(/^%[0-9A-F]{2}$/)
    }
    expect(FriendlyName.encode(name("%"))).toBe("%25")
  })

  it("leaves the unreserved characters of RFC 2396 as they are, and escapes all others", () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
    const left = ascii.filter((char) => FriendlyName.encode(name(char)) === char).join("")
    expect(left).toBe("!'()*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
  })

  it("fits as long as it has at most 387 bytes when encoded (draft 5.5)", () => {
    expect(FriendlyName.fits(name(" ".repeat(129)))).toBe(true)
    expect(FriendlyName.fits(name(`${" ".repeat(129)}a`))).toBe(false)
    expect(FriendlyName.fits(name("a".repeat(387)))).toBe(true)
    expect(FriendlyName.fits(name("a".repeat(388)))).toBe(false)
  })
})

describe("a friendly name in memory", () => {
  it.each(["", "\ud800", "a\udc00b"])("is never %j", (text) => {
    expect(Schema.is(FriendlyName.FriendlyName)(text)).toBe(false)
  })
})
