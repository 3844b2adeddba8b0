/**
 * One description of a command, from which its parsing, encoding, guard and arbitrary all come.
 *
 * A description is the command's grammar, one line as the documents print it, and a schema for each named part:
 *
 *     command("UsrInitiate", "USR {trId} MD5 I {account}", { trId: TrId.FromWire, account: Account.FromWire })
 *
 * `{name}` is one parameter, `{name...}` all that are left, `*` anything or nothing, which is ignored. Parameters are
 * strings with one character a byte (see Bytes). Nothing here knows which commands there are.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Bytes from "./Bytes.ts"

/** Bytes that can stand as one parameter. */
export const Word = Schema.String.check(Schema.makeFilter(Bytes.isWord)).annotate({
  description: "a word: one or more bytes without white space",
})

/** Words, none, one or many. */
export const Words = Schema.Array(Word).annotate({ description: "words, none, one or many" })

/** Bytes of a payload, one character each: text comes in by `Bytes.fromText`. */
export const Payload = Schema.String.check(Schema.makeFilter((bytes) => !/[^\u0000-\u00ff]/.test(bytes)))

/** A schema for one parameter. */
type One = Schema.ConstraintCodec<unknown, string>
/** A schema for all parameters that are left. */
type Rest = Schema.ConstraintCodec<unknown, ReadonlyArray<string>>

type Braced<G extends string> = G extends `${string}{${infer Name}}${infer Behind}` ? Name | Braced<Behind> : never
type RestName<G extends string> = Braced<G> extends infer N ? (N extends `${infer Name}...` ? Name : never) : never
type OneName<G extends string> = Braced<G> extends infer N ? (N extends `${string}...` ? never : N & string) : never

/** A schema for each name in a grammar, and for no other. */
export type FieldsOf<G extends string> = { readonly [name in OneName<G>]: One } & {
  readonly [name in RestName<G>]: Rest
}

/** Why the words of a line are not the command that they begin like. Values are left out: one might be a digest. */
export interface Problem {
  readonly fault: "Missing" | "Surplus" | "Invalid"
  /** The place of the word in the line: 0 is the verb. */
  readonly index: number
  /** The name of the parameter in the grammar; a fixed word stands for itself. */
  readonly parameter: string
  readonly kind: "Word" | "Parameter"
  readonly expected: string
}

/** A named part of a grammar, as the documents tell of it. */
export interface Parameter {
  readonly name: string
  /** One word, or all that are left. */
  readonly takes: "One" | "Rest"
  /** What it has to be, as its schema is annotated. */
  readonly description: string
}

/** A description and what follows from it. */
export interface Command<Tag extends string, Fields extends Schema.Struct.Fields> {
  readonly tag: Tag
  readonly grammar: string
  /** The named parts, in the order of the grammar. */
  readonly parameters: ReadonlyArray<Parameter>
  /** The typed form: guards (`Schema.is`) and arbitraries (`Arbitrary.schema`) come from here. */
  readonly type: Schema.toType<Schema.TaggedStruct<Tag, Fields>>
  /** Words, the verb first, to the typed form: each in its turn, and last whether there are too many. Never throws. */
  readonly decode: (words: ReadonlyArray<string>) => Result.Result<Schema.TaggedStruct<Tag, Fields>["Type"], Problem>
  /** The typed form to words; a value that its type does not allow is a failure with a sentence. */
  readonly encode: (command: Schema.TaggedStruct<Tag, Fields>["Type"]) => Result.Result<ReadonlyArray<string>, string>
  /** Both, as one schema. */
  readonly schema: Schema.Codec<Schema.TaggedStruct<Tag, Fields>["Type"], ReadonlyArray<string>>
}

/** Describes a command. */
export const command = <
  const Tag extends string,
  const Grammar extends string,
  const Fields extends Schema.Struct.Fields & FieldsOf<Grammar>,
>(
  tag: Tag,
  grammar: Grammar,
  fields: Fields,
): Command<Tag, Fields> => {
  type Type = Schema.TaggedStruct<Tag, Fields>["Type"]
  const parts = grammar.split(" ").map((text, index) => part(text, index, fields))
  const type = Schema.toType(Schema.TaggedStruct(tag, fields))

  const decode = (words: ReadonlyArray<string>): Result.Result<Type, Problem> => {
    const values: Record<string, unknown> = { _tag: tag }
    for (const part of parts) {
      const problem = part.read(words, values)
      if (problem !== undefined) return Result.fail(problem)
    }
    const last = parts[parts.length - 1]
    if (words.length > parts.length && last?.takes !== "Rest") {
      const parameter = "end"
      return Result.fail({ fault: "Surplus", index: parts.length, parameter, kind: "Word", expected: "nothing more" })
    }
    // Each name of the grammar has been read by its own schema: what the type says of them holds.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return Result.succeed(values as Type)
  }

  const encode = (value: Type): Result.Result<ReadonlyArray<string>, string> => {
    const words: Array<string> = []
    for (const part of parts) {
      const problem = part.write(value, words)
      if (problem !== undefined) return Result.fail(`${tag}: ${problem}`)
    }
    return Result.succeed(words)
  }

  const Words = Schema.Array(Schema.String).check(Schema.makeFilter((words) => Result.isSuccess(decode(words))))
  const schema = Words.pipe(
    Schema.decodeTo(
      type,
      SchemaTransformation.transform<Type, ReadonlyArray<string>>({
        decode: (words) => Result.getOrThrow(decode(words)),
        encode: (value) => Result.getOrThrow(encode(value)),
      }),
    ),
  )

  return { tag, grammar, parameters: parts.flatMap(({ parameters }) => parameters), type, decode, encode, schema }
}

/** One word of a grammar at work. */
interface Part {
  readonly takes: Parameter["takes"]
  /** Itself, if it has a name. */
  readonly parameters: ReadonlyArray<Parameter>
  readonly read: (words: ReadonlyArray<string>, into: Record<string, unknown>) => Problem | undefined
  readonly write: (value: object, words: Array<string>) => string | undefined
}

const part = (text: string, index: number, fields: { readonly [name: string]: One | Rest }): Part => {
  if (text === "*") return { takes: "Rest", parameters: [], read: () => undefined, write: () => undefined }

  const name = /^\{(\w+)(\.{3})?\}$/.exec(text)?.[1]
  if (name === undefined) {
    const problem = { index, parameter: text, kind: "Word", expected: text } as const
    return {
      takes: "One",
      parameters: [],
      read: (words) =>
        words[index] === text ? undefined : { ...problem, fault: index < words.length ? "Invalid" : "Missing" },
      write: (_, words) => void words.push(text),
    }
  }

  const field = fields[name]
  if (field === undefined) throw new Error(`The grammar names {${name}}, for which there is no schema.`)
  const takes = text.endsWith("...}") ? "Rest" : "One"
  const expected = Schema.resolveAnnotations(field)?.description ?? "a parameter"
  const problem = { index, parameter: name, kind: "Parameter", expected } as const
  const decode = Schema.decodeUnknownResult(field)
  const encode = Schema.encodeUnknownResult(field)
  return {
    takes,
    parameters: [{ name, takes, description: expected }],
    read: (words, into) => {
      if (takes === "One" && index >= words.length) return { ...problem, fault: "Missing" }
      const value = decode(takes === "One" ? words[index] : words.slice(index))
      if (Result.isFailure(value)) return { ...problem, fault: "Invalid" }
      into[name] = value.success
      return undefined
    },
    write: (value, words) => {
      const written = encode(Reflect.get(value, name))
      if (Result.isFailure(written)) return `${name} is not ${expected}`
      words.push(...(typeof written.success === "string" ? [written.success] : written.success))
      return undefined
    },
  }
}

/**
 * A command with a verb that is none of these: its verb, and its parameters and payload as bytes.
 *
 * For a payload of text, {@link withText} counts the bytes.
 */
export const foreign = (commands: { readonly [verb: string]: unknown }) =>
  Schema.TaggedStruct("Foreign", {
    verb: Schema.String.check(
      Schema.makeFilter((verb) => /^[A-Z]{3}$/.test(verb) && !Object.hasOwn(commands, verb)),
    ).annotate({ description: "three upper-case letters that are no command of the login stage" }),
    /** Bytes, one character each: text comes in by `Bytes.fromText`. */
    parameters: Words,
    /** As many bytes as the line announces. */
    payload: Payload,
  })

/** A command with a verb that means nothing in the login stage. */
export type Foreign = ReturnType<typeof foreign>["Type"]

/**
 * A command with a text as its payload, in UTF-8; behind the parameters stands its length in bytes, counted here.
 *
 *     withText("MSG", ["Hotmail", "Hotmail"], "MIME-Version: 1.0\r\n\r\nJürgen")
 */
export const withText = (verb: string, parameters: ReadonlyArray<string>, text: string): Foreign => {
  const payload = Bytes.fromText(text)
  return { _tag: "Foreign", verb, parameters: [...parameters, String(payload.length)], payload }
}
