/** What a login costs a server: CPU time, logins per second, and how long it takes, with more and more of them at once. */
import * as Bench from "./Bench.ts"
import * as Processes from "./Processes.ts"

/** How many logins there are at once. */
const atOnce = [1, 16, 64, 256] as const

/** How many at once the CPU time is measured with, and what the servers are warmed up with. */
const usual = 64

/** The accounts that log in, in turns. */
const accounts = 2000

/** How long each side is measured in a round, and how long it is warmed up, in milliseconds. */
const millis = 800
const warmUp = 2500

/** The row of so many at once. */
const rateOf = (count: number): string => `Logins, ${count} at once`

interface Measured {
  readonly perSecond: number
  /** CPU time of the server for each, in microseconds. */
  readonly cpu: number
  readonly medianMillis: number
}

/** Has a client log in for a while. */
export const logins = async (
  client: Processes.Client,
  server: Processes.Server,
  atOnce: number,
  millis: number,
): Promise<Measured> => {
  const before = await server.cpu()
  const done = await client.carryOut({ _tag: "LogIn", port: server.port, atOnce, millis, first: 0, accounts })
  const cpu = (await server.cpu()) - before
  return {
    perSecond: (done.logins * 1000) / done.millis,
    cpu: cpu / done.logins,
    medianMillis: done.medianMillis,
  }
}

export const bench: Bench.Bench = {
  name: "server",
  measure: async (progress, { look, rounds }) => {
    const bare = await Processes.bare()
    const memory = await Processes.ours(accounts)
    const file = await Processes.oursWithFile(accounts)
    const client = Processes.client("raw")
    try {
      for (const server of [bare, memory, file]) await logins(client, server, usual, warmUp)
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const rates: Array<{ readonly count: number; readonly ours: Measured; readonly theirs: Measured }> = []
        for (const count of atOnce) {
          const theirs = await logins(client, bare, count, millis)
          rates.push({ count, theirs, ours: await logins(client, memory, count, millis) })
        }
        const theirs = await logins(client, bare, usual, millis)
        return { rates, file: { theirs, ours: await logins(client, file, usual, millis) } }
      })
      const at = (count: number, figure: keyof Measured) =>
        measured.flatMap(({ rates }) =>
          rates
            .filter((rate) => rate.count === count)
            .map(({ ours, theirs }) => ({ ours: ours[figure], theirs: theirs[figure] })),
        )
      const against = "node:net, canned lines"
      const cpu = { against, unit: "us", compare: "Ratio", target: { is: "AtMost", value: 1.35, next: 1.2 } } as const
      return [
        { what: "Server CPU per login, accounts in memory", ...cpu, rounds: at(usual, "cpu") },
        {
          what: "Server CPU per login, accounts in a file",
          ...cpu,
          rounds: measured.map(({ file }) => ({ ours: file.ours.cpu, theirs: file.theirs.cpu })),
        },
        ...atOnce.map((count): Bench.Row => ({
          what: rateOf(count),
          against,
          unit: "logins/s",
          compare: "Ratio",
          target: { is: "AtLeast", value: 0.75, next: 0.85 },
          rounds: at(count, "perSecond"),
        })),
        {
          what: "One login alone, connection to USR OK, p50",
          against,
          unit: "ms",
          compare: "Ratio",
          target: { is: "AtMost", value: 1.15 },
          rounds: at(1, "medianMillis"),
        },
      ]
    } finally {
      for (const process of [bare, memory, file, client]) process.stop()
    }
  },
}
