/**
 * `npm run soak`: a mixed crowd against `msnp serve` as a process of its own, for as many minutes as one likes.
 *
 * At the end nothing may be lost: each attempt went as its role says, the server's own account of all logins is that of the
 * crowd, outcome by outcome, those who stayed signed in heard that it goes down, and the server holds no more memory and no
 * more descriptors than it did after warming up. Both are looked at while the crowd holds its breath; memory, behind a
 * garbage collection that is asked for through the inspector. Linux only, for /proc.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Util from "node:util"
import * as Redacted from "effect/Redacted"
import * as Output from "../../src/cli/Output.ts"
import * as SessionClient from "../../src/net/SessionClient.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Msnp from "../support/Msnp.ts"
import * as Crowd from "./Crowd.ts"

const { values } = Util.parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    staying: { type: "string", default: "200" },
    json: { type: "boolean", default: false },
  },
})

/** The value of a flag, which is a number between these. */
const numberOf = (flag: "minutes" | "staying", least: number, most: number): number => {
  const number = Number(values[flag])
  if (number >= least && number <= most) return number
  process.stderr.write(`soak: --${flag} takes a number from ${least} to ${most}.\n`)
  process.exit(1)
}

const minutes = numberOf("minutes", 0.5, 10_080)

/** How many stay signed in from the beginning to the end. */
const staying = numberOf("staying", 1, 60_000)

const note = (line: string) => process.stderr.write(`${line}\n`)

/** What is the most that the server's heap may have grown, in bytes: what V8's own bookkeeping does in an hour. */
const heapBound = 4 * 1024 * 1024

/** How long an attempt may take. */
const patience: Duration.Input = "90 seconds"

/** How long the crowd goes on before anything is measured, in milliseconds. */
const warmUp = Math.min(30_000, (minutes * 60_000) / 4)

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/** A server as a process, with its accounts in a file. */
const serve = Effect.fnUntraced(function* (accounts: ReadonlyArray<string>) {
  const home = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-soak-"))),
    (home) => Effect.sync(() => Fs.rmSync(home, { recursive: true, force: true })),
  )
  const environment = Msnp.environmentOf(home)
  const csv = Path.join(home, "accounts.csv")
  const directory = ["--directory", Path.join(home, "accounts.db")]
  const row = (account: string) => `${account},${Redacted.value(Crowd.password)},Alice`
  Fs.writeFileSync(csv, ["account,password,friendlyName", ...accounts.map(row), ""].join("\n"))
  ChildProcess.execFileSync(process.execPath, [Msnp.bin, "account", "import", csv, ...directory], {
    env: environment,
    stdio: "ignore",
  })

  const listening = ["--dispatch", "--notification", "--gateway", "--metrics"].flatMap((flag) => [flag, "127.0.0.1:0"])
  const limits = ["loginTimeout=5 seconds", "writeTimeout=5 seconds"].flatMap((limit) => ["--limit", limit])
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(
        process.execPath,
        ["--inspect=127.0.0.1:0", Msnp.bin, "serve", "--json", ...directory, ...listening, ...limits],
        { env: environment },
      ),
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL")),
  )
  let log = ""
  child.stderr.on("data", (bytes: Buffer) => (log += bytes.toString()))
  const running = Msnp.watch(child)
  const port = (role: Parameters<typeof Msnp.portOf>[1]) => Effect.promise(() => Msnp.portOf(running, role))
  const at = (port: number): Address.Address => ({ host: "127.0.0.1", port })
  const site: Crowd.Site = {
    dispatch: at(yield* port("dispatch")),
    notification: at(yield* port("notification")),
    gateway: at(yield* port("gateway")),
  }
  const metrics = at(yield* port("metrics"))
  return { child, running, site, metrics, log: () => log }
})
type Served = Effect.Success<ReturnType<typeof serve>>

/** What the server says of itself: each series with its value. */
const scrape = ({ metrics }: Served): Effect.Effect<ReadonlyMap<string, number>> =>
  Effect.promise(async () => {
    const response = await fetch(`http://${metrics.host}:${metrics.port}/metrics`)
    const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(" ")
        return [line.slice(0, end), Number(line.slice(end + 1))] as const
      }),
    )
  })

/** How the server accounts for the logins that are over, outcome by outcome. */
const accounted = Effect.fnUntraced(function* (served: Served) {
  const counts = new Map<string, number>()
  for (const [series, value] of yield* scrape(served)) {
    const outcome = /^msnp_logins_total\{.*\boutcome="(\w+)"/.exec(series)?.[1]
    if (outcome !== undefined) counts.set(outcome, (counts.get(outcome) ?? 0) + value)
  }
  return counts
})

/** How many connections the server has, at all of its roles together. */
const connectionsOf = Effect.fnUntraced(function* (served: Served) {
  let open = 0
  for (const [series, value] of yield* scrape(served)) if (/^msnp_connections\b/.test(series)) open += value
  return open
})

/** How much the server's heap holds that is still in use, in bytes. */
const heapOf = ({ log }: Served): Effect.Effect<number, Failed> =>
  Effect.callback<number, Failed>((resume) => {
    const url = /Debugger listening on (ws:\S+)/.exec(log())?.[1] ?? ""
    const inspector = new WebSocket(url)
    const lost = () => resume(Effect.fail(new Failed({ message: "The server's inspector does not answer." })))
    inspector.addEventListener("error", lost)
    const ask = (id: number, method: string) => inspector.send(JSON.stringify({ id, method }))
    inspector.addEventListener("open", () => ask(1, "HeapProfiler.collectGarbage"))
    inspector.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data))
      if (id === 1) ask(2, "HeapProfiler.collectGarbage")
      else if (id === 2) ask(3, "Runtime.getHeapUsage")
      else {
        inspector.addEventListener("close", () => resume(Effect.succeed(Number(result.usedSize))))
        inspector.close()
      }
    })
  })

/** What the server holds. */
interface Held {
  readonly heap: number
  readonly descriptors: number
  readonly connections: number
}

const holds = Effect.fnUntraced(function* (served: Served): Effect.fn.Return<Held, Failed> {
  // The inspector's own connection, and that of the metrics, are closed by now, or will be.
  const heap = yield* heapOf(served)
  const connections = yield* connectionsOf(served)
  return { heap, connections, descriptors: Fs.readdirSync(`/proc/${served.child.pid}/fd`).length }
})

/** What has come of a role. */
interface Tally {
  attempts: number
  readonly lost: Array<string>
  readonly outcomes: Map<Crowd.Outcome, number>
}

const newTally = (): Tally => ({ attempts: 0, lost: [], outcomes: new Map() })

/** Somebody of the crowd: goes on while the latch is open, until it is told to leave. */
const member = Effect.fnUntraced(function* (
  role: Crowd.Role,
  tally: Tally,
  { site }: Served,
  account: Account.Account,
  gate: Latch.Latch,
  busy: Busy,
) {
  while (true) {
    yield* gate.await
    busy.more()
    const exit = yield* role
      .attempt(site, account)
      .pipe(
        Effect.scoped,
        Effect.timeoutOrElse({ duration: patience, orElse: () => new Crowd.Unexpected({ message: "took too long" }) }),
        Effect.exit,
      )
    busy.less()
    tally.attempts++
    if (Exit.isSuccess(exit)) {
      for (const outcome of exit.value) tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
    } else {
      const why = Cause.pretty(exit.cause)
      tally.lost.push(why)
      if (tally.lost.length === 1) note(`${role.name}: ${why}`)
    }
  }
})

/** How many are at it, and waiting until nobody is. */
interface Busy {
  readonly more: () => void
  readonly less: () => void
  readonly none: Effect.Effect<void>
}

const makeBusy = (): Busy => {
  let count = 0
  const idle = Latch.makeUnsafe(true)
  return {
    more: () => {
      count++
      idle.closeUnsafe()
    },
    less: () => {
      count--
      if (count === 0) idle.openUnsafe()
    },
    none: idle.await,
  }
}

/** Somebody who stays signed in: how that ended. */
const stay = Effect.fnUntraced(function* ({ site }: Served, account: Account.Account) {
  const session = yield* SessionClient.signIn({ server: site.dispatch, account, password: Crowd.password })
  return Effect.flip(Stream.runDrain(session.events))
})

const seconds = (millis: number) => Math.round(millis / 1000)
const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`

const soak = Effect.gen(function* () {
  const accountOf = (kind: string, i: number) => Account.Account.make(`${kind}${i}@example.com`)
  const members = Crowd.roles.flatMap((role, r) =>
    Array.from({ length: role.size }, (_, i) => ({
      role,
      account: accountOf(`role${r}-`, role.accounts === "Shared" ? Math.floor(i / 2) : i),
    })),
  )
  const stayers = Array.from({ length: staying }, (_, i) => accountOf("stayer", i))
  const served = yield* serve([...new Set(members.map(({ account }) => account)), ...stayers])
  const stays = yield* Effect.forEach(stayers, (account) => stay(served, account), { concurrency: 16 })
  const staysFibers = yield* Effect.forEach(stays, (ending) => Effect.forkScoped(ending))

  const gate = Latch.makeUnsafe(false)
  const busy = makeBusy()
  const tallies = new Map(Crowd.roles.map((role) => [role, newTally()]))
  for (const { account, role } of members) {
    const tally = tallies.get(role) ?? newTally()
    yield* Effect.forkScoped(member(role, tally, served, account, gate, busy))
  }

  const begun = Date.now()
  const total = () => Array.from(tallies.values()).reduce((sum, { attempts }) => sum + attempts, 0)
  const lost = () => Array.from(tallies.values()).reduce((sum, { lost }) => sum + lost.length, 0)
  const tell = Effect.sync(() => {
    const line = `${seconds(Date.now() - begun)} s of ${minutes * 60}: ${total()} attempts, ${lost()} lost`
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
    else note(line)
  })
  yield* Effect.forkScoped(Effect.repeat(tell, Schedule.spaced(process.stderr.isTTY ? "1 second" : "15 seconds")))

  /** Lets the crowd go on for a while, and then holds until nobody is at it and the server has noticed. */
  const goOn = Effect.fnUntraced(function* (millis: number) {
    gate.openUnsafe()
    yield* Effect.sleep(millis)
    gate.closeUnsafe()
    yield* busy.none
    yield* Effect.repeat(connectionsOf(served), {
      until: (open) => open === staying,
      schedule: Schedule.spaced("50 millis"),
    }).pipe(
      Effect.timeoutOrElse({
        duration: "30 seconds",
        orElse: () => new Failed({ message: "Connections are left over." }),
      }),
    )
    return yield* holds(served)
  })
  const before = yield* goOn(warmUp)
  const after = yield* goOn(Math.max(1, minutes * 60_000 - (Date.now() - begun)))
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K")

  const theirs = yield* accounted(served)
  const ours = new Map<string, number>([
    ["LoggedIn", staying],
    ["Referred", staying],
  ])
  for (const { outcomes } of tallies.values()) {
    for (const [outcome, count] of outcomes) ours.set(outcome, (ours.get(outcome) ?? 0) + count)
  }
  served.running.kill("SIGTERM")
  const { code, stderr, stdout } = yield* Effect.promise(() => served.running.ended)
  const endings = yield* Effect.forEach(staysFibers, Fiber.join)
  return { before, after, ours, theirs, tallies, code, said: stdout + stderr, endings, millis: Date.now() - begun }
})

/** Everything that is not as it has to be. */
const faults = ({
  after,
  before,
  code,
  endings,
  ours,
  said,
  tallies,
  theirs,
}: Effect.Success<typeof soak>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [role, { attempts, lost }] of tallies) {
    if (attempts === 0) found.push(`nobody who is ${role.name} came to an end`)
    for (const why of lost.slice(0, 3)) found.push(`${role.name}: ${why}`)
    if (lost.length > 3) found.push(`${role.name}: ${lost.length - 3} more`)
  }
  for (const outcome of new Set([...ours.keys(), ...theirs.keys()])) {
    const [our, their] = [ours.get(outcome) ?? 0, theirs.get(outcome) ?? 0]
    if (our !== their) found.push(`${outcome}: ${our} by the crowd's account, ${their} by the server's`)
  }
  if (after.descriptors > before.descriptors)
    found.push(`descriptors: ${before.descriptors}, then ${after.descriptors}`)
  if (after.heap - before.heap > heapBound) found.push(`heap: ${megabytes(before.heap)}, then ${megabytes(after.heap)}`)
  const untold = endings.filter((ending) => ending._tag !== "LoggedOut" || ending.reason !== "ShuttingDown")
  if (untold.length > 0)
    found.push(
      `${untold.length} of ${staying} who stayed were not told that the server goes down: ${untold[0]?.message}`,
    )
  if (code !== 0) found.push(`the server ended with exit code ${code}`)
  if (/defect/i.test(said)) found.push(`the server tells of a defect: ${said}`)
  return found
}

const main = Effect.scoped(soak).pipe(
  Effect.map((result) => {
    const found = faults(result)
    const { after, before, millis, ours, tallies } = result
    const rows = Array.from(tallies, ([role, { attempts, lost, outcomes }]) => [
      role.name,
      String(role.size),
      String(attempts),
      String(lost.length),
      Array.from(outcomes, ([outcome, count]) => `${outcome} ${count}`).join(", "),
    ])
    const logins = Array.from(ours.values()).reduce((sum, count) => sum + count, 0)
    const figures = { seconds: seconds(millis), connections: logins, staying, before, after, faults: found }
    if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, roles: rows })}\n`)
    else {
      const lines = [
        ...Output.table([["WHO", "AT ONCE", "ATTEMPTS", "LOST", "OUTCOMES, BY BOTH ACCOUNTS"], ...rows]),
        "",
        `${logins} connections in ${figures.seconds} s, ${staying} of them signed in throughout.`,
        `Heap ${megabytes(before.heap)} after warming up, ${megabytes(after.heap)} at the end; descriptors ${before.descriptors} and ${after.descriptors}.`,
        ...(found.length === 0 ? ["Lost: 0."] : found),
      ]
      process.stdout.write(`${lines.join("\n")}\n`)
    }
    process.exitCode = found.length === 0 ? 0 : 1
  }),
)
NodeRuntime.runMain(main)
