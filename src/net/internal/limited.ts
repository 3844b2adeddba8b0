/**
 * Tells of peers that go beyond a limit: whoever observes the server each time, the log once in a while.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Limits from "../../host/Limits.ts"
import type * as Throttle from "../../host/Throttle.ts"
import type * as Address from "../../protocol/Address.ts"
import * as Telemetry from "../Telemetry.ts"

/** Is told which limit, and by whom. */
export type Limited = (limit: Limits.Name, remote: Address.Address) => void

/** What tells of it, from wherever it happens. */
export const make = Effect.fnUntraced(function* (throttle: Throttle.Throttle["Service"]): Effect.fn.Return<Limited> {
  const telemetry = yield* Telemetry.Current
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  return (limit, remote) => {
    Option.map(telemetry, ({ limited }) => limited(limit, remote))
    runFork(throttle.turnedAway(limit, remote.host))
  }
})
