import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Msnp from "../support/Msnp.ts"
import * as Postgres from "../support/Postgres.ts"

const key = "0f".repeat(32)
const newKey = "f0".repeat(32)

/** Runs `msnp` with this environment; what it says never has the database's password in it. */
const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv, stdin = "") {
  const ended = yield* Effect.promise(() => Msnp.run(args, stdin, environment))
  assert.notInclude(ended.stdout + ended.stderr, Postgres.password)
  return ended
})

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("msnp over PostgreSQL", (it) => {
  it.effect(
    "adds accounts, lists them, seals them anew, and lets them in, by one key for all",
    () =>
      Effect.gen(function* () {
        const { freshDatabase } = yield* Postgres.Postgres
        const environment = { MSNP_DIRECTORY: Redacted.value(yield* freshDatabase), MSNP_DIRECTORY_KEY: key }
        const rekeyed = { ...environment, MSNP_DIRECTORY_KEY: newKey }

        const added = yield* run(["account", "add", "alice@example.com"], environment, "wonderland\n")
        assert.deepStrictEqual(added, { code: 0, stdout: "Added alice@example.com.\n", stderr: "" })

        const wrong = yield* run(["account", "list"], rekeyed)
        assert.strictEqual(wrong.code, 1)
        assert.match(wrong.stderr, /^msnp: PostgreSQL at 127\.0\.0\.1:\d+ is sealed with another key [^\n]*\.\n$/)

        assert.strictEqual((yield* run(["account", "rekey"], environment)).code, 1)
        const anew = yield* run(["account", "rekey"], { ...environment, MSNP_DIRECTORY_NEW_KEY: newKey })
        assert.deepStrictEqual(anew, {
          code: 0,
          stdout: "The accounts are sealed with the key in MSNP_DIRECTORY_NEW_KEY: put it into MSNP_DIRECTORY_KEY.\n",
          stderr: "",
        })
        assert.include((yield* run(["account", "list"], rekeyed)).stdout, "alice@example.com")

        const at = ["--dispatch", "none", "--notification", "127.0.0.1:0", "--json"]
        const server = yield* Effect.acquireRelease(
          Effect.sync(() => Msnp.start(["serve", ...at], "", "ends", rekeyed)),
          (server) =>
            Effect.promise(() => {
              server.kill("SIGTERM")
              return server.ended
            }),
        )
        const port = yield* Effect.promise(() => Msnp.portOf(server, "notification"))
        const session = yield* Effect.promise(() => Msnp.signIn(port, "alice@example.com", "wonderland"))
        assert.strictEqual((yield* run(["account", "disable", "alice@example.com"], rekeyed)).code, 0)
        yield* Effect.timeout(
          Effect.promise(() => session.closed),
          "1 second",
        )
      }),
    60_000,
  )
})
