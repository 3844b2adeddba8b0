/**
 * A process that works on the directory in a file: `node DirectoryProcess.ts serve|administer PATH write|listen|create NAME`,
 * or `node DirectoryProcess.ts rekey PATH`.
 * It says on its standard output what it has done, a line each.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Directory from "../../src/host/Directory.ts"
import * as SqliteDirectory from "../../src/host/SqliteDirectory.ts"
import * as World from "./World.ts"

const [use = "", path = "", task = "", name = ""] = process.argv.slice(2)

/** Says a line, which is out when this returns. */
const say = (line: string) => Effect.sync(() => Fs.writeSync(1, `${line}\n`))

/** Seals it anew, again and again. */
const rekey = Effect.gen(function* () {
  for (let n = 0; ; n++) {
    yield* SqliteDirectory.rekey({ path, key: Option.none(), to: Option.none() })
    yield* say(String(n))
  }
})

const program = Effect.gen(function* () {
  const directory = yield* Directory.Directory
  yield* say("open")
  switch (task) {
    case "write":
      // Three at a time, so that half of a write can be told from a whole one.
      for (let n = 0; ; n++) {
        yield* directory.create(["a", "b", "c"].map((part) => World.entry(`${part}${n}@${name}`)))
        yield* say(String(n))
      }
    case "listen":
      yield* Stream.runForEach(directory.barred, say)
      break
    case "create":
      yield* directory.create([World.entry(name)])
      break
    default:
      // Waiting for nothing would not keep the process alive.
      yield* Effect.sleep("1 hour")
  }
}).pipe(
  Effect.provide(
    SqliteDirectory.layer({
      path,
      key: Option.none(),
      use: use === "serve" ? "Serve" : "Administer",
      onKeyMade: () => say("key made"),
    }),
  ),
)

await Effect.runPromise(use === "rekey" ? rekey : program)
