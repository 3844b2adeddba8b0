import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Presence from "../../src/host/Presence.ts"
import * as Control from "../../src/net/Control.ts"
import * as Account from "../../src/protocol/Account.ts"

const alice = Account.Account.make("alice@example.com")
const bob = Account.Account.make("bob@example.com")

/** A folder that is removed with the scope. */
const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true })),
)

/** Signs somebody in who comes from this port; what is done to the session is recorded. */
const signIn = Effect.fnUntraced(function* (account: Account.Account, port: number, done: Array<string> = []) {
  const presence = yield* Presence.Presence
  yield* presence.signIn({
    account,
    dialect: "MSNP7",
    remote: { host: "192.0.2.7", port },
    local: { host: "127.0.0.1", port: 1863 },
    displace: Effect.sync(() => void done.push(`displaced ${account}`)),
    dismiss: Effect.sync(() => void done.push(`dismissed ${account}`)),
  })
})

/** Tests with a Presence that lives as long as the test. */
const hosted = <A, E>(test: Effect.Effect<A, E, Scope.Scope | Presence.Presence>) =>
  Effect.scoped(Effect.flatMap(Layer.build(Presence.layerMemory), (host) => Effect.provideContext(test, host)))

const fails = <A, R>(self: Effect.Effect<A, Control.ControlError, R>) => Effect.map(Effect.flip(self), (e) => e.message)

describe("a control socket", () => {
  it.live("tells who is signed in, in the order in which they signed in", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        yield* Control.serve(path)
        const before = Date.now()
        yield* signIn(bob, 1024)
        yield* signIn(alice, 1025)
        const control = yield* Control.connect(path)
        const sessions = yield* Stream.runCollect(control.list)
        assert.deepStrictEqual(
          sessions.map(({ account, dialect, local, remote }) => ({ account, dialect, remote, local })),
          [
            {
              account: bob,
              dialect: "MSNP7",
              remote: { host: "192.0.2.7", port: 1024 },
              local: { host: "127.0.0.1", port: 1863 },
            },
            {
              account: alice,
              dialect: "MSNP7",
              remote: { host: "192.0.2.7", port: 1025 },
              local: { host: "127.0.0.1", port: 1863 },
            },
          ],
        )
        for (const { since } of sessions) assert.isTrue(since >= before && since <= Date.now())
      }),
    ),
  )

  it.live("tells of nobody where nobody is signed in", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        yield* Control.serve(path)
        const control = yield* Control.connect(path)
        assert.deepStrictEqual(yield* Stream.runCollect(control.list), [])
      }),
    ),
  )

  it.live("tells of more sessions than go into one message", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        yield* Control.serve(path)
        const names = Array.from({ length: 10_000 }, (_, i) => Account.Account.make(`user${i}@example.com`))
        for (const name of names) yield* signIn(name, 1024)
        const control = yield* Control.connect(path)
        const told = yield* Stream.runCollect(Stream.map(control.list, ({ account }) => account))
        assert.deepStrictEqual(told, names)
      }),
    ),
  )

  it.live("closes the session of an account, in any letter case, and says whether there was one", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        yield* Control.serve(path)
        const done: Array<string> = []
        yield* signIn(alice, 1024, done)
        const control = yield* Control.connect(path)
        assert.isFalse(yield* control.dismiss(bob))
        assert.isTrue(yield* control.dismiss(Account.Account.make("ALICE@example.com")))
        assert.deepStrictEqual(done, ["dismissed alice@example.com"])
      }),
    ),
  )

  it.live("is a file for its owner alone, in a folder made for its owner alone, with nothing left beside it", () =>
    hosted(
      Effect.gen(function* () {
        const within = Path.join(yield* folder, "data")
        yield* Control.serve(Path.join(within, "control"))
        assert.strictEqual(Fs.statSync(Path.join(within, "control")).mode & 0o777, 0o600)
        assert.strictEqual(Fs.statSync(within).mode & 0o777, 0o700)
        assert.deepStrictEqual(Fs.readdirSync(within), ["control"])
      }),
    ),
  )

  it.live("is removed with its server, and nothing else is left", () =>
    hosted(
      Effect.gen(function* () {
        const within = yield* folder
        const scope = yield* Scope.make()
        yield* Scope.provide(Control.serve(Path.join(within, "control")), scope)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(Fs.readdirSync(within), [])
      }),
    ),
  )

  it.live("takes the place of one that a killed server left", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        const listen = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`
        ChildProcess.spawnSync(process.execPath, ["-e", listen])
        assert.isTrue(Fs.lstatSync(path).isSocket())
        assert.strictEqual(
          yield* fails(Control.connect(path)),
          `No server can be reached at ${path}: no server answers there.`,
        )
        yield* Control.serve(path)
        const control = yield* Control.connect(path)
        assert.isFalse(yield* control.dismiss(alice))
      }),
    ),
  )

  it.live("is refused where another server answers, which goes on", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        yield* Control.serve(path)
        assert.strictEqual(
          yield* fails(Effect.scoped(Control.serve(path))),
          `Operators cannot be answered at ${path}: another server answers there.`,
        )
        const control = yield* Control.connect(path)
        assert.isFalse(yield* control.dismiss(alice))
      }),
    ),
  )

  it.live("never takes the place of another file", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "accounts.db")
        Fs.writeFileSync(path, "precious")
        assert.strictEqual(
          yield* fails(Control.serve(path)),
          `Operators cannot be answered at ${path}: it is a file of another kind.`,
        )
        assert.strictEqual(Fs.readFileSync(path, "utf8"), "precious")
      }),
    ),
  )

  it.live("is refused at a path that the system would cut off", () =>
    hosted(
      Effect.gen(function* () {
        const within = yield* folder
        const fitting = Path.join(within, "c".repeat(103 - within.length - 1))
        yield* Control.serve(fitting)
        assert.isTrue(Fs.existsSync(fitting))
        assert.strictEqual(
          yield* fails(Control.serve(`${fitting}c`)),
          `Operators cannot be answered at ${fitting}c: its path is longer than 103 bytes.`,
        )
      }),
    ),
  )
})

describe("who talks to a control socket", () => {
  it.live("is told where there is none", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        assert.strictEqual(
          yield* fails(Control.connect(path)),
          `No server can be reached at ${path}: no server has made it.`,
        )
      }),
    ),
  )

  it.live("is told when the server is gone in the meantime", () =>
    hosted(
      Effect.gen(function* () {
        const path = Path.join(yield* folder, "control")
        const scope = yield* Scope.make()
        yield* Scope.provide(Control.serve(path), scope)
        const control = yield* Control.connect(path)
        assert.isFalse(yield* control.dismiss(alice))
        yield* Scope.close(scope, Exit.void)
        const error = yield* Effect.flip(control.dismiss(alice))
        assert.strictEqual(error.message, `No server can be reached at ${path}: the server is gone.`)
      }),
    ),
  )
})
