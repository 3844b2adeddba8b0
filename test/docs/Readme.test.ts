import { describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import { promisify } from "node:util"
import * as Msnp from "../support/Msnp.ts"
import { blocksIn, root, runnable, textOf } from "./Blocks.ts"

// Each test starts a process, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const readme = blocksIn("README.md", textOf("README.md"))
const examples = readme.filter(({ language }) => language === "ts").map(({ text }) => runnable(text))

const runExample = (index: number) =>
  promisify(ChildProcess.execFile)(
    process.execPath,
    ["--input-type=module-typescript", "--eval", examples[index] ?? ""],
    { cwd: root },
  )

/** A transcript as it is whichever the ports, the challenge and the digest: ports are numbered as they come. */
const normal = (transcript: string): string => {
  const ports: Array<string> = []
  return transcript
    .replaceAll(/127\.0\.0\.1:(\d+)/g, (_, port: string) => {
      if (!ports.includes(port)) ports.push(port)
      return `127.0.0.1:PORT-${ports.indexOf(port)}`
    })
    .replaceAll(/(?<=^<<< USR \d+ MD5 S )\d+\.\d{18,}(?=\\r\\n$)/gm, "CHALLENGE")
    .replaceAll(/(?<=^>>> USR \d+ MD5 S )[0-9a-f]{4}…(?=\\r\\n$)/gm, "DIGEST")
}

describe("the README", () => {
  it("shows the session that the demo prints, from its first line to its last", async () => {
    const shown = readme.find(({ language }) => language === "transcript")?.text ?? ""
    expect(normal(shown)).toMatch(/CHALLENGE[^]*DIGEST/)
    const { stdout } = await Msnp.run(["demo"])
    const [session = "", outcome, ...more] = stdout.split("\n\n")
    expect(normal(session)).toBe(normal(shown))
    expect(outcome).toMatch(/^Signed in at .*\.\n$/)
    expect(more).toEqual([])
  })

  it("has two examples in TypeScript", () => {
    expect(examples).toHaveLength(2)
  })

  it("shows a server and a client that talk to each other", async () => {
    const { stdout } = await runExample(0)
    expect(stdout).toContain("Alice Liddell is signed in with MSNP7\n")
    expect(stdout.match(/_tag: '[A-Z]\w+'/g)).toEqual([`_tag: 'Profile'`, `_tag: 'Synchronized'`, `_tag: 'StatusSet'`])
  })

  it("shows the core without a runtime", async () => {
    const { stdout } = await runExample(1)
    expect(stdout).toContain("{ _tag: 'AwaitInfOrUsr', dialect: 'MSNP7' }\n")
    expect(stdout).toContain("VER 0 MSNP7 CVR0\r\n")
  })
})
