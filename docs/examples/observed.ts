/**
 * A network that operators can see: metrics and health over HTTP, a span of each login to a collector of OpenTelemetry's
 * where the environment names one, and a log of one JSON object a line.
 *
 *     METRICS_PORT=9464 node observed.ts
 *     curl http://127.0.0.1:9464/metrics
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Directory from "effect-msnp/host/Directory"
import * as Presence from "effect-msnp/host/Presence"
import * as Metrics from "effect-msnp/net/Metrics"
import * as Network from "effect-msnp/net/Network"
import * as OperatorServer from "effect-msnp/net/OperatorServer"
import * as Telemetry from "effect-msnp/net/Telemetry"
import * as Traces from "effect-msnp/net/Traces"
import * as Account from "effect-msnp/protocol/Account"
import * as Address from "effect-msnp/protocol/Address"
import * as FriendlyName from "effect-msnp/protocol/FriendlyName"

const Accounts = Directory.layerMemory([
  {
    account: Account.Account.make("alice@example.com"),
    password: Redacted.make("wonderland"),
    friendlyName: FriendlyName.FriendlyName.make("Alice Liddell"),
    verification: "Verified",
    standing: "Enabled",
  },
])

/** What is told of each login. Whoever needs one of the two only names one. */
const Observed = Telemetry.layer(Metrics.make, Traces.make({ accounts: "Unnamed" })).pipe(
  // As the variables OTEL_… say; without them, spans are made and go nowhere.
  Layer.provide(OtlpTracer.layerFromConfig()),
  Layer.provide([OtlpSerialization.layerProtobuf, FetchHttpClient.layer]),
)

const freePort = { listen: { host: "127.0.0.1", port: 0 }, advertise: Option.none() }

const Server = Network.layer({
  dispatch: Option.some(freePort),
  notification: [freePort],
  gateway: Option.none(),
  referTo: [],
}).pipe(Layer.provide([Accounts, Presence.layerMemory, Observed]))

const program = Effect.gen(function* () {
  const { dispatch, readiness } = yield* Network.Network
  yield* Metrics.ofProcess
  const port = yield* Config.Int("METRICS_PORT")
  const operators = yield* OperatorServer.serve({ listen: { host: "127.0.0.1", port }, readiness })
  yield* Console.log(`Metrics and health on http://${Address.format(operators)}`)
  yield* Effect.forEach(Option.toArray(dispatch), ({ bound }) => Console.log(`Listening on ${Address.format(bound)}`))
  return yield* Effect.never
})

const Log = Logger.layer([Logger.withConsoleError(Logger.formatJson)])

NodeRuntime.runMain(Effect.scoped(program).pipe(Effect.provide(Layer.provideMerge(Server, Log))))
