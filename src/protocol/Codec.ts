/**
 * Bytes to typed commands and back, for either side of a connection.
 *
 * Reading has two stages: {@link Line.take} finds where a command ends, then {@link decodeClient} or
 * {@link decodeServer} gives it its type; so a command that makes no sense never hides the next one. Nothing here
 * throws, and nothing here knows whose turn it is.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as ClientCommand from "./ClientCommand.ts"
import * as Line from "./Line.ts"
import * as ServerCommand from "./ServerCommand.ts"
import * as TrId from "./TrId.ts"
import type * as Wire from "./Wire.ts"

/** A line that cannot be any command: no sense can be made of its verb or of its TrID. */
export interface Unreadable {
  readonly _tag: "Unreadable"
  readonly why: string
}

/** The tag of a command of the login stage, of either side. */
export type Tag = Exclude<ClientCommand.ClientCommand["_tag"] | ServerCommand.ServerCommand["_tag"], "Foreign">

/** A line with a verb and a TrID in order whose parameters do not fit; `T` are the tags of the commands known there. */
export interface Malformed<out T extends string = Tag> {
  readonly _tag: "Malformed"
  readonly verb: string
  readonly trId: TrId.TrId
  /** The command that the line begins like; "None" if it does not get so far. */
  readonly like: T | "None"
  readonly problem: Wire.Problem
}

/** Why a line is not a command. */
export type Undecodable<T extends string = Tag> = Unreadable | Malformed<T>

/** Makes an {@link Unreadable}. */
export const unreadable = (why: string): Unreadable => ({ _tag: "Unreadable", why })

/** What is wrong with a line, in a sentence. No value from the line is in it but its verb. */
export const explain = (undecodable: Undecodable<string>): string => {
  if (undecodable._tag === "Unreadable") return undecodable.why
  const { problem, verb } = undecodable
  const place = `word ${problem.index + 1} of ${verb}`
  const name = problem.kind === "Parameter" ? ` (${problem.parameter})` : ""
  switch (problem.fault) {
    case "Missing":
      return `${place}${name} is missing: expected ${problem.expected}`
    case "Surplus":
      return `${place} is one too many`
    case "Invalid":
      return `${place}${name} is not ${problem.expected}`
  }
}

/** By verb: a map finds a word that has just been cut out of some bytes sooner than an object does. */
const clientCommands = new Map<string, ReadonlyArray<Reader<ClientCommand.ClientCommand, Tag>>>(
  Object.entries(ClientCommand.commands),
)
const serverCommands = new Map<string, ReadonlyArray<Reader<ServerCommand.ServerCommand, Tag>>>(
  Object.entries(ServerCommand.commands),
)

/** The command that a client says with these words. */
export const decodeClient = (frame: Line.Frame): Result.Result<ClientCommand.ClientCommand, Undecodable> =>
  decode(frame, clientCommands)

/** The command that a server says with these words. */
export const decodeServer = (frame: Line.Frame): Result.Result<ServerCommand.ServerCommand, Undecodable> =>
  isCode(frame.words[0]) ? oneOf(frame.words, [ServerCommand.Failure]) : decode(frame, serverCommands)

const decode = <A>(
  frame: Line.Frame,
  commands: ReadonlyMap<string, ReadonlyArray<Reader<A, Tag>>>,
): Result.Result<A | ClientCommand.Foreign, Undecodable> => {
  const { payload, words } = frame
  const readers = commands.get(words[0])
  if (readers !== undefined) return oneOf(words, readers)
  const [verb, ...parameters] = words
  return isVerb(verb) ? Result.succeed({ _tag: "Foreign", verb, parameters, payload }) : notAVerb
}

const isVerb = (word: string): boolean => /^[A-Z]{3}$/.test(word)
const isCode = (word: string): boolean => /^[1-9][0-9]{2}$/.test(word)
const notAVerb = Result.fail(unreadable("a line does not begin with three upper-case letters"))

/** What a verb's commands have in common. */
export interface Reader<out A, out T extends string> {
  readonly tag: T
  readonly decode: (words: ReadonlyArray<string>) => Result.Result<A, Wire.Problem>
}

/** The first command of a verb that the words fit, else the problem of the one that they fit furthest. */
export const oneOf = <A, T extends string>(
  words: Line.Frame["words"],
  readers: ReadonlyArray<Reader<A, T>>,
): Result.Result<A, Undecodable<T>> => {
  let nearest: { readonly tag: T; readonly problem: Wire.Problem } | undefined
  for (const { decode, tag } of readers) {
    const read = decode(words)
    if (Result.isSuccess(read)) return Result.succeed(read.success)
    if (nearest === undefined || read.failure.index > nearest.problem.index) nearest = { tag, problem: read.failure }
  }
  const [verb, digits] = words
  const trId = TrId.read(digits ?? "")
  if (nearest === undefined || trId === undefined) {
    return Result.fail(unreadable(`${verb} bears no TrID from 0 to ${TrId.maximum}`))
  }
  const { problem, tag } = nearest
  const like = problem.kind === "Word" && problem.fault !== "Surplus" ? "None" : tag
  return Result.fail({ _tag: "Malformed", verb, trId, like, problem })
}

/** The bytes of a client's command, CRLF included; a value that its type does not allow fails with a sentence. */
export const encodeClient = (command: ClientCommand.ClientCommand): Result.Result<string, string> => {
  switch (command._tag) {
    case "Ver":
      return line(ClientCommand.Ver.encode(command))
    case "Inf":
      return line(ClientCommand.Inf.encode(command))
    case "UsrInitiate":
      return line(ClientCommand.UsrInitiate.encode(command))
    case "UsrRespond":
      return line(ClientCommand.UsrRespond.encode(command))
    case "Cvr":
      return line(ClientCommand.Cvr.encode(command))
    case "Out":
      return line(ClientCommand.Out.encode(command))
    case "Foreign":
      return encodeForeign(command, ClientCommand.isForeign, Line.clientPayloads)
  }
}

/** The bytes of a server's command, CRLF included; a value that its type does not allow fails with a sentence. */
export const encodeServer = (command: ServerCommand.ServerCommand): Result.Result<string, string> => {
  switch (command._tag) {
    case "Ver":
      return line(ServerCommand.Ver.encode(command))
    case "VerNone":
      return line(ServerCommand.VerNone.encode(command))
    case "Inf":
      return line(ServerCommand.Inf.encode(command))
    case "UsrChallenge":
      return line(ServerCommand.UsrChallenge.encode(command))
    case "UsrOk":
      return line(ServerCommand.UsrOk.encode(command))
    case "Xfr":
      return line(ServerCommand.Xfr.encode(command))
    case "Cvr":
      return line(ServerCommand.Cvr.encode(command))
    case "Out":
      return line(ServerCommand.Out.encode(command))
    case "Failure":
      return line(ServerCommand.Failure.encode(command))
    case "Foreign":
      return encodeForeign(command, ServerCommand.isForeign, Line.serverPayloads)
  }
}

/** One line of these words; a CR, which we let pass in what we hear, ends a line to some, and is never said in one. */
const line = (words: Result.Result<ReadonlyArray<string>, string>): Result.Result<string, string> => {
  if (Result.isFailure(words)) return Result.fail(words.failure)
  const line = words.success.join(" ")
  return line.includes("\r")
    ? Result.fail(`${words.success[0]}: a parameter holds a carriage return`)
    : Result.succeed(`${line}\r\n`)
}

const encodeForeign = (
  command: ClientCommand.Foreign,
  isForeign: (command: unknown) => boolean,
  payloads: Line.Payloads,
): Result.Result<string, string> => {
  const { parameters, payload, verb } = command
  if (!isForeign(command)) return Result.fail(`Foreign: ${verb} is not a line outside the login stage`)
  return Option.contains(Line.announced([verb, ...parameters], payloads), payload.length)
    ? Result.map(line(Result.succeed([verb, ...parameters])), (line) => `${line}${payload}`)
    : Result.fail(`Foreign: ${verb} does not announce the ${payload.length} bytes of its payload`)
}
