import { afterEach, describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
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

/** Serves both roles on free ports until the test is over, with whatever else is asked for. */
const serve = async (...args: ReadonlyArray<string>) => {
  const listening = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]
  const running = start(["serve", "--json", ...listening, ...args])
  return {
    ...running,
    dispatch: await Msnp.portOf(running, "dispatch"),
    notification: await Msnp.portOf(running, "notification"),
  }
}

/** Answers by a script until the test is over. */
const scripted = async (answer: (line: string) => string | undefined): Promise<string> => {
  const { close, port } = await Msnp.scripted(answer)
  cleanups.push(close)
  return `127.0.0.1:${port}`
}

const login = (server: string, ...args: ReadonlyArray<string>) =>
  Msnp.run(["login", "alice@example.com", "--server", server, ...args], "wonderland\n")

/** The error of a command: one line, a sentence, and no stack. */
const sentence = ({ stderr }: Msnp.Ended): string => {
  const lines = stderr.trimEnd().split("\n")
  const last = lines[lines.length - 1] ?? ""
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(last).toMatch(/^msnp: .*[.?]$/)
  return last
}

describe("msnp demo", () => {
  it("prints a whole session in the notation of the seed page, and exits 0", async () => {
    const { code, stderr, stdout } = await Msnp.run(["demo"])
    expect(code).toBe(0)
    expect(stderr).toBe("")
    const line = (pattern: string) => `${pattern}\\n`
    expect(stdout).toMatch(
      new RegExp(
        [
          line(String.raw`<o> Client connects to 127\.0\.0\.1:\d+`),
          line(String.raw`>>> VER \d+ MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0\\r\\n`),
          line(String.raw`<<< VER \d+ MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0\\r\\n`),
          line(String.raw`>>> INF \d+\\r\\n`),
          line(String.raw`<<< INF \d+ MD5\\r\\n`),
          line(String.raw`>>> USR \d+ MD5 I alice@example\.com\\r\\n`),
          line(String.raw`<<< XFR \d+ NS 127\.0\.0\.1:\d+ 0 127\.0\.0\.1:\d+\\r\\n`),
          line(String.raw`<o> Server closes connection`),
          line(String.raw`<o> Client connects to 127\.0\.0\.1:\d+`),
          line(String.raw`>>> VER .*`),
          line(String.raw`<<< VER .*`),
          line(String.raw`>>> INF .*`),
          line(String.raw`<<< INF .*`),
          line(String.raw`>>> USR \d+ MD5 I alice@example\.com\\r\\n`),
          line(String.raw`<<< USR \d+ MD5 S \d+\.\d{18,}\\r\\n`),
          line(String.raw`>>> USR \d+ MD5 S [0-9a-f]{4}…\\r\\n`),
          line(String.raw`<<< USR \d+ OK alice@example\.com Alice%20Liddell 1\\r\\n`),
        ].join(""),
      ),
    )
  })

  it("prints one JSON object a line where it is asked to", async () => {
    const { code, stdout } = await Msnp.run(["demo", "--json"])
    expect(code).toBe(0)
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line): { readonly event: string } => JSON.parse(line))
    expect(events.find(({ event }) => event === "signedIn")).toEqual({
      event: "signedIn",
      server: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      dialect: "MSNP7",
      account: "alice@example.com",
      friendlyName: "Alice Liddell",
      verified: true,
    })
    expect(events.filter(({ event }) => event === "transcript").length).toBeGreaterThan(16)
  })
})

describe("msnp login", () => {
  it(
    "is referred by the dispatch server, signs in at the notification server, and exits 0",
    { tags: ["connect.third-party"] },
    async () => {
      const served = await serve("--demo")
      const ended = await login(`127.0.0.1:${served.dispatch}`)
      expect(ended.code).toBe(0)
      expect(ended.stdout).toBe(
        `Signed in at 127.0.0.1:${served.notification} as alice@example.com, Alice Liddell (MSNP7, address verified).\n`,
      )
      expect(ended.stderr).toContain(`Referred to 127.0.0.1:${served.notification}`)
    },
  )

  it("tells a program who is signed in, in JSON", async () => {
    const served = await serve("--demo")
    const ended = await login(`127.0.0.1:${served.notification}`, "--json", "--dialect", "MSNP2")
    expect(JSON.parse(ended.stdout)).toEqual({
      event: "signedIn",
      server: `127.0.0.1:${served.notification}`,
      dialect: "MSNP2",
      account: "alice@example.com",
      friendlyName: "Alice Liddell",
      verified: null,
    })
  })

  it("takes the password from a file", async () => {
    const served = await serve("--demo-crowd", "3")
    const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "msnp-"))
    cleanups.push(() => Fs.rm(folder, { recursive: true }))
    const file = Path.join(folder, "password")
    await Fs.writeFile(file, "password\r\nanything else\n")
    const at = ["--server", `127.0.0.1:${served.dispatch}`, "--password-file", file]
    const ended = await Msnp.run(["login", "user00002@example.com", ...at])
    expect(ended.code).toBe(0)
    expect((await Msnp.run(["login", "user00003@example.com", ...at])).code).toBe(2)
  })

  it("shows what is said on the wire, and of the digest four digits only", async () => {
    const served = await serve("--demo")
    const ended = await login(`127.0.0.1:${served.notification}`, "--transcript")
    expect(ended.stdout).toMatch(/^>>> USR \d+ MD5 S [0-9a-f]{4}…\\r\\n$/m)
    expect(ended.stdout).not.toMatch(/\b[0-9a-f]{32}\b/)
    expect(ended.stdout + ended.stderr).not.toContain("wonderland")
  })

  it("exits 2 where account or password is wrong, with one sentence", async () => {
    const served = await serve("--demo")
    const at = `127.0.0.1:${served.notification}`
    const ended = await Msnp.run(["login", "alice@example.com", "--server", at], "hearts\n")
    expect(ended.code).toBe(2)
    expect(sentence(ended)).toBe(
      `msnp: ${at} does not let alice@example.com in: the account or the password is wrong (911).`,
    )
  })

  it("exits 3 where no dialect is common", async () => {
    const at = await scripted(() => "VER 1 0\r\n")
    const ended = await login(at, "--dialect", "MSNP2", "--dialect", "MSNP3")
    expect(ended.code).toBe(3)
    expect(sentence(ended)).toContain("MSNP2, MSNP3")
  })

  it("exits 4 where the server is in trouble, and names the code and its meaning", async () => {
    const at = await scripted((line) => (line.startsWith("VER") ? "VER 1 MSNP7\r\n" : "601 2\r\n"))
    const ended = await login(at)
    expect(ended.code).toBe(4)
    expect(sentence(ended)).toContain("server unavailable (601)")
  })

  it("exits 5 where no server can be reached, and names every address tried", async () => {
    const { close, port } = await Msnp.scripted(() => undefined)
    close()
    const ended = await login(`127.0.0.1:${port}`)
    expect(ended.code).toBe(5)
    expect(sentence(ended)).toContain(`127.0.0.1:${port} (nothing listens there)`)
  })

  it("exits 6 where the server closes the connection in the midst of the login", async () => {
    const at = await scripted((line) => (line.startsWith("VER") ? "VER 1 MSNP7\r\n" : undefined))
    const ended = await login(at)
    expect(ended.code).toBe(6)
    expect(sentence(ended)).toContain("closed the connection")
  })

  it("exits 7 where the server breaks the protocol, and says what was expected", async () => {
    const at = await scripted(() => "VER 1 MSNP99\r\n")
    const ended = await login(at, "--json")
    expect(ended.code).toBe(7)
    expect(sentence(ended)).toContain("expected VER, VER 0, or an error, got VER with MSNP99")
    expect(JSON.parse(ended.stdout)).toMatchObject({ event: "failed", why: "ServerMisbehaved" })
  })

  it("exits 6 with a sentence where the server is killed in the midst of the login", async () => {
    const served = await serve("--demo")
    const at = await scripted((line) => {
      if (line.startsWith("VER")) return "VER 1 MSNP7\r\n"
      return line.startsWith("INF") ? "INF 2 MD5\r\n" : `XFR 3 NS 127.0.0.1:${served.notification} 0\r\n`
    })
    served.kill("SIGSTOP")
    const client = start(["login", "alice@example.com", "--server", at, "--transcript"], "wonderland\n")
    await client.line((line) => line.startsWith(`<o> Client connects to 127.0.0.1:${served.notification}`))
    served.kill("SIGKILL")
    const ended = await client.ended
    expect(ended.code).toBe(6)
    expect(sentence(ended)).toContain("closed the connection")
  })

  it.each(["SIGINT", "SIGTERM"] as const)("exits 130 without a word on %s", async (signal) => {
    const at = await scripted(() => "")
    const client = start(["login", "alice@example.com", "--server", at, "--transcript"], "wonderland\n")
    await client.line((line) => line.startsWith(">>> VER"))
    client.kill(signal)
    const ended = await client.ended
    expect(ended.stderr).toBe("")
    expect(ended.code).toBe(130)
  })

  it.each([
    ["alice", "an account without @", "an address"],
    ["a b@example.com", "an account with a space", "an address"],
  ])("exits 1 for %s, %s", async (account, _, expected) => {
    const ended = await Msnp.run(["login", account], "wonderland\n")
    expect(ended.code).toBe(1)
    expect(sentence(ended)).toContain(expected)
  })

  it.each([
    [["login", "alice@example.com"], "There is no password on standard input"],
    [["login", "alice@example.com", "--password-file", "/nowhere"], "/nowhere cannot be read: it is not there"],
    [["login", "alice@example.com", "--server", "127.0.0.1:0"], "HOST:PORT"],
    [["login", "alice@example.com", "--dialect", "MSNP8"], "MSNP7"],
    [["acount", "list"], 'Unknown subcommand "acount" for "msnp". Did you mean this? account. See `msnp --help`.'],
  ])("exits 1 for %j", async (args, expected) => {
    const ended = await Msnp.run(args)
    expect(ended.code).toBe(1)
    expect(sentence(ended)).toContain(expected)
  })
})

/** A server that lets Alice in, with control characters in a challenge and in her name. */
const hostile = () =>
  scripted((line) => {
    const [verb, trId, , stage] = line.split(" ")
    if (verb === "VER") return `VER ${trId} MSNP7\r\n`
    if (verb === "INF") return `INF ${trId} MD5\r\n`
    if (stage === "I") return `USR ${trId} MD5 S \x1b[2J\x1b]0;owned\x07\r<o>\u009b31m\r\n`
    return verb === "USR"
      ? `USR ${trId} OK alice@example.com %1B%5B31mEvil%0Amsnp:%20fake%C2%9B%E2%80%AE 1\r\n`
      : undefined
  })

/** What a person is shown: no control character but the line end. */
const harmless = ({ stderr, stdout }: Msnp.Ended): string => {
  expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u)
  expect(stdout + stderr).not.toMatch(/^msnp: fake/m)
  return stdout
}

describe("msnp login, at a hostile server", () => {
  const name = String.raw`\x1b[31mEvil\x0amsnp: fake\x9b\u{202e}`

  it("gives the terminal none of the server's orders", async () => {
    const at = await hostile()
    const ended = await login(at)
    expect(harmless(ended)).toBe(`Signed in at ${at} as alice@example.com, ${name} (MSNP7, address verified).\n`)
    expect(ended.code).toBe(0)
  })

  it("gives it none in a transcript, of which each line is one of ours", async () => {
    const ended = await login(await hostile(), "--transcript")
    const lines = harmless(ended).trimEnd().split("\n")
    expect(lines).toContain(String.raw`<<< USR 3 MD5 S \x1b[2J\x1b]0;owned\x07\x0d<o>\x9b31m\r\n`)
    for (const line of lines) expect(line).toMatch(/^(<o>|>>>|<<<|Signed in at) /)
    expect(ended.code).toBe(0)
  })

  it("gives it none in JSON, of which a program loses nothing", async () => {
    const stdout = harmless(await login(await hostile(), "--json"))
    expect(JSON.parse(stdout)).toMatchObject({ friendlyName: "\u001b[31mEvil\nmsnp: fake\u009b\u202e" })
  })

  it("gives it none where the login fails, nor in the stages on the way", async () => {
    const refused = await login(await scripted(() => "VER 1 \x1b[2J\rmsnp:\u202efake\r\n"))
    expect(refused.code).toBe(7)
    harmless(refused)
    sentence(refused)

    const lost = await login(await scripted(() => "XFR 1 \x1b[2J \x1b[2J\rmsnp:fake\r\n"))
    expect(lost.code).toBe(7)
    harmless(lost)
    sentence(lost)
  })
})

describe("msnp login, and standard input", () => {
  it("reads one line, and does not wait for the end", async () => {
    const served = await serve("--demo")
    const args = ["login", "alice@example.com", "--server", `127.0.0.1:${served.notification}`]
    const ended = await start(args, "wonderland\nand so on", "stays open").ended
    expect(ended.stderr).not.toContain("msnp:")
    expect(ended.code).toBe(0)
  })

  it("reads no more than 64 KiB", async () => {
    const exactly = "x".repeat(65_536)
    const { close, port } = await Msnp.scripted(() => undefined)
    close()
    const args = ["login", "alice@example.com", "--server", `127.0.0.1:${port}`]
    expect((await start(args, `${exactly}\r\n`, "stays open").ended).code).toBe(5)
    const ended = await start(args, `${exactly}${exactly}`, "stays open").ended
    expect(ended.code).toBe(1)
    expect(ended.stderr).toBe("msnp: Standard input begins with a line longer than 64 KiB, which is no password.\n")
  })
})

describe("msnp, where nobody reads on", () => {
  it.each([
    ["demo", ["demo"]],
    ["serve", ["serve", "--demo", "--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]],
  ])("ends quietly, with exit code 0: %s", async (_, args) => {
    const running = start(args)
    running.deafen("stdout")
    const ended = await running.ended
    expect(ended.stderr).toBe("")
    expect(ended.code).toBe(0)
  })

  it("ends quietly where it is standard error", async () => {
    const served = await serve("--demo")
    const running = start(
      ["login", "alice@example.com", "--server", `127.0.0.1:${served.notification}`],
      "wonderland\n",
    )
    running.deafen("stderr")
    expect((await running.ended).code).toBe(0)
  })
})

describe("msnp serve", () => {
  it("answers as the seed page says: the common dialect, and that the security package is MD5", async () => {
    const served = await serve()
    expect(await Msnp.tell(served.notification, "VER 0 MSNP7\r\nINF 1\r\n")).toBe("VER 0 MSNP7\r\nINF 1 MD5\r\n")
  })

  it("has its two accounts with --demo, whatever the environment says of others", async () => {
    const served = Msnp.start(
      ["serve", "--json", "--demo", "--dispatch", "none", "--notification", "127.0.0.1:0"],
      "",
      "ends",
      {
        MSNP_DIRECTORY: "/nowhere/accounts.db",
      },
    )
    cleanups.push(served.stop)
    const port = await Msnp.portOf(served, "notification")
    const ended = await Msnp.run(["login", "bob@example.com", "--server", `127.0.0.1:${port}`], "builder\n")
    expect(ended.code).toBe(0)
  })

  it("says 911 on the wire to a wrong digest, and closes", async () => {
    const served = await serve("--demo")
    const digest = "0".repeat(32)
    const bytes = `VER 0 MSNP7\r\nUSR 1 MD5 I alice@example.com\r\nUSR 2 MD5 S ${digest}\r\nPNG\r\n`
    expect(await Msnp.tell(served.notification, bytes)).toMatch(
      /^VER 0 MSNP7\r\nUSR 1 MD5 S \d+\.\d{18,}\r\n911 2\r\n$/,
    )
  })

  const refer = async (port: number, dialect: string, host = "127.0.0.1"): Promise<string> => {
    const answer = await Msnp.tell(port, `VER 0 ${dialect}\r\nUSR 1 MD5 I a@b\r\n`, host)
    return answer.replace(`VER 0 ${dialect}\r\n`, "")
  }

  it("names the address that is advertised, and its own as MSNP7's fourth parameter", async () => {
    const dispatch = ["--dispatch", "127.0.0.1:0,advertise=198.51.100.1:1863"]
    const notification = ["--notification", "127.0.0.1:0,advertise=198.51.100.2:1864"]
    const served = start(["serve", "--json", ...dispatch, ...notification])
    const port = await Msnp.portOf(served, "dispatch")
    expect(await refer(port, "MSNP7")).toBe("XFR 1 NS 198.51.100.2:1864 0 198.51.100.1:1863\r\n")
    expect(await refer(port, "MSNP2")).toBe("XFR 1 NS 198.51.100.2:1864\r\n")
  })

  it("names the address on which the client has reached it, where it is bound to all addresses", async () => {
    const served = start(["serve", "--json", "--dispatch", "0.0.0.0:0", "--notification", "0.0.0.0:0"])
    const dispatch = await Msnp.portOf(served, "dispatch")
    const notification = await Msnp.portOf(served, "notification")
    expect(await refer(dispatch, "MSNP3", "127.0.0.2")).toBe(`XFR 1 NS 127.0.0.2:${notification} 0\r\n`)
    expect(await refer(dispatch, "MSNP7", "127.0.0.3")).toBe(
      `XFR 1 NS 127.0.0.3:${notification} 0 127.0.0.3:${dispatch}\r\n`,
    )
  })

  it("refers to servers elsewhere, in turn", async () => {
    const [one, other] = [await scripted(() => ""), await scripted(() => "")]
    const elsewhere = ["--refer-to", one, "--refer-to", other]
    const served = start(["serve", "--json", "--dispatch", "127.0.0.1:0", "--notification", "none", ...elsewhere])
    const port = await Msnp.portOf(served, "dispatch")
    expect(await refer(port, "MSNP2")).toBe(`XFR 1 NS ${one}\r\n`)
    expect(await refer(port, "MSNP2")).toBe(`XFR 1 NS ${other}\r\n`)
    expect(await refer(port, "MSNP2")).toBe(`XFR 1 NS ${one}\r\n`)
  })

  it("refers to no server elsewhere that does not listen, and says so", async () => {
    const up = await scripted(() => "")
    const { close, port: gone } = await Msnp.scripted(() => "")
    close()
    const elsewhere = ["--refer-to", `127.0.0.1:${gone}`, "--refer-to", up]
    const served = start(["serve", "--json", "--dispatch", "127.0.0.1:0", "--notification", "none", ...elsewhere])
    const port = await Msnp.portOf(served, "dispatch")
    for (let each = 0; each < 3; each++) expect(await refer(port, "MSNP2")).toBe(`XFR 1 NS ${up}\r\n`)
    served.kill("SIGTERM")
    expect((await served.ended).stderr).toContain(`127.0.0.1:${gone} cannot be connected to`)
  })

  it.each(["500", "601", "910", "921"])(
    "lets nobody in, and says %s to everybody, where it is so told",
    async (code) => {
      const served = await serve("--demo", "--trouble", code)
      expect(await refer(served.dispatch, "MSNP7")).toBe(`${code} 1\r\n`)
      expect(await refer(served.notification, "MSNP7")).toBe(`${code} 1\r\n`)
    },
  )

  it("says 601 where there is nowhere to refer to, and says so at its start", async () => {
    const served = start(["serve", "--json", "--dispatch", "127.0.0.1:0", "--notification", "none"])
    const port = await Msnp.portOf(served, "dispatch")
    expect(await served.line((line) => line.includes(`"event":"warning"`))).toContain("601")
    expect(await refer(port, "MSNP7")).toBe("601 1\r\n")
  })

  it("turns on a quirk by its name", async () => {
    const served = await serve("--quirk", "verSingle", "--quirk", "cvrAnytime")
    expect(await Msnp.tell(served.notification, "VER 0 MSNP7 MSNP6 CVR0\r\n")).toBe("VER 0 MSNP7\r\n")
  })

  it.each([
    ["SIGTERM", 0],
    ["SIGINT", 130],
  ] as const)("tells a client that it goes down on %s, and exits with %i", async (signal, code) => {
    const served = await serve("--demo")
    const socket = Net.connect({ port: served.notification, host: "127.0.0.1" })
    socket.setEncoding("latin1")
    let heard = ""
    const closed = new Promise<void>((resolve) => socket.on("end", () => resolve()))
    const answered = new Promise<void>((resolve) =>
      socket.on("data", (chunk: string) => {
        heard += chunk
        if (heard.includes("\r\n")) resolve()
      }),
    )
    socket.write("VER 0 MSNP7\r\n")
    await answered
    served.kill(signal)
    await closed
    expect(heard).toBe("VER 0 MSNP7\r\nOUT SSD\r\n")
    const ended = await served.ended
    expect(ended.code).toBe(code)
    expect(ended.stderr).toBe("")
  })

  describe("that is told to stop, and gives notice", () => {
    /** A client that is signed in, told in so many minutes that the server goes down, and what it hears. */
    const warned = async (minutes: number) => {
      const served = await serve("--demo", "--shutdown-notice", String(minutes))
      const socket = Net.connect({ port: served.notification, host: "127.0.0.1" })
      socket.setEncoding("latin1")
      cleanups.push(() => socket.destroy())
      let heard = ""
      const until = (pattern: RegExp) =>
        new Promise<string>((resolve) => {
          const check = () => {
            const found = pattern.exec(heard)
            if (found === null) return
            socket.off("data", check)
            resolve(found[1] ?? found[0])
          }
          socket.on("data", check)
          check()
        })
      socket.on("data", (chunk: string) => (heard += chunk))
      const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()))
      socket.write("VER 1 MSNP2\r\nUSR 2 MD5 I alice@example.com\r\n")
      const challenge = await until(/MD5 S (\S+)\r\n/)
      const digest = Crypto.createHash("md5").update(`${challenge}wonderland`).digest("hex")
      socket.write(`USR 3 MD5 S ${digest}\r\nCHG 4 NLN\r\n`)
      await until(/CHG 4 NLN\r\n/)
      served.kill("SIGTERM")
      // Type 1 is maintenance; the payload of hypothetic.org 2.0 is of 88 bytes with one digit in it.
      const message = [
        `MSG Hotmail Hotmail ${87 + String(minutes).length}`,
        "MIME-Version: 1.0",
        "Content-Type: application/x-msmsgssystemmessage",
        "",
        "Type: 1",
        `Arg1: ${minutes}`,
        "",
      ].join("\r\n")
      await until(/Arg1: \d+\r\n/)
      expect(heard.endsWith(message)).toBe(true)
      expect(await served.line((line) => line.includes("goingDown"))).toBe(`{"event":"goingDown","minutes":${minutes}}`)
      return { served, socket, closed, rest: () => heard.slice(heard.indexOf(message) + message.length) }
    }

    it("lets nobody in meanwhile, and ends at once on a second signal, with OUT SSD", async () => {
      const { closed, rest, served } = await warned(5)
      expect(await refer(served.notification, "MSNP7")).toBe("601 1\r\n")
      expect(await refer(served.dispatch, "MSNP7")).toBe("601 1\r\n")
      served.kill("SIGTERM")
      await closed
      expect(rest()).toBe("OUT SSD\r\n")
      expect(await served.ended).toMatchObject({ code: 0, stderr: "" })
    })

    it("ends when nobody is left", async () => {
      const { closed, served, socket } = await warned(60)
      socket.write("OUT\r\n")
      await closed
      expect(await served.ended).toMatchObject({ code: 0, stderr: "" })
    })
  })

  it.each([
    [["--dispatch", "nowhere"], "HOST:PORT"],
    [["--dispatch", "127.0.0.1:99999"], "HOST:PORT"],
    [["--dispatch", "127.0.0.1:0,advertise=example.com:1863"], "advertise=IPV4:PORT"],
    [["--refer-to", "[::1]:1863"], "IPV4:PORT"],
    [["--quirk", "nice"], "cvrAnytime"],
    [["--demo-crowd", "-1"], "0 to 100000"],
    [["--dispatch", "none", "--notification", "none"], "nothing to serve"],
    [["--dispatch", "198.51.100.1:0"], "this machine does not have that address"],
    [["--dispatch", "no.such.host.invalid:0"], "Cannot listen on no.such.host.invalid:0"],
    [["--shutdown-notice", "-1"], "0 to 1440"],
    [["--trouble", "911"], "601"],
    [["--unverified", "maybe"], "turn-down"],
    [["--directory", "accounts.db"], "--demo"],
    [["--what"], "--what"],
  ])("exits 1 with one line for %j", async (args, expected) => {
    const ended = await Msnp.run(["serve", "--demo", ...args])
    expect(ended.code).toBe(1)
    expect(ended.stdout).toBe("")
    expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1)
    expect(sentence(ended)).toContain(expected)
  })

  it("ends well on SIGTERM while it waits for its accounts still", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const silent = Net.createServer((socket) => socket.once("data", () => resolve()))
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    cleanups.push(() => silent.close())
    const address = silent.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const directory = `postgres://msnp@127.0.0.1:${port}/msnp`
    const environment = { MSNP_DIRECTORY_KEY: "0f".repeat(32) }
    const served = start(["serve", "--directory", directory], "", "ends", environment)
    await asked
    served.kill("SIGTERM")
    expect(await served.ended).toStrictEqual({ code: 0, stdout: "", stderr: "" })
  })

  it("exits 1 with one line where a port is in use", async () => {
    const served = await serve()
    const taken = `127.0.0.1:${served.dispatch}`
    const ended = await Msnp.run(["serve", "--demo", "--dispatch", "none", "--notification", taken])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toBe(`msnp: Cannot listen on ${taken}: the port is in use.\n`)
  })
})

describe("msnp", () => {
  it.each([
    [["--help"], ["serve", "account", "sessions", "login", "demo"]],
    [
      ["serve", "--help"],
      ["--directory", "--control"],
    ],
    [
      ["account", "--help"],
      ["add", "list", "passwd", "rename", "verify", "unverify", "disable", "enable", "remove"],
    ],
    [
      ["account", "--help"],
      ["import", "export", "rekey"],
    ],
    [
      ["account", "add", "--help"],
      ["ACCOUNT", "--name", "--unverified", "--password-file", "--directory", "--json"],
    ],
    [
      ["sessions", "--help"],
      ["list", "kick"],
    ],
    [
      ["sessions", "kick", "--help"],
      ["ACCOUNT", "--control", "msnp account disable"],
    ],
    [
      ["login", "--help"],
      ["ACCOUNT", "--password-file", "Exit codes"],
    ],
    [["demo", "--help"], ["--stay"]],
  ])("explains itself: %j", async (args, words) => {
    const ended = await Msnp.run(args)
    expect(ended.code).toBe(0)
    expect(ended.stdout).toContain("USAGE")
    for (const word of words) expect(ended.stdout).toContain(word)
  })

  it("tells its version, which is the package's", async () => {
    const { version }: { readonly version: string } = JSON.parse(
      await Fs.readFile(new URL("../../package.json", import.meta.url), "utf8"),
    )
    expect((await Msnp.run(["--version"])).stdout).toBe(`msnp v${version}\n`)
  })

  it.each(["bash", "zsh", "fish", "powershell"])("completes in %s", async (shell) => {
    const ended = await Msnp.run(["--completions", shell])
    expect(ended.code).toBe(0)
    for (const subcommand of ["serve", "account", "sessions", "login", "demo"])
      expect(ended.stdout).toContain(subcommand)
  })

  it("completes in bash by a script that bash can read", async () => {
    const { stdout } = await Msnp.run(["--completions", "bash"])
    const bash = ChildProcess.spawnSync("bash", ["-n"], { input: stdout, encoding: "utf8" })
    expect(bash.stderr).toBe("")
    expect(bash.status).toBe(0)
  })
})
