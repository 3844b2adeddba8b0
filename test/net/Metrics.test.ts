import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Admission from "../../src/host/Admission.ts"
import * as Limits from "../../src/host/Limits.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as Server from "../../src/login/Server.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Metrics from "../../src/net/Metrics.ts"
import * as Telemetry from "../../src/net/Telemetry.ts"
import * as Exposition from "../support/Exposition.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Peer from "../support/Peer.ts"
import * as World from "../support/World.ts"

/** A server of a host, in memory; each use of it is a client that has just connected. */
const serverOf = <R = never>(
  host: Layer.Layer<LoginServer.Requirements>,
  options: Omit<LoginServer.Options, "listen"> = {},
  onSession?: LoginServer.OnSession<R>,
) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    const listener = network.listen(World.notificationAddress)
    const context = yield* Layer.build(host)
    yield* Effect.provideContext(
      onSession === undefined
        ? LoginServer.serve(listener, options, LoginServer.hearOnly)
        : LoginServer.serve(listener, options, onSession),
      context,
    )
    return Effect.flatMap(Effect.orDie(network.dial(World.notificationAddress)), Peer.inMemory)
  })

type Connect = Effect.Effect<Peer.Peer, never, Scope.Scope>

/** The metrics of a server, in a registry of their own, once `play` is over and the server is gone. */
const metricsOf = <A, E, R>(play: Effect.Effect<A, E, R | Scope.Scope>) =>
  Effect.andThen(Effect.scoped(play), Effect.map(PrometheusMetrics.format(), Exposition.parse)).pipe(
    Effect.provide(Telemetry.layer(Metrics.make)),
    Effect.provideService(Metric.MetricRegistry, new Map()),
  )

/** Says something, and hears the server out. */
const saying = (connect: Connect, said: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const peer = yield* connect
      yield* peer.say(said)
      return yield* peer.rest
    }),
  )

/** Says something line by line, each once the one before is answered, and hears the server out. */
const talking = (connect: Connect, ...lines: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const peer = yield* connect
      for (const line of lines.slice(0, -1)) {
        yield* peer.say(line)
        yield* peer.line
      }
      yield* peer.say(lines[lines.length - 1] ?? "")
      return yield* peer.rest
    }),
  )

const ver = "VER 1 MSNP5\r\n"
const usr = "USR 2 MD5 I alice@hotmail.com\r\n"
const answer = `USR 3 MD5 S ${World.digest}\r\n`
const wrongAnswer = "USR 3 MD5 S 00000000000000000000000000000000\r\n"

/** A host whose presence does something else to whoever is signed in. */
const hostThat = (act: (arrival: Presence.Arrival) => Effect.Effect<void, never, Scope.Scope>) =>
  Layer.merge(
    World.layerExample(),
    Layer.succeed(Presence.Presence, {
      signIn: act,
      list: Effect.succeed([]),
      dismiss: () => Effect.succeed(false),
    }),
  )

/** A notification server of the example sessions. */
const notification = serverOf(World.layerHost())

/** A client that does something, and is still there when the server goes down. */
const outliving = (act: (peer: Peer.Peer) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const server = yield* Scope.make()
    const peer = yield* yield* Scope.provide(notification, server)
    yield* act(peer)
    yield* Effect.forkScoped(Scope.close(server, Exit.void))
    yield* peer.rest
  })

/** Logs a peer in. */
const signIn = Effect.fnUntraced(function* ({ line, say }: Peer.Peer) {
  yield* say(ver + usr)
  yield* line
  yield* line
  yield* say(answer)
  yield* line
})

describe("the logins", () => {
  /** What makes a login end so, and with which dialect. */
  const ways: {
    readonly [outcome in Telemetry.Outcome]: readonly [Telemetry.Spoken, Effect.Effect<unknown, never, Scope.Scope>]
  } = {
    LoggedIn: ["MSNP5", Effect.flatMap(notification, (connect) => talking(connect, ver, usr, answer, "OUT\r\n"))],
    NoCommonDialect: ["none", Effect.flatMap(notification, (connect) => saying(connect, "VER 0 MSNP99\r\n"))],
    Misbehaved: ["MSNP5", Effect.flatMap(notification, (connect) => saying(connect, ver + ver))],
    Referred: [
      "MSNP5",
      Effect.flatMap(
        serverOf(Layer.merge(World.layerReferring(World.dispatchAddress), Presence.layerMemory)),
        (connect) => saying(connect, ver + usr),
      ),
    ],
    Denied: ["MSNP5", Effect.flatMap(notification, (connect) => talking(connect, ver, usr, wrongAnswer))],
    Unavailable: [
      "MSNP5",
      Effect.flatMap(serverOf(Layer.merge(Admission.layerMaintenance(601), Presence.layerMemory)), (connect) =>
        saying(connect, ver + usr),
      ),
    ],
    Overdue: [
      "none",
      Effect.flatMap(notification, (connect) =>
        Effect.flatMap(connect, ({ rest }) => Effect.andThen(TestClock.adjust("30 seconds"), rest)),
      ),
    ],
    LoggedOff: ["MSNP5", Effect.flatMap(notification, (connect) => saying(connect, `${ver}OUT\r\n`))],
    LoggedInElsewhere: [
      "MSNP5",
      Effect.flatMap(serverOf(hostThat(({ displace }) => displace)), (connect) => talking(connect, ver, usr, answer)),
    ],
    ShuttingDown: ["MSNP5", outliving((peer) => Effect.andThen(peer.say(ver), peer.line))],
    Dismissed: [
      "MSNP5",
      Effect.flatMap(serverOf(hostThat(({ dismiss }) => dismiss)), (connect) => talking(connect, ver, usr, answer)),
    ],
    HungUp: [
      "none",
      Effect.flatMap(notification, (connect) =>
        Effect.flatMap(connect, ({ finish, rest }) => Effect.andThen(finish, rest)),
      ),
    ],
    Dropped: [
      "none",
      Effect.flatMap(
        serverOf(World.layerHost(), {
          observe: () => () => {
            throw new Error("The application fails.")
          },
        }),
        (connect) => saying(connect, ver),
      ),
    ],
  }

  for (const [outcome, [dialect, play]] of Object.entries(ways)) {
    it.effect(`are counted once, by how they ended: ${outcome}`, () =>
      Effect.gen(function* () {
        const metrics = yield* metricsOf(play).pipe(Effect.provide(Logger.layer([])))
        const series = `{role="notification",outcome="${outcome}",dialect="${dialect}"}`
        assert.deepStrictEqual(Exposition.counted(metrics, "msnp_logins_total"), { [series]: 1 })
        assert.deepStrictEqual(Exposition.counted(metrics, "msnp_connections"), {})
        assert.deepStrictEqual(Exposition.counted(metrics, "msnp_sessions"), {})
        assert.strictEqual(metrics.series.get('msnp_login_seconds_count{role="notification"}'), 1)
      }),
    )
  }

  it.effect("are there at 0 from the start, for each role that is served", () =>
    Effect.gen(function* () {
      const metrics = yield* metricsOf(Effect.andThen(notification, serverOf(World.layerHost(), { role: "dispatch" })))
      const logins = [...metrics.series].filter(([id]) => id.startsWith("msnp_logins_total{"))
      assert.isTrue(logins.every(([, value]) => value === 0))
      for (const role of ["notification", "dispatch"]) {
        const ids = logins.map(([id]) => id).filter((id) => id.includes(`role="${role}"`))
        for (const [outcome, [dialect]] of Object.entries(ways)) {
          assert.include(ids, `msnp_logins_total{role="${role}",outcome="${outcome}",dialect="${dialect}"}`)
        }
        // Six outcomes need a dialect of six, one can have none, and six go with either.
        assert.strictEqual(ids.length, 6 * 6 + 1 + 6 * 7)
      }
      assert.isFalse([...metrics.series.keys()].some((id) => id.includes('role="gateway"')))
      for (const limit of Object.keys(Limits.defaults)) {
        assert.strictEqual(metrics.series.get(`msnp_limits_hit_total{limit="${limit}"}`), 0)
      }
    }),
  )
})

describe("the refusals", () => {
  /** What is refused, by which clauses, and what is said before that, line by line. */
  const cases: ReadonlyArray<readonly [clauses: ReadonlyArray<string>, ...said: ReadonlyArray<string>]> = [
    [["login.meaningless"], "FOO 1\r\n"],
    [["ver.no-trid", "beyond.verb", "beyond.trid", "beyond.limit"], "VER MSNP7\r\n"],
    [["login.wrong-time"], "INF 1\r\n"],
    [["login.cvr-before-usr"], "CVR 1 0x0409 winnt 5.0 i386 MSMSGS 1.0.0000 MSMSGS\r\n"],
    [["usr.disliked-911"], ver, "USR 2 MD5 I alice\r\n"],
    [["usr.disliked"], ver, "USR 2 FOO I alice@hotmail.com\r\n"],
    [["usr.digest-size"], ver, usr, "USR 3 MD5 S 0\r\n"],
    [["login.cvr-after-usr"], ver, usr, "CVR 3 0x0409 winnt 5.0 i386 MSMSGS 1.0.0000 MSMSGS\r\n"],
  ]

  it("can be by these clauses, and no others", () => {
    assert.deepStrictEqual([...Metrics.refusing].toSorted(), cases.flatMap(([clauses]) => clauses).toSorted())
  })

  for (const [clauses, ...said] of cases) {
    it.effect(`are counted for each clause that says so: ${clauses.join(", ")}`, () =>
      Effect.gen(function* () {
        const metrics = yield* metricsOf(Effect.flatMap(notification, (connect) => talking(connect, ...said)))
        assert.deepStrictEqual(
          Exposition.counted(metrics, "msnp_refusals_total"),
          Object.fromEntries(clauses.map((clause) => [`{clause="${clause}"}`, 1])),
        )
      }),
    )
  }

  it.effect("of the host are counted by their code", () =>
    Effect.gen(function* () {
      const play = Effect.flatMap(notification, (connect) =>
        Effect.andThen(talking(connect, ver, usr, wrongAnswer), talking(connect, ver, usr, wrongAnswer)),
      )
      const metrics = yield* metricsOf(play)
      assert.deepStrictEqual(Exposition.counted(metrics, "msnp_denials_total"), { '{code="911"}': 2 })
      assert.deepStrictEqual(Exposition.counted(metrics, "msnp_refusals_total"), {})
    }),
  )
})

describe("the stages", () => {
  it.effect("are counted as they are reached, with the time that was spent in each", () =>
    Effect.gen(function* () {
      const play = Effect.gen(function* () {
        const peer = yield* yield* notification
        yield* TestClock.adjust("3 millis")
        yield* peer.say(ver)
        yield* peer.line
        yield* TestClock.adjust("20 millis")
        yield* peer.say("INF 2\r\n")
        yield* peer.line
        yield* TestClock.adjust("2 seconds")
        yield* peer.say("USR 3 MD5 I alice@hotmail.com\r\n")
        yield* peer.line
        yield* TestClock.adjust("25 seconds")
        yield* peer.say(`USR 4 MD5 S ${World.digest}\r\n`)
        yield* peer.line
        // A session lasts, and is no stage of a login.
        yield* TestClock.adjust("1 hour")
        yield* peer.say("OUT\r\n")
        yield* peer.rest
      })
      const metrics = yield* metricsOf(play)
      assert.deepStrictEqual(Exposition.counted(metrics, "msnp_login_stage_total"), {
        '{stage="AwaitVer"}': 1,
        '{stage="AwaitInfOrUsr"}': 1,
        '{stage="AwaitUsr"}': 1,
        '{stage="AwaitAdmission"}': 1,
        '{stage="AwaitDigest"}': 1,
        '{stage="AwaitVerdict"}': 1,
        '{stage="LoggedIn"}': 1,
      })
      /** The bucket in which a single observation is. */
      const bucket = (metric: string, labels: string) =>
        Metrics.buckets.find((le) => metrics.series.get(`${metric}_bucket{${labels},le="${le}"}`) === 1)
      const stage = (tag: string) => bucket("msnp_login_stage_seconds", `stage="${tag}"`)
      assert.strictEqual(stage("AwaitVer"), 0.005)
      assert.strictEqual(stage("AwaitInfOrUsr"), 0.025)
      assert.strictEqual(stage("AwaitUsr"), 2.5)
      assert.strictEqual(stage("AwaitAdmission"), 0.001)
      assert.strictEqual(stage("AwaitDigest"), 30)
      assert.strictEqual(stage("AwaitVerdict"), 0.001)
      assert.strictEqual(bucket("msnp_login_seconds", 'role="notification"'), 30)
      const took = metrics.series.get('msnp_login_seconds_sum{role="notification"}') ?? 0
      assert.approximately(took, 27.023, 1e-6)
    }),
  )

  it.effect("have the time of the stage in which a login failed, too", () =>
    Effect.gen(function* () {
      const play = Effect.gen(function* () {
        const peer = yield* yield* notification
        yield* peer.say(ver)
        yield* peer.line
        yield* TestClock.adjust("4 seconds")
        yield* peer.say(ver)
        yield* peer.rest
      })
      const { series } = yield* metricsOf(play)
      assert.approximately(series.get('msnp_login_stage_seconds_sum{stage="AwaitInfOrUsr"}') ?? 0, 4, 1e-6)
      assert.strictEqual(series.get('msnp_login_stage_seconds_count{stage="AwaitInfOrUsr"}'), 1)
    }),
  )
})

describe("the sessions", () => {
  const signedIn = (connect: Connect) => Effect.tap(connect, signIn)

  /** What ends a session so. */
  const ways: { readonly [ending in Telemetry.Ending]?: Effect.Effect<unknown, never, Scope.Scope> } = {
    LoggedOff: Effect.flatMap(notification, (connect) =>
      Effect.flatMap(signedIn(connect), ({ rest, say }) => Effect.andThen(say("OUT\r\n"), rest)),
    ),
    Misbehaved: Effect.flatMap(notification, (connect) =>
      Effect.flatMap(signedIn(connect), ({ rest, say }) => Effect.andThen(say("?\r\n"), rest)),
    ),
    HungUp: Effect.flatMap(notification, (connect) =>
      Effect.flatMap(signedIn(connect), ({ finish, rest }) => Effect.andThen(finish, rest)),
    ),
    ShuttingDown: outliving(signIn),
    Dismissed: Effect.flatMap(
      serverOf(World.layerHost(), {}, () => Effect.void),
      (connect) => Effect.flatMap(signedIn(connect), ({ rest }) => rest),
    ),
    LoggedInElsewhere: Effect.flatMap(
      serverOf(World.layerHost(), {}, ({ displace }) => Effect.andThen(displace, Effect.never)),
      (connect) => Effect.flatMap(signedIn(connect), ({ rest }) => rest),
    ),
    Dropped: Effect.flatMap(
      serverOf(World.layerHost(), {}, () => Effect.die("The application fails.")),
      (connect) => Effect.flatMap(signedIn(connect), ({ rest }) => rest),
    ),
  }

  for (const [reason, play] of Object.entries(ways)) {
    it.effect(`are counted once, by how they ended: ${reason}`, () =>
      Effect.gen(function* () {
        const metrics = yield* metricsOf(play).pipe(Effect.provide(Logger.layer([])))
        assert.deepStrictEqual(Exposition.counted(metrics, "msnp_sessions_ended_total"), {
          [`{role="notification",reason="${reason}"}`]: 1,
        })
        assert.deepStrictEqual(Exposition.counted(metrics, "msnp_logins_total"), {
          '{role="notification",outcome="LoggedIn",dialect="MSNP5"}': 1,
        })
      }),
    )
  }

  it.effect("have a connection that counts until they are signed out", () =>
    Effect.gen(function* () {
      const signedOut: Array<number | undefined> = []
      const look = Effect.map(PrometheusMetrics.format(), (text) => {
        signedOut.push(Exposition.parse(text).series.get('msnp_connections{role="notification"}'))
      })
      const host = hostThat(() => Effect.addFinalizer(() => look))
      const play = Effect.flatMap(serverOf(host), (connect) =>
        Effect.flatMap(signedIn(connect), ({ finish, rest }) => Effect.andThen(finish, rest)),
      )
      const { series } = yield* metricsOf(play)
      assert.deepStrictEqual(signedOut, [1])
      assert.strictEqual(series.get('msnp_connections{role="notification"}'), 0)
    }),
  )

  it.effect("are a gauge, as the connections are", () =>
    Effect.gen(function* () {
      const seen: Array<Exposition.Exposition> = []
      const look = Effect.map(PrometheusMetrics.format(), (text) => void seen.push(Exposition.parse(text)))
      const play = Effect.gen(function* () {
        const connect = yield* notification
        const peer = yield* signedIn(connect)
        const other = yield* connect
        yield* other.say(ver)
        yield* other.line
        yield* look
        yield* peer.say("OUT\r\n")
        yield* peer.rest
        yield* look
      })
      seen.push(yield* metricsOf(play))
      const of = (metric: string) => seen.map(({ series }) => series.get(`${metric}{role="notification"}`))
      assert.deepStrictEqual(of("msnp_sessions"), [1, 0, 0])
      const [both, , none] = of("msnp_connections")
      assert.deepStrictEqual([both, none], [2, 0])
    }),
  )
})

describe("the limits", () => {
  it.effect("are counted when they are hit", () =>
    Effect.gen(function* () {
      const metrics = yield* metricsOf(
        Effect.flatMap(notification, (connect) =>
          Effect.andThen(saying(connect, ver + usr), saying(connect, "VER 1 MSNP5 MSNP4 MSNP3\r\n")),
        ).pipe(Effect.provide(Limits.layer({ loginCommands: 1, dialects: 2 }))),
      )
      assert.deepStrictEqual(Exposition.counted(metrics, "msnp_limits_hit_total"), {
        '{limit="loginCommands"}': 1,
        '{limit="dialects"}': 1,
      })
    }).pipe(Effect.provide(Logger.layer([]))),
  )
})

describe("the process", () => {
  const cpuSeconds = () => {
    const { system, user } = process.cpuUsage()
    return (system + user) / 1e6
  }

  it.live(
    "tells when it started, what CPU time and what memory it takes, and how late its event loop is, for as long as it is asked to",
    () =>
      Effect.gen(function* () {
        const before = cpuSeconds()
        const during = yield* Effect.scoped(
          Effect.andThen(Metrics.ofProcess, Effect.map(PrometheusMetrics.format(), Exposition.parse)),
        )
        assert.deepStrictEqual(
          [...during.types],
          [
            ["process_start_time_seconds", "gauge"],
            ["process_cpu_seconds_total", "counter"],
            ["process_resident_memory_bytes", "gauge"],
            ["nodejs_heap_size_used_bytes", "gauge"],
            ["nodejs_eventloop_lag_p99_seconds", "gauge"],
          ],
        )
        const start = during.series.get("process_start_time_seconds") ?? 0
        assert.approximately(start, Date.now() / 1000 - process.uptime(), 5)
        assert.isAtLeast(during.series.get("process_cpu_seconds_total") ?? 0, before)
        assert.isAtMost(during.series.get("process_cpu_seconds_total") ?? Infinity, cpuSeconds())
        assert.isAbove(during.series.get("process_resident_memory_bytes") ?? 0, 10_000_000)
        assert.isAtLeast(during.series.get("nodejs_eventloop_lag_p99_seconds") ?? -1, 0)
        assert.strictEqual(yield* PrometheusMetrics.format(), "")
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  )
})

describe("who is told", () => {
  it.effect("is nobody by default, and then the steps are not even looked at", () =>
    Effect.gen(function* () {
      const before = yield* PrometheusMetrics.format()
      const connect = yield* notification
      yield* saying(connect, ver + ver)
      assert.strictEqual(before, "")
      assert.strictEqual(yield* PrometheusMetrics.format(), "")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  )

  it.effect("is everybody who asks, of each step, in order", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const ended = yield* Deferred.make<void>()
      const teller = (name: string): Telemetry.Observer => ({
        serving: (role) => void told.push(`${name} serving ${role}`),
        connected: ({ remote, role }) => {
          told.push(`${name} connected ${role} ${typeof remote.port}`)
          return {
            stepped: (from, event, to) => void told.push(`${name} ${from._tag} ${event._tag} ${to._tag}`),
            ended: () => {
              told.push(`${name} ended`)
              if (name === "B") Deferred.doneUnsafe(ended, Effect.void)
            },
          }
        },
        limited: () => {},
      })
      yield* Effect.scoped(Effect.flatMap(notification, (connect) => saying(connect, `${ver}OUT\r\n`))).pipe(
        Effect.provide(Telemetry.layer(Effect.succeed(teller("A")), Effect.succeed(teller("B")))),
      )
      yield* Deferred.await(ended)
      assert.deepStrictEqual(
        told,
        ["serving notification", "connected notification number", "AwaitVer Ver AwaitInfOrUsr"]
          .concat("AwaitInfOrUsr Out Closed", "ended")
          .flatMap((what) => [`A ${what}`, `B ${what}`]),
      )
      assert.strictEqual(Server.initial._tag, "AwaitVer")
    }),
  )
})
