/**
 * How somebody shows to others: three letters on the wire, a name in memory.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** The letters of each status (draft 7.7; Idle, BeRightBack, OnThePhone and OutToLunch are as old). */
export const letters = {
  Online: "NLN",
  Offline: "FLN",
  Hidden: "HDN",
  Busy: "BSY",
  Idle: "IDL",
  BeRightBack: "BRB",
  Away: "AWY",
  OnThePhone: "PHN",
  OutToLunch: "LUN",
} as const

/** A status. "Offline" is what others are shown of somebody who is not there. */
export const Status = Schema.Literals([
  "Online",
  "Offline",
  "Hidden",
  "Busy",
  "Idle",
  "BeRightBack",
  "Away",
  "OnThePhone",
  "OutToLunch",
])
export type Status = typeof Status.Type

/** The status as a parameter. */
export const FromWire = Schema.Literals(Status.literals.map((status) => letters[status])).pipe(
  Schema.decodeTo(
    Status,
    SchemaTransformation.transform({
      decode: (word) => Status.literals.find((status) => letters[status] === word) ?? "Offline",
      encode: (status) => letters[status],
    }),
  ),
  Schema.annotate({ description: `one of ${Object.values(letters).join(", ")}` }),
)

/** A status that one can take: nobody who has a session is offline. */
export const Takeable = Status.pick([
  "Online",
  "Hidden",
  "Busy",
  "Idle",
  "BeRightBack",
  "Away",
  "OnThePhone",
  "OutToLunch",
])
export type Takeable = typeof Takeable.Type

/** Whether a status can be taken. */
export const isTakeable = Schema.is(Takeable)
