/**
 * The accounts that a server lets in, as a service that the embedding application provides.
 *
 * The protocol's MD5 answer can be checked only by somebody who knows the password itself; it is wrapped from the
 * moment it is entered.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Account from "../protocol/Account.ts"
import type * as FriendlyName from "../protocol/FriendlyName.ts"

/** An account as it was created. */
export interface Entry {
  readonly account: Account.Account
  readonly password: Redacted.Redacted<string>
  readonly friendlyName: FriendlyName.FriendlyName
  /** Whether the address has been verified: told to MSNP7 clients. */
  readonly verification: "Verified" | "Unverified"
  /** A disabled account is turned down as if its password were wrong. */
  readonly standing: "Enabled" | "Disabled"
}

/** The accounts cannot be reached now; the client is told 500. */
export class DirectoryError extends Schema.TaggedError<DirectoryError>("effect-msnp/host/DirectoryError")(
  "DirectoryError",
  { message: Schema.String },
) {}

/** Finds accounts. */
export class Directory extends Context.Service<
  Directory,
  {
    /** The account with this name in any letter case; none if there is no such account. */
    readonly find: (account: Account.Account) => Effect.Effect<Option.Option<Entry>, DirectoryError>
  }
>()("effect-msnp/host/Directory") {}

/** A directory of these accounts, in memory; of two that differ in letter case only, the later one counts. */
export const layerMemory = (entries: Iterable<Entry>): Layer.Layer<Directory> =>
  Layer.sync(Directory, () => {
    const byName = new Map(Array.from(entries, (entry) => [Account.fold(entry.account), entry]))
    return { find: (account) => Effect.succeed(Option.fromUndefinedOr(byName.get(Account.fold(account)))) }
  })
