/**
 * Sessions that are attended to without a fiber: by whom, for each way of serving a session that can be.
 *
 * Nothing that is built in has to wait for anything, unless an application has a say in it. A fiber that waits for the end
 * of each session takes 10 us of the 100 that a login takes, and 2 KB while the session is quiet.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Account from "../../protocol/Account.ts"
import type * as ClientCommand from "../../protocol/ClientCommand.ts"
import type * as Codec from "../../protocol/Codec.ts"
import type * as Dialect from "../../protocol/Dialect.ts"
import type * as LoginServer from "../LoginServer.ts"

/** Who is told what happens in a session, on the stack on which it happens. */
export interface Listener {
  readonly heard: (command: ClientCommand.ClientCommand | Codec.Malformed) => void
  /** The server goes down in so many minutes. */
  readonly warned: (minutes: number) => void
  /** There is nothing more to hear. */
  readonly ended: () => void
}

/** A session, as far as somebody needs it who attends to it. */
export interface Attended {
  readonly account: Account.Account
  readonly dialect: Dialect.Dialect
  /** Says something with what else is to be said, and does not wait; nothing where the session is over. */
  readonly tell: (commands: ReadonlyArray<LoginServer.Sayable>) => void
  /** Runs something beside the session. */
  readonly run: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
  /** Closes the connection, once the client has taken what was said, or has had so much time for it. */
  readonly close: (within: Duration.Input) => void
}

/** Attends to a session that begins at this time, in milliseconds since 1970. */
export type Attend = (session: Attended, now: number) => Listener

const attended = new WeakMap<object, Attend>()

/** Has sessions that are served so attended to. */
export const set = <R>(onSession: LoginServer.OnSession<R>, attend: Attend): LoginServer.OnSession<R> => {
  attended.set(onSession, attend)
  return onSession
}

/** Who attends to sessions that are served so, if anybody can. */
export const of = <R>(onSession: LoginServer.OnSession<R>): Attend | undefined => attended.get(onSession)
