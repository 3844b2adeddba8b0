import * as fc from "fast-check"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as Line from "../../src/protocol/Line.ts"
import { bytes, word } from "../support/Arbitraries.ts"

/** All commands in some bytes, and what is left of them. */
const all = (input: string, payloads: Line.Payloads = Line.noPayloads, limits: Line.Limits = Line.serverLimits) => {
  const frames: Array<Line.Frame> = []
  let taken = Line.take(input, payloads, limits)
  while (taken._tag === "Whole") {
    frames.push(taken.frame)
    taken = Line.take(taken.rest, payloads, limits)
  }
  return { frames, end: taken }
}

const words = (input: string) => all(input).frames.map((frame) => frame.words)

describe("where a line ends", () => {
  it("is at CRLF, or at a lone LF", () => {
    expect(words("INF 1\r\nINF 2\nINF 3\r\n")).toEqual([
      ["INF", "1"],
      ["INF", "2"],
      ["INF", "3"],
    ])
  })

  it("is not at a lone CR (hypothetic v2.1, commands)", () => {
    expect(words("INF 1\rINF 2\r\n")).toEqual([["INF", "1\rINF", "2"]])
    expect(all("INF 1\r").end).toEqual({ _tag: "NotYet", rest: "INF 1\r", wanted: 7 })
  })

  it("is nowhere as long as there is none", () => {
    expect(all("").end).toEqual({ _tag: "NotYet", rest: "", wanted: 1 })
    expect(all("INF 1").end).toEqual({ _tag: "NotYet", rest: "INF 1", wanted: 6 })
  })

  it("leaves what is behind it for the next call", () => {
    expect(Line.take("INF 1\r\nUSR 2", Line.noPayloads, Line.serverLimits)).toEqual({
      _tag: "Whole",
      frame: { words: ["INF", "1"], payload: "" },
      rest: "USR 2",
    })
  })

  it("may be behind nothing: empty lines are passed over, and lines of blanks", () => {
    expect(words("\r\n\n \t \r\nINF 1\r\n\r\n")).toEqual([["INF", "1"]])
    expect(all("\r\n\n  \r\n").end).toEqual({ _tag: "NotYet", rest: "", wanted: 1 })
  })
})

describe("the words of a line", () => {
  it("are parted by runs of spaces and tabs (draft 5.2)", () => {
    expect(words("USR  2\tMD5 \t I   a@b\r\n")).toEqual([["USR", "2", "MD5", "I", "a@b"]])
  })

  it("may have white space behind them, as aMSN 2002 writes INF", () => {
    expect(words("INF 2 \r\nINF 3\t \n")).toEqual([
      ["INF", "2"],
      ["INF", "3"],
    ])
  })

  it("are any other bytes, controls and all", () => {
    expect(words("A\u0000B \u000b\u00a0\u00ff\r\n")).toEqual([["A\u0000B", "\u000b\u00a0\u00ff"]])
  })

  it("do not begin with the verb where white space stands before it", () => {
    expect(words(" INF 1\r\n")).toEqual([["", "INF", "1"]])
  })
})

describe("the limit of a line", () => {
  const { lineBytes: line } = Line.serverLimits

  it("is 2,048 bytes for what clients say, and 64 KiB for what servers say, a challenge of any length included", () => {
    expect(line).toBe(2048)
    expect(Line.clientLimits.lineBytes).toBe(65_536)
  })

  it.each(["\n", "\r\n"])("does not count the line end %j", (end) => {
    expect(all(`${"A".repeat(line)}${end}`).frames).toHaveLength(1)
    expect(all(`${"A".repeat(line + 1)}${end}`).end).toEqual({
      _tag: "Never",
      why: "a line is longer than 2048 bytes",
      beyond: Option.some("lineBytes"),
    })
  })

  it("is known before the line ends, so that nobody can fill the memory", () => {
    expect(all("A".repeat(line)).end._tag).toBe("NotYet")
    expect(all("A".repeat(line + 1)).end._tag).toBe("Never")
  })

  it("waits for one byte more where a CR may turn out to be the line's end", () => {
    expect(all(`${"A".repeat(line)}\r`).end._tag).toBe("NotYet")
    expect(all(`${"A".repeat(line + 1)}\r`).end._tag).toBe("Never")
    expect(all(`${"A".repeat(line)}\rA`).end._tag).toBe("Never")
  })

  it("is 512 words, too, however short they are", () => {
    const words = (count: number) => `${Array.from({ length: count }, () => "A").join(" ")}\r\n`
    expect(all(words(512)).frames).toHaveLength(1)
    expect(all(words(513)).end).toEqual({
      _tag: "Never",
      why: "a line has more than 512 words",
      beyond: Option.some("lineWords"),
    })
  })

  it("holds for each line by itself", () => {
    const long = `${"A".repeat(line)}\r\n`
    expect(all(long.repeat(3)).frames).toHaveLength(3)
    expect(all(`${long}${"A".repeat(line + 1)}\r\n`).frames).toHaveLength(1)
  })

  it("counts white space that says nothing", () => {
    expect(all(`INF 1${" ".repeat(line - 5)}\r\n`).frames).toHaveLength(1)
    expect(all(`INF 1${" ".repeat(line - 4)}\r\n`).end._tag).toBe("Never")
    expect(all(`${" ".repeat(line + 1)}\r\n`).end._tag).toBe("Never")
  })
})

describe("a payload", () => {
  const payment = (input: string) => all(input, Line.clientPayloads).frames.map((frame) => frame.payload)

  // hypothetic v2.0, messages: the system message, whose 88 bytes are counted from behind the line end.
  const systemMessage = [
    "MIME-Version: 1.0",
    "Content-Type: application/x-msmsgssystemmessage",
    "",
    "Type: 1",
    "Arg1: 5",
    "",
  ].join("\r\n")

  it("is as many bytes as the last word says, lines and blanks among them", () => {
    expect(systemMessage).toHaveLength(88)
    expect(all(`MSG Hotmail Hotmail 88\r\n${systemMessage}OUT SSD\r\n`, Line.serverPayloads)).toEqual({
      frames: [
        { words: ["MSG", "Hotmail", "Hotmail", "88"], payload: systemMessage },
        { words: ["OUT", "SSD"], payload: "" },
      ],
      end: { _tag: "NotYet", rest: "", wanted: 1 },
    })
  })

  it("has no line end behind it (the wiki's answer to a challenge)", () => {
    const query = "QRY 10 msmsgs@msnmsgr.com 32\r\n3b6666b60157322b6fc6e41a115968f5"
    expect(payment(query)).toEqual(["3b6666b60157322b6fc6e41a115968f5"])
    expect(payment(`${query}OUT\r\n`)).toEqual(["3b6666b60157322b6fc6e41a115968f5", ""])
  })

  it("is counted in bytes: two for a letter beyond ASCII", () => {
    expect(payment("PAG 1 a@b MOB 2\r\n\u00c3\u00a9OUT\r\n")).toEqual(["\u00c3\u00a9", ""])
  })

  it("is waited for until the last of it is there, and says how long", () => {
    const head = "MSG 1 U 10\r\n"
    expect(all(`${head}123456789`, Line.clientPayloads).end).toEqual({
      _tag: "NotYet",
      rest: `${head}123456789`,
      wanted: head.length + 10,
    })
    expect(payment(`${head}1234567890`)).toEqual(["1234567890"])
  })

  it("may be empty", () => {
    expect(payment("MSG 1 U 0\r\n")).toEqual([""])
  })

  it("of an invitation is told by the eighth parameter behind the TrID, or by none", () => {
    const invitation = "SDC 1 a@b 0x0409 MSMSGS MSMSGS X X Name"
    expect(payment(`${invitation} 5\r\nhelloOUT\r\n`)).toEqual(["hello", ""])
    expect(payment(`${invitation} 0\r\nOUT\r\n`)).toEqual(["", ""])
    expect(payment(`${invitation}\r\nOUT\r\n`)).toEqual(["", ""])
  })

  it.each(["MSG", "MSG 1 U", "MSG 1 U -1", "MSG 1 U 1.5", "MSG 1 U 0x10", "MSG 1 U 1234567890", "QRY 1 x"])(
    "that is announced by %j is never known",
    (line) => {
      expect(all(`${line}\r\n`, Line.clientPayloads).end._tag).toBe("Never")
    },
  )

  it("is at most as long as the limit, and is refused when it is announced", () => {
    const limits = { ...Line.serverLimits, payloadBytes: 10 }
    expect(all("MSG 1 U 10\r\n0123456789", Line.clientPayloads, limits).frames).toHaveLength(1)
    expect(all("MSG 1 U 11\r\n", Line.clientPayloads, limits).end).toEqual({
      _tag: "Never",
      why: "MSG announces more than 10 bytes",
      beyond: Option.some("payloadBytes"),
    })
  })

  it.each(["MSG", "QRY", "PAG", "SDC"])("comes behind %s from a client", (verb) => {
    expect(Object.hasOwn(Line.clientPayloads, verb)).toBe(true)
  })

  it.each(["MSG", "NOT", "IPG"])("comes behind %s from a server", (verb) => {
    expect(Object.hasOwn(Line.serverPayloads, verb)).toBe(true)
  })

  it("comes behind no command of the login: where none is told of, the next line is the next command", () => {
    expect(words("MSG 1 U 9\r\nVER 1 MSNP7\r\n")).toEqual([
      ["MSG", "1", "U", "9"],
      ["VER", "1", "MSNP7"],
    ])
  })

  it("is not announced by a name that every object bears", () => {
    expect(words("constructor 1 x\r\ntoString\r\n")).toHaveLength(2)
    expect(all("constructor 1 x\r\n", Line.clientPayloads).frames).toHaveLength(1)
  })
})

describe("bytes that come in pieces", () => {
  /** As a shell reads: piece by piece, asking again only where it is worth it. */
  const piecewise = (pieces: ReadonlyArray<string>, payloads: Line.Payloads, limits: Line.Limits) => {
    const frames: Array<Line.Frame> = []
    let rest = ""
    let wanted = 0
    for (const piece of pieces) {
      rest += piece
      while (rest.length >= wanted) {
        const taken = Line.take(rest, payloads, limits)
        if (taken._tag === "Never") return { frames, never: true }
        rest = taken.rest
        wanted = taken._tag === "NotYet" ? taken.wanted : 0
        if (taken._tag === "Whole") frames.push(taken.frame)
        else break
      }
    }
    return { frames, never: false }
  }

  const session = [
    "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0\r\n",
    "INF 2 \r\n",
    "\r\n",
    "USR 3 MD5 I alice@hotmail.com\n",
    "USR 4 MD5 S 23e54a439a6a17d15025f4c6cbd0f6b5\r\n",
    "SDC 5 a@b 0x0409 MSMSGS MSMSGS X X Name 7\r\n\r\nhello",
    "QRY 6 msmsgs@msnmsgr.com 32\r\n8f2f5a91b72102cd28355e9fc9000d6e",
    "OUT\r\n",
  ].join("")
  const { frames } = all(session, Line.clientPayloads)

  it("are the commands that they are when they come at once: cut in two, at each place", () => {
    expect(frames.map((frame) => frame.words[0])).toEqual(["VER", "INF", "USR", "USR", "SDC", "QRY", "OUT"])
    for (let at = 0; at <= session.length; at++) {
      const pieces = [session.slice(0, at), session.slice(at)]
      expect(piecewise(pieces, Line.clientPayloads, Line.serverLimits)).toEqual({ frames, never: false })
    }
  })

  // ayttm 2003 writes a digest as sixteen pieces of two digits.
  it.each([1, 2, 3, 7])("are the commands that they are when they come at once: in pieces of %d bytes", (size) => {
    const pieces = Array.from({ length: Math.ceil(session.length / size) }, (_, i) =>
      session.slice(i * size, (i + 1) * size),
    )
    expect(piecewise(pieces, Line.clientPayloads, Line.serverLimits)).toEqual({ frames, never: false })
  })

  const piece = fc.oneof(
    bytes,
    word,
    fc.constantFrom("\r\n", "\n", "\r", " ", "MSG 1 U 3\r\nabc", "MSG 1 U x\r\n", "SDC 1\r\n", "A".repeat(30)),
  )
  const tight = { lineBytes: 40, lineWords: 64, payloadBytes: 8 }

  it("are the same commands however they are cut, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const whole = all(pieces.join(""), Line.clientPayloads, tight)
        expect(piecewise(pieces, Line.clientPayloads, tight)).toEqual({
          frames: whole.frames,
          never: whole.end._tag === "Never",
        })
      }),
    )
  })

  it("are never lost or made up: a command's own words and what is behind it are all that there was", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), bytes, (words, rest) => {
        const taken = Line.take(`${words.join(" ")}\r\n${rest}`, Line.noPayloads, Line.serverLimits)
        expect(taken).toEqual({ _tag: "Whole", frame: { words, payload: "" }, rest })
      }),
    )
  })
})
