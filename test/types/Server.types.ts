/** What the types of the server's machine forbid. Compiled, never run. */
import type * as Clause from "../../src/login/Clause.ts"
import * as Server from "../../src/login/Server.ts"
import type { ByTag, Handlers, Table, TagOf } from "../../src/machine/Machine.ts"
import { refuse, rule } from "../../src/machine/Machine.ts"
import type * as Codec from "../../src/protocol/Codec.ts"
import type { Equals } from "../support/Types.ts"
import { holds } from "../support/Types.ts"

type State<Tag extends TagOf<Server.State>> = ByTag<Server.State, Tag>
type Event<Tag extends TagOf<Server.Event>> = ByTag<Server.Event, Tag>
type All = Handlers<typeof Server.table, Server.State, Server.Event, Server.Action>

declare const handlers: All
declare const dialect: State<"AwaitUsr">["dialect"]

const { Inf: _, ...withoutInf } = Server.table.AwaitVer

export const missingCell = {
  ...Server.table,
  // @ts-expect-error -- What becomes of INF before VER must be said.
  AwaitVer: withoutInf,
} as const satisfies Table<Server.State, Server.Event, Server.Code, Clause.Id>

export const wrongTarget = {
  ...Server.table,
  // @ts-expect-error -- There is no such state.
  AwaitVer: { ...Server.table.AwaitVer, Inf: rule("inf", ["AwaitTicket"], "", "inf.reply") },
} as const satisfies Table<Server.State, Server.Event, Server.Code, Clause.Id>

export const wrongCode = {
  ...Server.table,
  // @ts-expect-error -- No clause has a server refuse with 500.
  AwaitVer: { ...Server.table.AwaitVer, Inf: refuse(500, "login.wrong-time") },
} as const satisfies Table<Server.State, Server.Event, Server.Code, Clause.Id>

export const citationOfNone = {
  ...Server.table,
  // @ts-expect-error -- There is no such sentence.
  AwaitVer: { ...Server.table.AwaitVer, Inf: refuse(715, "login.out-of-time") },
} as const satisfies Table<Server.State, Server.Event, Server.Code, Clause.Id>

// @ts-expect-error -- A refusal names the sentence that it carries out.
export const uncited = refuse(715)

export const illegalMove: All = {
  ...handlers,
  // @ts-expect-error -- The table refuses INF before VER: it has no handler.
  AwaitVer: { ...handlers.AwaitVer, Inf: () => ({ state: { _tag: "AwaitUsr", dialect }, actions: [] }) },
}

export const pendingMove: All = {
  ...handlers,
  // @ts-expect-error -- While the host decides, a digest waits: it has no handler.
  AwaitAdmission: { ...handlers.AwaitAdmission, UsrRespond: handlers.AwaitDigest.UsrRespond },
}

const { Accept: __, ...withoutAccept } = handlers.AwaitVerdict
// @ts-expect-error -- The rule that lets an account in has no handler.
export const missingHandler: All = { ...handlers, AwaitVerdict: withoutAccept }

export const shortcut: All = {
  ...handlers,
  // @ts-expect-error -- INF leads to AwaitUsr, and lets nobody in.
  AwaitInfOrUsr: { ...handlers.AwaitInfOrUsr, Inf: handlers.AwaitVerdict.Accept },
}

export const futureDialect: All["AwaitVer"]["Ver"] = (state, { common, trId }) => ({
  // @ts-expect-error -- Before VER, no dialect is known.
  state: { _tag: "AwaitInfOrUsr", dialect: state.dialect },
  actions: [{ _tag: "Say", command: { _tag: "Ver", trId, dialects: common } }],
})

export const futureAccount: All["AwaitInfOrUsr"]["Inf"] = (state) => {
  // @ts-expect-error -- Before USR, no account is known.
  void state.account
  return { state: { _tag: "AwaitUsr", dialect: state.dialect }, actions: [] }
}

export const password: All["AwaitVerdict"]["Deny"] = (state) => {
  // @ts-expect-error -- Nothing knows a password.
  void state.password
  return { state: { _tag: "Closed", reason: "Denied" }, actions: [] }
}

/** A handler in each state for these events, and for no other: what is legal there. */
type Legal<Tag extends TagOf<Server.State>> = keyof All[Tag]
type Ends = "Out" | "ShutDown" | "HungUp"

export const legal = [
  holds<Equals<Legal<"AwaitVer">, "Ver" | "VerUncommon" | "CvrTolerated" | "Overdue" | Ends>>(),
  holds<Equals<Legal<"AwaitInfOrUsr">, "Inf" | "UsrInitiate" | "CvrTolerated" | "Overdue" | Ends>>(),
  holds<Equals<Legal<"AwaitUsr">, "UsrInitiate" | "CvrTolerated" | "Overdue" | Ends>>(),
  holds<Equals<Legal<"AwaitAdmission">, "Challenge" | "Refer" | "Deny" | "ShutDown" | "HungUp" | "Overdue">>(),
  holds<Equals<Legal<"AwaitDigest">, "UsrRespond" | "CvrTolerated" | "Overdue" | Ends>>(),
  holds<
    Equals<Legal<"AwaitVerdict">, "Accept" | "Deny" | "Displaced" | "Dismiss" | "ShutDown" | "HungUp" | "Overdue">
  >(),
  holds<Equals<Legal<"LoggedIn">, Further | "Displaced" | "Dismiss" | Ends>>(),
  holds<Equals<Legal<"Closed">, never>>(),
]

/** What goes to the application once the login is done: whatever can be read, but OUT. */
type Further =
  | "Ver"
  | "VerUncommon"
  | "Inf"
  | "UsrInitiate"
  | "UsrMisaddressed"
  | "UsrInitiateMalformed"
  | "UsrRespond"
  | "UsrRespondMalformed"
  | "UsrMalformed"
  | "Cvr"
  | "CvrTolerated"
  | "Foreign"

declare const server: Server.Server
declare const awaitVer: State<"AwaitVer">
declare const awaitInfOrUsr: State<"AwaitInfOrUsr">
declare const awaitVerdict: State<"AwaitVerdict">
declare const awaitDigest: State<"AwaitDigest">
declare const anyState: Server.State
declare const inf: Event<"Inf">
declare const usr: Event<"UsrInitiate">
declare const digest: Event<"UsrRespond">
declare const accept: Event<"Accept">
declare const deny: Event<"Deny">
declare const anyEvent: Server.Event

export const asked: State<"AwaitUsr"> = Server.transition(awaitInfOrUsr, inf).state
export const made: State<"AwaitUsr"> = server.transition(awaitInfOrUsr, inf).state

// @ts-expect-error -- INF lets nobody in.
export const bold: State<"LoggedIn"> = Server.transition(awaitInfOrUsr, inf).state

// @ts-expect-error -- Not everything lets an account in.
export const hopeful: State<"LoggedIn"> = Server.transition(anyState, accept).state

const tag = <S extends { readonly _tag: string }>(step: { readonly state: S }): S["_tag"] => step.state._tag

export const leads = [
  holds<Equals<ReturnType<typeof toVerdict>, "AwaitVerdict">>(),
  holds<Equals<ReturnType<typeof toLoggedIn>, "LoggedIn">>(),
  holds<Equals<ReturnType<typeof toEnd>, "Closed">>(),
  holds<Equals<ReturnType<typeof refused>, "Closed">>(),
  holds<Equals<ReturnType<typeof waiting>, "AwaitVerdict">>(),
  holds<Equals<ReturnType<typeof either>, "LoggedIn" | "Closed">>(),
  holds<Equals<ReturnType<typeof both>, "AwaitAdmission" | "Closed">>(),
  holds<Equals<ReturnType<typeof never>, never>>(),
  holds<Equals<ReturnType<typeof anything>, TagOf<Server.State>>>(),
]

export const toVerdict = () => tag(Server.transition(awaitDigest, digest))
export const toLoggedIn = () => tag(Server.transition(awaitVerdict, accept))
export const toEnd = () => tag(Server.transition(awaitVerdict, deny))
export const refused = () => tag(Server.transition(awaitVer, inf))
export const waiting = () => tag(Server.transition(awaitVerdict, usr))
/** A union of events leads where any of them does. */
export const either = (event: Event<"Accept"> | Event<"Deny">) => tag(Server.transition(awaitVerdict, event))
/** And so does a union of states. */
export const both = (state: State<"AwaitInfOrUsr"> | State<"AwaitVer">) => tag(Server.transition(state, usr))
/** What would be a defect leads nowhere. */
export const never = () => tag(Server.transition(awaitVer, accept))
export const anything = () => tag(Server.transition(anyState, anyEvent))

declare const malformed: Codec.Malformed

export const initiated = malformed.like === "UsrInitiate"
// @ts-expect-error -- No command has this tag: the machine's own comparisons break with a tag that is renamed.
export const misnamed = malformed.like === "UsrInitial"
