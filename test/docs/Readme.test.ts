import { describe, expect, it } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { promisify } from "node:util"

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

describe("the README", () => {
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
