import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Address from "../../src/protocol/Address.ts"

const read = (word: string) => Schema.decodeUnknownResult(Address.FromWire)(word)

describe("an address", () => {
  it.each([
    ["207.46.106.118:1863", "207.46.106.118", 1863, "hypothetic v2.0, example session"],
    ["64.4.12.132:1862", "64.4.12.132", 1862, "another port, after hypothetic v1"],
    ["64.4.12.133", "64.4.12.133", 1863, "no port, after hypothetic v1; draft 7.4 assumes 1863"],
    ["baym-cs118.msgr.hotmail.com:1863", "baym-cs118.msgr.hotmail.com", 1863, "a name (draft 7.4)"],
    ["messenger.hotmail.com", "messenger.hotmail.com", 1863, "a name without a port"],
    ["localhost:1", "localhost", 1, "the lowest port"],
    ["localhost:65535", "localhost", 65_535, "the highest port"],
    ["[::1]:1863", "::1", 1863, "IPv6 in brackets"],
    ["[2001:db8::7]", "2001:db8::7", 1863, "IPv6 in brackets without a port"],
  ])("is read from %s: %s", { tags: ["connect.direct", "xfr.port"] }, (word, host, port) => {
    expect(Address.parse(word)).toEqual(Option.some({ host, port }))
    expect(read(word)).toEqual(Result.succeed({ host, port }))
  })

  it.each([
    ["nothing", ""],
    ["a zero, which asks for a soft reset", "0"],
    ["no host", ":1863"],
    ["a colon without a port", "localhost:"],
    ["a port beyond 65535", "localhost:65536"],
    ["a port of six digits", "localhost:001863"],
    ["a port that is no number", "localhost:http"],
    ["two ports", "localhost:1:2"],
    ["IPv6 without brackets", "::1"],
    ["brackets around no address", "[abc]:1863"],
    ["IPv4 with a part beyond 255", "1.2.3.999:1863"],
    ["a space", "a b"],
  ])("is not %s", (_, word) => {
    expect(Address.parse(word)).toEqual(Option.none())
    expect(Result.isFailure(read(word))).toBe(true)
  })

  it("in a referral has a port that can be connected to, though 0 may be asked of the system", () => {
    expect(Address.parse("127.0.0.1:0")).toEqual(Option.some({ host: "127.0.0.1", port: 0 }))
    expect(Result.isFailure(read("127.0.0.1:0"))).toBe(true)
  })

  it("in a referral is ASCII: nothing says how other letters would be written", () => {
    expect(Result.isFailure(read("m\u00fcnchen.example:1863"))).toBe(true)
    expect(Result.isFailure(Schema.encodeResult(Address.FromWire)({ host: "日本.example", port: 1863 }))).toBe(true)
  })

  it("is always written with its port, and IPv6 in brackets", () => {
    expect(Address.format({ host: "207.46.106.118", port: 1863 })).toBe("207.46.106.118:1863")
    expect(Address.format({ host: "::1", port: 1863 })).toBe("[::1]:1863")
  })

  it("that cannot be an address is not written", () => {
    const write = Schema.encodeResult(Address.FromWire)
    expect(Result.isFailure(write({ host: "a b", port: 1863 }))).toBe(true)
    expect(Result.isFailure(write({ host: "127.0.0.1", port: 0 }))).toBe(true)
  })
})

describe("numeric IPv4, which is all that old clients parse", () => {
  it.each(["207.46.106.118", "0.0.0.0", "255.255.255.255"])("is %s", (host) => {
    expect(Address.isIpv4({ host, port: 1863 })).toBe(true)
  })

  it.each(["localhost", "::1", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ""])("is not %j", (host) => {
    expect(Address.isIpv4({ host, port: 1863 })).toBe(false)
  })

  it("has a port to connect to", () => {
    expect(Address.isIpv4({ host: "127.0.0.1", port: 0 })).toBe(false)
  })
})
