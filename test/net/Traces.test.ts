import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Server from "../../src/login/Server.ts"
import type * as Telemetry from "../../src/net/Telemetry.ts"
import * as Traces from "../../src/net/Traces.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as World from "../support/World.ts"

const connection: Telemetry.Connection = {
  id: "5eed-1",
  role: "notification",
  local: World.notificationAddress,
  remote: { host: "192.0.2.7", port: 4711 },
}

/** The spans that are made while a connection is played to whoever traces. */
const spansOf = <A>(options: Traces.Options, play: (witness: Telemetry.Witness) => Effect.Effect<A>) =>
  Effect.gen(function* () {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      },
    })
    const { connected } = yield* Effect.provideService(Traces.make(options), Tracer.Tracer, tracer)
    yield* play(connected(connection))
    return spans
  })

const { account, friendlyName } = World.alice
const dialect = "MSNP3"
const trId = TrId.TrId.make(2)
const chosen: Server.State = { _tag: "AwaitInfOrUsr", dialect }
const ver: Server.Event = { _tag: "Ver", trId, dialect, common: ["MSNP3"] }

/** What happens up to the verdict, step by step. */
const asked: ReadonlyArray<readonly [Server.Event, Server.State]> = [
  [ver, chosen],
  [
    { _tag: "UsrInitiate", trId, account },
    { _tag: "AwaitAdmission", dialect, trId, account },
  ],
  [
    { _tag: "Challenge", challenge: World.challenge },
    { _tag: "AwaitDigest", dialect, account, challenge: World.challenge },
  ],
  [
    { _tag: "UsrRespond", trId, digest: Challenge.respond(World.challenge, World.alice.password) },
    { _tag: "AwaitVerdict", dialect, trId, account },
  ],
  [
    { _tag: "Accept", account, friendlyName, verified: true },
    { _tag: "LoggedIn", dialect, account, friendlyName, verified: true },
  ],
]

const logIn = (witness: Telemetry.Witness) => {
  let from: Server.State = Server.initial
  for (const [event, to] of asked) {
    witness.stepped(from, event, to)
    from = to
  }
}

describe("the span of a login", () => {
  it.effect("ends with it, and not with the session", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf({}, (witness) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("2 seconds")
          logIn(witness)
          yield* TestClock.adjust("1 hour")
          witness.ended()
        }),
      )
      assert.deepStrictEqual(
        spans.map(({ name, status }) => [
          name,
          status._tag === "Ended" ? status.endTime - status.startTime : status._tag,
        ]),
        [["msnp.login", 2_000_000_000n]],
      )
    }),
  )

  it.effect("holds neither the challenge nor the digest, and the account where it is asked for", () =>
    Effect.gen(function* () {
      const play = (witness: Telemetry.Witness) => Effect.sync(() => logIn(witness))
      const spans = [...(yield* spansOf({}, play)), ...(yield* spansOf({ accounts: "Named" }, play))]
      const told = spans.map(({ attributes, events }) => [Object.fromEntries(attributes), events])
      assert.deepStrictEqual(
        spans.map(({ attributes }) => attributes.get("msnp.account")),
        [undefined, "alice@hotmail.com"],
      )
      const text = JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))
      assert.notInclude(text, World.challenge)
      assert.notInclude(text, World.digest)
      assert.notInclude(text, World.password)
    }),
  )

  /** Whether an end before the login is somebody's fault. */
  const faults: { readonly [outcome in Telemetry.Ending]: "Failure" | "Success" } = {
    NoCommonDialect: "Failure",
    Misbehaved: "Failure",
    Referred: "Success",
    Denied: "Failure",
    Unavailable: "Failure",
    Overdue: "Failure",
    LoggedOff: "Success",
    LoggedInElsewhere: "Success",
    ShuttingDown: "Success",
    Dismissed: "Success",
    HungUp: "Success",
    Dropped: "Failure",
  }

  for (const reason of Server.Reason.literals) {
    it.effect(`says whether it failed: ${reason}`, () =>
      Effect.gen(function* () {
        const [span] = yield* spansOf({}, (witness) =>
          Effect.sync(() => {
            witness.stepped(Server.initial, ver, chosen)
            witness.stepped(chosen, { _tag: "HungUp" }, { _tag: "Closed", reason })
            witness.ended()
          }),
        )
        assert.strictEqual(span?.attributes.get("msnp.outcome"), reason)
        assert.strictEqual(span?.status._tag === "Ended" ? span.status.exit._tag : "", faults[reason])
      }),
    )
  }

  it.effect("that is dropped has failed", () =>
    Effect.gen(function* () {
      const [span] = yield* spansOf({}, (witness) => Effect.sync(() => witness.ended()))
      assert.strictEqual(span?.attributes.get("msnp.outcome"), "Dropped")
      assert.strictEqual(span?.status._tag === "Ended" ? span.status.exit._tag : "", faults.Dropped)
    }),
  )

  it.effect("has the clauses that speak against what the client said, and the code that the host decided on", () =>
    Effect.gen(function* () {
      const [refused] = yield* spansOf({}, (witness) =>
        Effect.sync(() => witness.stepped(chosen, ver, { _tag: "Closed", reason: "Misbehaved" })),
      )
      assert.deepStrictEqual(refused?.attributes.get("msnp.clauses"), ["login.wrong-time"])
      const [denied] = yield* spansOf({}, (witness) =>
        Effect.sync(() =>
          witness.stepped(
            { _tag: "AwaitAdmission", dialect, trId, account },
            { _tag: "Deny", code: 601 },
            { _tag: "Closed", reason: "Unavailable" },
          ),
        ),
      )
      assert.strictEqual(denied?.attributes.get("msnp.code"), 601)
      assert.isFalse(denied?.attributes.has("msnp.clauses"))
    }),
  )
})
