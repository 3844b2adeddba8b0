import * as Graph from "effect/Graph"
import { describe, expect, it } from "vitest"
import * as Atlas from "../../src/machine/Atlas.ts"
import { defer, ignore, misuse, refuse, rule } from "../../src/machine/Machine.ts"

/** A turnstile: a ticket is read, somebody at the office decides, and a kick breaks it in whichever state. */
const kick = rule("kick", ["Broken"], "Ring.", "vandals")
const late = ignore("It is broken.")

const table = {
  Locked: {
    Ticket: rule("ticket", ["Asking"], "Ask the office.", "tickets", "office"),
    Push: refuse(1, "order"),
    Approved: misuse,
    Rejected: misuse,
    Kick: kick,
  },
  Asking: {
    Ticket: defer("patience"),
    Push: defer("patience"),
    Approved: rule("approved", ["Open"], "Open <the> arm.", "office"),
    Rejected: rule("rejected", ["Locked"], "Say no.", "office"),
    Kick: kick,
  },
  Open: {
    Ticket: refuse("Silence", "order"),
    Push: rule("push", ["Open", "Broken"], "Let one through.", "order"),
    Approved: misuse,
    Rejected: misuse,
    Kick: kick,
  },
  Broken: { Ticket: late, Push: late, Approved: late, Rejected: late, Kick: late },
}

const words: Atlas.Words = {
  state: (tag) => `state ${tag}`,
  event: (tag) => tag.toLowerCase(),
  code: (code) => (code === "Silence" ? "nothing" : `code ${String(code)}`),
  clause: (name) => `[${name}]`,
}

describe("the cells of a table", () => {
  it("are told row by row", () => {
    const entries = Atlas.entries(table)
    expect(entries).toHaveLength(20)
    expect(entries[1]).toEqual({ state: "Locked", event: "Push", cell: table.Locked.Push })
    expect(entries[19]).toEqual({ state: "Broken", event: "Kick", cell: late })
  })

  it.each([
    ["Locked", table.Locked.Ticket, "→ Asking", "Ask the office.", ["tickets", "office"]],
    ["Open", table.Open.Push, "→ Open or Broken", "Let one through.", ["order"]],
    ["Open", rule("turn", ["Open"], "Turn.", "order"), "stays", "Turn.", ["order"]],
    ["Locked", table.Locked.Push, "refused: 1", "", ["order"]],
    ["Asking", table.Asking.Push, "waits", "", ["patience"]],
    ["Locked", misuse, "cannot come", "", []],
    ["Broken", late, "ignored", "It is broken.", []],
  ])("have a verdict, a sentence and clauses: in %s, %j", (state, cell, verdict, sentence, cites) => {
    expect(Atlas.verdict({ state, cell })).toBe(verdict)
    expect(Atlas.sentence({ cell })).toBe(sentence)
    expect(Atlas.cites({ cell })).toEqual(cites)
  })
})

describe("a table in Markdown", () => {
  it("has a line for each event, and a column for each state in which something may come of it", () => {
    expect(Atlas.matrix(table, words).split("\n")).toEqual([
      "|  | state Locked | state Asking | state Open |",
      "| --- | --- | --- | --- |",
      "| ticket | → Asking | waits | nothing |",
      "| push | code 1 | waits | → Open or Broken |",
      "| approved | – | → Open | – |",
      "| rejected | – | → Locked | – |",
      "| kick | → Broken | → Broken | → Broken |",
    ])
  })

  it("has a line for each cell of a state, and names all events that share it", () => {
    expect(Atlas.row(table, "Asking", words).split("\n")).toEqual([
      "| event | what becomes of it | how | clauses |",
      "| --- | --- | --- | --- |",
      "| ticket, push | waits |  | [patience] |",
      "| approved | → Open | Open <the> arm. | [office] |",
      "| rejected | → Locked | Say no. | [office] |",
      "| kick | → Broken | Ring. | [vandals] |",
    ])
  })

  it("has a bar in a cell escaped", () => {
    expect(Atlas.markdown(["a"], [["b|c"]])).toBe("| a |\n| --- |\n| b\\|c |")
  })
})

describe("a chart", () => {
  const chart = Atlas.chart(table)
  const boxes = Array.from(Graph.values(Graph.nodes(chart)))

  it("has a box for each state that is not the last, and says how it refuses", () => {
    expect(boxes.slice(0, 3)).toEqual([
      { _tag: "State", state: "Locked", deciding: false, refusals: [{ event: "Push", code: 1 }] },
      { _tag: "State", state: "Asking", deciding: true, refusals: [] },
      { _tag: "State", state: "Open", deciding: false, refusals: [{ event: "Ticket", code: "Silence" }] },
    ])
  })

  it("has an end of its own for each state that leads to one", () => {
    expect(boxes.slice(3, 4)).toEqual([{ _tag: "End", state: "Broken", from: "Open" }])
  })

  it("tells once what three states or more have in common", () => {
    expect(boxes.slice(4)).toEqual([
      { _tag: "Common", moves: [{ events: ["Kick"], says: "Ring.", to: "→ Broken", except: [] }], delayedIn: [] },
    ])
  })

  it("has an arrow for each other way from one state to the next, and none for refusals", () => {
    expect(Array.from(Graph.values(Graph.edges(chart)))).toEqual([
      { source: 0, target: 1, data: [{ events: ["Ticket"], says: "Ask the office." }] },
      { source: 1, target: 2, data: [{ events: ["Approved"], says: "Open <the> arm." }] },
      { source: 1, target: 0, data: [{ events: ["Rejected"], says: "Say no." }] },
      { source: 2, target: 2, data: [{ events: ["Push"], says: "Let one through." }] },
      { source: 2, target: 3, data: [{ events: ["Push"], says: "Let one through." }] },
    ])
  })

  it("has nothing in common where two states share a move", () => {
    const go = rule("go", ["End"], "Go.", "x")
    const fewer = Array.from(
      Graph.values(Graph.nodes(Atlas.chart({ A: { Go: go }, B: { Go: go }, End: { Go: late } }))),
    )
    expect(fewer.map(({ _tag }) => _tag)).toEqual(["State", "State", "End", "End"])
  })

  it("names the states that make an exception, but for those in which the event waits", () => {
    const all = {
      A: { Go: rule("go", ["End"], "Go.", "x") },
      B: { Go: rule("go", ["End"], "Go.", "x") },
      C: { Go: rule("go", ["End"], "Go.", "x") },
      Waiting: { Go: defer("x") },
      Deaf: { Go: misuse },
      End: { Go: late },
    }
    expect(Array.from(Graph.values(Graph.nodes(Atlas.chart(all)))).at(-1)).toEqual({
      _tag: "Common",
      moves: [{ events: ["Go"], says: "Go.", to: "→ End", except: ["Deaf"] }],
      delayedIn: ["Waiting"],
    })
    expect(Atlas.toMermaid(Atlas.chart(all))).toContain(
      "In every state above, though later where it has to wait<br/>Go #40;but not in Deaf#41;: Go.",
    )
  })

  it("is Mermaid's text", () => {
    expect(Atlas.toMermaid(chart, words).split("\n")).toEqual([
      '%%{init: {"flowchart": {"wrappingWidth": 480}}}%%',
      "flowchart TD",
      '  0("Locked<br/>state Locked<br/>refuses push: code 1")',
      '  1{{"Asking<br/>state Asking<br/>what is heard waits"}}',
      '  2("Open<br/>state Open<br/>refuses ticket: nothing")',
      '  3(["Broken"])',
      '  4("In every state above<br/>kick: Ring. → Broken")',
      '  0 -->|"ticket<br/>Ask the office."| 1',
      '  1 -->|"approved<br/>Open #lt;the#gt; arm."| 2',
      '  1 -->|"rejected<br/>Say no."| 0',
      '  2 -->|"push<br/>Let one through."| 2',
      '  2 -->|"push<br/>Let one through."| 3',
      "  2 ~~~ 4",
    ])
  })

  it("is text for Graphviz: steps straight down, ends beside their states, nothing that its labels could break", () => {
    const dot = Atlas.toDot(chart)
    const label = (text: string) => `label=<<table border="0"><tr><td balign="left">${text}</td></tr></table>>`
    expect(dot.split("\n").slice(4)).toEqual([
      '  0 [group=path, label=<<b>Locked</b><br/><font point-size="11">refuses Push: 1</font>>]',
      '  1 [group=path, fillcolor="#fff3d6", label=<<b>Asking</b><br/><font point-size="11">what is heard waits</font>>]',
      '  2 [group=path, label=<<b>Open</b><br/><font point-size="11">refuses Ticket: Silence</font>>]',
      '  3 [fillcolor="#e6e8eb", label=<<b>Broken</b>>]',
      '  4 [style="dashed", label=<<b>In every state above</b><br align="left"/><font point-size="11"><b>Kick</b>: Ring. → Broken</font><br align="left"/>>]',
      '  start [shape=circle, width=0.16, label="", fillcolor="#57606a"]',
      "  start -> 0",
      `  0 -> 1 [weight=100, ${label("<b>Ticket</b><br/>Ask the office.")}]`,
      `  1 -> 2 [weight=100, ${label("<b>Approved</b><br/>Open &lt;the&gt; arm.")}]`,
      `  1 -> 0 [${label("<b>Rejected</b><br/>Say no.")}]`,
      `  2 -> 2 [${label("<b>Push</b><br/>Let one through.")}]`,
      `  3 -> 2 [dir=back, ${label("<b>Push</b><br/>Let one through.")}]`,
      "  { rank=same; 2; 3 }",
      "  2 -> 4 [style=invis]",
      "}",
    ])
  })

  it("names one refused event or two, and of more only how they are refused", () => {
    const start = { A: refuse(2, "x"), B: refuse(1, "x"), C: refuse(2, "x") }
    const boxOf = (row: Partial<typeof start>) =>
      Atlas.toMermaid(Atlas.chart({ Start: row }))
        .split("\n")
        .find((line) => line.includes("refuses"))
    expect(boxOf({ A: start.A, B: start.B })).toBe('  0("Start<br/>refuses A and B: 1, 2")')
    expect(boxOf(start)).toBe('  0("Start<br/>refuses the rest: 1, 2")')
  })

  it("lists three events at an arrow, and no more; breaks a long sentence between its words", () => {
    const go = rule("go", ["End"], "Say as much as does not go into one line of a label.", "x")
    const three = { Start: { A: go, B: go, C: go, D: misuse }, End: { A: late, B: late, C: late, D: late } }
    const four = { ...three, Start: { A: go, B: go, C: go, D: go } }
    expect(Atlas.toMermaid(Atlas.chart(three))).toContain('|"A, B, C<br/>Say as')
    expect(Atlas.toMermaid(Atlas.chart(four))).toContain('|"whatever else comes<br/>Say as')
    expect(Atlas.toDot(Atlas.chart(three))).toContain("Say as much as does not go<br/>into one line of a label.<")
  })
})
