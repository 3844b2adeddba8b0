import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import { serverCommands } from "../support/SessionArbitraries.ts"

/** Reads one command off some bytes, through both stages. */
const read = (bytes: string) => {
  const taken = Line.take(bytes, Line.serverPayloads, Line.clientLimits)
  if (taken._tag !== "Whole" || taken.rest !== "") throw new Error(`These bytes are not one command: ${bytes}`)
  const heard = Result.getOrThrow(Codec.decodeServer(taken.frame))
  if (heard._tag !== "Foreign") throw new Error(`${heard._tag} is a command of the login`)
  return SessionServerCommand.decode(heard)
}

/** Writes one command, through both stages. */
const write = (command: SessionServerCommand.SessionServerCommand | ServerCommand.Foreign) => {
  const foreign = command._tag === "Foreign" ? Result.succeed(command) : SessionServerCommand.encode(command)
  return Result.getOrThrow(Result.flatMap(foreign, Codec.encodeServer))
}

const alice = { account: "alice@hotmail.com", friendlyName: "Alice Liddell" }

describe("what a server says in a session", () => {
  it.each([
    ["SYN 143 0", { _tag: "Syn", trId: 143, serial: 0 }],
    ["GTC 3 12 A", { _tag: "Gtc", trId: 3, serial: 12, policy: "A" }],
    ["BLP 3 12 BL", { _tag: "Blp", trId: 3, serial: 12, policy: "BL" }],
    [
      "PRP 55 12183 PHH 555%20555-0690",
      { _tag: "Prp", trId: 55, serial: 12183, property: "PHH", value: "555 555-0690" },
    ],
    ["PRP 55 12183 PHM", { _tag: "Prp", trId: 55, serial: 12183, property: "PHM", value: "" }],
    [
      "BPR 12183 alice@hotmail.com PHH 555%20555-0690",
      { _tag: "Bpr", serial: 12183, account: "alice@hotmail.com", property: "PHH", value: "555 555-0690" },
    ],
    ["LSG 3 255 1 1 0 ~ 0", { _tag: "Lsg", trId: 3, serial: 255, item: 1, total: 1, id: 0, name: "~" }],
    [
      "LST 3 RL 12 1 2 alice@hotmail.com Alice%20Liddell",
      { _tag: "Lst", trId: 3, list: "RL", serial: 12, item: 1, total: 2, ...alice, groups: [] },
    ],
    [
      "LST 3 FL 12 1 2 alice@hotmail.com Alice%20Liddell 0,3",
      { _tag: "Lst", trId: 3, list: "FL", serial: 12, item: 1, total: 2, ...alice, groups: [0, 3] },
    ],
    ["LST 3 FL 12 0 0", { _tag: "LstEmpty", trId: 3, list: "FL", serial: 12 }],
    ["CHG 144 NLN", { _tag: "Chg", trId: 144, status: "Online" }],
    ["ILN 144 AWY alice@hotmail.com Alice%20Liddell", { _tag: "Iln", trId: 144, status: "Away", ...alice }],
    ["NLN BSY alice@hotmail.com Alice%20Liddell", { _tag: "Nln", status: "Busy", ...alice }],
    ["FLN alice@hotmail.com", { _tag: "Fln", account: "alice@hotmail.com" }],
    ["QNG", { _tag: "Qng" }],
    ["CHL 0 15570131571988941333", { _tag: "Chl", trId: 0, challenge: "15570131571988941333" }],
    ["QRY 1049", { _tag: "Qry", trId: 1049 }],
    [
      "URL 15 /cgi-bin/HoTMaiL https://loginnet.passport.com/ppsecure/md5auth.srf?lc=1033 2",
      {
        _tag: "Url",
        trId: 15,
        path: "/cgi-bin/HoTMaiL",
        login: "https://loginnet.passport.com/ppsecure/md5auth.srf?lc=1033",
        site: ["2"],
      },
    ],
    ["CVQ 2 5.0.0537 5.0.0537 1.0.0863", { _tag: "Cvq", trId: 2, parameters: ["5.0.0537", "5.0.0537", "1.0.0863"] }],
    ["NOT 0", { _tag: "Foreign", verb: "NOT", parameters: ["0"], payload: "" }],
  ])("is understood, and written so: %s", (line, command) => {
    expect(read(`${line}\r\n`)).toEqual(Result.succeed(command))
    expect(write(Result.getOrThrow(read(`${line}\r\n`)))).toBe(`${line}\r\n`)
  })

  it("may have a payload, whose bytes are counted", () => {
    const payload = "MIME-Version: 1.0\r\n\r\nJ\u00c3\u00bcrgen"
    expect(read(`MSG Hotmail Hotmail 28\r\n${payload}`)).toEqual(
      Result.succeed({ _tag: "Msg", from: "Hotmail", friendlyName: "Hotmail", payload }),
    )
  })

  it.each([
    ["LST 3 XL 12 1 2 alice@hotmail.com Alice", "word 3 of LST (list) is not FL, AL, BL or RL"],
    [
      "LST 3 FL 12 1 2 alice@hotmail.com Alice 0,x",
      "word 9 of LST (groups) is not ids of groups, separated by commas, or nothing",
    ],
    ["GTC 3 12 B", "word 4 of GTC (policy) is not A or N"],
    ["PRP 3 12 FAX 1", "word 4 of PRP (property) is not PHH, PHW, PHM, MOB or MBE"],
    ["CHL 0", "word 3 of CHL (challenge) is missing: expected a challenge: one or more bytes without white space"],
    ["NLN BSY", "NLN bears no TrID from 0 to 4294967295"],
  ])("is told to be wrong where it is: %s", (line, why) => {
    expect(Codec.explain(Result.getOrThrow(Result.flip(read(`${line}\r\n`))))).toBe(why)
  })

  it("is the same when written and read again", () => {
    fc.assert(
      fc.property(
        fc.oneof(...Object.values<fc.Arbitrary<SessionServerCommand.SessionServerCommand>>(serverCommands)),
        (command) => {
          expect(Equal.equals(read(write(command)), Result.succeed(command))).toBe(true)
        },
      ),
    )
  })
})
