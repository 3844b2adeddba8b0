import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Wire from "../../src/protocol/Wire.ts"

const one = TrId.TrId.make(1)
const Say = Wire.command("Say", "SAY {trId} TO {who}", { trId: TrId.FromWire, who: Wire.Word })
const All = Wire.command("All", "ALL {trId} {words...}", { trId: TrId.FromWire, words: Wire.Words })
const Any = Wire.command("Any", "ANY {trId} *", { trId: TrId.FromWire })

describe("a described command", () => {
  it("is read by its grammar", () => {
    expect(Say.decode(["SAY", "1", "TO", "bob"])).toEqual(Result.succeed({ _tag: "Say", trId: 1, who: "bob" }))
  })

  it("is written by its grammar", () => {
    expect(Say.encode({ _tag: "Say", trId: one, who: "bob" })).toEqual(Result.succeed(["SAY", "1", "TO", "bob"]))
  })

  it("is one schema, too", () => {
    expect(Schema.decodeUnknownSync(Say.schema)(["SAY", "1", "TO", "bob"])).toEqual({
      _tag: "Say",
      trId: 1,
      who: "bob",
    })
    expect(Schema.encodeSync(Say.schema)({ _tag: "Say", trId: one, who: "bob" })).toEqual(["SAY", "1", "TO", "bob"])
    expect(Schema.decodeUnknownResult(Say.schema)(["SAY", "1", "TO"])._tag).toBe("Failure")
  })

  it("tells of its named parts: what they are called, how many words they take, and what they have to be", () => {
    const trId = { name: "trId", takes: "One", description: "a number from 0 to 4294967295" }
    expect(Say.parameters).toEqual([
      trId,
      { name: "who", takes: "One", description: "a word: one or more bytes without white space" },
    ])
    expect(All.parameters).toEqual([trId, { name: "words", takes: "Rest", description: "words, none, one or many" }])
    expect(Any.parameters).toEqual([trId])
  })

  it("has a guard", () => {
    const isSay = Schema.is(Say.type)
    expect(isSay({ _tag: "Say", trId: 1, who: "bob" })).toBe(true)
    expect(isSay({ _tag: "Say", trId: -1, who: "bob" })).toBe(false)
    expect(isSay({ _tag: "Say", trId: 1, who: "b ob" })).toBe(false)
  })

  it("tells which parameter is missing", () => {
    expect(Say.decode(["SAY", "1", "TO"])).toEqual(
      Result.fail({ fault: "Missing", index: 3, parameter: "who", kind: "Parameter", expected: expect.any(String) }),
    )
  })

  it("tells which fixed word is missing, or another", () => {
    const problem = { index: 2, parameter: "TO", kind: "Word", expected: "TO" }
    expect(Say.decode(["SAY", "1"])).toEqual(Result.fail({ ...problem, fault: "Missing" }))
    expect(Say.decode(["SAY", "1", "to", "bob"])).toEqual(Result.fail({ ...problem, fault: "Invalid" }))
  })

  it("tells which parameter is not what it should be, by its description and without its value", () => {
    expect(Say.decode(["SAY", "secret", "TO", "bob"])).toEqual(
      Result.fail({
        fault: "Invalid",
        index: 1,
        parameter: "trId",
        kind: "Parameter",
        expected: "a number from 0 to 4294967295",
      }),
    )
  })

  it("tells where a word is one too many", () => {
    expect(Say.decode(["SAY", "1", "TO", "bob", "and"])).toEqual(
      Result.fail({ fault: "Surplus", index: 4, parameter: "end", kind: "Word", expected: "nothing more" }),
    )
  })

  it("tells of a parameter that is not what it should be before it tells of one too many", () => {
    const read = Say.decode(["SAY", "secret", "TO", "bob", "and"])
    expect(Result.isFailure(read) && read.failure).toMatchObject({ fault: "Invalid", parameter: "trId" })
  })

  it.each([[[]], [["a"]], [["a", "b", "c"]]])("may end with words, however many: %j", (words) => {
    expect(All.decode(["ALL", "1", ...words])).toEqual(Result.succeed({ _tag: "All", trId: 1, words }))
    expect(All.encode({ _tag: "All", trId: one, words })).toEqual(Result.succeed(["ALL", "1", ...words]))
  })

  it("may end with anything, which is ignored and never written", () => {
    expect(Any.decode(["ANY", "1", "a", "b"])).toEqual(Result.succeed({ _tag: "Any", trId: 1 }))
    expect(Any.decode(["ANY", "1"])).toEqual(Result.succeed({ _tag: "Any", trId: 1 }))
    expect(Any.encode({ _tag: "Any", trId: one })).toEqual(Result.succeed(["ANY", "1"]))
  })

  it.each(["", "a b", "a\n", "€"])("does not write %j as a word, and says which parameter it was for", (who) => {
    expect(Say.encode({ _tag: "Say", trId: one, who })).toEqual(
      Result.fail("Say: who is not a word: one or more bytes without white space"),
    )
  })

  it("refuses words that are not words when it is asked to write many", () => {
    expect(Result.isFailure(All.encode({ _tag: "All", trId: one, words: ["a", "b c"] }))).toBe(true)
  })
})

describe("a command of no verb of ours", () => {
  const isForeign = Schema.is(Wire.foreign({ VER: 1 }))
  const foreign = (verb: string) => ({ _tag: "Foreign", verb, parameters: [], payload: "" })

  it.each(["SYN", "CHG", "AAA", "ZZZ"])("may have the verb %s", (verb) => {
    expect(isForeign(foreign(verb))).toBe(true)
  })

  // draft 5.2: three upper-case letters.
  it.each(["VER", "syn", "SY", "SYNC", "S1N", "ÄÖÜ", "911", ""])("may not have the verb %j", (verb) => {
    expect(isForeign(foreign(verb))).toBe(false)
  })

  it("has a payload of bytes", () => {
    expect(isForeign({ ...foreign("MSG"), payload: "\u0000\r\n\u00ff" })).toBe(true)
    expect(isForeign({ ...foreign("MSG"), payload: "€" })).toBe(false)
  })
})

describe("a command with a text", () => {
  it.each([
    ["", "", "0"],
    ["hello", "hello", "5"],
    ["a\r\n", "a\r\n", "3"],
    ["é€😀", "\u00c3\u00a9\u00e2\u0082\u00ac\u00f0\u009f\u0098\u0080", "9"],
  ])("bears it in UTF-8, and ends its line with the length in bytes: %j", (text, payload, length) => {
    const parameters = ["Hotmail", "Hotmail", length]
    expect(Wire.withText("MSG", ["Hotmail", "Hotmail"], text)).toEqual({
      _tag: "Foreign",
      verb: "MSG",
      parameters,
      payload,
    })
  })

  it("is a command of no verb of ours, and its words are bytes still", () => {
    const isForeign = Schema.is(Wire.foreign({ VER: 1 }))
    expect(isForeign(Wire.withText("MSG", ["a", "b"], "€"))).toBe(true)
    expect(isForeign(Wire.withText("MSG", ["€", "b"], "€"))).toBe(false)
    expect(isForeign(Wire.withText("VER", [], "€"))).toBe(false)
  })
})
