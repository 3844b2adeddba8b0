/** What it costs to have clients signed in that say nothing: memory for each, and what becomes of the logins beside them. */
import * as Bench from "./Bench.ts"
import * as Machine from "./Machine.ts"
import * as Processes from "./Processes.ts"
import * as Server from "./server.ts"

/** How many connections the memory is measured with. */
const open = Machine.connectionsUpTo(5000)

/** How many stay signed in while others log in: few, and many. */
const few = 1000
const many = Machine.connectionsUpTo(10_000)

/** The accounts of those who stay are behind those of the logins. */
const first = 2000

/** How many logins there are at once, and for how long in a round, in milliseconds. */
const atOnce = 64
const millis = 500

const kilobyte = 1024

/** How much more memory is in use for each connection that is open, in kilobytes. */
const perConnection = async (client: Processes.Client, server: Processes.Server): Promise<number> => {
  const before = await server.memory()
  await client.carryOut({ _tag: "Hold", port: server.port, first, accounts: open })
  const after = await server.memory()
  await client.carryOut({ _tag: "Release" })
  return (after - before) / open / kilobyte
}

export const heap: Bench.Bench = {
  name: "heap",
  measure: async (progress, { look, rounds }) => {
    const bare = await Processes.bare()
    const ours = await Processes.ours(first + open)
    const load = Server.clients()
    const client = Processes.client("raw")
    try {
      for (const server of [bare, ours]) {
        await Server.warmUp(load, server)
        await perConnection(client, server)
      }
      // It hardly moves.
      const measured = await Bench.inRounds(Math.min(rounds, 3), look, progress, async () => {
        const theirs = await perConnection(client, bare)
        return { theirs, ours: await perConnection(client, ours) }
      })
      return [
        {
          what: `Memory per idle connection, ${open} signed in`,
          against: "node:net, canned lines",
          unit: "KB",
          compare: "Difference",
          target: { is: "AtMost", value: 6 },
          rounds: measured,
        },
      ]
    } finally {
      for (const process of [bare, ours, client, ...load]) process.stop()
    }
  },
}

export const growth: Bench.Bench = {
  name: "growth",
  measure: async (progress, { look, rounds }) => {
    const quiet = await Processes.ours(first + many)
    const crowded = await Processes.ours(first + many)
    const load = Server.clients()
    const [some, crowd] = [Processes.client("raw"), Processes.client("raw")]
    try {
      await some.carryOut({ _tag: "Hold", port: quiet.port, first, accounts: few })
      await crowd.carryOut({ _tag: "Hold", port: crowded.port, first, accounts: many })
      for (const server of [quiet, crowded]) await Server.warmUp(load, server)
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const theirs = await Server.logins(load, quiet, atOnce, millis)
        const ours = await Server.logins(load, crowded, atOnce, millis)
        return { ours: ours.perSecond, theirs: theirs.perSecond }
      })
      return [
        {
          what: `Logins, ${atOnce} at once, beside ${many} idle connections`,
          against: `the same beside ${few}`,
          unit: "logins/s",
          compare: "Ratio",
          target: { is: "AtLeast", value: 0.9 },
          rounds: measured,
        },
      ]
    } finally {
      for (const process of [quiet, crowded, some, crowd, ...load]) process.stop()
    }
  },
}
