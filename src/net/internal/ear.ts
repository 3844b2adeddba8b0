/**
 * How a session is heard and answered by its streams: with somebody who is asked first about each command, or where somebody
 * has put another session in the place of the server's.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import type * as Codec from "../../protocol/Codec.ts"
import type * as LoginServer from "../LoginServer.ts"
import type * as Attendance from "./attendance.ts"

/**
 * Has the listener that `begin` makes told of what has been heard, until it closes the session or there is no more to hear;
 * but for what `handle` answers, which is asked first. The next command waits for it, and for the client to take what is
 * said; what is said last has so much time for that.
 */
export const attend = <R>(
  session: LoginServer.Session,
  handle: (
    command: ClientCommand.ClientCommand | Codec.Malformed,
    session: LoginServer.Session,
  ) => Effect.Effect<"Served" | "Unserved", never, R>,
  begin: (voice: Attendance.Voice) => Attendance.Listener,
  lastWordsTimeout: Duration.Input,
): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<R>()
    const over = yield* Deferred.make<void>()
    /** What is run beside the session ends it with a defect, and with nothing else. */
    const run = <A>(effect: Effect.Effect<A>) => {
      const fiber = Effect.runForkWith(context)(effect)
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause))
          Deferred.doneUnsafe(over, Effect.failCause(exit.cause))
      })
      return fiber
    }
    let saying: Fiber.Fiber<unknown> = run(Effect.void)
    const taken = Effect.suspend(() => Fiber.join(saying))

    yield* Effect.scoped(
      Effect.gen(function* () {
        const { ended, heard, warned } = begin({
          tell: (commands) => {
            saying = run(session.send(...commands))
          },
          run,
          closed: () => Deferred.doneUnsafe(over, Effect.void),
        })
        yield* Effect.addFinalizer(() => Effect.sync(ended))
        const hearing = Stream.runForEach(session.commands, (command) =>
          Effect.flatMap(handle(command, session), (handled) => {
            if (handled === "Served") return Effect.void
            heard(command)
            return taken
          }),
        )
        yield* Effect.forkScoped(Deferred.into(Effect.provideContext(hearing, context), over))
        yield* Effect.forkScoped(Stream.runForEach(session.goingDown, (minutes) => Effect.sync(() => warned(minutes))))
        yield* Deferred.await(over)
      }),
    )
    yield* Effect.timeoutOption(taken, lastWordsTimeout)
  })
