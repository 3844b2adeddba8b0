/**
 * The parser that one would write by hand for the login stage: split, switch, regular expressions.
 *
 * It is what the codec is measured against, and nothing else: it takes the same lines for the same commands, with the
 * same values, and says nothing of why a line is none.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Net from "node:net"

/** What a client says, as this parser has it: like the codec's, but for the brands. */
export type Client =
  | { readonly _tag: "Ver"; readonly trId: number; readonly dialects: ReadonlyArray<string> }
  | { readonly _tag: "Inf"; readonly trId: number }
  | { readonly _tag: "UsrInitiate"; readonly trId: number; readonly account: string }
  | { readonly _tag: "UsrRespond"; readonly trId: number; readonly digest: Redacted.Redacted<string> }
  | { readonly _tag: "Cvr"; readonly trId: number; readonly parameters: ReadonlyArray<string> }
  | { readonly _tag: "Out" }
  | Foreign

/** What a server says, likewise. */
export type Server =
  | { readonly _tag: "Ver"; readonly trId: number; readonly dialects: ReadonlyArray<string> }
  | { readonly _tag: "VerNone"; readonly trId: number; readonly known: ReadonlyArray<string> }
  | { readonly _tag: "Inf"; readonly trId: number; readonly packages: ReadonlyArray<string> }
  | { readonly _tag: "UsrChallenge"; readonly trId: number; readonly challenge: string }
  | {
      readonly _tag: "UsrOk"
      readonly trId: number
      readonly account: string
      readonly friendlyName: string
      readonly verified: Option.Option<boolean>
    }
  | { readonly _tag: "Xfr"; readonly trId: number; readonly to: Address; readonly trailer: Trailer }
  | { readonly _tag: "Cvr"; readonly trId: number; readonly parameters: ReadonlyArray<string> }
  | { readonly _tag: "Out"; readonly reason: "LoggedInElsewhere" | "ShuttingDown" | "Unstated" }
  | { readonly _tag: "Failure"; readonly code: number; readonly trId: Option.Option<number> }
  | Foreign

interface Foreign {
  readonly _tag: "Foreign"
  readonly verb: string
  readonly parameters: ReadonlyArray<string>
  readonly payload: ""
}

interface Address {
  readonly host: string
  readonly port: number
}

type Trailer = readonly [] | readonly [string] | readonly [string, Address]

/** The client's command in a line with its line end; none where it is none. */
export const client = (bytes: string): Client | undefined => {
  const words = wordsOf(bytes)
  const [verb = "", digits] = words
  switch (verb) {
    case "VER": {
      const trId = trIdOf(digits)
      return trId === undefined ? undefined : { _tag: "Ver", trId, dialects: wordsFrom(words, 2) }
    }
    case "INF": {
      const trId = trIdOf(digits)
      return trId === undefined ? undefined : { _tag: "Inf", trId }
    }
    case "USR": {
      const trId = trIdOf(digits)
      if (trId === undefined || words.length !== 5 || words[2] !== "MD5") return undefined
      const last = words[4] ?? ""
      if (words[3] === "I") {
        const account = accountOf(last)
        return account === undefined ? undefined : { _tag: "UsrInitiate", trId, account }
      }
      if (words[3] !== "S" || !/^[0-9a-fA-F]{32}$/.test(last)) return undefined
      return { _tag: "UsrRespond", trId, digest: Redacted.make(last.toLowerCase(), { label: "digest" }) }
    }
    case "CVR": {
      const trId = trIdOf(digits)
      return trId === undefined ? undefined : { _tag: "Cvr", trId, parameters: wordsFrom(words, 2) }
    }
    case "OUT":
      return { _tag: "Out" }
    default:
      return foreign(words)
  }
}

/** The server's command in a line with its line end; none where it is none. */
export const server = (bytes: string): Server | undefined => {
  const words = wordsOf(bytes)
  const [verb = "", digits] = words
  switch (verb) {
    case "VER": {
      const trId = trIdOf(digits)
      if (trId === undefined || words.length < 3) return undefined
      return words[2] === "0"
        ? { _tag: "VerNone", trId, known: wordsFrom(words, 3) }
        : { _tag: "Ver", trId, dialects: wordsFrom(words, 2) }
    }
    case "INF": {
      const trId = trIdOf(digits)
      if (trId === undefined) return undefined
      const packages = packagesOf(words)
      return packages.length === 0 ? undefined : { _tag: "Inf", trId, packages }
    }
    case "USR": {
      const trId = trIdOf(digits)
      return trId === undefined ? undefined : usr(words, trId)
    }
    case "XFR": {
      const trId = trIdOf(digits)
      if (trId === undefined || words[2] !== "NS" || words.length < 4 || words.length > 6) return undefined
      const to = addressOf(words[3] ?? "")
      const trailer = to === undefined ? undefined : trailerOf(words)
      return to === undefined || trailer === undefined ? undefined : { _tag: "Xfr", trId, to, trailer }
    }
    case "CVR": {
      const trId = trIdOf(digits)
      return trId === undefined ? undefined : { _tag: "Cvr", trId, parameters: wordsFrom(words, 2) }
    }
    case "OUT": {
      const reason = digits === "OTH" ? "LoggedInElsewhere" : digits === "SSD" ? "ShuttingDown" : "Unstated"
      return { _tag: "Out", reason }
    }
    default: {
      if (!/^[1-9][0-9]{2}$/.test(verb)) return foreign(words)
      const trId = trIdOf(digits)
      return { _tag: "Failure", code: Number(verb), trId: trId === undefined ? Option.none() : Option.some(trId) }
    }
  }
}

const usr = (words: ReadonlyArray<string>, trId: number): Server | undefined => {
  if (words[2] === "MD5") {
    const challenge = words[4]
    if (words[3] !== "S" || challenge === undefined || words.length !== 5) return undefined
    return { _tag: "UsrChallenge", trId, challenge }
  }
  const [, , ok, name, friendly, flag] = words
  if (ok !== "OK" || name === undefined || friendly === undefined) return undefined
  const account = accountOf(name)
  if (account === undefined || !(flag === undefined || flag === "0" || flag === "1")) return undefined
  const verified = flag === undefined ? Option.none() : Option.some(flag === "1")
  return { _tag: "UsrOk", trId, account, friendlyName: friendlyNameOf(friendly), verified }
}

/** One space is what nearly every line has between its words; the rest is for the few that have more. */
const wordsOf = (bytes: string): ReadonlyArray<string> => {
  const end = bytes.length - (bytes.endsWith("\r\n") ? 2 : 1)
  const line = bytes.slice(0, end)
  if (!line.includes("\t") && !line.includes("  ") && !line.endsWith(" ")) return line.split(" ")
  return line.replace(/[ \t]+$/, "").split(/[ \t]+/)
}

const wordsFrom = (words: ReadonlyArray<string>, first: number): ReadonlyArray<string> => words.slice(first)

const trIdOf = (digits: string | undefined): number | undefined => {
  if (digits === undefined || !/^[0-9]{1,10}$/.test(digits)) return undefined
  const trId = Number(digits)
  return trId <= 4_294_967_295 ? trId : undefined
}

const foreign = (words: ReadonlyArray<string>): Foreign | undefined => {
  const [verb, ...parameters] = words
  return verb !== undefined && /^[A-Z]{3}$/.test(verb) ? { _tag: "Foreign", verb, parameters, payload: "" } : undefined
}

/** Most accounts are ASCII, where bytes and text are one. */
const accountOf = (bytes: string): string | undefined => {
  if (/^[!-?A-~]+@[!-?A-~]+$/.test(bytes)) return bytes.length <= 129 ? bytes : undefined
  const text = textOf(bytes)
  return text !== undefined && bytes.length <= 129 && /^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(text) ? text : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textOf = (bytes: string): string | undefined => {
  try {
    return utf8.decode(Buffer.from(bytes, "latin1"))
  } catch {
    return undefined
  }
}

/** A name in letters and digits needs nothing done. */
const friendlyNameOf = (bytes: string): string => {
  if (/^[!-$&-~]+$/.test(bytes)) return bytes
  if (/%(?![0-9A-Fa-f]{2})/.test(bytes)) return bytes
  const raw = bytes.replace(/%[0-9A-Fa-f]{2}/g, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
  return /^[\u0000-\u007f]*$/.test(raw) ? raw : (textOf(raw) ?? bytes)
}

const packagesOf = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (words.length === 3 && words[2]?.includes(",") === false) return wordsFrom(words, 2)
  return wordsFrom(words, 2)
    .join(",")
    .split(",")
    .filter((name) => name !== "")
}

const addressOf = (bytes: string): Address | undefined => {
  const parts = /^(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|([!-9;-Z\\^-~]+))(?::([0-9]{1,5}))?$/.exec(bytes)
  if (parts === null) return undefined
  const [, ipv6, name, digits] = parts
  const port = digits === undefined ? 1863 : Number(digits)
  if (port === 0 || port > 65_535) return undefined
  if (ipv6 !== undefined) return Net.isIPv6(ipv6) ? { host: ipv6, port } : undefined
  return name !== undefined && isHostname(name) ? { host: name, port } : undefined
}

/** Numeric IPv4, or labels of letters, digits, hyphens and underscores, the last of which is no number. */
const isHostname = (name: string): boolean =>
  Net.isIPv4(name) ||
  (/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?!(?:\d+|0x[0-9a-f]*)\.?$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?$/i.test(
    name,
  ) &&
    name.replace(/\.$/, "").length <= 253)

const trailerOf = (words: ReadonlyArray<string>): Trailer | undefined => {
  const [, , , , zero, server] = words
  if (zero === undefined) return []
  if (server === undefined) return [zero]
  const from = addressOf(server)
  return from === undefined ? undefined : [zero, from]
}
