/** What a login costs a server: CPU time, logins per second, and how long it takes, with more and more of them at once. */
import * as Bench from "./Bench.ts"
import * as Plot from "./Plot.ts"
import * as Processes from "./Processes.ts"

/** How many logins there are at once. */
const atOnce = [1, 16, 64, 256] as const

/** How many at once the CPU time is measured with, and what the servers are warmed up with. */
const usual = 64

/** The accounts that log in, in turns. */
const accounts = 2000

/** How long each side is measured in a round, in milliseconds. */
const millis = 500

/** How long a profile looks, in milliseconds. */
const profileMillis = 4000

/** The row of so many at once. */
const rateOf = (count: number): string => `Logins, ${count} at once`

interface Measured {
  readonly count: number
  readonly perSecond: number
  /** CPU time of the server for each, in microseconds. */
  readonly cpu: number
  readonly medianMillis: number
}

/**
 * As many clients as put a load on a server, each a process: a login costs the client more than it costs the server of
 * `node:net`, so that of one client alone both servers would look as fast as it is.
 */
export const clients = (): ReadonlyArray<Processes.Client> => [Processes.client("raw"), Processes.client("raw")]

/** Has clients log in for a while, so many at once of all together. */
export const logins = async (
  clients: ReadonlyArray<Processes.Client>,
  server: Processes.Server,
  atOnce: number,
  millis: number,
): Promise<Measured> => {
  const share = accounts / clients.length
  const before = await server.cpu()
  const done = await Promise.all(
    clients.slice(0, atOnce).map((client, i) =>
      client.carryOut({
        _tag: "LogIn",
        port: server.port,
        atOnce: Math.ceil(atOnce / clients.length),
        millis,
        first: i * share,
        accounts: share,
        leave: "Silently",
      }),
    ),
  )
  const cpu = (await server.cpu()) - before
  const count = done.reduce((sum, { logins }) => sum + logins, 0)
  return {
    count,
    perSecond: done.reduce((sum, { logins, millis }) => sum + (logins * 1000) / millis, 0),
    cpu: cpu / count,
    medianMillis: Bench.median(done.map(({ medianMillis }) => medianMillis)),
  }
}

/** Has clients log in until either side has done it so often that it runs as it will from then on. */
export const warmUp = async (clients: ReadonlyArray<Processes.Client>, server: Processes.Server): Promise<void> => {
  let done = 0
  while (done < Bench.warmUp) done += (await logins(clients, server, usual, millis)).count
}

/** How to get to logins per second, as a ratio. */
const target = { is: "AtLeast", value: 0.75, next: 0.85 } as const

/** The picture of the rows, where they are among these. */
export const pictureOf = (rows: ReadonlyArray<Bench.Row>): string =>
  Plot.svg(
    atOnce.flatMap((count) =>
      rows
        .filter(({ what }) => what === rateOf(count))
        .map(Bench.figureOf)
        .map(({ compared, ours, theirs }) => ({ atOnce: count, ours, theirs, ratio: compared.median })),
    ),
    [target.value, target.next],
  )

/** Where the time of a login goes, with as many at once as the CPU time is measured with; of the sources, by their lines. */
export const profile = async (): Promise<unknown> => {
  const server = await Processes.ours(accounts, Processes.sources)
  const load = clients()
  try {
    await warmUp(load, server)
    await server.profile()
    await logins(load, server, usual, profileMillis)
    return await server.profiled()
  } finally {
    for (const process of [server, ...load]) process.stop()
  }
}

const against = "node:net, canned lines"

export const cpu: Bench.Bench = {
  name: "cpu",
  measure: async (progress, { look, rounds }) => {
    const bare = await Processes.bare()
    const memory = await Processes.ours(accounts)
    const file = await Processes.oursWithFile(accounts)
    const load = clients()
    try {
      for (const server of [bare, memory, file]) await warmUp(load, server)
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const { cpu: theirs } = await logins(load, bare, usual, millis)
        const { cpu: inMemory } = await logins(load, memory, usual, millis)
        const { cpu: inFile } = await logins(load, file, usual, millis)
        return { memory: { ours: inMemory, theirs }, file: { ours: inFile, theirs } }
      })
      return (["memory", "file"] as const).map((kept) => ({
        what: `Server CPU per login, accounts in ${{ memory: "memory", file: "a file" }[kept]}`,
        against,
        unit: "us",
        compare: "Ratio",
        target: { is: "AtMost", value: 1.35, next: 1.2 },
        rounds: measured.map((round) => round[kept]),
      }))
    } finally {
      for (const process of [bare, memory, file, ...load]) process.stop()
    }
  },
}

export const rate: Bench.Bench = {
  name: "rate",
  measure: async (progress, { look, rounds }) => {
    const bare = await Processes.bare()
    const ours = await Processes.ours(accounts)
    const load = clients()
    try {
      for (const server of [bare, ours]) await warmUp(load, server)
      const measured = await Bench.inRounds(rounds, look, progress, async () => {
        const round: Array<{ readonly count: number; readonly ours: Measured; readonly theirs: Measured }> = []
        for (const count of atOnce) {
          const theirs = await logins(load, bare, count, millis)
          round.push({ count, theirs, ours: await logins(load, ours, count, millis) })
        }
        return round
      })
      const at = (count: number, figure: keyof Measured) =>
        measured
          .flatMap((round) => round.filter((one) => one.count === count))
          .map(({ ours, theirs }) => ({ ours: ours[figure], theirs: theirs[figure] }))
      return [
        ...atOnce.map((count): Bench.Row => ({
          what: rateOf(count),
          against,
          unit: "logins/s",
          compare: "Ratio",
          target,
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
      for (const process of [bare, ours, ...load]) process.stop()
    }
  },
}
