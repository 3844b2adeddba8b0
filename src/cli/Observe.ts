/**
 * How operators see a server that `msnp` runs: metrics and health over HTTP, traces and logs to a collector of
 * OpenTelemetry's, and the form of the log.
 */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Metrics from "../net/Metrics.ts"
import type * as Readiness from "../net/Readiness.ts"
import * as Telemetry from "../net/Telemetry.ts"
import * as Address from "../protocol/Address.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"

/** The flags of whoever serves. */
export const flags = {
  metrics: Flag.String("metrics").pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.withDescription(
      "Where operators are answered over HTTP: /metrics for Prometheus, /health/live, /health/ready; port 0 takes a free one (default none)",
    ),
    Flag.filterMap(Endpoint.parseAddress, () => "HOST:PORT"),
    Flag.optional,
  ),
  traceAccounts: Flag.Boolean("trace-accounts").pipe(
    Flag.withDescription("Name the account in the traces that the variables OTEL_… ask for"),
    Flag.withDefault(false),
  ),
  logFormat: Flag.Literals("log-format", ["text", "json"]).pipe(
    Flag.withDescription("The form of the log on standard error: text, or one JSON object a line (default text)"),
    Flag.withDefault("text"),
  ),
}

/** What was asked for with them. */
export interface Flags {
  readonly metrics: Option.Option<Address.Address>
  readonly traceAccounts: boolean
  readonly logFormat: "text" | "json"
}

/**
 * What exports, where a variable may ask for it. It comes with a client of HTTP, and without all of HTTP a server starts
 * 50 ms sooner.
 */
const exporting = Effect.gen(function* () {
  const isAskedFor = Object.keys(process.env).some((name) => name.startsWith("OTEL_"))
  return isAskedFor ? Option.some(yield* Effect.promise(() => import("./Export.ts"))) : Option.none()
})

/**
 * Lets operators see what is served under this layer. Whether it takes logins is asked of `readiness`, from the start on,
 * for as long as the layer lives.
 */
export const layer = (
  flags: Flags,
  reader: Output.Reader,
  readiness: Effect.Effect<Readiness.Readiness>,
): Layer.Layer<never, Failure.Failure> => {
  const answering = Effect.gen(function* () {
    if (Option.isNone(flags.metrics)) return []
    yield* Metrics.ofProcess
    const { serve } = yield* Effect.promise(() => import("../net/OperatorServer.ts"))
    const address = yield* Effect.mapError(serve({ listen: flags.metrics.value, readiness }), ({ message }) =>
      Failure.badInput(message),
    )
    yield* Output.write(reader, `Metrics and health on http://${Address.format(address)}`, {
      event: "listening",
      role: "metrics",
      ...address,
    })
    return [Metrics.make]
  })
  const observed = Layer.unwrap(
    Effect.gen(function* () {
      const answers = yield* answering
      const exports = yield* exporting
      const traces = Option.isNone(exports)
        ? []
        : yield* exports.value.traces(flags.traceAccounts ? "Named" : "Unnamed")
      const observers = [...answers, ...traces]
      return Layer.merge(
        observers.length === 0 ? Layer.empty : Telemetry.layer(...observers),
        Option.isNone(exports) ? Layer.empty : exports.value.logs,
      )
    }),
  )
  const form = flags.logFormat === "json" ? Logger.layer([Logger.withConsoleError(Logger.formatJson)]) : Layer.empty
  return Layer.provideMerge(observed, form)
}
