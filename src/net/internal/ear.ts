/**
 * How a session is heard and answered by its streams: with somebody who is asked first about each command, or where somebody
 * has put another session in the place of the server's.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import type * as Codec from "../../protocol/Codec.ts"
import type * as LoginServer from "../LoginServer.ts"
import type * as Attendance from "./attendance.ts"

/** What a session is heard by. */
export interface Ear {
  /** Has a listener told, of what has been heard already first; and the other, when there is nothing more to hear. */
  readonly hear: (listener: Attendance.Listener, ended: (exit: Exit.Exit<void>) => void) => void
  /** Says something, and does not wait. */
  readonly say: (commands: ReadonlyArray<LoginServer.Sayable>) => void
  /** Waits until the client has taken what was said, or is gone. */
  readonly taken: Effect.Effect<void>
  /** Hears no more. */
  readonly stop: () => void
}

/** Hears what is left by `handle`, which is asked first and says "Served" of the rest; the next command waits meanwhile. */
export const make = <R>(
  session: LoginServer.Session,
  handle: (
    command: ClientCommand.ClientCommand | Codec.Malformed,
    session: LoginServer.Session,
  ) => Effect.Effect<"Served" | "Unserved", never, R>,
  runFork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>,
): Ear => {
  const fibers: Array<Fiber.Fiber<unknown>> = []
  let saying: Fiber.Fiber<unknown> = Effect.runFork(Effect.void)
  const taken = Effect.suspend(() => Effect.asVoid(Fiber.await(saying)))
  return {
    hear: ({ heard, warned }, ended) => {
      const hearing = runFork(
        Stream.runForEach(session.commands, (command) =>
          Effect.flatMap(handle(command, session), (handled) => {
            if (handled === "Served") return Effect.void
            heard(command)
            return taken
          }),
        ),
      )
      const warning = runFork(Stream.runForEach(session.goingDown, (minutes) => Effect.sync(() => warned(minutes))))
      fibers.push(hearing, warning)
      hearing.addObserver(ended)
    },
    say: (commands) => {
      saying = Effect.runFork(session.send(...commands))
    },
    taken,
    stop: () => {
      for (const fiber of fibers) fiber.interruptUnsafe()
    },
  }
}
