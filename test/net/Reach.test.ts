import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Reach from "../../src/net/Reach.ts"

describe("how near a host is", () => {
  // The first and the last address of each network, and those beside it: RFC 1122, 1918, 3927, 4193, 4291, 6598, 6890.
  for (const [reach, hosts] of [
    ["Loopback", ["127.0.0.0", "127.0.0.1", "127.255.255.255", "0.0.0.0", "0.255.255.255", "::1", "::"]],
    ["Loopback", ["localhost", "LocalHost.", "a.localhost", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"]],
    ["Link", ["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::1", "fe80::1%eth0", "febf:ffff::1"]],
    ["Private", ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"]],
    ["Private", ["100.64.0.0", "100.127.255.255", "fc00::", "fdff:ffff::1", "fec0::1", "::ffff:192.168.0.1"]],
    ["Nowhere", ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1"]],
    [
      "Public",
      ["9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "1.0.0.0"],
    ],
    ["Public", ["192.167.255.255", "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0"]],
    ["Public", ["203.0.113.7", "223.255.255.255", "2001:4860::8888", "fbff::1", "fe00::1", "::ffff:203.0.113.7"]],
  ] as const) {
    it(`is ${reach}: ${hosts.join(", ")}`, () => {
      for (const host of hosts) assert.deepStrictEqual(Reach.ofHost(host), Option.some(reach), host)
    })
  }

  it("is not known of a name, nor of a number that only some resolvers take for an address", () => {
    for (const host of ["messenger.example.org", "localhost.example.org", "127.1", "2130706433", "0x7f000001"]) {
      assert.deepStrictEqual(Reach.ofHost(host), Option.none(), host)
    }
  })
})

describe("a gate", () => {
  it("is shut where none of a server's addresses is as far away as it has to be", () => {
    const gate = Reach.gate("Public")
    assert.deepStrictEqual(gate.refused(), Option.none())
    assert.isFalse(gate.admits("127.0.0.1"))
    assert.isFalse(gate.admits("10.0.0.1"))
    assert.deepStrictEqual(gate.refused(), Option.some("Private"))
    assert.isTrue(gate.admits("203.0.113.7"))
    assert.deepStrictEqual(gate.refused(), Option.none())
  })

  it("takes a server for as far away as the farthest of its addresses, and for public where none is known", () => {
    const gate = Reach.gate("Nowhere")
    assert.strictEqual(gate.farthest(), "Public")
    for (const [host, farthest] of [
      ["127.0.0.1", "Loopback"],
      ["10.0.0.1", "Private"],
      ["169.254.0.1", "Private"],
      ["203.0.113.7", "Public"],
      ["127.0.0.1", "Public"],
    ] as const) {
      assert.isTrue(gate.admits(host))
      assert.strictEqual(gate.farthest(), farthest)
    }
  })
})
