import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as Files from "../../src/cli/Files.ts"
import * as Folder from "../support/Folder.ts"

/** As Node tells of a disk that is full. */
const full = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "writeAll",
  cause: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }),
})

describe("why a file cannot be used", () => {
  it.effect("is said in words of ours: what is not there, what is a folder, what the disk has no room for", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* Folder.fresh
      const none = yield* Effect.flip(fs.readFile(`${folder}/none`))
      assert.strictEqual(Files.whyNot("Read", none), "it is not there")
      assert.strictEqual(Files.whyNot("Write", none), "its folder is not there")
      assert.strictEqual(Files.whyNot("Read", yield* Effect.flip(fs.readFile(folder))), "it is a folder")
      assert.strictEqual(Files.whyNot("Write", full), "the disk is full")
    }).pipe(Effect.provide(NodeServices.layer)),
  )

  it("is said in the system's words where there are none here", () => {
    const unknown = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "open" })
    assert.strictEqual(Files.whyNot("Read", unknown), "Unknown: FileSystem.open")
  })
})
