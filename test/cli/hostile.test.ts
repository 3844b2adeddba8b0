/** Texts from elsewhere that would give a terminal orders, or pass for a line of ours, in whatever `msnp` prints. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

/** Clears the screen, colors, names the window, C1's CSI, turns the direction, and begins a line that looks like ours. */
const orders = "\u001b[2J\u001b[31m\u001b]0;owned\u0007\u009b31m\u202e\u2066\u200f\u2028\rmsnp: fake\nmsnp: fake"

/** The same without what no file name, account or variable can hold. */
const inWord = orders.replaceAll(/[\s\p{Cc}]/gu, "") + "\u202e"

const folders: Array<string> = []
const folder = () => {
  const path = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-test-"))
  folders.push(path)
  return path
}

afterEach(() => {
  for (const path of folders.splice(0)) Fs.rmSync(path, { recursive: true, force: true })
})

/** All that has come out: nothing that a terminal obeys, and no line that is not ours. */
const harmless = ({ stderr, stdout }: Msnp.Ended): string => {
  const all = stdout + stderr
  expect(all).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/u)
  expect(all).not.toMatch(/^msnp: fake/m)
  return all
}

const hostileFolder = () => {
  const path = Path.join(folder(), orders)
  Fs.mkdirSync(path)
  return path
}

describe("msnp prints nothing that a terminal obeys, of", () => {
  it.each([
    ["an unknown command", [orders], /Unknown subcommand/],
    ["an unknown flag", ["login", "a@b.c", `--${orders}`], /flag/],
    ["a server that is none", ["login", "a@b.c", "--server", orders], /HOST:PORT/],
    ["an account that is none", ["account", "add", `${orders}@b.c`], /an address/],
    ["a dialect that is none", ["login", "a@b.c", "--dialect", orders], /MSNP7/],
    ["a password's file that is not there", ["login", "a@b.c", "--password-file", `/nowhere/${orders}`], /not there/],
    ["a control socket", ["sessions", "list", "--control", `/nowhere/${orders}`], /nowhere/],
    ["a database that is none", ["account", "list", "--directory", `postgres://${orders}`], /msnp: /],
    ["a listening address that is none", ["serve", "--dispatch", orders], /HOST:PORT/],
    ["a quirk that is none", ["serve", "--quirk", orders], /one of/],
    ["a network that is none", ["serve", "--trusted-proxy", orders], /a network/],
  ])("%s", async (_, args, said) => {
    const ended = await Msnp.run(args, "secret\n")
    expect(ended.code).not.toBe(0)
    expect(harmless(ended)).toMatch(said)
    expect(harmless(await Msnp.run([...args, "--json"], "secret\n"))).toMatch(said)
  })

  it("the path of the accounts, in all that is done with them", async () => {
    const place = hostileFolder()
    const at = ["--directory", Path.join(place, "accounts.db")]
    const csv = Path.join(place, "accounts.csv")
    const bob = `bob${inWord}@example.com`
    for (const [args, stdin, said] of [
      [["account", "list", ...at], "", /account add makes it/],
      [["account", "add", "alice@example.com", "--name", orders, ...at], "wonderland\n", /Made the key .*owned/],
      [["account", "add", bob, ...at], "builder\n", /Added bob/],
      [["account", "add", bob, ...at], "builder\n", /There is an account bob/],
      [["account", "list", ...at], "", /alice@example\.com/],
      [["account", "rename", bob, orders, ...at], "", /is .*owned/],
      [["account", "disable", `carol${inWord}@example.com`, ...at], "", /There is no account carol/],
      [["account", "export", csv, ...at], "", /which only you can read/],
      [["account", "export", csv, ...at], "", /There is a file/],
      [["account", "import", csv, ...at], "", /There is an account .* already/],
      [["account", "backup", Path.join(place, "copy.db"), ...at], "", /owned/],
      [["account", "backup", Path.join(place, "copy.db"), ...at], "", /There is a/],
      [["account", "rekey", ...at], "", /owned|rekey|sealed/i],
      [["sessions", "list", ...at], "", /owned/],
      [["account", "remove", bob, "--yes", ...at], "", /Removed bob/],
    ] satisfies ReadonlyArray<readonly [ReadonlyArray<string>, string, RegExp]>) {
      expect(harmless(await Msnp.run(args, stdin))).toMatch(said)
    }
    // Others may read the key: that is a warning of the log.
    Fs.chmodSync(Path.join(place, "accounts.db.key"), 0o644)
    expect(harmless(await Msnp.run(["account", "list", ...at]))).toMatch(/can be read by others/)
    Fs.writeFileSync(Path.join(place, "accounts.db"), orders.repeat(100))
    expect(harmless(await Msnp.run(["account", "list", ...at]))).toMatch(/msnp: .*owned/)
  })

  it("a file of accounts that is none", async () => {
    const place = hostileFolder()
    const file = Path.join(place, "accounts.csv")
    for (const text of [
      orders,
      `account,password\n"${orders}",b\n`,
      `account,password,verified\na@b.c,d,"${orders}"\n`,
    ]) {
      Fs.writeFileSync(file, text)
      const at = ["--directory", Path.join(place, "accounts.db")]
      expect(harmless(await Msnp.run(["account", "import", file, ...at]))).toMatch(/line 1|line 2/)
    }
  })

  it("settings, in the environment and in a file", async () => {
    const home = folder()
    Fs.mkdirSync(Path.join(home, "msnp"))
    Fs.writeFileSync(Path.join(home, "msnp", "msnp.env"), `MSNP_SERVER="${orders}"\nMSNP_PROXY="${orders}"\n`)
    expect(harmless(await Msnp.run(["login", "a@b.c"], "x\n", { XDG_CONFIG_HOME: home }))).toMatch(
      /HOST:PORT|MSNP_SERVER/,
    )
    for (const name of ["MSNP_SERVER", "MSNP_PROXY", "MSNP_DIRECTORY_KEY", "MSNP_DIRECTORY"]) {
      const args = name.startsWith("MSNP_DIRECTORY") ? ["account", "list"] : ["login", "a@b.c"]
      expect(harmless(await Msnp.run(args, "x\n", { [name]: orders }))).toMatch(/msnp: /)
    }
    const memory = Path.join(hostileFolder(), "file")
    Fs.writeFileSync(memory, "")
    const args = ["login", "a@b.c", "--server", "127.0.0.1:1", "--memory", Path.join(memory, orders)]
    expect(harmless(await Msnp.run(args, "x\n"))).toMatch(/No server is remembered: /)
  })

  it("who is signed in, and what peers say to a server", async () => {
    const place = hostileFolder()
    const at = ["--directory", Path.join(place, "accounts.db")]
    const bob = `bob${inWord}@example.com`
    await Msnp.run(["account", "add", bob, "--name", orders, ...at], "builder\n")
    const served = Msnp.start(["serve", "--dispatch", "none", "--notification", "127.0.0.1:0", "--json", ...at])
    const port = await Msnp.portOf(served, "notification")
    const session = await Msnp.signIn(port, bob, "builder")
    for (const bytes of [
      `${orders}\r\n`,
      `VER 1 ${inWord}\r\n`,
      `VER 1 MSNP7\r\nUSR 2 MD5 I ${orders}@b.c\r\n`,
      orders.repeat(100),
    ]) {
      await Msnp.tell(port, Buffer.from(bytes).toString("latin1"))
    }
    expect(harmless(await Msnp.run(["sessions", "list", ...at]))).toMatch(/bob.*MSNP7/)
    expect(harmless(await Msnp.run(["sessions", "kick", bob, ...at]))).toMatch(/Closed the session of bob/)
    expect(harmless(await Msnp.run(["sessions", "kick", bob, ...at]))).toMatch(/is not signed in/)
    await session.closed
    served.kill("SIGTERM")
    expect(harmless(await served.ended)).toMatch(/listening/)
  })
})
