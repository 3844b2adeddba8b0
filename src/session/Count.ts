/**
 * A whole number as a session has many: the serial of the lists, a place in a list, the id of a group.
 *
 * Its width is the one that the draft gives to a TrID; no source names another.
 */
import * as Schema from "effect/Schema"
import { decimal, parameter } from "../protocol/Wire.ts"

/** The largest number, 2^32 - 1. */
export const maximum = 4294967295

const description = `a number from 0 to ${maximum}`

/** A whole number from 0 to 4294967295. */
export const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })).annotate({ description })
export type Count = typeof Count.Type

/** Whether a word spells such a number, in decimal digits. */
export const isDigits = (word: string): boolean => decimal(word, maximum) !== undefined

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= maximum

/** The number as a parameter: decimal digits. */
export const FromWire = parameter(Count, {
  description,
  read: (word) => decimal(word, maximum),
  write: (count) => (isCount(count) ? String(count) : undefined),
})
