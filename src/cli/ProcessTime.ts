/**
 * How much CPU time another process of this machine has used, as the system tells it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Util from "node:util"

/** How many ticks of the clock make a second, wherever /proc is: Linux has told programs so since 2.6. */
const ticksPerSecond = 100

/**
 * The time in seconds by `/proc/PID/stat`, of which the 14th and the 15th field are the ticks in user and in system mode
 * (proc(5)). The second is the name of the program in parentheses, with whatever is in it.
 */
export const fromStat = (stat: string): Option.Option<number> => {
  const [user = "", system = ""] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
  return /^\d+$/.test(user) && /^\d+$/.test(system)
    ? Option.some((Number(user) + Number(system)) / ticksPerSecond)
    : Option.none()
}

/** The time in seconds by `ps -o time=`: `[[DAYS-]HOURS:]MINUTES:SECONDS` (POSIX), with hundredths on BSD and macOS. */
export const fromPs = (time: string): Option.Option<number> => {
  const parts = /^\s*(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(time)
  if (parts === null) return Option.none()
  const [, days = "0", hours = "0", minutes, seconds] = parts
  return Option.some(((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds))
}

const execFile = Util.promisify(ChildProcess.execFile)

/** What a process has used by now, in seconds; none where the system does not tell. */
export const of = (pid: number): Effect.Effect<Option.Option<number>> =>
  Effect.tryPromise(async () =>
    process.platform === "linux"
      ? fromStat(await Fs.readFile(`/proc/${pid}/stat`, "utf8"))
      : fromPs((await execFile("ps", ["-o", "time=", "-p", String(pid)])).stdout),
  ).pipe(Effect.orElseSucceed(Option.none))
