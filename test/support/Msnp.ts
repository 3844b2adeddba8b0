/**
 * The command line as a real process, and small servers of the test's own for it to meet.
 */
import * as ChildProcess from "node:child_process"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"

/** Where the command line is. */
export const bin = fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url))

const cache = fileURLToPath(new URL("../../node_modules/.cache/msnp", import.meta.url))

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Whether a line is the one that is waited for, among those that there are. */
type Fits = (line: string, index: number, lines: ReadonlyArray<string>) => boolean

/** A process under way. */
export interface Running {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Kills it, if it still runs, and waits until it has ended. */
  readonly stop: () => Promise<Ended>
  /** Closes our end of what it writes to, as `head` does when it has read enough. */
  readonly deafen: (stream: "stdout" | "stderr") => void
  /** The first line on standard output that fits, once it is there. */
  readonly line: (fits: Fits) => Promise<string>
  readonly ended: Promise<Ended>
}

/** An environment in which `msnp` finds nothing but what is in this home. */
export const environmentOf = (home: string): NodeJS.ProcessEnv => ({
  ...process.env,
  NO_COLOR: "1",
  HOME: home,
  XDG_CONFIG_HOME: home,
  XDG_DATA_HOME: home,
  XDG_STATE_HOME: home,
  // Half of the time that a process takes to start is compiling.
  NODE_COMPILE_CACHE: cache,
})

/**
 * Starts `msnp` with these arguments and this standard input, which ends unless it is to stay open. It has a home of its
 * own, so that it finds no accounts but those that it is shown.
 */
export const start = (
  args: ReadonlyArray<string>,
  stdin = "",
  after: "ends" | "stays open" = "ends",
  environment: NodeJS.ProcessEnv = {},
): Running => {
  const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-home-"))
  const child = ChildProcess.spawn(process.execPath, [bin, ...args], {
    env: { ...environmentOf(home), ...environment },
  })
  child.on("close", () => Fs.rmSync(home, { recursive: true, force: true }))
  child.stdin.on("error", () => {})
  child.stdin.write(stdin)
  if (after === "ends") child.stdin.end()
  return watch(child)
}

/** Watches a process from its start on. */
export const watch = (child: ChildProcess.ChildProcessWithoutNullStreams): Running => {
  let stdout = ""
  let stderr = ""
  const waiting: Array<() => void> = []
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString()
    for (const check of waiting) check()
  })
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })))

  const line = (fits: Fits) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = stdout.split("\n").slice(0, -1).find(fits)
        if (found !== undefined) resolve(found)
      }
      waiting.push(check)
      check()
      child.on("close", () => reject(new Error(`msnp ended without that line: ${stdout}${stderr}`)))
    })
  return {
    kill: (signal) => child.kill(signal),
    stop: () => {
      child.kill("SIGKILL")
      return ended
    },
    deafen: (stream) => void child[stream].destroy(),
    line,
    ended,
  }
}

/** Runs `msnp` to its end. */
export const run = (args: ReadonlyArray<string>, stdin = "", environment: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  start(args, stdin, "ends", environment).ended

/** The port on which a server with `--json` says that it listens. */
export const portOf = async (
  running: Running,
  role: "dispatch" | "notification" | "gateway" | "metrics",
): Promise<number> => {
  const line = await running.line((line) => line.includes(`"role":"${role}"`))
  return Number(/"port":(\d+)/.exec(line)?.[1])
}

/** Says some bytes to a port and no more; what was answered until the other side closed. */
export const tell = (port: number, bytes: string, host = "127.0.0.1"): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ""
    const socket = Net.connect({ port, host, allowHalfOpen: true }, () => socket.end(bytes))
    socket.setEncoding("latin1")
    socket.on("data", (chunk: string) => (answer += chunk))
    socket.on("end", () => resolve(answer))
    socket.on("error", reject)
  })

/** A client that is signed in, and does no more. */
export interface SignedIn {
  /** When the server has closed the connection. */
  readonly closed: Promise<void>
  readonly close: () => void
}

/** Signs in at a port, with MSNP7, and stays. */
export const signIn = (port: number, account: string, password: string): Promise<SignedIn> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.on("error", reject)
    const closed = new Promise<void>((resolve) => socket.on("end", () => resolve()))
    const say = (line: string) => socket.write(`${line}\r\n`)
    Readline.createInterface({ input: socket }).on("line", (line) => {
      const [verb, , kind, third, challenge = ""] = line.split(" ")
      if (verb === "VER") say(`USR 2 MD5 I ${account}`)
      else if (verb === "USR" && kind === "OK") resolve({ closed, close: () => socket.destroy() })
      else if (verb === "USR" && third === "S") {
        say(`USR 3 MD5 S ${Crypto.hash("md5", challenge + password)}`)
      } else if (/^[0-9]+$/.test(line.slice(0, 3))) reject(new Error(`${account} was told ${line}`))
    })
    say("VER 1 MSNP7")
  })

/** A server that answers each line by a script of its own. */
export interface Scripted {
  readonly port: number
  readonly close: () => void
}

/** Serves a script on a free port: what to answer to a line; undefined closes the connection. */
export const scripted = (answer: (line: string) => string | undefined): Promise<Scripted> =>
  new Promise((resolve) => {
    const server = Net.createServer((socket) => {
      socket.on("error", () => {})
      Readline.createInterface({ input: socket }).on("line", (line) => {
        const said = answer(line)
        if (said === undefined) socket.end()
        else socket.write(said)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({ port, close: () => server.close() })
    })
  })
