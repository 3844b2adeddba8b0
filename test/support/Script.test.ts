import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Arbitraries from "./Arbitraries.ts"
import * as Script from "./Script.ts"

const conversation = String.raw`# For the reader.

== server cvrAnytime
<o> Client connects
    AwaitVer
>>> VER 1 MSNP7\r\n
<<< VER 1 MSNP7\r\n
    AwaitInfOrUsr { dialect: MSNP7 }
# In pieces.
>>> USR 2 MD5 I al
    AwaitInfOrUsr { dialect: MSNP7 }
>>> ice@hotmail.com\r\nINF 3\n
<o> Server asks its host: Admission { dialect: MSNP7, account: alice@hotmail.com }
<o> It waits until the host has decided
    AwaitAdmission { dialect: MSNP7, trId: 2, account: alice@hotmail.com }
<o> Host: dismiss the client
<o> A defect
<o> Host: deny with 601
<<< 601 2\r\n
<o> Server closes connection
    Closed { reason: Unavailable }

== client alice@hotmail.com SkipInf MSNP7 MSNP6
<o> Client connects
>>> VER 1 MSNP7 MSNP6 CVR0\r\n
    AwaitVer { trId: 1, account: alice@hotmail.com, skipped: 0, offered: [MSNP7, MSNP6], manner: SkipInf }
<<< VER 1 MSNP6\r\n
>>> USR 2 MD5 I alice@hotmail.com\r\n
    AwaitUsr { trId: 2, account: alice@hotmail.com, skipped: 0, dialect: MSNP6 }
<o> Host: log off
>>> OUT\r\n
<o> Client closes connection
    Closed { reason: LoggedOff }
<o> Comes 2 inputs late: VER 1 MSNP6\r\n
    Closed { reason: LoggedOff }
`

describe("a script", () => {
  it("is played to the same text, remarks and all", () => {
    expect(Script.replay(conversation)).toBe(conversation)
  })

  it("is found out where it says what the machine did not", () => {
    const lies = [
      [/<<< 601 2/, "<<< 500 2"],
      [/^ {4}Closed .*$/m, "    AwaitVer"],
      [/^<o> Server closes connection\n/m, ""],
      [/^<o> It waits.*\n/m, ""],
      [/>>> USR 2 MD5 I alice/, ">>> USR 3 MD5 I alice"],
    ] as const
    for (const [truth, lie] of lies) {
      const text = conversation.replace(truth, lie)
      expect(text).not.toBe(conversation)
      expect(Script.replay(text)).toBe(conversation)
    }
  })

  it("gives a machine a line that comes late for what it was then", () => {
    const [, client] = Script.parse(conversation)
    const edges = client === undefined ? [] : Script.run(client).edges
    expect(edges.at(-1)).toEqual({ from: "Closed", event: "VerSkipInf", to: "Closed" })

    const [sooner] = Script.parse(conversation.slice(conversation.indexOf("== client")).replace("Comes 2", "Comes 1"))
    expect(sooner === undefined ? undefined : Script.run(sooner).edges.at(-1)?.event).toBe("Stray")
  })

  it("is found out where it gives a machine what it does not know", () => {
    const text = conversation.replace("Host: deny with 601", "Host: deny with 600")
    expect(Script.replay(text)).not.toBe(text)
  })

  it("tells which cells of the table it passes", () => {
    const [server] = Script.parse(conversation)
    expect(server === undefined ? [] : Script.run(server).edges).toEqual([
      { from: "AwaitVer", event: "Ver", to: "AwaitInfOrUsr" },
      { from: "AwaitInfOrUsr", event: "UsrInitiate", to: "AwaitAdmission" },
      { from: "AwaitAdmission", event: "Inf", to: "AwaitAdmission" },
      { from: "AwaitAdmission", event: "Deny", to: "Closed" },
      // What had to wait is fed behind the decision, and comes too late.
      { from: "Closed", event: "Inf", to: "Closed" },
    ])
  })

  it.each([
    ["== server cvrNever", "line 2 of the script names a quirk that there is not"],
    ["== proxy", "line 2 of the script is no heading"],
    ["== client alice@hotmail.com MSNP7", "line 2 of the script is no heading"],
    ["== client alice@hotmail.com AskInf", "line 2 of the script is no heading"],
  ])("with the heading %s is refused, and told where", (heading, why) => {
    expect(() => Script.parse(`# A remark.\n${heading}\n`)).toThrow(why)
  })

  it("has a digest only where a client says it, or its host does", () => {
    const [script] = Script.parse(
      [
        "== server",
        String.raw`>>> VER 1 MSNP7\r\nUSR 2 MD5 I alice@hotmail.com\r\n`,
        "<o> Host: challenge with 1013928519.693957190",
        String.raw`>>> USR 3 MD5 S 6f3963009fc8a9d2b2ff137da0905c55\r\n`,
      ].join("\n"),
    )
    const lines = script === undefined ? [] : Script.play(script).split("\n")
    expect(lines.filter((line) => line.includes("6f3963009f"))).toHaveLength(1)
    expect(lines.filter((line) => line.includes("digest: (secret)"))).toHaveLength(1)
  })
})

describe("bytes in a script", () => {
  it("are what they were when they are read again, and printable", () => {
    fc.assert(
      fc.property(Arbitraries.bytes, (bytes) => {
        expect(Script.escape(bytes)).toMatch(/^[ -~]*(?<! )$/)
        expect(Script.unescape(Script.escape(bytes))).toBe(bytes)
      }),
    )
  })
})
