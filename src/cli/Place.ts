/**
 * Where the accounts are kept, as the command line and the environment say it: in a file of this machine, or in
 * PostgreSQL; and where a server that runs on them is talked to.
 */
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Directory from "../host/Directory.ts"
import * as DirectoryKey from "../host/DirectoryKey.ts"
import type * as SqliteDirectory from "../host/SqliteDirectory.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Settings from "./Settings.ts"

/** Where accounts are kept. The address of a database may have a password in it. */
export type Place =
  | { readonly _tag: "Embedded"; readonly path: string }
  | { readonly _tag: "Postgres"; readonly url: Redacted.Redacted<string> }

// What keeps accounts is imported where some are kept there: a server that tries itself out needs no database.
const sqlite = Effect.promise(() => import("../host/SqliteDirectory.ts"))
const postgres = Effect.promise(() => import("../host/PostgresDirectory.ts"))

const parse = (text: string): Option.Option<Place> => {
  if (text === "") return Option.none()
  return Option.some(
    /^postgres(?:ql)?:\/\//.test(text)
      ? { _tag: "Postgres", url: Redacted.make(text, { label: "database" }) }
      : { _tag: "Embedded", path: Path.resolve(text) },
  )
}

/** What a place must look like. */
const expected = "the path of a file, or postgres://…"

/** The flag `--directory`. */
export const directory = Flag.String("directory").pipe(
  Flag.withMetavar("PATH | postgres://…"),
  Flag.withDescription(
    "Where the accounts are kept: a file, or a PostgreSQL database (default MSNP_DIRECTORY, else accounts.db in the user's data directory)",
  ),
  Flag.filterMap(parse, () => expected),
  Flag.optional,
)

/** The flag `--control`. */
export const control = Flag.String("control").pipe(
  Flag.withMetavar("PATH"),
  Flag.withDescription(
    "The Unix socket at which a server is asked for its sessions (default PATH.control, by the PATH of --directory)",
  ),
  Flag.optional,
)

const variable = "MSNP_DIRECTORY"

/** The user's own place. */
const own = UserDirectories.make()
  .data("msnp")
  .pipe(
    Effect.map((folder): Place => ({ _tag: "Embedded", path: Path.join(folder, "accounts.db") })),
    Effect.mapError(() =>
      Failure.badInput("This user has no home directory: say with --directory where the accounts are kept."),
    ),
  )

/** The place that the environment names, or else the user's own. */
const unnamed = Effect.gen(function* () {
  const text = yield* Settings.get(Config.option(Config.String(variable)))
  if (Option.isNone(text)) return yield* own
  const place = parse(text.value)
  return Option.isSome(place) ? place.value : yield* Failure.badInput(`${variable} is not ${expected}.`)
})

/** The place that the flag names, or else the environment, or else the user's own. */
export const orDefault = (named: Option.Option<Place>): Effect.Effect<Place, Failure.Failure> =>
  Option.match(named, { onNone: () => unnamed, onSome: Effect.succeed })

/** The Unix socket of the server that runs on a place; none where it has to be named and is not. */
export const controlOf = (place: Place, named: Option.Option<string>): Option.Option<string> =>
  Option.orElse(
    Option.map(named, (path) => Path.resolve(path)),
    () => (place._tag === "Embedded" ? Option.some(`${place.path}.control`) : Option.none()),
  )

/** The key in a variable of the environment; none where it is not set. */
const keyIn = Effect.fnUntraced(function* (
  variable: string,
): Effect.fn.Return<Option.Option<DirectoryKey.DirectoryKey>, Failure.Failure> {
  const text = yield* Settings.get(Config.option(Config.Redacted(variable)))
  return yield* Effect.transposeOption(Option.map(text, DirectoryKey.parse)).pipe(
    Effect.mapError(({ message }) => Failure.badInput(`${variable} is no key. ${message}`)),
  )
})

/** The key in a variable that has to be set for PostgreSQL. */
const neededKeyIn = (variable: string): Effect.Effect<DirectoryKey.DirectoryKey, Failure.Failure> =>
  Effect.flatMap(
    keyIn(variable),
    Option.match({
      onNone: () =>
        Failure.badInput(
          `Accounts in PostgreSQL need a key that all servers share: set ${variable} to 32 random bytes, for instance from \`openssl rand -hex 32\`.`,
        ),
      onSome: Effect.succeed,
    }),
  )

/** The variable with the key. */
export const currentKey = "MSNP_DIRECTORY_KEY"

/** The variable with the key that is to take its place. */
export const newKey = "MSNP_DIRECTORY_NEW_KEY"

/** Tells of a key that was made, and what is to be done with it. */
const tellOfKey =
  (reader: Output.Reader) =>
  (path: string): Effect.Effect<void> =>
    reader === "Program"
      ? Console.log(Output.json({ event: "keyMade", path }))
      : Console.error(`Made the key ${Output.legible(path)}: back it up, since without it the accounts are lost.`)

/** What becomes of a file for accounts that is not there yet. */
export type Missing = "Make" | "Refuse"

/** The directory in a place. */
export const open = (
  place: Place,
  {
    missing,
    reader,
    use,
  }: {
    readonly use: SqliteDirectory.Use
    readonly missing: Missing
    readonly reader: Output.Reader
  },
): Layer.Layer<Directory.Directory, Failure.Failure> =>
  Layer.unwrap(
    Effect.gen(function* () {
      switch (place._tag) {
        case "Embedded": {
          if (missing === "Refuse" && !Fs.existsSync(place.path)) {
            return yield* Failure.badInput(`There is no ${place.path} yet: msnp account add makes it.`)
          }
          const key = yield* keyIn(currentKey)
          return (yield* sqlite).layer({ path: place.path, key, use, onKeyMade: tellOfKey(reader) })
        }
        case "Postgres": {
          const key = yield* neededKeyIn(currentKey)
          return (yield* postgres).layer({ url: place.url, key })
        }
      }
    }),
  ).pipe(
    Layer.catch((error) => Layer.effectContext(error._tag === "OpenError" ? Failure.badInput(error.message) : error)),
  )

const orFailure = Effect.mapError(({ message }: { readonly message: string }) => Failure.badInput(message))

/** Copies the accounts in a place to a file. */
export const backup = (place: Place, to: string): Effect.Effect<void, Failure.Failure> => {
  switch (place._tag) {
    case "Embedded":
      return orFailure(Effect.flatMap(sqlite, ({ backup }) => backup({ path: place.path, to })))
    case "Postgres":
      return Effect.fail(Failure.badInput("Accounts in PostgreSQL are backed up by its own means: use pg_dump."))
  }
}

/** Seals the accounts in a place with another key; where that lies, if it lies in a file. */
export const rekey = Effect.fnUntraced(function* (
  place: Place,
): Effect.fn.Return<Option.Option<string>, Failure.Failure> {
  switch (place._tag) {
    case "Embedded": {
      const [key, to] = [yield* keyIn(currentKey), yield* keyIn(newKey)]
      if (Option.isSome(key) && Option.isNone(to)) {
        return yield* Failure.badInput(
          `The key is in ${currentKey}: set ${newKey} to the one that is to take its place.`,
        )
      }
      return yield* orFailure((yield* sqlite).rekey({ path: place.path, key, to }))
    }
    case "Postgres": {
      const [from, to] = [yield* neededKeyIn(currentKey), yield* neededKeyIn(newKey)]
      yield* orFailure((yield* postgres).rekey({ url: place.url, from, to }))
      return Option.none()
    }
  }
})
