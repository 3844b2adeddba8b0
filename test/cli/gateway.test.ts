/** The gateway of `msnp serve`, in a process of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import * as Path from "node:path"
import { vi } from "vitest"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import type * as LoginClient from "../../src/net/LoginClient.ts"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Folder from "../support/Folder.ts"
import * as Msnp from "../support/Msnp.ts"
import * as RawHttp from "../support/RawHttp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

/** Serves the demo accounts over HTTP until the scope closes. */
const serve = (at: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const alone = ["--dispatch", "none", "--notification", "none", "--gateway", at, "--demo"]
    const running = yield* Effect.acquireRelease(
      Effect.sync(() => Msnp.start(["serve", "--json", ...alone, ...args])),
      ({ stop }) => Effect.promise(stop),
    )
    const port = yield* Effect.promise(() => Msnp.portOf(running, "gateway"))
    return { running, gateway: { host: "127.0.0.1", port } }
  })

const alice: LoginClient.Options = {
  server: { host: "messenger.hotmail.com", port: 1863 },
  account: Account.Account.make("alice@example.com"),
  password: Redacted.make("wonderland"),
}

describe("msnp serve --gateway", () => {
  it.live("lets clients in over HTTP, and tells them when it goes down", () =>
    Effect.gen(function* () {
      const { gateway, running } = yield* serve("127.0.0.1:0")
      const connector = GatewayConnector.make({ gateway })
      const session = yield* Effect.provideService(SessionClient.signIn(alice), Connector.Connector, connector)
      assert.strictEqual(session.friendlyName, "Alice Liddell")
      running.kill("SIGTERM")
      const ending = yield* Effect.flip(Stream.runDrain(session.events))
      assert.strictEqual(ending._tag === "LoggedOut" ? ending.reason : ending._tag, "ShuttingDown")
      const { code, stderr, stdout } = yield* Effect.promise(() => running.ended)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      assert.strictEqual(stdout, `{"event":"listening","role":"gateway","host":"127.0.0.1","port":${gateway.port}}\n`)
    }),
  )

  it.live("says in words where it listens", () =>
    Effect.gen(function* () {
      const args = ["--dispatch", "none", "--gateway", "127.0.0.1:0", "--notification", "127.0.0.1:0", "--demo"]
      const running = yield* Effect.sync(() => Msnp.start(["serve", ...args]))
      yield* Effect.promise(() => running.line((line) => /^HTTP gateway on 127\.0\.0\.1:[1-9][0-9]*$/.test(line)))
      running.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => running.ended)).code, 0)
    }),
  )

  it.live("believes the proxies that it is told to, and names the host that it is told to", () =>
    Effect.gen(function* () {
      const control = Path.join(yield* Folder.fresh, "control")
      const told = ["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "127.0.0.1/32", "--control", control]
      const { gateway, running } = yield* serve("127.0.0.1:0,advertise=203.0.113.7:80", ...told)
      const forwarded = ["X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.1"]
      const say = (query: string, body: string) => RawHttp.ask(gateway, RawHttp.post(query, body, forwarded))
      const first = yield* say(RawHttp.open, "VER 1 MSNP7\r\n")
      const { host, sessionId } = RawHttp.sessionOf(first)
      assert.strictEqual(host, "203.0.113.7")
      const second = yield* say(`SessionID=${sessionId}`, "USR 2 MD5 I alice@example.com\r\n")
      const challenge = Challenge.Challenge.make(/ S (.*)\r\n/.exec(second.body)?.[1] ?? "")
      const digest = Redacted.value(Challenge.respond(challenge, Redacted.make("wonderland")))
      yield* say(`SessionID=${RawHttp.sessionOf(second).sessionId}`, `USR 3 MD5 S ${digest}\r\n`)
      const list = yield* Effect.promise(() => Msnp.run(["sessions", "list", "--json", "--control", control]))
      const session: unknown = JSON.parse(list.stdout)
      assert.deepInclude(session, {
        account: "alice@example.com",
        remote: "203.0.113.9:0",
        local: `127.0.0.1:${gateway.port}`,
      })
      // Nobody fetches the last words here.
      running.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => running.ended)).code, 0)
      assert.isFalse(Fs.existsSync(control))
    }),
  )

  it.live("says in one line what it cannot do", () =>
    Effect.gen(function* () {
      const taken = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const server = Net.createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => void server.close()),
      )
      const bound = taken.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : 0
      for (const [args, expected] of [
        [["--gateway", "nowhere"], "HOST:PORT"],
        [["--gateway", `127.0.0.1:${port}`], `Cannot listen on 127.0.0.1:${port}: the port is in use.`],
        [["--gateway", "127.0.0.1:0", "--trusted-proxy", "10.0.0.0/33"], "10.0.0.0/8"],
        [["--trusted-proxy", "10.0.0.0/8"], "--trusted-proxy goes with --gateway"],
      ] as const) {
        const serving = ["serve", "--demo", "--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0", ...args]
        const { code, stderr } = yield* Effect.promise(() => Msnp.run(serving))
        assert.strictEqual(code, 1)
        assert.include(stderr, expected)
        assert.lengthOf(stderr.trimEnd().split("\n"), 1)
      }
    }),
  )
})

describe("msnp login by way of a gateway", () => {
  it.live("goes to no nearer host than the gateway, unless any referral is to be followed", () =>
    Effect.gen(function* () {
      // No host has such an address, so that nobody is gone to in either case.
      const elsewhere = "224.0.0.1"
      const server = Http.createServer((_, response) => {
        response.writeHead(200, { "X-MSN-Messenger": `SessionID=1.1; GW-IP=${elsewhere}` }).end()
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close().closeAllConnections()),
      )
      const bound = server.address()
      const proxy = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`
      const logIn = (...args: ReadonlyArray<string>) =>
        Effect.promise(() => Msnp.run(["login", "alice@example.com", "--proxy", proxy, ...args], "wonderland\n"))
      const nearer = `it refers to ${elsewhere}, nearer than it is itself`
      const held = yield* logIn()
      assert.strictEqual(held.code, 5)
      assert.include(held.stderr, nearer)
      const free = yield* logIn("--any-referral")
      assert.notStrictEqual(free.code, 0)
      assert.notInclude(free.stderr, nearer)
    }),
  )
})
