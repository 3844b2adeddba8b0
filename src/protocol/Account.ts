/**
 * The account that somebody logs in with, also called user handle, logon name or Passport: an e-mail address.
 *
 * Two accounts that differ in letter case only are one account.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Bytes from "./Bytes.ts"

/** The length of an account, in bytes of UTF-8, without an end (draft 5.4). */
export const maxBytes = 129

/** `1*char "@" 1*char`, where a char is no `@`, no white space and no control character. */
const isAddress = (text: string): boolean =>
  /^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(text) && text.isWellFormed() && Bytes.fromText(text).length <= maxBytes

const description = `an address: one @ with something on both sides, no white space, at most ${maxBytes} bytes`

/** An address, of up to 129 bytes; its domain need not have a dot. */
export const Account = Schema.String.check(Schema.makeFilter(isAddress)).pipe(
  Schema.brand("Account"),
  Schema.annotate({ description }),
)
export type Account = typeof Account.Type

/** Whether a text is an account. */
export const isAccount = Schema.is(Account)

const Word = Schema.String.check(Schema.makeFilter((bytes) => Option.exists(Bytes.toText(bytes), isAddress)))

/** The account as a parameter: unencoded, in UTF-8. */
export const FromWire = Word.pipe(
  Schema.decodeTo(
    Account,
    SchemaTransformation.transform({
      decode: (bytes) => Option.getOrElse(Bytes.toText(bytes), () => bytes),
      encode: Bytes.fromText,
    }),
  ),
  Schema.annotate({ description }),
)

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
