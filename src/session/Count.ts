/**
 * A whole number as a session has many: the serial of the lists, a place in a list, the id of a group.
 *
 * Its width is the one that the draft gives to a TrID; no source names another.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** The largest number, 2^32 - 1. */
export const maximum = 4294967295

const description = `a number from 0 to ${maximum}`

/** A whole number from 0 to 4294967295. */
export const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })).annotate({ description })
export type Count = typeof Count.Type

/** Whether a word spells such a number, in decimal digits. */
export const isDigits = (word: string): boolean => /^[0-9]{1,10}$/.test(word) && Number(word) <= maximum

/** The number as a parameter: decimal digits. */
export const FromWire = Schema.String.check(Schema.makeFilter(isDigits)).pipe(
  Schema.decodeTo(Count, SchemaTransformation.transform({ decode: Number, encode: String })),
  Schema.annotate({ description }),
)
