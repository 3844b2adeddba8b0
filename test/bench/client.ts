/** What a login costs a client, at a server that costs next to nothing. */
import * as Bench from "./Bench.ts"
import * as Processes from "./Processes.ts"

/** How many logins there are at once. */
const atOnce = [1, 64] as const

/** How long each side is measured in a round, in milliseconds. */
const millis = 500

export const bench: Bench.Bench = {
  name: "client",
  measure: async (progress, { look, rounds }) => {
    const server = await Processes.bare()
    const [raw, ours] = [Processes.client("raw"), Processes.client("login-client")]
    const logins = (client: Processes.Client, atOnce: number) => {
      // The canned lines are for the first account, and LoginClient looks at that.
      return client.carryOut({ _tag: "LogIn", port: server.port, atOnce, millis, first: 0, accounts: 1, leave: "Out" })
    }
    const perSecond = async (client: Processes.Client, atOnce: number) => {
      const done = await logins(client, atOnce)
      return (done.logins * 1000) / done.millis
    }
    try {
      for (const client of [raw, ours]) {
        let done = 0
        while (done < Bench.warmUp) done += (await logins(client, 64)).logins
      }
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const rates: Array<{ readonly count: number; readonly ours: number; readonly theirs: number }> = []
        for (const count of atOnce) {
          const theirs = await perSecond(raw, count)
          rates.push({ count, theirs, ours: await perSecond(ours, count) })
        }
        return rates
      })
      return atOnce.map((count) => ({
        what: `Logins by LoginClient, ${count} at once`,
        against: "a client of node:net",
        unit: "logins/s",
        compare: "Ratio",
        target: { is: "AtLeast", value: 0.75 },
        rounds: measured.flatMap((rates) => rates.filter((rate) => rate.count === count)),
      }))
    } finally {
      for (const process of [server, raw, ours]) process.stop()
    }
  },
}
