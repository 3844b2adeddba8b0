import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Ref from "effect/Ref"
import * as OperatorServer from "../../src/net/OperatorServer.ts"
import type * as Readiness from "../../src/net/Readiness.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Exposition from "../support/Exposition.ts"

const freePort: Address.Address = { host: "127.0.0.1", port: 0 }

/** Asks a server, as an operator's program does. */
const ask = (at: Address.Address, path: string, method = "GET") =>
  Effect.promise(async () => {
    const response = await fetch(`http://${Address.format(at)}${path}`, { method })
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      allow: response.headers.get("allow"),
      body: await response.text(),
    }
  })

/** What is said of the readiness, at once. */
const readinessAt = (at: Address.Address) =>
  Effect.map(ask(at, "/health/ready"), ({ body, status }) => [status, body] as const)

describe("operators", () => {
  it.live("are told whether the server takes logins, as it is when they ask", () =>
    Effect.gen(function* () {
      const readiness = yield* Ref.make<Readiness.Readiness>("Starting")
      const at = yield* OperatorServer.serve({ listen: freePort, readiness: Ref.get(readiness) })
      assert.deepStrictEqual(yield* readinessAt(at), [503, "starting\n"])
      yield* Ref.set(readiness, "Ready")
      assert.deepStrictEqual(yield* readinessAt(at), [200, "ready\n"])
      yield* Ref.set(readiness, "NoDirectory")
      assert.deepStrictEqual(yield* readinessAt(at), [503, "directory\n"])
      yield* Ref.set(readiness, "GoingDown")
      assert.deepStrictEqual(yield* readinessAt(at), [503, "going-down\n"])
      // It runs, whatever else it does.
      const { body, status } = yield* ask(at, "/health/live")
      assert.deepStrictEqual([status, body], [200, "live\n"])
    }),
  )

  it.live("are given what is counted in the registry, in the format of Prometheus", () =>
    Effect.gen(function* () {
      const at = yield* OperatorServer.serve({ listen: freePort, readiness: Effect.succeed("Ready") })
      yield* Metric.update(Metric.counter("apples_total", { description: "Apples." }), 3)
      const { body, status, type } = yield* ask(at, "/metrics?since=ever")
      assert.deepStrictEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"])
      assert.deepStrictEqual([...Exposition.parse(body).series], [["apples_total", 3]])
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())),
  )

  it.live("may look, and do no more", () =>
    Effect.gen(function* () {
      const at = yield* OperatorServer.serve({ listen: freePort, readiness: Effect.succeed("Ready") })
      const lost = yield* ask(at, "/")
      assert.deepStrictEqual([lost.status, lost.body], [404, "Here are /metrics, /health/live and /health/ready.\n"])
      const posted = yield* ask(at, "/health/ready", "POST")
      assert.deepStrictEqual([posted.status, posted.allow], [405, "GET, HEAD"])
      const head = yield* ask(at, "/health/ready", "HEAD")
      assert.deepStrictEqual([head.status, head.body], [200, ""])
    }),
  )

  it.live("are told in a sentence that a port is in use", () =>
    Effect.gen(function* () {
      const at = yield* OperatorServer.serve({ listen: freePort, readiness: Effect.succeed("Ready") })
      const { message } = yield* Effect.flip(OperatorServer.serve({ listen: at, readiness: Effect.succeed("Ready") }))
      assert.strictEqual(message, `Cannot listen on ${Address.format(at)}: the port is in use.`)
    }),
  )
})
