/** The processes of a benchmark: servers that are asked what they use, and clients that are told what to do. */
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Readline from "node:readline"
import { fileURLToPath } from "node:url"
import * as Msnp from "../support/Msnp.ts"
import * as Work from "./processes/Work.ts"

const pathOf = (name: string): string => fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url))

/** `msnp` as it is installed: built, so that nobody waits for types to be taken out. */
export const installed = fileURLToPath(new URL("../../dist/cli/bin.js", import.meta.url))

/** The same from its sources. */
export const sources = Msnp.bin

/** How long any answer may take, in milliseconds; the longest are those of 10,000 logins one after the other. */
const patience = 120_000

/** Asks a process something; what it answers. One question at a time. */
const ask = (child: ChildProcess.ChildProcess, question: ChildProcess.Serializable): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const failed = (why: string) => {
      off()
      reject(new Error(why))
    }
    const answered = (answer: unknown) => {
      off()
      resolve(answer)
    }
    const gone = () => failed("A process of the benchmark has ended.")
    const timer = setTimeout(() => failed("A process of the benchmark does not answer."), patience)
    const off = () => {
      clearTimeout(timer)
      child.off("exit", gone)
      child.off("message", answered)
    }
    child.once("exit", gone)
    child.once("message", answered)
    child.send(question)
  })

/** A server as a process of its own. */
export interface Server {
  readonly port: number
  /** The CPU time that it has used, in microseconds. */
  readonly cpu: () => Promise<number>
  /** The memory that is in use behind a garbage collection, of objects and of what they hold outside the heap; in bytes. */
  readonly memory: () => Promise<number>
  /** Begins to look where the time goes, and what it saw from then on, as V8 tells it. */
  readonly profile: () => Promise<void>
  readonly profiled: () => Promise<unknown>
  readonly stop: () => void
}

const microsOf = Schema.decodeUnknownSync(Schema.Struct({ micros: Schema.Number }))
const bytesOf = Schema.decodeUnknownSync(Schema.Struct({ bytes: Schema.Number }))
const listeningOf = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ port: Schema.Int })))

/** Starts a server, which says in a line of JSON on which port it listens. */
const serve = async (
  path: string,
  args: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Server> => {
  const child = ChildProcess.fork(path, args, {
    env: environment,
    execArgv: ["--expose-gc", "--import", pathOf("probe")],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${Path.basename(path)} ended with exit code ${code}.`)))
    if (child.stdout === null) throw new Error("A server's output cannot be read.")
    Readline.createInterface({ input: child.stdout }).on("line", (line) => {
      const said = listeningOf(line)
      if (said._tag === "Some") resolve(said.value.port)
    })
  })
  return {
    port,
    cpu: async () => microsOf(await ask(child, "cpu")).micros,
    memory: async () => bytesOf(await ask(child, "memory")).bytes,
    profile: async () => void (await ask(child, "profile")),
    profiled: () => ask(child, "profiled"),
    stop: () => void child.kill("SIGKILL"),
  }
}

/** A server of `node:net` that answers with canned lines. */
export const bare = (): Promise<Server> => serve(pathOf("bare"), [])

/** How ours listens, at each address of this machine; all else is as it is by default. */
const listening = ["--dispatch", "none", "--notification", "0.0.0.0:0", "--json"]

/** Ours, with so many accounts in memory. */
export const ours = (accounts: number, bin = installed): Promise<Server> =>
  inFolder((folder) =>
    serve(bin, ["serve", "--demo-crowd", String(accounts), ...listening], Msnp.environmentOf(folder)),
  )

/** Ours, with so many accounts in a file. */
export const oursWithFile = (accounts: number, bin = installed): Promise<Server> =>
  inFolder((folder) => {
    const environment = Msnp.environmentOf(folder)
    const csv = Path.join(folder, "accounts.csv")
    const rows = Array.from({ length: accounts }, (_, i) => `${Work.accountOf(i)},${Work.password},User ${i}`)
    Fs.writeFileSync(csv, ["account,password,friendlyName", ...rows, ""].join("\n"))
    const directory = ["--directory", Path.join(folder, "accounts.db")]
    ChildProcess.execFileSync(process.execPath, [bin, "account", "import", csv, ...directory], {
      env: environment,
      stdio: "ignore",
    })
    return serve(bin, ["serve", ...directory, ...listening], environment)
  })

/** A server with a folder of its own, for as long as it is there. */
const inFolder = async (start: (folder: string) => Promise<Server>): Promise<Server> => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-bench-"))
  const remove = () => Fs.rmSync(folder, { recursive: true, force: true })
  // However the benchmark ends, by an error or by Ctrl-C.
  process.once("exit", remove)
  const server = await start(folder)
  return {
    ...server,
    stop: () => {
      server.stop()
      remove()
    },
  }
}

/** A client as a process of its own. */
export interface Client {
  /** Does what it is told; a login that does not go as it has to is an error. */
  readonly carryOut: (order: Work.Order) => Promise<Extract<Work.Done, { readonly _tag: "Done" }>>
  readonly stop: () => void
}

const doneOf = Schema.decodeUnknownSync(Work.Done)

/** Starts a client: `raw`, of `node:net`, or `login-client`, ours. */
export const client = (kind: "raw" | "login-client"): Client => {
  const child = ChildProcess.fork(pathOf(kind), { stdio: ["ignore", "inherit", "inherit", "ipc"] })
  return {
    carryOut: async (order) => {
      const done = doneOf(await ask(child, order))
      if (done._tag === "Failed") throw new Error(`A login failed: ${done.why}`)
      return done
    },
    stop: () => void child.kill("SIGKILL"),
  }
}
