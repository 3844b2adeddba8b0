/**
 * How operators see a server that `msnp` runs: metrics and health over HTTP, traces and logs to a collector of
 * OpenTelemetry's, and the form of the log.
 */
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as Metrics from "../net/Metrics.ts"
import * as OperatorServer from "../net/OperatorServer.ts"
import * as Telemetry from "../net/Telemetry.ts"
import * as Traces from "../net/Traces.ts"
import * as Address from "../protocol/Address.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Settings from "./Settings.ts"

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
 * What the standard leaves to us where the environment does not say. Effect exports only what is named; the standard has
 * it that an endpoint is enough.
 */
const customary = Effect.map(
  Settings.get(Config.String("OTEL_RESOURCE_ATTRIBUTES").pipe(Config.withDefault(""))),
  (attributes) =>
    ConfigProvider.fromEnv({
      env: {
        OTEL_TRACES_EXPORTER: "otlp",
        OTEL_LOGS_EXPORTER: "otlp",
        // A name among the attributes counts less than this variable.
        ...(/(^|,)\s*service\.name=/.test(attributes) ? {} : { OTEL_SERVICE_NAME: "msnp" }),
      },
    }),
)

const serializations = {
  "http/protobuf": OtlpSerialization.layerProtobuf,
  "http/json": OtlpSerialization.layerJson,
} as const

/** The form in which a signal is sent; the standard's own default. */
const serialization = (signal: "TRACES" | "LOGS") => {
  const protocol = (name: string) => Config.Literals(["http/protobuf", "http/json"], name)
  return protocol(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`).pipe(
    Config.orElse(() => protocol("OTEL_EXPORTER_OTLP_PROTOCOL")),
    Config.withDefault("http/protobuf"),
    Settings.get,
    Effect.map((protocol) => serializations[protocol]),
    Layer.unwrap,
  )
}

/** Builds an exporter; a variable that makes no sense is told in a sentence, where Effect has a defect for it. */
const build = <ROut>(
  exporter: Layer.Layer<ROut, Failure.Failure>,
): Effect.Effect<Context.Context<ROut>, Failure.Failure, Scope.Scope> =>
  Effect.catchDefect(Layer.build(exporter), (defect) =>
    defect instanceof Config.ConfigError ? Failure.badInput(defect.cause.message) : Effect.die(defect),
  )

/** Where the spans of logins go, if the environment says where. */
const exportedTraces = (accounts: "Named" | "Unnamed") =>
  Effect.map(
    build(OtlpTracer.layerFromConfig().pipe(Layer.provide([serialization("TRACES"), FetchHttpClient.layer]))),
    (context) =>
      Context.getOrUndefined(context, Tracer.Tracer) === undefined
        ? []
        : [Effect.provideContext(Traces.make({ accounts }), context)],
  )

/**
 * Lets operators see what is served under this layer. Whether it takes logins is asked of `readiness`, from the start on,
 * for as long as the layer lives.
 */
export const layer = (
  flags: Flags,
  reader: Output.Reader,
  readiness: Effect.Effect<OperatorServer.Readiness>,
): Layer.Layer<never, Failure.Failure> => {
  const answering = Effect.gen(function* () {
    if (Option.isNone(flags.metrics)) return []
    yield* Metrics.ofProcess
    const address = yield* Effect.mapError(
      OperatorServer.serve({ listen: flags.metrics.value, readiness }),
      ({ message }) => Failure.badInput(message),
    )
    yield* Output.write(reader, `Metrics and health on http://${Address.format(address)}`, {
      event: "listening",
      role: "metrics",
      ...address,
    })
    return [Metrics.make]
  })
  const telling = Layer.unwrap(
    Effect.gen(function* () {
      const observers = [...(yield* answering), ...(yield* exportedTraces(flags.traceAccounts ? "Named" : "Unnamed"))]
      return observers.length === 0 ? Layer.empty : Telemetry.layer(...observers)
    }),
  )
  const form = flags.logFormat === "json" ? Logger.layer([Logger.withConsoleError(Logger.formatJson)]) : Layer.empty
  const exportedLogs = Layer.effectContext(
    build(OtlpLogger.layerFromConfig().pipe(Layer.provide([serialization("LOGS"), FetchHttpClient.layer]))),
  )
  const configured = Layer.unwrap(
    Effect.gen(function* () {
      const provider = yield* ConfigProvider.ConfigProvider
      const custom = yield* customary
      return ConfigProvider.layer(ConfigProvider.orElse(provider, custom))
    }),
  )
  return Layer.merge(telling, exportedLogs).pipe(Layer.provide(configured), Layer.provideMerge(form))
}
