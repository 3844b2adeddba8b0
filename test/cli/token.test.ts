import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as Crypto from "node:crypto"
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
beforeEach(async () => {
  folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))
  cleanups.push(() => Fs.rmSync(folder, { recursive: true }))
  await account(["add", "alice@example.com"], "wonderland\n")
})

const within = (name: string): string => Path.join(folder, name)

/** Runs `msnp account` on the accounts of the test. */
const account = (args: ReadonlyArray<string>, stdin = "") =>
  Msnp.run(["account", ...args, "--directory", within("accounts.db")], stdin)

const token = (...args: ReadonlyArray<string>) => account(["token", ...args])

/** What a command tells a program. */
const events = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<{ readonly [name: string]: unknown }>> => {
  const { code, stderr, stdout } = await token(...args, "--json")
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Makes a token of Alice's. */
const given = async (label: string): Promise<{ readonly id: string; readonly secret: string }> => {
  const [event] = await events("add", "alice@example.com", "--label", label)
  return { id: String(event?.["id"]), secret: String(event?.["token"]) }
}

/** Serves the accounts of the test until it is over. */
const serve = async (): Promise<number> => {
  const at = ["--dispatch", "none", "--notification", "127.0.0.1:0", "--directory", within("accounts.db")]
  const running = Msnp.start(["serve", "--json", ...at])
  cleanups.push(running.stop)
  return Msnp.portOf(running, "notification")
}

const login = (port: number, secret: string, ...args: ReadonlyArray<string>) =>
  Msnp.run(["login", "alice@example.com", "--server", `127.0.0.1:${port}`, ...args], `${secret}\n`)

/** What a command that fails says: this sentence, and nothing else. */
const refusal = (sentence: string) => ({ code: 1, stdout: "", stderr: `msnp: ${sentence}\n` })

/** A time as it is shown: UTC, to the second. */
const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`

describe("msnp account token", () => {
  it("makes a token that signs in beside a running server, as the password still does, until it is revoked", async () => {
    const port = await serve()
    const added = await token("add", "alice@example.com", "--label", "the old laptop")
    expect(added).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^[a-z2-7]{16}\n$/),
      stderr: expect.stringMatching(
        /^Added the token [a-z2-7]{6} of alice@example\.com, which works in place of the password\. It is shown this once\.\n$/,
      ),
    })
    const secret = added.stdout.trim()
    const id = /token (\w+)/.exec(added.stderr)?.[1] ?? ""
    expect(await login(port, secret)).toMatchObject({ code: 0 })
    expect(await login(port, secret, "--as", "MSN1.0")).toMatchObject({ code: 0 })
    expect(await login(port, "wonderland")).toMatchObject({ code: 0 })

    expect(await token("revoke", "alice@example.com", id)).toEqual({
      code: 0,
      stdout: `Revoked the token ${id}. A session that was begun with it goes on: msnp sessions kick alice@example.com ends it.\n`,
      stderr: "",
    })
    expect(await login(port, secret)).toMatchObject({ code: 2, stderr: expect.stringContaining("911") })
    expect(await login(port, "wonderland")).toMatchObject({ code: 0 })
  })

  it("lists what there is, and when it was used last, but no secret", async () => {
    const port = await serve()
    expect(await token("list", "alice@example.com")).toEqual({
      code: 0,
      stdout: "alice@example.com has no tokens.\n",
      stderr: "",
    })
    const used = await given("Windows 98 🦋")
    // An order to a terminal that is no control character: the text behind it runs from right to left.
    const unused = await given("\u202eelbissop")
    expect(await login(port, used.secret)).toMatchObject({ code: 0 })
    // It is kept beside the login, not before it.
    await expect
      .poll(async () => (await events("list", "alice@example.com"))[0]?.["lastUsed"], { timeout: 30_000 })
      .not.toBe(null)

    const { stdout } = await token("list", "ALICE@example.com")
    expect(stdout).toMatch(
      new RegExp(
        [
          "^ID      CREATED               LAST USED             LABEL\n",
          `${used.id}  ${time}  ${time}  Windows 98 🦋\n`,
          `${unused.id}  ${time}  never                 .*elbissop\n$`,
        ].join(""),
      ),
    )
    expect(stdout).not.toContain("\u202e")
    expect(stdout).not.toContain(used.secret)
    expect(await events("list", "alice@example.com")).toEqual([
      {
        event: "token",
        account: "alice@example.com",
        id: used.id,
        label: "Windows 98 🦋",
        created: expect.stringMatching(time),
        lastUsed: expect.stringMatching(time),
      },
      {
        event: "token",
        account: "alice@example.com",
        id: unused.id,
        label: "\u202eelbissop",
        created: expect.stringMatching(time),
        lastUsed: null,
      },
    ])
  })

  it("refuses what cannot be, and says why", async () => {
    expect(await token("add", "bob@example.com", "--label", "x")).toEqual(
      refusal("There is no account bob@example.com."),
    )
    expect(await token("revoke", "alice@example.com", "abc234")).toEqual(
      refusal("alice@example.com has no token abc234."),
    )
    for (const args of [
      ["add", "alice@example.com"],
      ["add", "alice@example.com", "--label", "a\nb"],
      ["revoke", "alice@example.com", "ABC"],
      ["revoke", "alice@example.com"],
    ]) {
      const ended = await token(...args)
      expect(ended).toMatchObject({ code: 1, stdout: "" })
      expect(ended.stderr.split("\n")).toHaveLength(2)
    }
    expect(await events("list", "alice@example.com")).toEqual([])
  })

  it("tells a program why it refuses, and that a token is revoked", async () => {
    const { id } = await given("x")
    expect(await events("revoke", "alice@example.com", id)).toEqual([
      { event: "tokenRevoked", account: "alice@example.com", id },
    ])
    const again = await token("revoke", "alice@example.com", id, "--json")
    expect(again.code).toBe(1)
    expect(JSON.parse(again.stdout)).toEqual({
      event: "failed",
      why: "NoSuchToken",
      message: `alice@example.com has no token ${id}.`,
    })
  })
})

describe("a token", () => {
  it("signs in after the accounts are sealed with a new key, and from a backup of them", async () => {
    const { secret } = await given("x")
    expect(await account(["rekey"])).toMatchObject({ code: 0 })
    expect(await account(["backup", within("copy.db")])).toMatchObject({ code: 0 })
    for (const lost of ["accounts.db", "accounts.db-wal", "accounts.db-shm"]) Fs.rmSync(within(lost), { force: true })
    Fs.renameSync(within("copy.db"), within("accounts.db"))
    expect(await login(await serve(), secret)).toMatchObject({ code: 0 })
  })

  it("is not exported, and is in no file in the clear", async () => {
    const { secret } = await given("x")
    const { stdout } = await account(["export", "-"])
    expect(stdout).not.toContain(secret)
    const files = Fs.readdirSync(folder)
    expect(files).toContain("accounts.db")
    expect(files.filter((file) => Fs.readFileSync(within(file), "latin1").includes(secret))).toEqual([])
  })
})

describe("a password that nobody knows", () => {
  it("leaves an account to its tokens", async () => {
    const { secret } = await given("x")
    const unknown = Crypto.randomBytes(32).toString("hex")
    expect(await account(["passwd", "alice@example.com"], `${unknown}\n`)).toMatchObject({ code: 0 })
    const port = await serve()
    expect(await login(port, secret)).toMatchObject({ code: 0 })
    expect(await login(port, "wonderland")).toMatchObject({ code: 2 })
  })
})
