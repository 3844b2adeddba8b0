/**
 * A load on a server: so many logins at once, each followed by the next, for a while; beside clients that are signed in and
 * idle, if so wanted. How many there were, how long they took, and what went wrong.
 *
 * The loop is closed: whoever is done logs in again at once, so a server that is slow is asked less. A login begins with a
 * connection and ends with the client signed in; logging off is no part of its time, though of the load.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as PerfHooks from "node:perf_hooks"
import * as Connector from "./Connector.ts"
import * as Latency from "./Latency.ts"
import * as LoginClient from "./LoginClient.ts"
import * as LoginError from "./LoginError.ts"
import * as NsMemory from "./NsMemory.ts"

/** Who logs in. */
export type Member = Pick<LoginClient.Options, "account" | "password">

/** How long to measure: for some time, or until so many logins have begun and ended. */
export type Extent =
  | { readonly _tag: "Time"; readonly duration: Duration.Input }
  | { readonly _tag: "Logins"; readonly count: number }

/**
 * How far a load has come:
 *
 * - `Trying`: one login alone, so that a server that lets nobody in is not asked by a crowd.
 * - `Holding`: those who stay sign in.
 * - `WarmingUp`: the logins go on at once, and are not measured yet.
 * - `Measuring`: those that begin now are measured.
 * - `Finishing`: none begins any more; those under way come to their end, and count.
 * - `Over`: they have.
 */
export type Phase = "Trying" | "Holding" | "WarmingUp" | "Measuring" | "Finishing" | "Over"

/** A load. */
export interface Options {
  /** Who logs in: those at once have a share of them each, and go round in it; where they are fewer, they are shared. */
  readonly members: Arr.NonEmptyReadonlyArray<Member>
  /** Where to log in, and how. Nothing is remembered of where it led to. */
  readonly login: Omit<LoginClient.Options, keyof Member | "observer" | "onReferral">
  /**
   * When a login is done: with the session, wherever servers refer it to, as by default; or with a referral already, if
   * there is one.
   */
  readonly goal?: "Session" | "Referral"
  /** How many logins there are at once. */
  readonly concurrency: number
  /** Who signs in before all others, and stays to the end. */
  readonly staying?: ReadonlyArray<Member>
  /** How long the logins go on before they are measured; by default not at all. */
  readonly warmUp?: Duration.Input
  readonly extent: Extent
  /** Is told of each phase when it has begun, and waited for. */
  readonly onPhase?: (phase: Phase) => Effect.Effect<void>
}

/** Logins that failed in the same way. */
export interface Failures {
  readonly why: LoginError.LoginError["_tag"]
  /** The sentence of the first of them. */
  readonly message: string
  readonly count: number
}

/** What has come of a load by now. */
export interface Report {
  readonly phase: Phase
  /** For how long it has been measured, in seconds; all else is of that time. */
  readonly seconds: number
  /**
   * How many logins ended well within that time, which makes the rate: of a time, whenever they began, since as many are
   * under way at its end; of so many logins, those.
   */
  readonly ended: number
  /** The logins that began within it and ended well, in milliseconds. */
  readonly logins: Option.Option<Latency.Summary>
  /** The connections that came about within it: one for each server that a login was at. */
  readonly connections: Option.Option<Latency.Summary>
  /** The logins that began within it and failed, by how. */
  readonly failures: ReadonlyArray<Failures>
  /** How many logins there were before that time, the first one among them: how many of them ended well, and failed. */
  readonly before: { readonly ended: number; readonly failed: number }
  readonly stayed: Stayed
  /** What this process did meanwhile: CPU time in seconds, and the share of the time in which it had something to do. */
  readonly ours: { readonly cpu: number; readonly busy: number }
}

/** What has become of those who stay. */
export interface Stayed {
  /** How many signed in, and how long that took them all together, in seconds. */
  readonly signedIn: number
  readonly seconds: number
  /** How many of them lost their session. */
  readonly lost: number
  /** Those who could not sign in, by how. */
  readonly failures: ReadonlyArray<Failures>
}

/** A load that can be put on a server, once. */
export interface Load {
  /**
   * Puts it there, to the end: all connections are closed by then. It fails where the first login does, and then nobody
   * else is let off; those that fail later are counted.
   */
  readonly run: Effect.Effect<void, LoginError.LoginError>
  /** What has come of it by now; to be asked at any time, behind the end too. */
  readonly report: Effect.Effect<Report>
}

/** How long somebody waits to whom no connection came about, before the next try. */
const pause = "100 millis"

/** What stands for a referral that is not followed. */
const referred: LoginError.LoginError = new LoginError.LoggedOut({ server: "", reason: "Unstated" })

/** Failures by how they went: by the error, and by the code that the server told. */
const tally = () => {
  const kinds = new Map<string, Failures>()
  return {
    add: (error: LoginError.LoginError) => {
      const key = "code" in error ? `${error._tag} ${error.code}` : error._tag
      const { count, message, why } = kinds.get(key) ?? { why: error._tag, message: error.message, count: 0 }
      kinds.set(key, { why, message, count: count + 1 })
    },
    all: (): ReadonlyArray<Failures> => [...kinds.values()].toSorted((a, b) => b.count - a.count),
  }
}

const nanosPerSecond = 1e9
const nanosPerMilli = 1e6
const microsPerSecond = 1e6

/** What this process has used by now. */
interface Used {
  readonly nanos: number
  readonly cpu: number
  readonly loop: PerfHooks.EventLoopUtilization
}

/** The time that is measured. */
type Window =
  | { readonly _tag: "Ahead" }
  | { readonly _tag: "Open"; readonly from: Used }
  | { readonly _tag: "Past"; readonly from: Used; readonly to: Used }

/** How long that time is by now, and what this process did in it. */
const spent = (window: Window, now: () => Used): Pick<Report, "seconds" | "ours"> => {
  if (window._tag === "Ahead") return { seconds: 0, ours: { cpu: 0, busy: 0 } }
  const { from } = window
  const to = window._tag === "Open" ? now() : window.to
  const { utilization } = PerfHooks.performance.eventLoopUtilization(to.loop, from.loop)
  return { seconds: (to.nanos - from.nanos) / nanosPerSecond, ours: { cpu: to.cpu - from.cpu, busy: utilization } }
}

/** Prepares a load; nothing is done yet. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Load> {
  const { concurrency, extent, goal = "Session", login, members, onPhase = () => Effect.void, staying = [] } = options
  const warmUp = Duration.toMillis(options.warmUp ?? Duration.zero)
  const clock = yield* Clock.Clock
  const connector = yield* Connector.Connector
  const now = () => Number(clock.monotonicTimeNanosUnsafe())
  const used = (): Used => {
    const { system, user } = process.cpuUsage()
    return {
      nanos: now(),
      cpu: (system + user) / microsPerSecond,
      loop: PerfHooks.performance.eventLoopUtilization(),
    }
  }

  let phase: Phase = "Trying"
  let window: Window = { _tag: "Ahead" }
  const times = { logins: Latency.make(), connections: Latency.make() }
  const failures = tally()
  const before = { ended: 0, failed: 0 }
  const stayed = { signedIn: 0, seconds: 0, lost: 0 }
  const strayed = tally()
  let begun = 0
  let ended = 0

  const enter = (next: Phase) =>
    Effect.suspend(() => {
      phase = next
      if (next === "Measuring") window = { _tag: "Open", from: used() }
      else if (window._tag === "Open") window = { _tag: "Past", from: window.from, to: used() }
      return onPhase(next)
    })

  /** Logs in and off; tells when the goal is reached, which may be in vain, since a referral may be followed by nonsense. */
  const once = (member: Member, reached: () => void): Effect.Effect<void, LoginError.LoginError> => {
    const how: LoginClient.Options =
      goal === "Session"
        ? { ...login, ...member }
        : {
            ...login,
            ...member,
            observer: (entry) => {
              if (entry._tag === "Said" && entry.by === "Server" && entry.words[0] === "XFR") reached()
            },
            onReferral: () => Effect.fail(referred),
          }
    return LoginClient.login(how).pipe(
      Effect.flatMap(({ logOff }) => {
        reached()
        return logOff
      }),
      Effect.scoped,
      Effect.catchIf(
        (error) => error === referred,
        () => Effect.void,
      ),
    )
  }

  /** One login of many; that it fails is counted. */
  const attempt = (member: Member) =>
    Effect.suspend(() => {
      const isMeasured = phase === "Measuring"
      if (isMeasured) begun++
      const start = now()
      let millis = 0
      const reached = () => {
        millis = (now() - start) / nanosPerMilli
      }
      return Effect.matchEffect(once(member, reached), {
        onSuccess: () =>
          Effect.sync(() => {
            if (phase === "Measuring" && (isMeasured || extent._tag === "Time")) ended++
            if (isMeasured) times.logins.record(millis)
            else before.ended++
          }),
        onFailure: (error) => {
          if (isMeasured) failures.add(error)
          else before.failed++
          return error._tag === "Unreachable" ? Effect.sleep(pause) : Effect.void
        },
      })
    })

  const isOpen = () =>
    phase === "WarmingUp" || (phase === "Measuring" && (extent._tag === "Time" || begun < extent.count))

  /** Times the connections that come about while it is measured. */
  const timed: Connector.Connector = {
    pings: connector.pings,
    connect: (to, admits) =>
      Effect.suspend(() => {
        const start = now()
        const connecting = connector.connect(to, admits)
        return phase === "Measuring"
          ? Effect.tap(connecting, () => Effect.sync(() => times.connections.record((now() - start) / nanosPerMilli)))
          : connecting
      }),
  }

  /** One of those who log in at once. */
  const worker = Effect.fnUntraced(function* (index: number) {
    const share = members.filter((_, i) => i % concurrency === index % members.length)
    while (isOpen()) {
      for (const member of share) if (isOpen()) yield* attempt(member)
    }
  })

  /** When the phases come that the clock brings. */
  const timetable = Effect.gen(function* () {
    if (warmUp > 0) {
      yield* enter("WarmingUp")
      yield* Effect.sleep(warmUp)
    }
    yield* enter("Measuring")
    if (extent._tag === "Logins") return
    yield* Effect.sleep(extent.duration)
    yield* enter("Finishing")
  })

  /** Signs in, and stays until the scope closes. */
  const stay = (member: Member) =>
    LoginClient.login({ ...login, ...member }).pipe(
      Effect.matchEffect({
        onFailure: (error) => Effect.sync(() => strayed.add(error)),
        onSuccess: ({ commands }) => {
          stayed.signedIn++
          const lost = Effect.sync(() => void stayed.lost++)
          return Effect.forkScoped(Effect.catch(Stream.runDrain(commands), () => lost))
        },
      }),
    )

  const hold = Effect.gen(function* () {
    yield* enter("Holding")
    const start = now()
    yield* Effect.forEach(staying, stay, { concurrency, discard: true })
    stayed.seconds = (now() - start) / nanosPerSecond
  })

  const run = Effect.gen(function* () {
    yield* enter("Trying")
    yield* once(members[0], () => {})
    before.ended++
    if (staying.length > 0) {
      // Those who leave need not wait for each other.
      const scope = yield* Effect.acquireRelease(Scope.make("parallel"), Scope.close)
      yield* Scope.provide(hold, scope)
    }
    yield* Effect.scoped(
      Effect.andThen(
        // At once, so that nobody finds that nothing has begun.
        Effect.forkScoped(timetable, { startImmediately: true }),
        Effect.forEach(Arr.range(0, concurrency - 1), worker, { concurrency: "unbounded", discard: true }),
      ),
    ).pipe(Effect.ensuring(enter("Over")))
  }).pipe(
    Effect.scoped,
    Effect.provideService(NsMemory.NsMemory, NsMemory.none),
    Effect.provideService(Connector.Connector, timed),
  )

  const report = Effect.sync((): Report => ({
    phase,
    ...spent(window, used),
    ended,
    logins: times.logins.summary(),
    connections: times.connections.summary(),
    failures: failures.all(),
    before: { ...before },
    stayed: { ...stayed, failures: strayed.all() },
  }))

  return { run, report }
})
