/** How long it takes from the command to a server that listens. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Msnp from "../support/Msnp.ts"
import * as Bench from "./Bench.ts"
import * as Processes from "./Processes.ts"

/** How long `node -e 0` takes, from its start to its end, in milliseconds. */
const nothing = (): number => {
  const begun = performance.now()
  ChildProcess.execFileSync(process.execPath, ["-e", "0"])
  return performance.now() - begun
}

/** How long `msnp serve` takes, from its start until it says that its last server listens, in milliseconds. */
const listening = async (environment: NodeJS.ProcessEnv): Promise<number> => {
  const begun = performance.now()
  const places = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]
  const child = ChildProcess.spawn(process.execPath, [Processes.installed, "serve", "--json", ...places], {
    env: environment,
  })
  const running = Msnp.watch(child)
  await Msnp.portOf(running, "notification")
  const millis = performance.now() - begun
  await running.stop()
  return millis
}

export const bench: Bench.Bench = {
  name: "start",
  measure: async (progress, { look, rounds }) => {
    const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-bench-"))
    // As a user has it who has set nothing: Node is not told of a cache for what it compiles.
    const { NODE_COMPILE_CACHE: _, ...environment } = Msnp.environmentOf(home)
    try {
      // The first time makes a key and a directory.
      await listening(environment)
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const theirs = nothing()
        return { theirs, ours: await listening(environment) }
      })
      return [
        {
          what: "Start of msnp serve, until it listens",
          against: "node -e 0",
          unit: "ms",
          compare: "Difference",
          target: { is: "AtMost", value: 400 },
          rounds: measured,
        },
      ]
    } finally {
      Fs.rmSync(home, { recursive: true, force: true })
    }
  },
}
