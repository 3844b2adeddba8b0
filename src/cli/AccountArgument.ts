/**
 * The argument that names an account.
 */
import * as Argument from "effect/cli/Argument"
import * as Option from "effect/Option"
import * as Account from "../protocol/Account.ts"

/** The argument, with what a person is told of it. */
export const make = (description: string): Argument.Argument<Account.Account> =>
  Argument.String("ACCOUNT").pipe(
    Argument.withDescription(description),
    Argument.filterMap(
      (text) => (Account.isAccount(text) ? Option.some(text) : Option.none()),
      () => `an address: one @ with something on both sides, no white space, at most ${Account.maxBytes} bytes`,
    ),
  )
