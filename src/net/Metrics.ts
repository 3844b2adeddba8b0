/**
 * A server's figures, as metrics of Effect's in the names of Prometheus: what becomes of logins, how long they take, how
 * many clients there are, which limits are hit.
 *
 * They are in the `MetricRegistry` of whoever makes them, with all else that an application counts. Each label has few
 * values, which are known beforehand: no account and no address is one. Series are there from the start, at 0.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as PerfHooks from "node:perf_hooks"
import * as Limits from "../host/Limits.ts"
import type * as Clause from "../login/Clause.ts"
import * as Server from "../login/Server.ts"
import type { Cell } from "../machine/Machine.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as Telemetry from "./Telemetry.ts"

/** The upper bounds of the buckets of time, in seconds: from a step of the machine to the time that a login may take. */
export const buckets: ReadonlyArray<number> = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** When a login can end so: before a dialect is agreed on, behind that, or either. */
const when: { readonly [outcome in Telemetry.Outcome]: "Before" | "Behind" | "Either" } = {
  LoggedIn: "Behind",
  NoCommonDialect: "Before",
  Misbehaved: "Either",
  Referred: "Behind",
  Denied: "Behind",
  Unavailable: "Behind",
  Overdue: "Either",
  LoggedOff: "Either",
  LoggedInElsewhere: "Behind",
  ShuttingDown: "Either",
  Dismissed: "Behind",
  HungUp: "Either",
  Dropped: "Either",
}

const spoken: { readonly [when in "Before" | "Behind" | "Either"]: ReadonlyArray<Telemetry.Spoken> } = {
  Before: ["none"],
  Behind: Dialect.all,
  Either: ["none", ...Dialect.all],
}

/** How a session can end: by its client, by another, or by the server. */
const endings: ReadonlyArray<Telemetry.Ending> = [
  "Misbehaved",
  "LoggedOff",
  "LoggedInElsewhere",
  "ShuttingDown",
  "Dismissed",
  "HungUp",
  "Dropped",
]

/** Each clause by which some state refuses something, in the order of the table. */
export const refusing: ReadonlyArray<Clause.Id> = Arr.dedupe(
  Object.values(Server.table).flatMap((row) =>
    Object.values(row).flatMap((cell: Cell<string, Server.Code, Clause.Id>) =>
      cell.kind === "refuse" ? cell.cites : [],
    ),
  ),
)

const stages = ["AwaitVer", "AwaitInfOrUsr", "AwaitUsr", "AwaitAdmission", "AwaitDigest", "AwaitVerdict"] as const

type Labels = { readonly [label: string]: string }

/** One metric, with a series for each set of labels. */
interface Family {
  /** Begins a series at 0. */
  readonly begin: (labels: Labels) => void
  /** Counts one more or less, or a duration in seconds. */
  readonly add: (labels: Labels, amount: number) => void
}

const family = (make: (attributes: Labels) => Metric.Metric<number, unknown>, context: Context.Context<never>) => {
  const made = new Map<string, Metric.Metric<number, unknown>>()
  const series = (labels: Labels) => {
    const key = Object.values(labels).join()
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = make(labels)
    made.set(key, fresh)
    return fresh
  }
  return {
    // To read a series is to begin it.
    begin: (labels) => void series(labels).valueUnsafe(context),
    add: (labels, amount) => series(labels).modifyUnsafe(amount, context),
  } satisfies Family
}

const nanosPerSecond = 1e9
const microsPerSecond = 1e6

/** Counts what a server does, in the registry of whoever runs this. */
export const make: Effect.Effect<Telemetry.Observer> = Effect.map(Effect.context<never>(), (context) => {
  const counter = (name: string, description: string) =>
    family((attributes) => Metric.counter(name, { description, attributes, incremental: true }), context)
  const gauge = (name: string, description: string) =>
    family((attributes) => Metric.gauge(name, { description, attributes }), context)
  const histogram = (name: string, description: string) =>
    family((attributes) => Metric.histogram(name, { description, attributes, boundaries: buckets }), context)

  const logins = counter("msnp_logins_total", "Logins that are over, by how they ended.")
  const refusals = counter(
    "msnp_refusals_total",
    "Clients that were refused for misbehaving, for each clause that says so.",
  )
  const denials = counter("msnp_denials_total", "Logins that the host turned down, by the code that clients are told.")
  const reached = counter("msnp_login_stage_total", "Logins that reached a stage.")
  const left = counter("msnp_sessions_ended_total", "Sessions that are over, by how they ended.")
  const limits = counter("msnp_limits_hit_total", "Times that a limit kept somebody from more.")
  const inStage = histogram("msnp_login_stage_seconds", "How long logins stayed in a stage.")
  const inLogin = histogram("msnp_login_seconds", "How long logins took, however they ended.")
  const connections = gauge("msnp_connections", "Connections that are open.")
  const sessions = gauge("msnp_sessions", "Clients that are logged in.")

  for (const clause of refusing) refusals.begin({ clause })
  for (const code of [...ErrorCode.Denial.literals, ...ErrorCode.Trouble.literals])
    denials.begin({ code: String(code) })
  for (const stage of stages) {
    reached.begin({ stage })
    inStage.begin({ stage })
  }
  reached.begin({ stage: "LoggedIn" })
  for (const limit of Object.keys(Limits.defaults)) limits.begin({ limit })

  const clock = Context.get(context, Clock.Clock)
  const now = () => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerSecond

  return {
    serving: (role) => {
      for (const [outcome, possible] of Object.entries(when)) {
        for (const dialect of spoken[possible]) logins.begin({ role, outcome, dialect })
      }
      for (const reason of endings) left.begin({ role, reason })
      inLogin.begin({ role })
      connections.begin({ role })
      sessions.begin({ role })
    },
    connected: ({ role }) => {
      const start = now()
      let stage: Telemetry.Stage["_tag"] = "AwaitVer"
      let since = start
      const leaveStage = (at: number) => {
        inStage.add({ stage }, at - since)
        since = at
      }
      connections.add({ role }, 1)
      reached.add({ stage }, 1)
      return Telemetry.follow({
        reached: ({ _tag }) => {
          leaveStage(now())
          stage = _tag
          reached.add({ stage }, 1)
        },
        refused: (clauses) => {
          for (const clause of clauses) refusals.add({ clause }, 1)
        },
        denied: (code) => denials.add({ code: String(code) }, 1),
        ended: (outcome, dialect) => {
          const at = now()
          logins.add({ role, outcome, dialect }, 1)
          inLogin.add({ role }, at - start)
          if (outcome === "LoggedIn") sessions.add({ role }, 1)
          else leaveStage(at)
        },
        left: (reason) => {
          sessions.add({ role }, -1)
          left.add({ role, reason }, 1)
        },
        gone: () => connections.add({ role }, -1),
      })
    },
    limited: (limit) => limits.add({ limit }, 1),
  }
})

/** How often the event loop is looked at, in milliseconds. */
const loopResolution = 20

/**
 * Tells of this process, until the scope closes: when it started, its CPU time and its memory, and by how much its event loop is late, in
 * 99 of 100 cases since it was last asked.
 */
export const ofProcess: Effect.Effect<void, never, Scope.Scope> = Effect.gen(function* () {
  const context = yield* Effect.context<never>()
  const loop = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const loop = PerfHooks.monitorEventLoopDelay({ resolution: loopResolution })
      loop.enable()
      return loop
    }),
    (loop) => Effect.sync(() => loop.disable()),
  )
  const lateness = () => {
    // In nanoseconds, of which the resolution itself is a part; none before the first look.
    const late = loop.count === 0 ? 0 : loop.percentile(99) / nanosPerSecond - loopResolution / 1000
    loop.reset()
    return Math.max(0, late)
  }
  const start = PerfHooks.performance.timeOrigin / 1000
  const register = <Input, State>(metric: Metric.Metric<Input, State>, get: () => State) =>
    Effect.acquireRelease(
      Effect.sync(() => Metric.registerUnsafe(metric, context, { get, update: () => {}, modify: () => {} })),
      (registration) => Effect.sync(() => registration.remove()),
    )
  const tell = (name: string, description: string, read: () => number) =>
    register(Metric.gauge(name, { description }), () => ({ value: read() }))
  yield* tell("process_start_time_seconds", "When this process started, in seconds since 1970.", () => start)
  const cpu = Metric.counter("process_cpu_seconds_total", {
    description: "CPU time that this process has used, its own and the system's for it.",
    incremental: true,
  })
  yield* register(cpu, () => {
    const { system, user } = process.cpuUsage()
    return { count: (user + system) / microsPerSecond, incremental: true }
  })
  yield* tell("process_resident_memory_bytes", "Memory that this process has.", () => process.memoryUsage.rss())
  yield* tell("nodejs_heap_size_used_bytes", "Heap that is in use.", () => process.memoryUsage().heapUsed)
  yield* tell(
    "nodejs_eventloop_lag_p99_seconds",
    "By how much the event loop is late, in 99 of 100 cases since this was last read.",
    lateness,
  )
})
