/**
 * The second stage of reading: what the login's codec leaves as `Foreign`, as words for a description, and back.
 *
 * A payload stands in the place of the length that announces it, so that a command with a payload is described like
 * any other.
 */
import * as Result from "effect/Result"
import * as Codec from "../../protocol/Codec.ts"
import type * as Line from "../../protocol/Line.ts"
import * as Wire from "../../protocol/Wire.ts"

/** The payload as a parameter of a description. */
export const Payload = Wire.Payload.annotate({
  description: "a payload, of as many bytes as the line announces",
})

/** The typed command that a `Foreign` is; itself where its verb has no description here. */
export const decode = <A, T extends string>(
  foreign: Wire.Foreign,
  commands: { readonly [verb: string]: ReadonlyArray<Codec.Reader<A, T>> },
  payloads: Line.Payloads,
): Result.Result<A | Wire.Foreign, Codec.Undecodable<T>> => {
  const { parameters, payload, verb } = foreign
  const readers = commands[verb]
  if (readers === undefined) return Result.succeed(foreign)
  return Codec.oneOf([verb, ...(verb in payloads ? [...parameters.slice(0, -1), payload] : parameters)], readers)
}

/** The `Foreign` that a description's words are. */
export const encode = (
  words: Result.Result<ReadonlyArray<string>, string>,
  payloads: Line.Payloads,
): Result.Result<Wire.Foreign, string> =>
  Result.map(words, ([verb = "", ...parameters]) => {
    if (!(verb in payloads)) return { _tag: "Foreign", verb, parameters, payload: "" }
    const payload = parameters[parameters.length - 1] ?? ""
    return { _tag: "Foreign", verb, parameters: [...parameters.slice(0, -1), String(payload.length)], payload }
  })
