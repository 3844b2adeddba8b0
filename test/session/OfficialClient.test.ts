import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as OfficialClient from "../../src/session/OfficialClient.ts"

/** Each client, its offer as msnp-wiki and Escargot's notes have it, and its version. */
const known = [
  ["MSN1.0", "MSNP2 CVR0", "win 4.0 i386 MSMSGS 1.0.0863"],
  ["MSN2.0", "MSNP3 MSNP2 CVR0", "win 4.10 i386 MSMSGS 2.0.0083"],
  ["MSN2.1", "MSNP4 MSNP3 CVR0", "win 4.10 i386 MSMSGS 2.1.1047 MSMSGS"],
  ["MSN2.2", "MSNP4 MSNP3 CVR0", "win 4.10 i386 MSMSGS 2.2.1053 MSMSGS"],
  ["MSN3.0", "MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 3.0.0283 MSMSGS"],
  ["MSN3.6", "MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 3.6.0038 MSMSGS"],
  ["MSN4.5", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 4.5.0121 MSMSGS"],
  ["MSN4.6", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "win 4.10 i386 MSMSGS 4.6.0083 MSMSGS"],
  ["MSN4.7", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "winnt 5.1 i386 MSMSGS 4.7.0105 WindowsMessenger"],
] as const

const said = (command: Parameters<typeof Codec.encodeClient>[0]) => Result.getOrThrow(Codec.encodeClient(command))
const trId = TrId.TrId.make(5)

describe("the official clients", () => {
  it("are these, the oldest first", () => {
    expect(OfficialClient.Name.literals).toEqual(known.map(([name]) => name))
  })

  it.each(known)("%s offers %s", (name, offer) => {
    const { dialects } = OfficialClient.options[name]
    expect(said({ _tag: "Ver", trId, dialects: [...dialects, Dialect.cvr0] })).toBe(`VER 5 ${offer}\r\n`)
  })

  it.each(known)("%s, which offers %s, reports itself as %s", (name, _, version) => {
    const { version: parameters } = OfficialClient.options[name]
    expect(said({ _tag: "Cvr", trId, parameters })).toBe(`CVR 5 0x0409 ${version}\r\n`)
  })

  it("go step by step, and begin to count with 1", () => {
    for (const { strategy, trId } of Object.values(OfficialClient.options)) {
      expect([strategy, trId]).toEqual(["official", 1])
    }
  })
})
