/** What commands are read and written with, beside what the schemas of their parameters say of the same words. */
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import type * as Wire from "../../src/protocol/Wire.ts"
import * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import * as Arbitraries from "../support/Arbitraries.ts"

/** A command of any fields. Its methods let values in that its type does not allow. */
interface Command {
  readonly tag: string
  readonly grammar: string
  readonly fields: { readonly [name: string]: Schema.ConstraintCodec<unknown, unknown> }
  decode(words: ReadonlyArray<string>): Result.Result<object, Wire.Problem>
  encode(value: object): Result.Result<ReadonlyArray<string>, string>
}

const commandsOf = (side: string, table: { readonly [verb: string]: ReadonlyArray<Command> }) =>
  Object.values(table).flatMap((commands) => commands.map((command) => ({ name: `${side} ${command.tag}`, command })))

const all = [
  ...commandsOf("a client's", ClientCommand.commands),
  ...commandsOf("a server's", { ...ServerCommand.commands, "911": [ServerCommand.Failure] }),
  ...commandsOf("in a session, a client's", SessionClientCommand.commands),
  ...commandsOf("in a session, a server's", SessionServerCommand.commands),
]

/** Words that parameters of some name are, the first of them most often, and some that they nearly are. */
const likely: { readonly [name: string]: readonly [string, ...Array<string>] } = {
  count: ["0", "1", "0012", "4294967295", "4294967296"],
  trId: ["0", "1", "2", "15", "0001", "4294967295", "4294967296", "00000000001", "-1", "1.0"],
  code: ["911", "100", "999", "099", "1000", "9x1"],
  account: [
    "a@b",
    "bob@example.com",
    "alice@hotmail.com",
    "\u00c3\u00bc@b",
    "\u00fc@b",
    "a@b@c",
    "@b",
    "a@",
    `${"a".repeat(127)}@b`,
  ],
  friendlyName: ["Alice", "%41%20b", "%C3%BC", "%FC", "%", "\u00c3\u00bc", "\u00fc"],
  digest: ["23e54a439a6a17d15025f4c6cbd0f6b5", "23E54A439A6A17D15025F4C6CBD0F6B5", "23e54a439a6a17d15025f4c6cbd0f6b"],
  to: ["1.2.3.4", "1.2.3.4:5", "1.2.3.256:5", "[::1]:5", "host.example:65535", "host:65536", "host:0", "\u00fc:1"],
  trailer: ["0", "1.2.3.4:5", "::"],
  dialects: ["MSNP7", "0", "CVR0", "msnp7"],
  packages: ["MD5", "CTP,MD5", ",", ",,"],
  verified: ["0", "1", "2"],
  reason: ["OTH", "SSD", "XXX"],
  status: ["NLN", "FLN", "nln"],
  policy: ["A", "N", "AL", "BL", "X"],
  property: ["PHH", "MBE", "X"],
  list: ["FL", "AL", "BL", "RL", "X"],
  groups: ["0", "0,1", "0,", "x"],
  value: ["%20", "555", "%"],
}
const counts = ["serial", "item", "total", "id"]

const wordFor = (part: string): fc.Arbitrary<string> => {
  const name = /^\{(\w+)/.exec(part)?.[1]
  if (name === undefined) return fc.constant(part)
  const words = likely[counts.includes(name) ? "count" : name]
  return words === undefined ? Arbitraries.word : fc.oneof(fc.constant(words[0]), fc.constantFrom(...words))
}

/** What is no word is read as strictly as it is written. */
const broken = fc.constantFrom("", "a b", "\t", "\n")

/** Words that begin like a command: mostly as it wants them, with some of another kind, too few, or too many. */
const wordsFor = (grammar: string): fc.Arbitrary<ReadonlyArray<string>> => {
  const parts = grammar.split(" ")
  const word = (part: string) =>
    fc.oneof({ weight: 12, arbitrary: wordFor(part) }, { weight: 1, arbitrary: Arbitraries.word }, broken)
  return fc
    .tuple(fc.tuple(...parts.map(word)), fc.array(word(parts.at(-1) ?? ""), { maxLength: 3 }), fc.nat(parts.length + 3))
    .map(([words, more, cut]) => (cut < parts.length ? words.slice(0, cut) : [...words, ...more.slice(0, cut % 4)]))
}

/** The same by the grammar and the schemas alone, as the interpreter runs them. */
const decoded = ({ fields, grammar, tag }: Command, words: ReadonlyArray<string>): Result.Result<object, unknown> => {
  const parts = grammar.split(" ")
  const values: { [name: string]: unknown } = { _tag: tag }
  for (const [index, text] of parts.entries()) {
    if (text === "*") return Result.succeed(values)
    const [, name, rest] = /^\{(\w+)(\.{3})?\}$/.exec(text) ?? []
    const field = name === undefined ? undefined : fields[name]
    const isMissing = index >= words.length && rest === undefined
    const fault = isMissing ? "Missing" : "Invalid"
    if (name === undefined || field === undefined) {
      if (words[index] === text) continue
      return Result.fail({ fault, index, parameter: text, kind: "Word" })
    }
    const value = Schema.decodeUnknownOption(field)(rest === undefined ? words[index] : words.slice(index))
    if (isMissing || Option.isNone(value)) return Result.fail({ fault, index, parameter: name, kind: "Parameter" })
    values[name] = value.value
    if (rest !== undefined) return Result.succeed(values)
  }
  return words.length > parts.length
    ? Result.fail({ fault: "Surplus", index: parts.length, parameter: "end", kind: "Word" })
    : Result.succeed(values)
}

const encoded = ({ fields, grammar }: Command, value: object): Option.Option<ReadonlyArray<string>> => {
  const words: Array<string> = []
  for (const text of grammar.split(" ")) {
    if (text === "*") continue
    const name = /^\{(\w+)/.exec(text)?.[1]
    const field = name === undefined ? undefined : fields[name]
    if (name === undefined || field === undefined) words.push(text)
    else {
      const written = Schema.encodeUnknownOption(field)(Reflect.get(value, name))
      if (Option.isNone(written)) return Option.none()
      words.push(...[written.value].flat().map(String))
    }
  }
  return Option.some(words)
}

const hosts = ["1.2.3.4", "::1", "host", "", "a b", "\u00fc", "1.2.3.256"]
const addresses = hosts.flatMap((host) => [-1, 0, 1.5, 1863, 65_536].map((port) => ({ host, port })))

/** Values of the same kind as this one, good and bad. */
const like = (value: unknown): ReadonlyArray<unknown> => {
  if (typeof value === "boolean") return [true, false]
  if (typeof value === "number") return [0, 1, 100, 4_294_967_295, 4_294_967_296, -1, 1.5, Number.NaN, Infinity]
  if (typeof value === "string") return ["a@b", "a", "", "a b", "\n", "\u00fc", "€", "\ud800", "A", "NLN", "Online"]
  if (Option.isOption(value)) return Option.isNone(value) ? [value] : like(value.value).map(Option.some)
  if (Redacted.isRedacted(value)) return ["x", "A".repeat(32), "a".repeat(32)].map((text) => Redacted.make(text))
  if (!Array.isArray(value)) return addresses
  if (typeof value[0] === "number") return [[], [0], [1, 2], [-1], [1.5]]
  if (typeof value[1] === "object") return addresses.map((address) => ["0", address])
  return [[], ["a"], ["0"], [""], ["a b"], ["€"], ["a,b"]]
}

describe("a command", () => {
  it.each(all)("is read as its schemas read it, or has the same problem: $name", ({ command }) => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(wordsFor(command.grammar), (words) => {
        const read = command.decode(words)
        seen.add(Result.isSuccess(read) ? "Success" : read.failure.fault)
        // A digest is wrapped, and to the matchers all wrapped values are alike.
        expect(Equal.equals(Result.mapError(read, withoutExpectation), decoded(command, words))).toBe(true)
      }),
      { numRuns: 500 },
    )
    expect(seen).toContain("Success")
    expect(seen).toContain("Invalid")
  })

  it.each(all)("is written as its schemas write it, or not at all: $name", ({ command }) => {
    const readable = wordsFor(command.grammar)
      .map((words) => command.decode(words))
      .filter(Result.isSuccess)
      .map(({ success }) => success)
    const changed = readable.chain((value) =>
      fc
        .tuple(...Object.keys(command.fields).map((name) => valueFor(name, value)))
        .map((fields) => ({ ...value, ...Object.fromEntries(fields) })),
    )
    fc.assert(
      fc.property(changed, (value) => {
        expect(Result.getSuccess(command.encode(value))).toEqual(encoded(command, value))
      }),
      { numRuns: 500 },
    )
  })
})

const withoutExpectation = ({ fault, index, kind, parameter }: Wire.Problem) => ({ fault, index, parameter, kind })

const valueFor = (name: string, value: object): fc.Arbitrary<readonly [string, unknown]> => {
  const own: unknown = Reflect.get(value, name)
  return fc
    .oneof({ weight: 3, arbitrary: fc.constant(own) }, { weight: 1, arbitrary: fc.constantFrom(...like(own)) })
    .map((value) => [name, value])
}
