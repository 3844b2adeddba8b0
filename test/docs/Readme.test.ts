import { describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { promisify } from "node:util"
import * as Msnp from "../support/Msnp.ts"

// Each test starts a process, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const root = new URL("../../", import.meta.url)
const readme = Fs.readFileSync(new URL("README.md", root), "utf8")

/** Each block of TypeScript in the README, with the package's own name replaced by its sources. */
const blocks = Array.from(readme.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = ""]) =>
  code.replaceAll(/"effect-msnp\/([\w/]+)"/g, `"./src/$1.ts"`),
)

const runBlock = (index: number) =>
  promisify(ChildProcess.execFile)(
    process.execPath,
    ["--input-type=module-typescript", "--eval", blocks[index] ?? ""],
    {
      cwd: root,
    },
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
    const [, shown = ""] = /^```\n(<o> .*?^)```$/ms.exec(readme) ?? []
    expect(normal(shown)).toMatch(/CHALLENGE[^]*DIGEST/)
    const { stdout } = await Msnp.run(["demo"])
    const [session, outcome, ...more] = stdout.split("\n\n")
    expect(normal(`${session}\n`)).toBe(normal(shown))
    expect(outcome).toMatch(/^Signed in at .*\.\n$/)
    expect(more).toEqual([])
  })

  it("has two examples in TypeScript", () => {
    expect(blocks).toHaveLength(2)
  })

  it("shows a server and a client that run as they stand", async () => {
    const { stdout } = await runBlock(0)
    expect(stdout).toContain("Alice Liddell is signed in with MSNP7\n")
    expect(stdout).toContain(`verb: 'QNG'`)
  })

  it("shows the core without a runtime", async () => {
    const { stdout } = await runBlock(1)
    expect(stdout).toContain("{ _tag: 'AwaitInfOrUsr', dialect: 'MSNP7' }\n")
    expect(stdout).toContain("VER 0 MSNP7 CVR0\r\n")
  })
})
