/**
 * A network in one process: a dispatch server, and the notification servers that it refers to, over one directory.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Admission from "../host/Admission.ts"
import type * as Directory from "../host/Directory.ts"
import * as Limits from "../host/Limits.ts"
import * as Presence from "../host/Presence.ts"
import * as Referrals from "../host/Referrals.ts"
import * as Throttle from "../host/Throttle.ts"
import * as Address from "../protocol/Address.ts"
import type * as ErrorCode from "../protocol/ErrorCode.ts"
import { Connector } from "./Connector.ts"
import type * as GatewayServer from "./GatewayServer.ts"
import * as LoginServer from "./LoginServer.ts"
import * as Readiness from "./Readiness.ts"
import type * as Telemetry from "./Telemetry.ts"
import type * as Tls from "./Tls.ts"

/** Where a server is to listen, and which address clients are told where that is another. */
export interface Endpoint {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  readonly advertise: Option.Option<Address.Address>
  /** Over TLS, and with which certificate; in clear text where there is nothing. */
  readonly tls?: Tls.Server
}

/** How a server speaks. */
export type Transport = "ClearText" | "Tls"

/** A server that listens. */
export interface Listening extends Referrals.Server {
  readonly transport: Transport
}

/** Where an HTTP gateway is to listen, which clients are told the host of, and who is believed there. */
export interface GatewayEndpoint extends Endpoint, Pick<GatewayServer.Options, "trustedProxies"> {}

/** What is to be served. */
export interface Plan extends Omit<LoginServer.Options, "listen" | "role"> {
  readonly dispatch: Option.Option<Endpoint>
  readonly notification: ReadonlyArray<Endpoint>
  /** The way in over HTTP, which leads to a notification server of this process. */
  readonly gateway: Option.Option<GatewayEndpoint>
  /**
   * Notification servers elsewhere that the dispatch server refers to as well, as long as they can be connected to; they
   * speak as it does.
   */
  readonly referTo: ReadonlyArray<Address.Address>
  /** By default those whose address has not been verified are let in. */
  readonly unverified?: Admission.Unverified
  /** Whatever is to be told to everybody who wants to log in; by default nothing, and they are let in or referred. */
  readonly trouble?: ErrorCode.Trouble
}

/** What is being served, and where. */
export class Network extends Context.Service<
  Network,
  {
    readonly dispatch: Option.Option<Listening>
    readonly notification: ReadonlyArray<Listening>
    readonly gateway: Option.Option<Listening>
    /** All that the dispatch server refers to: those that speak as it does, since clients are told of nothing else. */
    readonly referrals: ReadonlyArray<Referrals.Candidate>
    /** How many clients are signed in. */
    readonly sessions: Effect.Effect<number>
    /**
     * Lets nobody in from now on: who wants to log in is referred to a server elsewhere that is up, or else told 601, as
     * everybody is who comes over HTTP: no referral goes through a gateway.
     * Whoever is signed in is told in how many minutes the network goes down, unless it is at once.
     *
     * @keeps closing.warning xfr.gateway
     */
    readonly goDown: (minutes: number) => Effect.Effect<void>
    /** Whether it takes logins now: not if its accounts do not answer, or once it goes down. */
    readonly readiness: Effect.Effect<Readiness.Readiness>
  }
>()("effect-msnp/net/Network") {}

/** How often a server elsewhere is tried. */
const healthInterval: Duration.Input = "10 seconds"

/** How long it may take to answer. */
const healthTimeout: Duration.Input = "3 seconds"

/**
 * Serves a plan until the scope closes, once everything listens; where something cannot listen, nothing does.
 *
 * `onSession` is run for each client that logs in at a notification server. All servers count what a peer takes together:
 * with the `Throttle` that is provided, or else with one that exempts this machine and the proxies that are trusted.
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
  const proxies = Option.match(plan.gateway, { onNone: () => [], onSome: ({ trustedProxies }) => trustedProxies })
  const throttle = yield* Throttle.orInMemory({ exempt: [...Throttle.loopback, ...proxies] })
  const throttled = Effect.provideService(Throttle.Throttle, throttle)
  const dispatch = yield* Effect.forEach(Option.toArray(plan.dispatch), bind)
  const notification = yield* Effect.forEach(plan.notification, bind)
  const gateway = yield* Effect.forEach(Option.toArray(plan.gateway), (gateway) => throttled(bindGateway(gateway)))
  const elsewhere = yield* Effect.forEach(plan.referTo, watched, { concurrency: "unbounded" })
  yield* Layer.build(Presence.layerBarring((yield* Limits.Current).decisionTimeout))

  let isGoingDown = false
  /** What a server does, unless there is trouble or it goes down. */
  const policy = (usual: Admission.Policy, inTheEnd: Admission.Policy): Effect.Effect<Admission.Policy> =>
    Effect.sync(() => {
      if (plan.trouble !== undefined) return { _tag: "Deny", code: plan.trouble }
      return isGoingDown ? inTheEnd : usual
    })
  /** Servers elsewhere speak as the dispatch server does. */
  const referAway = (from: Listening): Admission.Policy => {
    const isAlike = dispatch.every(({ server }) => server.transport === from.transport)
    return { _tag: "Refer", to: isAlike ? elsewhere : [], from }
  }

  const serving: Array<LoginServer.Served> = []
  const letIn = Effect.fnUntraced(function* (
    role: Telemetry.Role,
    listener: LoginServer.Listener,
    inTheEnd: Admission.Policy,
  ) {
    const challenging = yield* Layer.build(
      Admission.layerNotification({
        policy: policy(Admission.challengeAll, inTheEnd),
        ...(plan.unverified === undefined ? {} : { unverified: plan.unverified }),
      }),
    )
    const served = yield* throttled(
      Effect.provideContext(LoginServer.serve(listener, { ...plan, role }, onSession), challenging),
    )
    serving.push(served)
    return served
  })

  const here: Array<Referrals.Candidate & Listening> = []
  for (const { listener, server } of notification) {
    const served = yield* letIn("notification", listener, referAway(server))
    const fades = Referrals.fading.known
    const { transport } = server
    here.push({ ...Referrals.candidate(server, { isUp: () => true, load: served.sessions, fades }), transport })
  }

  for (const { listener } of gateway) yield* letIn("gateway", listener, { _tag: "Deny", code: 601 })

  const alike = here.filter(({ transport }) => dispatch.every(({ server }) => server.transport === transport))
  const referrals = [...alike, ...elsewhere]
  for (const { listener, server } of dispatch) {
    const referring = yield* Layer.build(
      Admission.layerNotification({
        policy: policy({ _tag: "Refer", to: referrals, from: server }, referAway(server)),
      }),
    )
    yield* throttled(
      Effect.provideContext(
        LoginServer.serve(listener, { ...plan, role: "dispatch" }, LoginServer.hearOnly),
        referring,
      ),
    )
  }

  const directory = yield* Readiness.ofDirectory
  return {
    dispatch: Option.fromIterable(dispatch.map(({ server }) => server)),
    notification: notification.map(({ server }) => server),
    gateway: Option.fromIterable(gateway.map(({ server }) => server)),
    referrals,
    sessions: Effect.sync(() => serving.reduce((sum, { sessions }) => sum + sessions(), 0)),
    goDown: (minutes) =>
      Effect.suspend(() => {
        isGoingDown = true
        return minutes > 0 ? Effect.forEach(serving, ({ warn }) => warn(minutes), { discard: true }) : Effect.void
      }),
    readiness: Effect.suspend(() => (isGoingDown ? Effect.succeed("GoingDown") : directory)),
  }
})

/** Provides a network that hears everything and answers nothing after the login; see {@link make}. */
export const layer = (
  plan: Plan,
): Layer.Layer<Network, LoginServer.ListenError, Directory.Directory | Presence.Presence> =>
  Layer.effect(Network, make(plan, LoginServer.hearOnly))

const bound = (
  listener: LoginServer.Listener,
  { advertise, tls }: Endpoint,
): { readonly listener: LoginServer.Listener; readonly server: Listening } => ({
  listener,
  server: {
    bound: listener.address,
    advertise,
    transport: tls === undefined ? "ClearText" : "Tls",
  },
})

const bind = (endpoint: Endpoint) =>
  Effect.map(LoginServer.listen(endpoint.listen, Option.fromUndefinedOr(endpoint.tls)), (listener) =>
    bound(listener, endpoint),
  )

/** What speaks HTTP is imported where there is a gateway: it takes as long as a third of all else that a network needs. */
const bindGateway = Effect.fnUntraced(function* (endpoint: GatewayEndpoint) {
  const { listen } = yield* Effect.promise(() => import("./GatewayServer.ts"))
  const listener = yield* listen({ ...endpoint, advertise: Option.map(endpoint.advertise, ({ host }) => host) })
  return bound(listener, endpoint)
})

/** A server elsewhere, which is tried now, and then again and again until the scope closes. */
const watched = Effect.fnUntraced(function* (address: Address.Address) {
  const connector = yield* Connector
  let isUp = true
  const become = (now: boolean, why: string) =>
    Effect.suspend(() => {
      if (isUp === now) return Effect.void
      isUp = now
      return Effect.logWarning(`${Address.format(address)} ${why}`)
    })
  const attempt = connector.connect(address).pipe(
    Effect.scoped,
    Effect.timeout(healthTimeout),
    Effect.matchEffect({
      onSuccess: () => become(true, "can be connected to again: clients are referred there."),
      onFailure: () => become(false, "cannot be connected to: clients are referred elsewhere."),
    }),
  )
  yield* attempt
  yield* Effect.forkScoped(Effect.repeat(Effect.delay(attempt, healthInterval), Schedule.forever))
  return Referrals.stranger(Referrals.elsewhere(address), () => isUp)
})
