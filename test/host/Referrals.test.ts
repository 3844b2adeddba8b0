import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Referrals from "../../src/host/Referrals.ts"
import type * as Address from "../../src/protocol/Address.ts"

/** The address on which a client has reached us. */
const reached: Address.Address = { host: "198.51.100.7", port: 1863 }

const bound = (host: string, port = 1864): Referrals.Server => Referrals.elsewhere({ host, port })

const advertised = (host: string, at: Address.Address): Referrals.Server => ({
  bound: at,
  advertise: Option.some({ host, port: 1863 }),
})

const named = (server: Referrals.Server, by = reached) => Option.getOrUndefined(Referrals.nameOf(server, by))

describe("the address of a server as a client is told it", () => {
  it("is the one that it is bound to", () => {
    assert.deepStrictEqual(named(bound("203.0.113.7")), { host: "203.0.113.7", port: 1864 })
  })

  it("is the advertised one, whatever it is bound to", () => {
    for (const host of ["10.0.0.5", "0.0.0.0", "::", "::1"]) {
      assert.deepStrictEqual(named(advertised("203.0.113.7", { host, port: 1864 })), {
        host: "203.0.113.7",
        port: 1863,
      })
    }
  })

  it("has the host on which that client has reached us, where it is bound to all addresses", () => {
    assert.deepStrictEqual(named(bound("0.0.0.0")), { host: "198.51.100.7", port: 1864 })
    assert.deepStrictEqual(named(bound("::")), { host: "198.51.100.7", port: 1864 })
    assert.deepStrictEqual(named(bound("::"), { host: "127.0.0.1", port: 9 }), { host: "127.0.0.1", port: 1864 })
  })

  it("is none where it is no numeric IPv4, since period clients parse nothing else", () => {
    assert.isUndefined(named(bound("::1")))
    assert.isUndefined(named(bound("messenger.example.com")))
    assert.isUndefined(named(advertised("messenger.example.com", { host: "203.0.113.7", port: 1864 })))
    assert.isUndefined(named(bound("::"), { host: "::1", port: 1863 }))
    assert.isUndefined(named(bound("203.0.113.7", 0)))
  })
})

describe("whether there is a client to whom a server can be named", () => {
  it("is so for numeric IPv4 and for all addresses", () => {
    for (const host of ["203.0.113.7", "0.0.0.0", "::"]) assert.isTrue(Referrals.isNameable(bound(host)), host)
    assert.isTrue(Referrals.isNameable(advertised("203.0.113.7", { host: "::1", port: 1864 })))
  })

  it("is not so for IPv6 alone and for names", () => {
    for (const host of ["::1", "messenger.example.com"]) assert.isFalse(Referrals.isNameable(bound(host)), host)
    assert.isFalse(Referrals.isNameable(advertised("::1", { host: "203.0.113.7", port: 1864 })))
  })
})
