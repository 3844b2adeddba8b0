import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "node:path"
import * as Directory from "../../src/host/Directory.ts"
import * as DirectoryKey from "../../src/host/DirectoryKey.ts"
import * as PostgresDirectory from "../../src/host/PostgresDirectory.ts"
import * as SqliteDirectory from "../../src/host/SqliteDirectory.ts"
import * as Token from "../../src/host/Token.ts"
import * as DirectoryContract from "../support/DirectoryContract.ts"
import * as Folder from "../support/Folder.ts"
import * as Postgres from "../support/Postgres.ts"
import * as World from "../support/World.ts"

const inFile = Layer.unwrap(
  Effect.map(Folder.fresh, (folder) =>
    SqliteDirectory.layer({ path: Path.join(folder, "accounts.db"), key: Option.none(), use: "Serve" }),
  ),
)

const inPostgres = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* (yield* Postgres.Postgres).freshDatabase
    return PostgresDirectory.layer({ url, key: yield* DirectoryKey.generate })
  }),
)

layer(Layer.empty, { excludeTestServices: true })("a directory in memory", (it) => {
  DirectoryContract.suite(it, Directory.layerMemory([]))
})

layer(Layer.empty, { excludeTestServices: true })("a directory in a file", (it) => {
  DirectoryContract.suite(it, inFile)
})

layer(Postgres.layer, { excludeTestServices: true, timeout: "1 minute" })("a directory in PostgreSQL", (it) => {
  DirectoryContract.suite(it, inPostgres)
})

describe("a directory in memory", () => {
  it.effect("has from the beginning the accounts that it is given", () =>
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      assert.deepStrictEqual(Option.getOrThrow(yield* directory.find(World.alice.account)), {
        ...World.alice,
        tokens: [],
      })
    }).pipe(Effect.provide(Directory.layerMemory([World.alice]))),
  )

  it.effect("keeps the later one of two accounts that differ in letter case only", () =>
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      const found = yield* directory.find(World.alice.account)
      assert.strictEqual(Option.getOrThrow(found).account, "ALICE@hotmail.com")
    }).pipe(Effect.provide(Directory.layerMemory([World.alice, World.entry("ALICE@hotmail.com")]))),
  )
})

describe("a directory elsewhere", () => {
  it.effect("finds accounts, and changes none", () =>
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      assert.deepStrictEqual(yield* directory.find(World.alice.account), Option.some({ ...World.alice, tokens: [] }))
      const error = yield* Effect.flip(directory.remove(World.alice.account))
      assert.strictEqual(error.message, "The accounts are kept elsewhere.")
    }).pipe(Effect.provide(Directory.layerElsewhere(() => Effect.succeed(Option.some(World.alice))))),
  )
})

describe("what a directory says", () => {
  it("names the account, and what is wrong with it", () => {
    const { account } = World.alice
    assert.deepStrictEqual(
      [
        new Directory.DirectoryError({ message: "the disk is full" }),
        new Directory.AccountTaken({ account }),
        new Directory.NoSuchAccount({ account }),
        new Directory.NameTooLong({ account, bytes: 388 }),
        new Directory.NoSuchToken({ account, id: Token.Id.make("abc234") }),
        new Directory.TooManyTokens({ account }),
      ].map(({ message }) => message),
      [
        "the disk is full",
        "There is an account alice@hotmail.com already.",
        "There is no account alice@hotmail.com.",
        "The friendly name of alice@hotmail.com takes 388 bytes as it is sent, and 387 is the most.",
        "alice@hotmail.com has no token abc234.",
        "alice@hotmail.com has 16 tokens, which is the most: revoke one that is not used.",
      ],
    )
  })
})
