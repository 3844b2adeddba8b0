/** What the types of a client's session forbid. Compiled, never run. */
import type * as Clause from "../../src/login/Clause.ts"
import type { ByTag, Handlers, Table, TagOf } from "../../src/machine/Machine.ts"
import { refuse } from "../../src/machine/Machine.ts"
import * as ClientSession from "../../src/session/ClientSession.ts"
import type { Equals } from "../support/Types.ts"
import { holds } from "../support/Types.ts"

type State<Tag extends TagOf<ClientSession.State>> = ByTag<ClientSession.State, Tag>
type Event<Tag extends TagOf<ClientSession.Event>> = ByTag<ClientSession.Event, Tag>
type All = Handlers<typeof ClientSession.table, ClientSession.State, ClientSession.Event, ClientSession.Action>

declare const handlers: All

const { Chl: _, ...withoutChallenge } = ClientSession.table.AwaitSyn

export const missingCell = {
  ...ClientSession.table,
  // @ts-expect-error -- What becomes of a challenge before the lists are there must be said.
  AwaitSyn: withoutChallenge,
} as const satisfies Table<ClientSession.State, ClientSession.Event, never, Clause.Id>

export const refusal = {
  ...ClientSession.table,
  // @ts-expect-error -- A session of a client's refuses nothing.
  AwaitSyn: { ...ClientSession.table.AwaitSyn, Other: refuse("Silence", "beyond.hear-rest") },
} as const satisfies Table<ClientSession.State, ClientSession.Event, never, Clause.Id>

export const illegalMove: All = {
  ...handlers,
  // @ts-expect-error -- No line is one of the lists before the answer to SYN: it has no handler.
  AwaitSyn: { ...handlers.AwaitSyn, ListLine: handlers.AwaitLists.ListLine },
}

export const shortcut: All = {
  ...handlers,
  // @ts-expect-error -- Another serial leads to the lists, which are not there yet.
  AwaitSyn: { ...handlers.AwaitSyn, SynOther: handlers.AwaitSyn.SynSame },
}

export const futureLists: All["AwaitSyn"]["ListsRefused"] = (state, refusal) => {
  // @ts-expect-error -- Before the answer to SYN, nothing is gathered.
  void state.gathered
  return {
    state: { _tag: "Unsynchronized", trId: state.trId, lists: state.lists, pong: state.pong },
    actions: [{ _tag: "Report", report: refusal }],
  }
}

/** A handler in each state for these events, and for no other: what is legal there. */
type Legal<Tag extends TagOf<ClientSession.State>> = keyof All[Tag]
type Always = Exclude<TagOf<ClientSession.Event>, "Synchronize" | OfLists>
type OfLists = "SynSame" | "SynOther" | "ListLine" | "ListEnd" | "ListsEndless" | "ListsRefused"

export const legal = [
  holds<Equals<Legal<"Unsynchronized">, "Synchronize" | Always>>(),
  holds<Equals<Legal<"AwaitSyn">, "SynSame" | "SynOther" | "ListsRefused" | Always>>(),
  holds<Equals<Legal<"AwaitLists">, "ListLine" | "ListEnd" | "ListsEndless" | "ListsRefused" | Always>>(),
  holds<Equals<Legal<"Synchronized">, "Synchronize" | Always>>(),
  holds<Equals<Legal<"Closed">, never>>(),
]

declare const synchronized: State<"Synchronized">
declare const awaitSyn: State<"AwaitSyn">
declare const unanswered: Event<"Unanswered">
declare const listEnd: Event<"ListEnd">
declare const ping: Event<"Ping">

export const leads = [
  holds<Equals<ReturnType<typeof over>, State<"Closed">>>(),
  holds<Equals<ReturnType<typeof kept>, State<"AwaitSyn">>>(),
  holds<Equals<ReturnType<typeof never>, never>>(),
]

export const over = () => ClientSession.transition(synchronized, unanswered).state
export const kept = () => ClientSession.transition(awaitSyn, ping).state
/** What would be a defect leads nowhere. */
export const never = () => ClientSession.transition(synchronized, listEnd).state
