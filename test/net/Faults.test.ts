/**
 * Peers that vanish, processes that are killed and disks that are full, against `msnp serve` as a process: what it has
 * open is counted before and after.
 */
import { afterEach, describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => void> = []
afterEach(() => cleanups.splice(0).forEach((clean) => clean()))

/** A folder with an account, and how a command is told of it. */
const place = async () => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-test-"))
  cleanups.push(() => Fs.rmSync(folder, { recursive: true, force: true }))
  const at = ["--directory", Path.join(folder, "accounts.db")]
  expect((await Msnp.run(["account", "add", "alice@example.com", ...at], "wonderland\n")).code).toBe(0)
  return at
}

/** Runs `msnp` in a shell that has set its limits first. */
const limited = (limits: string, args: ReadonlyArray<string>) => {
  const child = ChildProcess.spawn(
    "bash",
    ["-c", `${limits}; exec "$@"`, "bash", process.execPath, Msnp.bin, ...args],
    {
      env: { ...process.env, NO_COLOR: "1" },
    },
  )
  return { child, running: Msnp.watch(child) }
}

/** A server of its own process: its port, how many files it has open, and how it is ended. */
const serve = async (at: ReadonlyArray<string>) => {
  const args = ["serve", "--dispatch", "none", "--notification", "127.0.0.1:0", "--json", ...at]
  const { child, running } = limited(":", args)
  cleanups.push(() => void child.kill("SIGKILL"))
  const port = await Msnp.portOf(running, "notification")
  const folder = `/proc/${child.pid}/fd`
  const open = () => Fs.readdirSync(folder).length
  /** Connections are closed while this looks at them. */
  const isSocket = (fd: string) => {
    try {
      return Fs.readlinkSync(`${folder}/${fd}`).startsWith("socket:")
    } catch {
      return false
    }
  }
  return {
    running,
    port,
    open,
    sockets: () => Fs.readdirSync(folder).filter(isSocket).length,
    /** From now on no file gets longer than so many bytes, as on a disk that is full. */
    limitFiles: (bytes: number) => ChildProcess.execFileSync("prlimit", [`--pid=${child.pid}`, `--fsize=${bytes}`]),
  }
}

const connect = (port: number): Promise<Net.Socket> =>
  new Promise((resolve, reject) => {
    const conn = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    conn.on("error", reject)
    conn.once("connect", () => resolve(conn.off("error", reject).on("error", () => {})))
  })

/** How far a client gets before it is no more. */
const stages = ["connected", "half a word", "agreed on a dialect", "challenged", "signed in"] as const

/** A client that has got so far. */
const reach = async (port: number, stage: (typeof stages)[number]): Promise<Net.Socket> => {
  const conn = await connect(port)
  let heard = ""
  const until = (line: RegExp) =>
    new Promise<RegExpExecArray>((resolve) => {
      const look = () => {
        const found = line.exec(heard)
        if (found === null) return
        conn.off("data", look)
        resolve(found)
      }
      conn.on("data", look)
      look()
    })
  conn.on("data", (bytes) => (heard += bytes.toString("latin1")))
  if (stage === "connected") return conn
  if (stage === "half a word") return (conn.write("VER 1 MS"), conn)
  conn.write("VER 1 MSNP7\r\n")
  await until(/VER 1 MSNP7\r\n/)
  if (stage === "agreed on a dialect") return conn
  conn.write("USR 2 MD5 I alice@example.com\r\n")
  const [, challenge = ""] = await until(/USR 2 MD5 S (\S+)\r\n/)
  if (stage === "challenged") return conn
  conn.write(`USR 3 MD5 S ${Crypto.hash("md5", `${challenge}wonderland`)}\r\n`)
  await until(/USR 3 OK [^\n]*\n/)
  return conn
}

/** How a client comes to its end. */
const ends: { readonly [end: string]: (conn: Net.Socket) => Promise<unknown> } = {
  "closes its socket (FIN, then RST)": async (conn) => conn.destroy(),
  "resets (RST)": async (conn) => conn.resetAndDestroy(),
  "says no more, and listens (FIN)": (conn) =>
    new Promise((resolve) => {
      // Of those who sign in as one account, all but the last have been put off by now.
      if (conn.readableEnded) return resolve(conn.destroy())
      conn.once("end", () => resolve(conn.destroy()))
      conn.end()
    }),
  "never reads, and then goes": async (conn) => {
    conn.pause()
    conn.write("PNG\r\n".repeat(20_000))
    conn.resetAndDestroy()
  },
}

const rounds = 20

describe("a peer that vanishes leaves nothing open in the server's process", () => {
  it.each(Object.entries(ends))(`and nobody signed in, ${rounds} times at each stage: it %s`, async (_, end) => {
    const { open, port, running, sockets } = await serve(await place())
    const idle = sockets()
    // What is opened for the first login stays open.
    ;(await reach(port, "signed in")).destroy()
    await vi.waitFor(() => expect(sockets()).toBe(idle), { timeout: 20_000 })
    const before = open()
    for (const stage of stages) {
      const conns = await Promise.all(Array.from({ length: rounds }, () => reach(port, stage)))
      await Promise.all(conns.map(end))
    }
    await vi.waitFor(() => expect(open()).toBe(before), { timeout: 20_000 })
    running.kill("SIGTERM")
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/ERROR|Error/)
  })
})

describe("a server that is killed at any stage of a login", () => {
  it.each(stages)("closes the client's connection, and serves the same accounts when it is back: %s", async (stage) => {
    const at = await place()
    const first = await serve(at)
    const conn = await reach(first.port, stage)
    const gone = new Promise((resolve) => conn.once("close", resolve).once("end", () => conn.destroy()))
    first.running.kill("SIGKILL")
    await gone
    const second = await serve(at)
    ;(await reach(second.port, "signed in")).destroy()
    const told = await Msnp.run(["login", "alice@example.com", "--server", `127.0.0.1:${first.port}`], "wonderland\n")
    expect(told.code).toBe(5)
    expect(told.stderr).toMatch(/nothing listens there/)
  })
})

describe("a server that is told to stop at any stage of a login", () => {
  it.each(stages)("says so to the client, which reads it, and ends with exit code 0: %s", async (stage) => {
    const { port, running } = await serve(await place())
    const conn = await reach(port, stage)
    let heard = ""
    conn.on("data", (bytes) => (heard += bytes.toString("latin1")))
    const gone = new Promise((resolve) => conn.once("end", () => resolve(conn.destroy())))
    running.kill("SIGTERM")
    await gone
    expect(heard).toMatch(/(^|\r\n)OUT SSD\r\n$/)
    expect((await running.ended).code).toBe(0)
  })
})

describe("a disk that is full", () => {
  it("lets everybody in all the same: that a token's use cannot be kept is told", async () => {
    const at = await place()
    const added = await Msnp.run(["account", "token", "add", "alice@example.com", "--label", "old laptop", ...at])
    const secret = added.stdout.trim()
    const { limitFiles, port, running } = await serve(at)
    limitFiles(1)
    const server = ["--server", `127.0.0.1:${port}`, "--memory", "none"]
    for (const password of [secret, "wonderland"]) {
      expect((await Msnp.run(["login", "alice@example.com", ...server], `${password}\n`)).code).toBe(0)
    }
    running.kill("SIGTERM")
    const { code, stderr } = await running.ended
    expect(stderr).toMatch(/When tokens were used last is not kept/)
    expect(code).toBe(0)
  })

  it("is told in a sentence; nothing is changed, and what is there is served", async () => {
    const at = await place()
    const { port, sockets } = await serve(at)
    const idle = sockets()
    // In units of 1,024 bytes: less than a database takes.
    const { running } = limited("ulimit -f 1", ["account", "rename", "alice@example.com", "X".repeat(300), ...at])
    const { code, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^msnp: [^\n]*\n$/)
    const listed = await Msnp.run(["account", "list", ...at])
    expect(listed.stdout).toMatch(/alice@example\.com +verified +enabled +alice@example\.com\n/)
    ;(await reach(port, "signed in")).destroy()
    await vi.waitFor(() => expect(sockets()).toBe(idle), { timeout: 20_000 })
    expect((await Msnp.run(["account", "rename", "alice@example.com", "Alice", ...at])).code).toBe(0)
  })
})
