import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { clientCommands } from "../support/SessionArbitraries.ts"

/** Reads one command off some bytes, through both stages. */
const read = (bytes: string) => {
  const taken = Line.take(bytes, Line.clientPayloads, Line.serverLimits)
  if (taken._tag !== "Whole" || taken.rest !== "") throw new Error(`These bytes are not one command: ${bytes}`)
  const heard = Result.getOrThrow(Codec.decodeClient(taken.frame))
  if (heard._tag !== "Foreign") throw new Error(`${heard._tag} is a command of the login`)
  return SessionClientCommand.decode(heard)
}

/** Writes one command, through both stages. */
const write = (command: SessionClientCommand.SessionClientCommand) =>
  Result.getOrThrow(Result.flatMap(SessionClientCommand.encode(command), Codec.encodeClient))

const answer = "8f2f5a91b72102cd28355e9fc9000d6e"

describe("what a client says in a session", () => {
  it.each([
    ["SYN 143 0", { _tag: "Syn", trId: 143, serial: 0 }],
    ["SYN 54 12182", { _tag: "Syn", trId: 54, serial: 12182 }],
    ["CHG 144 NLN", { _tag: "Chg", trId: 144, status: "Online" }],
    ["CHG 19 FLN", { _tag: "Chg", trId: 19, status: "Offline" }],
    ["PNG", { _tag: "Png" }],
    ["PNG whatever else", { _tag: "Png" }],
    ["URL 15 INBOX", { _tag: "Url", trId: 15, place: "INBOX", parameters: [] }],
    ["URL 15 COMPOSE a@b.c", { _tag: "Url", trId: 15, place: "COMPOSE", parameters: ["a@b.c"] }],
    [
      "CVQ 6 0x0409 winnt 5.1 i386 MSMSGS 1.0.0863",
      { _tag: "Cvq", trId: 6, parameters: ["0x0409", "winnt", "5.1", "i386", "MSMSGS", "1.0.0863"] },
    ],
    ["ADD 20 FL a@b a@b", { _tag: "Foreign", verb: "ADD", parameters: ["20", "FL", "a@b", "a@b"], payload: "" }],
    ["XFR 10 SB", { _tag: "Foreign", verb: "XFR", parameters: ["10", "SB"], payload: "" }],
  ])("is understood: %s", (line, command) => {
    expect(read(`${line}\r\n`)).toEqual(Result.succeed(command))
  })

  it("may have a payload, which stands behind the line without a line end of its own", () => {
    const command = Result.getOrThrow(read(`QRY 1049 msmsgs@msnmsgr.com 32\r\n${answer}`))
    expect(command).toMatchObject({ _tag: "Qry", trId: 1049, clientId: "msmsgs@msnmsgr.com" })
    expect(command._tag === "Qry" && Redacted.value(command.digest)).toBe(answer)
    expect(command._tag === "Qry" && write(command)).toBe(`QRY 1049 msmsgs@msnmsgr.com 32\r\n${answer}`)
  })

  it.each([
    ["SYN", "Unreadable", "SYN bears no TrID from 0 to 4294967295"],
    ["CHG NLN", "Unreadable", "CHG bears no TrID from 0 to 4294967295"],
    ["SYN 1", "Syn", "word 3 of SYN (serial) is missing: expected a number from 0 to 4294967295"],
    ["SYN 1 x", "Syn", "word 3 of SYN (serial) is not a number from 0 to 4294967295"],
    ["SYN 1 4294967296", "Syn", "word 3 of SYN (serial) is not a number from 0 to 4294967295"],
    ["SYN 1 0 0", "Syn", "word 4 of SYN is one too many"],
    ["CHG 1", "Chg", "word 3 of CHG (status) is missing: expected one of NLN, FLN, HDN, BSY, IDL, BRB, AWY, PHN, LUN"],
    ["CHG 1 nln", "Chg", "word 3 of CHG (status) is not one of NLN, FLN, HDN, BSY, IDL, BRB, AWY, PHN, LUN"],
    ["URL 1", "Url", "word 3 of URL (place) is missing: expected a word: one or more bytes without white space"],
    ["QRY 1 x 0", "Qry", "word 4 of QRY (digest) is not a digest: 32 hexadecimal digits"],
    ["QRY 1 0", "Qry", "word 3 of QRY (clientId) is not a word: one or more bytes without white space"],
  ])("is told to be wrong where it is: %s is like %s", (line, like, why) => {
    const failed = Result.getOrThrow(Result.flip(read(`${line}\r\n`)))
    expect(failed._tag === "Malformed" ? failed.like : failed._tag).toBe(like)
    expect(Codec.explain(failed)).toBe(why)
  })

  it("is the same when written and read again", () => {
    fc.assert(
      fc.property(
        fc.oneof(...Object.values<fc.Arbitrary<SessionClientCommand.SessionClientCommand>>(clientCommands)),
        (command) => {
          expect(Equal.equals(read(write(command)), Result.succeed(command))).toBe(true)
        },
      ),
    )
  })

  it("is left as it is where its verb is none of a session, and never throws", () => {
    fc.assert(
      fc.property(Arbitraries.clientCommands.Foreign, (foreign) => {
        const decoded = SessionClientCommand.decode(foreign)
        const isKnown = Object.hasOwn(SessionClientCommand.commands, foreign.verb)
        expect(Result.isFailure(decoded) || isKnown || decoded.success === foreign).toBe(true)
      }),
    )
  })
})
