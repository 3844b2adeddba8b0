/**
 * The accounts that last, in PostgreSQL: for several servers that share them, and with them the key.
 *
 * It takes the package `@effect/sql-pg`, which is loaded when a directory is opened.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Directory from "./Directory.ts"
import type * as DirectoryKey from "./DirectoryKey.ts"
import * as SqlDirectory from "./SqlDirectory.ts"

/** A database, and how it is reached. */
export interface Options {
  /** `postgres://user:password@host:port/database` */
  readonly url: Redacted.Redacted<string>
  /** All servers of a database have the same. */
  readonly key: DirectoryKey.DirectoryKey
  /** How many connections to it there may be at once: 10 by default. */
  readonly maxConnections?: number
}

/** How long it may take to open a directory: what takes longer waits for somebody who holds its tables. */
const patience = "20 seconds"

/** Where a database is, for a person to read: no user, no password. */
const nameOf = (url: Redacted.Redacted<string>): string => {
  const parsed = URL.parse(Redacted.value(url))
  if (parsed === null) return "PostgreSQL"
  const host = parsed.searchParams.get("host") ?? parsed.hostname
  const port = parsed.searchParams.get("port") ?? parsed.port
  return `PostgreSQL at ${host === "" ? "localhost" : host}:${port === "" ? "5432" : port}`
}

/** The client of a database, and nothing of the types of its package. */
const database = (
  url: Redacted.Redacted<string>,
  maxConnections: number,
): Layer.Layer<SqlClient.SqlClient, SqlDirectory.OpenError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const PgClient = yield* Effect.tryPromise({
        try: () => import("@effect/sql-pg/PgClient"),
        catch: () =>
          new SqlDirectory.OpenError({
            message:
              "Accounts in PostgreSQL need one more package, in the same folder as this one: npm install @effect/sql-pg.",
          }),
      })
      return yield* Effect.mapError(
        PgClient.make({ url, maxConnections, applicationName: "effect-msnp", keepAlive: "30 seconds" }),
        SqlDirectory.notOpened(nameOf(url)),
      )
    }),
  ).pipe(Layer.provide(Reactivity.layer))

/** Opening gives up after a while. */
const inTime =
  (name: string) =>
  <Value, Requirements>(self: Effect.Effect<Value, SqlDirectory.OpenError, Requirements>) =>
    Effect.timeoutOrElse(self, {
      duration: patience,
      orElse: () =>
        Effect.fail(
          new SqlDirectory.OpenError({ message: `${name} cannot be opened: it has not answered for ${patience}.` }),
        ),
    })

/** The directory in a database. When the database has been away, it comes back with it. */
export const layer = ({
  key,
  maxConnections = 10,
  url,
}: Options): Layer.Layer<Directory.Directory, SqlDirectory.OpenError> => {
  const name = nameOf(url)
  const directory = SqlDirectory.layer({ name, key: SqlDirectory.given(key) })
  return Layer.effectContext(inTime(name)(Layer.build(Layer.provide(directory, database(url, maxConnections)))))
}

/** Seals all passwords of a database with another key, or none of them. Servers that know the old one must be started anew. */
export const rekey = ({
  from,
  to,
  url,
}: {
  readonly url: Redacted.Redacted<string>
  readonly from: DirectoryKey.DirectoryKey
  readonly to: DirectoryKey.DirectoryKey
}): Effect.Effect<void, SqlDirectory.OpenError> =>
  SqlDirectory.rekey({ name: nameOf(url), key: SqlDirectory.given(from), to: Effect.succeed(to) }).pipe(
    Effect.provide(database(url, 2)),
  )
