import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Directory from "../../src/host/Directory.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as World from "../support/World.ts"

const find = (account: string, ...entries: ReadonlyArray<Directory.Entry>) =>
  Effect.flatMap(Directory.Directory, (directory) => directory.find(Account.Account.make(account))).pipe(
    Effect.provide(Directory.layerMemory(entries)),
  )

describe("a directory in memory", () => {
  it.effect("finds an account, with its password wrapped", () =>
    Effect.gen(function* () {
      const found = Option.getOrThrow(yield* find("alice@hotmail.com", World.alice))
      assert.strictEqual(found, World.alice)
      assert.strictEqual(Redacted.value(found.password), World.password)
      assert.notInclude(JSON.stringify(found), World.password)
      assert.notInclude(String(found.password), World.password)
    }),
  )

  it.effect("finds an account in any letter case, spelled as it was created", () =>
    Effect.gen(function* () {
      const entry = World.entry("Alice@Hotmail.com")
      for (const account of ["alice@hotmail.com", "ALICE@HOTMAIL.COM", "aLiCe@hotmail.COM"]) {
        const found = Option.getOrThrow(yield* find(account, entry))
        assert.strictEqual(found.account, "Alice@Hotmail.com")
      }
    }),
  )

  it.effect("finds nobody where there is no such account", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* find("bob@hotmail.com", World.alice)))
      assert.isTrue(Option.isNone(yield* find("alice@hotmail.com")))
    }),
  )

  it.effect("keeps the later one of two accounts that differ in letter case only", () =>
    Effect.gen(function* () {
      const found = yield* find("alice@hotmail.com", World.alice, World.entry("ALICE@hotmail.com"))
      assert.strictEqual(Option.getOrThrow(found).account, "ALICE@hotmail.com")
    }),
  )

  it("says in an error what the host said", () => {
    assert.strictEqual(new Directory.DirectoryError({ message: "the disk is full" }).message, "the disk is full")
  })
})
