import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Wire from "../../src/protocol/Wire.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { frame, fromClient, fromServer } from "../support/Frame.ts"

const one = TrId.TrId.make(1)
const digits = "23e54a439a6a17d15025f4c6cbd0f6b5"

/** What is wrong with a line, by its tag and sentence. */
const trouble = (read: Result.Result<unknown, Codec.Undecodable>) =>
  Result.isFailure(read) ? `${read.failure._tag}: ${Codec.explain(read.failure)}` : "nothing"

describe("what a client says", () => {
  it.each([
    [
      "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
      { _tag: "Ver", trId: 1, dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4", "CVR0"] },
    ],
    ["VER 139 MSNP2 CVR0", { _tag: "Ver", trId: 139, dialects: ["MSNP2", "CVR0"] }],
    ["VER 15 MSNP7 FOO BAR", { _tag: "Ver", trId: 15, dialects: ["MSNP7", "FOO", "BAR"] }],
    ["VER 9", { _tag: "Ver", trId: 9, dialects: [] }],
    ["INF 2", { _tag: "Inf", trId: 2 }],
    ["INF 2 whatever else", { _tag: "Inf", trId: 2 }],
    ["USR 3 MD5 I alice@hotmail.com", { _tag: "UsrInitiate", trId: 3, account: "alice@hotmail.com" }],
    [
      "CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS",
      { _tag: "Cvr", trId: 7, parameters: ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"] },
    ],
    ["CVR 1", { _tag: "Cvr", trId: 1, parameters: [] }],
    ["OUT", { _tag: "Out" }],
    ["OUT whatever else", { _tag: "Out" }],
    ["SYN 143 0", { _tag: "Foreign", verb: "SYN", parameters: ["143", "0"], payload: "" }],
    ["PNG", { _tag: "Foreign", verb: "PNG", parameters: [], payload: "" }],
    ["XFR 10 SB", { _tag: "Foreign", verb: "XFR", parameters: ["10", "SB"], payload: "" }],
  ])("is understood: %s", (line, command) => {
    expect(fromClient(line)).toEqual(Result.succeed(command))
  })

  it.each([digits, digits.toUpperCase()])("may be a digest of either letter case: %s", (word) => {
    const read = Result.getOrThrow(fromClient(`USR 3 MD5 S ${word}`))
    expect(read._tag === "UsrRespond" && Redacted.value(read.digest)).toBe(digits)
  })

  it.each([
    ["", "Unreadable: a line does not begin with three upper-case letters"],
    ["ver 1 MSNP7", "Unreadable: a line does not begin with three upper-case letters"],
    ["Ver 1 MSNP7", "Unreadable: a line does not begin with three upper-case letters"],
    ["VERS 1 MSNP7", "Unreadable: a line does not begin with three upper-case letters"],
    ["911 1", "Unreadable: a line does not begin with three upper-case letters"],
    ["VER MSNP7", "Unreadable: VER bears no TrID from 0 to 4294967295"],
    ["VER", "Unreadable: VER bears no TrID from 0 to 4294967295"],
    ["INF", "Unreadable: INF bears no TrID from 0 to 4294967295"],
    ["INF -1", "Unreadable: INF bears no TrID from 0 to 4294967295"],
    ["INF 4294967296", "Unreadable: INF bears no TrID from 0 to 4294967295"],
    ["CVR 0x0409", "Unreadable: CVR bears no TrID from 0 to 4294967295"],
    ["USR MD5 I a@b", "Unreadable: USR bears no TrID from 0 to 4294967295"],
  ])("is nothing where verb or TrID cannot be read: %s", (line, why) => {
    expect(trouble(fromClient(line))).toBe(why)
  })

  it.each([
    ["USR 2", "None", "word 3 of USR is missing: expected MD5"],
    ["USR 2 MD5", "None", "word 4 of USR is missing: expected I"],
    ["USR 2 TWN I a@b", "None", "word 3 of USR is not MD5"],
    ["USR 2 md5 I a@b", "None", "word 3 of USR is not MD5"],
    ["USR 2 MD5 i a@b", "None", "word 4 of USR is not I"],
    ["USR 2 MD5 I", "UsrInitiate", "word 5 of USR (account) is missing: expected an address"],
    ["USR 2 MD5 I a@b c", "UsrInitiate", "word 6 of USR is one too many"],
    ["USR 2 MD5 I alice", "UsrInitiate", "word 5 of USR (account) is not an address"],
    ["USR 2 MD5 S", "UsrRespond", "word 5 of USR (digest) is missing: expected a digest: 32 hexadecimal digits"],
    ["USR 2 MD5 S abc", "UsrRespond", "word 5 of USR (digest) is not a digest: 32 hexadecimal digits"],
    [`USR 2 MD5 S ${digits} x`, "UsrRespond", "word 6 of USR is one too many"],
  ])("is malformed where the parameters do not fit: %s is like %s", (line, like, why) => {
    const read = fromClient(line)
    expect(Result.isFailure(read) && read.failure).toMatchObject({ _tag: "Malformed", verb: "USR", trId: 2, like })
    expect(trouble(read)).toContain(`Malformed: ${why}`)
  })

  it("is explained without the values, one of which may be most of a digest", () => {
    expect(trouble(fromClient(`USR 2 MD5 S ${digits}0`))).not.toContain(digits)
  })
})

describe("what a server says", () => {
  const address = { host: "207.46.106.118", port: 1863 }

  it.each([
    ["VER 1 MSNP7 CVR0", { _tag: "Ver", trId: 1, dialects: ["MSNP7", "CVR0"] }],
    ["VER 0 CVR0 MSNP8", { _tag: "Ver", trId: 0, dialects: ["CVR0", "MSNP8"] }],
    ["VER 0 0", { _tag: "VerNone", trId: 0, known: [] }],
    // draft 7.1: names may stand behind the zero.
    ["VER 1 0 MSNP3 MSNP2", { _tag: "VerNone", trId: 1, known: ["MSNP3", "MSNP2"] }],
    ["INF 1 MD5", { _tag: "Inf", trId: 1, packages: ["MD5"] }],
    // The wiki, for MSNP2; then draft 7.2.
    ["INF 1 MD5 CTP", { _tag: "Inf", trId: 1, packages: ["MD5", "CTP"] }],
    ["INF 1 CTP,MD5", { _tag: "Inf", trId: 1, packages: ["CTP", "MD5"] }],
    ["INF 1 CTP, MD5", { _tag: "Inf", trId: 1, packages: ["CTP", "MD5"] }],
    ["INF 1 CTP ,MD5", { _tag: "Inf", trId: 1, packages: ["CTP", "MD5"] }],
    ["INF 1 , MD5,", { _tag: "Inf", trId: 1, packages: ["MD5"] }],
    ["USR 2 MD5 S 1013928519.693957190", { _tag: "UsrChallenge", trId: 2, challenge: "1013928519.693957190" }],
    [
      "USR 7 OK alice@hotmail.com Alice 1",
      { _tag: "UsrOk", trId: 7, account: "alice@hotmail.com", friendlyName: "Alice", verified: Option.some(true) },
    ],
    [
      "USR 3 OK alice@hotmail.com My%20Screen%20Name 0",
      {
        _tag: "UsrOk",
        trId: 3,
        account: "alice@hotmail.com",
        friendlyName: "My Screen Name",
        verified: Option.some(false),
      },
    ],
    [
      "USR 7 OK example@hotmail.com example%40hotmail.com",
      {
        _tag: "UsrOk",
        trId: 7,
        account: "example@hotmail.com",
        friendlyName: "example@hotmail.com",
        verified: Option.none(),
      },
    ],
    // MSNP8 has a second flag.
    [
      "USR 7 OK alice@hotmail.com Alice 1 0",
      { _tag: "UsrOk", trId: 7, account: "alice@hotmail.com", friendlyName: "Alice", verified: Option.some(true) },
    ],
    ["XFR 3 NS 207.46.106.118:1863", { _tag: "Xfr", trId: 3, to: address, trailer: [] }],
    ["XFR 3 NS 207.46.106.118:1863 0", { _tag: "Xfr", trId: 3, to: address, trailer: ["0"] }],
    [
      "XFR 3 NS 207.46.106.118:1863 0 207.46.104.20:1863",
      { _tag: "Xfr", trId: 3, to: address, trailer: ["0", { host: "207.46.104.20", port: 1863 }] },
    ],
    ["XFR 2 NS 64.4.12.133 0", { _tag: "Xfr", trId: 2, to: { host: "64.4.12.133", port: 1863 }, trailer: ["0"] }],
    ["OUT OTH", { _tag: "Out", reason: "LoggedInElsewhere" }],
    ["OUT SSD", { _tag: "Out", reason: "ShuttingDown" }],
    ["OUT", { _tag: "Out", reason: "Unstated" }],
    ["OUT XYZ", { _tag: "Out", reason: "Unstated" }],
    ["911 13", { _tag: "Failure", code: 911, trId: Option.some(13) }],
    // draft 7.11: an error that the server makes by itself bears no TrID; others may have a tail.
    ["500", { _tag: "Failure", code: 500, trId: Option.none() }],
    ["911 13 and more", { _tag: "Failure", code: 911, trId: Option.some(13) }],
    ["911 It's over dude", { _tag: "Failure", code: 911, trId: Option.none() }],
    [
      "CVR 145 1.0.0864 1.0.0864 1.0.0863 http://a http://b",
      { _tag: "Cvr", trId: 145, parameters: ["1.0.0864", "1.0.0864", "1.0.0863", "http://a", "http://b"] },
    ],
    [
      "CHL 0 15570131571988941333",
      { _tag: "Foreign", verb: "CHL", parameters: ["0", "15570131571988941333"], payload: "" },
    ],
  ])("is understood: %s", (line, command) => {
    expect(fromServer(line)).toEqual(Result.succeed(command))
  })

  it("may be a challenge that is no text", () => {
    const read = Codec.decodeServer({ words: ["USR", "2", "MD5", "S", "\u00ff\u0001"], payload: "" })
    expect(read).toEqual(Result.succeed({ _tag: "UsrChallenge", trId: 2, challenge: "\u00ff\u0001" }))
  })

  it.each([
    ["usr 2 OK a@b c", "Unreadable"],
    ["99 1", "Unreadable"],
    ["099 1", "Unreadable"],
    ["1000 1", "Unreadable"],
    ["VER MSNP7", "Unreadable"],
    ["INF MD5", "Unreadable"],
    ["XFR NS 1.2.3.4:1863", "Unreadable"],
    ["VER 1", "Malformed"],
    ["INF 1", "Malformed"],
    ["INF 1 ,", "Malformed"],
    ["INF 1 ,, , ,,", "Malformed"],
    ["USR 2 MD5 S", "Malformed"],
    ["USR 2 MD5 S a b", "Malformed"],
    ["USR 2 OK alice Alice 1", "Malformed"],
    ["USR 2 OK a@b", "Malformed"],
    ["USR 2 OK a@b Alice yes", "Malformed"],
    ["XFR 3 SB 1.2.3.4:1863", "Malformed"],
    ["XFR 3 NS", "Malformed"],
    ["XFR 0 NS 0", "Malformed"],
    ["XFR 3 NS 1.2.3.4:0 0", "Malformed"],
    ["XFR 3 NS 1.2.3.4:1863 0 nowhere:", "Malformed"],
  ])("is not understood: %s is %s", (line, tag) => {
    expect(trouble(fromServer(line))).toMatch(new RegExp(`^${tag}: `))
  })
})

describe("what is written", () => {
  const client = (command: ClientCommand.ClientCommand) => Codec.encodeClient(command)
  const server = (command: ServerCommand.ServerCommand) => Codec.encodeServer(command)

  it("has one space between words, none at the end, and CRLF", () => {
    expect(client({ _tag: "Inf", trId: one })).toEqual(Result.succeed("INF 1\r\n"))
    expect(client({ _tag: "Ver", trId: one, dialects: ["MSNP7", "CVR0"] })).toEqual(
      Result.succeed("VER 1 MSNP7 CVR0\r\n"),
    )
    expect(server({ _tag: "Out", reason: "Unstated" })).toEqual(Result.succeed("OUT\r\n"))
  })

  it("is a code and the TrID for an error, nothing else", () => {
    expect(server({ _tag: "Failure", code: 911, trId: Option.some(one) })).toEqual(Result.succeed("911 1\r\n"))
    expect(server({ _tag: "Failure", code: 911, trId: Option.none() })).toEqual(Result.succeed("911\r\n"))
  })

  it("is a digest in lower case", () => {
    const digest = Redacted.make(Challenge.Digest.make(digits))
    expect(client({ _tag: "UsrRespond", trId: one, digest })).toEqual(Result.succeed(`USR 1 MD5 S ${digits}\r\n`))
  })

  it("is a payload behind the line that announces it", () => {
    expect(client({ _tag: "Foreign", verb: "QRY", parameters: ["1", "x", "3"], payload: "a\r\n" })).toEqual(
      Result.succeed("QRY 1 x 3\r\na\r\n"),
    )
  })

  it("is nothing where a value would break the line", () => {
    expect(client({ _tag: "Ver", trId: one, dialects: ["MSNP7\r\nOUT"] })).toEqual(
      Result.fail(expect.stringMatching(/^Ver: dialects is not /)),
    )
    expect(server({ _tag: "Cvr", trId: one, parameters: ["a b"] })).toEqual(
      Result.fail(expect.stringMatching(/^Cvr: parameters is not /)),
    )
  })

  it.each([
    ["another length than announced", { verb: "QRY", parameters: ["1", "x", "32"], payload: "short" }],
    ["a payload that nothing announces", { verb: "CHG", parameters: ["1", "NLN"], payload: "x" }],
    ["no length where one belongs", { verb: "QRY", parameters: ["1", "x"], payload: "" }],
    ["a verb of the login stage", { verb: "VER", parameters: ["1", "MSNP7"], payload: "" }],
    ["a verb in lower case", { verb: "syn", parameters: [], payload: "" }],
    ["a word that is two", { verb: "CHG", parameters: ["1 NLN"], payload: "" }],
    ["an empty word", { verb: "CHG", parameters: [""], payload: "" }],
    ["a payload that is no bytes", { verb: "QRY", parameters: ["1", "x", "1"], payload: "€" }],
  ])("is nothing for a foreign command with %s", (_, fields) => {
    const written = client({ _tag: "Foreign", ...fields })
    expect(Result.isFailure(written) && written.failure).toMatch(/^Foreign: /)
  })

  it("is a payload only where that side may send one", () => {
    const notification = { _tag: "Foreign", verb: "NOT", parameters: ["1"], payload: "x" } as const
    expect(server(notification)).toEqual(Result.succeed("NOT 1\r\nx"))
    expect(Result.isFailure(client(notification))).toBe(true)
  })
})

/** What comes back from a command that was written and read. */
const thereAndBack = <A>(
  command: A,
  encode: (command: A) => Result.Result<string, string>,
  decode: (frame: Line.Frame) => Result.Result<A, Codec.Undecodable>,
  payloads: Line.Payloads,
): A => {
  const taken = Line.take(Result.getOrThrow(encode(command)), payloads, Line.clientLimits)
  if (taken._tag !== "Whole" || taken.rest !== "") throw new Error("The bytes are not one command.")
  return Result.getOrThrow(decode(taken.frame))
}

const clientThereAndBack = (command: ClientCommand.ClientCommand) =>
  thereAndBack(command, Codec.encodeClient, Codec.decodeClient, Line.clientPayloads)
const serverThereAndBack = (command: ServerCommand.ServerCommand) =>
  thereAndBack(command, Codec.encodeServer, Codec.decodeServer, Line.serverPayloads)

describe("a text in a payload, written and read, is the same", () => {
  const texts = [
    ["nothing", ""],
    ["ASCII", "hello"],
    ["characters of one to four bytes", "MIME-Version: 1.0\r\n\r\nGrüße, €5 😀\r\n"],
    ["controls and a byte order mark", "\u0000\u001b\ufeff"],
    ["as much as a payload may be", "x".repeat(65_536)],
  ] as const
  const text = ({ payload }: { readonly payload: string }) => Option.getOrThrow(Bytes.toText(payload))

  it.each(texts)("from a client: %s", (_, said) => {
    const settings = ["1", "bob@hotmail.com", "0x0409", "US", "0x1", "X", "Bob", Bytes.fromText("Bob®")]
    for (const [verb, parameters] of [
      ["MSG", ["1", "U"]],
      ["QRY", ["1", "PROD0038W!61ZTF9"]],
      ["PAG", ["1"]],
      ["SDC", settings],
    ] as const) {
      const command = Wire.withText(verb, parameters, said)
      const heard = clientThereAndBack(command)
      expect(heard).toEqual(command)
      expect(heard._tag === "Foreign" && text(heard)).toBe(said)
    }
  })

  it.each(texts)("from a server: %s", (_, said) => {
    for (const [verb, parameters] of [
      ["MSG", ["Hotmail", "Hotmail"]],
      ["NOT", []],
      ["IPG", []],
    ] as const) {
      const command = Wire.withText(verb, parameters, said)
      const heard = serverThereAndBack(command)
      expect(heard).toEqual(command)
      expect(heard._tag === "Foreign" && text(heard)).toBe(said)
    }
  })

  it("is followed by the next command, however its bytes and characters differ", () => {
    const bytes = Result.getOrThrow(Codec.encodeServer(Wire.withText("MSG", ["a", "b"], "ü€😀"))) + "OUT SSD\r\n"
    const taken = Line.take(bytes, Line.serverPayloads, Line.clientLimits)
    expect(taken).toMatchObject({ _tag: "Whole", frame: { words: ["MSG", "a", "b", "9"] }, rest: "OUT SSD\r\n" })
  })

  it("is nothing behind a verb that announces none", () => {
    const written = Codec.encodeClient(Wire.withText("CHG", ["1"], "ü"))
    expect(Result.isFailure(written) && written.failure).toMatch(/^Foreign: CHG does not announce the 2 bytes/)
  })
})

describe("a client's command, written and read, is the same", () => {
  it.each(Object.entries<fc.Arbitrary<ClientCommand.ClientCommand>>(Arbitraries.clientCommands))(
    "%s",
    (tag, commands) => {
      fc.assert(
        fc.property(commands, (command) => {
          expect(command._tag).toBe(tag)
          // A digest is wrapped, and to the matchers all wrapped values are alike.
          expect(Equal.equals(clientThereAndBack(command), command)).toBe(true)
        }),
      )
    },
  )
})

describe("a server's command, written and read, is the same", () => {
  it.each(Object.entries<fc.Arbitrary<ServerCommand.ServerCommand>>(Arbitraries.serverCommands))(
    "%s",
    (tag, commands) => {
      fc.assert(
        fc.property(commands, (command) => {
          expect(command._tag).toBe(tag)
          expect(serverThereAndBack(command)).toEqual(command)
        }),
      )
    },
  )
})

// Accounts and three-letter verbs are too rare among random strings for these; they are above.
describe("any value of a command's type is either the same when written and read, or refused with a sentence", () => {
  const sample = <A>(type: Schema.Schema<A>): ReadonlyArray<A> =>
    Effect.runSync(Arbitrary.sampleEffect(Arbitrary.schema(type), { count: 200 }))

  const { Cvr, Inf, Out, UsrRespond, Ver } = ClientCommand

  it.each([Ver, Inf, UsrRespond, Cvr, Out])("a client's $tag", ({ tag, type }) => {
    const bad = sample<ClientCommand.ClientCommand>(type).filter((command) => {
      const written = Codec.encodeClient(command)
      return Result.isFailure(written)
        ? !written.failure.startsWith(`${tag}: `)
        : !Equal.equals(clientThereAndBack(command), command)
    })
    expect(bad).toEqual([])
  })

  const { Failure, UsrChallenge, VerNone, Xfr } = ServerCommand

  it.each([
    ServerCommand.Ver,
    VerNone,
    ServerCommand.Inf,
    UsrChallenge,
    Xfr,
    ServerCommand.Cvr,
    ServerCommand.Out,
    Failure,
  ])("a server's $tag", ({ tag, type }) => {
    const bad = sample<ServerCommand.ServerCommand>(type).filter((command) => {
      const written = Codec.encodeServer(command)
      return Result.isFailure(written)
        ? !written.failure.startsWith(`${tag}: `)
        : !Equal.equals(serverThereAndBack(command), command)
    })
    expect(bad).toEqual([])
  })
})

describe("reading never throws", () => {
  const verb = fc.oneof(
    fc.constantFrom("VER", "INF", "USR", "CVR", "OUT", "XFR", "911", "SYN", "MSG", "toString"),
    Arbitraries.word,
  )
  const parameter = fc.oneof(
    fc.constantFrom("0", "1", "4294967296", "MD5", "I", "S", "OK", "NS", "a@b", ",", digits, "%", "1.2.3.4:5"),
    Arbitraries.word,
  )

  it.each<[string, (frame: Line.Frame) => Result.Result<object, Codec.Undecodable>]>([
    ["decodeClient", Codec.decodeClient],
    ["decodeServer", Codec.decodeServer],
  ])("%s makes a command of any words, or says why not", (_, decode) => {
    fc.assert(
      fc.property(verb, fc.array(parameter, { maxLength: 7 }), Arbitraries.bytes, (verb, parameters, payload) => {
        const read = decode({ words: [verb, ...parameters], payload })
        return Result.isSuccess(read) || Codec.explain(read.failure) !== ""
      }),
      { numRuns: 2000 },
    )
    expect(decode({ words: ["?"], payload: "" })).toEqual(Result.fail(expect.anything()))
  })

  it("takes the payload along", () => {
    expect(Codec.decodeServer(frame("MSG a b 5", "hello"))).toEqual(
      Result.succeed({ _tag: "Foreign", verb: "MSG", parameters: ["a", "b", "5"], payload: "hello" }),
    )
  })
})
