/**
 * Who is signed in where: one session an account, and the one that signs in last has it.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as Directory from "./Directory.ts"

/** A session, for whoever asks who is there. */
export const SignedIn = Schema.Struct({
  /** The account, spelled as it was created. */
  account: Account.Account,
  dialect: Dialect.Dialect,
  /** The client's end of the connection. */
  remote: Address.Address,
  /** The server's end of it. */
  local: Address.Address,
  /** When it signed in, in milliseconds since 1970. */
  since: Schema.Number,
})
export type SignedIn = typeof SignedIn.Type

/** A session that signs in, and how to be rid of it. */
export interface Arrival extends Omit<SignedIn, "since"> {
  /** Tells the client that its account has logged in elsewhere, and closes the connection. Does not wait. */
  readonly displace: Effect.Effect<void>
  /** Closes the connection without a word. Does not wait. */
  readonly dismiss: Effect.Effect<void>
}

/** Who is signed in cannot be found out now; a client that logs in is told 500. */
export class PresenceError extends Schema.TaggedError<PresenceError>("effect-msnp/host/PresenceError")(
  "PresenceError",
  { message: Schema.String },
) {}

/** Who is signed in. */
export class Presence extends Context.Service<
  Presence,
  {
    /**
     * Signs a session in until the scope closes. Whoever was signed in with that account is displaced; of two at the
     * same instant exactly one stays.
     */
    readonly signIn: (arrival: Arrival) => Effect.Effect<void, PresenceError, Scope.Scope>
    /** The sessions, in the order in which they signed in. */
    readonly list: Effect.Effect<ReadonlyArray<SignedIn>, PresenceError>
    /** Closes the session of an account; whether there was one. */
    readonly dismiss: (account: Account.Account) => Effect.Effect<boolean, PresenceError>
  }
>()("effect-msnp/host/Presence") {}

/** A session that is signed in here, and how to be rid of it: not at all, once it is signed out. */
interface Seat {
  readonly session: SignedIn
  ways: Pick<Arrival, "displace" | "dismiss">
}

const left: Seat["ways"] = { displace: Effect.void, dismiss: Effect.void }

/**
 * Presence in one process.
 *
 * @keeps logoff.offline logoff.torn closing.elsewhere
 */
export const layerMemory: Layer.Layer<Presence> = Layer.sync(Presence, () => {
  const seats = new Map<string, Seat>()
  return {
    signIn: ({ account, dialect, dismiss, displace, local, remote }) =>
      Effect.uninterruptible(
        Effect.flatMap(Effect.scope, (scope) =>
          Effect.clockWith((clock) => {
            const name = Account.fold(account)
            const session = { account, dialect, remote, local, since: clock.currentTimeMillisUnsafe() }
            const seat: Seat = { session, ways: { displace, dismiss } }
            const before = seats.get(name)
            // Deleted first, since a map keeps the place of a name that is set anew.
            seats.delete(name)
            seats.set(name, seat)
            const signOut = Effect.sync(() => {
              if (seats.get(name) === seat) seats.delete(name)
              // A table that the map has outgrown may lead here for a while: not to the whole connection, too.
              seat.ways = left
            })
            const signedIn = Scope.addFinalizer(scope, signOut)
            return before === undefined ? signedIn : Effect.andThen(signedIn, before.ways.displace)
          }),
        ),
      ),
    list: Effect.sync(() => Array.from(seats.values(), ({ session }) => session)),
    dismiss: (account) =>
      Effect.suspend(() => {
        const seat = seats.get(Account.fold(account))
        return seat === undefined ? Effect.succeed(false) : Effect.as(seat.ways.dismiss, true)
      }),
  }
})

/** How long a host that cannot be reached is left alone before it is asked again. */
const patience = Schedule.spaced("1 second")

/**
 * Closes the session of whoever is disabled or removed, within a second or so; and again once a login is out of the way
 * that may have been judged before, which a decision has so much time for.
 */
export const layerBarring = (
  decisionTimeout: Duration.Input,
): Layer.Layer<never, never, Presence | Directory.Directory> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const presence = yield* Presence
      const directory = yield* Directory.Directory
      const persist = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(
          Effect.tapError((error) => Effect.logWarning("Who has been disabled or removed is put off later", error)),
          Effect.retry(patience),
        )
      const putOff = (account: Account.Account) => persist(presence.dismiss(account))
      const isBarred = (account: Account.Account) =>
        Effect.map(
          persist(directory.find(account)),
          Option.match({ onNone: () => true, onSome: ({ standing }) => standing === "Disabled" }),
        )
      const bar = (account: Account.Account) =>
        Effect.andThen(
          putOff(account),
          Effect.forkScoped(Effect.delay(Effect.when(putOff(account), isBarred(account)), decisionTimeout)),
        )
      yield* Effect.forkScoped(persist(Stream.runForEach(directory.barred, bar)))
    }),
  )
