/**
 * How somebody shows to others: three letters on the wire, a name in memory.
 */
import * as Schema from "effect/Schema"

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

/** The letters of each (draft 7.7), in the order of the names. */
const letters = Schema.Literals(["NLN", "FLN", "HDN", "BSY", "IDL", "BRB", "AWY", "PHN", "LUN"])

/** The status as a parameter. */
export const FromWire = letters
  .transform(Status.literals)
  .annotate({ description: `one of ${letters.literals.join(", ")}` })

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
