/**
 * The name that others see: free text in memory, URL-encoded UTF-8 on the wire.
 *
 * Reading never fails: a name whose escapes or bytes are broken is kept as it came.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Bytes from "./Bytes.ts"
import { parameter } from "./Wire.ts"

/** The length of an encoded name, in bytes, that the draft allows (draft 5.5); 387 is 3 x 129. */
export const maxEncodedBytes = 387

/** A name: well-formed text, not empty. */
export const FriendlyName = Schema.NonEmptyString.check(Schema.makeFilter((text) => text.isWellFormed())).pipe(
  Schema.brand("FriendlyName"),
  Schema.annotate({ description: "a name that is not empty" }),
)
export type FriendlyName = typeof FriendlyName.Type

const isFriendlyName = (text: string): text is FriendlyName => text !== "" && text.isWellFormed()

/**
 * The name as a parameter: its UTF-8, each byte escaped but for letters, digits and `- _ . ! ~ * ' ( )`.
 *
 * Those are the unreserved characters of RFC 2396, a superset of what has to stay: any other byte may come
 * escaped, and whoever reads a name undoes every escape.
 */
export const encode = (name: FriendlyName): string => (isUnreserved.test(name) ? name : encodeURIComponent(name))

/** Most names need no escapes, and this is told in a fifth of the time. */
const isUnreserved = /^[\w.!~*'()-]*$/

/** Whether a name, encoded, fits into the draft's {@link maxEncodedBytes}. */
export const fits = (name: FriendlyName): boolean => encode(name).length <= maxEncodedBytes

/**
 * The name that a parameter spells. `+` is a plus sign; hexadecimal digits of either case; raw UTF-8 is taken.
 *
 * @keeps beyond.friendly-name
 */
export const decode = (bytes: string): FriendlyName => {
  const text = spelled(bytes)
  return isFriendlyName(text) ? text : FriendlyName.make(bytes)
}

const spelled = (bytes: string): string => {
  if (!bytes.includes("%")) return Option.getOrElse(Bytes.toText(bytes), () => bytes)
  if (/%(?![0-9A-Fa-f]{2})/.test(bytes)) return bytes
  const raw = bytes.replace(/%[0-9A-Fa-f]{2}/g, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
  return Option.getOrElse(Bytes.toText(raw), () => bytes)
}

/** The name as a parameter. */
export const FromWire = parameter(FriendlyName, {
  description: "a URL-encoded name",
  read: (bytes) => (bytes === "" ? undefined : decode(bytes)),
  write: (name) => (isFriendlyName(name) ? encode(name) : undefined),
})
