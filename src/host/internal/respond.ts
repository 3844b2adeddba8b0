/**
 * How a server reckons the answer that it expects: a reference, so that a test can count how often it does.
 */
import * as Context from "effect/Context"
import * as Challenge from "../../protocol/Challenge.ts"

/** The answer to a challenge, by a password. */
export const Respond = Context.Reference<typeof Challenge.respond>("effect-msnp/host/internal/Respond", {
  defaultValue: () => Challenge.respond,
})
