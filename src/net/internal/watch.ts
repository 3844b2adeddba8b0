/**
 * One timer for all that somebody waits for, one thing after the other.
 *
 * What is waited for is nearly always there in time, and `Effect.timeout` has a fiber and a timer for each wait, which takes
 * 2 us. Here the next time limit only moves the last one, and the timer looks again.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

const nothing = () => {}

/** A timer that stands still until it is told for what. */
export class Watch {
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private due = Infinity
  private overdue = nothing
  /** When it looks again, and who does. */
  private wakes = Infinity
  private fiber: Fiber.Fiber<void> | undefined

  constructor(clock: Clock.Clock, context: Context.Context<never>) {
    this.clock = clock
    this.fork = Effect.runForkWith(context)
  }

  /** The time, in milliseconds since whenever. */
  now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }

  /** Has this run at that time, in place of what was to be run before. */
  until(due: number, overdue: () => void): void {
    this.due = due
    this.overdue = overdue
    if (due >= this.wakes) return
    this.fiber?.interruptUnsafe()
    this.fiber = this.fork(this.look)
  }

  /** Has nothing run until it is told anew. */
  rest(): void {
    this.overdue = nothing
  }

  /** Has nothing run any more, whatever it is told: a connection that is let go of may hear some words still. */
  stop(): void {
    this.rest()
    this.wakes = -Infinity
    this.fiber?.interruptUnsafe()
  }

  private readonly look: Effect.Effect<void> = Effect.suspend(() => {
    const left = this.due - this.now()
    if (left > 0) {
      this.wakes = this.due
      return Effect.andThen(Effect.sleep(Math.ceil(left)), this.look)
    }
    this.wakes = Infinity
    this.overdue()
    return Effect.void
  })
}
