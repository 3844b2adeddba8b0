/**
 * Where one command ends and the next begins: lines, and the payloads that some of them announce.
 *
 * A line ends at LF, with or without a CR before it; a lone CR ends nothing. Empty lines are passed over. Words are
 * separated by runs of spaces or tabs, and trailing white space is dropped. Nothing here knows what a command means.
 */
import * as Option from "effect/Option"

/** How much a command may be: what is kept of a peer's bytes while it is not yet whole. */
export interface Limits {
  /** A line without its line end, in bytes. */
  readonly lineBytes: number
  /** The words of a line, its verb included. */
  readonly lineWords: number
  /** What a line may announce as its payload, in bytes. */
  readonly payloadBytes: number
}

/**
 * A server's limits: the longest line on record in the protocol is of about 600 bytes.
 *
 * @keeps beyond.limit
 */
export const serverLimits: Limits = { lineBytes: 2048, lineWords: 512, payloadBytes: 65_536 }

/** A client's limits: wider, since a challenge may be of any length; a line has as many words as its bytes hold. */
export const clientLimits: Limits = { lineBytes: 65_536, lineWords: 32_768, payloadBytes: 65_536 }

/** For each verb with a payload, the place of the word that tells its length; -1 is the last word. */
export type Payloads = { readonly [verb: string]: number }

/** The commands with a payload that clients send after the login; SDC's length is its eighth parameter or missing. */
export const clientPayloads: Payloads = { MSG: -1, QRY: -1, PAG: -1, SDC: 9 }

/** The commands with a payload that servers send. */
export const serverPayloads: Payloads = { MSG: -1, NOT: -1, IPG: -1 }

/** No payloads: a server's view of the login stage, in which each of these verbs ends the connection at once. */
export const noPayloads: Payloads = {}

/** One command as bytes: its words, the verb first, and its payload. */
export interface Frame {
  readonly words: readonly [verb: string, ...parameters: Array<string>]
  readonly payload: string
}

/** What the bytes at hand are: a whole command and what is behind it, not yet a command, or never one. */
export type Taken =
  | { readonly _tag: "Whole"; readonly frame: Frame; readonly rest: string }
  /** `wanted` is how many bytes must be at hand before it is worth asking again. */
  | { readonly _tag: "NotYet"; readonly rest: string; readonly wanted: number }
  /** `beyond` is the limit that it goes beyond, if that is why. */
  | { readonly _tag: "Never"; readonly why: string; readonly beyond: Option.Option<keyof Limits> }

/**
 * Takes the first command from some bytes.
 *
 * @keeps efficiency.lf beyond.blanks
 */
export const take = (bytes: string, payloads: Payloads, limits: Limits): Taken => {
  let start = 0
  while (true) {
    const lf = bytes.indexOf("\n", start)
    if (lf === -1) return unfinished(bytes.slice(start), limits)
    const end = lf > start && bytes.charCodeAt(lf - 1) === 0x0d ? lf - 1 : lf
    if (end - start > limits.lineBytes) return tooLong(limits)
    const words = split(bytes, start, end)
    if (words !== undefined) return withPayload(words, bytes, start, lf + 1, payloads, limits)
    start = lf + 1
  }
}

const unfinished = (rest: string, limits: Limits): Taken =>
  rest.length > limits.lineBytes + (rest.endsWith("\r") ? 1 : 0)
    ? tooLong(limits)
    : { _tag: "NotYet", rest, wanted: rest.length + 1 }

const tooMuch = (limit: keyof Limits, why: string): Taken => ({ _tag: "Never", why, beyond: Option.some(limit) })

const tooLong = ({ lineBytes }: Limits): Taken => tooMuch("lineBytes", `a line is longer than ${lineBytes} bytes`)

/** The command whose line is from `start` to `behind`. */
const withPayload = (
  words: Frame["words"],
  bytes: string,
  start: number,
  behind: number,
  payloads: Payloads,
  limits: Limits,
): Taken => {
  if (words.length > limits.lineWords) {
    return tooMuch("lineWords", `a line has more than ${limits.lineWords} words`)
  }
  if (!Object.hasOwn(payloads, words[0])) {
    return { _tag: "Whole", frame: { words, payload: "" }, rest: bytes.slice(behind) }
  }
  const length = announced(words, payloads)
  if (Option.isNone(length)) {
    return { _tag: "Never", why: `${words[0]} does not tell the length of its payload`, beyond: Option.none() }
  }
  if (length.value > limits.payloadBytes) {
    return tooMuch("payloadBytes", `${words[0]} announces more than ${limits.payloadBytes} bytes`)
  }
  const end = behind + length.value
  return bytes.length < end
    ? { _tag: "NotYet", rest: bytes.slice(start), wanted: end - start }
    : { _tag: "Whole", frame: { words, payload: bytes.slice(behind, end) }, rest: bytes.slice(end) }
}

/** The length of the payload that a line announces, in bytes: 0 for a line without one, none if it cannot be read. */
export const announced = (words: Frame["words"], payloads: Payloads): Option.Option<number> => {
  const [verb] = words
  if (!Object.hasOwn(payloads, verb)) return Option.some(0)
  const place = payloads[verb] ?? -1
  const digits = place === -1 ? words[words.length - 1] : (words[place] ?? "0")
  return digits !== undefined && /^[0-9]{1,9}$/.test(digits) ? Option.some(Number(digits)) : Option.none()
}

/** The words of a line; undefined for an empty one. A first word is empty where white space stands before it. */
const split = (bytes: string, start: number, lineEnd: number): Frame["words"] | undefined => {
  let end = lineEnd
  while (end > start && isBlank(bytes.charCodeAt(end - 1))) end--
  if (end === start) return undefined
  let at = wordEnd(bytes, start, end)
  const words: [string, ...Array<string>] = [bytes.slice(start, at)]
  while (at < end) {
    while (isBlank(bytes.charCodeAt(at))) at++
    const from = at
    at = wordEnd(bytes, from, end)
    words.push(bytes.slice(from, at))
  }
  return words
}

const wordEnd = (bytes: string, start: number, end: number): number => {
  let at = start
  while (at < end && !isBlank(bytes.charCodeAt(at))) at++
  return at
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09
