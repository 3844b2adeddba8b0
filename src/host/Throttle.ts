/**
 * How much of a server one peer may take: connections, logins at once, and logins that fail.
 *
 * Failed logins are counted for an account and an address together, so that a stranger who guesses cannot keep the owner
 * out; and for the address by itself. Where they are counted is a layer's matter: in memory, or in a store that several
 * servers share (`effect/persistence/RateLimiter`).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
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

/** Counts as told; those limits hold under which this is run. */
const make = Effect.fnUntraced(function* ({ exempt = loopback }: Options) {
  const limits = yield* Limits.Current
  const limiter = yield* RateLimiter.RateLimiter
  const connections = tally()
  const perAddress = tally()
  const logins = tally()
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

  const hasReached = (limit: Failures, key: string) =>
    Effect.map(consume(limit, key, 0, "delay"), ({ remaining }) => remaining <= 0)

  /** One more, up to the limit: what is beyond it makes the time no longer. */
  const count = (limit: Failures, key: string) =>
    Effect.catch(consume(limit, key, 1, "fail"), (error) =>
      error.reason._tag === "RateLimitExceeded" ? Effect.void : Effect.fail(error),
    )

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
      exhausted: (account) =>
        orElse(
          Effect.gen(function* () {
            if (yield* hasReached("failuresPerAddress", place)) return Option.some("failuresPerAddress" as const)
            return (yield* hasReached("failuresPerAccount", together(account)))
              ? Option.some("failuresPerAccount" as const)
              : Option.none()
          }),
          Option.none(),
        ),
      failed: (account) =>
        orElse(
          Effect.andThen(count("failuresPerAccount", together(account)), count("failuresPerAddress", place)),
          undefined,
        ),
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
  Layer.effect(Throttle, make(options))

/** How many accounts and addresses with failed logins are kept in memory: of about 100 bytes each. */
const maxKeys = 65_536

/** Time as it passes: a clock that is set, forward or back, neither lets anybody go nor keeps anybody for longer. */
const passing = Effect.map(Clock.Clock, (clock): Clock.Clock => {
  const currentTimeMillisUnsafe = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  return {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    currentTimeNanos: clock.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration),
  }
})

/**
 * The store in memory, which keeps what it has once heard of: so it hears of failures only, and where there would be too
 * many of them, all are forgotten. Whoever has so many addresses cannot be held by them.
 */
const layerStore = Layer.effect(
  RateLimiter.RateLimiterStore,
  Effect.gen(function* () {
    const anew = Effect.provide(RateLimiter.RateLimiterStore, Layer.fresh(RateLimiter.layerStoreMemory))
    let store = yield* anew
    const keys = new Set<string>()
    return {
      ...store,
      fixedWindow: Effect.fnUntraced(function* (options) {
        if (!keys.has(options.key)) {
          if (options.tokens === 0) return [0, 0] as const
          if (keys.size >= maxKeys) {
            keys.clear()
            store = yield* anew
          }
          keys.add(options.key)
        }
        return yield* Effect.provideService(store.fixedWindow(options), Clock.Clock, yield* passing)
      }),
    } satisfies RateLimiter.RateLimiterStore["Service"]
  }),
)

/** Counts failed logins in memory. */
export const layerMemory = (options: Options = {}): Layer.Layer<Throttle> =>
  layer(options).pipe(Layer.provide(RateLimiter.layer), Layer.provide(layerStore))

/** The throttle that is provided, or else one in memory. */
export const orInMemory = (options: Options = {}): Effect.Effect<Throttle["Service"]> =>
  Effect.flatMap(
    Effect.serviceOption(Throttle),
    Option.match({
      onNone: () => Effect.provide(Throttle, layerMemory(options)),
      onSome: Effect.succeed,
    }),
  )
