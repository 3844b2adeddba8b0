/**
 * A `SqlClient` over `node:sqlite`: a connection for transactions, one at a time, and another for all else, which sees
 * nothing of them before they are committed. An official driver of Effect can take this file's place.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type * as Sqlite from "node:sqlite"
import * as Lookup from "./lookup.ts"

/** Node's module, loaded without its warning of being experimental: nothing else can be warned of meanwhile. */
const load = (): typeof Sqlite => {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back where it was, never called
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule("node:sqlite")
  } finally {
    process.emitWarning = emitWarning
  }
}

/** What SQLite says too little of, by its primary result codes. */
const says: { readonly [code: number]: string } = {
  5: "another process has been writing it for 5 seconds, so try again later",
  8: "this process may not write it, or not beside it",
  14: "this process may not open it, or not write beside it",
}

const failed = (operation: string, cause: unknown): SqlError.SqlError => {
  // Node calls `errcode` what the classifier knows as `errno`; what is primary in it are eight bits.
  const errno = Predicate.hasProperty(cause, "errcode") ? Number(cause.errcode) : 0
  const message = says[errno & 0xff] ?? (Predicate.isError(cause) ? cause.message : String(cause))
  return new SqlError.SqlError({
    reason: SqlError.classifySqliteError(Object.assign(new Error(message), { errno }), { message, operation }),
  })
}

const isInput = (value: unknown): value is Sqlite.SQLInputValue =>
  value === null || ["string", "number", "bigint"].includes(typeof value) || ArrayBuffer.isView(value)

const isLocked = (error: SqlError.SqlError): boolean => error.reason._tag === "LockTimeoutError"

/** How long another process is waited for that writes. Waiting is left to the fiber: SQLite's own stops all of them. */
const patience = { schedule: Schedule.spaced("10 millis"), times: 500 }

/** A database file, opened until the scope closes; it is made if there is none. */
export const open = (path: string): Effect.Effect<Sqlite.DatabaseSync, SqlError.SqlError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => new (load().DatabaseSync)(path), catch: (cause) => failed("open", cause) }),
    (database) => Effect.sync(() => database.close()),
  )

/** Runs statements that have no results. */
export const run = (database: Sqlite.DatabaseSync, sql: string): Effect.Effect<void, SqlError.SqlError> =>
  Effect.try({ try: () => database.exec(sql), catch: (cause) => failed("execute", cause) })

/** How many statements a connection keeps that are prepared: more than a directory has, short of those of whole pages. */
const maxPrepared = 64

/**
 * Prepares statements once: it takes 13 us, of the 18 that it takes to find an account. SQLite prepares one anew by
 * itself where the schema has been changed since.
 */
const preparing = (database: Sqlite.DatabaseSync) => {
  const prepared = new Map<string, Sqlite.StatementSync>()
  return (sql: string): Sqlite.StatementSync => {
    const before = prepared.get(sql)
    if (before !== undefined) return before
    const statement = database.prepare(sql)
    const [oldest] = prepared.keys()
    if (prepared.size >= maxPrepared && oldest !== undefined) prepared.delete(oldest)
    prepared.set(sql, statement)
    return statement
  }
}

const connect = (database: Sqlite.DatabaseSync): SqlConnection.Connection => {
  const prepare = preparing(database)
  const all = (sql: string, params: ReadonlyArray<unknown>, rows: "Objects" | "Arrays") => {
    const once = Effect.try({
      try: (): ReadonlyArray<object> => {
        if (!params.every(isInput)) throw new TypeError("SQLite takes texts, numbers, bytes and null only")
        const statement = prepare(sql)
        statement.setReturnArrays(rows === "Arrays")
        return statement.all(...params)
      },
      catch: (cause) => failed("execute", cause),
    })
    // A transaction that has begun has its lock already.
    const isWorthwhile = (error: SqlError.SqlError) => isLocked(error) && !database.isTransaction
    return Effect.catchIf(once, isWorthwhile, () => Effect.retry(once, { ...patience, while: isWorthwhile }))
  }
  const execute: SqlConnection.Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(all(sql, params, "Objects"), (rows) => transformRows?.(rows) ?? rows)
  const executeValues: SqlConnection.Connection["executeValues"] = (sql, params) =>
    Effect.map(all(sql, params, "Arrays"), (rows) => rows.filter((row) => Array.isArray(row)))
  return {
    execute,
    executeUnprepared: execute,
    executeValues,
    executeValuesUnprepared: executeValues,
    executeRaw: (sql, params) => all(sql, params, "Objects"),
    executeStream: (sql, params, transformRows) =>
      Stream.unwrap(Effect.map(execute(sql, params, transformRows), Stream.fromIterable)),
  }
}

/** A connection to a database file, on whose disk everything is that it has committed. */
const connection = Effect.fnUntraced(function* (path: string) {
  const database = yield* open(path)
  // Of two that begin a file, SQLite turns one down at once, whatever time-out it was given: they would wait for each other.
  yield* Effect.retry(run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"), {
    ...patience,
    while: isLocked,
  })
  return { ...connect(database), isTransaction: () => database.isTransaction }
})

/** The client of a database file, which is closed with the scope, and its short way to look something up. */
export const services = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<
  Context.Context<SqlClient.SqlClient | Lookup.Lookup>,
  SqlError.SqlError,
  Scope.Scope | Reactivity.Reactivity
> {
  // A statement is done when it returns, so all that have no transaction can share one.
  const shared = yield* connection(path)
  const { isTransaction, onCommitFailure, transactionAcquirer } = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(yield* connection(path)),
    semaphore: yield* Semaphore.make(1),
    isTransaction: (own) => own.isTransaction(),
  })
  const client = yield* SqlClient.make({
    acquirer: Effect.succeed(shared),
    borrower: (use) => use(shared),
    transactionAcquirer,
    isTransaction,
    onCommitFailure,
    compiler: Statement.makeCompilerSqlite(),
    beginTransaction: "BEGIN IMMEDIATE",
    driver: "node-sqlite",
    spanAttributes: [["db.system.name", "sqlite"]],
  })
  return Context.make(SqlClient.SqlClient, client).pipe(Context.add(Lookup.Lookup, shared))
})

/** The client alone. */
export const make = (
  path: string,
): Effect.Effect<SqlClient.SqlClient, SqlError.SqlError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.map(services(path), Context.get(SqlClient.SqlClient))
