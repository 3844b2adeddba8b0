/**
 * What operators' own programs ask over HTTP: the metrics, whether the process runs, and whether it takes logins.
 *
 * It is for a network that one's own programs are in alone: it speaks in the clear, and whoever reaches it is answered.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Address from "../protocol/Address.ts"
import * as Serving from "./internal/http.ts"
import type * as LoginServer from "./LoginServer.ts"
import type * as Readiness from "./Readiness.ts"

/** What is said of each readiness, in a word, for whoever reads it. */
const words: { readonly [readiness in Readiness.Readiness]: string } = {
  Ready: "ready",
  Starting: "starting",
  NoDirectory: "directory",
  GoingDown: "going-down",
}

/** How operators are answered. */
export interface Options {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  /** Is asked whenever somebody wants to know. */
  readonly readiness: Effect.Effect<Readiness.Readiness>
}

/** How long requests under way may take at the end. */
const closingTimeout: Duration.Input = "1 second"

/**
 * Answers operators until the scope closes; it returns where it listens. `/metrics` has what is in the `MetricRegistry` in
 * the text format of Prometheus, `/health/live` is 200 while the process runs, and `/health/ready` is 200, or 503 with a
 * word that says why no logins are taken.
 */
export const serve = Effect.fnUntraced(function* ({
  listen,
  readiness,
}: Options): Effect.fn.Return<Address.Address, LoginServer.ListenError, Scope.Scope> {
  const answer = Effect.gen(function* () {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    if (method !== "GET" && method !== "HEAD") {
      return HttpServerResponse.text("Only GET is answered here.\n", { status: 405, headers: { allow: "GET, HEAD" } })
    }
    const [path] = url.split("?")
    if (path === "/metrics") {
      const contentType = "text/plain; version=0.0.4; charset=utf-8"
      return HttpServerResponse.text(yield* PrometheusMetrics.format(), { contentType })
    }
    if (path === "/health/live") return HttpServerResponse.text("live\n")
    if (path === "/health/ready") {
      const is = yield* readiness
      return HttpServerResponse.text(`${words[is]}\n`, { status: is === "Ready" ? 200 : 503 })
    }
    return HttpServerResponse.text("Here are /metrics, /health/live and /health/ready.\n", { status: 404 })
  })

  return yield* Serving.serve(Http.createServer(), { listen, answer, closingTimeout })
})
