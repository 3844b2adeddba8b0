import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Sqlite from "node:sqlite"
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import * as Directory from "../../src/host/Directory.ts"
import * as DirectoryKey from "../../src/host/DirectoryKey.ts"
import type * as SqlDirectory from "../../src/host/SqlDirectory.ts"
import * as SqliteDirectory from "../../src/host/SqliteDirectory.ts"
import * as Token from "../../src/host/Token.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as DirectoryContract from "../support/DirectoryContract.ts"
import * as FirstSchema from "../support/FirstSchema.ts"
import * as Folder from "../support/Folder.ts"
import * as Resources from "../support/Resources.ts"
import * as World from "../support/World.ts"

// Processes are started, for which a machine under load takes its time.
vi.setConfig({ testTimeout: 60_000 })

/** A path that nothing is at, in a folder of the test's own. */
const freshPath = Effect.map(Folder.fresh, (folder) => Path.join(folder, "msnp", "accounts.db"))

/** Opens a directory until the scope closes. */
const open = (
  path: string,
  options: Partial<SqliteDirectory.Options> = {},
): Effect.Effect<Directory.Directory["Service"], SqlDirectory.OpenError, Scope.Scope> =>
  Effect.map(
    Layer.build(SqliteDirectory.layer({ path, key: Option.none(), use: "Administer", ...options })),
    (context) => Context.get(context, Directory.Directory),
  )

/** Opens it, uses it and closes it. */
const using = <Value, Error>(
  path: string,
  use: (directory: Directory.Directory["Service"]) => Effect.Effect<Value, Error>,
  options?: Partial<SqliteDirectory.Options>,
) => Effect.scoped(Effect.flatMap(open(path, options), use))

/** Why it cannot be opened. */
const refusal = (path: string, options?: Partial<SqliteDirectory.Options>) =>
  Effect.map(Effect.flip(Effect.scoped(open(path, options))), ({ message }) => message)

/** An account's password. */
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

/** Looks at a file, or changes it, behind the directory's back. */
const behind = <Value>(path: string, look: (database: Sqlite.DatabaseSync) => Value): Value => {
  const database = new Sqlite.DatabaseSync(path)
  try {
    return look(database)
  } finally {
    database.close()
  }
}

const exists = (path: string) => Fs.existsSync(path)
const read = (path: string) => Fs.readFileSync(path, "utf8")
const modeOf = (path: string) => (Fs.statSync(path).mode & 0o777).toString(8)

/** A process at a directory, killed with the scope if it has not ended. */
const start = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const program = fileURLToPath(new URL("../support/DirectoryProcess.ts", import.meta.url))
      const child = ChildProcess.spawn(process.execPath, [program, ...args])
      let said = ""
      let complaints = ""
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()))
      child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()))
      const ended = new Promise<void>((resolve) => child.on("close", () => resolve()))
      return {
        /** The whole lines that it has said. */
        lines: () => said.split("\n").slice(0, -1),
        complaints: () => complaints,
        ended: Effect.promise(() => ended),
        kill: Effect.andThen(
          Effect.sync(() => child.kill("SIGKILL")),
          Effect.promise(() => ended),
        ),
      }
    }),
    ({ kill }) => kill,
  )

const saysOpen = (process: { readonly lines: () => ReadonlyArray<string> }) =>
  Resources.until(() => process.lines().includes("open"))

describe("a directory in a file", () => {
  it.live("loses nothing that was acknowledged, and opens, when it is killed in the midst of a thousand writes", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const acknowledged: Array<string> = []
      for (const round of ["round1", "round2", "round3"]) {
        const writer = yield* start("serve", path, "write", round)
        // Everything but the first lines is the number of a write.
        yield* Resources.until(() => writer.lines().length > 1000)
        yield* writer.kill
        const numbers = writer.lines().filter((line) => /^\d+$/.test(line))
        assert.isAtLeast(numbers.length, 900)
        acknowledged.push(...numbers.flatMap((n) => ["a", "b", "c"].map((part) => `${part}${n}@${round}`)))

        assert.deepStrictEqual(
          behind(path, (database) =>
            database
              .prepare("PRAGMA integrity_check")
              .all()
              .map((row) => ({ ...row })),
          ),
          [{ integrity_check: "ok" }],
        )
        const there = yield* using(path, ({ list }) => Stream.runCollect(list))
        const names = new Set<string>(there.map(({ account }) => account))
        assert.deepStrictEqual(
          acknowledged.filter((account) => !names.has(account)),
          [],
        )
        // A write is there whole or not at all.
        assert.strictEqual(names.size % 3, 0)
      }
    }),
  )

  it.live("makes its folder, its file and its key for nobody else's eyes, and tells of the key once", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const told: Array<string> = []
      const onKeyMade = (keyPath: string) => Effect.sync(() => void told.push(keyPath))
      yield* using(path, ({ create }) => create([World.alice]), { use: "Serve", onKeyMade })
      assert.deepStrictEqual(told, [`${path}.key`])
      assert.strictEqual(SqliteDirectory.keyPath(path), `${path}.key`)
      assert.match(read(`${path}.key`), /^[0-9a-f]{64}\n$/)
      assert.strictEqual(modeOf(Path.dirname(path)), "700")
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(path)).toSorted(), [
        "accounts.db",
        "accounts.db.key",
        "accounts.db.lock",
      ])
      for (const file of [path, `${path}.key`, `${path}.lock`]) assert.strictEqual(modeOf(file), "600")

      const key = read(`${path}.key`)
      assert.strictEqual(
        yield* using(path, (directory) => passwordOf(directory, World.alice.account), { onKeyMade }),
        World.password,
      )
      assert.strictEqual(read(`${path}.key`), key)
      assert.lengthOf(told, 1)
    }),
  )

  it.live("keeps no password that could be read in any of its files", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const directory = yield* open(path)
      const password = Redacted.make("swordfish-7f3a")
      yield* directory.create([World.alice, World.entry("bob@x", { password })])
      yield* directory.changePassword(World.alice.account, password)
      const files = Fs.readdirSync(Path.dirname(path)).map((name) => Path.join(Path.dirname(path), name))
      assert.include(files, `${path}-wal`)
      for (const file of files) {
        const bytes = Fs.readFileSync(file)
        assert.isFalse(bytes.includes("swordfish-7f3a"), file)
        assert.isFalse(bytes.includes(World.password), file)
      }
      // The search finds what is there.
      assert.isTrue(Fs.readFileSync(`${path}-wal`).includes("alice@hotmail.com"))
    }),
  )

  it.live("opens a file from before there were tokens, once by each of many, and loses nothing in it", () =>
    Effect.gen(function* () {
      const path = yield* Effect.map(Folder.fresh, (folder) => Path.join(folder, "accounts.db"))
      behind(path, (database) => FirstSchema.sqlite.forEach((sql) => database.exec(sql)))
      const key = Option.some(yield* DirectoryKey.parse(Redacted.make(FirstSchema.key)))
      const directories = yield* Effect.all(
        Array.from({ length: 5 }, () => open(path, { key })),
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

  it.live("tells of the one token that was tampered with, until it is revoked", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const { account: alice } = World.alice
      const bob = Account.Account.make("bob@x")
      const directory = yield* open(path)
      yield* directory.create([World.alice, World.entry("bob@x")])
      const [{ id: hers, secret }, { id: tampered }, { id: his }] = [
        yield* directory.addToken(alice, label),
        yield* directory.addToken(alice, label),
        yield* directory.addToken(bob, label),
      ]
      const sentence = (account: string, id: string) =>
        `The token ${id} of ${account} is sealed with another key, or somebody has tampered with it; it has to be revoked.`
      // One token of Alice's, as sealed for that, is put in the place of another, and then in that of Bob's.
      for (const [account, id] of [
        [alice, tampered],
        [bob, his],
      ] as const) {
        behind(path, (database) =>
          database.exec(
            `UPDATE msnp_tokens SET secret = (SELECT secret FROM msnp_tokens WHERE id = '${hers}') WHERE id = '${id}'`,
          ),
        )
        assert.strictEqual((yield* Effect.flip(directory.find(account))).message, sentence(account, id))
        yield* directory.revokeToken(account, id)
      }
      assert.deepStrictEqual(yield* secretsOf(directory, alice), [Redacted.value(secret)])
      assert.deepStrictEqual(yield* secretsOf(directory, bob), [])
      // It is Alice's under its own ID only, and under that nobody else's.
      behind(path, (database) => database.exec("UPDATE msnp_tokens SET name = 'bob@x'"))
      assert.strictEqual((yield* Effect.flip(directory.find(bob))).message, sentence(bob, hers))
      behind(path, (database) => database.exec("UPDATE msnp_tokens SET name = 'alice@hotmail.com', id = 'abc234'"))
      assert.strictEqual((yield* Effect.flip(directory.find(alice))).message, sentence(alice, "abc234"))
    }),
  )

  it.live("removes tokens with their account, where foreign keys do not see to it", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const { account } = World.alice
      const directory = yield* open(path)
      // As with clients of SQLite that leave them off.
      behind(path, (database) =>
        database.exec(`
          DROP TABLE msnp_tokens;
          CREATE TABLE msnp_tokens (name text, id text, label text, secret blob, created double, last_used double)`),
      )
      yield* directory.create([World.alice])
      yield* directory.addToken(account, label)
      assert.lengthOf(yield* secretsOf(directory, account), 1)
      yield* directory.remove(account)
      yield* directory.create([World.alice])
      assert.deepStrictEqual(yield* secretsOf(directory, account), [])
    }),
  )

  it.live("removes tokens with their account, where somebody deletes that in the database", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const { account } = World.alice
      const directory = yield* open(path)
      yield* directory.create([World.alice])
      yield* directory.addToken(account, label)
      behind(path, (database) => database.exec("DELETE FROM msnp_accounts"))
      yield* directory.create([World.alice])
      assert.deepStrictEqual(yield* secretsOf(directory, account), [])
    }),
  )

  it.live("gives two processes that begin it at the same time one key", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 4; round++) {
        const path = yield* freshPath
        const both = yield* Effect.forEach(["a@x", "b@x"], (name) => start("administer", path, "create", name), {
          concurrency: "unbounded",
        })
        for (const process of both) {
          yield* process.ended
          assert.strictEqual(process.complaints(), "")
        }
        assert.lengthOf(
          both.flatMap(({ lines }) => lines()).filter((line) => line === "key made"),
          1,
        )
        const all = yield* using(path, ({ list }) => Stream.runCollect(list))
        assert.deepStrictEqual(
          all.map(({ account, password }) => [account, Redacted.value(password)]),
          [
            ["a@x", World.password],
            ["b@x", World.password],
          ],
        )
      }
    }),
  )

  it.live("refuses a second server, in this process and in another, until the first one is gone", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const sentence = `A server, or a change of key, is using ${path}: one at a time can.`
      const server = yield* start("serve", path, "stay")
      yield* saysOpen(server)
      assert.strictEqual(yield* refusal(path, { use: "Serve" }), sentence)
      yield* server.kill
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* open(path, { use: "Serve" })
          assert.strictEqual(yield* refusal(path, { use: "Serve" }), sentence)
          const second = yield* start("serve", path, "stay")
          yield* second.ended
          assert.include(second.complaints(), sentence)
        }),
      )
      yield* using(path, () => Effect.void, { use: "Serve" })
    }),
  )

  it.live("is changed beside a running server, which knows at once, and within a second who is barred", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const server = yield* open(path, { use: "Serve" })
      const listener = yield* start("administer", path, "listen")
      yield* saysOpen(listener)
      const administrator = yield* open(path)
      const heard = yield* DirectoryContract.listen(server)
      // The other process says that it hears, too.
      while (!listener.lines().includes("marker@example.com")) {
        yield* administrator.setStanding(Account.Account.make("marker@example.com"), "Disabled")
        yield* Effect.sleep("20 millis")
      }

      yield* administrator.create([World.alice])
      assert.strictEqual(yield* passwordOf(server, World.alice.account), World.password)
      yield* administrator.remove(World.alice.account)
      assert.isTrue(Option.isNone(yield* server.find(World.alice.account)))
      yield* Effect.timeout(
        Resources.until(() => heard.length > 0 && listener.lines().includes("alice@hotmail.com")),
        "1 second",
      )
      assert.deepStrictEqual(heard, ["alice@hotmail.com"])
    }),
  )

  it.live("finds accounts while another process writes, and writes when that is done", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const directory = yield* open(path)
      yield* directory.create([World.alice])
      const other = new Sqlite.DatabaseSync(path)
      other.exec("BEGIN IMMEDIATE; DELETE FROM msnp_accounts")
      const writing = yield* Effect.forkChild(directory.create([World.entry("bob@x")]), { startImmediately: true })
      for (let i = 0; i < 5; i++) {
        assert.strictEqual(yield* passwordOf(directory, World.alice.account), World.password)
        yield* Effect.sleep("10 millis")
      }
      assert.isUndefined(writing.pollUnsafe())
      other.exec("ROLLBACK")
      other.close()
      yield* Fiber.join(writing)
      assert.isTrue(Option.isSome(yield* directory.find(Account.Account.make("bob@x"))))
    }),
  )

  it.live("shows how it finds an account to whoever traces, and finds the same one as for others", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        },
      })
      const { account } = World.alice
      const directory = yield* open(yield* freshPath)
      yield* directory.create([World.alice])
      const { secret } = yield* directory.addToken(account, label)
      for (const find of [directory.find(account), Effect.withTracer(directory.find(account), tracer)]) {
        const { password, tokens, ...found } = Option.getOrThrow(yield* find)
        const { password: _, ...created } = World.alice
        assert.deepStrictEqual(found, created)
        assert.deepStrictEqual(
          [password, ...tokens.map(({ secret }) => secret)].map(Redacted.value),
          [World.alice.password, secret].map(Redacted.value),
        )
      }
      assert.lengthOf(spans, 1)
      assert.include(spans[0]?.attributes.get("db.query.text"), "WHERE msnp_accounts.name = ?")
    }),
  )

  it.live("tells of the one account whose row was tampered with, until its password is set anew", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const bob = Account.Account.make("bob@x")
      const directory = yield* open(path)
      yield* directory.create([World.alice, World.entry("bob@x"), World.entry("carol@x")])
      // Alice's password, as sealed for her, is put in Bob's place.
      behind(path, (database) =>
        database.exec(
          "UPDATE msnp_accounts SET password = (SELECT password FROM msnp_accounts WHERE name = 'alice@hotmail.com') WHERE name = 'bob@x'",
        ),
      )
      const sentence =
        "The password of bob@x is sealed with another key, or somebody has tampered with it; it has to be set anew."
      assert.strictEqual((yield* Effect.flip(directory.find(bob))).message, sentence)
      assert.strictEqual(yield* passwordOf(directory, World.alice.account), World.password)
      const before: Array<string> = []
      const error = yield* Effect.flip(
        Stream.runForEach(directory.list, ({ account }) => Effect.sync(() => before.push(account))),
      )
      assert.strictEqual(error.message, sentence)
      assert.deepStrictEqual(before, ["alice@hotmail.com"])

      yield* directory.changePassword(bob, Redacted.make("a new one"))
      assert.strictEqual(yield* passwordOf(directory, bob), "a new one")
      behind(path, (database) => database.exec("UPDATE msnp_accounts SET password = x'00' WHERE name = 'bob@x'"))
      assert.strictEqual((yield* Effect.flip(directory.find(bob))).message, sentence)
    }),
  )

  it.live("says what is wrong where it cannot be opened", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const text = Path.join(folder, "letter.txt")
      Fs.writeFileSync(text, "Dear Sir or Madam, ".repeat(100))
      assert.strictEqual(yield* refusal(text), `${text} cannot be opened: file is not a database.`)
      assert.strictEqual(yield* refusal(folder), `${folder} cannot be opened: it is no file.`)
      const below = Path.join(text, "accounts.db")
      assert.strictEqual(
        yield* refusal(below),
        `${below} cannot be opened: a part of its path is a file, not a folder.`,
      )
    }),
  )

  it.live("says so where this user may not read it, or not write beside it", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const theirs = Path.join(folder, "accounts.db")
      yield* using(theirs, (directory) => directory.create([World.alice]))
      const ours = Path.join(folder, "ours.db")
      Fs.writeFileSync(ours, "")
      // Whoever is root may do everything, and is somebody else meanwhile.
      const nobody = 65_534
      const isRoot = process.geteuid?.() === 0
      if (isRoot) Fs.chownSync(ours, nobody, nobody)
      Fs.chmodSync(theirs, isRoot ? 0o600 : 0o000)
      Fs.chmodSync(folder, 0o555)
      const refusals = yield* Effect.acquireUseRelease(
        Effect.sync(() => (isRoot ? process.seteuid?.(nobody) : undefined)),
        () => Effect.forEach([theirs, ours], (path) => refusal(path)),
        () => Effect.sync(() => (isRoot ? process.seteuid?.(0) : undefined)),
      )
      Fs.chmodSync(folder, 0o755)
      assert.deepStrictEqual(refusals, [
        `${theirs} cannot be opened: this process may not open it, or not write beside it.`,
        `${ours} cannot be opened: this process may not write it, or not beside it.`,
      ])
    }),
  )

  it.live("says what is wrong while it is used", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const directory = yield* open(path)
      behind(path, (database) => database.exec("DROP TABLE msnp_accounts"))
      const error = yield* Effect.flip(directory.find(World.alice.account))
      assert.deepStrictEqual(
        error,
        new Directory.DirectoryError({ message: `${path} cannot be used now: no such table: msnp_accounts.` }),
      )
    }),
  )

  it.live("forgets after a day who was barred, and misses nobody for that", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const directory = yield* open(path)
      yield* directory.create([World.alice, World.entry("bob@x")])
      const heard = yield* DirectoryContract.listen(directory)
      yield* directory.setStanding(World.alice.account, "Disabled")
      yield* Resources.until(() => heard.length > 0)
      behind(path, (database) =>
        database.exec(`UPDATE msnp_barred SET barred_at = ${Date.now() - 25 * 60 * 60 * 1000}`),
      )
      yield* directory.setStanding(Account.Account.make("bob@x"), "Disabled")
      assert.deepStrictEqual(
        behind(path, (database) =>
          database
            .prepare("SELECT account FROM msnp_barred")
            .all()
            .map((row) => ({ ...row })),
        ),
        [{ account: "bob@x" }],
      )
      yield* Resources.until(() => heard.length > 1)
      assert.deepStrictEqual(heard, ["alice@hotmail.com", "bob@x"])
    }),
  )
})

describe("the key of a directory in a file", () => {
  it.live("is the one given, and then none is kept", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const key = Option.some(yield* DirectoryKey.generate)
      yield* using(path, ({ create }) => create([World.alice]), { key })
      assert.isFalse(exists(`${path}.key`))
      assert.strictEqual(
        yield* using(path, (directory) => passwordOf(directory, World.alice.account), { key }),
        World.password,
      )
    }),
  )

  it.live("is one for all who begin at the same time in one process", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const told: Array<string> = []
      const onKeyMade = (keyPath: string) => Effect.sync(() => void told.push(keyPath))
      const all = yield* Effect.forEach(Array.from({ length: 8 }), () => open(path, { onKeyMade }), {
        concurrency: "unbounded",
      })
      yield* Effect.forEach(all, (directory, i) => directory.create([World.entry(`user${i}@x`)]))
      assert.lengthOf(told, 1)
      assert.lengthOf(yield* using(path, ({ list }) => Stream.runCollect(list)), 8)
    }),
  )

  it.live("is told from a wrong one when the directory is opened", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      yield* using(path, () => Effect.void)
      const key = Option.some(yield* DirectoryKey.generate)
      assert.strictEqual(yield* refusal(path, { key }), `${path} is sealed with another key than the one given.`)
      Fs.writeFileSync(`${path}.key`, "0".repeat(64))
      assert.strictEqual(
        yield* refusal(path),
        `${path} is sealed with another key than the one in ${path}.key: put the right one there.`,
      )
      Fs.writeFileSync(`${path}.key`, "0".repeat(63))
      assert.strictEqual(
        yield* refusal(path),
        `${path}.key holds no key. A directory key is 32 bytes, written as 64 hexadecimal digits or in base64.`,
      )
    }),
  )

  it.live("is not made anew where it is missing", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      yield* using(path, () => Effect.void)
      Fs.rmSync(`${path}.key`)
      assert.strictEqual(
        yield* refusal(path),
        `${path} is sealed, and its key is not in ${path}.key: put it there, or give it otherwise.`,
      )
      assert.isFalse(exists(`${path}.key`))
    }),
  )

  it.live("is taken from a file that others can read, which is said", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const said: Array<unknown> = []
      const logger = Logger.make(({ message }) => void said.push(message))
      const logging = Effect.provide(Logger.layer([logger]))
      yield* logging(using(path, () => Effect.void))
      assert.deepStrictEqual(said, [])
      Fs.chmodSync(`${path}.key`, 0o640)
      yield* logging(using(path, () => Effect.void))
      assert.deepStrictEqual(said, [[`${path}.key can be read by others: chmod 600 is better.`]])
    }),
  )

  it.live("is put back from a copy, and so is the file", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      yield* using(path, ({ create }) => create([World.alice]))
      const copy = Path.join(yield* Folder.fresh, "copy.db")
      Fs.copyFileSync(path, copy)
      Fs.copyFileSync(`${path}.key`, `${copy}.key`)
      assert.strictEqual(yield* using(copy, (directory) => passwordOf(directory, World.alice.account)), World.password)
    }),
  )
})

describe("sealing a file anew", () => {
  /** Who has two tokens there. */
  const first = Account.Account.make("user0@x")

  /** A directory with more accounts than are sealed at once. */
  const sealed = Effect.gen(function* () {
    const path = yield* freshPath
    yield* using(path, ({ addToken, create }) =>
      Effect.andThen(
        create(
          Array.from({ length: 1201 }, (_, i) =>
            World.entry(`user${i}@x`, { password: Redacted.make(`password ${i}`) }),
          ),
        ),
        Effect.replicateEffect(addToken(first, label), 2),
      ),
    )
    return path
  })

  /** Whether all is there still, for whoever has this key. */
  const isWhole = (path: string, options?: Partial<SqliteDirectory.Options>) =>
    Effect.gen(function* () {
      const [all, tokens] = yield* using(
        path,
        (directory) => Effect.all([Stream.runCollect(directory.list), secretsOf(directory, first)]),
        options,
      )
      assert.lengthOf(all, 1201)
      assert.match(tokens.join(" "), /^[a-z2-7]{16} [a-z2-7]{16}$/)
      for (const { account, password } of all) {
        assert.strictEqual(Redacted.value(password), `password ${/\d+/.exec(account)?.[0]}`)
      }
    })

  const none = Option.none<DirectoryKey.DirectoryKey>()

  it.live("makes a new key, with which all is there, and with the old one nothing", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      const old = read(`${path}.key`)
      assert.deepStrictEqual(yield* SqliteDirectory.rekey({ path, key: none, to: none }), Option.some(`${path}.key`))
      assert.notStrictEqual(read(`${path}.key`), old)
      assert.strictEqual(modeOf(`${path}.key`), "600")
      assert.isFalse(exists(`${path}.key.new`))
      yield* isWhole(path)
      Fs.writeFileSync(`${path}.key`, old, { mode: 0o600 })
      assert.include(yield* refusal(path), "is sealed with another key")
    }),
  )

  it.live("takes the keys that are given, and keeps none then", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const [from, to] = [yield* DirectoryKey.generate, yield* DirectoryKey.generate]
      yield* using(path, ({ create }) => create([World.alice]), { key: Option.some(from) })
      assert.deepStrictEqual(
        yield* SqliteDirectory.rekey({ path, key: Option.some(from), to: Option.some(to) }),
        Option.none(),
      )
      assert.isFalse(exists(`${path}.key`))
      assert.include(yield* refusal(path, { key: Option.some(from) }), "is sealed with another key")
      assert.strictEqual(
        yield* using(path, (directory) => passwordOf(directory, World.alice.account), { key: Option.some(to) }),
        World.password,
      )
    }),
  )

  it.live("keeps beside the file what is made, where the key until then was given", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const from = Option.some(yield* DirectoryKey.generate)
      yield* using(path, ({ create }) => create([World.alice]), { key: from })
      // What a change that was cut off has left behind is no hindrance.
      Fs.writeFileSync(`${path}.key.new`, "1".repeat(64))
      yield* SqliteDirectory.rekey({ path, key: from, to: none })
      assert.strictEqual(yield* using(path, (directory) => passwordOf(directory, World.alice.account)), World.password)
    }),
  )

  it.live("is refused while a server runs", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      const old = read(`${path}.key`)
      yield* using(
        path,
        () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(SqliteDirectory.rekey({ path, key: none, to: none }))
            assert.strictEqual(error.message, `A server, or a change of key, is using ${path}: one at a time can.`)
          }),
        { use: "Serve" },
      )
      assert.strictEqual(read(`${path}.key`), old)
      yield* isWhole(path)
    }),
  )

  it.live("is refused where there is no file, and makes none", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const error = yield* Effect.flip(SqliteDirectory.rekey({ path, key: none, to: none }))
      assert.strictEqual(error.message, `There is no ${path}.`)
      assert.isFalse(exists(Path.dirname(path)))
    }),
  )

  it.live("seals nothing anew where one password cannot be had", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      const zoe = Account.Account.make("zoe@x")
      yield* using(path, ({ create }) => create([World.entry("zoe@x")]))
      behind(path, (database) => database.exec("UPDATE msnp_accounts SET password = x'00' WHERE name = 'zoe@x'"))
      const old = read(`${path}.key`)
      const error = yield* Effect.flip(SqliteDirectory.rekey({ path, key: none, to: none }))
      assert.strictEqual(
        error.message,
        `${path} is sealed as it was: The password of zoe@x is sealed with another key, or somebody has tampered with it; it has to be set anew.`,
      )
      assert.strictEqual(read(`${path}.key`), old)
      yield* using(path, ({ remove }) => remove(zoe), { use: "Serve" })
      yield* isWhole(path)
      assert.isFalse(exists(`${path}.key.new`))
    }),
  )

  it.live("seals each of more tokens anew than are sealed at once", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      // 33 x 16 tokens; 500 are sealed at once.
      const entries = Array.from({ length: 33 }, (_, i) => World.entry(`user${i}@x`))
      const secrets = yield* using(path, (directory) =>
        Effect.gen(function* () {
          yield* directory.create(entries)
          return yield* Effect.forEach(entries, ({ account }) =>
            Effect.map(Effect.replicateEffect(directory.addToken(account, label), 16), (tokens) =>
              tokens.map(({ secret }) => Redacted.value(secret)).toSorted(),
            ),
          )
        }),
      )
      yield* SqliteDirectory.rekey({ path, key: none, to: none })
      const after = yield* using(path, (directory) =>
        Effect.forEach(entries, ({ account }) => secretsOf(directory, account)),
      )
      assert.deepStrictEqual(after, secrets)
    }),
  )

  it.live("seals nothing anew where one token cannot be had", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      behind(path, (database) => database.exec("UPDATE msnp_tokens SET secret = x'00', id = 'abc234' WHERE rowid = 1"))
      const old = read(`${path}.key`)
      const error = yield* Effect.flip(SqliteDirectory.rekey({ path, key: none, to: none }))
      assert.strictEqual(
        error.message,
        `${path} is sealed as it was: The token abc234 of user0@x is sealed with another key, or somebody has tampered with it; it has to be revoked.`,
      )
      assert.strictEqual(read(`${path}.key`), old)
      yield* using(path, (directory) =>
        Effect.gen(function* () {
          yield* directory.revokeToken(first, Token.Id.make("abc234"))
          yield* directory.addToken(first, label)
        }),
      )
      yield* isWhole(path)
    }),
  )

  it.live("leaves a directory that opens, if it is cut off before the passwords are sealed", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      const old = read(`${path}.key`)
      Fs.writeFileSync(`${path}.key.new`, "1".repeat(64))
      yield* isWhole(path)
      // Somebody may be at it, as far as one knows who only administers.
      assert.isTrue(exists(`${path}.key.new`))
      yield* isWhole(path, { use: "Serve" })
      assert.isFalse(exists(`${path}.key.new`))
      assert.strictEqual(read(`${path}.key`), old)
    }),
  )

  it.live("leaves a directory that opens, if it is cut off when the passwords are sealed", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      const old = read(`${path}.key`)
      yield* SqliteDirectory.rekey({ path, key: none, to: none })
      const fresh = read(`${path}.key`)
      Fs.renameSync(`${path}.key`, `${path}.key.new`)
      Fs.writeFileSync(`${path}.key`, old, { mode: 0o600 })

      yield* isWhole(path)
      assert.deepStrictEqual([read(`${path}.key`), read(`${path}.key.new`)], [old, fresh])
      yield* isWhole(path, { use: "Serve" })
      assert.strictEqual(read(`${path}.key`), fresh)
      assert.isFalse(exists(`${path}.key.new`))
      yield* isWhole(path)
    }),
  )

  it.live("leaves a directory that opens, wherever it is killed", () =>
    Effect.gen(function* () {
      const path = yield* sealed
      for (let round = 0; round < 8; round++) {
        const process = yield* start("rekey", path)
        yield* Resources.until(() => process.lines().length > 0)
        // Each time a little later in what it does over and over.
        yield* Effect.sleep(`${7 * round} millis`)
        yield* process.kill
        assert.strictEqual(process.complaints(), "")
        yield* isWhole(path, round % 2 === 0 ? { use: "Serve" } : {})
      }
    }),
  )

  it.live("stops whoever has opened it with the old key from sealing with that", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const directory = yield* open(path)
      yield* directory.create([World.alice])
      yield* SqliteDirectory.rekey({ path, key: none, to: none })
      const sentence = `${path} is sealed with a new key now: start with that.`
      const bob = World.entry("bob@x")
      assert.strictEqual((yield* Effect.flip(directory.create([bob]))).message, sentence)
      assert.strictEqual((yield* Effect.flip(directory.addToken(World.alice.account, label))).message, sentence)
      assert.strictEqual(
        (yield* Effect.flip(directory.changePassword(World.alice.account, bob.password))).message,
        sentence,
      )
      assert.strictEqual(yield* using(path, (directory) => passwordOf(directory, World.alice.account)), World.password)
    }),
  )
})

describe("a copy of a directory in a file", () => {
  it.live("is what was there at one moment, beside a running server, and opens with the key alone", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const copy = yield* Effect.map(Folder.fresh, (folder) => Path.join(folder, "it's a copy.db"))
      const running = yield* open(path, { use: "Serve" })
      yield* running.create([World.alice])
      const { secret } = yield* running.addToken(World.alice.account, label)
      yield* SqliteDirectory.backup({ path, to: copy })
      yield* running.create([World.entry("bob@hotmail.com")])
      assert.strictEqual(modeOf(copy), "600")
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(copy)), [Path.basename(copy)])
      assert.include(yield* refusal(copy), "its key is not in")
      Fs.copyFileSync(SqliteDirectory.keyPath(path), SqliteDirectory.keyPath(copy))
      yield* using(copy, (directory) =>
        Effect.gen(function* () {
          const names = yield* Stream.runCollect(Stream.map(directory.list, ({ account }) => account))
          assert.deepStrictEqual(Array.from(names), [World.alice.account])
          assert.strictEqual(yield* passwordOf(directory, World.alice.account), World.password)
          assert.deepStrictEqual(yield* secretsOf(directory, World.alice.account), [Redacted.value(secret)])
        }),
      )
    }),
  )

  it.live("takes nothing's place, comes of nothing, and leaves nothing where it cannot be made", () =>
    Effect.gen(function* () {
      const path = yield* freshPath
      const to = Path.join(yield* Folder.fresh, "copy.db")
      const failing = (options: Parameters<typeof SqliteDirectory.backup>[0]) =>
        Effect.map(Effect.flip(SqliteDirectory.backup(options)), ({ message }) => message)
      assert.strictEqual(yield* failing({ path, to }), `There is no ${path}.`)
      assert.isFalse(exists(to))
      yield* using(path, (directory) => directory.create([World.alice]))
      yield* SqliteDirectory.backup({ path, to })
      const before = Fs.readFileSync(to)
      assert.strictEqual(yield* failing({ path, to }), `There is a ${to} already, which is not written over.`)
      assert.deepStrictEqual(Fs.readFileSync(to), before)
      assert.include(yield* failing({ path, to: Path.join(to, "within.db") }), "cannot be opened")
      const nowhere = Path.join(Path.dirname(to), "nowhere")
      const mistyped = Path.join(nowhere, "copy.db")
      assert.strictEqual(
        yield* failing({ path, to: mistyped }),
        `${mistyped} cannot be opened: its folder is not there.`,
      )
      assert.isFalse(exists(nowhere))
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(to)), [Path.basename(to)])
    }),
  )
})
