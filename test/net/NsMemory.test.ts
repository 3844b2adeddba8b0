import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as NsMemory from "../../src/net/NsMemory.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Folder from "../support/Folder.ts"
import * as World from "../support/World.ts"

const dispatch: Address.Address = { host: "messenger.example.org", port: 1863 }
const other: Address.Address = { host: "messenger.example.org", port: 1864 }
const notification: Address.Address = { host: "10.0.0.5", port: 1863 }

/** The file of {@link dispatch}, and what stands in it for {@link notification}. */
const file = "messenger.example.org%3A1863"
const text = '{"server":{"host":"10.0.0.5","port":1863}}'

/** The memory of a folder. */
const inFolder = (folder: string) =>
  Effect.provide(
    NsMemory.NsMemory,
    NsMemory.layerFolder(folder).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer])),
  )

/** Does something, and gives back what was logged meanwhile, line by line. */
const complaintsOf = <A, E, R>(what: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(...String(message).split("\n")))
    const value = yield* Effect.provide(what, Logger.layer([logger]))
    return { value, lines }
  })

describe("a memory of notification servers", () => {
  for (const [place, made] of [
    ["in the process", Effect.provide(NsMemory.NsMemory, NsMemory.layerMemory)],
    ["in a folder", Effect.flatMap(Folder.fresh, inFolder)],
  ] as const) {
    it.live(`${place} knows the server that was stored last, network by network, until it is forgotten`, () =>
      Effect.gen(function* () {
        const memory = yield* made
        assert.deepStrictEqual(yield* memory.recall(dispatch), Option.none())
        yield* memory.remember(dispatch, { host: "10.0.0.4", port: 1863 })
        yield* memory.remember(dispatch, notification)
        assert.deepStrictEqual(yield* memory.recall(other), Option.none())
        yield* memory.remember(other, { host: "::1", port: 1865 })
        assert.deepStrictEqual(yield* memory.recall(dispatch), Option.some(notification))
        assert.deepStrictEqual(yield* memory.recall(other), Option.some({ host: "::1", port: 1865 }))
        yield* memory.forget(dispatch)
        yield* memory.forget(dispatch)
        assert.deepStrictEqual(yield* memory.recall(dispatch), Option.none())
        assert.deepStrictEqual(yield* memory.recall(other), Option.some({ host: "::1", port: 1865 }))
      }),
    )

    it.live(`${place} knows a network by its dispatch server's name in either letter case`, () =>
      Effect.gen(function* () {
        const memory = yield* made
        yield* memory.remember({ host: "Messenger.Example.ORG", port: 1863 }, notification)
        assert.deepStrictEqual(yield* memory.recall(dispatch), Option.some(notification))
      }),
    )
  }

  it.live("is none unless one is provided", () =>
    Effect.gen(function* () {
      const memory = yield* NsMemory.NsMemory
      yield* memory.remember(dispatch, notification)
      yield* memory.forget(other)
      assert.deepStrictEqual(yield* memory.recall(dispatch), Option.none())
    }),
  )
})

describe("a folder that remembers notification servers", () => {
  it.live("is made where it is not there, and keeps a file for each network, from one process to the next", () =>
    Effect.gen(function* () {
      const folder = Path.join(yield* Folder.fresh, "a", "b")
      const before = yield* inFolder(folder)
      yield* before.remember(dispatch, notification)
      assert.deepStrictEqual(Fs.readdirSync(folder), [file])
      assert.strictEqual(Fs.readFileSync(Path.join(folder, file), "utf8"), text)
      const after = yield* inFolder(folder)
      assert.deepStrictEqual(yield* after.recall(dispatch), Option.some(notification))
    }),
  )

  it.live("knows nothing where a file ends at any byte before its end, and says so in one line", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const memory = yield* inFolder(folder)
      for (let length = 0; length < text.length; length++) {
        Fs.writeFileSync(Path.join(folder, file), text.slice(0, length))
        const { lines, value } = yield* complaintsOf(memory.recall(dispatch))
        assert.deepStrictEqual(value, Option.none(), String(length))
        assert.strictEqual(lines.length, 1)
        assert.match(
          lines[0] ?? "",
          /^What was stored for messenger\.example\.org:1863 cannot be read, and counts as nothing: ./,
        )
      }
      Fs.writeFileSync(Path.join(folder, file), text)
      assert.deepStrictEqual(yield* complaintsOf(memory.recall(dispatch)), {
        value: Option.some(notification),
        lines: [],
      })
    }),
  )

  it.live("knows nothing where a file is no server's address, and its line gives a terminal no orders", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const memory = yield* inFolder(folder)
      const garbage = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256))
      for (const contents of [
        garbage,
        Buffer.from("\x1b]0;owned\x07\x1b[2J\r\nSecond line\n"),
        '{"server":{"host":"\x1b[2J","port":"1863"}}',
        '{"server":{"host":"10.0.0.5","port":0}}',
        '{"server":{"host":"10.0.0.5","port":65536}}',
        '{"server":{"host":"","port":1863}}',
        '{"server":{"host":"\\u001b[2J","port":1863}}',
        '{"server":{"host":"10.0.0.5 or else","port":1863}}',
        '{"server":"10.0.0.5:1863"}',
        '{"server":"\\u001b[2J"}',
        `${text}}`,
        "[]",
        "null",
      ]) {
        Fs.writeFileSync(Path.join(folder, file), contents)
        const { lines, value } = yield* complaintsOf(memory.recall(dispatch))
        assert.deepStrictEqual(value, Option.none(), String(contents))
        assert.strictEqual(lines.length, 1)
        assert.notMatch(lines[0] ?? "", /\p{Cc}/u)
        assert.match(lines[0] ?? "", /and counts as nothing: (?:Expected|Missing|Unexpected) /)
      }
    }),
  )

  /** What a login makes of a memory that is not as it should be. */
  const loginWith = (folder: string) =>
    Effect.gen(function* () {
      const servers = yield* World.serveBoth()
      const memory = yield* inFolder(folder)
      const { host, port } = servers.dispatch
      const stored = Path.join(folder, `${host}%3A${port}`)
      const logIn = complaintsOf(
        Effect.map(LoginClient.login(World.aliceAt(servers.dispatch)), ({ server }) => server).pipe(
          Effect.scoped,
          Effect.provideService(NsMemory.NsMemory, memory),
        ),
      )
      return { servers, stored, logIn, network: `${host}:${port}` }
    })

  it.live("fails no login by an empty file, which the login then replaces", () =>
    Effect.gen(function* () {
      const { logIn, servers, stored } = yield* loginWith(yield* Folder.fresh)
      Fs.writeFileSync(stored, "")
      const first = yield* logIn
      assert.deepStrictEqual(first.value, servers.notification)
      assert.strictEqual(first.lines.length, 1)
      assert.strictEqual(
        Fs.readFileSync(stored, "utf8"),
        `{"server":{"host":"127.0.0.1","port":${servers.notification.port}}}`,
      )
      assert.deepStrictEqual(yield* logIn, { value: servers.notification, lines: [] })
    }),
  )

  it.live("fails no login by a folder in the place of a file, and says in a line each what it cannot do", () =>
    Effect.gen(function* () {
      const { logIn, network, servers, stored } = yield* loginWith(yield* Folder.fresh)
      Fs.mkdirSync(stored)
      const { lines, value } = yield* logIn
      assert.deepStrictEqual(value, servers.notification)
      assert.strictEqual(lines.length, 2)
      assert.include(lines[0], `What was stored for ${network} cannot be read, and counts as nothing: `)
      assert.include(lines[1], `The notification server of ${network} cannot be stored: `)
    }),
  )

  it.live("fails no login where nothing can be written to it", () =>
    Effect.gen(function* () {
      // Whoever runs the tests may be allowed to write anywhere else: here the system lets nobody.
      const { logIn, network, servers } = yield* loginWith("/proc/self")
      const { lines, value } = yield* logIn
      assert.deepStrictEqual(value, servers.notification)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], `The notification server of ${network} cannot be stored: `)
    }),
  )

  it.live("cannot be had where it cannot be made, which is known before any login", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      Fs.writeFileSync(Path.join(folder, "taken"), "")
      const error = yield* Effect.flip(inFolder(Path.join(folder, "taken", "memory")))
      assert.strictEqual(error._tag, "PlatformError")
    }),
  )

  it.live("fails no login where it goes while it is in use", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const { logIn, servers } = yield* loginWith(folder)
      Fs.rmSync(folder, { recursive: true })
      const { lines, value } = yield* logIn
      assert.deepStrictEqual(value, servers.notification)
      assert.strictEqual(lines.length, 1)
    }),
  )

  it.live("says in one line that it cannot forget", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const memory = yield* inFolder(folder)
      Fs.mkdirSync(Path.join(folder, file))
      const { lines } = yield* complaintsOf(memory.forget(dispatch))
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0], "The notification server of messenger.example.org:1863 cannot be forgotten: ")
      assert.include(lines[0], Path.join(folder, file))
    }),
  )

  it.live("may be written to by several processes at once: each finds a server that was stored, or none", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const memory = yield* inFolder(folder)
      const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
      // Addresses of different lengths: one over the other would leave an end of it.
      const program = (host: string) => `
        import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
        import * as NodePath from "@effect/platform-node/NodePath"
        import * as Effect from "effect/Effect"
        import * as Layer from "effect/Layer"
        import * as NsMemory from ${module("../../src/net/NsMemory.ts")}
        const dispatch = { host: "messenger.example.org", port: 1863 }
        Effect.runPromise(Effect.gen(function* () {
          const memory = yield* NsMemory.NsMemory
          for (let index = 0; index < 200; index++) {
            yield* memory.remember(dispatch, { host: ${JSON.stringify(host)}, port: 1863 })
            yield* memory.recall(dispatch)
          }
        }).pipe(Effect.provide(NsMemory.layerFolder(${JSON.stringify(folder)}).pipe(
          Layer.provide([NodeFileSystem.layer, NodePath.layer])))))
      `
      const hosts = ["10.0.0.1", "notification.messenger.example.org"]
      const running = hosts.map((host) => {
        const child = ChildProcess.spawn(process.execPath, ["--input-type=module-typescript", "-e", program(host)], {
          stdio: ["ignore", "ignore", "pipe"],
        })
        let trouble = ""
        child.stderr.on("data", (text) => (trouble += String(text)))
        return Effect.callback<string>((resume) => {
          child.once("close", (code) => resume(Effect.succeed(code === 0 ? "" : trouble)))
          return Effect.sync(() => child.kill("SIGKILL"))
        })
      })
      const found = new Set<string>()
      const looking = Effect.forever(
        Effect.map(Effect.delay(complaintsOf(memory.recall(dispatch)), "1 millis"), ({ value }) =>
          found.add(Option.match(value, { onNone: () => "none", onSome: ({ host }) => host })),
        ),
      )
      const troubles = yield* Effect.raceFirst(Effect.all(running, { concurrency: "unbounded" }), looking)
      assert.deepStrictEqual(troubles, ["", ""])
      assert.isAbove(found.size, 0)
      for (const host of found) assert.include(["none", ...hosts], host)
      yield* memory.remember(dispatch, notification)
      assert.deepStrictEqual(yield* memory.recall(dispatch), Option.some(notification))
    }),
  )
})
