/**
 * `msnp account`: creates, changes, lists and removes accounts, beside a running server too.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Crypto from "node:crypto"
import * as Directory from "../host/Directory.ts"
import * as Account from "../protocol/Account.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as AccountsCsv from "./AccountsCsv.ts"
import * as Administration from "./Administration.ts"
import * as Failure from "./Failure.ts"
import * as Files from "./Files.ts"
import * as Output from "./Output.ts"
import * as Password from "./Password.ts"
import * as Place from "./Place.ts"
import * as Progress from "./Progress.ts"
import { token } from "./token.ts"

/** A command that changes one account that there is, and says so. */
const changing = (
  name: string,
  description: string,
  change: (
    accounts: Directory.Directory["Service"],
    account: Account.Account,
  ) => Effect.Effect<void, Directory.NoSuchAccount | Directory.DirectoryError>,
  done: { readonly text: (account: string) => string; readonly event: string },
) =>
  Command.make(
    name,
    { account: AccountArgument.make("The account"), ...Administration.common },
    ({ account, ...flags }) =>
      Administration.administer(flags, (accounts, reader) =>
        Effect.andThen(
          change(accounts, account),
          Output.write(reader, done.text(Output.legible(account)), { event: done.event, account }),
        ),
      ),
  ).pipe(Command.withDescription(description))

const isFriendlyName = Schema.is(FriendlyName.FriendlyName)

const friendlyName = (text: string) =>
  isFriendlyName(text) && AccountArgument.isIntact(text) ? Option.some(text) : Option.none()

const unusable = () => "a name in UTF-8 that is not empty"

const add = Command.make(
  "add",
  {
    account: AccountArgument.make("The new account, for instance alice@example.com"),
    name: Flag.String("name").pipe(
      Flag.withDescription("The friendly name, which others see (default the account itself)"),
      Flag.filterMap(friendlyName, unusable),
      Flag.optional,
    ),
    unverified: Flag.Boolean("unverified").pipe(
      Flag.withDescription("Its address has not been verified, which MSNP7 clients are told"),
      Flag.withDefault(false),
    ),
    passwordFile: Password.file,
    ...Administration.common,
  },
  Effect.fnUntraced(function* ({ account, name, passwordFile, unverified, ...flags }) {
    const friendlyName = Option.getOrElse(name, () => FriendlyName.FriendlyName.make(account))
    // Before a file is made, or anybody types a password, for nothing.
    yield* Effect.catch(Directory.checkName(account, friendlyName), Administration.refuse(Output.readerOf(flags)))
    yield* Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        if (Option.isSome(yield* accounts.find(account))) return yield* new Directory.AccountTaken({ account })
        const password = yield* Password.choose(passwordFile, account)
        const verification = unverified ? "Unverified" : "Verified"
        yield* accounts.create([{ account, password, friendlyName, verification, standing: "Enabled" }])
        yield* Output.write(reader, `Added ${Output.legible(account)}.`, { event: "added", account })
      }),
      "Make",
    )
  }),
).pipe(
  Command.withDescription(
    "Add an account. The password is asked for twice, or read from --password-file or standard input; never an argument",
  ),
  Command.withShortDescription("Add an account"),
  Command.withExamples([
    { command: "msnp account add alice@example.com --name Alice", description: "Ask for the password" },
    {
      command: "msnp account add alice@example.com --password-file secret.txt",
      description: "Take it from the first line of a file",
    },
  ]),
)

/** Fails where there is no such account. One whose password cannot be had any more is there, and can be mended. */
const mustBeThere = (accounts: Directory.Directory["Service"], account: Account.Account) =>
  accounts.find(account).pipe(
    Effect.map(Option.isSome),
    Effect.orElseSucceed(() => true),
    Effect.filterOrFail(
      (isThere) => isThere,
      () => new Directory.NoSuchAccount({ account }),
    ),
  )

const passwd = Command.make(
  "passwd",
  { account: AccountArgument.make("The account"), passwordFile: Password.file, ...Administration.common },
  ({ account, passwordFile, ...flags }) =>
    Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        yield* mustBeThere(accounts, account)
        const password = yield* Password.choose(passwordFile, account)
        yield* accounts.changePassword(account, password)
        yield* Output.write(
          reader,
          `Changed the password of ${Output.legible(account)}; it holds from the next login.`,
          {
            event: "passwordChanged",
            account,
          },
        )
      }),
    ),
).pipe(
  Command.withDescription("Change a password, which is read as by `add`; it holds from the next login"),
  Command.withShortDescription("Change a password"),
)

const rename = Command.make(
  "rename",
  {
    account: AccountArgument.make("The account"),
    name: Argument.String("NAME").pipe(
      Argument.withDescription("The friendly name, which others see"),
      Argument.filterMap(friendlyName, unusable),
    ),
    ...Administration.common,
  },
  ({ account, name, ...flags }) =>
    Administration.administer(flags, (accounts, reader) =>
      Effect.andThen(
        accounts.rename(account, name),
        Output.write(reader, `${Output.legible(account)} is ${Output.legible(name)} now.`, {
          event: "renamed",
          account,
          friendlyName: name,
        }),
      ),
    ),
).pipe(
  Command.withDescription("Change a friendly name, of 387 bytes at most as it is sent; it holds from the next login"),
  Command.withShortDescription("Change a friendly name"),
)

const verify = changing(
  "verify",
  "Say that an address has been verified",
  (accounts, account) => accounts.setVerification(account, "Verified"),
  { text: (account) => `The address ${account} is verified.`, event: "verified" },
)

const unverify = changing(
  "unverify",
  "Say that an address has not been verified",
  (accounts, account) => accounts.setVerification(account, "Unverified"),
  { text: (account) => `The address ${account} is not verified.`, event: "unverified" },
)

const disable = changing(
  "disable",
  "Keep an account out: it cannot log in, and a session that it has is closed within a second",
  (accounts, account) => accounts.setStanding(account, "Disabled"),
  { text: (account) => `Disabled ${account}.`, event: "disabled" },
)

const enable = changing(
  "enable",
  "Let a disabled account log in again",
  (accounts, account) => accounts.setStanding(account, "Enabled"),
  { text: (account) => `Enabled ${account}.`, event: "enabled" },
)

const remove = Command.make(
  "remove",
  {
    account: AccountArgument.make("The account"),
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Do not ask whether to"), Flag.withDefault(false)),
    ...Administration.common,
  },
  ({ account, yes, ...flags }) =>
    Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        if (!yes) {
          yield* mustBeThere(accounts, account)
          yield* confirm(account)
        }
        yield* accounts.remove(account)
        yield* Output.write(reader, `Removed ${Output.legible(account)}.`, { event: "removed", account })
      }),
    ),
).pipe(
  Command.withDescription("Remove an account for good, after asking; a session that it has is closed within a second"),
  Command.withShortDescription("Remove an account for good"),
)

/** Fails unless a person says yes. */
const confirm = Effect.fnUntraced(function* (account: Account.Account) {
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canPrompt) return yield* Failure.badInput("Nobody can be asked here whether to remove it: say so with --yes.")
  const message = `Remove ${Output.legible(account)} for good?`
  if (!(yield* Prompt.run(Prompt.Confirm({ message })))) return yield* Failure.badInput("It is not removed.")
})

/** Writes to standard output, no faster than it is read there. */
const print = <E>(chunks: Stream.Stream<string | Uint8Array, E>) =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Stream.run(
      chunks,
      Sink.mapError(stdio.stdout(), () => Failure.badInput("Standard output cannot be written.")),
    ),
  )

const printLines = <E>(lines: Stream.Stream<string, E>) => print(Stream.map(lines, (line) => `${line}\n`))

const headings = ["ACCOUNT", "ADDRESS", "LOGIN", "NAME"] as const

const list = Command.make("list", Administration.common, (flags) =>
  Administration.administer(
    flags,
    Effect.fnUntraced(function* (accounts, reader) {
      if (reader === "Program") {
        return yield* printLines(
          Stream.map(accounts.list, ({ account, friendlyName, standing, verification }) =>
            Output.json({
              event: "account",
              account,
              friendlyName,
              verified: verification === "Verified",
              enabled: standing === "Enabled",
            }),
          ),
        )
      }
      // Twice through, so that the columns fit and yet no more than a page is in memory.
      const width = yield* Stream.runFold(
        accounts.list,
        () => 0,
        (width, { account }) => Math.max(width, Output.legible(account).length),
      )
      if (width === 0) return yield* Output.say("There are no accounts.")
      const widths = [Math.max(width, headings[0].length), "unverified".length, "disabled".length]
      yield* printLines(
        Stream.concat(
          Stream.succeed(Output.row(widths, headings)),
          Stream.map(accounts.list, ({ account, friendlyName, standing, verification }) =>
            Output.row(widths, [
              Output.legible(account),
              verification.toLowerCase(),
              standing.toLowerCase(),
              Output.legible(friendlyName),
            ]),
          ),
        ),
      )
    }),
  ),
).pipe(Command.withDescription("List the accounts, in the order of their names"))

const importing = Command.make(
  "import",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("The file; - for standard input")),
    ...Administration.common,
  },
  Effect.fnUntraced(function* ({ file, ...flags }) {
    const name = Files.nameOf(file)
    const refused = (line: number, why: string) =>
      Failure.badInput(`${name}, line ${line}: ${why} Nothing is imported.`)

    // Before a file is made for nothing.
    const text = yield* Effect.mapError(Files.readText(file), (why) => Failure.badInput(`${name} ${why}.`))
    const read = yield* Effect.mapError(AccountsCsv.decode(text), ({ line, message }) => refused(line, message))
    yield* Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const advance = yield* Progress.make(reader, "Importing", Effect.succeed(read.length))
            yield* accounts.create(counted(read, advance)).pipe(
              Effect.catchTag(["AccountTaken", "NameTooLong"], (error) => {
                const line = read.find(({ entry }) => Account.same(entry.account, error.account))?.line ?? 0
                return Output.fail(reader, error._tag, refused(line, error.message))
              }),
            )
          }),
        )
        yield* Output.write(reader, `Imported ${countOf(read.length)}.`, { event: "imported", accounts: read.length })
      }),
      "Make",
    )
  }),
).pipe(
  Command.withDescription(
    [
      "Add all accounts of a CSV file, or none of them: the first record that is wrong is named by its line.",
      "",
      "  The columns, named by the first line: account, password, and, if they are there, friendlyName (default the",
      "  account itself), verified and enabled (true or false, default true).",
    ].join("\n"),
  ),
  Command.withShortDescription("Add the accounts of a CSV file"),
)

/** The accounts one by one, as whoever creates them takes them. */
const counted = function* (read: ReadonlyArray<AccountsCsv.Read>, advance: Progress.Progress) {
  for (const { entry } of read) {
    yield entry
    advance()
  }
}

const countOf = (count: number): string => (count === 1 ? "1 account" : `${count} accounts`)

const exporting = Command.make(
  "export",
  {
    file: Argument.String("FILE").pipe(
      Argument.withDescription("The new file; - for standard output, the default unless that is a terminal"),
      Argument.optional,
    ),
    force: Flag.Boolean("force").pipe(Flag.withDescription("Replace the file if it is there"), Flag.withDefault(false)),
    ...Administration.common,
  },
  ({ file, force, ...flags }) =>
    Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        const stdio = yield* Stdio.Stdio
        if (Option.isNone(file) && (yield* stdio.stdoutIsTerminal)) {
          return yield* Failure.badInput("The passwords would be shown: name a file, or say - for the terminal.")
        }
        const to = Option.filter(file, (file) => file !== Files.standardStream)
        if (Option.isNone(to) && reader === "Program") {
          return yield* Failure.badInput("--json goes with a file: what is exported would take its place.")
        }

        let count = 0
        yield* Effect.scoped(
          Effect.gen(function* () {
            const advance = yield* Progress.make(reader, "Exporting", Stream.runCount(accounts.list))
            const csv = AccountsCsv.encode(
              Stream.tap(accounts.list, () =>
                Effect.sync(() => {
                  count++
                  advance()
                }),
              ),
            )
            yield* Option.match(to, {
              onNone: () => print(csv),
              onSome: (to) => writeAnew(to, csv, force ? "Replace" : "Keep"),
            })
          }),
        )
        const text = `Exported ${countOf(count)}, with their passwords in the clear`
        yield* Option.match(to, {
          onNone: () => Console.error(`${text}.`),
          onSome: (file) =>
            Output.write(reader, `${text}, to ${file}, which only you can read.`, {
              event: "exported",
              accounts: count,
              file,
            }),
        })
      }),
    ),
).pipe(
  Command.withDescription(
    "Write all accounts, with their passwords in the clear, to a CSV file that only you can read",
  ),
  Command.withShortDescription("Write all accounts to a CSV file"),
  Command.withExamples([
    { command: "msnp account export accounts.csv", description: "Keep a copy that needs no key" },
    { command: "msnp account export - | gpg --encrypt -r me > accounts.csv.gpg", description: "Keep it sealed" },
  ]),
)

/** What happens to a file that is there already. */
type Present = "Keep" | "Replace"

/** Writes a file that only its owner can read: whole, or not at all. */
const writeAnew = Effect.fnUntraced(function* (
  file: string,
  bytes: Stream.Stream<Uint8Array, Directory.DirectoryError>,
  present: Present,
) {
  const fs = yield* FileSystem.FileSystem
  const there = Failure.badInput(`There is a file ${file} already: name another, or replace it with --force.`)
  const draft = `${file}.${Crypto.randomUUID()}`
  yield* Effect.gen(function* () {
    const written = yield* Effect.acquireRelease(fs.open(draft, { flag: "wx", mode: 0o600 }), () =>
      Effect.ignore(fs.remove(draft, { force: true })),
    )
    yield* Stream.runForEach(bytes, (bytes) => written.writeAll(bytes))
    yield* written.sync
    yield* present === "Replace" ? fs.rename(draft, file) : fs.link(draft, file)
  }).pipe(
    Effect.catchTag("PlatformError", (error) =>
      error.reason._tag === "AlreadyExists"
        ? there
        : Failure.badInput(`${file} cannot be written: ${Files.whyNot("Write", error)}.`),
    ),
  )
}, Effect.scoped)

const rekey = Command.make("rekey", Administration.common, ({ directory, ...flags }) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const key = yield* Effect.flatMap(Place.orDefault(directory), Place.rekey)
    yield* Output.write(
      reader,
      Option.match(key, {
        onNone: () => `The accounts are sealed with the key in ${Place.newKey}: put it into ${Place.currentKey}.`,
        onSome: (path) =>
          `The accounts are sealed with a new key, ${path}: back it up, since without it they are lost.`,
      }),
      { event: "rekeyed", path: Option.getOrNull(key) },
    )
  }),
).pipe(
  Command.withDescription(
    [
      "Seal all passwords with another key. No server may be using the accounts.",
      "",
      "  The new key is made beside the file of the accounts, or taken from MSNP_DIRECTORY_NEW_KEY, where it must be for",
      "  PostgreSQL and wherever the key until now is in MSNP_DIRECTORY_KEY.",
    ].join("\n"),
  ),
  Command.withShortDescription("Seal all passwords with another key"),
)

const backup = Command.make(
  "backup",
  { file: Argument.String("FILE").pipe(Argument.withDescription("The new file")), ...Administration.common },
  ({ directory, file, ...flags }) =>
    Effect.gen(function* () {
      const reader = Output.readerOf(flags)
      yield* Effect.flatMap(Place.orDefault(directory), (place) => Place.backup(place, file))
      const text = `Copied the accounts to ${file}; the key is not in it: keep a copy of that elsewhere.`
      yield* Output.write(reader, text, { event: "backedUp", file })
    }),
).pipe(
  Command.withDescription(
    "Copy the accounts, with their passwords sealed, to a file that only you can read; a server may be running",
  ),
  Command.withShortDescription("Copy the accounts, sealed as they are"),
)

/** The command, with its subcommands. */
export const account = Command.make("account").pipe(
  Command.withDescription(
    [
      "Add, change, list and remove the accounts that a server lets in, while it runs too.",
      "",
      "  Changes hold from the next login; a session whose account is disabled or removed is closed within a second.",
    ].join("\n"),
  ),
  Command.withShortDescription("Add, change, list and remove accounts"),
  Command.withSubcommands([
    add,
    list,
    passwd,
    rename,
    verify,
    unverify,
    disable,
    enable,
    remove,
    token,
    importing,
    exporting,
    backup,
    rekey,
  ]),
)
