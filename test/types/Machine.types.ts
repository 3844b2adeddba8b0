/** What the kit's types forbid, shown on a machine of three states. Compiled, never run. */
import type { Handlers, Next, Step, Table } from "../../src/machine/Machine.ts"
import { defer, ignore, make, misuse, refuse, rule } from "../../src/machine/Machine.ts"
import type { Equals } from "../support/Types.ts"
import { holds } from "../support/Types.ts"

type State = { readonly _tag: "Off" } | { readonly _tag: "On"; readonly since: number } | { readonly _tag: "Burnt" }
type Event = { readonly _tag: "Press"; readonly at: number } | { readonly _tag: "Surge" } | { readonly _tag: "Check" }
type Action = { readonly _tag: "Light" }
type Burnt = Extract<State, { readonly _tag: "Burnt" }>

const table = {
  Off: { Press: rule("on", ["On", "Burnt"], "Light.", ""), Surge: refuse(1, ""), Check: misuse },
  On: { Press: rule("off", ["Off"], "Darken.", ""), Surge: refuse(2, ""), Check: defer("") },
  Burnt: { Press: ignore("Burnt."), Surge: ignore("Burnt."), Check: ignore("Burnt.") },
} as const satisfies Table<State, Event, 1 | 2>

export const missingCell = {
  ...table,
  // @ts-expect-error -- A row without a cell for each event is no row.
  On: { Press: table.On.Press, Surge: table.On.Surge },
} as const satisfies Table<State, Event, 1 | 2>

// @ts-expect-error -- A table without a row for each state is no table.
export const missingRow = { Off: table.Off, On: table.On } as const satisfies Table<State, Event, 1 | 2>

export const unknownEvent = {
  ...table,
  // @ts-expect-error -- There is no such event.
  On: { ...table.On, Kick: misuse },
} as const satisfies Table<State, Event, 1 | 2>

export const unknownTarget = {
  ...table,
  // @ts-expect-error -- A rule leads to states that there are.
  On: { ...table.On, Press: rule("off", ["Nowhere"], "", "") },
} as const satisfies Table<State, Event, 1 | 2>

// @ts-expect-error -- A rule leads somewhere.
export const noTarget = rule("off", [], "", "")

export const unknownCode = {
  ...table,
  // @ts-expect-error -- A refusal has one of the machine's codes.
  On: { ...table.On, Surge: refuse(3, "") },
} as const satisfies Table<State, Event, 1 | 2>

type All = Handlers<typeof table, State, Event, Action>

const handlers: All = {
  Off: {
    Press: (_, { at }) =>
      at < 0 ? { state: { _tag: "Burnt" }, actions: [] } : { state: { _tag: "On", since: at }, actions: [] },
  },
  On: { Press: () => ({ state: { _tag: "Off" }, actions: [] }) },
  Burnt: {},
}

// @ts-expect-error -- A rule without a handler.
export const missingHandler: All = { ...handlers, On: {} }

export const refusedHandler: All = {
  ...handlers,
  // @ts-expect-error -- A handler where the table refuses.
  On: { ...handlers.On, Surge: () => ({ state: { _tag: "Off" }, actions: [] }) },
}

export const deferredHandler: All = {
  ...handlers,
  // @ts-expect-error -- A handler where the table defers.
  On: { ...handlers.On, Check: () => ({ state: { _tag: "Off" }, actions: [] }) },
}

export const wrongTarget: All = {
  ...handlers,
  // @ts-expect-error -- The rule leads to Off alone.
  On: { Press: () => ({ state: { _tag: "Burnt" }, actions: [] }) },
}

export const wrongAction: All = {
  ...handlers,
  // @ts-expect-error -- The machine has no such action.
  On: { Press: () => ({ state: { _tag: "Off" }, actions: [{ _tag: "Explode" }] }) },
}

export const futureKnowledge: All = {
  ...handlers,
  // @ts-expect-error -- Nobody knows since when a lamp is on that is off.
  Off: { Press: ({ since }) => ({ state: { _tag: "On", since }, actions: [] }) },
}

const refused = (): Step<Burnt, Action> => ({ state: { _tag: "Burnt" }, actions: [] })
const transition = make<State, Event, Action, 1 | 2>()({ table, handlers, refused })

make<State, Event, Action, 1 | 2>()({
  table,
  handlers,
  // @ts-expect-error -- A refusal leads to a state.
  refused: () => ({ state: { _tag: "Nowhere" }, actions: [] }),
})

type Lead<S extends State["_tag"], E extends Event["_tag"]> = Next<typeof table, State, Event, S, E, Burnt>["_tag"]

holds<Equals<Lead<"Off", "Press">, "On" | "Burnt">>()
holds<Equals<Lead<"On", "Press">, "Off">>()
// A refusal leads where refusals lead; a misuse nowhere; what waits or is late, to where it was.
holds<Equals<Lead<"On", "Surge">, "Burnt">>()
holds<Equals<Lead<"Off", "Check">, never>>()
holds<Equals<Lead<"On", "Check">, "On">>()
holds<Equals<Lead<"Burnt", "Press">, "Burnt">>()
// A union leads wherever any of its members does, and no further.
holds<Equals<Lead<"Off" | "On", "Press">, "Off" | "On" | "Burnt">>()
holds<Equals<Lead<"On", "Surge" | "Check">, "On" | "Burnt">>()
holds<Equals<Lead<State["_tag"], "Check">, "On" | "Burnt">>()

declare const any: State
declare const on: Extract<State, { readonly _tag: "On" }>

export const off: { readonly _tag: "Off" } = transition(on, { _tag: "Press", at: 0 }).state
// @ts-expect-error -- Not every state leads there.
export const notOff: { readonly _tag: "Off" } = transition(any, { _tag: "Press", at: 0 }).state
// @ts-expect-error -- An event carries what it carries.
transition(on, { _tag: "Press" })
