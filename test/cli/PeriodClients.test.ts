/**
 * The clients of the time at a real server: each transcript is what a client writes, write by write, and what it must
 * hear so that it goes on. They are written by hand, from what is on record of these clients.
 */
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Msnp from "../support/Msnp.ts"

const folder = new URL("../transcripts/clients/", import.meta.url)
const password = "mypassword"
/** The key of the official client's product (hypothetic.org 2.0, pings and challenges). */
const productKey = "Q1P7W2E4J9R8U3S5"

const md5 = (text: string): string => Crypto.createHash("md5").update(text, "latin1").digest("hex")

const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-clients-"))
const accounts = Path.join(directory, "accounts.db")

let server: Msnp.Running
let ports: { readonly dispatch: number; readonly notification: number }

/** Fails where a process does not end as it should. */
const endsWell = async (running: Promise<Msnp.Ended>): Promise<void> => {
  const { code, stderr } = await running
  if (code !== 0) throw new Error(`msnp ended with exit code ${code}: ${stderr}`)
}

beforeAll(async () => {
  for (const [account, name] of [
    ["jd@hotmail.com", "JD"],
    ["alice@hotmail.com", "Alice"],
  ] as const) {
    const args = ["account", "add", account, "--name", name, "--directory", accounts]
    await endsWell(Msnp.run(args, `${password}\n`))
  }
  const anywhere = "127.0.0.1:0"
  const listening = ["--dispatch", anywhere, "--notification", anywhere]
  server = Msnp.start(["serve", "--json", "--directory", accounts, ...listening])
  ports = {
    dispatch: await Msnp.portOf(server, "dispatch"),
    notification: await Msnp.portOf(server, "notification"),
  }
})

afterAll(async () => {
  server.kill("SIGTERM")
  await endsWell(server.ended)
  Fs.rmSync(directory, { recursive: true })
})

/** The client's end of a connection. */
const connect = (port: number) =>
  new Promise<Client>((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true }, () => {
      let heard = ""
      let isOver = false
      let wake = () => {}
      socket.setEncoding("latin1")
      socket.on("data", (chunk: string) => {
        heard += chunk
        wake()
      })
      socket.on("close", () => {
        isOver = true
        wake()
      })
      const until = async (isThere: () => boolean) => {
        while (!isThere() && !isOver) await new Promise<void>((resolve) => (wake = resolve))
      }
      resolve({
        write: (bytes) => void socket.write(bytes, "latin1"),
        line: async () => {
          await until(() => heard.includes("\n"))
          const end = heard.indexOf("\n") + 1
          const line = end === 0 ? `${heard}(the end)` : heard.slice(0, end)
          heard = heard.slice(line.length)
          return line
        },
        rest: async () => {
          await until(() => false)
          return heard
        },
      })
    })
    socket.on("error", reject)
  })

interface Client {
  readonly write: (bytes: string) => void
  readonly line: () => Promise<string>
  readonly rest: () => Promise<string>
}

/** What stands for something that nobody can know beforehand, as the server may say it. */
const holes: { readonly [name: string]: string } = {
  challenge: "[0-9.]{20,}",
  seconds: "[0-9]{10}",
}

/** Plays a transcript: writes what the client writes, and writes down what is heard in the transcript's own words. */
const play = async (text: string): Promise<string> => {
  const played: Array<string> = []
  let client: Client | undefined
  let challenge = ""
  let unasked: string | undefined
  const known = (words: string) =>
    words
      .replace("<digest>", () => md5(challenge + password))
      .replace("<answer>", () => md5(challenge + productKey))
      .replaceAll("<dispatch>", `127.0.0.1:${ports.dispatch}`)
      .replaceAll("<notification>", `127.0.0.1:${ports.notification}`)
      .replaceAll("\\r\\n", "\r\n")

  for (const line of text.split("\n")) {
    const to = /^<o> Client connects to the (dispatch|notification) server$/.exec(line)?.[1]
    if (to === "dispatch" || to === "notification") {
      client = await connect(ports[to])
      played.push(line)
    } else if (line.startsWith(">>> ")) {
      const said = line.slice(">>> ".length)
      const twos = /^<(digest|answer), two by two>$/.exec(said)?.[1]
      if (twos === undefined) client?.write(known(said))
      else for (const two of known(`<${twos}>`).match(/../g) ?? []) client?.write(two)
      played.push(line)
    } else if (line.startsWith("<<< ")) {
      const expected = known(line.slice("<<< ".length))
      // What the server says unasked may come between its answers: it is looked for where the transcript has it.
      const isUnasked = expected.startsWith("CHL ")
      let heard = isUnasked ? (unasked ?? (await client?.line())) : await client?.line()
      if (!isUnasked && heard?.startsWith("CHL ") === true) {
        unasked = heard
        heard = await client?.line()
      } else if (isUnasked) unasked = undefined
      const pattern = expected
        .split(/<(challenge|seconds)>/)
        .map((part, i) => (i % 2 === 1 ? `(${holes[part]})` : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")))
        .join("")
      const fits = new RegExp(`^${pattern}$`).exec(heard ?? "")
      if (expected.includes("<challenge>")) challenge = fits?.[1] ?? ""
      played.push(fits === null ? `<<< ${(heard ?? "(no connection)").replace("\r\n", "\\r\\n")}` : line)
    } else if (line === "<o> Server closes connection") {
      const rest = (await client?.rest()) ?? "(no connection)"
      played.push(rest === "" ? line : `<<< ${rest}`)
    } else {
      played.push(/^(#.*)?$/.test(line) ? line : "(a line of no kind)")
    }
  }
  return played.join("\n")
}

describe("a client of the time is signed in by msnp serve, and goes on", () => {
  it.each(Fs.readdirSync(folder))("%s", async (name) => {
    const text = Fs.readFileSync(new URL(name, folder), "utf8")
    expect(await play(text)).toBe(text)
  })
})
