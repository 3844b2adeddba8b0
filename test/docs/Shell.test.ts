/**
 * The commands in the documents: each is run here, or it is shown that the checks of a clean checkout run it.
 *
 * A command that is neither is an error, so that no document tells anybody to type what nobody has tried.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
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
  readonly peerDependenciesMeta: { readonly [name: string]: { readonly optional?: boolean } }
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
  expect(steps).toContain("npm run check:static")
  const checked = manifest.scripts["check:static"] ?? ""
  expect([`npm run ${name}`, script].some((command) => checked.includes(command ?? ""))).toBe(true)
}

/** A server with two accounts on free ports, for as long as something is done with it. */
const whileServing = async (
  args: ReadonlyArray<string>,
  use: (dispatch: number, notification: number) => Promise<void>,
): Promise<void> => {
  const server = Msnp.start(
    [...args, "--json", "--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"],
    "",
    "stays open",
  )
  try {
    await use(await Msnp.portOf(server, "dispatch"), await Msnp.portOf(server, "notification"))
  } finally {
    server.kill("SIGTERM")
  }
  expect(await server.ended).toMatchObject({ code: 0 })
}

/** The words of a command, as a shell parts them. */
const wordsOf = (text: string): ReadonlyArray<string> =>
  (text.match(/(?:"[^"]*"|[^\s"]+)+/g) ?? []).map((word) => word.replaceAll('"', ""))

/** A home with an account in it, for as long as something is done there. */
const inHome = async (use: (home: string, environment: NodeJS.ProcessEnv) => Promise<void> | void): Promise<void> => {
  const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))
  const environment = { ...process.env, HOME: home, XDG_DATA_HOME: "", MSNP_DIRECTORY: "", MSNP_DIRECTORY_KEY: "" }
  try {
    await account(["add", "bob@example.com"], environment)
    await use(home, environment)
  } finally {
    Fs.rmSync(home, { recursive: true })
  }
}

const account = async (args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv): Promise<string> => {
  const ended = await Msnp.run(["account", ...args], "wonderland\n", environment)
  expect(ended).toMatchObject({ code: 0 })
  return ended.stdout
}

/** How each command is tried: by its form, from which it is known what to look for. */
const trials: ReadonlyArray<readonly [form: RegExp, trial: (...words: ReadonlyArray<string>) => Promise<void> | void]> =
  [
    [/^npm (install|test)$/, (name) => expect(steps).toContain(`npm ${name}`)],
    // In two steps, so that the tests run once.
    [
      /^npm run check$/,
      () => expect(steps).toEqual(expect.arrayContaining([...commandsIn(manifest.scripts["check"] ?? "")])),
    ],
    [/^npm run (?!check$)([a-z]+)$/, isChecked],
    // The longer runs are by hand: the same script, with other numbers.
    [/^npm run soak -- --minutes \d+( --staying \d+)?$/, () => expect(steps).toContain("npm run soak -- --minutes 2")],
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
          ...Object.keys(manifest.peerDependencies)
            .filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)
            .toSorted()
            .toReversed(),
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
    [
      // The port that stands there may be in use here.
      /^msnp (serve.*)$/,
      (args = "") => whileServing(args.replace(/(--metrics 127\.0\.0\.1):\d+/, "$1:0").split(" "), async () => {}),
    ],
    [
      /^OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4318 msnp serve$/,
      () => expect(read("test/cli/Observe.test.ts")).toContain("OTEL_EXPORTER_OTLP_ENDPOINT: url"),
    ],
    [
      /^msnp account (add .*|list|rekey)$/,
      (args = "") =>
        inHome(async (_, environment) => {
          await account(wordsOf(args), environment)
        }),
    ],
    [
      /^msnp account (token (?:add|list) alice@example\.com.*)$/,
      (args = "") =>
        inHome(async (_, environment) => {
          await account(["add", "alice@example.com"], environment)
          expect(await account(wordsOf(args), environment)).not.toBe("")
        }),
    ],
    [
      /^msnp sessions (list|kick alice@example\.com)$/,
      (args = "") =>
        inHome(async (home) => {
          const control = ["--control", Path.join(home, "control")]
          await whileServing(["serve", "--demo", ...control], async (_, port) => {
            const session = await Msnp.signIn(port, "alice@example.com", "wonderland")
            const ended = await Msnp.run(["sessions", ...args.split(" "), ...control])
            expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("alice@example.com") })
            session.close()
          })
        }),
    ],
    [
      // With the key beside it, what was kept is there again.
      /^msnp account backup (.*)$/,
      (file = "") =>
        inHome(async (home, environment) => {
          const copy = Path.join(home, file)
          await account(["backup", copy], environment)
          Fs.copyFileSync(Path.join(home, ".local/share/msnp/accounts.db.key"), `${copy}.key`)
          expect(await account(["list", "--directory", copy], environment)).toContain("bob@example.com")
        }),
    ],
    [
      /^(cp ~\/.*)$/,
      (command = "") =>
        inHome((home, environment) => {
          const ended = ChildProcess.spawnSync("sh", ["-c", command], { cwd: home, env: environment, encoding: "utf8" })
          expect(ended).toMatchObject({ status: 0, stderr: "" })
        }),
    ],
    [
      /^msnp (login .* --stay)$/,
      (args = "") =>
        whileServing(["serve", "--demo"], async (port) => {
          const login = Msnp.start([...args.split(" "), "--server", `127.0.0.1:${port}`], "wonderland\n")
          await login.line((line) => line === "Our status is online")
          login.kill("SIGTERM")
          expect(await login.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nLogged off\.\n$/) })
        }),
    ],
    [
      /^msnp (login (?!.* --stay).*)$/,
      (args = "") =>
        whileServing(["serve", "--demo"], async (port) => {
          const login = await Msnp.run([...args.split(" "), "--server", `127.0.0.1:${port}`], "wonderland\n")
          expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("Signed in at") })
        }),
    ],
    [
      /^msnp probe 127\.0\.0\.1:1863$/,
      () =>
        whileServing(["serve", "--demo"], async (port) => {
          const probe = await Msnp.run(["probe", `127.0.0.1:${port}`])
          expect(probe).toMatchObject({ code: 0, stdout: expect.stringContaining("refers to 127.0.0.1:") })
        }),
    ],
    [
      // As long as it takes to see that it measures something.
      /^msnp bench$/,
      async () => {
        const bench = await Msnp.run(["bench", "--warm-up", "0", "--seconds", "1"])
        expect(bench).toMatchObject({ code: 0, stdout: expect.stringContaining("\nFailed: 0.\n") })
      },
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
