/**
 * The argument that names an account.
 */
import * as Argument from "effect/cli/Argument"
import * as Option from "effect/Option"
import * as Account from "../protocol/Account.ts"

/** Whether a text came whole: bytes of an argument that are no UTF-8 come as U+FFFD. */
export const isIntact = (text: string): boolean => !text.includes("\ufffd")

/** What an account must be. */
export const expected = `an address: one @ with something on both sides, no white space, at most ${Account.maxBytes} bytes of UTF-8`

/** The account that an argument names. */
export const parse = (text: string): Option.Option<Account.Account> =>
  Account.isAccount(text) && isIntact(text) ? Option.some(text) : Option.none()

/** The argument, with what a person is told of it. */
export const make = (description: string): Argument.Argument<Account.Account> =>
  Argument.String("ACCOUNT").pipe(
    Argument.withDescription(description),
    Argument.filterMap(parse, () => expected),
  )
