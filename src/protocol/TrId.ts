/**
 * The transaction identifier: a number that the client picks and the server copies into every answer.
 *
 * Order and start are the client's own affair; 0 is legal, and is what the server uses in commands of its own.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** The largest identifier, 2^32 - 1 (draft 5.6). */
export const maximum = 4294967295

/**
 * A whole number from 0 to 4294967295 (draft 5.6).
 *
 * @keeps beyond.trid
 */
export const TrId = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })).pipe(Schema.brand("TrId"))
export type TrId = typeof TrId.Type

/** `1*10DIGIT`, at most 4294967295. */
const Digits = Schema.String.check(Schema.makeFilter((text) => /^[0-9]{1,10}$/.test(text) && Number(text) <= maximum))

/** The identifier as a parameter: decimal digits. */
export const FromWire = Digits.pipe(
  Schema.decodeTo(TrId, SchemaTransformation.transform({ decode: Number, encode: String })),
  Schema.annotate({ description: "a number from 0 to 4294967295" }),
)

/** The first identifier that our client uses: 0 would be legal, but marks what the server says unasked. */
export const initial: TrId = TrId.make(1)

/** The identifier after this one; after the largest comes {@link initial} again. */
export const next = (trId: TrId): TrId => (trId === maximum ? initial : TrId.make(trId + 1))
