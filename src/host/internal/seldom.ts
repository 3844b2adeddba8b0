/**
 * What strangers can have happen as often as they like is told to the log once in a while only.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** How often the log says the same, in nanoseconds: every ten seconds. */
const interval = 10_000_000_000n

/** Says something under a name, or else counts it; `log` is told how often it would have been said since, with this once. */
export type Seldom = (name: string, log: (times: number) => Effect.Effect<void>) => Effect.Effect<void>

/** Says something once in a while only, and how often it would have been said. There are to be few names. */
export const make = (): Seldom => {
  const said = new Map<string, { readonly at: bigint; readonly unsaid: number }>()
  return (name, log) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      const last = said.get(name)
      const times = (last?.unsaid ?? 0) + 1
      if (last !== undefined && now - last.at < interval) {
        said.set(name, { at: last.at, unsaid: times })
        return Effect.void
      }
      said.set(name, { at: now, unsaid: 0 })
      return log(times)
    })
}
