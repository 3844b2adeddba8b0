import { afterEach, describe, expect, it, vi } from "vitest"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Zlib from "node:zlib"
import * as Schema from "effect/Schema"
import * as Exposition from "../support/Exposition.ts"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** Starts a server that is killed, if it still runs, when the test is over. */
const start = (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv = {}): Msnp.Running => {
  const running = Msnp.start(["serve", "--json", ...args], "", "ends", environment)
  cleanups.push(running.stop)
  return running
}

const listening = ["--demo", "--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]

const portOf = (server: Net.Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** Asks for a path, as `curl` would. */
const ask = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

const metricsAt = async (port: number) => Exposition.parse((await ask(port, "/metrics")).body)

/** Asks until the answer is the one that is waited for. */
const until = async <A>(ask: () => Promise<A>, fits: (answer: A) => boolean): Promise<A> => {
  const answer = await ask()
  return fits(answer) ? answer : until(ask, fits)
}

describe("msnp serve --metrics", () => {
  it("says where it listens, and counts what becomes of logins at each server", async () => {
    const server = start([...listening, "--metrics", "127.0.0.1:0"])
    const metrics = await Msnp.portOf(server, "metrics")
    const dispatch = await Msnp.portOf(server, "dispatch")
    const notification = await Msnp.portOf(server, "notification")
    const before = await metricsAt(metrics)
    expect(before.types.get("msnp_logins_total")).toBe("counter")
    expect(before.types.get("msnp_login_seconds")).toBe("histogram")
    expect(before.types.get("process_start_time_seconds")).toBe("gauge")
    expect(Exposition.counted(before, "msnp_logins_total")).toEqual({})

    const session = await Msnp.signIn(notification, "alice@example.com", "wonderland")
    await expect(Msnp.signIn(notification, "alice@example.com", "wrong")).rejects.toThrow("911")
    await Msnp.tell(dispatch, "VER 1 MSNP4\r\nUSR 2 MD5 I alice@example.com\r\n")
    await Msnp.tell(dispatch, "INF 1\r\n")
    const during = await metricsAt(metrics)
    expect(Exposition.counted(during, "msnp_logins_total")).toEqual({
      '{role="notification",outcome="LoggedIn",dialect="MSNP7"}': 1,
      '{role="notification",outcome="Denied",dialect="MSNP7"}': 1,
      '{role="dispatch",outcome="Referred",dialect="MSNP4"}': 1,
      '{role="dispatch",outcome="Misbehaved",dialect="none"}': 1,
    })
    expect(Exposition.counted(during, "msnp_refusals_total")).toEqual({ '{clause="login.wrong-time"}': 1 })
    expect(Exposition.counted(during, "msnp_sessions")).toEqual({ '{role="notification"}': 1 })

    session.close()
    const ended = (found: Exposition.Exposition) => found.series.get('msnp_sessions{role="notification"}') === 0
    const after = await until(() => metricsAt(metrics), ended)
    expect(Exposition.counted(after, "msnp_sessions_ended_total")).toEqual({
      '{role="notification",reason="HungUp"}': 1,
    })
    server.kill("SIGTERM")
    expect(await server.ended).toMatchObject({ code: 0, stderr: "" })
  })

  it("is live while it starts, and not ready", async () => {
    // A database that takes connections and never answers.
    const silent = Net.createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    cleanups.push(() => silent.close())
    const server = start(
      ["--directory", `postgres://msnp@127.0.0.1:${portOf(silent)}/msnp`, "--metrics", "127.0.0.1:0"],
      { MSNP_DIRECTORY_KEY: "0f".repeat(32) },
    )
    const metrics = await Msnp.portOf(server, "metrics")
    expect(await ask(metrics, "/health/ready")).toEqual({ status: 503, body: "starting\n" })
    expect(await ask(metrics, "/health/live")).toEqual({ status: 200, body: "live\n" })
  })

  it("is ready once it listens, and not any more while it goes down", async () => {
    const server = start([...listening, "--metrics", "127.0.0.1:0", "--shutdown-notice", "1"])
    const metrics = await Msnp.portOf(server, "metrics")
    const session = await Msnp.signIn(await Msnp.portOf(server, "notification"), "alice@example.com", "wonderland")
    expect(await ask(metrics, "/health/ready")).toEqual({ status: 200, body: "ready\n" })
    server.kill("SIGTERM")
    await server.line((line) => line.includes('"event":"goingDown"'))
    expect(await ask(metrics, "/health/ready")).toEqual({ status: 503, body: "going-down\n" })
    expect(await ask(metrics, "/health/live")).toEqual({ status: 200, body: "live\n" })
    session.close()
    expect(await server.ended).toMatchObject({ code: 0, stderr: "" })
  })

  it("ends with one line where the port is in use", async () => {
    const taken = Net.createServer()
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve))
    cleanups.push(() => taken.close())
    const { code, stderr, stdout } = await start([...listening, "--metrics", `127.0.0.1:${portOf(taken)}`]).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toBe(`msnp: Cannot listen on 127.0.0.1:${portOf(taken)}: the port is in use.\n`)
  })

  it("takes an address with a port, and nothing else", async () => {
    const { code, stderr } = await start([...listening, "--metrics", "9090"]).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^msnp: .*--metrics.*HOST:PORT.*\n$/)
  })
})

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  intValue: Schema.optional(Schema.Union([Schema.String, Schema.Number])),
})
const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const Resource = Schema.Struct({ attributes: Attributes })

/** What a collector is sent of spans, as far as it is looked at here. */
const Traces = Schema.fromJsonString(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        resource: Resource,
        scopeSpans: Schema.Array(
          Schema.Struct({
            spans: Schema.Array(
              Schema.Struct({
                name: Schema.String,
                kind: Schema.Number,
                startTimeUnixNano: Schema.String,
                endTimeUnixNano: Schema.String,
                attributes: Attributes,
                events: Schema.Array(Schema.Struct({ name: Schema.String, timeUnixNano: Schema.String })),
                status: Schema.Struct({ code: Schema.Number, message: Schema.optional(Schema.String) }),
              }),
            ),
          }),
        ),
      }),
    ),
  }),
)

/** What a collector is sent of the log, likewise. */
const Logs = Schema.fromJsonString(
  Schema.Struct({
    resourceLogs: Schema.Array(
      Schema.Struct({
        resource: Resource,
        scopeLogs: Schema.Array(
          Schema.Struct({
            logRecords: Schema.Array(
              Schema.Struct({ severityText: Schema.String, attributes: Attributes, body: Value }),
            ),
          }),
        ),
      }),
    ),
  }),
)

const valuesOf = (attributes: typeof Attributes.Type) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))

interface Received {
  readonly path: string
  readonly type: string
  readonly authorization: string
  readonly body: Buffer
}

/** A collector that takes what it is sent over HTTP, until the test is over. */
const collector = async () => {
  const received: Array<Received> = []
  const server = Http.createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const whole = Buffer.concat(chunks)
      received.push({
        path: request.url ?? "",
        type: request.headers["content-type"] ?? "",
        authorization: request.headers.authorization ?? "",
        body: request.headers["content-encoding"] === "gzip" ? Zlib.gunzipSync(whole) : whole,
      })
      response.setHeader("content-type", "application/json")
      response.end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const at = (path: string) => received.filter((one) => one.path === path)
  const text = (one: Received) => one.body.toString("utf8")
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    received,
    spans: () =>
      at("/v1/traces")
        .flatMap((one) => Schema.decodeUnknownSync(Traces)(text(one)).resourceSpans)
        .flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) =>
            spans.map((span) => ({ ...span, resource: valuesOf(resource.attributes) })),
          ),
        ),
    logs: () =>
      at("/v1/logs")
        .flatMap((one) => Schema.decodeUnknownSync(Logs)(text(one)).resourceLogs)
        .flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
  }
}

/** Serves, has a login that succeeds, one with a wrong password and one that breaks the protocol, and stops. */
const servedThrough = async (environment: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>) => {
  const server = start([...listening, ...args], environment)
  const notification = await Msnp.portOf(server, "notification")
  const session = await Msnp.signIn(notification, "alice@example.com", "wonderland")
  await expect(Msnp.signIn(notification, "bob@example.com", "wrong")).rejects.toThrow("911")
  await Msnp.tell(notification, "INF 1\r\n")
  session.close()
  server.kill("SIGTERM")
  const ended = await server.ended
  expect(ended.code).toBe(0)
  return ended
}

const nothingSecret = (text: string) => {
  expect(text).not.toMatch(/wonderland|wrong"/)
  // A challenge, and a digest.
  expect(text).not.toMatch(/\d{10}\.\d{18}/)
  expect(text).not.toMatch(/\b[0-9a-f]{32}\b(?<!"traceId":"[0-9a-f]{32})/)
}

describe("msnp serve, with a collector in the environment", () => {
  it("sends a span of each login, with an event for each stage, and nothing secret", async () => {
    const { received, spans, url } = await collector()
    await servedThrough({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=attic",
    })
    expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer abc"]))
    const [good, denied, broken, ...more] = spans()
    expect(more).toEqual([])
    // SERVER is 2, and of the statuses OK is 1 and ERROR 2, in opentelemetry-proto's trace.proto.
    expect(good).toMatchObject({ name: "msnp.login", kind: 2, status: { code: 1 } })
    expect(good?.resource).toMatchObject({ "service.name": "msnp", "deployment.environment.name": "attic" })
    expect(valuesOf(good?.attributes ?? [])).toEqual({
      "msnp.connection": expect.stringMatching(/^[0-9a-f]{8}-1$/),
      "msnp.role": "notification",
      "msnp.dialect": "MSNP7",
      "msnp.outcome": "LoggedIn",
      "client.address": "127.0.0.1",
      "client.port": expect.any(Number),
      "server.address": "127.0.0.1",
      "server.port": expect.any(Number),
    })
    expect(good?.events.map(({ name }) => name)).toEqual([
      "AwaitInfOrUsr",
      "AwaitAdmission",
      "AwaitDigest",
      "AwaitVerdict",
      "LoggedIn",
    ])
    const times = [good?.startTimeUnixNano, ...(good?.events ?? []).map(({ timeUnixNano }) => timeUnixNano)]
      .concat(good?.endTimeUnixNano)
      .map((time) => BigInt(time ?? "0"))
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)))

    expect(denied?.status).toEqual({ code: 2, message: "The account was not let in." })
    expect(valuesOf(denied?.attributes ?? [])).toMatchObject({ "msnp.outcome": "Denied", "msnp.code": 911 })
    expect(broken?.status).toEqual({ code: 2, message: "The client broke the protocol." })
    expect(valuesOf(broken?.attributes ?? [])).toMatchObject({ "msnp.outcome": "Misbehaved", "msnp.dialect": "none" })
    for (const { body } of received) {
      nothingSecret(body.toString("utf8"))
      expect(body.toString("utf8")).not.toContain("example.com")
    }
  })

  it("names the account where that is asked for, and the service as it is told", async () => {
    const { received, spans, url } = await collector()
    await servedThrough(
      {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/v1/traces`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_RESOURCE_ATTRIBUTES: "service.name=attic",
      },
      "--trace-accounts",
    )
    const found = spans().map(({ attributes, resource }) => [
      valuesOf(attributes)["msnp.account"],
      resource["service.name"],
    ])
    expect(found).toEqual([
      ["alice@example.com", "attic"],
      ["bob@example.com", "attic"],
      [undefined, "attic"],
    ])
    // No endpoint was named for the log.
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(["/v1/traces"]))
    for (const { body } of received) nothingSecret(body.toString("utf8"))
  })

  it("sends the log, each line with its connection", async () => {
    const { logs, spans, url } = await collector()
    await servedThrough(
      { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      "--log-level",
      "debug",
    )
    const ofConnections = logs().filter(({ attributes }) => "connection" in valuesOf(attributes))
    expect(ofConnections.map(({ body, severityText }) => [severityText, body.stringValue])).toEqual([
      ["Debug", "A client has logged in with MSNP7"],
      ["Debug", "A login is over: Denied"],
      ["Debug", "A login is over: Misbehaved"],
    ])
    expect(ofConnections.map(({ attributes }) => valuesOf(attributes)["connection"])).toEqual(
      spans().map(({ attributes }) => valuesOf(attributes)["msnp.connection"]),
    )
  })

  it("sends in the form that the standard has, where none is named", async () => {
    const { received, url } = await collector()
    await servedThrough({ OTEL_EXPORTER_OTLP_ENDPOINT: url })
    expect(received.map(({ path, type }) => [path, type])).toContainEqual(["/v1/traces", "application/x-protobuf"])
    expect(received.some(({ body }) => body.includes("msnp.login"))).toBe(true)
  })

  it.each([{ OTEL_SDK_DISABLED: "true" }, { OTEL_TRACES_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" }])(
    "sends nothing with %j",
    async (off) => {
      const { received, url } = await collector()
      await servedThrough({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...off })
      expect(received).toEqual([])
    },
  )

  it("serves all the same where no collector answers", async () => {
    const { stderr } = await servedThrough({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" })
    expect(stderr).toBe("")
  })

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere" }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
  ])("ends with one line where the environment makes no sense: %j", async (environment) => {
    const { code, stderr, stdout } = await start(listening, environment).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(/^msnp: [^\n]*\.\n$/)
    expect(stderr).toContain(Object.keys(environment).at(-1))
  })
})

const LogLine = Schema.fromJsonString(
  Schema.Struct({
    level: Schema.String,
    message: Schema.String,
    timestamp: Schema.String,
    annotations: Schema.Struct({ connection: Schema.String, role: Schema.String, peer: Schema.String }),
  }),
)

describe("the log of msnp serve", () => {
  it("is of one JSON object a line where that is asked for, each with the connection that it is of", async () => {
    const { stderr } = await servedThrough({}, "--log-format", "json", "--log-level", "debug")
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => Schema.decodeUnknownSync(LogLine)(line))
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ["DEBUG", "A client has logged in with MSNP7"],
      ["DEBUG", "A login is over: Denied"],
      ["DEBUG", "A login is over: Misbehaved"],
    ])
    expect(new Set(lines.map(({ annotations }) => annotations.connection)).size).toBe(3)
    for (const { annotations } of lines) {
      expect(annotations.role).toBe("notification")
      expect(annotations.peer).toMatch(/^127\.0\.0\.1:\d+$/)
    }
  })

  it("says nothing of logins by default", async () => {
    const { stderr } = await servedThrough({})
    expect(stderr).toBe("")
  })
})
