/**
 * What the commands have in common that change accounts.
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Terminal from "effect/Terminal"
import * as Directory from "../host/Directory.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Place from "./Place.ts"

/** What each of these commands takes. */
export const common = { directory: Place.directory, json: Output.jsonFlag }

/** What {@link common} was given. */
export interface Common {
  readonly directory: Option.Option<Place.Place>
  readonly json: boolean
}

/** Why a directory does not do what it is told. */
type Refusal =
  | Directory.AccountTaken
  | Directory.NameTooLong
  | Directory.NoSuchAccount
  | Directory.NoSuchToken
  | Directory.TooManyTokens
  | Directory.DirectoryError

/** Says what is refused: one sentence, and an event for a program. */
export const refuse =
  (reader: Output.Reader) =>
  ({ _tag, message }: Refusal) =>
    Output.fail(reader, _tag, Failure.badInput(message))

/** Does something with the accounts. Only what adds some makes a file for them: a name that was mistyped is told. */
export const administer = Effect.fnUntraced(function* <R>(
  { directory, ...flags }: Common,
  use: (
    accounts: Directory.Directory["Service"],
    reader: Output.Reader,
  ) => Effect.Effect<void, Refusal | Failure.Failure | Terminal.QuitError, R>,
  missing: Place.Missing = "Refuse",
) {
  const reader = Output.readerOf(flags)
  const place = yield* Place.orDefault(directory)
  yield* Directory.Directory.pipe(
    Effect.flatMap((accounts) => use(accounts, reader)),
    Effect.catchTag(
      ["AccountTaken", "NameTooLong", "NoSuchAccount", "NoSuchToken", "TooManyTokens", "DirectoryError"],
      refuse(reader),
    ),
    Effect.provide(Place.open(place, { use: "Administer", missing, reader })),
  )
})
