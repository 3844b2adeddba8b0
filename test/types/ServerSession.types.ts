/** What the types of the server's machine of a session forbid. Compiled, never run. */
import type * as Clause from "../../src/login/Clause.ts"
import type { ByTag, Handlers, Table, TagOf } from "../../src/machine/Machine.ts"
import { refuse, rule } from "../../src/machine/Machine.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"
import type { Equals } from "../support/Types.ts"
import { holds } from "../support/Types.ts"

type State<Tag extends TagOf<ServerSession.State>> = ByTag<ServerSession.State, Tag>
type Event<Tag extends TagOf<ServerSession.Event>> = ByTag<ServerSession.Event, Tag>
type All = Handlers<typeof ServerSession.table, ServerSession.State, ServerSession.Event, ServerSession.Action>
type Whole = Table<ServerSession.State, ServerSession.Event, ServerSession.Code, Clause.Id>

declare const handlers: All

const { Syn: _, ...withoutSyn } = ServerSession.table.AwaitChg

export const missingCell = {
  ...ServerSession.table,
  // @ts-expect-error -- What becomes of SYN before the first CHG must be said.
  AwaitChg: withoutSyn,
} as const satisfies Whole

export const wrongTarget = {
  ...ServerSession.table,
  // @ts-expect-error -- There is no such state.
  Online: { ...ServerSession.table.Online, Chg: rule("chg", ["Away"], "", "beyond.chg") },
} as const satisfies Whole

export const wrongCode = {
  ...ServerSession.table,
  // @ts-expect-error -- A session is not ended with 502.
  Online: { ...ServerSession.table.Online, Unserved: refuse(502, "beyond.unserved") },
} as const satisfies Whole

export const citationOfNone = {
  ...ServerSession.table,
  // @ts-expect-error -- There is no such sentence.
  Online: { ...ServerSession.table.Online, QryWrong: refuse(540, "beyond.qry-bad") },
} as const satisfies Whole

export const illegalMove: All = {
  ...handlers,
  // @ts-expect-error -- No challenge is out yet: the table has no rule for its answer.
  Online: { ...handlers.Online, QryRight: handlers.AwaitQry.QryRight },
}

export const shortcut: All = {
  ...handlers,
  // @ts-expect-error -- Only a right answer leads out of a challenge.
  AwaitQry: { ...handlers.AwaitQry, Chg: handlers.Online.Chg },
}

export const futureStatus: All["AwaitChg"]["Png"] = (state) => {
  // @ts-expect-error -- Before CHG, no status is known.
  void state.status
  return { state, actions: [] }
}

// @ts-expect-error -- Nobody who is there is offline.
export const offline: State<"Online">["status"] = "Offline"

/** A handler in each state for these events, and for no other: what is legal there. */
type Legal<Tag extends TagOf<ServerSession.State>> = keyof All[Tag]
type Always =
  | "Syn"
  | "Chg"
  | "ChgOffline"
  | "Png"
  | "Url"
  | "Cvr"
  | "CvrMalformed"
  | "Ver"
  | "Inf"
  | "Usr"
  | "Malformed"
  | "Unserved"
  | "Out"
  | "Warn"
  | "HungUp"

export const legal = [
  holds<Equals<Legal<"AwaitChg">, Always>>(),
  holds<Equals<Legal<"Online">, Always | "Challenge">>(),
  holds<Equals<Legal<"AwaitQry">, Always | "QryRight" | "Overdue">>(),
  holds<Equals<Legal<"Closed">, never>>(),
]

declare const online: State<"Online">
declare const awaitQry: State<"AwaitQry">
declare const awaitChg: State<"AwaitChg">
declare const challenge: Event<"Challenge">
declare const right: Event<"QryRight">
declare const wrong: Event<"QryWrong">

const tag = <S extends { readonly _tag: string }>(step: { readonly state: S }): S["_tag"] => step.state._tag

export const toQry = () => tag(ServerSession.transition(online, challenge))
export const toOnline = () => tag(ServerSession.transition(awaitQry, right))
export const toEnd = () => tag(ServerSession.transition(online, wrong))
/** What would be a defect leads nowhere. */
export const never = () => tag(ServerSession.transition(awaitChg, challenge))

export const leads = [
  holds<Equals<ReturnType<typeof toQry>, "AwaitQry" | "Online">>(),
  holds<Equals<ReturnType<typeof toOnline>, "Online">>(),
  holds<Equals<ReturnType<typeof toEnd>, "Closed">>(),
  holds<Equals<ReturnType<typeof never>, never>>(),
]
