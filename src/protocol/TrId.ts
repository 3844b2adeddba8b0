/**
 * The transaction identifier: a number that the client picks and the server copies into every answer.
 *
 * Order and start are the client's own affair; 0 is legal, and is what the server uses in commands of its own.
 */
import * as Schema from "effect/Schema"
import { decimal, parameter } from "./Wire.ts"

/** The largest identifier, 2^32 - 1 (draft 5.6). */
export const maximum = 4294967295

/**
 * A whole number from 0 to 4294967295 (draft 5.6).
 *
 * @keeps beyond.trid
 */
export const TrId = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })).pipe(Schema.brand("TrId"))
export type TrId = typeof TrId.Type

const isTrId = (n: number): n is TrId => Number.isInteger(n) && n >= 0 && n <= maximum

/** The identifier that a word spells, `1*10DIGIT`; else undefined. */
export const read = (word: string): TrId | undefined => {
  const number = decimal(word, maximum)
  return number !== undefined && isTrId(number) ? number : undefined
}

/** The digits of an identifier; undefined for what is none. */
export const write = (trId: TrId): string | undefined => (isTrId(trId) ? String(trId) : undefined)

/** The identifier as a parameter: decimal digits. */
export const FromWire = parameter(TrId, { description: "a number from 0 to 4294967295", read, write })

/** The first identifier that our client uses: 0 would be legal, but marks what the server says unasked. */
export const initial: TrId = TrId.make(1)

/** The identifier after this one; after the largest comes {@link initial} again. */
export const next = (trId: TrId): TrId => (trId === maximum ? initial : TrId.make(trId + 1))
