/**
 * What this process holds open, and waiting until it is as it should be.
 */
import * as Effect from "effect/Effect"

/** How many of this kind of resource keep the process alive. */
export const count = (kind: "TCPSocketWrap" | "TCPServerWrap" | "Timeout"): number =>
  process.getActiveResourcesInfo().filter((name) => name === kind).length

/** How many connections are open, ours and the servers' together. */
export const connections = (): number => count("TCPSocketWrap")

/** Waits until something holds; the test's own time limit is the end of its patience. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.sleep("2 millis"), until(holds))))
