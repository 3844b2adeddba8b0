/**
 * Imported ahead of a server (`--import`), whichever it is: tells what the process has used, over the channel of
 * `child_process.fork`, without a word from the server itself.
 */
import * as Inspector from "node:inspector/promises"

let session: Inspector.Session | undefined

const answer = async (question: unknown): Promise<unknown> => {
  switch (question) {
    case "cpu": {
      const { system, user } = process.cpuUsage()
      return { micros: system + user }
    }
    case "memory": {
      // Twice, since what a finalizer lets go of goes with the second.
      for (let i = 0; i < 2; i++) {
        globalThis.gc?.()
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      const { external, heapUsed } = process.memoryUsage()
      return { bytes: heapUsed + external }
    }
    case "profile": {
      session = new Inspector.Session()
      session.connect()
      await session.post("Profiler.enable")
      await session.post("Profiler.setSamplingInterval", { interval: 200 })
      await session.post("Profiler.start")
      return {}
    }
    case "profiled":
      return (await session?.post("Profiler.stop"))?.profile
    default:
      throw new Error(`The probe is asked ${String(question)}.`)
  }
}

process.on("message", (question: unknown) => {
  void answer(question).then((said) => process.send?.(said))
})
// Whoever asks is gone.
process.on("disconnect", () => process.exit())
