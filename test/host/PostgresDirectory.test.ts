import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Net from "node:net"
import * as Util from "node:util"
import * as Directory from "../../src/host/Directory.ts"
import * as DirectoryKey from "../../src/host/DirectoryKey.ts"
import * as PostgresDirectory from "../../src/host/PostgresDirectory.ts"
import * as SqlDirectory from "../../src/host/SqlDirectory.ts"
import * as Token from "../../src/host/Token.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as DirectoryContract from "../support/DirectoryContract.ts"
import * as FirstSchema from "../support/FirstSchema.ts"
import * as Postgres from "../support/Postgres.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

/** Opens a directory until the scope closes. */
const open = (
  options: PostgresDirectory.Options,
): Effect.Effect<Directory.Directory["Service"], SqlDirectory.OpenError, Scope.Scope> =>
  Effect.map(Layer.build(PostgresDirectory.layer(options)), (context) => Context.get(context, Directory.Directory))

const refusal = (options: PostgresDirectory.Options) => Effect.flip(Effect.scoped(open(options)))

/** A fresh database, and a key for it. */
const fresh = Effect.gen(function* () {
  const { freshDatabase } = yield* Postgres.Postgres
  return { url: yield* freshDatabase, key: yield* DirectoryKey.generate }
})

const passwordOf = (directory: Directory.Directory["Service"], account: Account.Account) =>
  Effect.map(directory.find(account), (found) => Redacted.value(Option.getOrThrow(found).password))

/** The secrets of an account's tokens, in no order. */
const secretsOf = (directory: Directory.Directory["Service"], account: Account.Account) =>
  Effect.map(directory.find(account), (found) =>
    Option.getOrThrow(found)
      .tokens.map(({ secret }) => Redacted.value(secret))
      .toSorted(),
  )

const label = Token.Label.make("an old laptop")

/** Asks the database behind the directory's back. */
const behind = <Value, Error>(
  url: Redacted.Redacted<string>,
  ask: (sql: SqlClient.SqlClient) => Effect.Effect<Value, Error, Scope.Scope>,
) => Effect.flatMap(SqlClient.SqlClient, ask).pipe(Effect.provide(PgClient.layer({ url })), Effect.scoped)

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("a directory in PostgreSQL", (it) => {
  it.effect("tells a wrong key when it is opened", () =>
    Effect.gen(function* () {
      const { port } = yield* Postgres.Postgres
      const { key, url } = yield* fresh
      yield* Effect.scoped(open({ url, key }))
      const error = yield* refusal({ url, key: yield* DirectoryKey.generate })
      assert.strictEqual(
        error.message,
        `PostgreSQL at 127.0.0.1:${port} is sealed with another key than the one given.`,
      )
      yield* Effect.scoped(open({ url, key }))
    }),
  )

  it.effect("makes its tables once, however many open it at the same time", () =>
    Effect.gen(function* () {
      const { key, url } = yield* fresh
      const directories = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => open({ url, key, maxConnections: 2 }),
        {
          concurrency: "unbounded",
        },
      )
      yield* Effect.forEach(directories, (directory, i) => directory.create([World.entry(`user${i}@x`)]), {
        concurrency: "unbounded",
      })
      for (const directory of directories) {
        const all = yield* Stream.runCollect(directory.list)
        assert.deepStrictEqual(
          all.map(({ account }) => account),
          ["user0@x", "user1@x", "user2@x", "user3@x", "user4@x", "user5@x", "user6@x", "user7@x"],
        )
      }
      assert.deepStrictEqual(yield* behind(url, (sql) => sql`SELECT migration_id FROM msnp_migrations`), [
        { migration_id: 1 },
        { migration_id: 2 },
      ])
    }),
  )

  it.effect("opens a database from before there were tokens, once by each of many, and loses nothing in it", () =>
    Effect.gen(function* () {
      const { freshDatabase } = yield* Postgres.Postgres
      const url = yield* freshDatabase
      const key = yield* DirectoryKey.parse(Redacted.make(FirstSchema.key))
      yield* behind(url, (sql) => Effect.forEach(FirstSchema.postgres, (statement) => sql.unsafe(statement)))
      const directories = yield* Effect.all(
        Array.from({ length: 5 }, () => open({ url, key, maxConnections: 2 })),
        { concurrency: "unbounded" },
      )
      const { account } = World.alice
      for (const directory of directories) {
        assert.strictEqual(yield* passwordOf(directory, account), World.password)
        yield* directory.addToken(account, label)
      }
      for (const directory of directories) assert.lengthOf(yield* secretsOf(directory, account), 5)
    }),
  )

  it.effect("keeps the uses of the same tokens that two servers tell in other orders", () =>
    Effect.gen(function* () {
      const options = yield* fresh
      const one = yield* open(options)
      const other = yield* open(options)
      const { account } = World.alice
      yield* one.create([World.alice])
      const ids = yield* Effect.replicateEffect(
        Effect.map(one.addToken(account, label), ({ id }) => id),
        16,
      )
      for (let minute = 1; minute <= 50; minute++) {
        const uses = ids.map((id) => ({ account, id, at: 60_000 * minute }))
        yield* Effect.all([one.used(uses), other.used(uses.toReversed())], { concurrency: "unbounded" })
      }
      const tokens = yield* other.tokens(account)
      assert.deepStrictEqual(
        tokens.map(({ lastUsed }) => lastUsed),
        ids.map(() => Option.some(3_000_000)),
      )
    }),
  )

  it.effect("lets one server in whose key is made at the same time as another's, and refuses the other", () =>
    Effect.gen(function* () {
      const { url } = yield* fresh
      const outcomes = yield* Effect.forEach(
        [yield* DirectoryKey.generate, yield* DirectoryKey.generate],
        (key) => Effect.option(open({ url, key })),
        { concurrency: "unbounded" },
      )
      assert.lengthOf(outcomes.filter(Option.isSome), 1)
    }),
  )

  it.effect("creates many without a deadlock with whoever creates the same ones in another order", () =>
    Effect.gen(function* () {
      const options = yield* fresh
      const directory = yield* open(options)
      const insert = (sql: SqlClient.SqlClient, name: string) =>
        sql`INSERT INTO msnp_accounts VALUES (${name}, ${name}, '', 'x', 'Verified', 'Enabled')`
      const creating = yield* behind(options.url, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* insert(sql, "a@x")
            const creating = yield* Effect.forkDetach(directory.create([World.entry("b@x"), World.entry("a@x")]))
            yield* waiting(options.url)
            yield* insert(sql, "b@x")
            return creating
          }),
        ),
      )
      assert.deepStrictEqual(
        yield* Effect.flip(Fiber.join(creating)),
        new Directory.AccountTaken({ account: Account.Account.make("b@x") }),
      )
    }),
  )

  it.effect("tells every server within a second who is barred", () =>
    Effect.gen(function* () {
      const options = yield* fresh
      const [one, other] = [yield* open(options), yield* open(options)]
      yield* one.create([World.alice])
      const heard = yield* DirectoryContract.listen(one)
      yield* other.setStanding(World.alice.account, "Disabled")
      yield* Effect.timeout(
        Resources.until(() => heard.length > 0),
        "1 second",
      )
      assert.deepStrictEqual(heard, ["alice@hotmail.com"])
    }),
  )

  it.effect("misses none who is barred by one whose transaction began before another's and ended after it", () =>
    Effect.gen(function* () {
      const options = yield* fresh
      const directory = yield* open(options)
      yield* directory.create([World.alice])
      const heard = yield* DirectoryContract.listen(directory)
      const slow = behind(options.url, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            // Somebody is barred, and that is not committed yet.
            yield* sql`INSERT INTO msnp_barred (account, barred_at) VALUES ('slow@x', ${Date.now()})`
            const fast = yield* Effect.forkDetach(directory.setStanding(World.alice.account, "Disabled"))
            yield* waiting(options.url)
            return fast
          }),
        ),
      )
      yield* Effect.flatMap(slow, Fiber.join)
      yield* Resources.until(() => heard.length > 1)
      assert.deepStrictEqual(heard, ["slow@x", "alice@hotmail.com"])
    }),
  )

  it.effect("tells what is wrong while the database is away, comes back with it, and has missed nobody barred", () => {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ message }) => void logged.push(message))
    return Effect.gen(function* () {
      const { port, start, stop } = yield* Postgres.Postgres
      const options = yield* fresh
      const directory = yield* open(options)
      yield* directory.create([World.alice, World.entry("bob@x")])
      const heard = yield* DirectoryContract.listen(directory)

      yield* stop
      const errors = [
        yield* Effect.flip(directory.find(World.alice.account)),
        yield* Effect.flip(directory.find(World.alice.account)),
        yield* Effect.flip(directory.create([World.entry("carol@x")])),
        yield* Effect.flip(directory.remove(World.alice.account)),
        yield* Effect.flip(Stream.runCollect(directory.list)),
      ]
      for (const error of errors) {
        assert.strictEqual(error._tag, "DirectoryError")
        assert.match(error.message, new RegExp(`^PostgreSQL at 127\\.0\\.0\\.1:${port} cannot be used now: .+\\.$`))
      }
      assert.strictEqual(
        (yield* refusal(options)).message,
        `PostgreSQL at 127.0.0.1:${port} cannot be opened: connect ECONNREFUSED 127.0.0.1:${port}.`,
      )

      // Whoever listens has found out, too.
      yield* Resources.until(() => logged.some((message) => String(message).includes("will be told later")))
      yield* start
      // Before this directory has looked again, another one bars somebody.
      yield* Effect.scoped(Effect.flatMap(open(options), (other) => other.setStanding(World.alice.account, "Disabled")))
      assert.strictEqual(yield* passwordOf(directory, World.alice.account), World.password)
      yield* directory.remove(Account.Account.make("bob@x"))
      yield* Resources.until(() => heard.length > 1)
      assert.deepStrictEqual(heard, ["alice@hotmail.com", "bob@x"])
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("never tells the password of the database", () =>
    Effect.gen(function* () {
      const { port } = yield* Postgres.Postgres
      const { key } = yield* fresh
      const secret = "hunter2-hunter2"
      const nowhere = yield* Postgres.freePort
      for (const [url, message] of [
        [
          `postgres://postgres:${secret}@127.0.0.1:${port}/postgres`,
          `PostgreSQL at 127.0.0.1:${port} cannot be opened: password authentication failed for user "postgres".`,
        ],
        [
          `postgres://postgres:${secret}@127.0.0.1:${nowhere}/postgres`,
          `PostgreSQL at 127.0.0.1:${nowhere} cannot be opened: connect ECONNREFUSED 127.0.0.1:${nowhere}.`,
        ],
        [
          `postgres://postgres:${Postgres.password}@127.0.0.1:${port}/${secret.slice(0, 7)}`,
          `PostgreSQL at 127.0.0.1:${port} cannot be opened: database "hunter2" does not exist.`,
        ],
        [
          `mysql://root:${secret}@127.0.0.1:${port}/x`,
          `PostgreSQL at 127.0.0.1:${port} cannot be opened: Unsupported connection URL protocol: "mysql:".`,
        ],
        [`postgres://postgres:${secret}@[/x`, "PostgreSQL cannot be opened: Invalid URL."],
      ] as const) {
        const error = yield* refusal({ url: Redacted.make(url), key })
        assert.strictEqual(error.message, message)
        for (const shown of [String(error), JSON.stringify(error), Util.inspect(error, { depth: 9 })]) {
          assert.notInclude(shown, secret)
          assert.notInclude(shown, Postgres.password)
        }
      }
    }),
  )

  it.effect("gives up on a server that does not answer", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer((connection) => connection.resume())
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void))),
      )
      const address = silent.address()
      const port = typeof address === "object" ? address?.port : 0
      const url = Redacted.make(`postgres://postgres@127.0.0.1:${port}/x?connect_timeout=1`)
      const error = yield* refusal({ url, key: yield* DirectoryKey.generate })
      assert.match(error.message, new RegExp(`^PostgreSQL at 127\\.0\\.0\\.1:${port} cannot be opened: `))
    }),
  )

  it.effect("gives up on a database whose tables somebody holds", () =>
    Effect.gen(function* () {
      const { port } = yield* Postgres.Postgres
      const { key, url } = yield* fresh
      yield* Effect.scoped(open({ url, key }))
      yield* behind(url, (sql) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`LOCK TABLE msnp_migrations IN ACCESS EXCLUSIVE MODE`
            const clock = yield* TestClock.make()
            const opening = yield* Effect.forkChild(Effect.provideService(refusal({ url, key }), Clock.Clock, clock))
            yield* waiting(url)
            yield* clock.adjust("20 seconds")
            assert.strictEqual(
              (yield* Fiber.join(opening)).message,
              `PostgreSQL at 127.0.0.1:${port} cannot be opened: it has not answered for 20 seconds.`,
            )
          }),
        ),
      )
    }),
  )

  it.effect("is sealed with another key, and then knows the old one no more", () =>
    Effect.gen(function* () {
      const { port } = yield* Postgres.Postgres
      const { key: from, url } = yield* fresh
      const to = yield* DirectoryKey.generate
      const old = yield* open({ url, key: from })
      const names = Array.from({ length: 1201 }, (_, i) => `user${i}@x`)
      yield* old.create(names.map((name) => World.entry(name, { password: Redacted.make(`password of ${name}`) })))
      // 33 x 16 tokens; 500 are sealed at once.
      const owners = names.slice(0, 33).map((name) => Account.Account.make(name))
      const secrets = yield* Effect.forEach(owners, (owner) =>
        Effect.map(Effect.replicateEffect(old.addToken(owner, label), 16), (tokens) =>
          tokens.map(({ secret }) => Redacted.value(secret)).toSorted(),
        ),
      )

      yield* PostgresDirectory.rekey({ url, from, to })
      assert.include((yield* refusal({ url, key: from })).message, "is sealed with another key")
      assert.include((yield* Effect.flip(PostgresDirectory.rekey({ url, from, to }))).message, "another key")
      assert.strictEqual(
        (yield* Effect.flip(old.create([World.alice]))).message,
        `PostgreSQL at 127.0.0.1:${port} is sealed with a new key now: start with that.`,
      )
      assert.include((yield* Effect.flip(old.addToken(World.alice.account, label))).message, "a new key now")
      const anew = yield* open({ url, key: to })
      const all = yield* Stream.runCollect(anew.list)
      assert.lengthOf(all, 1201)
      assert.deepStrictEqual(yield* Effect.forEach(owners, (owner) => secretsOf(anew, owner)), secrets)
      for (const { account, password } of all) assert.strictEqual(Redacted.value(password), `password of ${account}`)
    }),
  )

  it.effect("is not sealed anew by one of two who begin at the same time", () =>
    Effect.gen(function* () {
      const { key: from, url } = yield* fresh
      const [first, second] = [yield* DirectoryKey.generate, yield* DirectoryKey.generate]
      // The one that begins first is overtaken when it has found its key right.
      const overtaken = SqlDirectory.rekey({
        key: SqlDirectory.given(from),
        to: Effect.as(PostgresDirectory.rekey({ url, from, to: second }), first),
      }).pipe(Effect.provide(PgClient.layer({ url })))
      assert.strictEqual(
        (yield* Effect.flip(overtaken)).message,
        "The database is sealed as it was: somebody else has sealed it with a new key.",
      )
      yield* Effect.scoped(open({ url, key: second }))
    }),
  )

  it.effect("keeps nothing that is sealed with the old key, whoever writes meanwhile", () =>
    Effect.gen(function* () {
      const { key: from, url } = yield* fresh
      const to = yield* DirectoryKey.generate
      const directory = yield* open({ url, key: from })
      yield* directory.create(Array.from({ length: 600 }, (_, i) => World.entry(`old${i}@x`)))
      const created: Array<string> = []
      const writing = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let n = 0; ; n++) {
            yield* directory.create([World.entry(`new${n}@x`)])
            created.push(`new${n}@x`)
          }
        }).pipe(Effect.flip),
      )
      yield* Resources.until(() => created.length > 3)
      yield* PostgresDirectory.rekey({ url, from, to })
      assert.include((yield* Fiber.join(writing)).message, "is sealed with a new key now")
      const all = yield* Stream.runCollect((yield* open({ url, key: to })).list)
      assert.deepStrictEqual(
        all.map(({ account }) => account).filter((name) => name.startsWith("new")),
        created.toSorted(),
      )
      assert.lengthOf(all, 600 + created.length)
    }),
  )

  it("asks for its package where that is not installed, and nothing else of the library needs it", () => {
    const program = `
        import { registerHooks } from "node:module"
        registerHooks({
          resolve: (name, context, next) => {
            if (name.startsWith("@effect/sql-pg")) throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" })
            return next(name, context)
          },
        })
        const { DirectoryKey, PostgresDirectory } = await import("./src/index.ts")
        const Effect = await import("effect/Effect")
        const Layer = await import("effect/Layer")
        const Redacted = await import("effect/Redacted")
        const key = await Effect.runPromise(DirectoryKey.generate)
        const layer = PostgresDirectory.layer({ url: Redacted.make("postgres://x@127.0.0.1:1/x"), key })
        const error = await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(layer))))
        process.stdout.write(error._tag + ": " + error.message)`
    const { stderr, stdout } = ChildProcess.spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: new URL("../..", import.meta.url),
      encoding: "utf8",
    })
    assert.deepStrictEqual(
      { stderr, stdout },
      {
        stderr: "",
        stdout:
          "OpenError: Accounts in PostgreSQL need one more package, in the same folder as this one: npm install @effect/sql-pg.",
      },
    )
  })
})

/** Waits until somebody waits for a lock in this database. */
const waiting = (url: Redacted.Redacted<string>) =>
  behind(url, (sql) =>
    Effect.gen(function* () {
      while (true) {
        const held = yield* sql`SELECT pid FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`
        if (held.length > 0) return
        yield* Effect.sleep("5 millis")
      }
    }),
  )
