import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Util from "node:util"
import * as Admission from "../../src/host/Admission.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as Transcript from "../../src/net/Transcript.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
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
  for (const [name, admission, password, isIn, logged] of [
    ["that succeeds", World.layerExample([alice]), alice.password, true, 0],
    ["with a wrong password", World.layerExample([World.alice]), alice.password, false, 0],
    ["whose host has a defect", failing(Effect.die(new Error("a bug of the host"))), alice.password, false, 1],
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
