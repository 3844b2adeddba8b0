import { afterEach, describe, expect, it, vi } from "vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Timers from "node:timers/promises"
import * as Schema from "effect/Schema"
import * as Exposition from "../support/Exposition.ts"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Starts a command that is killed, if it still runs, when the test is over. */
const start = (...args: Parameters<typeof Msnp.start>): Msnp.Running => {
  const running = Msnp.start(...args)
  cleanups.push(running.stop)
  return running
}

/** Serves a crowd of so many, until the test is over: where, and what the server says of itself. */
const serve = async (crowd: number) => {
  const listening = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
  const running = start(["serve", "--json", "--demo-crowd", String(crowd), ...listening])
  const metrics = await Msnp.portOf(running, "metrics")
  return {
    dispatch: `127.0.0.1:${await Msnp.portOf(running, "dispatch")}`,
    notification: `127.0.0.1:${await Msnp.portOf(running, "notification")}`,
    counted: async (metric: string) => {
      const response = await fetch(`http://127.0.0.1:${metrics}/metrics`)
      return Exposition.counted(Exposition.parse(await response.text()), metric)
    },
  }
}

const Times = Schema.Struct({
  count: Schema.Int,
  min: Schema.Finite,
  mean: Schema.Finite,
  p50: Schema.Finite,
  p90: Schema.Finite,
  p99: Schema.Finite,
  max: Schema.Finite,
})

/** What a program is told, as docs/cli.md has it. */
const Measured = Schema.Struct({
  event: Schema.Literal("measured"),
  server: Schema.String,
  concurrency: Schema.Int,
  complete: Schema.Boolean,
  seconds: Schema.Finite,
  loginsPerSecond: Schema.Finite,
  ended: Schema.Int,
  logins: Schema.NullOr(Times),
  connections: Schema.NullOr(Times),
  failed: Schema.Int,
  failures: Schema.Array(Schema.Struct({ why: Schema.String, message: Schema.String, count: Schema.Int })),
  before: Schema.Struct({ ended: Schema.Int, failed: Schema.Int }),
  held: Schema.Struct({
    asked: Schema.Int,
    signedIn: Schema.Int,
    seconds: Schema.Finite,
    lost: Schema.Int,
    failures: Schema.Array(Schema.Struct({ why: Schema.String, message: Schema.String, count: Schema.Int })),
  }),
  cpu: Schema.Struct({ server: Schema.NullOr(Schema.Finite), ours: Schema.Finite }),
  busy: Schema.Finite,
})
const read = Schema.decodeUnknownSync(Schema.fromJsonString(Measured), { onExcessProperty: "error" })

const measuredIn = ({ stdout }: Msnp.Ended) => read(stdout.split("\n").find((line) => line.includes('"measured"')))

/** Measures a server, and tells a program. */
const bench = async (...args: ReadonlyArray<string>) => {
  const ended = await Msnp.run(["bench", "--json", "--warm-up", "0", ...args])
  return { ...ended, measured: measuredIn(ended) }
}

/** Asks until the answer is the one that is waited for. */
const until = async <A>(ask: () => Promise<A>, fits: (answer: A) => boolean): Promise<A> => {
  const answer = await ask()
  if (fits(answer)) return answer
  await Timers.setImmediate()
  return until(ask, fits)
}

describe("msnp bench HOST:PORT", () => {
  it("counts as the server does, by way of the dispatch server", async () => {
    const { counted, dispatch } = await serve(20)
    const load = ["--crowd", "20", "--logins", "50", "--concurrency", "8", "--dialect", "MSNP5"]
    const { code, measured, stderr } = await bench(dispatch, ...load)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(measured).toMatchObject({ server: dispatch, concurrency: 8, complete: true, ended: 50, failed: 0 })
    expect(measured).toMatchObject({ logins: { count: 50 }, connections: { count: 100 }, cpu: { server: null } })
    expect(measured.before).toEqual({ ended: 1, failed: 0 })
    expect(measured.loginsPerSecond).toBeCloseTo(50 / measured.seconds)
    expect(await counted("msnp_logins_total")).toEqual({
      '{role="dispatch",outcome="Referred",dialect="MSNP5"}': 51,
      '{role="notification",outcome="LoggedIn",dialect="MSNP5"}': 51,
    })
  })

  it("measures how a dispatch server refers, if it is told to go no further", async () => {
    const { counted, dispatch } = await serve(2)
    const { code, measured } = await bench(dispatch, "--crowd", "2", "--logins", "5", "--referrals", "count")
    expect(code).toBe(0)
    expect(measured).toMatchObject({ logins: { count: 5 }, connections: { count: 5 } })
    expect(await counted("msnp_logins_total")).toEqual({
      '{role="dispatch",outcome="Referred",dialect="MSNP7"}': 6,
    })
  })

  it("holds as many signed in as it is told to, beside the load, and tells what was measured at Ctrl-C", async () => {
    const { counted, notification } = await serve(14)
    const load = ["--crowd", "14", "--hold", "10", "--concurrency", "4", "--seconds", "3600", "--warm-up", "0"]
    const running = start(["bench", notification, "--json", ...load])
    const [outcome, sessions] = [
      '{role="notification",outcome="LoggedIn",dialect="MSNP7"}',
      '{role="notification"}',
    ] as const
    await until(
      () => counted("msnp_logins_total"),
      (logins) => (logins[outcome] ?? 0) > 30,
    )
    const during = (await counted("msnp_sessions"))[sessions] ?? 0
    expect(during).toBeGreaterThanOrEqual(10)
    expect(during).toBeLessThanOrEqual(10 + 4)

    running.kill("SIGINT")
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 130, stderr: "" })
    const { complete, failed, held, logins } = measuredIn(ended)
    expect({ complete, failed }).toEqual({ complete: false, failed: 0 })
    expect(logins?.count).toBeGreaterThan(30 - 10 - 4 - 1)
    expect(held).toMatchObject({ asked: 10, signedIn: 10, lost: 0, failures: [] })
    await until(
      () => counted("msnp_sessions"),
      (left) => left[sessions] === undefined,
    )
  })

  it("counts those who are turned down, and exits 8", async () => {
    const { dispatch } = await serve(3)
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))
    cleanups.push(() => Fs.rmSync(folder, { recursive: true }))
    const csv = Path.join(folder, "accounts.csv")
    const rows = ["user00000@example.com,password", "user00001@example.com,wrong", "user00002@example.com,password"]
    Fs.writeFileSync(csv, ["account,password", ...rows, ""].join("\n"))
    const load = ["--accounts", csv, "--logins", "9", "--concurrency", "1"]
    const { code, measured, stderr, stdout } = await bench(dispatch, ...load)
    expect(measured).toMatchObject({ logins: { count: 6 }, failed: 3 })
    expect(measured.failures).toEqual([
      { why: "Denied", count: 3, message: expect.stringContaining("user00001@example.com") },
    ])
    expect(stderr).toBe("msnp: 3 of 9 logins failed.\n")
    expect(stdout.split("\n")[1]).toBe('{"event":"failed","why":"SomeFailed","message":"3 of 9 logins failed."}')
    expect(code).toBe(8)
  })

  it("ends as msnp login does where the first login fails", async () => {
    const { counted, notification } = await serve(1)
    const args = ["bench", notification, "--account", "user00000@example.com"]
    const { code, stderr, stdout } = await Msnp.run(args, "wrong\n")
    expect(stderr).toContain("put each other out")
    expect(stderr).toMatch(/\nmsnp: 127\.0\.0\.1:\d+ does not let user00000@example\.com in: [^\n]*\(911\)\.\n$/)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(await counted("msnp_logins_total")).toEqual({
      '{role="notification",outcome="Denied",dialect="MSNP7"}': 1,
    })
  })

  it("exits 5 where nothing listens", async () => {
    const { code, stderr, stdout } = await Msnp.run(["bench", "127.0.0.1:1", "--crowd", "100"])
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" })
    expect(stderr).toMatch(
      /^msnp: No server could be reached; tried 127\.0\.0\.1:1 \(nothing listens there\)\.[^\n]*\n$/,
    )
  })

  it("says how much it is about to ask of a server that is not on this machine", async () => {
    // An address of nobody, to which this machine does not even try to connect.
    const args = ["255.255.255.255", "--crowd", "100", "--hold", "30", "--concurrency", "16"]
    const { code, stderr } = await Msnp.run(["bench", ...args])
    expect(stderr).toMatch(/^Note: 255\.255\.255\.255:1863 is not this machine: 46 connections at once go there\./)
    expect(code).toBe(5)
  })

  it.each([
    [["127.0.0.1:1"], /^msnp: Say who is to log in, with one of --crowd, --accounts and --account\.$/m],
    [["127.0.0.1:1", "--crowd", "5", "--account", "a@b.c"], /^msnp: Say who is to log in, with one of/m],
    [["127.0.0.1:1", "--crowd", "5", "--hold", "5"], /^msnp: There are 5 accounts, of which --hold takes 5:/m],
    [["127.0.0.1:1", "--accounts", "none.csv"], /^msnp: none\.csv cannot be read: it is not there\.$/m],
    [["127.0.0.1:1", "--crowd", "5", "--password-file", "x"], /^msnp: --password-file goes with --account\.$/m],
    [["--seconds", "1", "--logins", "1"], /^msnp: --seconds and --logins do not go together:/m],
    [["--account", "a@b.c"], /^msnp: --account, .* go with HOST:PORT: name the server\.$/m],
    [["--concurrency", "0"], /a number from 1 to 10000/],
  ])("exits 1 for %j, with a sentence", async (args, sentence) => {
    const { code, stderr, stdout } = await Msnp.run(["bench", ...args])
    expect(stderr).toMatch(sentence)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  })

  it("exits 1 before anything is asked, where it would need more files than it may have open", () => {
    const args = ["--nofile=100", process.execPath, Msnp.bin, "bench", "127.0.0.1:1", "--crowd", "500"]
    const { status, stderr } = ChildProcess.spawnSync("prlimit", [...args, "--concurrency", "80"], { encoding: "utf8" })
    expect(stderr).toMatch(/^msnp: 80 connections at once, and 32 files besides, are more .* 100: raise that/)
    expect(status).toBe(1)
  })
})

describe("msnp bench", () => {
  it("measures a server of its own, tells its CPU time, and takes it down", async () => {
    const { code, measured, stderr } = await bench("--logins", "200", "--concurrency", "4", "--hold", "3")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(measured).toMatchObject({ logins: { count: 200 }, held: { asked: 3, signedIn: 3, lost: 0 } })
    expect(measured.cpu.server).toBeGreaterThan(0)
    expect(measured.cpu.server).toBeLessThan(measured.seconds * Os.availableParallelism())
    const after = await Msnp.run(["probe", measured.server])
    expect(after).toMatchObject({ code: 5, stderr: expect.stringContaining("nothing listens there") })
  })

  it("leaves no server behind where it is killed", async () => {
    const child = ChildProcess.spawn(process.execPath, [Msnp.bin, "bench", "--seconds", "600", "--hold", "100"], {
      stdio: "ignore",
    })
    cleanups.push(() => child.kill("SIGKILL"))
    const children = async () => Fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
    const server = Number((await until(children, (pids) => pids !== "")).trim())
    const isThere = () => Fs.existsSync(`/proc/${server}`)
    cleanups.push(() => isThere() && process.kill(server))
    // Once it has said all that it has to say, and would not notice by that.
    await until(
      async () => Fs.readdirSync(`/proc/${server}/fd`).length,
      (open) => open > 100,
    )
    child.kill("SIGKILL")
    await until(
      async () => isThere(),
      (there) => !there,
    )
    expect(isThere()).toBe(false)
  })

  it("shows a person a table, and no progress where there is no terminal", async () => {
    const { code, stderr, stdout } = await Msnp.run(["bench", "--seconds", "1", "--warm-up", "1", "--concurrency", "2"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.split("\n")
    expect(lines[0]).toMatch(/^Logins at 127\.0\.0\.1:\d+, 2 at once, measured for [\d.]+ s\.$/)
    const table = lines.slice(2, 5).map((line) => line.split(/ {2,}/))
    expect(table[0]).toEqual(["", "COUNT", "A SECOND", "P50 MS", "P90 MS", "P99 MS", "MAX MS"])
    expect(table.map(([name]) => name)).toEqual(["", "logins", "connections"])
    expect(lines[6]).toBe("Failed: 0.")
    expect(lines[7]).toMatch(/^CPU time of the server: [\d.]+ ms a login, \d+ % of a core\.$/)
    expect(lines[8]).toMatch(/^CPU time of this process: [\d.]+ ms a login, \d+ % of a core\.$/)
  })
})
