/**
 * How a server that runs until it is stopped is stopped: SIGTERM is what it waits for, and so it ends with exit code 0.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"

const signals = ["SIGINT", "SIGTERM"] as const

let wasTold = false

/** From now on, until the scope closes, SIGTERM is no interruption, but what was waited for. */
export const awaited: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(
  Effect.acquireRelease(
    Effect.sync(() => {
      const told = () => void (wasTold = true)
      // Before whoever else hears it: what is interrupted may have ended by the time that they return.
      process.prependListener("SIGTERM", told)
      return told
    }),
    (told) => Effect.sync(() => process.off("SIGTERM", told)),
  ),
)

/** Waits until this process is told to stop once more. */
export const again: Effect.Effect<void> = Effect.callback((resume) => {
  const stop = () => resume(Effect.void)
  for (const signal of signals) process.once(signal, stop)
  return Effect.sync(() => {
    for (const signal of signals) process.off(signal, stop)
  })
})

/**
 * How long the last steps may take, in milliseconds: applications get 5 seconds, last words 2 to arrive, and those at a
 * gateway 8 to be fetched.
 */
const patience = 20_000

/** Ends the process where the last steps take longer than they may. */
export const soon: Effect.Effect<void> = Effect.sync(() => {
  const end = () => {
    process.stderr.write("msnp: not everything has ended in time; what is left is dropped.\n")
    process.exit(wasTold ? 0 : 130)
  }
  setTimeout(end, patience).unref()
})

/** The exit code: 0 for a server that was told to stop by SIGTERM. */
export const teardown: Runtime.Teardown = (exit, onExit) =>
  Runtime.defaultTeardown(exit, (code) => onExit(code === 130 && wasTold ? 0 : code))
