/**
 * The account that somebody logs in with, also called user handle, logon name or Passport: an e-mail address.
 *
 * Two accounts that differ in letter case only are one account.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Bytes from "./Bytes.ts"
import { parameter } from "./Wire.ts"

/** The length of an account, in bytes of UTF-8, without an end (draft 5.4). */
export const maxBytes = 129

/** `1*char "@" 1*char`, where a char is no `@`, no white space and no control character. */
const isAddress = (text: string): boolean =>
  (isAsciiAddress.test(text) && text.length <= maxBytes) ||
  (/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(text) && text.isWellFormed() && Bytes.fromText(text).length <= maxBytes)

/** The same for ASCII, which nearly all are: a fifth of the time. */
const isAsciiAddress = /^[!-?A-~]+@[!-?A-~]+$/

const description = `an address: one @ with something on both sides, no white space, at most ${maxBytes} bytes`

/** An address, of up to 129 bytes; its domain need not have a dot. */
export const Account = Schema.String.check(Schema.makeFilter(isAddress)).pipe(
  Schema.brand("Account"),
  Schema.annotate({ description }),
)
export type Account = typeof Account.Type

/** Whether a text is an account. */
export const isAccount = Schema.is(Account)

const isOne = (text: string): text is Account => isAddress(text)

/** The account as a parameter: unencoded, in UTF-8. */
export const FromWire = parameter(Account, {
  description,
  read: (bytes) => {
    const text = Option.getOrElse(Bytes.toText(bytes), () => "")
    return isOne(text) ? text : undefined
  },
  write: (account) => (isOne(account) ? Bytes.fromText(account) : undefined),
})

/**
 * The form under which an account is compared and stored: without regard to letter case.
 *
 * By way of capitals, since small letters alone tell some apart that are one letter, such as the two small sigmas of
 * Greek. It makes `straße` and `STRASSE` one account, as Unicode's full case folding does, and a dotless `ı` an `i`,
 * as that does not.
 *
 * @keeps beyond.account-case
 */
export const fold = (account: Account): string => account.toUpperCase().toLowerCase()

/** Whether two accounts are the same one. */
export const same = (a: Account, b: Account): boolean => fold(a) === fold(b)
