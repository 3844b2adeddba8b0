/**
 * What a collector of OpenTelemetry's is sent, by the variables `OTEL_…`: a span of each login, and the log.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type * as Telemetry from "../net/Telemetry.ts"
import * as Traces from "../net/Traces.ts"
import * as Failure from "./Failure.ts"
import * as Settings from "./Settings.ts"

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

const configured = Layer.unwrap(
  Effect.gen(function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    const custom = yield* customary
    return ConfigProvider.layer(ConfigProvider.orElse(provider, custom))
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
  Effect.catchDefect(Layer.build(exporter.pipe(Layer.provide(configured))), (defect) =>
    defect instanceof Config.ConfigError ? Failure.badInput(defect.cause.message) : Effect.die(defect),
  )

/** Where the spans of logins go, if the environment says where. */
export const traces = (
  accounts: "Named" | "Unnamed",
): Effect.Effect<ReadonlyArray<Effect.Effect<Telemetry.Observer>>, Failure.Failure, Scope.Scope> =>
  Effect.map(
    build(OtlpTracer.layerFromConfig().pipe(Layer.provide([serialization("TRACES"), FetchHttpClient.layer]))),
    (context) =>
      Context.getOrUndefined(context, Tracer.Tracer) === undefined
        ? []
        : [Effect.provideContext(Traces.make({ accounts }), context)],
  )

/** Sends the log where the environment says, beside what is written of it here. */
export const logs = Layer.effectContext(
  build(OtlpLogger.layerFromConfig().pipe(Layer.provide([serialization("LOGS"), FetchHttpClient.layer]))),
)
