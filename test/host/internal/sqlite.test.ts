import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as Sqlite from "../../../src/host/internal/sqlite.ts"
import * as Folder from "../../support/Folder.ts"

/** Runs with the client of a fresh file, in which there is a table of words. */
const withTable = <Value, Error>(body: (sql: SqlClient.SqlClient) => Effect.Effect<Value, Error, Scope.Scope>) =>
  Effect.gen(function* () {
    const sql = yield* Sqlite.make(Path.join(yield* Folder.fresh, "words.db"))
    yield* sql`CREATE TABLE words (word text UNIQUE)`
    return yield* body(sql)
  }).pipe(Effect.provide(Reactivity.layer))

const words = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ word: string }>`SELECT word FROM words ORDER BY word`, (rows) => rows.map(({ word }) => word))

describe("a client of SQLite", () => {
  it.live("waits for whoever begins the same file, or reads it from before it was kept in this way", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* Folder.fresh, "words.db")
      const other = yield* Sqlite.open(path)
      yield* Sqlite.run(other, "CREATE TABLE words (word text); BEGIN; SELECT count(*) FROM words")
      const opening = yield* Effect.forkChild(Sqlite.make(path), { startImmediately: true })
      assert.isUndefined(opening.pollUnsafe())
      yield* Sqlite.run(other, "COMMIT")
      const sql = yield* Fiber.join(opening)
      assert.deepStrictEqual(yield* words(sql), [])
    }).pipe(Effect.provide(Reactivity.layer)),
  )

  it.live("answers with rows, with values, and as a stream", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const all = sql`SELECT 1 AS one, 'two' AS two, x'03' AS three, NULL AS four`
        const [row] = yield* all
        assert.deepStrictEqual({ ...row }, { one: 1, two: "two", three: new Uint8Array([3]), four: null })
        assert.deepStrictEqual(yield* all.values, [[1, "two", new Uint8Array([3]), null]])
        assert.lengthOf(yield* Stream.runCollect(all.stream), 1)
        assert.deepStrictEqual(yield* sql`INSERT INTO words ${sql.insert({ word: "x" })}`, [])
      }),
    ),
  )

  it.live("answers what was asked before as the tables are now, whoever has changed them", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* Folder.fresh, "words.db")
      const sql = yield* Sqlite.make(path)
      const other = yield* Sqlite.open(path)
      const all = Effect.map(sql`SELECT * FROM words`, (rows) => rows.map((row) => ({ ...row })))
      yield* sql`CREATE TABLE words (word text)`
      yield* sql`INSERT INTO words VALUES ('one')`
      assert.deepStrictEqual(yield* all, [{ word: "one" }])
      yield* sql`ALTER TABLE words ADD COLUMN length integer`
      assert.deepStrictEqual(yield* all, [{ word: "one", length: null }])
      yield* Sqlite.run(other, "DROP TABLE words; CREATE TABLE words (size integer, word text)")
      yield* Sqlite.run(other, "INSERT INTO words VALUES (3, 'two')")
      assert.deepStrictEqual(yield* all, [{ size: 3, word: "two" }])
      assert.deepStrictEqual(yield* sql`SELECT * FROM words`.values, [[3, "two"]])
      assert.deepStrictEqual(yield* all, [{ size: 3, word: "two" }])
    }).pipe(Effect.provide(Reactivity.layer)),
  )

  it.live("answers any number of different questions, and each of them again", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        for (let round = 0; round < 2; round++) {
          for (let n = 0; n < 200; n++) {
            assert.deepStrictEqual(yield* sql`SELECT ${sql.literal(String(n))} AS n`.values, [[n]])
          }
        }
      }),
    ),
  )

  it.live("lets go of the rows of a statement that has failed, and runs it again", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const insert = (word: string) => sql`INSERT INTO words VALUES (${word})`
        yield* insert("one")
        const error = yield* Effect.flip(insert("one"))
        assert.strictEqual(error.reason._tag, "UniqueViolation")
        yield* insert("two")
        assert.deepStrictEqual(yield* words(sql), ["one", "two"])
      }),
    ),
  )

  it.live("shows nobody else what a transaction has not committed, and makes nobody wait who only reads", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const isWritten = yield* Deferred.make<void>()
        const mayCommit = yield* Deferred.make<void>()
        const transaction = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`INSERT INTO words VALUES ('draft')`
              assert.deepStrictEqual(yield* words(sql), ["draft"])
              yield* Deferred.succeed(isWritten, undefined)
              yield* Deferred.await(mayCommit)
            }),
          ),
        )
        yield* Deferred.await(isWritten)
        assert.deepStrictEqual(yield* words(sql), [])
        yield* Deferred.succeed(mayCommit, undefined)
        yield* Fiber.join(transaction)
        assert.deepStrictEqual(yield* words(sql), ["draft"])
      }),
    ),
  )

  it.live("lets one transaction in after the other, and a lone statement after both", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const steps: Array<string> = []
        const step = (name: string) => Effect.sync(() => steps.push(name))
        const slowly = (name: string) =>
          sql.withTransaction(
            Effect.gen(function* () {
              yield* step(`${name} begins`)
              yield* sql`INSERT INTO words VALUES (${name})`
              yield* Effect.sleep("20 millis")
              yield* step(`${name} ends`)
            }),
          )
        yield* Effect.all([slowly("a"), slowly("b"), sql`INSERT INTO words VALUES ('c')`], {
          concurrency: "unbounded",
        })
        assert.deepStrictEqual(steps, ["a begins", "a ends", "b begins", "b ends"])
        assert.deepStrictEqual(yield* words(sql), ["a", "b", "c"])
      }),
    ),
  )

  it.live("takes back what a transaction has done that fails or is interrupted, and goes on", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const failing = sql.withTransaction(Effect.andThen(sql`INSERT INTO words VALUES ('failed')`, Effect.fail("no")))
        assert.strictEqual(yield* Effect.flip(failing), "no")
        const isWritten = yield* Deferred.make<void>()
        const endless = yield* Effect.forkChild(
          sql.withTransaction(
            sql`INSERT INTO words VALUES ('interrupted')`.pipe(
              Effect.andThen(Deferred.succeed(isWritten, undefined)),
              Effect.andThen(Effect.never),
            ),
          ),
        )
        yield* Deferred.await(isWritten)
        yield* Fiber.interrupt(endless)
        assert.deepStrictEqual(yield* words(sql), [])
        yield* sql.withTransaction(sql`INSERT INTO words VALUES ('whole')`)
        assert.deepStrictEqual(yield* words(sql), ["whole"])
      }),
    ),
  )

  it.live("fails with what kind of trouble it is", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        yield* sql`INSERT INTO words VALUES ('one')`
        const twice = yield* Effect.flip(sql`INSERT INTO words VALUES ('one')`)
        assert.deepStrictEqual(
          [twice.reason._tag, twice.message],
          ["UniqueViolation", "UNIQUE constraint failed: words.word"],
        )
        const alien = yield* Effect.flip(sql`SELECT ${new Date(0)}`)
        assert.strictEqual(alien.message, "SQLite takes texts, numbers, bytes and null only")
      }),
    ),
  )

  it.effect("waits 5 seconds for whoever writes, and then says so", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        yield* sql`INSERT INTO words VALUES ('one')`.pipe(
          Effect.andThen(Deferred.succeed(begun, undefined)),
          Effect.andThen(Effect.never),
          sql.withTransaction,
          Effect.forkScoped,
        )
        yield* Deferred.await(begun)
        const lone = yield* Effect.forkChild(Effect.flip(sql`INSERT INTO words VALUES ('two')`), {
          startImmediately: true,
        })
        yield* TestClock.adjust("4900 millis")
        assert.isUndefined(lone.pollUnsafe())
        yield* TestClock.adjust("200 millis")
        const error = yield* Fiber.join(lone)
        assert.strictEqual(error.message, "another process has been writing it for 5 seconds, so try again later")
      }),
    ).pipe(Effect.scoped),
  )

  it.live("has what it has committed on the disk", () =>
    withTable((sql) =>
      Effect.gen(function* () {
        // 2 is FULL: each commit is flushed.
        const both = [yield* sql`PRAGMA synchronous`.values, yield* sql.withTransaction(sql`PRAGMA synchronous`.values)]
        assert.deepStrictEqual(both, [[[2]], [[2]]])
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`.values, [["wal"]])
      }),
    ),
  )

  it("keeps to itself that Node calls its module experimental, and keeps no other warning back", () => {
    const program = `
      // As a Node that still warns does when the module is loaded for the first time.
      const load = process.getBuiltinModule
      process.getBuiltinModule = (name) => {
        if (name === "node:sqlite") process.emitWarning("SQLite", "ExperimentalWarning")
        return load(name)
      }
      const Sqlite = await import("./src/host/internal/sqlite.ts")
      const Effect = await import("effect/Effect")
      await Effect.runPromise(Effect.scoped(Sqlite.open(":memory:")))
      process.emitWarning("another", "ExperimentalWarning")`
    const { stderr } = ChildProcess.spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: new URL("../../..", import.meta.url),
      encoding: "utf8",
    })
    assert.notInclude(stderr, "SQLite")
    assert.include(stderr, "ExperimentalWarning: another")
  })
})
