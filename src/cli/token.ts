/**
 * `msnp account token`: secrets that work in place of an account's own password, and can be revoked one by one.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Token from "../host/Token.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Administration from "./Administration.ts"
import * as Output from "./Output.ts"

const isLabel = Schema.is(Token.Label)

const parseLabel = (text: string): Option.Option<Token.Label> =>
  isLabel(text) && AccountArgument.isIntact(text) ? Option.some(text) : Option.none()

const isId = Schema.is(Token.Id)

const parseId = (text: string): Option.Option<Token.Id> => (isId(text) ? Option.some(text) : Option.none())

const add = Command.make(
  "add",
  {
    account: AccountArgument.make("The account"),
    label: Flag.String("label").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("What it is for, to know it by when it is to be revoked"),
      Flag.filterMap(
        parseLabel,
        () => `a text of 1 to ${Token.maxLabelLength} characters that can be printed on a line`,
      ),
    ),
    ...Administration.common,
  },
  ({ account, label, ...flags }) =>
    Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        const { id, secret } = yield* accounts.addToken(account, label)
        const token = Redacted.value(secret)
        if (reader === "Program") {
          return yield* Output.say(Output.json({ event: "tokenAdded", account, id, label, token }))
        }
        // The token alone is on standard output, so that it can go elsewhere than to a terminal.
        yield* Output.say(token)
        yield* Console.error(
          `Added the token ${id} of ${Output.legible(account)}, which works in place of the password. It is shown this once.`,
        )
      }),
    ),
).pipe(
  Command.withDescription(
    "Make a token, 16 letters and digits that sign the account in, and show it this once; an account may have 16",
  ),
  Command.withShortDescription("Make a token"),
  Command.withExamples([
    {
      command: 'msnp account token add alice@example.com --label "the old laptop"',
      description: "Make one for a client that is not to know the password",
    },
  ]),
)

const headings = ["ID", "CREATED", "LAST USED", "LABEL"]

const list = Command.make(
  "list",
  { account: AccountArgument.make("The account"), ...Administration.common },
  ({ account, ...flags }) =>
    Administration.administer(
      flags,
      Effect.fnUntraced(function* (accounts, reader) {
        const tokens = yield* accounts.tokens(account)
        if (reader === "Program") {
          return yield* Effect.forEach(
            tokens,
            ({ created, id, label, lastUsed }) =>
              Output.say(
                Output.json({
                  event: "token",
                  account,
                  id,
                  label,
                  created: Output.time(created),
                  lastUsed: Option.getOrNull(Option.map(lastUsed, Output.time)),
                }),
              ),
            { discard: true },
          )
        }
        if (tokens.length === 0) return yield* Output.say(`${Output.legible(account)} has no tokens.`)
        const rows = tokens.map(({ created, id, label, lastUsed }) => [
          id,
          Output.time(created),
          Option.match(lastUsed, { onNone: () => "never", onSome: Output.time }),
          Output.legible(label),
        ])
        yield* Effect.forEach(Output.table([headings, ...rows]), Output.say, { discard: true })
      }),
    ),
).pipe(
  Command.withDescription(
    "List the tokens of an account, in the order in which they were made, without their secrets; times are in UTC, the last use to the minute",
  ),
  Command.withShortDescription("List the tokens of an account"),
)

const revoke = Command.make(
  "revoke",
  {
    account: AccountArgument.make("The account"),
    id: Argument.String("ID").pipe(
      Argument.withDescription("The ID of the token, as `list` shows it"),
      Argument.filterMap(parseId, () => "the ID of a token, 6 letters and digits"),
    ),
    ...Administration.common,
  },
  ({ account, id, ...flags }) =>
    Administration.administer(flags, (accounts, reader) =>
      Effect.andThen(
        accounts.revokeToken(account, id),
        Output.write(
          reader,
          `Revoked the token ${id}. A session that was begun with it goes on: msnp sessions kick ${Output.legible(account)} ends it.`,
          { event: "tokenRevoked", account, id },
        ),
      ),
    ),
).pipe(
  Command.withDescription(
    "Revoke a token, with which nobody signs in from now on; a session that was begun with it goes on until it ends, or `msnp sessions kick` ends it",
  ),
  Command.withShortDescription("Revoke a token"),
)

/** The command, with its subcommands. */
export const token = Command.make("token").pipe(
  Command.withDescription(
    [
      "Make, list and revoke sign-in tokens: random secrets that work in place of an account's own password.",
      "",
      "  An old client that is given one need not know a password that may open other doors.",
    ].join("\n"),
  ),
  Command.withShortDescription("Make, list and revoke sign-in tokens"),
  Command.withSubcommands([add, list, revoke]),
)
