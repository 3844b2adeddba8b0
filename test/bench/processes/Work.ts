/** What the processes that put a load on a server are told, and what they answer: over the channel of `child_process.fork`. */
import * as Schema from "effect/Schema"

/** What such a process is to do. */
export const Order = Schema.TaggedUnion({
  /**
   * Logs in again and again, so many at once, until the time is up, and leaves with OUT or without a word; accounts are
   * those from `first` on, in turns.
   */
  LogIn: {
    port: Schema.Int,
    atOnce: Schema.Int,
    millis: Schema.Number,
    first: Schema.Int,
    accounts: Schema.Int,
    leave: Schema.Literals(["Out", "Silently"]),
  },
  /** Logs so many accounts in, from `first` on, and has them stay. */
  Hold: { port: Schema.Int, first: Schema.Int, accounts: Schema.Int },
  /** Has all leave that stay. */
  Release: {},
})
export type Order = typeof Order.Type

/** What it has done: logins that went as they have to, all of them, or the first thing that did not. */
export const Done = Schema.TaggedUnion({
  /** How many, how long they took together, and the median of one from the connection to USR OK. */
  Done: { logins: Schema.Int, millis: Schema.Number, medianMillis: Schema.Number },
  Failed: { why: Schema.String },
})
export type Done = typeof Done.Type

/** The account of a number, as `msnp serve --demo-crowd` has it. */
export const accountOf = (number: number): string => `user${String(number).padStart(5, "0")}@example.com`

/** The password of each of them. */
export const password = "password"

/**
 * The address to connect to, the nth time: all are this machine's. One of them alone would run out of ports, of which
 * there are 28,000, each closed for a minute behind a connection.
 */
export const hostOf = (nth: number): string => `127.0.0.${1 + (nth % 64)}`

/** One login: resolves once the connection is closed on both sides; how long USR OK took, in milliseconds. */
export type LogIn = (host: string, port: number, account: string) => Promise<number>

const middleOf = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Logs in as it is told, by one way to log in. */
export const logInAgain = async (
  logIn: LogIn,
  { accounts, atOnce, first, millis, port }: Extract<Order, { readonly _tag: "LogIn" }>,
): Promise<Done> => {
  const took: Array<number> = []
  let nth = 0
  const begun = performance.now()
  const one = async () => {
    while (performance.now() - begun < millis) {
      const now = nth++
      took.push(await logIn(hostOf(now), port, accountOf(first + (now % accounts))))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return { _tag: "Done", logins: took.length, millis: performance.now() - begun, medianMillis: middleOf(took) }
}

/** Does each order that comes, one after the other, and goes once nobody is left to give any. */
export const follow = (carryOut: (order: Order) => Promise<Done>): void => {
  const orderOf = Schema.decodeUnknownSync(Order)
  process.on("message", (message: unknown) => {
    void carryOut(orderOf(message))
      .catch((why: unknown): Done => ({ _tag: "Failed", why: why instanceof Error ? why.message : String(why) }))
      .then((done) => process.send?.(done))
  })
  process.on("disconnect", () => process.exit())
}
