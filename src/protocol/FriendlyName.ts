/**
 * The name that others see: free text in memory, URL-encoded UTF-8 on the wire.
 *
 * Reading never fails: a name whose escapes or bytes are broken is kept as it came.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Bytes from "./Bytes.ts"

/** The length of an encoded name, in bytes, that the draft allows (draft 5.5); 387 is 3 x 129. */
export const maxEncodedBytes = 387

/** A name: well-formed text, not empty. */
export const FriendlyName = Schema.NonEmptyString.check(Schema.makeFilter((text) => text.isWellFormed())).pipe(
  Schema.brand("FriendlyName"),
  Schema.annotate({ description: "a name that is not empty" }),
)
export type FriendlyName = typeof FriendlyName.Type

/**
 * The name as a parameter: its UTF-8, each byte escaped but for letters, digits and `- _ . ! ~ * ' ( )`.
 *
 * Those are the unreserved characters of RFC 2396, a superset of what has to stay: any other byte may come
 * escaped, and whoever reads a name undoes every escape.
 */
export const encode = (name: FriendlyName): string => encodeURIComponent(name)

/** Whether a name, encoded, fits into the draft's {@link maxEncodedBytes}. */
export const fits = (name: FriendlyName): boolean => encode(name).length <= maxEncodedBytes

/**
 * The name that a parameter spells. `+` is a plus sign; hexadecimal digits of either case; raw UTF-8 is taken.
 *
 * @keeps beyond.friendly-name
 */
export const decode = (bytes: string): FriendlyName => {
  if (!/%(?![0-9A-Fa-f]{2})/.test(bytes)) {
    const raw = bytes.replace(/%[0-9A-Fa-f]{2}/g, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)))
    const text = Bytes.toText(raw)
    if (Option.isSome(text)) return FriendlyName.make(text.value)
  }
  return FriendlyName.make(bytes)
}

/** The name as a parameter. */
export const FromWire = Schema.NonEmptyString.pipe(
  Schema.decodeTo(Schema.toType(FriendlyName), SchemaTransformation.transform({ decode, encode })),
  Schema.annotate({ description: "a URL-encoded name" }),
)
