import { describe, expect, it } from "vitest"
import type { Handlers, Step, Table } from "../../src/machine/Machine.ts"
import * as Machine from "../../src/machine/Machine.ts"
import { cells, offences } from "../support/WholeSpace.ts"

/** A vending machine: a coin buys one thing, a bank is asked of notes, and a kick breaks it. */
type State =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Paid"; readonly coins: number }
  | { readonly _tag: "AwaitBank"; readonly coins: number }
  | { readonly _tag: "Broken"; readonly by: string }
type Event =
  | { readonly _tag: "Coin"; readonly value: number }
  | { readonly _tag: "Note" }
  | { readonly _tag: "Push" }
  | { readonly _tag: "Approved" }
type Action =
  | { readonly _tag: "Drop" }
  | { readonly _tag: "AskBank" }
  | { readonly _tag: "Beep"; readonly times: number }

const { defer, ignore, misuse, refuse, rule } = Machine

const table = {
  Idle: {
    Coin: rule("coin", ["Paid"], "Take the coin.", "manual 1"),
    Note: rule("note", ["AwaitBank"], "Ask the bank.", "manual 2"),
    Push: refuse(3, "manual 3"),
    Approved: misuse,
  },
  Paid: {
    Coin: rule("more", ["Paid", "Broken"], "Take the coin; too many break it.", "manual 1"),
    Note: refuse(1, "manual 2"),
    Push: rule("push", ["Idle"], "Drop one thing.", "manual 4"),
    Approved: misuse,
  },
  AwaitBank: {
    Coin: defer("manual 5"),
    Note: defer("manual 5"),
    Push: defer("manual 5"),
    Approved: rule("approved", ["Paid"], "Take the note.", "manual 2"),
  },
  Broken: { Coin: ignore("Broken."), Note: ignore("Broken."), Push: ignore("Broken."), Approved: ignore("Broken.") },
} as const satisfies Table<State, Event, number>

const handlers: Handlers<typeof table, State, Event, Action> = {
  Idle: {
    Coin: (_, { value }) => ({ state: { _tag: "Paid", coins: value }, actions: [] }),
    Note: () => ({ state: { _tag: "AwaitBank", coins: 0 }, actions: [{ _tag: "AskBank" }] }),
  },
  Paid: {
    Coin: ({ coins }, { value }) =>
      coins + value > 9
        ? { state: { _tag: "Broken", by: "coins" }, actions: [] }
        : { state: { _tag: "Paid", coins: coins + value }, actions: [] },
    Push: () => ({ state: { _tag: "Idle" }, actions: [{ _tag: "Drop" }] }),
  },
  AwaitBank: { Approved: ({ coins }) => ({ state: { _tag: "Paid", coins: coins + 5 }, actions: [] }) },
  Broken: {},
}

const refused = (_: State, event: Event, code: number): Step<Extract<State, { _tag: "Broken" }>, Action> => ({
  state: { _tag: "Broken", by: event._tag },
  actions: [{ _tag: "Beep", times: code }],
})

const transition = Machine.make<State, Event, Action, number>()({ table, handlers, refused })

describe("a machine", () => {
  it("does what its handler says where a rule stands", () => {
    expect(transition({ _tag: "Paid", coins: 2 }, { _tag: "Coin", value: 3 })).toEqual({
      state: { _tag: "Paid", coins: 5 },
      actions: [],
    })
    expect(transition({ _tag: "Paid", coins: 2 }, { _tag: "Push" })).toEqual({
      state: { _tag: "Idle" },
      actions: [{ _tag: "Drop" }],
    })
  })

  it("asks the one place that knows what a refusal is, with state, event and code", () => {
    expect(transition({ _tag: "Idle" }, { _tag: "Push" })).toEqual({
      state: { _tag: "Broken", by: "Push" },
      actions: [{ _tag: "Beep", times: 3 }],
    })
    expect(transition({ _tag: "Paid", coins: 2 }, { _tag: "Note" }).actions).toEqual([{ _tag: "Beep", times: 1 }])
  })

  it("gives back the very event that must wait, in the very state", () => {
    const state: State = { _tag: "AwaitBank", coins: 0 }
    const event: Event = { _tag: "Coin", value: 1 }
    const step = transition(state, event)
    expect(step.state).toBe(state)
    const [deferred, ...others] = step.actions
    expect(deferred?._tag === "Postponed" && deferred.event).toBe(event)
    expect(others).toEqual([])
  })

  it("lets a late event change nothing", () => {
    const state: State = { _tag: "Broken", by: "Push" }
    expect(transition(state, { _tag: "Push" })).toEqual({ state, actions: [] })
    expect(transition(state, { _tag: "Push" }).state).toBe(state)
  })

  it("throws where its own shell feeds what cannot come, and says what and where", () => {
    const feed = () => transition({ _tag: "Idle" }, { _tag: "Approved" })
    expect(feed).toThrow(Machine.MisuseError)
    expect(feed).toThrow("Approved was fed to the machine in Idle, where it cannot come")
  })

  it("keeps no state of its own", () => {
    const state: State = { _tag: "Paid", coins: 2 }
    const event: Event = { _tag: "Coin", value: 3 }
    expect(transition(state, event)).toEqual(transition(state, event))
    expect(state).toEqual({ _tag: "Paid", coins: 2 })
  })
})

describe("what is expected in a state", () => {
  it("is the events with a rule, in the order of the table", () => {
    expect(Machine.expected(table.Idle)).toEqual(["Coin", "Note"])
    expect(Machine.expected(table.AwaitBank)).toEqual(["Approved"])
    expect(Machine.expected(table.Broken)).toEqual([])
  })
})

describe("holding a machine against its table", () => {
  const states: ReadonlyArray<State> = [
    { _tag: "Idle" },
    { _tag: "Paid", coins: 1 },
    { _tag: "Paid", coins: 9 },
    { _tag: "AwaitBank", coins: 0 },
    { _tag: "Broken", by: "Push" },
  ]
  const events: ReadonlyArray<Event> = [
    { _tag: "Coin", value: 1 },
    { _tag: "Note" },
    { _tag: "Push" },
    { _tag: "Approved" },
  ]
  const space = {
    table,
    states,
    events,
    isState: () => true,
    refused: (state: State, event: Event, code: unknown) => refused(state, event, Number(code)),
  }

  it("finds nothing where the machine keeps to it", () => {
    expect(offences({ ...space, transition })).toEqual([])
  })

  it("finds each cell that the machine does not keep to", () => {
    const stuck = (state: State) => ({ state, actions: [] })
    const found = offences({ ...space, transition: stuck })
    expect(found).toContain("Coin in Idle leads to Idle")
    expect(found).toContain("Push in Idle is refused in another way")
    expect(found).toContain("Coin in AwaitBank does not give the event back")
    expect(found).toContain("Approved in Idle is a misuse that does not throw")
    expect(found).toContain("Coin in Paid never leads to Broken")
  })

  it("finds a state that is none, and a rule's other end that nothing reaches", () => {
    expect(offences({ ...space, transition, isState: ({ _tag }) => _tag !== "Idle" })).toEqual([
      "Push in Paid leads to a state that is none",
      "Push in Paid leads to a state that is none",
    ])
    expect(offences({ ...space, transition, states: states.filter((state) => state !== states[2]) })).toEqual([
      "Coin in Paid never leads to Broken",
    ])
  })

  it("tells the cells of a kind, with what they are for", () => {
    const deferred = cells(space, "defer").map(({ event, state }) => `${event._tag} in ${state._tag}`)
    expect(deferred).toEqual(["Coin in AwaitBank", "Note in AwaitBank", "Push in AwaitBank"])
  })
})
