/**
 * Sessions that are attended to without a fiber: by whom, for each way of serving a session that can be.
 *
 * Nothing that is built in has to wait for anything, unless an application has a say in it. A fiber that waits for the end
 * of each session takes 10 us of the 100 that a login takes, and 2 KB while the session is quiet.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import type * as Codec from "../../protocol/Codec.ts"
import type * as LoginServer from "../LoginServer.ts"

/** Who is told what happens in a session, on the stack on which it happens. */
export interface Listener {
  readonly heard: (command: ClientCommand.ClientCommand | Codec.Malformed) => void
  /** The server goes down in so many minutes. */
  readonly warned: (minutes: number) => void
  /** There is nothing more to hear. */
  readonly ended: () => void
}

/** What somebody who attends to a session can do there. */
export interface Voice {
  /** Says something with what else is to be said, and does not wait; nothing where the session is over. */
  readonly tell: (commands: ReadonlyArray<LoginServer.Sayable>) => void
  /** Runs something beside the session. */
  readonly run: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
  /** The session is over, and the last words are said. */
  readonly closed: () => void
}

/** Who attends to sessions. */
export interface Attendant {
  /** Attends to one that begins at this time, in milliseconds since 1970. */
  readonly attend: (session: Pick<LoginServer.Session, "account" | "dialect">, voice: Voice, now: number) => Listener
  /** How long a client may take to read what is said to it last. */
  readonly lastWordsTimeout: Duration.Input
}

const attendants = new WeakMap<object, Attendant>()

/** Has sessions that are served so attended to. */
export const set = <R>(onSession: LoginServer.OnSession<R>, attendant: Attendant): LoginServer.OnSession<R> => {
  attendants.set(onSession, attendant)
  return onSession
}

/** Who attends to sessions that are served so, if anybody can. */
export const of = <R>(onSession: LoginServer.OnSession<R>): Option.Option<Attendant> =>
  Option.fromUndefinedOr(attendants.get(onSession))
