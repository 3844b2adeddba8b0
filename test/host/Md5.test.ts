import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Md5 from "../../src/host/Md5.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Arbitraries from "../support/Arbitraries.ts"

/** RFC 1321, appendix A.5. */
const suite = [
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  [
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "57edf4a22be3c955ac49da2e2107b67a",
  ],
] as const

describe("the MD5 of a server", () => {
  it.each(suite)("of %j is what RFC 1321 says", (bytes, digest) => {
    expect(Md5.fastest(bytes)).toBe(digest)
  })

  it("agrees with that of effect about any bytes", () => {
    const bytes = fc.array(Arbitraries.bytes).map((parts) => parts.join(""))
    fc.assert(
      fc.property(bytes, (bytes) => {
        expect(Md5.fastest(bytes)).toBe(Challenge.md5(bytes))
      }),
    )
  })

  it("is that of Node", () => {
    expect(Md5.fastest).not.toBe(Challenge.md5)
  })

  it("is that of effect where Node's OpenSSL has none, as one that keeps to FIPS 140", () => {
    const module = JSON.stringify(Path.join(import.meta.dirname, "..", "..", "src", "host", "Md5.ts"))
    const script = `
      import * as Module from "node:module"
      import Crypto from "node:crypto"
      Crypto.hash = () => { throw new Error("error:0308010C:digital envelope routines::unsupported") }
      Module.syncBuiltinESMExports()
      const { fastest } = await import(${module})
      console.log(fastest("abc"))`
    const { stdout } = ChildProcess.spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    })
    expect(stdout).toBe("900150983cd24fb0d6963f7d28e17f72\n")
  })
})
