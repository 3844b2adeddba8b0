/**
 * The kit's mirror: what a table says, as rows to read and as a chart to look at.
 *
 * Any total table will do. What many states have in common is told once, and refusals stand inside the state that
 * refuses: a chart shows the ways through a machine, not every arrow of it. Like the kit it knows nothing of MSN.
 */
import * as Arr from "effect/Array"
import * as Graph from "effect/Graph"
import type { Cell, Rule } from "./Machine.ts"

/** A table, whichever machine's. */
export type Table = { readonly [state: string]: { readonly [event: string]: Cell<string, unknown> } }

/** One cell of a table, with where it stands. */
export interface Entry {
  readonly state: string
  readonly event: string
  readonly cell: Cell<string, unknown>
}

/** Every cell of a table, row by row. */
export const entries = (table: Table): ReadonlyArray<Entry> =>
  Object.entries(table).flatMap(([state, row]) => Object.entries(row).map(([event, cell]) => ({ state, event, cell })))

/** What people call what a table names. */
export interface Words {
  readonly state: (tag: string) => string
  readonly event: (tag: string) => string
  readonly code: (code: unknown) => string
  readonly clause: (name: string) => string
}

/** The table's own names. */
export const plain: Words = { state: (tag) => tag, event: (tag) => tag, code: String, clause: (name) => name }

/** What becomes of an event, in a word or two. */
export const verdict = ({ cell, state }: Pick<Entry, "cell" | "state">, words: Words = plain): string => {
  switch (cell.kind) {
    case "rule":
      return isLoop(cell, state) ? "stays" : `→ ${cell.to.join(" or ")}`
    case "refuse":
      return `refused: ${words.code(cell.code)}`
    case "defer":
      return "waits"
    case "misuse":
      return "cannot come"
    case "ignore":
      return "ignored"
  }
}

/** Whether a rule leads nowhere else. */
const isLoop = ({ to }: { readonly to: ReadonlyArray<string> }, state: string): boolean =>
  to.every((tag) => tag === state)

/** The sentence of a cell: what is done, or why nothing is. */
export const sentence = ({ cell }: Pick<Entry, "cell">): string => {
  switch (cell.kind) {
    case "rule":
      return cell.says
    case "ignore":
      return cell.why
    case "refuse":
    case "defer":
    case "misuse":
      return ""
  }
}

/** The clauses that a cell names. */
export const cites = ({ cell }: Pick<Entry, "cell">): ReadonlyArray<string> => ("cites" in cell ? cell.cites : [])

/** Whether nothing can come of anything any more. */
export const isLast = (row: { readonly [event: string]: Cell<string, unknown> }): boolean =>
  Object.values(row).every(({ kind }) => kind === "ignore")

/** A table in Markdown. */
export const markdown = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}

/** A verdict where space is scarce: of a refusal the code, a dash for what cannot come. */
const mark = (entry: Pick<Entry, "cell" | "state">, words: Words): string => {
  switch (entry.cell.kind) {
    case "refuse":
      return words.code(entry.cell.code)
    case "misuse":
      return "–"
    case "rule":
    case "defer":
    case "ignore":
      return verdict(entry, words)
  }
}

/** The whole table at a glance: a line for each event, a column for each state but the last ones. */
export const matrix = (table: Table, words: Words = plain): string => {
  const states = Object.entries(table).filter(([, row]) => !isLast(row))
  const events = Arr.dedupe(entries(table).map(({ event }) => event))
  return markdown(
    ["", ...states.map(([state]) => words.state(state))],
    events.map((event) => [
      words.event(event),
      ...states.flatMap(([state, row]) => (row[event] === undefined ? [] : [mark({ state, cell: row[event] }, words)])),
    ]),
  )
}

/** One state's row: a line for each verdict, with the events that share it, the sentence and the clauses. */
export const row = (table: Table, state: string, words: Words = plain): string => {
  const shared = Arr.groupBy(
    entries(table).filter((entry) => entry.state === state),
    (entry) => JSON.stringify(entry.cell),
  )
  return markdown(
    ["event", "what becomes of it", "how", "clauses"],
    Object.values(shared).map((group) => [
      group.map(({ event }) => words.event(event)).join(", "),
      verdict(group[0], words),
      sentence(group[0]),
      cites(group[0]).map(words.clause).join(", "),
    ]),
  )
}

/** A box of a chart. */
export type Box =
  | {
      readonly _tag: "State"
      readonly state: string
      /** Whether something waits in it until somebody has decided. */
      readonly deciding: boolean
      /** What may not come, and how each is refused. */
      readonly refusals: ReadonlyArray<Refusal>
    }
  /** A last state, drawn beside each state that leads to it. */
  | { readonly _tag: "End"; readonly state: string; readonly from: string }
  /** What many states have in common. */
  | {
      readonly _tag: "Common"
      readonly moves: ReadonlyArray<Common>
      /** The states in which any of that waits first. */
      readonly delayedIn: ReadonlyArray<string>
    }

/** An event that is refused, and the code. */
export interface Refusal {
  readonly event: string
  readonly code: unknown
}

/** What happens, and what is done: one line at an arrow. */
export interface Move {
  readonly events: ReadonlyArray<string>
  readonly says: string
}

/** A move that many states have in common, and the states that make an exception. */
export interface Common extends Move {
  readonly to: string
  readonly except: ReadonlyArray<string>
}

/** What is drawn of a table: its boxes, and the moves that lead from one to the other. */
export type Chart = Graph.DirectedGraph<Box, ReadonlyArray<Move>>

/** A rule, with where it stands. */
interface Ruled extends Entry {
  readonly cell: Rule<string, string>
}

const isRuled = (entry: Entry): entry is Ruled => entry.cell.kind === "rule"

/** How many states have to share a move for it to be told once. */
const many = 3

/** The same move has the same name, and the same end: that it stays where it is may be its end, too. */
const moveOf = ({ cell, event, state }: Ruled): string =>
  JSON.stringify([event, cell.name, isLoop(cell, state) ? "stays" : cell.to])

/** The chart of a table. */
export const chart = (table: Table): Chart => {
  const moves = entries(table).filter(isRuled)
  const shared = Object.values(Arr.groupBy(moves, moveOf)).filter((group) => group.length >= many)
  const own = moves.filter((move) => !shared.some((group) => group.includes(move)))
  const live = Object.entries(table).filter(([, row]) => !isLast(row))

  return Graph.directed<Box, ReadonlyArray<Move>>((graph) => {
    const boxes = live.map(([state, row]) => ({ state, node: Graph.addNode(graph, boxOf(state, row)) }))

    for (const { node, state } of boxes) {
      const ways = own
        .filter((move) => move.state === state)
        .flatMap((move) => move.cell.to.map((to) => ({ move, to })))
      for (const [to, group] of Object.entries(Arr.groupBy(ways, ({ to }) => to))) {
        const target =
          boxes.find((box) => box.state === to)?.node ?? Graph.addNode(graph, { _tag: "End", state: to, from: state })
        const said = Object.values(Arr.groupBy(group, ({ move }) => JSON.stringify(move.cell)))
        Graph.addEdge(
          graph,
          node,
          target,
          said.map((same) => ({ events: same.map(({ move }) => move.event), says: same[0].move.cell.says })),
        )
      }
    }

    if (shared.length > 0) {
      const events = shared.map(([{ event }]) => event)
      Graph.addNode(graph, {
        _tag: "Common",
        moves: shared.map((group) => common(group, live)),
        delayedIn: live.flatMap(([state, row]) =>
          events.some((event) => row[event]?.kind === "defer") ? [state] : [],
        ),
      })
    }
  })
}

const boxOf = (state: string, row: Table[string]): Box => {
  const cells = Object.entries(row)
  return {
    _tag: "State",
    state,
    deciding: cells.some(([, { kind }]) => kind === "defer"),
    refusals: cells.flatMap(([event, cell]) => (cell.kind === "refuse" ? [{ event, code: cell.code }] : [])),
  }
}

/** Where the event waits, the move is made later: that is no exception. */
const common = (
  group: Arr.NonEmptyReadonlyArray<Ruled>,
  live: ReadonlyArray<readonly [string, Table[string]]>,
): Common => {
  const { cell, event } = group[0]
  const isMade = ([state, row]: readonly [string, Table[string]]): boolean =>
    group.some((move) => move.state === state) || row[event]?.kind === "defer"
  return {
    events: [event],
    says: cell.says,
    to: verdict(group[0]),
    except: live.filter((one) => !isMade(one)).map(([state]) => state),
  }
}

/** More events than these are not listed at an arrow. */
const listed = 3

const happening = (events: ReadonlyArray<string>, words: Words): string =>
  events.length > listed ? "whatever else comes" : events.map(words.event).join(", ")

/** What is told of a common move behind what happens. */
const told = ({ except, says, to }: Common): string =>
  `${except.length === 0 ? "" : ` (but not in ${except.join(", ")})`}: ${says}${to === "stays" ? "" : ` ${to}`}`

/** How a state refuses: one event or two by name, more of them by the codes alone. */
const refused = (refusals: ReadonlyArray<Refusal>, words: Words): ReadonlyArray<string> => {
  if (refusals.length === 0) return []
  const what = refusals.length > 2 ? "the rest" : refusals.map(({ event }) => words.event(event)).join(" and ")
  const codes = Arr.dedupe(refusals.map(({ code }) => words.code(code))).toSorted()
  return [`refuses ${what}: ${codes.join(", ")}`]
}

/** The lines of a box, the first of which is its title. */
const linesOf = (box: Box, words: Words): readonly [string, ...Array<string>] => {
  switch (box._tag) {
    case "State": {
      const about = words.state(box.state)
      return [
        box.state,
        ...(about === box.state ? [] : [about]),
        ...refused(box.refusals, words),
        ...(box.deciding ? ["what is heard waits"] : []),
      ]
    }
    case "End":
      return [box.state]
    case "Common":
      return [
        box.delayedIn.length === 0 ? "In every state above" : "In every state above, though later where it has to wait",
        ...box.moves.map((move) => `${happening(move.events, words)}${told(move)}`),
      ]
  }
}

/** A chart as Mermaid's text; what is common hangs unseen from the last state, so that it comes to stand below. */
export const toMermaid = (chart: Chart, words: Words = plain): string => {
  const boxes = Array.from(Graph.entries(Graph.nodes(chart)))
  const last = boxes.findLast(([, box]) => box._tag === "State")
  const below = boxes.filter(([, box]) => box._tag === "Common")
  return [
    `%%{init: {"flowchart": {"wrappingWidth": 480}}}%%`,
    Graph.toMermaid(chart, {
      nodeLabel: (box) => linesOf(box, words).join("\n"),
      nodeShape: (box) =>
        box._tag === "End" ? "stadium" : box._tag === "State" && box.deciding ? "hexagon" : "rounded",
      edgeLabel: (moves) => moves.map(({ events, says }) => `${happening(events, words)}\n${says}`).join("\n"),
    }),
    ...below.flatMap(([index]) => (last === undefined ? [] : [`  ${last[0]} ~~~ ${index}`])),
  ].join("\n")
}

/** A chart as text for Graphviz: the table's order straight down the middle, its ends beside the states they end. */
export const toDot = (chart: Chart, words: Words = plain): string => {
  const boxes = Array.from(Graph.entries(Graph.nodes(chart)))
  const states = boxes.filter(([, box]) => box._tag === "State").map(([index]) => index)
  const first = states[0]
  const last = states[states.length - 1]
  const isStep = (source: number, target: number): boolean => states.indexOf(target) === states.indexOf(source) + 1

  const arrows = Array.from(Graph.values(Graph.edges(chart)), ({ data, source, target }) => {
    const lines = data.flatMap(({ events, says }) => [bold(happening(events, words)), ...wrapped(says).map(escaped)])
    const label = `label=<<table border="0"><tr><td balign="left">${lines.join("<br/>")}</td></tr></table>>`
    // What ends stands to the left, for which its arrow is drawn from the end to the start.
    return states.includes(target)
      ? `${source} -> ${target} [${isStep(source, target) ? "weight=100, " : ""}${label}]`
      : `${target} -> ${source} [dir=back, ${label}]`
  })

  return [
    "digraph {",
    `  graph [bgcolor="white", pad=0.25, nodesep=0.3, ranksep=0.35]`,
    `  node [fontname="Helvetica", fontsize=13, shape=box, style="rounded,filled", color="#57606a", fillcolor="#eaf2ff", margin="0.18,0.1"]`,
    `  edge [fontname="Helvetica", fontsize=12, color="#57606a", arrowsize=0.8]`,
    ...boxes.map(([index, box]) => `  ${index} [${look(box)}label=<${drawn(box, words)}>]`),
    ...(first === undefined
      ? []
      : [`  start [shape=circle, width=0.16, label="", fillcolor="#57606a"]`, `  start -> ${first}`]),
    ...arrows.map((arrow) => `  ${arrow}`),
    ...boxes.flatMap(([index, box]) => {
      if (box._tag === "State") return []
      if (box._tag === "Common") return last === undefined ? [] : [`  ${last} -> ${index} [style=invis]`]
      const from = boxes.find(([, other]) => other._tag === "State" && other.state === box.from)
      return from === undefined ? [] : [`  { rank=same; ${from[0]}; ${index} }`]
    }),
    "}",
  ].join("\n")
}

const look = (box: Box): string => {
  switch (box._tag) {
    case "State":
      return box.deciding ? `group=path, fillcolor="#fff3d6", ` : "group=path, "
    case "End":
      return `fillcolor="#e6e8eb", `
    case "Common":
      return `style="dashed", `
  }
}

/** The lines of a box: those of a state in its middle, what is common as one column. */
const drawn = (box: Box, words: Words): string => {
  const [title, ...lines] = linesOf(box, words)
  if (box._tag !== "Common") return [bold(title), ...lines.map(escaped).map(small)].join("<br/>")
  const moves = box.moves.map((move) => small(`${bold(happening(move.events, words))}${escaped(told(move))}`))
  return [bold(title), ...moves].map((line) => `${line}<br align="left"/>`).join("")
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
const bold = (text: string): string => `<b>${escaped(text)}</b>`
const small = (html: string): string => `<font point-size="11">${html}</font>`

/** A text in lines of about thirty characters, broken between words. */
const wrapped = (text: string): ReadonlyArray<string> => text.match(/\S(?:.{0,29}(?!\S)|\S*)/g) ?? []
