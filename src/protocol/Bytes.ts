/**
 * What travels on the wire, as a string with one character a byte (0 to 255).
 *
 * Lines, parameters and payloads are kept in this form until a field gives them a meaning, so that nothing is lost
 * that does not decode: a challenge is hashed as the bytes received, whatever they are. Nothing here knows of lines.
 */
import * as Option from "effect/Option"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Arguments that one call of `String.fromCharCode` is given: far below every engine's limit. */
const chunk = 8192

/** Reads bytes, one character each. `TextDecoder("latin1")` would not do: by its standard it is windows-1252. */
export const fromUint8Array = (bytes: Uint8Array): string => {
  let text = ""
  for (let i = 0; i < bytes.length; i += chunk) {
    text += String.fromCharCode(...bytes.subarray(i, i + chunk))
  }
  return text
}

/** Writes characters of 0 to 255 as bytes. */
export const toUint8Array = (bytes: string): Uint8Array => {
  const out = new Uint8Array(bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    out[i] = bytes.charCodeAt(i)
  }
  return out
}

/** Whether each byte is ASCII: then bytes and text are the same string. */
const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false
  }
  return true
}

/** The bytes of a text in UTF-8. A lone surrogate becomes U+FFFD, as everywhere in the platform. */
export const fromText = (text: string): string => (isAscii(text) ? text : fromUint8Array(encoder.encode(text)))

/** The text that these bytes spell in UTF-8; none if they spell none. */
export const toText = (bytes: string): Option.Option<string> => {
  if (isAscii(bytes)) return Option.some(bytes)
  try {
    return Option.some(utf8.decode(toUint8Array(bytes)))
  } catch {
    return Option.none()
  }
}

/** Whether these bytes can stand as one parameter: some, and nothing in them that parts or ends. A CR does neither. */
export const isWord = (bytes: string): boolean => {
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes.charCodeAt(i)
    if (code === 0x20 || code === 0x09 || code === 0x0a || code > 0xff) return false
  }
  return bytes !== ""
}

/**
 * What a person is shown of a peer's bytes: text where they are UTF-8, control characters as `\x1b`. A terminal takes
 * no orders from it. What is text already goes through {@link fromText}.
 */
export const legible = (bytes: string): string =>
  Option.getOrElse(toText(bytes), () => bytes).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escape)

const escape = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, "0")}`
}

/** How much of a peer's words stands in a sentence, in characters. */
const shown = 80

/** As {@link legible}, cut to so many characters and an ellipsis. */
export const shortened = (bytes: string, length: number): string => {
  const text = legible(bytes)
  return text.length > length ? `${text.slice(0, length).replace(/\p{Cs}$/u, "")}…` : text
}

/** As {@link shortened}, for a sentence: to 80 characters. */
export const printable = (bytes: string): string => shortened(bytes, shown)
