/**
 * Whether a server takes logins now: what operators ask, and what a network knows of itself.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Directory from "../host/Directory.ts"
import * as Account from "../protocol/Account.ts"

/** Whether a server takes logins now, or else why not. */
export type Readiness = "Ready" | "Starting" | "NoDirectory" | "GoingDown"

/** How long accounts may take to answer before they count as gone: less than those who ask wait, as a rule. */
const directoryTimeout: Duration.Input = "1 second"

/** For how long an answer of theirs holds, so that nobody who asks often is a burden to them. */
const directoryMemory: Duration.Input = "1 second"

/** An account that nobody has: names below `invalid` belong to nobody (RFC 2606). */
const nobody = Account.Account.make("nobody@health.invalid")

/** Makes the question whether the accounts answer. */
export const ofDirectory: Effect.Effect<Effect.Effect<Readiness>, never, Directory.Directory> = Effect.flatMap(
  Directory.Directory,
  ({ find }) =>
    Effect.cachedWithTTL(
      find(nobody).pipe(
        Effect.timeout(directoryTimeout),
        Effect.match({ onSuccess: () => "Ready", onFailure: () => "NoDirectory" }),
      ),
      directoryMemory,
    ),
)
