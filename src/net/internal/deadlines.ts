/**
 * One time limit for many: whoever is not through by then is told.
 *
 * All have the same time, so those who came first are due first, and one timer serves them all. A timer of its own for each
 * login, which is nearly always through in time, takes 2 us (`Effect.timeout`) of the 100 that a login takes.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Crowd from "./crowd.ts"

/** Has this run when the time is up, unless what is returned is called before. */
export type Deadlines = (overdue: () => void) => () => void

/** Deadlines of so much time, until the scope closes. */
export const make = Effect.fnUntraced(function* (
  duration: Duration.Input,
): Effect.fn.Return<Deadlines, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const runFork = Effect.runForkWith(yield* Effect.context<Scope.Scope>())
  const allowed = Duration.toMillis(Duration.fromInputUnsafe(duration))
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  const waiting = Crowd.make<Deadline>()
  let isWatched = false

  /** Watches until nobody is waited for. */
  const watch: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() => {
    const at = now()
    for (let place = waiting.first(); place !== undefined; place = waiting.first()) {
      const { due, overdue } = place.who
      if (due > at) return Effect.andThen(Effect.sleep(Math.ceil(due - at)), watch)
      waiting.leave(place)
      place.who.isOver = true
      overdue()
    }
    isWatched = false
    return Effect.void
  })

  return (overdue) => {
    const deadline: Deadline = { due: now() + allowed, overdue, isOver: false }
    const place = waiting.enter(deadline)
    if (!isWatched) {
      isWatched = true
      runFork(Effect.forkScoped(watch))
    }
    return () => {
      if (deadline.isOver) return
      deadline.isOver = true
      waiting.leave(place)
    }
  }
})

/** Somebody's time. */
interface Deadline {
  readonly due: number
  readonly overdue: () => void
  /** Whether it has passed, or is of no matter any more. */
  isOver: boolean
}
