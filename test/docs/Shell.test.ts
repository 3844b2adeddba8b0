/**
 * The commands in the documents: each is run here, or it is shown that the checks of a clean checkout run it.
 *
 * A command that is neither is an error, so that no document tells anybody to type what nobody has tried.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { promisify } from "node:util"
import { describe, expect, it, vi } from "vitest"
import * as Msnp from "../support/Msnp.ts"
import { inLanguage, root } from "./Blocks.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const read = (path: string): string => Fs.readFileSync(Path.join(root, path), "utf8")

interface Manifest {
  readonly name: string
  readonly scripts: { readonly [name: string]: string }
  readonly peerDependencies: { readonly [name: string]: string }
}

const manifest = JSON.parse(read("package.json")) as Manifest

/** Each command of a block, those after `&&` too, without what is said behind it. */
const commandsIn = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.replace(/(?:^| +)#.*$/, ""))
    .flatMap((line) => line.split(" && "))
    .map((command) => command.trim())
    .filter((command) => command !== "")

/** The steps of the check of a clean checkout. */
const steps = Array.from(read(".ci/run").matchAll(/^step "(.*)"$/gm), ([, step = ""]) => commandsIn(step)).flat()

/** That a script is there, and is a part of the check. */
const isChecked = (name: string): void => {
  const script = manifest.scripts[name]
  expect(script, `the script ${name}`).toBeDefined()
  expect(steps).toContain("npm run check")
  const checked = manifest.scripts["check"] ?? ""
  expect([`npm run ${name}`, script].some((command) => checked.includes(command ?? ""))).toBe(true)
}

/** A server with two accounts on free ports, for as long as something is done with it. */
const whileServing = async (args: ReadonlyArray<string>, use: (port: number) => Promise<void>): Promise<void> => {
  const server = Msnp.start(
    [...args, "--json", "--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"],
    "",
    "stays open",
  )
  try {
    await use(await Msnp.portOf(server, "dispatch"))
  } finally {
    server.kill("SIGTERM")
  }
  expect(await server.ended).toMatchObject({ code: 0 })
}

/** How each command is tried: by its form, from which it is known what to look for. */
const trials: ReadonlyArray<readonly [form: RegExp, trial: (...words: ReadonlyArray<string>) => Promise<void> | void]> =
  [
    [/^npm (install|test)$/, (name) => expect(steps).toContain(`npm ${name}`)],
    [/^npm run check$/, () => expect(steps).toContain("npm run check")],
    [/^npm run ([a-z]+)$/, isChecked],
    [
      /^npm start$/,
      () => {
        expect(steps).toContain(".ci/start")
        expect(read(".ci/start")).toMatch(/^npm start /m)
      },
    ],
    [
      /^npm install (effect-msnp .*)$/,
      (packages = "") => {
        expect(steps).toContain("npm run check:package")
        expect(read(".ci/package.ts")).toContain('step("npm install into an empty project"')
        expect(packages.split(" ")).toEqual([
          manifest.name,
          ...Object.keys(manifest.peerDependencies).toSorted().toReversed(),
        ])
      },
    ],
    [
      // In one folder only, which is enough to see that tests are found by it, and that others are passed over.
      /^npm test -- (--tags-filter \S+)$/,
      async (filter = "") => {
        const vitest = Path.join(root, "node_modules/vitest/vitest.mjs")
        const args = [vitest, "run", "--config", ".config/vitest.ts", ...filter.split(" "), "test/login"]
        const env = { ...process.env, NO_COLOR: "1" }
        const { stdout } = await promisify(ChildProcess.execFile)(process.execPath, args, { cwd: root, env })
        expect(stdout).toMatch(/^ +Tests +\d+ passed \| \d+ skipped/m)
      },
    ],
    [/^msnp (serve .*)$/, (args = "") => whileServing(args.split(" "), async () => {})],
    [
      /^msnp (login .*)$/,
      (args = "") =>
        whileServing(["serve", "--demo"], async (port) => {
          const login = await Msnp.run([...args.split(" "), "--server", `127.0.0.1:${port}`], "wonderland\n")
          expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("Signed in at") })
        }),
    ],
    [
      /^msnp demo$/,
      async () => {
        expect(await Msnp.run(["demo"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Signed in at") })
      },
    ],
  ]

const commands = inLanguage("sh").flatMap(([place, text]) =>
  commandsIn(text).map((command) => [place, command] as const),
)

describe("the commands of a block", () => {
  it("are those of each line, without what is said behind them", () => {
    expect(commandsIn("a b && c   # and d\n\n# e\nf --g=#h\n")).toEqual(["a b", "c", "f --g=#h"])
  })
})

describe("a command in the documents", () => {
  it("is of a form that is known here", () => {
    const unknown = commands.filter(([, command]) => !trials.some(([form]) => form.test(command)))
    expect(unknown).toEqual([])
  })

  it.each(commands)("works: %s %s", async (_, command) => {
    expect.hasAssertions()
    for (const [form, trial] of trials) {
      const words = form.exec(command)
      if (words !== null) await trial(...words.slice(1))
    }
  })
})
