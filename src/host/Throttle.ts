/**
 * How much of a server one peer may take: connections, logins at once, and logins that fail.
 *
 * Failed logins are counted for an account and an address together, so that a stranger who guesses cannot keep the owner
 * out; and for the address by itself. Where they are counted is a layer's matter: in memory, or in a store that several
 * servers share (`effect/persistence/RateLimiter`).
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Result from "effect/Result"
import * as Account from "../protocol/Account.ts"
import * as Seldom from "./internal/seldom.ts"
import * as Limits from "./Limits.ts"

/** Lets go of what has been counted in; once, however often it is called. */
export type Release = () => void

/** One who connects, as far as it is counted. */
export interface Peer {
  /** Counts a connection in, or says which limit it would go beyond. */
  readonly connect: () => Result.Result<Release, "connections" | "connectionsPerAddress">
  /** Counts a login under way in, likewise. */
  readonly begin: (account: Account.Account) => Result.Result<Release, "loginsPerAccount">
  /** Which limit of failed logins has been reached: whoever knows the password now is not told so. */
  readonly exhausted: (account: Account.Account) => Effect.Effect<Option.Option<Failures>>
  /** Counts a login that has failed. */
  readonly failed: (account: Account.Account) => Effect.Effect<void>
}

/** A limit of failed logins. */
export type Failures = "failuresPerAccount" | "failuresPerAddress"

/** Counts what peers take. */
export class Throttle extends Context.Service<
  Throttle,
  {
    /** The peer at an address; its port does not matter. */
    readonly at: (host: string) => Peer
    /** Says in the log that a peer has been turned away: for each limit at most every ten seconds, and how many since. */
    readonly turnedAway: (limit: Limits.Name, host: string) => Effect.Effect<void>
  }
>()("effect-msnp/host/Throttle") {}

/** How a throttle is to count. */
export interface Options {
  /** The networks whose peers are counted in total only: gateways and proxies, say. By default {@link loopback}. */
  readonly exempt?: ReadonlyArray<IpNetwork.IpNetwork>
}

/** This machine. */
export const loopback: ReadonlyArray<IpNetwork.IpNetwork> = ["127.0.0.0/8", "::1/128"].map(IpNetwork.fromStringUnsafe)

/** What of an IPv6 address is one peer: whoever has an address there has all of them. */
const ipv6Prefix = 64

/** How long a store of failed logins may take, before a login goes on without. */
const storeTimeout: Duration.Input = "1 second"

/** Counts things by key. */
const tally = () => {
  const counts = new Map<string, number>()
  const leave = (key: string) => {
    const left = (counts.get(key) ?? 0) - 1
    if (left > 0) counts.set(key, left)
    else counts.delete(key)
  }
  return {
    /** Counts one more, if there may be. */
    enter: (key: string, most: number): Option.Option<Release> => {
      const count = counts.get(key) ?? 0
      if (count >= most) return Option.none()
      counts.set(key, count + 1)
      let isIn = true
      return Option.some(() => {
        if (isIn) leave(key)
        isIn = false
      })
    },
  }
}

const nothing: Release = () => {}

/** Under which key failed logins are counted, for each limit. */
type Keys = { readonly [limit in Failures]: string }

/** Failed logins, where they are counted. */
interface Counted {
  readonly exhausted: (keys: Keys) => Effect.Effect<Option.Option<Failures>>
  readonly failed: (keys: Keys) => Effect.Effect<void>
}

/** Failed logins in a store, which may be far away. */
const inStore = Effect.gen(function* () {
  const limits = yield* Limits.Current
  const limiter = yield* RateLimiter.RateLimiter
  const log = Seldom.make()

  /** What a store says; where it fails, or takes too long, nothing is held against anybody. */
  const orElse = <A>(asked: Effect.Effect<A, RateLimiter.RateLimiterError>, otherwise: A): Effect.Effect<A> =>
    asked.pipe(
      Effect.timeout(storeTimeout),
      Effect.catch((error) =>
        Effect.as(
          log("store", () => Effect.logError(`Failed logins cannot be counted: ${error.message}`)),
          otherwise,
        ),
      ),
    )

  const consume = (limit: Failures, key: string, tokens: number, onExceeded: "delay" | "fail") =>
    limiter.consume({ key, tokens, onExceeded, limit: limits[limit], window: limits.failureWindow })

  const hasReached = (limit: Failures, keys: Keys) =>
    Effect.map(consume(limit, keys[limit], 0, "delay"), ({ remaining }) => remaining <= 0)

  /** One more, up to the limit: what is beyond it makes the time no longer. */
  const count = (limit: Failures, keys: Keys) =>
    Effect.catch(consume(limit, keys[limit], 1, "fail"), (error) =>
      error.reason._tag === "RateLimitExceeded" ? Effect.void : Effect.fail(error),
    )

  return {
    exhausted: (keys) =>
      orElse(
        Effect.gen(function* () {
          if (yield* hasReached("failuresPerAddress", keys)) return Option.some("failuresPerAddress" as const)
          return (yield* hasReached("failuresPerAccount", keys))
            ? Option.some("failuresPerAccount" as const)
            : Option.none()
        }),
        Option.none(),
      ),
    failed: (keys) =>
      orElse(Effect.andThen(count("failuresPerAccount", keys), count("failuresPerAddress", keys)), undefined),
  } satisfies Counted
})

/** How many accounts and addresses with failed logins are kept in memory: of about 100 bytes each. */
const maxKeys = 65_536

/**
 * Failed logins in memory, counted as the rate limiter does: each is forgotten in its share of the window. The limiter
 * itself, with its time-out, would take 15 us of each login.
 *
 * Only failures take a place; where there would be too many, all are forgotten. Whoever has so many addresses cannot be
 * held by them.
 */
const inMemory = Effect.gen(function* () {
  const limits = yield* Limits.Current
  const window = Duration.toMillis(limits.failureWindow)
  const failures = new Map<string, { readonly count: number; readonly until: number }>()

  /** Time as it passes: a clock that is set, forward or back, neither lets anybody go nor keeps anybody for longer. */
  const at = <A>(use: (now: number) => A): Effect.Effect<A> =>
    Effect.clockWith((clock) => Effect.sync(() => use(Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n))))

  /** How many there are under a key, and until when. */
  const under = (key: string, now: number) => {
    const failed = failures.get(key)
    return failed === undefined || failed.until <= now ? { count: 0, until: now } : failed
  }

  const hasReached = (limit: Failures, keys: Keys, now: number) => under(keys[limit], now).count >= limits[limit]

  /** One more, up to the limit: what is beyond it makes the time no longer. */
  const count = (limit: Failures, keys: Keys, now: number) => {
    const key = keys[limit]
    const { count, until } = under(key, now)
    if (count >= limits[limit]) return
    if (!failures.has(key) && failures.size >= maxKeys) failures.clear()
    failures.set(key, { count: count + 1, until: until + window / limits[limit] })
  }

  return {
    exhausted: (keys) =>
      at((now) => {
        if (hasReached("failuresPerAddress", keys, now)) return Option.some("failuresPerAddress")
        return hasReached("failuresPerAccount", keys, now) ? Option.some("failuresPerAccount") : Option.none()
      }),
    failed: (keys) =>
      at((now) => {
        count("failuresPerAccount", keys, now)
        count("failuresPerAddress", keys, now)
      }),
  } satisfies Counted
})

/** Counts as told; those limits hold under which this is run. */
const make = Effect.fnUntraced(function* <R>(
  { exempt = loopback }: Options,
  counting: Effect.Effect<Counted, never, R>,
) {
  const limits = yield* Limits.Current
  const failures = yield* counting
  const connections = tally()
  const perAddress = tally()
  const logins = tally()
  const log = Seldom.make()

  const connectInTotal = () =>
    Result.fromOption(connections.enter("", limits.connections), () => "connections" as const)

  const exempted: Peer = {
    connect: connectInTotal,
    begin: () => Result.succeed(nothing),
    exhausted: () => Effect.succeedNone,
    failed: () => Effect.void,
  }

  const counted = (place: string): Peer => {
    const together = (account: Account.Account) => `${Account.fold(account)} ${place}`
    const keys = (account: Account.Account): Keys => ({
      failuresPerAccount: together(account),
      failuresPerAddress: place,
    })
    return {
      connect: () => {
        const total = connectInTotal()
        if (Result.isFailure(total)) return total
        return Option.match(perAddress.enter(place, limits.connectionsPerAddress), {
          onNone: () => {
            total.success()
            return Result.fail("connectionsPerAddress" as const)
          },
          onSome: (leave) =>
            Result.succeed(() => {
              leave()
              total.success()
            }),
        })
      },
      begin: (account) =>
        Result.fromOption(logins.enter(together(account), limits.loginsPerAccount), () => "loginsPerAccount" as const),
      exhausted: (account) => failures.exhausted(keys(account)),
      failed: (account) => failures.failed(keys(account)),
    }
  }

  return {
    at: (host) => {
      const parsed = NetAddress.ipFromString(host)
      // A zone stands behind some link-local addresses: their peers are few, and count one by one.
      if (Result.isFailure(parsed)) return counted(host)
      const ip = NetAddress.toCanonical(parsed.success)
      if (exempt.some((network) => IpNetwork.contains(network, ip))) return exempted
      return counted(
        NetAddress.isIpv4Address(ip)
          ? NetAddress.formatIp(ip)
          : IpNetwork.format(IpNetwork.fromAddressUnsafe(ip, ipv6Prefix)),
      )
    },
    turnedAway: (limit, host) =>
      log(limit, (times) =>
        Effect.logWarning(
          times === 1
            ? `A peer was turned away by the limit ${limit}: ${host}`
            : `${times} peers were turned away by the limit ${limit}, the last of them ${host}`,
        ),
      ),
  } satisfies Throttle["Service"]
})

/** Counts failed logins where the rate limiter does: for servers that are to share what they know. */
export const layer = (options: Options = {}): Layer.Layer<Throttle, never, RateLimiter.RateLimiter> =>
  Layer.effect(Throttle, make(options, inStore))

/** Counts failed logins in memory. */
export const layerMemory = (options: Options = {}): Layer.Layer<Throttle> =>
  Layer.effect(Throttle, make(options, inMemory))

/** The throttle that is provided, or else one in memory. */
export const orInMemory = (options: Options = {}): Effect.Effect<Throttle["Service"]> =>
  Effect.flatMap(
    Effect.serviceOption(Throttle),
    Option.match({
      onNone: () => Effect.provide(Throttle, layerMemory(options)),
      onSome: Effect.succeed,
    }),
  )
