/**
 * Accounts as a table of text: CSV (RFC 4180) in UTF-8, with a header, one account a record.
 */
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Directory from "../host/Directory.ts"
import * as Account from "../protocol/Account.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Password from "./Password.ts"

/** The columns, in the order in which they are written; only the first two have to be there to be read. */
const columns = ["account", "password", "friendlyName", "verified", "enabled"] as const

type Column = (typeof columns)[number]

/** Writes accounts, their passwords in the clear. */
export const encode = <E, R>(accounts: Stream.Stream<Directory.Entry, E, R>): Stream.Stream<Uint8Array, E, R> =>
  accounts.pipe(
    Stream.map(
      ({ account, friendlyName, password, standing, verification }): { readonly [column in Column]: string } => ({
        account,
        password: Redacted.value(password),
        friendlyName,
        verified: String(verification === "Verified"),
        enabled: String(standing === "Enabled"),
      }),
    ),
    Stream.pipeThroughChannel(Csv.encode({ columns, headers: true })),
  )

/** A record that is no account. */
export class BadRecord extends Schema.TaggedError<BadRecord>("effect-msnp/cli/BadRecord")("BadRecord", {
  /** The line on which it begins, from 1 on. */
  line: Schema.Int,
  /** Why, in a sentence. */
  message: Schema.String,
}) {}

/** An account, and the line on which it was. */
export interface Read {
  readonly line: number
  readonly entry: Directory.Entry
}

const isColumn = Schema.is(Schema.Literals(columns))
const isPassword = Schema.is(Schema.NonEmptyString)
const isFriendlyName = Schema.is(FriendlyName.FriendlyName)

/** The columns that a header names, or what is wrong with it. */
const headerOf = (cells: Csv.Row): Result.Result<ReadonlyArray<Column>, string> => {
  const header = cells.filter(isColumn)
  const isWhole = header.length === cells.length && new Set(header).size === header.length
  return isWhole && header.includes("account") && header.includes("password")
    ? Result.succeed(header)
    : Result.fail(
        `The header must name account and password, and of ${columns.join(", ")} each once at most, with commas between.`,
      )
}

/** Yes or no, in any letter case, since spreadsheets have their own; yes where there is no such column. */
const flagOf = (cell = "true"): Result.Result<boolean, string> => {
  switch (cell.toLowerCase()) {
    case "true":
      return Result.succeed(true)
    case "false":
      return Result.succeed(false)
    default:
      return Result.fail("Whether it is verified and enabled is told by true or false.")
  }
}

/** The account that the cells of a record make up, or why they make up none. */
const entryOf = (cells: { readonly [column in Column]?: string }): Result.Result<Directory.Entry, string> =>
  Result.gen(function* () {
    const { account, password } = cells
    const verified = yield* flagOf(cells.verified)
    const enabled = yield* flagOf(cells.enabled)
    if (!Account.isAccount(account)) {
      return yield* Result.fail(
        `An account is an address: one @ with something on both sides, no white space, at most ${Account.maxBytes} bytes.`,
      )
    }
    // Who gives an account no name is shown by its address, as everywhere.
    const friendlyName = cells.friendlyName ?? account
    if (!isFriendlyName(friendlyName)) return yield* Result.fail(`The friendly name of ${account} is empty.`)
    if (!isPassword(password)) return yield* Result.fail(`The password of ${account} is empty.`)
    if (Buffer.byteLength(password) > Password.maxBytes) {
      return yield* Result.fail(`The password of ${account} is longer than 64 KiB.`)
    }
    return {
      account,
      password: Redacted.make(password, { label: "password" }),
      friendlyName,
      verification: verified ? "Verified" : "Unverified",
      standing: enabled ? "Enabled" : "Disabled",
    }
  })

/** How many lines a cell takes more than one. */
const breaksIn = (cell: string): number => cell.match(/\r\n|\r|\n/g)?.length ?? 0

/** Reads accounts: all of them, or the first thing that is wrong. */
export const decode = Effect.fnUntraced(function* (text: string): Effect.fn.Return<ReadonlyArray<Read>, BadRecord> {
  const accounts: Array<Read> = []
  const lines = new Map<string, number>()
  let header: ReadonlyArray<Column> | undefined
  let next = 1

  const read = Effect.fnUntraced(function* (cells: Csv.Row): Effect.fn.Return<void, BadRecord> {
    const line = next
    next += 1 + cells.reduce((breaks, cell) => breaks + breaksIn(cell), 0)
    const orBad = <Value>(result: Result.Result<Value, string>) =>
      Effect.fromResult(Result.mapError(result, (message) => new BadRecord({ line, message })))

    if (header === undefined) {
      header = yield* orBad(headerOf(cells))
      return
    }
    const isEmptyLine = cells.length === 1 && cells[0] === ""
    if (isEmptyLine) return
    if (cells.length !== header.length) {
      return yield* orBad(Result.fail(`Its cells number ${cells.length}, and those of the header ${header.length}.`))
    }
    const entry = yield* orBad(entryOf(Object.fromEntries(header.map((column, i) => [column, cells[i]]))))
    yield* Directory.checkName(entry.account, entry.friendlyName).pipe(
      Effect.mapError(({ message }) => new BadRecord({ line, message })),
    )
    const name = Account.fold(entry.account)
    const before = lines.get(name)
    if (before !== undefined)
      return yield* orBad(Result.fail(`The account ${entry.account} is on line ${before} already.`))
    lines.set(name, line)
    accounts.push({ line, entry })
  })

  // Line by line, since of what comes at once, nothing is handed out where a part of it is broken.
  yield* Stream.fromIterable(text.match(/[^\n]*\n|[^\n]+$/g) ?? []).pipe(
    Stream.rechunk(1),
    Stream.pipeThroughChannel(Csv.decodeString()),
    Stream.runForEach(read),
    Effect.catchTag("CsvError", ({ line, message }) => Effect.fail(new BadRecord({ line, message: `${message}.` }))),
  )
  if (header === undefined) return yield* new BadRecord({ line: 1, message: "There is no header." })
  return accounts
})
