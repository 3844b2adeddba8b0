/**
 * A short way to ask a database one and the same question again and again: which rows are under this name?
 *
 * A statement of a `SqlClient` makes itself, its text and a span anew each time, which is 5 us of the 11 that SQLite takes
 * to find an account so. The span is there still, for whoever has a tracer.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as SqlConnection from "effect/sql/SqlConnection"
import type * as SqlError from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import * as Tracer from "effect/Tracer"

type Rows = Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>

/** A connection that needs not be waited for, where a client has one. */
export class Lookup extends Context.Service<Lookup, SqlConnection.Connection>()("effect-msnp/host/internal/Lookup") {}

/** Asks by a statement, whose one parameter is the name: by the connection, if there is one and nobody traces. */
export const make = (
  connection: Option.Option<SqlConnection.Connection>,
  statement: (name: string) => Statement.Statement<unknown>,
): ((name: string) => Rows) => {
  if (Option.isNone(connection)) return statement
  const { execute } = connection.value
  const [text] = statement("").compile()
  return (name) =>
    Effect.flatMap(Effect.tracer, (tracer) =>
      tracer === Tracer.nativeTracer ? execute(text, [name], undefined) : statement(name),
    )
}
