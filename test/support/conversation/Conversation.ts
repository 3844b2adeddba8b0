/**
 * A conversation with one machine, as a bystander has it: what the machine was given, and what came of that. Nothing
 * here has read a table; what may come next is told from what was said and asked.
 */
import type { Tagged } from "../../../src/machine/Machine.ts"
import * as Script from "../Script.ts"
import type { Side } from "../Talk.ts"
import { saidOf, talk } from "../Talk.ts"

/** One move of the machine. */
export interface Move {
  readonly from: Tagged
  readonly event: Tagged
  readonly to: Tagged
  readonly actions: ReadonlyArray<Tagged>
}

type Given<E> = Exclude<Script.Input<E>, { readonly _tag: "Remark" }>

/** One input, and what came of it. */
export interface Turn<E> {
  readonly input: Given<E>
  readonly moves: ReadonlyArray<Move>
  readonly said: string
  readonly state: Tagged
  /** The message of a defect, where that is all that came of it. */
  readonly defect: string | undefined
  /** What would come of `Overdue` behind it; nothing but a defect where it is undefined. */
  readonly ifOverdue: Move | undefined
}

/** Something that was told: the field of a state that may know it, and the value as a script describes it. */
export type Fact = readonly [field: string, value: string]

/** Those who keep a machine company: its peer on the wire, its host. What they do is written from the page. */
export interface Company<E> {
  /** Which machine they talk to. */
  readonly to: Script.Script["_tag"]
  /** What no state may hold and nothing may print, from the outset. */
  readonly passwords: ReadonlyArray<string>
  /** The events by which the host decides. */
  readonly decisions: ReadonlyArray<string>
  /** All that the machine may know by now: what it was started with, was told, and has said itself. */
  readonly told: (conversation: Conversation<E>) => ReadonlyArray<Fact>
  /** The words of a line that are data to the machine, with the fields in which it may repeat them, whatever they are. */
  readonly quoted: (words: ReadonlyArray<string>) => ReadonlyArray<Fact>
  /** A line to say, with its blanks filled in; `unheard` is what was said before it and is still on the way. */
  readonly fill: (blank: string, sofar: Pick<Conversation<E>, "heard" | "said">, unheard: string) => string
  /** What honest company does next: nothing where it is not their turn. */
  readonly next: (conversation: Conversation<E>) => Next<E> | undefined
  /** The conversation as a script. */
  readonly script: (inputs: ReadonlyArray<Script.Input<E>>) => Script.Script
}

/** The peer's next line, or the host's decision. */
export type Next<E> =
  | { readonly _tag: "Line"; readonly line: string }
  | { readonly _tag: "Decision"; readonly event: E }

/** What has been given and has come of it so far. */
export interface Conversation<E> {
  readonly company: Company<E>
  readonly turns: Array<Turn<E>>
  /** What the machine said before it was given anything. */
  readonly opening: string
  /** What the peer has said that has not come yet. */
  onTheWay: string
  /** All that has come from the peer, and all that the machine has said. */
  heard: string
  said: string
  /** What the host was asked and has not decided. */
  question: Tagged | undefined
  /** Whether the machine waited for that when the last turn began. */
  wasDeciding: boolean
  /** Whether the machine has closed. */
  over: boolean
}

/** A machine in conversation. */
export interface Attended<E> {
  readonly begin: (company: Company<E>) => Conversation<E>
  readonly hear: (bytes: string) => Turn<E>
  readonly feed: (event: E) => Turn<E>
  /**
   * Hears a line though the machine has closed: the shell made out what it is so many inputs ago, when this had been
   * heard and said.
   */
  readonly hearLate: (inputs: number, line: (sofar: Pick<Conversation<E>, "heard" | "said">) => string) => Turn<E>
}

/** Attends a machine: each move is noted. */
export const attend = <S extends Tagged, E extends Tagged, I, C, Q>(
  side: Side<S, E, I, C, Q>,
  overdue: E,
  onMove: (move: Move) => void = () => {},
): Attended<E> => {
  let moves: Array<Move> = []
  const move = (from: S, event: E) => {
    const { actions, state: to } = side.transition(from, event)
    return { from, event, to, actions }
  }
  const login = talk({
    ...side,
    transition: (state, event) => {
      const made = move(state, event)
      moves.push(made)
      onMove(made)
      return { state: made.to, actions: made.actions }
    },
  })
  const opening = saidOf(login.first)
  const past = Script.pastOf({ state: login.state(), heard: "", said: opening })
  const turn = (input: Given<E>, act: () => Happened): Turn<E> => {
    moves = []
    const { defect, done = [] } = attempt(act)
    const said = saidOf(done)
    const state = login.state()
    const before = past.ago(0)
    past.add({ state, heard: before.heard + (input._tag === "Heard" ? input.bytes : ""), said: before.said + said })
    return { input, moves, said, state, defect, ifOverdue: attempt(() => move(state, overdue)).done }
  }
  return {
    begin: (company) => ({
      company,
      turns: [],
      opening,
      onTheWay: "",
      heard: "",
      said: opening,
      question: undefined,
      wasDeciding: false,
      over: false,
    }),
    hear: (bytes) => turn({ _tag: "Heard", bytes }, () => login.hear(bytes)),
    feed: (event) => turn({ _tag: "Fed", event }, () => login.feed(event)),
    hearLate: (inputs, line) => {
      const { state, ...sofar } = past.ago(inputs)
      const bytes = line(sofar)
      return turn({ _tag: "Late", bytes, inputs }, () => login.hearLate(bytes, state))
    },
  }
}

type Happened = Parameters<typeof saidOf>[0]

/** What was done, or the message of the defect that was met. */
const attempt = <A>(act: () => A): { readonly done?: A; readonly defect: string | undefined } => {
  try {
    return { done: act(), defect: undefined }
  } catch (error) {
    return { defect: String(error) }
  }
}

/** Takes down a turn. */
export const add = <E extends Tagged>(conversation: Conversation<E>, turn: Turn<E>): void => {
  const { input } = turn
  conversation.wasDeciding = conversation.question !== undefined && !conversation.over
  conversation.turns.push(turn)
  conversation.said += turn.said
  if (input._tag === "Heard") conversation.heard += input.bytes
  else if (input._tag === "Fed" && conversation.company.decisions.includes(input.event._tag))
    conversation.question = undefined
  for (const action of turn.moves.flatMap(({ actions }) => actions)) {
    if (isAsk(action)) conversation.question = action.question
    if (action._tag === "Close") conversation.over = true
  }
}

/** Whether an action asks the host something. */
export const isAsk = (action: Tagged): action is Tagged & { readonly question: Tagged } => action._tag === "Ask"

/** The whole lines of some bytes, as words; those that are empty say nothing. */
export const linesOf = (bytes: string): ReadonlyArray<ReadonlyArray<string>> =>
  bytes
    .split("\n")
    .slice(0, -1)
    .map((line) => line.replace(/\r$/, "").replace(/[ \t]+$/, ""))
    .flatMap((line) => (line === "" ? [] : [line.split(/[ \t]+/)]))

/** What has come from the peer, in time or late. */
export const allHeard = <E>({ heard, turns }: Conversation<E>): string =>
  [heard, ...turns.flatMap(({ input }) => (input._tag === "Late" ? [input.bytes] : []))].join("\n")

/** The bytes behind the last whole line. */
export const restOf = (bytes: string): string => bytes.slice(bytes.lastIndexOf("\n") + 1)

/** The events that were fed. */
export const fedIn = <E>({ turns }: Conversation<E>): ReadonlyArray<E> =>
  turns.flatMap(({ input }) => (input._tag === "Fed" ? [input.event] : []))

/** The conversation as a script that plays it. */
export const scriptOf = <E>({ company, turns }: Conversation<E>): Script.Script =>
  company.script(turns.map(({ input }) => input))
