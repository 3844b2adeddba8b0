/**
 * A notification server over accounts of your own, with the built-in session and a command of your own in it: `ECH`,
 * which is answered as it came.
 *
 *     PORT=1863 node own-accounts.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Admission from "effect-msnp/host/Admission"
import * as Directory from "effect-msnp/host/Directory"
import * as Presence from "effect-msnp/host/Presence"
import * as LoginServer from "effect-msnp/net/LoginServer"
import * as SessionServer from "effect-msnp/net/SessionServer"
import * as Account from "effect-msnp/protocol/Account"
import * as Address from "effect-msnp/protocol/Address"
import * as FriendlyName from "effect-msnp/protocol/FriendlyName"
import * as Lists from "effect-msnp/session/Lists"

/** Your users, as you have them; here might be a query or a call instead. */
const users = new Map([
  ["alice@example.com", { name: "Alice Liddell", secret: "wonderland", hasConfirmed: true }],
  ["bob@example.com", { name: "Bob", secret: "builder", hasConfirmed: false }],
])

/** One account of them. What cannot be found out now fails with a `DirectoryError`: the client is told 500. */
const find = (account: Account.Account) =>
  Effect.sync(() =>
    Option.map(
      Option.fromUndefinedOr(users.get(Account.fold(account))),
      ({ hasConfirmed, name, secret }): Directory.Entry => ({
        account,
        password: Redacted.make(secret),
        friendlyName: FriendlyName.FriendlyName.make(name),
        verification: hasConfirmed ? "Verified" : "Unverified",
        standing: "Enabled",
      }),
    ),
  )

/** Everybody has everybody else on the list. */
const listsOf = (owner: Account.Account): Lists.Lists => ({
  ...Lists.empty,
  forward: Array.from(users, ([account, { name }]) =>
    Lists.contact(Account.Account.make(account), FriendlyName.FriendlyName.make(name)),
  ).filter(({ account }) => !Account.same(account, owner)),
})

const onSession = SessionServer.serve({
  lists: ({ account }) => Effect.succeed(listsOf(account)),
  handle: (command, session) =>
    command._tag === "Foreign" && command.verb === "ECH"
      ? Effect.as(session.send(command), "Served")
      : Effect.succeed("Unserved"),
})

const Server = Config.Int("PORT").pipe(
  Effect.map((port) => LoginServer.layerWith({ listen: { host: "127.0.0.1", port } }, onSession)),
  Layer.unwrap,
  Layer.provide(Admission.layerNotification()),
  Layer.provide(Directory.layerElsewhere(find)),
  Layer.provide(Presence.layerMemory),
)

const program = Effect.gen(function* () {
  const { address } = yield* LoginServer.LoginServer
  yield* Console.log(`Listening on ${Address.format(address)}`)
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.provide(program, Server))
