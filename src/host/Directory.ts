/**
 * The accounts that a server lets in, as a service: to find, create, change and remove them.
 *
 * The protocol's MD5 answer can be checked only by somebody who knows the password itself; it is wrapped from the
 * moment it is entered. Where accounts are kept, this module does not know: see `SqlDirectory` for those that last.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Account from "../protocol/Account.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Token from "./Token.ts"

/** Whether an account's address has been verified: told to MSNP7 clients. */
export const Verification = Schema.Literals(["Verified", "Unverified"])
export type Verification = typeof Verification.Type

/** Whether an account may log in: a disabled one is turned down as if its password were wrong. */
export const Standing = Schema.Literals(["Enabled", "Disabled"])
export type Standing = typeof Standing.Type

/** An account as it was created. */
export interface Entry {
  readonly account: Account.Account
  readonly password: Redacted.Redacted<string>
  readonly friendlyName: FriendlyName.FriendlyName
  readonly verification: Verification
  readonly standing: Standing
}

/** An account as a login is judged by it. */
export interface Found extends Entry {
  /** What works in place of the password. */
  readonly tokens: ReadonlyArray<Token.Judged>
}

/** That somebody has signed in with a token. */
export interface TokenUse {
  readonly account: Account.Account
  readonly id: Token.Id
  /** When, in milliseconds since 1970. */
  readonly at: number
}

/** The accounts cannot be reached now; a client that logs in is told 500. */
export class DirectoryError extends Schema.TaggedError<DirectoryError>("effect-msnp/host/DirectoryError")(
  "DirectoryError",
  { message: Schema.String },
) {}

/** There is such an account already, perhaps in other letters' case. */
export class AccountTaken extends Schema.TaggedError<AccountTaken>("effect-msnp/host/AccountTaken")("AccountTaken", {
  account: Account.Account,
}) {
  override get message() {
    return `There is an account ${this.account} already.`
  }
}

/** There is no such account. */
export class NoSuchAccount extends Schema.TaggedError<NoSuchAccount>("effect-msnp/host/NoSuchAccount")(
  "NoSuchAccount",
  { account: Account.Account },
) {
  override get message() {
    return `There is no account ${this.account}.`
  }
}

/** A friendly name is longer than clients can take (draft 5.5). */
export class NameTooLong extends Schema.TaggedError<NameTooLong>("effect-msnp/host/NameTooLong")("NameTooLong", {
  account: Account.Account,
  /** The length of the encoded name, in bytes. */
  bytes: Schema.Int,
}) {
  override get message() {
    const { maxEncodedBytes } = FriendlyName
    return `The friendly name of ${this.account} takes ${this.bytes} bytes as it is sent, and ${maxEncodedBytes} is the most.`
  }
}

/** An account has no such token. */
export class NoSuchToken extends Schema.TaggedError<NoSuchToken>("effect-msnp/host/NoSuchToken")("NoSuchToken", {
  account: Account.Account,
  id: Token.Id,
}) {
  override get message() {
    return `${this.account} has no token ${this.id}.`
  }
}

/** An account has as many tokens as it may. */
export class TooManyTokens extends Schema.TaggedError<TooManyTokens>("effect-msnp/host/TooManyTokens")(
  "TooManyTokens",
  { account: Account.Account },
) {
  override get message() {
    return `${this.account} has ${Token.maxPerAccount} tokens, which is the most: revoke one that is not used.`
  }
}

/** Changes one account, which is there afterward as it was told, or is as it was before. */
type Change<Value> = (account: Account.Account, to: Value) => Effect.Effect<void, NoSuchAccount | DirectoryError>

/** The accounts; a name finds its account in any letter case. */
export class Directory extends Context.Service<
  Directory,
  {
    /** The account of this name, with its tokens; none if there is no such account. */
    readonly find: (account: Account.Account) => Effect.Effect<Option.Option<Found>, DirectoryError>
    /** All accounts, in the order of their folded names, byte by byte. */
    readonly list: Stream.Stream<Entry, DirectoryError>
    /** Creates accounts: all of them, or, where one of them cannot be, none. */
    readonly create: (entries: Iterable<Entry>) => Effect.Effect<void, AccountTaken | NameTooLong | DirectoryError>
    readonly changePassword: Change<Redacted.Redacted<string>>
    readonly rename: (
      account: Account.Account,
      to: FriendlyName.FriendlyName,
    ) => Effect.Effect<void, NoSuchAccount | NameTooLong | DirectoryError>
    readonly setVerification: Change<Verification>
    readonly setStanding: Change<Standing>
    /** Removes an account, and its tokens. */
    readonly remove: (account: Account.Account) => Effect.Effect<void, NoSuchAccount | DirectoryError>
    /** The tokens of an account, in the order in which they were made. */
    readonly tokens: (
      account: Account.Account,
    ) => Effect.Effect<ReadonlyArray<Token.Token>, NoSuchAccount | DirectoryError>
    /** Makes a token for an account, 16 of which it may have; its secret is told this once. */
    readonly addToken: (
      account: Account.Account,
      label: Token.Label,
    ) => Effect.Effect<Token.Proof, NoSuchAccount | TooManyTokens | DirectoryError>
    /** Takes a token from an account: nobody signs in with it from now on. */
    readonly revokeToken: (
      account: Account.Account,
      id: Token.Id,
    ) => Effect.Effect<void, NoSuchAccount | NoSuchToken | DirectoryError>
    /** Keeps when tokens were used, each once a minute at most; what is revoked by now is passed over. */
    readonly used: (uses: ReadonlyArray<TokenUse>) => Effect.Effect<void, DirectoryError>
    /**
     * The accounts that are disabled or removed from now on, by whatever process, spelled as they were created: each
     * within a second.
     */
    readonly barred: Stream.Stream<Account.Account, DirectoryError>
  }
>()("effect-msnp/host/Directory") {}

/** Fails where a friendly name is longer than clients can take. */
export const checkName = (
  account: Account.Account,
  friendlyName: FriendlyName.FriendlyName,
): Effect.Effect<void, NameTooLong> =>
  FriendlyName.fits(friendlyName)
    ? Effect.void
    : Effect.fail(new NameTooLong({ account, bytes: FriendlyName.encode(friendlyName).length }))

/** A directory of these accounts, in memory; of two that differ in letter case only, the later one counts. */
export const layerMemory = (entries: Iterable<Entry>): Layer.Layer<Directory> =>
  Layer.effect(
    Directory,
    Effect.gen(function* () {
      const byName = new Map(Array.from(entries, (entry) => [Account.fold(entry.account), entry]))
      const tokensOf = new Map<string, ReadonlyArray<Token.Token & Token.Proof>>()
      const barred = yield* PubSub.unbounded<Account.Account>()

      const find = (account: Account.Account) => Option.fromUndefinedOr(byName.get(Account.fold(account)))
      const tokens = (account: Account.Account) => tokensOf.get(Account.fold(account)) ?? []
      const bar = ({ account }: Entry) => Effect.asVoid(PubSub.publish(barred, account))
      const existing = (account: Account.Account) =>
        Effect.suspend(() =>
          Option.match(find(account), {
            onNone: () => Effect.fail(new NoSuchAccount({ account })),
            onSome: Effect.succeed,
          }),
        )
      const change = (account: Account.Account, to: Partial<Entry>) =>
        Effect.tap(existing(account), (entry) =>
          Effect.sync(() => byName.set(Account.fold(account), { ...entry, ...to })),
        )

      return {
        find: (account) =>
          Effect.sync(() =>
            Option.map(find(account), (entry) => ({
              ...entry,
              tokens: tokens(account).map(({ id, lastUsed, secret }) => ({ id, secret, lastUsed })),
            })),
          ),
        list: Stream.suspend(() =>
          Stream.fromIterable(
            Array.from(byName)
              .toSorted(([a], [b]) => (Bytes.fromText(a) < Bytes.fromText(b) ? -1 : 1))
              .map(([, entry]) => entry),
          ),
        ),
        create: Effect.fnUntraced(function* (entries) {
          const fresh = new Map<string, Entry>()
          for (const entry of entries) {
            const { account, friendlyName } = entry
            const name = Account.fold(account)
            yield* checkName(account, friendlyName)
            if (byName.has(name) || fresh.has(name)) return yield* new AccountTaken({ account })
            fresh.set(name, entry)
          }
          for (const [name, entry] of fresh) byName.set(name, entry)
        }),
        changePassword: (account, password) => Effect.asVoid(change(account, { password })),
        rename: (account, friendlyName) =>
          Effect.andThen(checkName(account, friendlyName), Effect.asVoid(change(account, { friendlyName }))),
        setVerification: (account, verification) => Effect.asVoid(change(account, { verification })),
        setStanding: (account, standing) =>
          Effect.flatMap(change(account, { standing }), standing === "Disabled" ? bar : () => Effect.void),
        remove: (account) =>
          existing(account).pipe(
            Effect.tap(() =>
              Effect.sync(() => {
                byName.delete(Account.fold(account))
                tokensOf.delete(Account.fold(account))
              }),
            ),
            Effect.flatMap(bar),
          ),
        tokens: (account) =>
          Effect.map(existing(account), () =>
            tokens(account).map(({ created, id, label, lastUsed }) => ({ id, label, created, lastUsed })),
          ),
        addToken: Effect.fnUntraced(function* (account, label) {
          yield* existing(account)
          if (tokens(account).length >= Token.maxPerAccount) return yield* new TooManyTokens({ account })
          const proof = Token.make()
          const created = yield* Clock.currentTimeMillis
          const token = { ...proof, label, created, lastUsed: Option.none() }
          tokensOf.set(Account.fold(account), [...tokens(account), token])
          return proof
        }),
        revokeToken: Effect.fnUntraced(function* (account, id) {
          yield* existing(account)
          const left = tokens(account).filter((token) => token.id !== id)
          if (left.length === tokens(account).length) return yield* new NoSuchToken({ account, id })
          tokensOf.set(Account.fold(account), left)
        }),
        used: (uses) =>
          Effect.sync(() => {
            for (const { account, at, id } of uses) {
              const isDue = (token: Token.Token) => token.id === id && Token.isDue(token, at)
              tokensOf.set(
                Account.fold(account),
                tokens(account).map((token) => (isDue(token) ? { ...token, lastUsed: Option.some(at) } : token)),
              )
            }
          }),
        barred: Stream.fromPubSub(barred),
      }
    }),
  )

/**
 * Accounts that are kept elsewhere and can only be looked up here, by their passwords alone: whatever would change them
 * fails.
 */
export const layerElsewhere = (
  find: (account: Account.Account) => Effect.Effect<Option.Option<Entry>, DirectoryError>,
): Layer.Layer<Directory> => {
  const elsewhere = Effect.fail(new DirectoryError({ message: "The accounts are kept elsewhere." }))
  return Layer.succeed(Directory, {
    find: (account) =>
      Effect.map(
        find(account),
        Option.map((entry) => ({ ...entry, tokens: [] })),
      ),
    list: Stream.fromEffect(elsewhere),
    create: () => elsewhere,
    changePassword: () => elsewhere,
    rename: () => elsewhere,
    setVerification: () => elsewhere,
    setStanding: () => elsewhere,
    remove: () => elsewhere,
    tokens: () => elsewhere,
    addToken: () => elsewhere,
    revokeToken: () => elsewhere,
    used: () => elsewhere,
    barred: Stream.never,
  })
}
