/**
 * Accounts, servers and clients to play with: the ones that the documents show, as far as they show any.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Limits from "../../src/host/Limits.ts"
import * as Presence from "../../src/host/Presence.ts"
import * as Referrals from "../../src/host/Referrals.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as LoginServer from "../../src/net/LoginServer.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import type * as MemorySocket from "./MemorySocket.ts"

/** The password of the page on MD5 (hypothetic.org 2.0), which makes {@link digest} of {@link challenge}. */
export const password = "mypassword"

/** The challenge that the seed's example session and the page on MD5 show. */
export const challenge = Challenge.Challenge.make("1013928519.693957190")

/** What that page says is the answer to {@link challenge}. */
export const digest = "6f3963009fc8a9d2b2ff137da0905c55"

/** An account of this password. */
export const entry = (account: string, overrides: Partial<Directory.Entry> = {}): Directory.Entry => ({
  account: Account.Account.make(account),
  password: Redacted.make(password, { label: "password" }),
  friendlyName: FriendlyName.FriendlyName.make("My Screen Name"),
  verification: "Verified",
  standing: "Enabled",
  ...overrides,
})

/** The account of the example sessions, spelled as it was created. */
export const alice = entry("alice@hotmail.com")

/** Decides as a notification server that always says the challenge of the example session. */
export const layerExample = (entries: ReadonlyArray<Directory.Entry> = [alice]): Layer.Layer<Admission.Admission> =>
  Layer.effect(
    Admission.Admission,
    Effect.map(Admission.Admission, ({ judge }) => ({
      admit: () => Effect.succeed({ _tag: "Challenge", challenge } as const),
      judge,
    })),
  ).pipe(Layer.provide(Admission.layerNotification()), Layer.provide(Directory.layerMemory(entries)))

/** All that a server of that challenge needs of its host. */
export const layerHost = (entries?: ReadonlyArray<Directory.Entry>): Layer.Layer<LoginServer.Requirements> =>
  Layer.merge(layerExample(entries), Presence.layerMemory)

/** The dispatch server of the documents' constructed lines. */
export const dispatchAddress: Address.Address = { host: "10.0.0.1", port: 1863 }

/** The notification server of the documents' constructed lines. */
export const notificationAddress: Address.Address = { host: "10.0.0.5", port: 1863 }

/** Decides as a dispatch server that refers everybody to these servers. */
export const layerReferring = (...to: ReadonlyArray<Address.Address>): Layer.Layer<Admission.Admission> =>
  Admission.layerDispatch({ self: Referrals.elsewhere(dispatchAddress), servers: to.map(Referrals.elsewhere) })

/** How a server is to serve, and what it puts up with. */
export interface Options extends Omit<LoginServer.Options, "listen"> {
  readonly limits?: Partial<Limits.Limits>
}

/** Serves a listener until the scope closes; nobody else knows who is signed in there. */
export const serve = <R = never>(
  listener: LoginServer.Listener,
  admission: Layer.Layer<Admission.Admission>,
  { limits = {}, ...options }: Options = {},
  onSession?: LoginServer.OnSession<R>,
): Effect.Effect<LoginServer.Served, never, Scope.Scope | R> =>
  Effect.flatMap(Layer.build(Layer.mergeAll(admission, Presence.layerMemory, Limits.layer(limits))), (context) =>
    Effect.provideContext(
      onSession === undefined
        ? LoginServer.serve(listener, options, LoginServer.hearOnly)
        : LoginServer.serve(listener, options, onSession),
      context,
    ),
  )

/** A server on a free port of this machine. */
export const serveTcp = <R = never>(
  admission: Layer.Layer<Admission.Admission>,
  options: Options = {},
  onSession?: LoginServer.OnSession<R>,
): Effect.Effect<Address.Address, never, Scope.Scope | R> =>
  Effect.gen(function* () {
    const listener = yield* Effect.orDie(LoginServer.listen({ host: "127.0.0.1", port: 0 }))
    yield* serve(listener, admission, options, onSession)
    return listener.address
  })

/** A dispatch server and a notification server on free ports of this machine. */
export const serveBoth = (options: Options = {}) =>
  Effect.gen(function* () {
    const notification = yield* serveTcp(layerExample(), options)
    const listener = yield* Effect.orDie(LoginServer.listen({ host: "127.0.0.1", port: 0 }))
    yield* serve(
      listener,
      Admission.layerDispatch({
        self: Referrals.elsewhere(listener.address),
        servers: [Referrals.elsewhere(notification)],
      }),
      options,
    )
    return { dispatch: listener.address, notification }
  })

/** How the account of the example sessions logs in. */
export const aliceAt = (server: Address.Address, options: Partial<LoginClient.Options> = {}): LoginClient.Options => ({
  server,
  account: alice.account,
  password: alice.password,
  ...options,
})

/** Logs in over a network in memory. */
export const loginOver = (network: MemorySocket.Network, options: LoginClient.Options) =>
  Effect.provideService(LoginClient.login(options), Connector.Connector, network.connector)
