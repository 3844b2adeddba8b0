import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Sqlite from "node:sqlite"
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

const within = (name: string): string => Path.join(folder, name)

/** Runs `msnp account` on the accounts of the test. */
const account = (args: ReadonlyArray<string>, stdin = "", environment: NodeJS.ProcessEnv = {}) =>
  Msnp.run(["account", ...args, "--directory", within("accounts.db")], stdin, environment)

/** Does what has to be done before: it works. */
const given = async (args: ReadonlyArray<string>, stdin = "") => {
  expect(await account(args, stdin)).toMatchObject({ code: 0 })
}

/** Each account as a program is told of it. */
const listed = async (): Promise<ReadonlyArray<unknown>> => {
  const { code, stdout } = await account(["list", "--json"])
  expect(code).toBe(0)
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line))
}

const alice = {
  event: "account",
  account: "alice@example.com",
  friendlyName: "Alice Liddell",
  verified: true,
  enabled: true,
}

const bob = {
  event: "account",
  account: "bob@example.com",
  friendlyName: "bob@example.com",
  verified: true,
  enabled: true,
}

const addAlice = () => given(["add", "alice@example.com", "--name", "Alice Liddell"], "wonderland\n")
const addBob = () => given(["add", "bob@example.com"], "builder\n")

/** Serves the accounts of the test until it is over. */
const serve = async () => {
  const at = ["--dispatch", "none", "--notification", "127.0.0.1:0", "--directory", within("accounts.db")]
  const running = Msnp.start(["serve", "--json", ...at])
  cleanups.push(running.stop)
  return { ...running, port: await Msnp.portOf(running, "notification") }
}

const login = (port: number, name: string, password: string) =>
  Msnp.run(["login", name, "--server", `127.0.0.1:${port}`], `${password}\n`)

/** What a command that fails says last. */
const lastLine = ({ stderr }: Msnp.Ended): string => stderr.trimEnd().split("\n").at(-1) ?? ""

/** What a command that fails says: this sentence, and nothing else on standard error. */
const refusal = (sentence: string, code = 1) => ({ code, stderr: `msnp: ${sentence}\n` })

describe("msnp account add", () => {
  it("adds an account, which has its own name unless told otherwise, and makes and names a key on first use", async () => {
    const first = await account(["add", "alice@example.com", "--name", "Alice Liddell"], "wonderland\n")
    expect(first).toEqual({
      code: 0,
      stdout: "Added alice@example.com.\n",
      stderr: `Made the key ${within("accounts.db.key")}: back it up, since without it the accounts are lost.\n`,
    })
    expect(Fs.statSync(within("accounts.db.key")).mode & 0o777).toBe(0o600)
    expect(await account(["add", "bob@example.com", "--unverified"], "builder\n")).toMatchObject({
      code: 0,
      stderr: "",
    })
    expect(await listed()).toEqual([alice, { ...bob, verified: false }])
  })

  it("tells a program of the key and of the account", async () => {
    const { stdout } = await account(["add", "alice@example.com", "--json"], "wonderland\n")
    expect(stdout.split("\n").map((line): unknown => (line === "" ? line : JSON.parse(line)))).toEqual([
      { event: "keyMade", path: within("accounts.db.key") },
      { event: "added", account: "alice@example.com" },
      "",
    ])
  })

  it("makes an account that can log in with the password of a file, and with no other", async () => {
    Fs.writeFileSync(within("password"), "wonderland\n")
    await given(["add", "alice@example.com", "--name", "Alice", "--password-file", within("password")])
    const { port } = await serve()
    const ended = await login(port, "alice@example.com", "wonderland")
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("as alice@example.com, Alice (") })
    expect(await login(port, "alice@example.com", "hearts")).toMatchObject({ code: 2 })
  })

  it.each([
    [["alice"], "an address"],
    [[`${"a".repeat(118)}@example.com`], "at most 129 bytes"],
    [["alice@example.com", "--name", ""], "a name in UTF-8 that is not empty"],
    [["alice@example.com"], "There is no password on standard input; give it there, or with --password-file."],
    [
      ["alice@example.com", "--password-file", "/nowhere"],
      "The password file /nowhere cannot be read: it is not there.",
    ],
    // As an argument comes whose bytes are no UTF-8.
    [["m\ufffdller@example.com"], "an address"],
    [["alice@example.com", "--name", "M\ufffdller"], "a name in UTF-8 that is not empty"],
    [["alice@example.com", "--password", "wonderland"], "--password"],
  ])("refuses %j, and adds nothing", async (args, expected) => {
    const ended = await account(["add", ...args])
    expect(ended.code).toBe(1)
    expect(lastLine(ended)).toMatch(/^msnp: .*[.]$/)
    expect(lastLine(ended)).toContain(expected)
    const isMade = Fs.existsSync(within("accounts.db"))
    expect(isMade ? await listed() : []).toEqual([])
  })

  it("takes an address of 129 bytes", async () => {
    const longest = `${"a".repeat(117)}@example.com`
    await given(["add", longest], "wonderland\n")
    expect(await listed()).toEqual([{ ...bob, account: longest, friendlyName: longest }])
  })

  it("refuses an account that there is, in any letter case", async () => {
    await addBob()
    const refused = refusal("There is an account BOB@example.com already.")
    expect(await account(["add", "BOB@example.com", "--name", "Robert"], "other\n")).toMatchObject(refused)
    const told = await account(["add", "BOB@example.com", "--json"], "other\n")
    expect(JSON.parse(told.stdout)).toEqual({
      event: "failed",
      why: "AccountTaken",
      message: "There is an account BOB@example.com already.",
    })
    expect(await listed()).toEqual([bob])
  })

  it("takes a friendly name of 387 bytes as it is sent, and refuses one of 388", async () => {
    // Three bytes in UTF-8, each of which is sent as three.
    const name = "あ".repeat(43)
    await given(["add", "alice@example.com", "--name", name], "wonderland\n")
    expect(await account(["add", "bob@example.com", "--name", `${name}b`], "builder\n")).toMatchObject(
      refusal("The friendly name of bob@example.com takes 388 bytes as it is sent, and 387 is the most."),
    )
    expect(await listed()).toEqual([{ ...alice, friendlyName: name }])

    const elsewhere = ["--directory", within("elsewhere.db")]
    const refused = await Msnp.run(["account", "add", "bob@example.com", "--name", `${name}b`, ...elsewhere], "x\n")
    expect(refused.code).toBe(1)
    expect(Fs.existsSync(within("elsewhere.db"))).toBe(false)
  })
})

describe("msnp account list", () => {
  it("shows a table whose columns fit, in the order of the names", async () => {
    await given(["add", "Bob@example.com", "--name", "Bob \u001b[31m"], "builder\n")
    await given(["add", "a@b", "--unverified"], "wonderland\n")
    await given(["disable", "a@b"])
    expect(await account(["list"])).toEqual({
      code: 0,
      stdout: [
        "ACCOUNT          ADDRESS     LOGIN     NAME\n",
        "a@b              unverified  disabled  a@b\n",
        "Bob@example.com  verified    enabled   Bob \\x1b[31m\n",
      ].join(""),
      stderr: "",
    })
  })

  it("says so where there is none, and tells a program nothing", async () => {
    await addAlice()
    await given(["remove", "alice@example.com", "--yes"])
    expect(await account(["list"])).toMatchObject({ code: 0, stdout: "There are no accounts.\n" })
    expect(await account(["list", "--json"])).toMatchObject({ code: 0, stdout: "", stderr: "" })
  })

  it("ends with exit code 0 where whoever reads it has read enough", async () => {
    const csv = ["account,password", ...Array.from({ length: 5000 }, (_, i) => `user${i}@example.com,password`)]
    await given(["import", "-"], csv.join("\n"))
    const running = Msnp.start(["account", "list", "--directory", within("accounts.db")])
    await running.line((line) => line.startsWith("ACCOUNT"))
    running.deafen("stdout")
    expect(await running.ended).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("msnp account", () => {
  it("changes a password, which holds from the next login", async () => {
    await addAlice()
    const { port } = await serve()
    expect(await account(["passwd", "ALICE@example.com"], "hearts\n")).toMatchObject({
      code: 0,
      stdout: "Changed the password of ALICE@example.com; it holds from the next login.\n",
    })
    expect(await login(port, "alice@example.com", "hearts")).toMatchObject({ code: 0 })
    expect(await login(port, "alice@example.com", "wonderland")).toMatchObject({ code: 2 })
  })

  it("sets a password anew that cannot be had any more, and removes an account that has one", async () => {
    await addAlice()
    await addBob()
    const database = new Sqlite.DatabaseSync(within("accounts.db"))
    database.exec("UPDATE msnp_accounts SET password = x'00'")
    database.close()
    const lost = "is sealed with another key, or somebody has tampered with it; it has to be set anew."
    expect(await account(["list"])).toMatchObject(refusal(`The password of alice@example.com ${lost}`))
    await given(["passwd", "alice@example.com"], "hearts\n")
    await given(["remove", "bob@example.com", "--yes"])
    expect(await listed()).toEqual([alice])
    const { port } = await serve()
    expect(await login(port, "alice@example.com", "hearts")).toMatchObject({ code: 0 })
  })

  it("takes no password that is no UTF-8, and of a file no mark of byte order", async () => {
    await addAlice()
    Fs.writeFileSync(within("latin1.txt"), Buffer.from("m\xfcller\n", "latin1"))
    expect(await account(["passwd", "alice@example.com", "--password-file", within("latin1.txt")])).toMatchObject(
      refusal(`The password file ${within("latin1.txt")} begins with a line that is no text in UTF-8.`),
    )
    const { port } = await serve()
    expect(await login(port, "alice@example.com", "wonderland")).toMatchObject({ code: 0 })
    Fs.writeFileSync(within("bom.txt"), "\ufeffmüller\r\n")
    await given(["passwd", "alice@example.com", "--password-file", within("bom.txt")])
    expect(await login(port, "alice@example.com", "müller")).toMatchObject({ code: 0 })
  })

  it("renames an account, verifies and unverifies its address, disables and enables it", async () => {
    await addAlice()
    const changed = async (args: ReadonlyArray<string>, text: string) => {
      expect(await account(args)).toEqual({ code: 0, stdout: `${text}\n`, stderr: "" })
      return (await listed())[0]
    }
    const it = "alice@example.com"
    expect(await changed(["rename", it, "Al"], "alice@example.com is Al now.")).toEqual({
      ...alice,
      friendlyName: "Al",
    })
    expect(await changed(["unverify", it], "The address alice@example.com is not verified.")).toMatchObject({
      verified: false,
    })
    expect(await changed(["verify", it], "The address alice@example.com is verified.")).toMatchObject({
      verified: true,
    })
    expect(await changed(["disable", it], "Disabled alice@example.com.")).toMatchObject({ enabled: false })
    expect(await changed(["enable", it], "Enabled alice@example.com.")).toMatchObject({ enabled: true })
  })

  it("tells a program what it did", async () => {
    await addAlice()
    const told = [
      [["rename", "alice@example.com", "Al"], { event: "renamed", account: "alice@example.com", friendlyName: "Al" }],
      [["unverify", "alice@example.com"], { event: "unverified", account: "alice@example.com" }],
      [["verify", "alice@example.com"], { event: "verified", account: "alice@example.com" }],
      [["disable", "alice@example.com"], { event: "disabled", account: "alice@example.com" }],
      [["enable", "alice@example.com"], { event: "enabled", account: "alice@example.com" }],
      [["passwd", "alice@example.com"], { event: "passwordChanged", account: "alice@example.com" }],
      [["remove", "alice@example.com", "--yes"], { event: "removed", account: "alice@example.com" }],
      [["backup", within("copy.db")], { event: "backedUp", file: within("copy.db") }],
      [["rekey"], { event: "rekeyed", path: within("accounts.db.key") }],
    ] as const
    for (const [args, event] of told) {
      const ended = await account([...args, "--json"], "hearts\n")
      expect(ended).toMatchObject({ code: 0, stderr: "" })
      expect(JSON.parse(ended.stdout)).toEqual(event)
    }
  })

  it("refuses whatever is to be done to an account that there is not, and nothing is changed", async () => {
    await addAlice()
    const refused = [
      ["passwd", "bob@example.com"],
      ["rename", "bob@example.com", "Bob"],
      ["verify", "bob@example.com"],
      ["unverify", "bob@example.com"],
      ["disable", "bob@example.com"],
      ["enable", "bob@example.com"],
      ["remove", "bob@example.com", "--yes"],
      ["remove", "bob@example.com"],
    ]
    for (const args of refused) {
      expect(await account(args, "builder\n")).toMatchObject(refusal("There is no account bob@example.com."))
    }
    expect(await listed()).toEqual([alice])
  })

  it("refuses a friendly name that is too long, and nothing is changed", async () => {
    await addAlice()
    expect(await account(["rename", "alice@example.com", "x".repeat(388)])).toMatchObject(
      refusal("The friendly name of alice@example.com takes 388 bytes as it is sent, and 387 is the most."),
    )
    expect(await listed()).toEqual([alice])
  })

  it("removes an account if it is told that it may, and asks for that where nobody can be asked", async () => {
    await addAlice()
    expect(await account(["remove", "alice@example.com"])).toMatchObject(
      refusal("Nobody can be asked here whether to remove it: say so with --yes."),
    )
    expect(await listed()).toEqual([alice])
    expect(await account(["remove", "alice@example.com", "--yes"])).toMatchObject({
      code: 0,
      stdout: "Removed alice@example.com.\n",
    })
    expect(await listed()).toEqual([])
  })

  it.each([[["disable", "alice@example.com"]], [["remove", "alice@example.com", "--yes"]]])(
    "closes the session of an account within a second, and keeps it out: %j",
    async (args) => {
      await addAlice()
      const { port } = await serve()
      const session = await Msnp.signIn(port, "alice@example.com", "wonderland")
      cleanups.push(session.close)
      expect(await account(args)).toMatchObject({ code: 0 })
      const done = performance.now()
      await session.closed
      expect(performance.now() - done).toBeLessThan(1000)
      expect(await login(port, "alice@example.com", "wonderland")).toMatchObject({ code: 2 })
    },
  )
})

describe("where accounts are kept", () => {
  it.each([
    [["list"]],
    [["passwd", "alice@example.com"]],
    [["remove", "alice@example.com", "--yes"]],
    [["export", "-"]],
    [["backup", "copy.db"]],
    [["rekey"]],
  ])("is nowhere as long as nothing was added: %j makes no file", async (args) => {
    const ended = await account(args, "wonderland\n")
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^msnp: There is no [^\n]*[.]\n$/)
    expect(ended.stderr).toContain(within("accounts.db"))
    expect(Fs.readdirSync(folder)).toEqual([])
  })

  it("is the file that MSNP_DIRECTORY names, unless --directory does", async () => {
    const environment = { MSNP_DIRECTORY: within("other.db") }
    const added = await Msnp.run(["account", "add", "alice@example.com"], "wonderland\n", environment)
    expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining(within("other.db.key")) })
    expect(await Msnp.run(["account", "list"], "", environment)).toMatchObject({
      stdout: expect.stringContaining("alice@example.com"),
    })
    expect(await account(["list"], "", environment)).toMatchObject(
      refusal(`There is no ${within("accounts.db")} yet: msnp account add makes it.`),
    )
  })

  it("is accounts.db in the user's data directory, where nothing is named", async () => {
    const home = { HOME: folder, XDG_DATA_HOME: "", MSNP_DIRECTORY: "" }
    expect(await Msnp.run(["account", "add", "alice@example.com"], "wonderland\n", home)).toMatchObject({ code: 0 })
    const data = process.platform === "darwin" ? "Library/Application Support" : ".local/share"
    expect(Fs.existsSync(within(`${data}/msnp/accounts.db`))).toBe(true)
    expect(Fs.statSync(within(`${data}/msnp`)).mode & 0o777).toBe(0o700)
  })

  it("can have its key in MSNP_DIRECTORY_KEY, and then none is made", async () => {
    const environment = { MSNP_DIRECTORY_KEY: "0f".repeat(32) }
    expect(await account(["add", "alice@example.com"], "wonderland\n", environment)).toMatchObject({ stderr: "" })
    expect(Fs.existsSync(within("accounts.db.key"))).toBe(false)
    const wrong = await account(["list"], "", { MSNP_DIRECTORY_KEY: "f0".repeat(32) })
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(/^msnp: .*accounts\.db is sealed with another key than the one given\.\n$/)
  })

  it.each([
    [
      { MSNP_DIRECTORY_KEY: "secret-text" },
      [],
      "MSNP_DIRECTORY_KEY is no key. A directory key is 32 bytes, written as 64 hexadecimal digits or in base64.",
    ],
    [
      {},
      ["--directory", "postgres://alice:secret-text@127.0.0.1:1/msnp"],
      "Accounts in PostgreSQL need a key that all servers share: set MSNP_DIRECTORY_KEY to 32 random bytes, for instance from `openssl rand -hex 32`.",
    ],
    [{}, ["--directory", "/dev/null/accounts.db"], "/dev/null"],
    [{}, ["--directory", "/dev"], "/dev cannot be opened"],
    [{}, ["--directory", ""], "the path of a file, or postgres://…"],
  ])("is told in a sentence where it cannot be opened: %j %j", async (environment, args, expected) => {
    const ended = await Msnp.run(["account", "add", "alice@example.com", ...args], "wonderland\n", environment)
    expect(ended.code).toBe(1)
    expect(ended.stdout).toBe("")
    expect(ended.stderr).toMatch(/^msnp: [^\n]*[.]\n$/)
    expect(ended.stderr).toContain(expected)
    expect(ended.stderr).not.toContain("secret-text")
  })

  it("is told by host and port alone where a database cannot be reached", async () => {
    const ended = await Msnp.run(["account", "list"], "", {
      MSNP_DIRECTORY: "postgres://alice:secret-text@127.0.0.1:1/msnp",
      MSNP_DIRECTORY_KEY: "0f".repeat(32),
    })
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^msnp: PostgreSQL at 127\.0\.0\.1:1 cannot be opened: [^\n]*[.]\n$/)
    expect(ended.stderr).not.toContain("secret-text")
  })
})

describe("msnp account backup", () => {
  it("copies the accounts beside a running server; with the key they are served again, and their owners log in", async () => {
    await addAlice()
    const running = await serve()
    const copy = within("copy.db")
    expect(await account(["backup", copy])).toEqual({
      code: 0,
      stdout: `Copied the accounts to ${copy}; the key is not in it: keep a copy of that elsewhere.\n`,
      stderr: "",
    })
    expect(Fs.statSync(copy).mode & 0o777).toBe(0o600)
    Fs.copyFileSync(within("accounts.db.key"), within("elsewhere.key"))
    await running.stop()

    // The disk is lost, and so is the key.
    for (const lost of Fs.readdirSync(folder).filter((name) => name.startsWith("accounts.db"))) Fs.rmSync(within(lost))
    Fs.renameSync(copy, within("accounts.db"))
    expect(await account(["list"])).toMatchObject({ code: 1, stderr: expect.stringContaining("its key is not in") })
    Fs.renameSync(within("elsewhere.key"), within("accounts.db.key"))
    const restored = await serve()
    expect(await login(restored.port, "alice@example.com", "wonderland")).toMatchObject({ code: 0 })
  })

  it("writes over nothing", async () => {
    await addAlice()
    Fs.writeFileSync(within("copy.db"), "mine")
    expect(await account(["backup", within("copy.db")])).toMatchObject(
      refusal(`There is a ${within("copy.db")} already, which is not written over.`),
    )
    expect(Fs.readFileSync(within("copy.db"), "utf8")).toBe("mine")
  })
})

describe("msnp account rekey", () => {
  it("seals the accounts with a new key, which takes the old one's place", async () => {
    await addAlice()
    const before = Fs.readFileSync(within("accounts.db.key"), "utf8")
    expect(await account(["rekey"])).toEqual({
      code: 0,
      stdout: `The accounts are sealed with a new key, ${within("accounts.db.key")}: back it up, since without it they are lost.\n`,
      stderr: "",
    })
    const after = Fs.readFileSync(within("accounts.db.key"), "utf8")
    expect(after).not.toBe(before)
    expect(await listed()).toEqual([alice])
    Fs.writeFileSync(within("accounts.db.key"), before)
    expect(await account(["list"])).toMatchObject({ code: 1, stderr: expect.stringContaining("another key") })
  })

  it("takes the new key from the environment where the old one is there", async () => {
    const old = { MSNP_DIRECTORY_KEY: "0f".repeat(32) }
    const young = "f0".repeat(32)
    expect(await account(["add", "alice@example.com"], "wonderland\n", old)).toMatchObject({ code: 0 })
    expect(await account(["rekey"], "", old)).toMatchObject(
      refusal("The key is in MSNP_DIRECTORY_KEY: set MSNP_DIRECTORY_NEW_KEY to the one that is to take its place."),
    )
    expect(await account(["rekey"], "", { ...old, MSNP_DIRECTORY_NEW_KEY: young })).toEqual({
      code: 0,
      stdout: "The accounts are sealed with the key in MSNP_DIRECTORY_NEW_KEY: put it into MSNP_DIRECTORY_KEY.\n",
      stderr: "",
    })
    expect(await account(["list"], "", old)).toMatchObject({ code: 1 })
    expect(await account(["list"], "", { MSNP_DIRECTORY_KEY: young })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("alice@example.com"),
    })
  })

  it("is refused while a server runs on the accounts", async () => {
    await addAlice()
    await serve()
    const ended = await account(["rekey"])
    expect(ended).toMatchObject(
      refusal(`A server, or a change of key, is using ${within("accounts.db")}: one at a time can.`),
    )
  })
})

describe("msnp account export", () => {
  it("writes a file that only its owner can read, and says what is in it", async () => {
    await addAlice()
    await given(["add", "bob@example.com", "--unverified"], "builder\n")
    await given(["disable", "bob@example.com"])
    expect(await account(["export", within("out.csv")])).toEqual({
      code: 0,
      stdout: `Exported 2 accounts, with their passwords in the clear, to ${within("out.csv")}, which only you can read.\n`,
      stderr: "",
    })
    expect(Fs.statSync(within("out.csv")).mode & 0o777).toBe(0o600)
    expect(Fs.readFileSync(within("out.csv"), "utf8")).toBe(
      [
        "account,password,friendlyName,verified,enabled\r\n",
        "alice@example.com,wonderland,Alice Liddell,true,true\r\n",
        "bob@example.com,builder,bob@example.com,false,false\r\n",
      ].join(""),
    )
  })

  it("replaces a file only if it is told to, and then makes it private", async () => {
    await addAlice()
    Fs.writeFileSync(within("out.csv"), "precious", { mode: 0o644 })
    expect(await account(["export", within("out.csv")])).toMatchObject(
      refusal(`There is a file ${within("out.csv")} already: name another, or replace it with --force.`),
    )
    expect(Fs.readFileSync(within("out.csv"), "utf8")).toBe("precious")
    const forced = await account(["export", within("out.csv"), "--force", "--json"])
    expect(JSON.parse(forced.stdout)).toEqual({ event: "exported", accounts: 1, file: within("out.csv") })
    expect(Fs.readFileSync(within("out.csv"), "utf8")).toContain("alice@example.com,wonderland")
    expect(Fs.statSync(within("out.csv")).mode & 0o777).toBe(0o600)
  })

  it("leaves nothing where it cannot write", async () => {
    await addAlice()
    expect(await account(["export", within("nowhere/out.csv")])).toMatchObject(
      refusal(`${within("nowhere/out.csv")} cannot be written: its folder is not there.`),
    )
    Fs.mkdirSync(within("taken"))
    expect(await account(["export", within("taken"), "--force"])).toMatchObject({ code: 1 })
    expect(Fs.readdirSync(folder).filter((name) => name.startsWith("taken"))).toEqual(["taken"])
  })

  it("writes to standard output, and the sentence beside it", async () => {
    await addAlice()
    const exported =
      "account,password,friendlyName,verified,enabled\r\nalice@example.com,wonderland,Alice Liddell,true,true\r\n"
    for (const args of [["export"], ["export", "-"]]) {
      expect(await account(args)).toEqual({
        code: 0,
        stdout: exported,
        stderr: "Exported 1 account, with their passwords in the clear.\n",
      })
    }
    expect(await account(["export", "--json"])).toMatchObject(
      refusal("--json goes with a file: what is exported would take its place."),
    )
  })
})

describe("msnp account import", () => {
  const importing = (text: string | Uint8Array, ...args: ReadonlyArray<string>) => {
    Fs.writeFileSync(within("in.csv"), text)
    return account(["import", within("in.csv"), ...args])
  }

  it("adds what was exported, whatever is in a password or a name", async () => {
    const csv = [
      "account,password,friendlyName,verified,enabled\r\n",
      'alice@example.com,"won""der,land\nsecond line","Alice, ""the"" first",true,true\r\n',
      "bob@example.com, über ,ボブ,false,false\r\n",
    ].join("")
    expect(await importing(csv)).toMatchObject({ code: 0, stdout: "Imported 2 accounts.\n" })
    expect(await listed()).toEqual([
      { ...alice, friendlyName: 'Alice, "the" first' },
      { ...bob, friendlyName: "ボブ", verified: false, enabled: false },
    ])
    expect(await account(["export", "-"])).toMatchObject({ stdout: csv })
  })

  it("takes columns in any order, and does without those that can be guessed", async () => {
    const { code, stdout } = await importing("password,account\nbuilder,bob@example.com\n", "--json")
    expect(code).toBe(0)
    expect(stdout.split("\n")[1]).toBe('{"event":"imported","accounts":1}')
    expect(await listed()).toEqual([bob])
  })

  it("makes accounts that can log in", async () => {
    expect(await importing("account,password\nbob@example.com,ünder  ground\n")).toMatchObject({ code: 0 })
    const { port } = await serve()
    expect(await login(port, "bob@example.com", "ünder  ground")).toMatchObject({ code: 0 })
  })

  it.each([
    ["account,password\na@b,p\nbob,p\n", "line 3: An account is an address:"],
    ["account,password\na@b,p\nALICE@example.com,p\n", "line 3: There is an account ALICE@example.com already."],
  ])("names the first line that is wrong, and adds nothing: %j", async (csv, expected) => {
    await addAlice()
    const ended = await importing(csv)
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^msnp: [^\n]*in\.csv, line \d+: [^\n]* Nothing is imported\.\n$/)
    expect(ended.stderr).toContain(expected)
    expect(await listed()).toEqual([alice])
  })

  it("refuses a file that is not there, and one that is no text", async () => {
    expect(await account(["import", within("none.csv")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`msnp: ${within("none.csv")} cannot be read: it is not there.\n`),
    })
    expect(await importing(Buffer.from("account,password\nm\xfcller@example.com,p\n", "latin1"))).toMatchObject(
      refusal(`${within("in.csv")} is no text in UTF-8.`),
    )
    expect(await account(["import", folder])).toMatchObject(refusal(`${folder} cannot be read: it is a folder.`))
    // Nothing is made for nothing.
    expect(Fs.readdirSync(folder)).toEqual(["in.csv"])
  })
})

describe("a password", () => {
  it("comes into no output but the export, and into no argument of a process", async () => {
    const secret = "sesame-7f3a"
    const running = Msnp.start(
      ["account", "add", "alice@example.com", "--directory", within("accounts.db")],
      secret,
      "stays open",
    )
    // It reads on, since the line has no end yet.
    await vi.waitFor(() => expect(Fs.existsSync(within("accounts.db.key"))).toBe(true), { timeout: 30_000 })
    const processes = ChildProcess.spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout
    expect(processes).toContain("account add alice@example.com")
    expect(processes).not.toContain(secret)
    running.kill("SIGINT")
    const ended = await running.ended
    expect(ended.stdout + ended.stderr).not.toContain(secret)

    const said = await Promise.all([
      account(["add", "bob@example.com"], `${secret}\n`),
      account(["import", "-"], `account,password\n${secret},${secret}\n`.replace(secret, "c@d")),
    ])
    said.push(await account(["passwd", "bob@example.com"], `${secret}\n`), await account(["list", "--json"]))
    for (const { code, stderr, stdout } of said) {
      expect(code).toBe(0)
      expect(stdout + stderr).not.toContain(secret)
    }
  })
})
