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

describe("the server that a client is referred to", () => {
  const known = (host: string, load: () => number, isUp = () => true) =>
    Referrals.candidate(bound(host), { isUp, load, fades: Referrals.fading.known })

  const chosen = (candidates: ReadonlyArray<Referrals.Candidate>, now = 0) =>
    Option.getOrUndefined(Referrals.leastLoaded(candidates, reached, now))?.host

  it("is the one with the fewest clients", () => {
    const loads = { a: 3, b: 1, c: 2 }
    const servers = [
      known("10.0.0.1", () => loads.a),
      known("10.0.0.2", () => loads.b),
      known("10.0.0.3", () => loads.c),
    ]
    assert.strictEqual(chosen(servers), "10.0.0.2")
    loads.a = 0
    assert.strictEqual(chosen(servers, 1_000_000), "10.0.0.1")
  })

  it("is another one each time, where nothing is known of their clients", () => {
    const servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => Referrals.stranger(bound(host)))
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4, 5].map((now) => chosen(servers, now)),
      ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.3"],
    )
  })

  it("is not one and the same for a crowd that comes before any of it has arrived", () => {
    const servers = [known("10.0.0.1", () => 0), known("10.0.0.2", () => 50)]
    const crowd = Array.from({ length: 150 }, () => chosen(servers))
    assert.strictEqual(crowd.filter((host) => host === "10.0.0.1").length, 100)
    assert.strictEqual(crowd.filter((host) => host === "10.0.0.2").length, 50)
  })

  it("counts a referral for less as time goes by: after its time constant for 37 in a hundred", () => {
    const server = known("10.0.0.1", () => 0)
    server.refer(1000)
    assert.strictEqual(server.referred(1000), 1)
    assert.closeTo(server.referred(11_000), 0.3679, 0.0001)
    // A clock that was set back does not make anybody count for more than one.
    assert.strictEqual(server.referred(0), 1)
  })

  it("is none that is down, and none at all where all are", () => {
    let isUp = false
    const servers = [
      known(
        "10.0.0.1",
        () => 0,
        () => isUp,
      ),
      known("10.0.0.2", () => 9),
    ]
    assert.strictEqual(chosen(servers), "10.0.0.2")
    isUp = true
    assert.strictEqual(chosen(servers), "10.0.0.1")
    assert.isUndefined(
      chosen([
        known(
          "10.0.0.1",
          () => 0,
          () => false,
        ),
      ]),
    )
    assert.isUndefined(chosen([]))
  })

  it("is none that cannot be named to the client", () => {
    assert.strictEqual(chosen([known("::1", () => 0), known("10.0.0.2", () => 9)]), "10.0.0.2")
  })
})
