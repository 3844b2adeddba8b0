/** What the types of the client's machine forbid. Compiled, never run. */
import type * as Clause from "../../src/login/Clause.ts"
import * as Client from "../../src/login/Client.ts"
import type { ByTag, Handlers, Table, TagOf } from "../../src/machine/Machine.ts"
import { refuse } from "../../src/machine/Machine.ts"
import type { Equals } from "../support/Types.ts"
import { holds } from "../support/Types.ts"

type State<Tag extends TagOf<Client.State>> = ByTag<Client.State, Tag>
type Event<Tag extends TagOf<Client.Event>> = ByTag<Client.Event, Tag>
type All = Handlers<typeof Client.table, Client.State, Client.Event, Client.Action>

declare const handlers: All

const { UsrChallenge: _, ...withoutChallenge } = Client.table.AwaitVer

export const missingCell = {
  ...Client.table,
  // @ts-expect-error -- What becomes of a challenge before VER must be said.
  AwaitVer: withoutChallenge,
} as const satisfies Table<Client.State, Client.Event, Client.Code, Clause.Id>

export const loudRefusal = {
  ...Client.table,
  // @ts-expect-error -- A client that refuses says nothing.
  AwaitVer: { ...Client.table.AwaitVer, Inf: refuse(715, "login.synchronous") },
} as const satisfies Table<Client.State, Client.Event, Client.Code, Clause.Id>

export const citationOfNone = {
  ...Client.table,
  // @ts-expect-error -- There is no such sentence.
  AwaitVer: { ...Client.table.AwaitVer, Inf: refuse("Silence", "inf.unexpected") },
} as const satisfies Table<Client.State, Client.Event, Client.Code, Clause.Id>

export const illegalMove: All = {
  ...handlers,
  // @ts-expect-error -- The table refuses a challenge before VER: it has no handler.
  AwaitVer: { ...handlers.AwaitVer, UsrChallenge: handlers.AwaitUsr.UsrChallenge },
}

const { Xfr: __, ...withoutXfr } = handlers.AwaitUsr
// @ts-expect-error -- A referral has no handler.
export const missingHandler: All = { ...handlers, AwaitUsr: withoutXfr }

export const shortcut: All = {
  ...handlers,
  // @ts-expect-error -- INF leads to AwaitUsr, and lets nobody in.
  AwaitInf: { ...handlers.AwaitInf, Inf: handlers.AwaitOk.UsrOk },
}

export const futureDialect: All["AwaitVer"]["VerNone"] = (state) => {
  // @ts-expect-error -- Before VER is answered, no dialect is known.
  void state.dialect
  return { state: { _tag: "Closed", reason: { _tag: "LoggedOff" } }, actions: [] }
}

export const futureName: All["AwaitOk"]["HungUp"] = (state) => {
  // @ts-expect-error -- Before OK, no friendly name is known.
  void state.friendlyName
  return { state: { _tag: "Closed", reason: { _tag: "LoggedOff" } }, actions: [] }
}

export const pastReferral = (state: State<"Referred">) => {
  // @ts-expect-error -- Notification servers know nothing of each other: a referral carries no dialect.
  void state.dialect
}

/** A handler in each state for these events, and for no other: what is legal there. */
type Legal<Tag extends TagOf<Client.State>> = keyof All[Tag]
type Ends = "Failure" | "Out" | "Aside" | "LogOff" | "HungUp" | "Overdue"

export const legal = [
  holds<Equals<Legal<"AwaitVer">, "Ver" | "VerSkipInf" | "VerPipelined" | "VerNone" | Ends>>(),
  holds<Equals<Legal<"AwaitInf">, "Inf" | Ends>>(),
  holds<Equals<Legal<"AwaitUsr">, "UsrChallenge" | "Xfr" | Ends>>(),
  holds<Equals<Legal<"AwaitDigest">, "Answer" | "LogOff" | "HungUp" | "Overdue">>(),
  holds<Equals<Legal<"AwaitOk">, "UsrOk" | Ends>>(),
  holds<Equals<Legal<"LoggedIn">, "Further" | "Out" | "LogOff" | "HungUp">>(),
  holds<Equals<Legal<"Referred">, never>>(),
  holds<Equals<Legal<"Closed">, never>>(),
]

declare const awaitVer: State<"AwaitVer">
declare const awaitInf: State<"AwaitInf">
declare const awaitUsr: State<"AwaitUsr">
declare const awaitDigest: State<"AwaitDigest">
declare const awaitOk: State<"AwaitOk">
declare const loggedIn: State<"LoggedIn">
declare const anyState: Client.State
declare const ver: Event<"Ver">
declare const inf: Event<"Inf">
declare const ok: Event<"UsrOk">
declare const answer: Event<"Answer">
declare const aside: Event<"Aside">
declare const early: Event<"Early">
declare const anyEvent: Client.Event

export const asked: State<"AwaitUsr"> = Client.transition(awaitInf, inf).state

// @ts-expect-error -- INF lets nobody in.
export const bold: State<"LoggedIn"> = Client.transition(awaitInf, inf).state

// @ts-expect-error -- Where it was not awaited, OK lets nobody in.
export const hopeful: State<"LoggedIn"> = Client.transition(anyState, ok).state

const tag = <S extends { readonly _tag: string }>(step: { readonly state: S }): S["_tag"] => step.state._tag

export const leads = [
  holds<Equals<ReturnType<typeof chosen>, "AwaitInf">>(),
  holds<Equals<ReturnType<typeof toAnswered>, "AwaitOk">>(),
  holds<Equals<ReturnType<typeof toLoggedIn>, "LoggedIn">>(),
  holds<Equals<ReturnType<typeof refused>, "Closed">>(),
  holds<Equals<ReturnType<typeof waiting>, "AwaitDigest">>(),
  holds<Equals<ReturnType<typeof passed>, "AwaitUsr">>(),
  holds<Equals<ReturnType<typeof either>, "AwaitDigest" | "Referred">>(),
  holds<Equals<ReturnType<typeof never>, never>>(),
  holds<Equals<ReturnType<typeof anything>, TagOf<Client.State>>>(),
]

export const chosen = () => tag(Client.transition(awaitVer, ver))
export const toAnswered = () => tag(Client.transition(awaitDigest, answer))
export const toLoggedIn = () => tag(Client.transition(awaitOk, ok))
export const refused = () => tag(Client.transition(awaitUsr, ok))
export const waiting = () => tag(Client.transition(awaitDigest, early))
export const passed = () => tag(Client.transition(awaitUsr, aside))
/** A union of events leads where any of them does. */
export const either = (event: Event<"UsrChallenge"> | Event<"Xfr">) => tag(Client.transition(awaitUsr, event))
/** What would be a defect leads nowhere. */
export const never = () => tag(Client.transition(loggedIn, answer))
export const anything = () => tag(Client.transition(anyState, anyEvent))
