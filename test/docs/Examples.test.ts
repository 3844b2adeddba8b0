/** The examples, run as they stand: as processes of their own that talk to each other. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { afterEach, assert, describe, expect, it, vi } from "vitest"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Exposition from "../support/Exposition.ts"
import * as Msnp from "../support/Msnp.ts"
import { root, runnable } from "./Blocks.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const folder = `${root}docs/examples`

let running: ReadonlyArray<Msnp.Running> = []

/** Starts an example, with some settings in its environment. */
const start = (name: string, env: { readonly [setting: string]: string } = {}): Msnp.Running => {
  const text = runnable(Fs.readFileSync(`${folder}/${name}.ts`, "utf8"))
  const child = ChildProcess.spawn(process.execPath, ["--input-type=module-typescript", "--eval", text], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
  })
  const started = Msnp.watch(child)
  running = [...running, started]
  return started
}

afterEach(async () => {
  for (const { kill } of running) kill("SIGKILL")
  await Promise.all(running.map(({ ended }) => ended))
  running = []
})

/** Starts the server of the examples; its port, once it listens. */
const startServer = async (port = 0) => {
  const server = start("own-accounts", { PORT: String(port) })
  const line = await server.line((line) => line.startsWith("Listening on "))
  return { server, port: Number(/:(\d+)$/.exec(line)?.[1]) }
}

const alice = { MSNP_ACCOUNT: "alice@example.com", MSNP_PASSWORD: "wonderland" }

const startBot = (port: number, credentials: { readonly [setting: string]: string } = alice) =>
  start("bot", { MSNP_SERVER: `127.0.0.1:${port}`, ...credentials })

describe("the examples", () => {
  it("are those that are tried here", () => {
    expect(Fs.readdirSync(folder).toSorted()).toEqual([
      "bot.ts",
      "http-login.ts",
      "observed.ts",
      "own-accounts.ts",
      "pure-core.ts",
    ])
  })
})

describe("the bare core", () => {
  it("carries a whole login between its two machines", async () => {
    const { stderr, stdout } = await start("pure-core").ended
    expect(stderr).toBe("")
    // The digest is MD5 of the challenge and the password, as md5sum has it.
    expect(stdout.replaceAll("\r\n", "\n")).toBe(
      [
        "VER 1 MSNP7 CVR0",
        "VER 1 MSNP7 CVR0",
        "INF 2",
        "INF 2 MD5",
        "USR 3 MD5 I alice@example.com",
        "USR 3 MD5 S 1013928519.693957190693957190",
        "USR 4 MD5 S 170d96f2f4c6bd7e3e6f2c09a3d25a53",
        "USR 4 OK alice@example.com Alice%20Liddell 1",
        "Alice Liddell is signed in with MSNP7",
        "",
      ].join("\n"),
    )
  })

  it("uses nothing of Effect that runs anything", () => {
    const text = Fs.readFileSync(`${folder}/pure-core.ts`, "utf8")
    expect(text.match(/(?<=from ")effect\/\w+/g)).toEqual(["effect/Redacted", "effect/Result"])
  })
})

describe("the bot", () => {
  it("signs in, says what it hears, and leaves when it is told to", async () => {
    const { port } = await startServer()
    const bot = startBot(port)
    await bot.line((line) => line === "Signed in as Alice Liddell, with MSNP7")
    await bot.line((line) => line === "Contacts: Bob")
    await bot.line((line) => line === "Shown as Online")
    bot.kill("SIGTERM")
    const { stderr } = await bot.ended
    expect(stderr).toBe("")
  })

  it("signs in again at a server that goes down and comes back", async () => {
    const { port, server } = await startServer()
    const bot = startBot(port)
    await bot.line((line) => line === "Shown as Online")
    server.kill("SIGTERM")
    const down = `127.0.0.1:${port} ended the session: the server is shutting down. Trying again in `
    await bot.line((line) => line.startsWith(down))
    await server.ended
    await startServer(port)
    const again = bot.line((line, index, lines) => line === "Shown as Online" && lines.indexOf(line) < index)
    expect(await again).toBe("Shown as Online")
  })

  it("gives up after its account has logged in elsewhere, with the reason", async () => {
    const { port } = await startServer()
    const bot = startBot(port)
    await bot.line((line) => line === "Shown as Online")
    const other = startBot(port)
    await other.line((line) => line === "Shown as Online")
    const { code, stderr, stdout } = await bot.ended
    expect(code).toBe(1)
    expect(stderr + stdout).toContain(`127.0.0.1:${port} ended the session: the account has logged in elsewhere.`)
    expect(stdout).not.toContain("Trying again")
  })

  it("gives up where its password is wrong", async () => {
    const { port } = await startServer()
    const { code, stderr, stdout } = await startBot(port, { ...alice, MSNP_PASSWORD: "wrong" }).ended
    expect(code).toBe(1)
    expect(stderr + stdout).toContain("the account or the password is wrong (911)")
    expect(stderr + stdout).not.toContain("wrong (911). Trying again")
  })
})

describe("the server with accounts of its own", () => {
  it("lets in whom it knows, with the lists of its own, and answers a command of its own", async () => {
    const { port } = await startServer()
    const program = Effect.gen(function* () {
      const session = yield* SessionClient.signIn({
        server: { host: "127.0.0.1", port },
        account: Account.Account.make("bob@example.com"),
        password: Redacted.make("builder"),
      })
      assert.deepStrictEqual(session.verified, Option.some(false))
      const { forward } = yield* session.lists
      assert.deepStrictEqual(
        forward.map(({ account }) => account),
        ["alice@example.com"],
      )
      const echo = { _tag: "Foreign", verb: "ECH", parameters: ["20", "Hello"], payload: "" } as const
      yield* session.send(echo)
      yield* session.send({ ...echo, verb: "FOO" })
      const answers = session.events.pipe(
        Stream.filter(({ _tag }) => _tag === "Command" || _tag === "Refused"),
        Stream.take(2),
      )
      assert.deepStrictEqual(
        [...(yield* Stream.runCollect(answers))],
        [
          { _tag: "Command", command: echo },
          { _tag: "Refused", code: 502, trId: Option.some(TrId.TrId.make(20)) },
        ],
      )
    })
    await Effect.runPromise(Effect.scoped(program))
  })
})

describe("the network that operators can see", () => {
  it("answers them, and counts what becomes of a login", async () => {
    const network = start("observed", { METRICS_PORT: "0" })
    const told = await network.line((line) => line.startsWith("Metrics and health on "))
    const url = told.slice("Metrics and health on ".length)
    const line = await network.line((line) => line.startsWith("Listening on "))
    await Msnp.tell(Number(/:(\d+)$/.exec(line)?.[1]), "VER 1 MSNP4\r\nUSR 2 MD5 I alice@example.com\r\n")
    const ready = await fetch(`${url}/health/ready`)
    expect([ready.status, await ready.text()]).toEqual([200, "ready\n"])
    const metrics = Exposition.parse(await (await fetch(`${url}/metrics`)).text())
    expect(Exposition.counted(metrics, "msnp_logins_total")).toEqual({
      '{role="dispatch",outcome="Referred",dialect="MSNP4"}': 1,
    })
    expect(metrics.types.get("process_resident_memory_bytes")).toBe("gauge")
  })
})

describe("the login behind an HTTP API", () => {
  const post = async (url: string, body: unknown) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: await response.json() }
  }

  const startApi = async (port: number) => {
    const api = start("http-login", { MSNP_SERVER: `127.0.0.1:${port}`, PORT: "0" })
    const line = await api.line((line) => line.includes("Listening on http://"))
    return `http://127.0.0.1:${/:(\d+)\D*$/.exec(line)?.[1]}/login`
  }

  it("says who has logged in, and otherwise who is to blame, with a status to match", async () => {
    const { port, server } = await startServer()
    const url = await startApi(port)
    const credentials = { account: "alice@example.com", password: "wonderland" }
    expect(await post(url, credentials)).toEqual({
      status: 200,
      body: { account: "alice@example.com", friendlyName: "Alice Liddell", dialect: "MSNP7" },
    })
    expect(await post(url, { ...credentials, password: "wrong" })).toEqual({
      status: 401,
      body: {
        error: "Denied",
        message: `127.0.0.1:${port} does not let alice@example.com in: the account or the password is wrong (911).`,
      },
    })
    expect(await post(url, { ...credentials, account: "alice" })).toEqual({
      status: 400,
      body: { error: "BadRequest", message: "Name an account, an address, and its password." },
    })
    server.kill("SIGTERM")
    await server.ended
    expect(await post(url, credentials)).toEqual({
      status: 503,
      body: {
        error: "Unreachable",
        message:
          `No server could be reached; tried 127.0.0.1:${port} (nothing listens there). ` +
          "That is this machine: is the server running?",
      },
    })
  })

  it.each([
    ["VER 1 0\r\n", 502, "NoCommonDialect"],
    ["INF 1 MD5\r\n", 502, "ServerMisbehaved"],
    ["601 1\r\n", 503, "Unavailable"],
    ["OUT SSD\r\n", 503, "LoggedOut"],
    [undefined, 503, "Disconnected"],
  ])("says of a server that answers %j: %i", async (answer, status, error) => {
    const { close, port } = await Msnp.scripted(() => answer)
    const found = await post(await startApi(port), { account: "alice@example.com", password: "wonderland" })
    expect(found).toMatchObject({ status, body: { error } })
    close()
  })
})
