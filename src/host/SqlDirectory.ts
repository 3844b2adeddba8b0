/**
 * The accounts that last: a directory in a database, over any `SqlClient` of SQLite or PostgreSQL.
 *
 * Passwords and tokens are sealed under a key that the database does not hold. Whoever has both has the passwords, as a server of
 * this protocol must; whoever has the database alone has none of them.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import * as Account from "../protocol/Account.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Directory from "./Directory.ts"
import type * as DirectoryKey from "./DirectoryKey.ts"
import * as Lookup from "./internal/lookup.ts"
import * as Seal from "./internal/seal.ts"
import * as Token from "./Token.ts"

/** Why a directory cannot be opened, or not be sealed anew. */
export class OpenError extends Schema.TaggedError<OpenError>("effect-msnp/host/OpenError")("OpenError", {
  message: Schema.String,
}) {}

/**
 * Where the key comes from. It is asked when the database has been opened, and told how to find out whether a key is the
 * one that the passwords are sealed with; none where nothing has been sealed yet, so that any key will do.
 */
export type KeySource = (
  fits: Option.Option<(key: DirectoryKey.DirectoryKey) => Effect.Effect<boolean>>,
) => Effect.Effect<DirectoryKey.DirectoryKey, OpenError>

/** A key that is at hand. */
export const given =
  (key: DirectoryKey.DirectoryKey): KeySource =>
  () =>
    Effect.succeed(key)

/** What is there to know of a database. */
export interface Options {
  /** What it is called at the head of a sentence: "The database", where nothing is said. */
  readonly name?: string
  readonly key: KeySource
}

/** How many rows are read or written at once. */
const pageSize = 500

/** How often it is looked up who has been disabled or removed. */
const pollEvery = "250 millis"

/** How long that is remembered, in milliseconds: a day, for a server that cannot reach the database. */
const remembered = 86_400_000

/** The types of columns for which the dialects have words of their own. */
const types = (sql: SqlClient.SqlClient) =>
  sql.onDialectOrElse({
    pg: () => ({
      bytes: sql.literal("bytea"),
      id: sql.literal("integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
      // Names are ordered by their bytes, whatever the language of the database.
      name: sql.literal(`text COLLATE "C"`),
    }),
    orElse: () => ({
      bytes: sql.literal("blob"),
      // Without the last word, the numbers of rows that are gone would be given out again.
      id: sql.literal("integer PRIMARY KEY AUTOINCREMENT"),
      name: sql.literal("text"),
    }),
  })

const migrate = Migrator.make({})({
  table: "msnp_migrations",
  loader: Migrator.fromRecord({
    "1_accounts": Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { bytes, id, name } = types(sql)
      yield* sql`CREATE TABLE msnp_seal (name ${name} PRIMARY KEY, sealed ${bytes} NOT NULL)`
      yield* sql`CREATE TABLE msnp_accounts (
        name ${name} PRIMARY KEY,
        account text NOT NULL,
        password ${bytes} NOT NULL,
        friendly_name text NOT NULL,
        verification text NOT NULL,
        standing text NOT NULL
      )`
      yield* sql`CREATE TABLE msnp_barred (id ${id}, account text NOT NULL, barred_at bigint NOT NULL)`
    }),
    "2_tokens": Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { bytes, name } = types(sql)
      // Times are of a type that every client reads as a number.
      yield* sql`CREATE TABLE msnp_tokens (
        name ${name} NOT NULL REFERENCES msnp_accounts (name) ON DELETE CASCADE,
        id ${name} NOT NULL,
        label text NOT NULL,
        secret ${bytes} NOT NULL,
        created double precision NOT NULL,
        last_used double precision,
        PRIMARY KEY (name, id)
      )`
    }),
  }),
})

/** An account as it is stored: under its folded name, the friendly name encoded, since PostgreSQL's texts hold no NUL. */
const Row = Schema.Struct({
  name: Schema.String,
  account: Account.Account,
  password: Schema.Uint8Array,
  friendly_name: Schema.String,
  verification: Directory.Verification,
  standing: Directory.Standing,
})
type Row = typeof Row.Type

/** A token as it is stored: under its account's folded name. */
const TokenRow = Schema.Struct({
  name: Schema.String,
  id: Token.Id,
  label: Token.Label,
  secret: Schema.Uint8Array,
  created: Schema.Number,
  last_used: Schema.NullOr(Schema.Number),
})
type TokenRow = typeof TokenRow.Type

/** An account beside one of its tokens: beside nothing where it has none. */
const JoinedRow = Schema.Struct({
  ...Row.fields,
  token: Schema.NullOr(Token.Id),
  secret: Schema.NullOr(Schema.Uint8Array),
  last_used: Schema.NullOr(Schema.Number),
})
type JoinedRow = typeof JoinedRow.Type

/** Makes sure of what kind the rows are that a statement answers. */
type Rows<Row> = (
  statement: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>,
) => Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError | Schema.SchemaError>

const rowsOf = <Row>(row: Schema.Codec<Row, unknown>): Rows<Row> => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(row))
  return Effect.flatMap(decode)
}

const rows = rowsOf(Row)
const joinedRows = rowsOf(JoinedRow)
const tokenRows = rowsOf(TokenRow)
const ids = rowsOf(Schema.Struct({ id: Token.Id }))
const names = rowsOf(Schema.Struct({ name: Schema.String }))
const accounts = rowsOf(Schema.Struct({ account: Account.Account }))
const seals = rowsOf(Schema.Struct({ sealed: Schema.Uint8Array }))
const barrings = rowsOf(Schema.Struct({ id: Schema.Int, account: Account.Account }))

/** What can go wrong with a database. */
export type Trouble = SqlError.SqlError | Migrator.MigrationError | Schema.SchemaError

const isTrouble = (error: unknown): error is Trouble =>
  [SqlError.SqlError, Migrator.MigrationError, Schema.SchemaError].some((trouble) => error instanceof trouble)

/** What the database, or the system on the way to it, says itself. */
const sayOf = (cause: unknown): string | undefined => {
  if (!Predicate.isError(cause)) return undefined
  // Where several addresses were tried, there is a code only.
  return cause.message === "" && Predicate.hasProperty(cause, "code") ? String(cause.code) : cause.message
}

const whyNot = (error: Trouble): string => {
  switch (error._tag) {
    case "SqlError":
      return sayOf(error.reason.cause) ?? error.message
    case "MigrationError":
      return SqlError.isSqlError(error.cause) ? whyNot(error.cause) : error.message
    case "SchemaError":
      return "it holds something that no server of this kind has written"
  }
}

/** Why the database of this name cannot be opened. */
export const notOpened =
  (name: string) =>
  (error: Trouble): OpenError =>
    new OpenError({ message: `${name} cannot be opened: ${whyNot(error)}.` })

/** The name of what is sealed to tell a wrong key: no account has it, since it is no address. */
const checkName = "check"

const checkText = Redacted.make("effect-msnp")

/** The name of what is opened where there is no account of a name: likewise, no account has it. */
const nobodyName = "nobody"

/** A database that is open. */
interface Opened {
  readonly sql: SqlClient.SqlClient
  readonly lookup: Option.Option<Lookup.Lookup["Service"]>
  readonly name: string
  /** Seals and opens passwords. */
  readonly seal: Seal.Seal
  /** Whether the passwords are sealed with its key still; what is true in a transaction stays so until its end. */
  readonly fits: Effect.Effect<boolean, Trouble>
}

const open = Effect.fnUntraced(function* ({
  key: source,
  name = "The database",
}: Options): Effect.fn.Return<Opened, OpenError, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const lookup = yield* Effect.serviceOption(Lookup.Lookup)
  const orOpenError = Effect.mapError(notOpened(name))
  const check = Effect.map(
    seals(
      sql.onDialectOrElse({
        pg: () => sql`SELECT sealed FROM msnp_seal WHERE name = ${checkName} FOR SHARE`,
        orElse: () => sql`SELECT sealed FROM msnp_seal WHERE name = ${checkName}`,
      }),
    ),
    Arr.head,
  )
  const opens = (seal: Seal.Seal, sealed: Uint8Array) => Option.isSome(seal.open(checkName, sealed))

  yield* orOpenError(migrate)
  const before = yield* orOpenError(check)
  const key = yield* source(
    Option.map(
      before,
      ({ sealed }) =>
        (key) =>
          Effect.map(Seal.make(key), (seal) => opens(seal, sealed)),
    ),
  )
  const seal = yield* Seal.make(key)
  if (Option.isNone(before)) {
    const sealed = seal.close(checkName, checkText)
    yield* orOpenError(
      sql`INSERT INTO msnp_seal ${sql.insert({ name: checkName, sealed })} ON CONFLICT (name) DO NOTHING`,
    )
  }
  const fits = Effect.map(
    check,
    Option.exists(({ sealed }) => opens(seal, sealed)),
  )
  if (!(yield* orOpenError(fits))) {
    return yield* new OpenError({ message: `${name} is sealed with another key than the one given.` })
  }
  return { sql, lookup, name, seal, fits }
})

/** What there is, a page at a time: each is what comes after the last of the one before. */
const paged = <Key, Row extends Key>(
  beginning: Key,
  after: (last: Key) => Effect.Effect<ReadonlyArray<Row>, Trouble>,
): Stream.Stream<Row, Trouble> =>
  Stream.paginate(beginning, (last) =>
    Effect.map(after(last), (page) => [page, Option.filter(Arr.last(page), () => page.length === pageSize)]),
  )

const limit = (sql: SqlClient.SqlClient) => sql.literal(`LIMIT ${pageSize}`)

/** All accounts. */
const pages = (sql: SqlClient.SqlClient): Stream.Stream<Row, Trouble> =>
  paged({ name: "" }, ({ name }) =>
    rows(sql`SELECT * FROM msnp_accounts WHERE name > ${name} ORDER BY name ${limit(sql)}`),
  )

/** All tokens of all accounts. */
const tokenPages = (sql: SqlClient.SqlClient): Stream.Stream<TokenRow, Trouble> =>
  paged({ name: "", id: "" }, ({ id, name }) =>
    tokenRows(sql`SELECT * FROM msnp_tokens WHERE (name, id) > (${name}, ${id}) ORDER BY name, id ${limit(sql)}`),
  )

/** The name of what is sealed of a token: no account has it, since it has white space in it. */
const tokenName = (name: string, id: Token.Id): string => `token ${id} of ${name}`

/** Why a token cannot be had. */
const unsealableToken = (account: string, id: Token.Id): string =>
  `The token ${id} of ${account} is sealed with another key, or somebody has tampered with it; it has to be revoked.`

/** Why the password of an account cannot be had. */
const unsealable = (account: Account.Account): string =>
  `The password of ${account} is sealed with another key, or somebody has tampered with it; it has to be set anew.`

const make = ({ fits, lookup, name, seal, sql }: Opened): Directory.Directory["Service"] => {
  const troubled = (error: Trouble) =>
    new Directory.DirectoryError({ message: `${name} cannot be used now: ${whyNot(error)}.` })

  /** What a statement answers. */
  const answer = <Row>(
    rows: Rows<Row>,
    statement: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>,
  ): Effect.Effect<ReadonlyArray<Row>, Directory.DirectoryError> => Effect.mapError(rows(statement), troubled)

  /** Does all of it or nothing, and nothing where what is sealed now would be sealed with a key of the past. */
  const write = <Value, Refusal extends Directory.AccountTaken | Directory.NoSuchAccount | Directory.TooManyTokens>(
    self: Effect.Effect<Value, Refusal | Directory.DirectoryError>,
  ) =>
    Effect.mapError(fits, troubled).pipe(
      Effect.filterOrFail(
        (fits) => fits,
        () => new Directory.DirectoryError({ message: `${name} is sealed with a new key now: start with that.` }),
      ),
      Effect.andThen(self),
      sql.withTransaction,
      Effect.mapError((error) => (error._tag === "SqlError" ? troubled(error) : error)),
    )

  const entryOf = (row: Row): Result.Result<Directory.Entry, Directory.DirectoryError> =>
    Option.match(seal.open(row.name, row.password), {
      onNone: () => Result.fail(new Directory.DirectoryError({ message: unsealable(row.account) })),
      onSome: (password) =>
        Result.succeed({
          account: row.account,
          password,
          friendlyName: FriendlyName.decode(row.friendly_name),
          verification: row.verification,
          standing: row.standing,
        }),
    })

  /** What is opened where there is no such account, so that finding none takes as long as finding one. */
  const nobody: JoinedRow = {
    name: nobodyName,
    account: Account.Account.make("nobody@example.com"),
    password: seal.close(nobodyName, Token.makeSecret()),
    friendly_name: "nobody",
    verification: "Verified",
    standing: "Disabled",
    token: null,
    secret: null,
    last_used: null,
  }

  /** Opens the token that stands beside an account, if one does. */
  const tokenOf = ({
    account,
    last_used,
    name,
    secret,
    token: id,
  }: JoinedRow): Result.Result<Option.Option<Token.Judged>, Directory.DirectoryError> => {
    if (id === null || secret === null) return Result.succeed(Option.none())
    return Option.match(seal.open(tokenName(name, id), secret), {
      onNone: () => Result.fail(new Directory.DirectoryError({ message: unsealableToken(account, id) })),
      onSome: (secret) => Result.succeed(Option.some({ id, secret, lastUsed: Option.fromNullOr(last_used) })),
    })
  }

  /** An account beside each of its tokens. */
  const joined = Lookup.make(
    lookup,
    (name) =>
      sql`SELECT msnp_accounts.*, msnp_tokens.id AS token, msnp_tokens.secret, msnp_tokens.last_used
        FROM msnp_accounts LEFT JOIN msnp_tokens ON msnp_tokens.name = msnp_accounts.name
        WHERE msnp_accounts.name = ${name}`,
  )

  /** The account that these rows are about, with the token that stands in each. What is the account's is the same in all. */
  const foundOf = (
    rows: ReadonlyArray<JoinedRow>,
  ): Result.Result<Option.Option<Directory.Found>, Directory.DirectoryError> => {
    const [row] = rows
    if (row === undefined) return Result.succeed(Option.none())
    const tokens = Result.all(rows.map(tokenOf))
    return Result.flatMap(entryOf(row), (entry) =>
      Result.map(tokens, (tokens) =>
        row.name === nobodyName ? Option.none() : Option.some({ ...entry, tokens: Arr.getSomes(tokens) }),
      ),
    )
  }

  /** The one account that a statement is about, as it was created. */
  const one = (account: Account.Account, statement: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>) =>
    Effect.flatMap(answer(accounts, statement), (found) =>
      Option.match(Arr.head(found), {
        onNone: () => Effect.fail(new Directory.NoSuchAccount({ account })),
        onSome: ({ account }) => Effect.succeed(account),
      }),
    )

  const change = (account: Account.Account, to: Partial<Row>) =>
    one(
      account,
      sql`UPDATE msnp_accounts SET ${sql.update(to)} WHERE name = ${Account.fold(account)} RETURNING account`,
    )

  /**
   * Tells every process that an account is not let in any more. Of two that tell, one waits until the other has
   * committed: whoever reads on from the last row that there was would else miss one that comes to be seen later.
   */
  const bar = (account: Account.Account) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* sql.onDialectOrElse({
        pg: () => Effect.asVoid(sql`LOCK TABLE msnp_barred IN EXCLUSIVE MODE`),
        orElse: () => Effect.void,
      })
      yield* sql`DELETE FROM msnp_barred WHERE barred_at < ${now - remembered}`
      yield* sql`INSERT INTO msnp_barred ${sql.insert({ account, barred_at: now })}`
    }).pipe(Effect.mapError(troubled))

  /** Who was barred after this row, as soon as it is time to look again. */
  const barredAfter = (last: number) => {
    const read = answer(barrings, sql`SELECT id, account FROM msnp_barred WHERE id > ${last} ORDER BY id`).pipe(
      Effect.delay(pollEvery),
    )
    // Who is barred while the database cannot be reached is told when it can be.
    return Effect.catch(read, (error) =>
      Effect.andThen(
        Effect.logWarning("Who has been disabled or removed will be told later", error),
        Effect.retry(read, Schedule.forever),
      ),
    )
  }

  return {
    find: (account) => {
      const orNobody = Effect.map(joined(Account.fold(account)), (rows) => (rows.length === 0 ? [nobody] : rows))
      return Effect.flatMap(answer(joinedRows, orNobody), (rows) => Effect.fromResult(foundOf(rows)))
    },

    list: Stream.mapEffect(Stream.mapError(pages(sql), troubled), (row) => Effect.fromResult(entryOf(row))),

    create: Effect.fnUntraced(function* (entries) {
      const rows = new Map<string, Row>()
      // One at a time, so that whoever hands them out can tell how far it has come.
      for (const { account, friendlyName, password, standing, verification } of entries) {
        const name = Account.fold(account)
        yield* Directory.checkName(account, friendlyName)
        if (rows.has(name)) return yield* new Directory.AccountTaken({ account })
        rows.set(name, {
          name,
          account,
          password: seal.close(name, password),
          friendly_name: FriendlyName.encode(friendlyName),
          verification,
          standing,
        })
      }
      // In the order of their names, so that no two that create many wait for each other.
      const sorted = Array.from(rows.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const insert = Effect.gen(function* () {
        const created = new Set<string>()
        for (const page of Arr.chunksOf(sorted, pageSize)) {
          const inserted = yield* answer(
            names,
            sql`INSERT INTO msnp_accounts ${sql.insert(page)} ON CONFLICT (name) DO NOTHING RETURNING name`,
          )
          for (const { name } of inserted) created.add(name)
        }
        const taken = Array.from(rows.values()).find(({ name }) => !created.has(name))
        if (taken !== undefined) return yield* new Directory.AccountTaken({ account: taken.account })
      })
      yield* write(insert)
    }),

    changePassword: (account, to) =>
      Effect.asVoid(write(change(account, { password: seal.close(Account.fold(account), to) }))),

    rename: Effect.fnUntraced(function* (account, to) {
      yield* Directory.checkName(account, to)
      yield* change(account, { friendly_name: FriendlyName.encode(to) })
    }),

    setVerification: (account, verification) => Effect.asVoid(change(account, { verification })),

    setStanding: (account, standing) => {
      const changed = change(account, { standing })
      return standing === "Enabled" ? Effect.asVoid(changed) : write(Effect.flatMap(changed, bar))
    },

    // The tokens go by themselves with their account, save where a client of SQLite leaves foreign keys off.
    remove: (account) =>
      write(
        one(account, sql`DELETE FROM msnp_accounts WHERE name = ${Account.fold(account)} RETURNING account`).pipe(
          Effect.tap(Effect.mapError(sql`DELETE FROM msnp_tokens WHERE name = ${Account.fold(account)}`, troubled)),
          Effect.flatMap(bar),
        ),
      ),

    tokens: Effect.fnUntraced(function* (account) {
      const name = Account.fold(account)
      yield* one(account, sql`SELECT account FROM msnp_accounts WHERE name = ${name}`)
      const found = yield* answer(tokenRows, sql`SELECT * FROM msnp_tokens WHERE name = ${name} ORDER BY created, id`)
      return found.map(({ created, id, label, last_used }) => ({
        id,
        label,
        created,
        lastUsed: Option.fromNullOr(last_used),
      }))
    }),

    addToken: Effect.fnUntraced(function* (account, label) {
      const name = Account.fold(account)
      const { id, secret } = Token.make()
      const created = yield* Clock.currentTimeMillis
      const row = { name, id, label, secret: seal.close(tokenName(name, id), secret), created, last_used: null }
      const insert = Effect.gen(function* () {
        // Of two that would both add the last one, one waits here.
        yield* one(
          account,
          sql.onDialectOrElse({
            pg: () => sql`SELECT account FROM msnp_accounts WHERE name = ${name} FOR UPDATE`,
            orElse: () => sql`SELECT account FROM msnp_accounts WHERE name = ${name}`,
          }),
        )
        const others = yield* answer(ids, sql`SELECT id FROM msnp_tokens WHERE name = ${name}`)
        if (others.length >= Token.maxPerAccount) return yield* new Directory.TooManyTokens({ account })
        yield* Effect.mapError(sql`INSERT INTO msnp_tokens ${sql.insert(row)}`, troubled)
      })
      yield* write(insert)
      return { id, secret }
    }),

    revokeToken: Effect.fnUntraced(function* (account, id) {
      const name = Account.fold(account)
      yield* one(account, sql`SELECT account FROM msnp_accounts WHERE name = ${name}`)
      const revoked = yield* answer(ids, sql`DELETE FROM msnp_tokens WHERE name = ${name} AND id = ${id} RETURNING id`)
      if (revoked.length === 0) return yield* new Directory.NoSuchToken({ account, id })
    }),

    used: (uses) =>
      Effect.forEach(
        // In one order everywhere, so that no two servers wait for each other.
        uses.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        ({ account, at, id }) =>
          sql`UPDATE msnp_tokens SET last_used = ${at}
            WHERE name = ${Account.fold(account)} AND id = ${id}
            AND (last_used IS NULL OR last_used <= ${at - Token.lastUsedPrecision})`,
        { discard: true },
      ).pipe(sql.withTransaction, Effect.mapError(troubled)),

    barred: Stream.unwrap(
      Effect.map(answer(barrings, sql`SELECT id, account FROM msnp_barred ORDER BY id DESC LIMIT 1`), (newest) =>
        Stream.paginate(newest[0]?.id ?? 0, (last) =>
          Effect.map(barredAfter(last), (barrings) => [
            barrings.map(({ account }) => account),
            Option.some(barrings.at(-1)?.id ?? last),
          ]),
        ),
      ),
    ),
  }
}

/** The directory of a database; its tables are made if there are none. */
export const layer = (options: Options): Layer.Layer<Directory.Directory, OpenError, SqlClient.SqlClient> =>
  Layer.effect(Directory.Directory, Effect.map(open(options), make))

/** Seals all passwords of a database anew, or none of them; the new key is asked for when the old one has been found right. */
export const rekey = Effect.fnUntraced(function* (
  options: Options & { readonly to: Effect.Effect<DirectoryKey.DirectoryKey, OpenError> },
): Effect.fn.Return<void, OpenError, SqlClient.SqlClient> {
  const { fits, name, seal, sql } = yield* open(options)
  const next = yield* Seal.make(yield* options.to)
  const why = (why: string) => new OpenError({ message: `${name} is sealed as it was: ${why}` })

  /** Seals anew what was sealed under a name. */
  const again = (name: string, sealed: Uint8Array, unsealable: string) =>
    Option.match(seal.open(name, sealed), {
      onNone: () => Effect.fail(why(unsealable)),
      onSome: (secret) => Effect.succeed(next.close(name, secret)),
    })

  yield* Effect.gen(function* () {
    yield* sql.onDialectOrElse({
      pg: () => Effect.asVoid(sql`LOCK TABLE msnp_seal, msnp_accounts, msnp_tokens IN EXCLUSIVE MODE`),
      orElse: () => Effect.void,
    })
    if (!(yield* fits)) return yield* why("somebody else has sealed it with a new key.")
    // All of them are there: these are updates of many, in the words that both dialects know.
    const accounts = pages(sql).pipe(
      Stream.mapEffect((row) =>
        Effect.map(again(row.name, row.password, unsealable(row.account)), (password) => ({ ...row, password })),
      ),
    )
    yield* Stream.runForEachArray(
      accounts,
      (page) =>
        sql`INSERT INTO msnp_accounts ${sql.insert(page)} ON CONFLICT (name) DO UPDATE SET password = excluded.password`,
    )
    const tokens = tokenPages(sql).pipe(
      Stream.mapEffect((row) =>
        Effect.map(again(tokenName(row.name, row.id), row.secret, unsealableToken(row.name, row.id)), (secret) => ({
          ...row,
          secret,
        })),
      ),
    )
    yield* Stream.runForEachArray(
      tokens,
      (page) =>
        sql`INSERT INTO msnp_tokens ${sql.insert(page)} ON CONFLICT (name, id) DO UPDATE SET secret = excluded.secret`,
    )
    yield* sql`UPDATE msnp_seal SET ${sql.update({ sealed: next.close(checkName, checkText) })} WHERE name = ${checkName}`
  }).pipe(
    sql.withTransaction,
    Effect.mapError((error) => (isTrouble(error) ? why(`${whyNot(error)}.`) : error)),
  )
})
