/**
 * A network in one process: a dispatch server, and the notification servers that it refers to, over one directory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Admission from "../host/Admission.ts"
import type * as Directory from "../host/Directory.ts"
import * as Presence from "../host/Presence.ts"
import * as Referrals from "../host/Referrals.ts"
import type * as Address from "../protocol/Address.ts"
import * as LoginServer from "./LoginServer.ts"

/** Where a server is to listen, and which address clients are told where that is another. */
export interface Endpoint {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  readonly advertise: Option.Option<Address.Address>
}

/** What is to be served. */
export interface Plan extends Omit<LoginServer.Options, "listen"> {
  readonly dispatch: Option.Option<Endpoint>
  readonly notification: ReadonlyArray<Endpoint>
  /** Notification servers elsewhere that the dispatch server refers to as well. */
  readonly referTo: ReadonlyArray<Address.Address>
}

/** What is being served, and where. */
export class Network extends Context.Service<
  Network,
  {
    readonly dispatch: Option.Option<Referrals.Server>
    readonly notification: ReadonlyArray<Referrals.Server>
    /** All that the dispatch server refers to. */
    readonly referrals: ReadonlyArray<Referrals.Server>
  }
>()("effect-msnp/net/Network") {}

/**
 * Serves a plan until the scope closes, once everything listens; where something cannot listen, nothing does.
 *
 * `onSession` is run for each client that logs in at a notification server.
 *
 * @keeps session.dispatch session.notification
 */
export const make = Effect.fnUntraced(function* <R = never>(
  plan: Plan,
  onSession: LoginServer.OnSession<R>,
): Effect.fn.Return<
  Network["Service"],
  LoginServer.ListenError,
  Scope.Scope | Directory.Directory | Presence.Presence | R
> {
  const dispatch = yield* Effect.forEach(Option.toArray(plan.dispatch), bind)
  const notification = yield* Effect.forEach(plan.notification, bind)
  const referrals = [...notification.map(({ server }) => server), ...plan.referTo.map(Referrals.elsewhere)]

  yield* Layer.build(Presence.layerBarring)
  const challenging = yield* Layer.build(Admission.layerNotification())
  for (const { listener } of notification) {
    yield* Effect.provideContext(LoginServer.serve(listener, plan, onSession), challenging)
  }
  for (const { listener, server } of dispatch) {
    const referring = yield* Layer.build(Admission.layerDispatch({ self: server, servers: referrals }))
    yield* Effect.provideContext(LoginServer.serve(listener, plan, LoginServer.hearOnly), referring)
  }
  return {
    dispatch: Option.fromIterable(dispatch.map(({ server }) => server)),
    notification: notification.map(({ server }) => server),
    referrals,
  }
})

/** Provides a network that hears everything and answers nothing after the login; see {@link make}. */
export const layer = (
  plan: Plan,
): Layer.Layer<Network, LoginServer.ListenError, Directory.Directory | Presence.Presence> =>
  Layer.effect(Network, make(plan, LoginServer.hearOnly))

const bind = ({ advertise, listen }: Endpoint) =>
  Effect.map(LoginServer.listen(listen), (listener) => ({
    listener,
    server: { bound: listener.address, advertise } satisfies Referrals.Server,
  }))
