/** The parser that the codec is measured against takes the same lines for the same commands: or it would be no measure. */
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import * as Yardstick from "./yardstick.ts"

/** Words of logins, and such as are nearly one. */
const known = fc.constantFrom(
  ..."0 1 12 4294967295 4294967296 01 MD5 CTP,MD5 , I S OK NS MSNP7 MSNP2 CVR0 OTH SSD".split(" "),
  ..."a@b alice@example.com \u00c3\u00bc@b \u00fc@b a@b@c Alice %41%20b %C3%BC %FC % \u00c3\u00bc".split(" "),
  ..."23e54a439a6a17d15025f4c6cbd0f6b5 23E54A439A6A17D15025F4C6CBD0F6B5 1.2.3.4:5 1.2.3.4 1.2.3.256:5".split(" "),
  ..."[::1]:5 [::1 a.b-c_d.:7 -a:7 a-:7 a..b:7 host:0 host:65536 1.2.3:4 0x7f:1 a.0x1:2 :5".split(" "),
)
const verb = fc.constantFrom(..."VER INF USR XFR CVR OUT 911 099 1000 SYN MSG ver VERS".split(" "))
const gap = fc.oneof({ weight: 20, arbitrary: fc.constant(" ") }, fc.constantFrom("  ", "\t", " \t "))

const loose = fc
  .tuple(verb, fc.array(fc.tuple(gap, fc.oneof({ weight: 9, arbitrary: known }, Arbitraries.word)), { maxLength: 7 }))
  .map(([verb, words]) => verb + words.flat().join(""))

/** The patterns of a login, so that what is random among them is one word at a time. */
const strict = (...patterns: ReadonlyArray<string>) =>
  fc
    .tuple(fc.constantFrom(...patterns), fc.array(known, { minLength: 6, maxLength: 6 }))
    .map(([pattern, words]) => words.reduce((line, word) => line.replace("?", () => word), pattern))

const end = fc.constantFrom("\r\n", "\n", " \r\n", "\t\n")
const client = fc.oneof(loose, strict("USR 1 MD5 I ?", "USR 1 MD5 S ?", "USR ? ? ? ?", "VER ? ? ?", "INF ? ?"))
const server = fc.oneof(
  loose,
  strict("USR 1 MD5 S ?", "USR 1 OK a@b ? ?", "USR 1 OK ? ?", "XFR 1 NS ?", "XFR 1 NS ? ?", "XFR 1 NS 1.2.3.4 0 ?"),
  strict("INF 1 ?", "INF 1 ? ?", "VER 1 ? ?", "OUT ?", "911 ?", "? 1"),
)

const byCodec = <A>(bytes: string, decode: (frame: Line.Frame) => Result.Result<A, unknown>): A | undefined => {
  const taken = Line.take(bytes, Line.noPayloads, Line.clientLimits)
  return taken._tag === "Whole" ? Result.getOrUndefined(decode(taken.frame)) : undefined
}

describe("the parser written by hand", () => {
  it.each([
    ["a client", client, Codec.decodeClient, Yardstick.client],
    ["a server", server, Codec.decodeServer, Yardstick.server],
  ] as const)("makes of each line of %s what the codec makes of it", (_, lines, decode, byHand) => {
    const tags = new Set<string>()
    fc.assert(
      fc.property(lines, end, (line, end) => {
        const expected = byCodec<{ readonly _tag: string }>(line + end, decode)
        tags.add(expected?._tag ?? "nothing")
        expect(Equal.equals(byHand(line + end), expected)).toBe(true)
      }),
      { numRuns: 4000 },
    )
    expect(tags.size).toBeGreaterThanOrEqual(8)
  })
})
