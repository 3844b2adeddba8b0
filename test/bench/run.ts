/**
 * `npm run bench`: what a login and a session cost, in rounds, ours and what it is measured against in turns.
 *
 *     npm run bench
 *     npm run bench -- --only cpu --only heap --rounds 3
 *     npm run bench -- --profile
 *
 * All of it takes less than five minutes and writes docs/performance.md, too. A target that is missed is a figure like
 * another: the exit code is 0 all the same, and 1 where something could not be measured, such as a login that failed.
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Util from "node:util"
import * as Output from "../../src/cli/Output.ts"
import * as Bench from "./Bench.ts"
import * as Client from "./client.ts"
import * as Codec from "./codec.ts"
import * as Idle from "./idle.ts"
import * as Machine from "./Machine.ts"
import * as Page from "./Page.ts"
import * as Profile from "./Profile.ts"
import * as Server from "./server.ts"
import * as Start from "./start.ts"
import * as Table from "./Table.ts"

const benches: ReadonlyArray<Bench.Bench> = [
  Server.cpu,
  Server.rate,
  Idle.heap,
  Idle.growth,
  Client.bench,
  Codec.bench,
  Start.bench,
]

const fail = (sentence: string): never => {
  process.stderr.write(`bench: ${sentence}\n`)
  process.exit(1)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const parse = () =>
  Util.parseArgs({
    options: {
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "11" },
      profile: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  })

const flags = (): ReturnType<typeof parse>["values"] => {
  try {
    return parse().values
  } catch (error) {
    return fail(messageOf(error))
  }
}

const values = flags()

const print = (lines: ReadonlyArray<string>) => process.stdout.write(`${lines.join("\n")}\n`)

const rounds = Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds >= 1)) fail("--rounds takes a whole number from 1 on.")
const unknown = values.only.find((only) => !benches.some(({ name }) => name === only))
if (unknown !== undefined) fail(`there is no ${unknown}: --only takes ${benches.map(({ name }) => name).join(", ")}.`)
const chosen = values.only.length === 0 ? benches : benches.filter(({ name }) => values.only.includes(name))

/** Shows how far it is, to a person at a terminal. */
const show = (line: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${line}`)

/** How many functions and modules are shown of a profile. */
const shown = 25

const profile = async () => {
  show("profile")
  const told = await Server.profile()
  const file = Path.join(Os.tmpdir(), "msnp-login.cpuprofile")
  Fs.writeFileSync(file, JSON.stringify(told))
  return { file, profile: Profile.of(Profile.decode(told)) }
}

const showProfile = async () => {
  const { file, profile: seen } = await profile()
  show("")
  const tables = Page.profileTables(seen, shown)
  if (values.json) print([JSON.stringify(seen)])
  else {
    for (const table of [tables.functions, tables.modules, tables.calls]) print([...Output.table(table), ""])
    print([`The whole profile is in ${file}.`])
  }
}

const measure = async () => {
  const begun = performance.now()
  const looks: Array<number> = []
  const look = async () => void looks.push(await Machine.busy())
  const rows: Array<Bench.Row> = []
  for (const [i, bench] of chosen.entries()) {
    const progress = (done: number) => show(`${bench.name}, ${i + 1} of ${chosen.length}: ${Math.round(done * 100)} %`)
    progress(0)
    await look()
    rows.push(...(await bench.measure(progress, { rounds, look })))
  }
  if (values.only.length === 0) {
    const { profile: seen } = await profile()
    Page.write({ rows, rounds, looks, profile: seen, seconds: (performance.now() - begun) / 1000 })
  }
  show("")
  const run = { rounds, looks, seconds: (performance.now() - begun) / 1000 }
  if (values.json)
    print([
      JSON.stringify({
        conditions: Page.conditions(run),
        ...run,
        rows: rows.map((row) => ({ ...row, ...Bench.figureOf(row) })),
      }),
    ])
  else print([...Table.terminal(rows), "", ...Page.conditions(run)])
}

process.once("SIGINT", () => {
  show("")
  process.exit(130)
})
// What is measured is what gets installed.
show("build")
ChildProcess.execFileSync("npm", ["run", "--silent", "build"], { stdio: ["ignore", "ignore", "inherit"] })
try {
  await (values.profile ? showProfile() : measure())
} catch (error) {
  show("")
  fail(messageOf(error))
}
