import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

let folder = ""
beforeEach(() => {
  folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))
  cleanups.push(() => Fs.rmSync(folder, { recursive: true }))
})

/** Serves until the test is over. */
const serve = async (...args: ReadonlyArray<string>) => {
  const running = Msnp.start(["serve", "--json", "--dispatch", "none", "--notification", "127.0.0.1:0", ...args])
  cleanups.push(running.stop)
  return { ...running, port: await Msnp.portOf(running, "notification") }
}

/** Serves the demo accounts, and answers operators at a path. */
const serveDemo = () => serve("--demo", "--control", Path.join(folder, "control"))

const sessions = (...args: ReadonlyArray<string>) =>
  Msnp.run(["sessions", ...args, "--control", Path.join(folder, "control")])

const signIn = async (port: number, account: string, password: string) => {
  const session = await Msnp.signIn(port, account, password)
  cleanups.push(session.close)
  return session
}

describe("msnp sessions list", () => {
  it("shows who is signed in, from where and since when, in the order in which they signed in", async () => {
    const { port } = await serveDemo()
    expect(await sessions("list")).toEqual({ code: 0, stdout: "Nobody is signed in.\n", stderr: "" })
    await signIn(port, "bob@example.com", "builder")
    await signIn(port, "alice@example.com", "wonderland")
    const { code, stderr, stdout } = await sessions("list")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const row = (account: string) =>
      `${account}  MSNP7    127\\.0\\.0\\.1:\\d+ +\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ  (\\d+s|0)\\n`
    expect(stdout).toMatch(
      new RegExp(
        `^ACCOUNT            DIALECT  FROM +SINCE                 FOR\\n${row("bob@example.com  ")}${row("alice@example.com")}$`,
      ),
    )
  })

  it("tells a program, one session a line, or nothing", async () => {
    const { port } = await serveDemo()
    expect(await sessions("list", "--json")).toEqual({ code: 0, stdout: "", stderr: "" })
    const before = Math.floor(Date.now() / 1000) * 1000
    await signIn(port, "ALICE@example.com", "wonderland")
    const told: { readonly since: string } = JSON.parse((await sessions("list", "--json")).stdout)
    expect(told).toEqual({
      event: "session",
      account: "alice@example.com",
      dialect: "MSNP7",
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      local: `127.0.0.1:${port}`,
      since: expect.stringMatching(/Z$/),
    })
    expect(Date.parse(told.since)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(told.since)).toBeLessThanOrEqual(Date.now())
  })

  it("finds the server by its accounts", async () => {
    const directory = ["--directory", Path.join(folder, "accounts.db")]
    const add = ["account", "add", "alice@example.com", ...directory]
    expect(await Msnp.run(add, "wonderland\n")).toMatchObject({ code: 0 })
    const { port } = await serve(...directory)
    await signIn(port, "alice@example.com", "wonderland")
    expect(await Msnp.run(["sessions", "list", ...directory])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("alice@example.com"),
    })
    expect(Fs.statSync(Path.join(folder, "accounts.db.control")).mode & 0o777).toBe(0o600)
  })
})

describe("msnp sessions kick", () => {
  it("closes the session of an account, which may log in again at once", async () => {
    const { port } = await serveDemo()
    const session = await signIn(port, "alice@example.com", "wonderland")
    expect(await sessions("kick", "ALICE@example.com")).toEqual({
      code: 0,
      stdout: "Closed the session of ALICE@example.com.\n",
      stderr: "",
    })
    await session.closed
    await signIn(port, "alice@example.com", "wonderland")
    const { stdout } = await sessions("kick", "alice@example.com", "--json")
    expect(JSON.parse(stdout)).toEqual({ event: "kicked", account: "alice@example.com" })
  })

  it("exits 1 with a sentence where the account is not signed in", async () => {
    await serveDemo()
    expect(await sessions("kick", "bob@example.com", "--json")).toEqual({
      code: 1,
      stdout: '{"event":"failed","why":"NotSignedIn","message":"bob@example.com is not signed in."}\n',
      stderr: "msnp: bob@example.com is not signed in.\n",
    })
  })
})

describe("msnp sessions", () => {
  it("exits 5 with a sentence where no server runs, and where one was killed", async () => {
    const control = Path.join(folder, "control")
    expect(await sessions("list")).toEqual({
      code: 5,
      stdout: "",
      stderr: `msnp: No server can be reached at ${control}: no server has made it.\n`,
    })
    const served = await serveDemo()
    await served.stop()
    expect(await sessions("kick", "alice@example.com")).toEqual({
      code: 5,
      stdout: "",
      stderr: `msnp: No server can be reached at ${control}: no server answers there.\n`,
    })
    await serveDemo()
    expect(await sessions("list")).toMatchObject({ code: 0 })
  })

  it("exits 1 with a sentence where a database does not tell which server is meant", async () => {
    expect(await Msnp.run(["sessions", "list", "--directory", "postgres://alice:secret-text@127.0.0.1/msnp"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "msnp: Say with --control which server is meant: a database does not tell.\n",
    })
  })

  it("leaves the first server its socket where a second one is to have the same", async () => {
    const { port } = await serveDemo()
    await signIn(port, "alice@example.com", "wonderland")
    const second = await serveDemo()
    expect(await second.line((line) => line.includes('"event":"warning"'))).toContain("another server answers there")
    expect(await sessions("list")).toMatchObject({ stdout: expect.stringContaining("alice@example.com") })
  })
})
