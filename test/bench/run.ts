/**
 * `npm run bench`: everything that is measured, in rounds, ours and what it is measured against in turns.
 */
import * as ChildProcess from "node:child_process"
import * as Util from "node:util"
import * as Bench from "./Bench.ts"
import * as Idle from "./idle.ts"
import * as Server from "./server.ts"
import * as Table from "./Table.ts"

const benches: ReadonlyArray<Bench.Bench> = [Server.bench, Idle.heap, Idle.growth]

const { values } = Util.parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
})

const fail = (sentence: string): never => {
  process.stderr.write(`bench: ${sentence}\n`)
  process.exit(1)
}

const names = benches.map(({ name }) => name)
const unknown = values.only.find((name) => !names.includes(name))
if (unknown !== undefined) fail(`there is no ${unknown}: --only takes ${names.join(", ")}.`)
const rounds = Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds >= 1)) fail("--rounds takes a whole number from 1 on.")

ChildProcess.execFileSync("npm", ["run", "--silent", "build"], { stdio: ["ignore", "ignore", "inherit"] })

const rows: Array<Bench.Row> = []
for (const { measure, name } of benches) {
  if (values.only.length > 0 && !values.only.includes(name)) continue
  const progress = (done: number) =>
    process.stderr.isTTY && process.stderr.write(`\r\u001b[K${name} ${Math.round(done * 100)} %`)
  progress(0)
  rows.push(...(await measure(progress, { rounds, look: async () => {} })))
}
if (process.stderr.isTTY) process.stderr.write("\r\u001b[K")
if (values.json)
  process.stdout.write(`${JSON.stringify(rows.map((row) => ({ ...row, figure: Bench.figureOf(row) })))}\n`)
else process.stdout.write(`${Table.terminal(rows).join("\n")}\n`)
