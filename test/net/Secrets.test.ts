import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Fs from "node:fs"
import * as Util from "node:util"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as SqliteDirectory from "../../src/host/SqliteDirectory.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Proxy from "../../src/net/Proxy.ts"
import * as Telemetry from "../../src/net/Telemetry.ts"
import * as Traces from "../../src/net/Traces.ts"
import * as Transcript from "../../src/net/Transcript.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Folder from "../support/Folder.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as Played from "../support/Played.ts"
import * as Resources from "../support/Resources.ts"
import * as Socks from "../support/Socks.ts"
import * as World from "../support/World.ts"

/** A password that occurs nowhere by chance. */
const secret = "xyzzy-plugh-7391"
const alice = World.entry("alice@hotmail.com", { password: Redacted.make(secret, { label: "password" }) })
const digest = Redacted.value(Challenge.respond(World.challenge, alice.password))

/** Everything that a person or a program could print of a value. */
const printed = (value: unknown): string =>
  [
    Util.inspect(value, { depth: Infinity, showHidden: true }),
    String(value),
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner)),
    value instanceof Error ? `${value.message} ${value.stack ?? ""}` : "",
    Exit.isExit(value) && Exit.isFailure(value) ? Cause.pretty(value.cause) : "",
  ].join("\n")

const noSecretIn = (what: string, value: unknown) => {
  const text = printed(value)
  assert.notInclude(text, secret, what)
  assert.notInclude(text.toLowerCase(), digest, what)
}

/** A login at a server that decides so: all that it leaves behind. */
const traces = (admission: Layer.Layer<Admission.Admission>, password: Redacted.Redacted<string>) =>
  Effect.gen(function* () {
    const logs: Array<unknown> = []
    const logger = Logger.make((entry) => {
      logs.push([entry.message, Cause.pretty(entry.cause), String(entry.cause)])
    })
    const sessions: Array<LoginServer.Session> = []
    const entries: Array<Transcript.Entry> = []
    const outcome = yield* Effect.gen(function* () {
      const network = MemorySocket.network()
      yield* World.serve(network.listen(World.notificationAddress), admission, {}, (session) => {
        sessions.push(session)
        return Stream.runDrain(session.commands)
      })
      return yield* Effect.exit(
        World.loginOver(
          network,
          World.aliceAt(World.notificationAddress, { password, observer: (entry) => void entries.push(entry) }),
        ),
      )
    }).pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "All"))
    return { outcome, logs, sessions, entries, lines: entries.map(Transcript.format) }
  })

const failing = (effect: Effect.Effect<never>): Layer.Layer<Admission.Admission> =>
  Layer.effect(
    Admission.Admission,
    Effect.map(Admission.Admission, ({ admit }) => ({ admit, judge: () => effect })),
  ).pipe(Layer.provide(World.layerExample([alice])))

describe("what a login leaves behind", () => {
  // How each login ends is logged, and a defect besides.
  for (const [name, admission, password, isIn, logged] of [
    ["that succeeds", World.layerExample([alice]), alice.password, true, 1],
    ["with a wrong password", World.layerExample([World.alice]), alice.password, false, 1],
    ["whose host has a defect", failing(Effect.die(new Error("a bug of the host"))), alice.password, false, 2],
  ] as const) {
    it.effect(`shows neither the password nor the digest: a login ${name}`, () =>
      Effect.gen(function* () {
        const { entries, lines, logs, outcome, sessions } = yield* traces(admission, password)
        assert.strictEqual(Exit.isSuccess(outcome), isIn)
        assert.strictEqual(sessions.length, isIn ? 1 : 0)
        noSecretIn("the outcome", outcome)
        assert.strictEqual(logs.length, logged)
        noSecretIn("the logs", logs)
        noSecretIn("the server's session", sessions)
        noSecretIn("the transcript's entries", entries)
        noSecretIn("the transcript", lines)
        assert.include(lines.join("\n"), `>>> USR 4 MD5 S ${digest.slice(0, 4)}…\\r\\n`)
        assert.notInclude(lines.join("\n"), digest.slice(0, 5))
      }).pipe(Effect.scoped),
    )
  }

  it.effect("shows neither, in what the host is asked and what it keeps", () =>
    Effect.gen(function* () {
      const questions: Array<unknown> = []
      const admission = Layer.effect(
        Admission.Admission,
        Effect.map(Admission.Admission, ({ admit, judge }) => ({
          admit: (question) => {
            questions.push(question)
            return admit(question)
          },
          judge: (question) => {
            questions.push(question)
            return judge(question)
          },
        })),
      ).pipe(Layer.provide(World.layerExample([alice])))
      const { outcome } = yield* traces(admission, alice.password)
      assert.isTrue(Exit.isSuccess(outcome))
      assert.strictEqual(questions.length, 2)
      noSecretIn("the questions", questions)
      noSecretIn("the account", alice)
    }).pipe(Effect.scoped),
  )
})

/** Bytes in any of the forms in which they could be printed. */
const formsOf = (bytes: string): ReadonlyArray<string> => {
  const buffer = Buffer.from(bytes, "latin1")
  return [
    bytes,
    buffer.toString("hex"),
    (buffer.toString("hex").match(/../g) ?? []).join(" "),
    buffer.toString("base64").replace(/=+$/, ""),
    Array.from(buffer).join(","),
  ]
}

const noneOf = (secrets: ReadonlyArray<string>, what: string, value: unknown) => {
  const text = printed(value)
  for (const form of secrets.flatMap(formsOf)) assert.notInclude(text, form, what)
}

describe("what can be inspected", () => {
  it.live(
    "shows no password, digest or key: services, sessions of either side, sockets, spans, logs of every level",
    () =>
      Effect.gen(function* () {
        const folder = yield* Folder.fresh
        const spans: Array<unknown> = []
        const logs: Array<unknown> = []
        const logger = Logger.make(({ cause, message }) => void logs.push([message, cause, Cause.pretty(cause)]))
        const tracer = Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            spans.push(span)
            return span
          },
        })
        const path = `${folder}/accounts.db`
        yield* Effect.gen(function* () {
          const host = yield* Layer.build(
            Layer.mergeAll(Admission.layerNotification(), Presence.layerMemory).pipe(
              Layer.provideMerge(SqliteDirectory.layer({ path, key: Option.none(), use: "Serve" })),
              Layer.merge(Telemetry.layer(Traces.make({ accounts: "Named" }))),
            ),
          )
          yield* Context.get(host, Directory.Directory).create([alice])
          const key = Fs.readFileSync(`${path}.key`, "utf8").trim()
          const ends = yield* Resources.accepted
          const listener = yield* LoginServer.listen({ host: "127.0.0.1", port: 0 })
          const sessions: Array<LoginServer.Session> = []
          const ports: Array<number> = []
          yield* Effect.provideContext(
            LoginServer.serve(listener, {}, (session) => {
              sessions.push(session)
              ports.push(session.remote.port)
              return Stream.runDrain(session.commands)
            }),
            host,
          )
          const relay = yield* Played.relay(listener.address)
          const session = yield* LoginClient.login(World.aliceAt(relay.address, { password: alice.password }))
          const [, said = ""] = /USR 4 MD5 S ([0-9a-f]{32})/.exec(relay.connections()[0]?.client ?? "") ?? []
          assert.match(said, /^[0-9a-f]{32}$/)
          const wrong = World.aliceAt(listener.address, { password: Redacted.make("wrong") })
          const denied = yield* Effect.exit(Effect.scoped(LoginClient.login(wrong)))
          yield* Resources.until(() => sessions.length === 1)

          const found = yield* Context.get(host, Directory.Directory).find(alice.account)
          for (const [what, value] of [
            ["the host's services", host],
            ["an account out of the directory", found],
            ["the client's session", session],
            ["the server's session", sessions],
            ["the server's socket", ports.map(ends)],
            ["the outcome of a login that failed", denied],
            ["the spans", spans],
            ["the logs", logs],
            ["what this process has open", process.getActiveResourcesInfo()],
          ] as const) {
            noneOf([secret, said, key], what, value)
          }
          assert.isAbove(spans.length, 1)
          assert.isTrue(Exit.isFailure(denied))
        }).pipe(
          Effect.provide(Logger.layer([logger])),
          Effect.provideService(References.MinimumLogLevel, "All"),
          Effect.withTracer(tracer),
          Effect.scoped,
        )
      }),
  )

  it.live("shows no password of a proxy: settings, connector, and the error of a proxy that does not take it", () =>
    Effect.gen(function* () {
      const proxies = yield* Socks.serve5({ user: "alice", password: "another" })
      const proxy = Option.getOrThrow(Proxy.parse(`socks5://alice:${secret}@${Address.format(proxies.address)}`))
      const error = yield* Effect.flip(Proxy.connector(proxy).connect(World.dispatchAddress))
      for (const [what, value] of [
        ["the proxy", proxy],
        ["the proxy as it is told", Proxy.format(proxy)],
        ["the connector", Proxy.connector(proxy)],
        ["the error", error],
        ["the error's cause", Cause.fail(error)],
      ] as const) {
        noneOf([secret], what, value)
      }
    }).pipe(Effect.scoped),
  )
})
