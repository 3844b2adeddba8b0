/**
 * How a session is heard and answered by what is built in: on the stack on which a command comes where nobody else has a
 * say in it, and by its streams otherwise.
 *
 * The streams take a fiber each, and a queue: 9 KB for each session that is quiet, where this takes none.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import type * as Codec from "../../protocol/Codec.ts"
import type * as LoginServer from "../LoginServer.ts"
import * as Connection from "./connection.ts"

/** What a client says. */
type Heard = ClientCommand.ClientCommand | Codec.Malformed

/** Who is told what happens in a session. */
interface Listener {
  readonly heard: (command: Heard) => void
  /** The server goes down in so many minutes. */
  readonly warned: (minutes: number) => void
  /** There is nothing more to hear; so this is to end. */
  readonly ended: (how: Effect.Effect<void>) => void
}

/** What a session is heard by. */
export interface Ear {
  /** Has a listener told, of what has been heard already first. */
  readonly hear: (listener: Listener) => void
  /** Says something, and does not wait. */
  readonly say: (commands: ReadonlyArray<LoginServer.Sayable>) => void
  /** Waits until the client has taken what was said, or is gone. */
  readonly taken: Effect.Effect<void>
  /** Hears no more. */
  readonly stop: () => void
}

/** Says "Served" of a command that it has answered. */
type Handle<R> = (command: Heard, session: LoginServer.Session) => Effect.Effect<"Served" | "Unserved", never, R>

/** Hears everything. */
export const make = (session: LoginServer.Session): Ear =>
  Option.match(Connection.of(session), {
    onNone: () => handling(session, () => Effect.succeed("Unserved"), Effect.runFork),
    onSome: (connection) => ({
      hear: ({ ended, ...listener }) => connection.listen({ ...listener, ended: () => ended(Effect.void) }),
      say: (commands) => connection.tell(commands),
      taken: connection.taken(),
      stop: () => {},
    }),
  })

/** Hears what is left by somebody who is asked first; the next command waits meanwhile. */
export const handling = <R>(
  session: LoginServer.Session,
  handle: Handle<R>,
  runFork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>,
): Ear => {
  const fibers: Array<Fiber.Fiber<unknown>> = []
  let saying: Fiber.Fiber<unknown> = Effect.runFork(Effect.void)
  const taken = Effect.suspend(() => Effect.asVoid(Fiber.await(saying)))
  return {
    hear: ({ ended, heard, warned }) => {
      const hearing = runFork(
        Stream.runForEach(session.commands, (command) =>
          Effect.flatMap(handle(command, session), (handled) => {
            if (handled === "Served") return Effect.void
            heard(command)
            return taken
          }),
        ),
      )
      hearing.addObserver(ended)
      fibers.push(
        hearing,
        runFork(Stream.runForEach(session.goingDown, (minutes) => Effect.sync(() => warned(minutes)))),
      )
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
