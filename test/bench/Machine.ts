/** The machine that is measured on: what it is, and what it does besides. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import { promisify } from "node:util"

/** What the processors have done since they were started, in units of time that do not matter. */
interface Spent {
  readonly busy: number
  readonly all: number
}

const spent = (): Spent => {
  // Node leaves out what a hypervisor takes away, so Linux is asked itself: user, nice, system, idle, iowait, irq, softirq,
  // steal, and then what is in the first two already.
  if (process.platform === "linux") {
    const [first = ""] = Fs.readFileSync("/proc/stat", "utf8").split("\n", 1)
    const times = first.split(/ +/).slice(1, 9).map(Number)
    const all = times.reduce((sum, time) => sum + time, 0)
    return { all, busy: all - (times[3] ?? 0) - (times[4] ?? 0) }
  }
  const times = Os.cpus().map(({ times }) => times)
  const all = times.flatMap((one) => Object.values(one)).reduce((sum, time) => sum + time, 0)
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) }
}

/** How long a look takes, in milliseconds: fifty ticks of Linux's clock on two cores. */
const lookMillis = 250

const sleep = promisify(setTimeout)

/** The share of the processors that is busy just now, from 0 to 1; what a hypervisor takes away is busy, too. */
export const busy = async (): Promise<number> => {
  const before = spent()
  await sleep(lookMillis)
  const after = spent()
  return (after.busy - before.busy) / Math.max(1, after.all - before.all)
}

/** From which share on a machine has other work. */
const quiet = 0.1

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** What the looks at a machine found, each a share of its processors that was busy while nothing was measured. */
export const findings = (looks: ReadonlyArray<number>): string => {
  const noisy = looks.filter((share) => share > quiet)
  return noisy.length === 0
    ? `The machine had nothing else to do: each of ${looks.length} looks between rounds found less than ${percent(quiet)} of its processors busy.`
    : `These figures are from a machine with other work on it: ${noisy.length} of ${looks.length} looks between rounds found up to ${percent(Math.max(...noisy))} of its processors busy with something else.`
}

/** Files that a process has open beside its connections, at most. */
const otherFiles = 500

/** So many connections at once, or as many as the limit of open files lets a process have (`ulimit -Hn`). */
export const connectionsUpTo = (wanted: number): number => {
  const limit = ChildProcess.execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim()
  return limit === "unlimited" ? wanted : Math.min(wanted, Number(limit) - otherFiles)
}

/** What it is, in a few words. */
export const name = (): string => {
  const [first] = Os.cpus()
  const cores = Os.availableParallelism()
  const memory = Math.round(Os.totalmem() / 1024 ** 3)
  return `${first?.model.trim() ?? "unknown processor"}, ${cores} ${cores === 1 ? "core" : "cores"}, ${memory} GB, ${Os.type()} ${Os.release()} (${Os.arch()})`
}
