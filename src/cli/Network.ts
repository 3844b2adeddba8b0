/**
 * A small network: a dispatch server and notification servers over the same accounts, in one process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Admission from "../host/Admission.ts"
import * as Directory from "../host/Directory.ts"
import * as Referrals from "../host/Referrals.ts"
import * as LoginServer from "../net/LoginServer.ts"
import type * as Address from "../protocol/Address.ts"
import type * as Quirk from "../protocol/Quirk.ts"
import type * as Endpoint from "./Endpoint.ts"

/** What is to be served. */
export interface Plan {
  readonly dispatch: Option.Option<Endpoint.Endpoint>
  readonly notification: ReadonlyArray<Endpoint.Endpoint>
  /** Notification servers elsewhere that the dispatch server refers to as well. */
  readonly referTo: ReadonlyArray<Address.Address>
  readonly quirks: Quirk.Quirks
  readonly accounts: ReadonlyArray<Directory.Entry>
}

/** What is being served, and where. */
export interface Network {
  readonly dispatch: Option.Option<Referrals.Server>
  readonly notification: ReadonlyArray<Referrals.Server>
  /** All that the dispatch server refers to. */
  readonly referrals: ReadonlyArray<Referrals.Server>
}

/** Serves a plan until the scope closes. Either everything listens, or nothing does. */
export const start = Effect.fnUntraced(function* (
  plan: Plan,
): Effect.fn.Return<Network, LoginServer.ListenError, Scope.Scope> {
  const dispatch = yield* Effect.forEach(Option.toArray(plan.dispatch), bind)
  const notification = yield* Effect.forEach(plan.notification, bind)
  const referrals = [...notification.map(({ server }) => server), ...plan.referTo.map(Referrals.elsewhere)]

  const options = { quirks: plan.quirks }
  const challenging = Layer.provide(Admission.layerNotification(), Directory.layerMemory(plan.accounts))
  for (const { listener } of notification) {
    yield* Effect.provide(LoginServer.serve(listener, options, LoginServer.hearOnly), challenging)
  }
  for (const { listener, server } of dispatch) {
    const referring = Admission.layerDispatch({ self: server, servers: referrals })
    yield* Effect.provide(LoginServer.serve(listener, options, LoginServer.hearOnly), referring)
  }
  return {
    dispatch: Option.fromIterable(dispatch.map(({ server }) => server)),
    notification: notification.map(({ server }) => server),
    referrals,
  }
})

const bind = ({ advertise, listen }: Endpoint.Endpoint) =>
  Effect.map(LoginServer.listen(listen), (listener) => ({
    listener,
    server: { bound: listener.address, advertise } satisfies Referrals.Server,
  }))
