import { afterEach, describe, expect, it, vi } from "vitest"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** Starts a command that is killed, if it still runs, when the test is over. */
const start = (...args: Parameters<typeof Msnp.start>): Msnp.Running => {
  const running = Msnp.start(...args)
  cleanups.push(running.stop)
  return running
}

/** A server of both roles with the demo accounts, until the test is over: the addresses of each. */
const serve = async () => {
  const listening = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]
  const running = start(["serve", "--json", "--demo", ...listening])
  const [dispatch, notification] = [
    `127.0.0.1:${await Msnp.portOf(running, "dispatch")}`,
    `127.0.0.1:${await Msnp.portOf(running, "notification")}`,
  ]
  return { running, dispatch, notification }
}

/** A user with a folder for everything; what a test finds there is gone when it is over. */
const user = async () => {
  const home = await Fs.mkdtemp(Path.join(Os.tmpdir(), "msnp-user-"))
  cleanups.push(() => Fs.rm(home, { recursive: true, force: true }))
  const environment = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home }
  return {
    environment,
    servers: Path.join(home, "msnp", "servers"),
    settle: async (...lines: ReadonlyArray<string>) => {
      await Fs.mkdir(Path.join(home, "msnp"), { recursive: true })
      await Fs.writeFile(Path.join(home, "msnp", "msnp.env"), `${lines.join("\n")}\n`)
    },
    login: (args: ReadonlyArray<string>, variables: NodeJS.ProcessEnv = {}) =>
      Msnp.run(["login", "alice@example.com", ...args], "wonderland\n", { ...environment, ...variables }),
  }
}

/** Where nobody listens: a port of the system's own, which nobody is given. */
const nowhere = (last: number) => `127.0.0.1:${last}`

/** What a login went by, connection by connection. */
const connectionsIn = ({ stderr }: Msnp.Ended): ReadonlyArray<string> =>
  Array.from(stderr.matchAll(/^Connected to (\S+)$/gm), ([, address = ""]) => address)

describe("msnp login, and where it goes", { tags: ["connect.third-party"] }, () => {
  it("goes where the flag says, or else the environment, or else the file", async () => {
    const { dispatch } = await serve()
    const { login, settle } = await user()
    const ends = async (args: ReadonlyArray<string>, variables?: NodeJS.ProcessEnv) => {
      const { code, stderr } = await login(["--memory", "none", ...args], variables)
      return code === 0 ? "in" : stderr.split("\n").at(-2)
    }
    const missed = (port: number) => expect.stringContaining(`tried ${nowhere(port)} (nothing listens there)`)

    await settle(`MSNP_SERVER=${nowhere(3)}`)
    expect(await ends([])).toEqual(missed(3))
    expect(await ends([], { MSNP_SERVER: nowhere(2) })).toEqual(missed(2))
    expect(await ends(["--server", nowhere(1)], { MSNP_SERVER: nowhere(2) })).toEqual(missed(1))
    expect(await ends(["--server", dispatch], { MSNP_SERVER: nowhere(2) })).toBe("in")
    expect(await ends([], { MSNP_SERVER: dispatch })).toBe("in")
    await settle("# Our own network", `MSNP_SERVER="${dispatch}"`)
    expect(await ends([])).toBe("in")
  })

  it.each([
    [{ MSNP_SERVER: "127.0.0.1:0" }, "MSNP_SERVER is not HOST:PORT."],
    [{ MSNP_PROXY: "ftp://user:hush@127.0.0.1" }, "MSNP_PROXY is not one of socks5://USER:PASSWORD@HOST:PORT"],
  ])("exits 1 for the environment %o, with a sentence that does not repeat it", async (environment, sentence) => {
    const { login } = await user()
    const { code, stderr } = await login(["--memory", "none"], environment)
    expect(stderr).toContain(`msnp: ${sentence}`)
    expect(stderr).not.toContain("hush")
    expect(code).toBe(1)
  })

  it("exits 1 where the file cannot be read, and does without where there is none", async () => {
    const { environment, login } = await user()
    await Fs.mkdir(Path.join(environment.HOME, "msnp", "msnp.env"), { recursive: true })
    const { code, stderr } = await login(["--memory", "none"])
    expect(stderr).toMatch(/^msnp: \S+msnp\.env cannot be read: it is a folder\.$/m)
    expect(code).toBe(1)
  })

  it("takes no password of a proxy from the command line, where others can read it", async () => {
    const { login } = await user()
    const { code, stderr } = await login(["--proxy", "socks5://alice:hush@127.0.0.1:1"])
    expect(stderr).toContain("set MSNP_PROXY, or write it into msnp.env.")
    expect(stderr).not.toContain("hush")
    expect(code).toBe(1)
  })

  it("does not repeat a proxy that it cannot read, which may have a password in it", async () => {
    const { login } = await user()
    const { code, stderr } = await login(["--proxy", "sock5://alice:hush@127.0.0.1:1"])
    expect(stderr).toContain("Expected: socks5://USER:PASSWORD@HOST:PORT")
    expect(stderr).not.toContain("hush")
    expect(code).toBe(1)
  })

  it("says that it is the proxy that cannot be reached", async () => {
    const { login } = await user()
    const { code, stderr } = await login(["--memory", "none"], { MSNP_PROXY: "socks5://alice:hush@127.0.0.1:1" })
    expect(stderr).toMatch(/127\.0\.0\.1:1\b.*It looks like our own connection/)
    expect(stderr).not.toContain("hush")
    expect(code).toBe(5)
  })
})

describe("msnp login, and the server of the last login", { tags: ["connect.stored-first", "connect.fallback"] }, () => {
  it("begins there, and goes by way of the dispatch server again where it is gone", async () => {
    const { dispatch, notification } = await serve()
    const { login, servers } = await user()
    expect(connectionsIn(await login(["--server", dispatch]))).toEqual([dispatch, notification])
    expect(connectionsIn(await login(["--server", dispatch]))).toEqual([notification])

    const [file = ""] = await Fs.readdir(servers)
    await Fs.writeFile(Path.join(servers, file), '{"server":{"host":"127.0.0.1","port":1}}')
    const ended = await login(["--server", dispatch])
    expect(connectionsIn(ended)).toEqual([dispatch, notification])
    expect(ended.stderr).toContain("tried 127.0.0.1:1 (nothing listens there)")
    expect(ended.code).toBe(0)
    expect(connectionsIn(await login(["--server", dispatch]))).toEqual([notification])
  })

  it("takes a torn file for none, and says so in one line", async () => {
    const { dispatch, notification } = await serve()
    const { login, servers } = await user()
    await login(["--server", dispatch])
    const [file = ""] = await Fs.readdir(servers)
    await Fs.truncate(Path.join(servers, file), 20)
    const ended = await login(["--server", dispatch])
    expect(connectionsIn(ended)).toEqual([dispatch, notification])
    expect(ended.stderr.split("\n").filter((line) => line.includes("counts as nothing"))).toHaveLength(1)
    expect(ended.code).toBe(0)
    expect(connectionsIn(await login(["--server", dispatch]))).toEqual([notification])
  })

  it("remembers nothing where it is told so, and goes on without where it cannot", async () => {
    const { dispatch, notification } = await serve()
    const { environment, login, servers } = await user()
    const both = [dispatch, notification]
    for (const variables of [{}, { MSNP_MEMORY: "none" }]) {
      const args = "MSNP_MEMORY" in variables ? [] : ["--memory", "none"]
      expect(connectionsIn(await login(["--server", dispatch, ...args], variables))).toEqual(both)
    }
    await expect(Fs.readdir(servers)).rejects.toThrow("ENOENT")

    const file = Path.join(environment.HOME, "file")
    await Fs.writeFile(file, "")
    const ended = await login(["--server", dispatch, "--memory", Path.join(file, "folder")])
    expect(connectionsIn(ended)).toEqual(both)
    expect(ended.stderr).toContain("No server is remembered")
    expect(ended.code).toBe(0)
  })
})

describe("msnp login --strategy", { tags: ["efficiency.ver-usr", "efficiency.any-account"] }, () => {
  it("fast says VER and USR at once, with nobody's account at the dispatch server", async () => {
    const { dispatch } = await serve()
    const { login } = await user()
    const { stdout } = await login(["--server", dispatch, "--strategy", "fast", "--transcript"])
    expect(stdout.split("\n").filter((line) => line.startsWith(">>>"))).toEqual([
      ">>> VER 1 MSNP7\\r\\n",
      ">>> USR 2 MD5 I a@b.c\\r\\n",
      ">>> VER 1 MSNP7\\r\\n",
      ">>> USR 2 MD5 I alice@example.com\\r\\n",
      expect.stringMatching(/^>>> USR 3 MD5 S [0-9a-f]{4}…/),
      ">>> OUT\\r\\n",
    ])
  })

  it("fast goes on in the official way where a server challenges whoever comes", async () => {
    const { notification } = await serve()
    const { login } = await user()
    const { code, stderr } = await login(["--server", notification, "--strategy", "fast"])
    expect(stderr).toContain(`${notification} challenges whoever comes. Trying the official way.`)
    expect(code).toBe(0)
  })
})

describe("msnp login --timeout", () => {
  it("bounds the whole login, and exits 6 with what was awaited", async () => {
    const { close, port } = await Msnp.scripted(() => "")
    cleanups.push(close)
    const { login } = await user()
    const begun = performance.now()
    const { code, stderr } = await login(["--memory", "none", "--server", `127.0.0.1:${port}`, "--timeout", "1"])
    expect(stderr.split("\n").at(-2)).toBe(`msnp: 127.0.0.1:${port} did not say VER, VER 0, or an error in time.`)
    expect(code).toBe(6)
    // Each answer alone may take 20 seconds.
    expect(performance.now() - begun).toBeLessThan(20_000)
  })

  it.each(["0", "3601", "1.5", "soon"])("is a number of seconds up to an hour: not %s", async (seconds) => {
    const { login } = await user()
    const { code, stderr } = await login(["--timeout", seconds])
    expect(stderr).toMatch(/^msnp: .*timeout.*\n$/)
    expect(code).toBe(1)
  })
})

describe("msnp login --as", () => {
  it("says what a real 1.0 said, but for its TrIDs, which went on from 139", { tags: ["inf.emulate"] }, async () => {
    const { dispatch, notification } = await serve()
    const { login } = await user()
    const { code, stdout } = await login(["--server", dispatch, "--as", "MSN1.0", "--transcript"])
    expect(stdout.split("\n").filter((line) => line.startsWith(">>>") || line.startsWith("<o> Client"))).toEqual([
      `<o> Client connects to ${dispatch}`,
      ">>> VER 1 MSNP2 CVR0\\r\\n",
      ">>> INF 2\\r\\n",
      ">>> USR 3 MD5 I alice@example.com\\r\\n",
      `<o> Client connects to ${notification}`,
      ">>> VER 4 MSNP2 CVR0\\r\\n",
      ">>> INF 5\\r\\n",
      ">>> USR 6 MD5 I alice@example.com\\r\\n",
      expect.stringMatching(/^>>> USR 7 MD5 S [0-9a-f]{4}…/),
      ">>> SYN 8 0\\r\\n",
      ">>> CHG 9 NLN\\r\\n",
      ">>> CVR 10 0x0409 win 4.0 i386 MSMSGS 1.0.0863\\r\\n",
      ">>> OUT\\r\\n",
    ])
    expect(code).toBe(0)
  })

  it.each([[["--strategy", "fast"]], [["--dialect", "MSNP2"]]])("goes with no %j", async (args) => {
    const { login } = await user()
    const { code, stderr } = await login(["--as", "MSN4.7", ...args])
    expect(stderr).toBe(
      "msnp: --as says which dialects are offered, and how: it goes with no --dialect or --strategy.\n",
    )
    expect(code).toBe(1)
  })
})

describe("msnp login --stay", () => {
  const stay = async (...args: ReadonlyArray<string>) => {
    const served = await serve()
    const { environment } = await user()
    const client = start(
      ["login", "alice@example.com", "--stay", "--server", served.dispatch, ...args],
      "wonderland\n",
      "ends",
      environment,
    )
    return { ...served, client }
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 0],
  ] as const)("tells what happens, and on %s logs off with OUT and exits %i", async (signal, code) => {
    const { client } = await stay("--transcript")
    await client.line((line) => line === "Our status is online")
    client.kill(signal)
    const ended = await client.ended
    expect(ended.stdout).toMatch(/\n>>> OUT\\r\\n\n<o> Server closes connection\nLogged off\.\n$/)
    expect(ended.stdout).toMatch(/Lists \(serial 1\): 0 contacts; 0 allowed, 0 blocked, on the lists of 0\n/)
    expect(ended.code).toBe(code)
  })

  it("tells a program the same, in JSON", async () => {
    const { client, notification } = await stay("--json")
    await client.line((line) => line.includes('"statusSet"'))
    client.kill("SIGTERM")
    const { stdout } = await client.ended
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line))
    expect(events).toEqual([
      expect.objectContaining({ event: "signedIn", server: notification }),
      expect.objectContaining({ event: "profile" }),
      expect.objectContaining({ event: "synchronized", lists: expect.objectContaining({ serial: 1, forward: [] }) }),
      { event: "statusSet", status: "Online" },
      { event: "loggedOff" },
    ])
  })

  it("does not say that it has logged off where the session was lost before", async () => {
    const { client, running } = await stay()
    await client.line((line) => line === "Our status is online")
    running.kill("SIGKILL")
    await client.line((line) => / Trying again in [0-9]+ seconds?\.$/.test(line))
    client.kill("SIGTERM")
    const { code, stdout } = await client.ended
    expect(stdout).toMatch(/ Trying again in [0-9]+ seconds?\.\n$/)
    expect(code).toBe(0)
  })

  it("ends with exit code 6 where the account logs in elsewhere, and does not come back", async () => {
    const { client, notification } = await stay()
    await client.line((line) => line === "Our status is online")
    const port = Number(notification.split(":")[1])
    const other = await Msnp.signIn(port, "alice@example.com", "wonderland")
    const ended = await client.ended
    expect(ended.stderr).toContain("ended the session: the account has logged in elsewhere.")
    expect(ended.code).toBe(6)
    other.close()
  })

  it("fails at once where it cannot sign in at all", async () => {
    const { login } = await user()
    const { code } = await login(["--stay", "--memory", "none", "--server", nowhere(1)])
    expect(code).toBe(5)
  })

  it("comes back when the server does", async () => {
    const { client, dispatch, notification, running } = await stay()
    await client.line((line) => line === "Our status is online")
    await running.stop()
    await client.line((line) => / Trying again in [0-9]+ seconds?\.$/.test(line))
    const again = start(["serve", "--json", "--demo", "--dispatch", dispatch, "--notification", notification])
    await Msnp.portOf(again, "notification")
    await client.line((line, i, lines) => line.startsWith("Signed in") && lines.indexOf(line) < i)
    client.kill("SIGTERM")
    expect((await client.ended).code).toBe(0)
  })
})
