/**
 * The accounts that last, in one file of this machine: what a server has that is not told of a database.
 *
 * Beside the file lies the key to the passwords in it, in `<path>.key`, unless the key is kept elsewhere; and
 * `<path>.lock`, which a server holds as long as it runs. Accounts can be changed beside a running server.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Bytes from "../protocol/Bytes.ts"
import type * as Directory from "./Directory.ts"
import * as DirectoryKey from "./DirectoryKey.ts"
import type * as Lookup from "./internal/lookup.ts"
import * as Sqlite from "./internal/sqlite.ts"
import * as SqlDirectory from "./SqlDirectory.ts"

/** What a directory is opened for: by one server at a time, or by whoever changes accounts. */
export type Use = "Serve" | "Administer"

/** A directory in a file. */
export interface Options {
  /** The file; it is made if there is none, with the folders that lead to it. */
  readonly path: string
  /** The key, if it is kept elsewhere; else it lies beside the file, and is made with it. */
  readonly key: Option.Option<DirectoryKey.DirectoryKey>
  readonly use: Use
  /** Told of a key that has been made, and where it lies: without it, a copy of the file is worth nothing. */
  readonly onKeyMade?: (keyPath: string) => Effect.Effect<void>
}

/** Where the key of a directory lies, if it is not kept elsewhere. */
export const keyPath = (path: string): string => `${Path.resolve(path)}.key`

/** Where its next key lies, until everything is sealed with that. */
const nextKeyPath = (path: string): string => `${keyPath(path)}.new`

const reasons: { readonly [code: string]: string } = {
  EACCES: "this process may not",
  EPERM: "this process may not",
  EROFS: "the disk can only be read",
  ENOSPC: "the disk is full",
  ENOENT: "its folder is not there",
  EISDIR: "it is a folder",
  EEXIST: "a part of its path is a file, not a folder",
  ENOTDIR: "a part of its path is a file, not a folder",
}

const whyNot = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = codeOf(error)
  return reasons[code] ?? error.message
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""

/** Does something to a file. */
const attempt = <Value>(path: string, what: () => Value): Effect.Effect<Value, SqlDirectory.OpenError> =>
  Effect.try({
    try: what,
    catch: (cause) => new SqlDirectory.OpenError({ message: `${path} cannot be opened: ${whyNot(cause)}.` }),
  })

/** Does something that may have been done already; whether it had not. */
const unless = (code: "EEXIST" | "ENOENT", what: () => void): boolean => {
  try {
    what()
    return true
  } catch (error) {
    if (codeOf(error) !== code) throw error
    return false
  }
}

/**
 * Makes a file that nobody else can read, unless there is one. One that there is must not be opened: closing it would
 * take the locks away that SQLite may have on it in this process.
 */
const makeFile = (file: string): void => {
  unless("EEXIST", () => Fs.closeSync(Fs.openSync(file, "wx", 0o600)))
  if (!Fs.statSync(file).isFile()) throw new Error("it is no file")
}

/** Sees to it that a file, or a folder, is on the disk. */
const flush = (path: string): void => {
  const file = Fs.openSync(path, "r")
  try {
    Fs.fsyncSync(file)
  } finally {
    Fs.closeSync(file)
  }
}

/** Sees to it that a file's new name is on the disk; Windows cannot open folders, and needs not. */
const flushFolder = (file: string): void => {
  if (process.platform !== "win32") flush(Path.dirname(file))
}

/** Keeps a key in a new file, which is there whole or not at all; whether there was none. */
const keep = Effect.fnUntraced(function* (path: string, key: DirectoryKey.DirectoryKey) {
  const digits = Redacted.value(yield* DirectoryKey.format(key))
  return yield* attempt(path, () => {
    const draft = `${path}.${Crypto.randomUUID()}`
    try {
      Fs.writeFileSync(draft, `${digits}\n`, { flag: "wx", mode: 0o600, flush: true })
      return unless("EEXIST", () => Fs.linkSync(draft, path))
    } finally {
      Fs.rmSync(draft, { force: true })
      flushFolder(path)
    }
  })
})

/** The key in a file; none if there is no such file. */
const kept = Effect.fnUntraced(function* (path: string) {
  const text = yield* attempt(path, () => (Fs.existsSync(path) ? Fs.readFileSync(path, "utf8") : undefined))
  if (text === undefined) return Option.none()
  // It may have to be so, where keys are handed to a container; it is said, not refused.
  if (process.platform !== "win32" && (Fs.statSync(path).mode & 0o077) !== 0) {
    yield* Effect.logWarning(`${Bytes.legible(Bytes.fromText(path))} can be read by others: chmod 600 is better.`)
  }
  return Option.some(
    yield* Effect.mapError(
      DirectoryKey.parse(Redacted.make(text)),
      ({ message }) => new SqlDirectory.OpenError({ message: `${path} holds no key. ${message}` }),
    ),
  )
})

/** What is done with a next key that was left behind: only whoever holds the lock knows that nobody is at it. */
type Leftovers = "Tidy" | "Leave"

/** The key of a file's directory: the one beside it, which is made if nothing has been sealed yet. */
const beside =
  (
    file: string,
    leftovers: Leftovers,
    onKeyMade: (keyPath: string) => Effect.Effect<void> = () => Effect.void,
  ): SqlDirectory.KeySource =>
  (fits) =>
    Effect.gen(function* () {
      const path = keyPath(file)
      const next = nextKeyPath(file)
      const key = yield* kept(path)
      if (Option.isNone(fits)) {
        if (Option.isSome(key)) return key.value
        const made = yield* DirectoryKey.generate
        // Another process may be at it too: the first one's key is everybody's.
        if (!(yield* keep(path, made))) return yield* beside(file, leftovers, onKeyMade)(fits)
        yield* onKeyMade(path)
        return made
      }
      if (Option.isSome(key) && (yield* fits.value(key.value))) {
        if (leftovers === "Tidy") yield* attempt(next, () => Fs.rmSync(next, { force: true }))
        return key.value
      }
      const nextKey = yield* kept(next)
      if (Option.isSome(nextKey) && (yield* fits.value(nextKey.value))) {
        if (leftovers === "Tidy") yield* promote(file)
        return nextKey.value
      }
      return yield* new SqlDirectory.OpenError({
        message: Option.isSome(key)
          ? `${file} is sealed with another key than the one in ${path}: put the right one there.`
          : `${file} is sealed, and its key is not in ${path}: put it there, or give it otherwise.`,
      })
    })

/** Makes the next key the one that counts. */
const promote = (file: string): Effect.Effect<void, SqlDirectory.OpenError> =>
  attempt(keyPath(file), () => {
    Fs.renameSync(nextKeyPath(file), keyPath(file))
    flushFolder(file)
  })

/** Holds the lock of a file until the scope closes, or until the process is gone, however it goes. */
const lock = Effect.fnUntraced(function* (file: string): Effect.fn.Return<void, SqlDirectory.OpenError, Scope.Scope> {
  const path = `${file}.lock`
  yield* attempt(path, () => makeFile(path))
  yield* Sqlite.open(path).pipe(
    Effect.flatMap((database) => Sqlite.run(database, "BEGIN EXCLUSIVE")),
    Effect.mapError(
      (error) =>
        new SqlDirectory.OpenError({
          message:
            error.reason._tag === "LockTimeoutError"
              ? `A server, or a change of key, is using ${file}: one at a time can.`
              : `${path} cannot be locked: ${error.message}.`,
        }),
    ),
  )
})

const database = (file: string): Layer.Layer<SqlClient.SqlClient | Lookup.Lookup, SqlDirectory.OpenError> =>
  Layer.effectContext(Effect.mapError(Sqlite.services(file), SqlDirectory.notOpened(file))).pipe(
    Layer.provide(Reactivity.layer),
  )

/** The directory in a file. */
export const layer = ({
  key,
  onKeyMade,
  path,
  use,
}: Options): Layer.Layer<Directory.Directory, SqlDirectory.OpenError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const file = Path.resolve(path)
      yield* attempt(file, () => {
        Fs.mkdirSync(Path.dirname(file), { recursive: true, mode: 0o700 })
        makeFile(file)
      })
      if (use === "Serve") yield* lock(file)
      const source = Option.match(key, {
        onNone: () => beside(file, use === "Serve" ? "Tidy" : "Leave", onKeyMade),
        onSome: SqlDirectory.given,
      })
      return Layer.provide(SqlDirectory.layer({ name: file, key: source }), database(file))
    }),
  )

/**
 * Seals all passwords of a file with another key, or none of them; no server may be using it. The new key is made if
 * none is given. It is kept beside the file, unless both keys are kept elsewhere: where it lies then, if it does.
 */
export const rekey = Effect.fnUntraced(function* (options: {
  readonly path: string
  /** The key until now, if it is kept elsewhere. */
  readonly key: Option.Option<DirectoryKey.DirectoryKey>
  /** The key from now on, if there is one. */
  readonly to: Option.Option<DirectoryKey.DirectoryKey>
}): Effect.fn.Return<Option.Option<string>, SqlDirectory.OpenError, Scope.Scope> {
  const file = Path.resolve(options.path)
  if (!Fs.existsSync(file)) return yield* new SqlDirectory.OpenError({ message: `There is no ${file}.` })
  yield* lock(file)
  const isElsewhere = Option.isSome(options.key) && Option.isSome(options.to)
  const next = Effect.gen(function* () {
    const key = Option.isSome(options.to) ? options.to.value : yield* DirectoryKey.generate
    if (isElsewhere) return key
    // It must be on the disk before anything is sealed with it; what is there already came to nothing.
    const path = nextKeyPath(file)
    yield* attempt(path, () => Fs.rmSync(path, { force: true }))
    const isKept = yield* keep(path, key)
    return isKept ? key : yield* new SqlDirectory.OpenError({ message: `${path} is written by somebody else now.` })
  })
  yield* SqlDirectory.rekey({
    name: file,
    key: Option.match(options.key, { onNone: () => beside(file, "Tidy"), onSome: SqlDirectory.given }),
    to: next,
  }).pipe(Effect.provide(database(file)))
  if (isElsewhere) return Option.none()
  yield* promote(file)
  return Option.some(keyPath(file))
}, Effect.scoped)

/**
 * Copies the accounts of a file, as they are at one moment, into a file that there is not yet; a server may be using
 * them. The key is not copied: whoever has both has the passwords.
 */
export const backup = Effect.fnUntraced(function* (options: {
  readonly path: string
  readonly to: string
}): Effect.fn.Return<void, SqlDirectory.OpenError, Scope.Scope> {
  const file = Path.resolve(options.path)
  const copy = Path.resolve(options.to)
  if (!Fs.existsSync(file)) return yield* new SqlDirectory.OpenError({ message: `There is no ${file}.` })
  const taken = new SqlDirectory.OpenError({ message: `There is a ${copy} already, which is not written over.` })
  if (Fs.existsSync(copy)) return yield* taken
  const draft = `${copy}.${Crypto.randomUUID()}`
  yield* Effect.acquireRelease(
    attempt(copy, () => makeFile(draft)),
    () => Effect.sync(() => Fs.rmSync(draft, { force: true })),
  )
  const database = yield* Effect.mapError(Sqlite.open(file), SqlDirectory.notOpened(file))
  yield* Sqlite.run(database, `VACUUM INTO '${draft.replaceAll("'", "''")}'`).pipe(
    Effect.mapError(
      ({ message }) => new SqlDirectory.OpenError({ message: `${file} cannot be copied to ${copy}: ${message}.` }),
    ),
  )
  const isNew = yield* attempt(copy, () => {
    flush(draft)
    const isNew = unless("EEXIST", () => Fs.linkSync(draft, copy))
    flushFolder(copy)
    return isNew
  })
  if (!isNew) return yield* taken
}, Effect.scoped)
