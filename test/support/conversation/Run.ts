/** Conversations by the thousand: what each is made of, which edges they passed, and what is printed of a failure. */
import * as fc from "fast-check"
import type { Table } from "../../../src/machine/Atlas.ts"
import type { Tagged } from "../../../src/machine/Machine.ts"
import type { Attended, Company } from "./Conversation.ts"
import * as Conversation from "./Conversation.ts"
import type { Command } from "./Commands.ts"
import { GoesOn } from "./Commands.ts"
import * as Edges from "./Edges.ts"
import { judge, sentences, Violation } from "./Invariants.ts"
import * as Script from "../Script.ts"
import type { Side } from "../Talk.ts"

/** For how many steps a conversation is honest, before anything may happen in it. */
export interface Honest {
  readonly honest: number
}

/** A machine, and all that may be said to it and done with it. */
export interface Subject<T extends Honest, S extends Tagged, E extends Tagged, I, C, Q> {
  readonly table: Table
  /** What each conversation begins with. */
  readonly settings: fc.Arbitrary<T>
  readonly side: (setting: T) => Side<S, E, I, C, Q>
  readonly company: (setting: T) => Company<E>
  /** What may be done, by who does it. */
  readonly kinds: { readonly [kind: string]: ReadonlyArray<fc.Arbitrary<Command<E>>> }
  readonly overdue: E
  /** Edges that no conversation can pass. */
  readonly unreachable: ReadonlyArray<string>
}

/** Where a run began, and where in it a failure was found: given back, it is found again. */
export interface Found {
  readonly seed: number
  readonly path?: string
  readonly replayPath?: string
}

/** How many conversations there are to be; a seed of its own for each run, unless one is given back. */
export interface Runs {
  readonly runs: number
  readonly found?: Found | undefined
}

/** An invariant that a conversation broke, and how to have that again. */
export interface Failure extends Required<Found> {
  readonly violation: Violation
}

/** What a run has come to. */
interface Checked {
  readonly seed: number
  readonly failure: Failure | undefined
}

/** The commands of one conversation. */
export const commandsOf = <M extends object, R>(
  arbitraries: ReadonlyArray<fc.Arbitrary<fc.Command<M, R>>>,
  maxCommands: number,
  found: Found | undefined,
): fc.Arbitrary<Iterable<fc.Command<M, R>>> =>
  fc.commands([...arbitraries], {
    maxCommands,
    size: "max",
    ...(found?.replayPath !== undefined && { replayPath: found.replayPath }),
  })

/** Checks a property, which throws violations; anything else that it throws is our own fault. */
export const check = <T extends Array<unknown>>(property: fc.IProperty<T>, { found, runs }: Runs): Checked => {
  const { path, seed } = found ?? {}
  const details = fc.check(property, {
    numRuns: runs,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  })
  if (!details.failed) return { seed: details.seed, failure: undefined }
  const { counterexample, counterexamplePath, errorInstance } = details
  if (!(errorInstance instanceof Violation)) {
    throw new Error(again({ seed: details.seed, path: counterexamplePath ?? "" }), { cause: errorInstance })
  }
  const replayPath = /replayPath="([^"]*)"/.exec(String(counterexample?.at(-1)))?.[1] ?? ""
  const failure = { seed: details.seed, path: counterexamplePath ?? "", replayPath, violation: errorInstance }
  return { seed: details.seed, failure }
}

/** What has come of many conversations with a machine: a failure, or how often each edge was passed. */
interface Held extends Checked {
  readonly count: (edge: string) => number
  /** The edges that were never passed, and could have been. */
  readonly missing: ReadonlyArray<string>
}

/** A run with a machine that may be broken, to see that this is found out. */
export interface Breakable<M> extends Runs {
  readonly breaking?: (side: M) => M
}

/** A run in which, besides, somebody may be missing. */
interface Options<M> extends Breakable<M> {
  /** Leaves out what these would do. */
  readonly without?: ReadonlyArray<string>
}

/** Has many conversations with a machine. */
export const hold = <T extends Honest, S extends Tagged, E extends Tagged, I, C, Q>(
  subject: Subject<T, S, E, I, C, Q>,
  { breaking = (side) => side, found, runs, without = [] }: Options<Side<S, E, I, C, Q>>,
): Held => {
  const witness = Edges.witness()
  const kinds = Object.entries(subject.kinds).filter(([kind]) => !without.includes(kind))
  const commands = commandsOf(
    kinds.flatMap(([, arbitraries]) => arbitraries),
    12,
    found,
  )
  const property = fc.property(subject.settings, commands, (setting, commands) => {
    const machine = Conversation.attend(breaking(subject.side(setting)), subject.overdue, witness.see)
    const conversation = machine.begin(subject.company(setting))
    const goesOn = new GoesOn<E>()
    for (let i = 0; i < setting.honest && goesOn.check(conversation); i++) goesOn.run(conversation, machine)
    fc.modelRun(() => ({ model: conversation, real: machine }), commands)
  })
  const checked = check(property, { runs, found })
  const missing = Edges.edgesOf(subject.table).filter(
    (edge) => witness.count(edge) === 0 && !subject.unreachable.includes(edge),
  )
  return { ...checked, count: witness.count, missing }
}

/** Gives inputs to a machine, and throws where it breaks an invariant. */
export const giveTo = <E extends Tagged>(
  { conversation, machine }: { readonly conversation: Conversation.Conversation<E>; readonly machine: Attended<E> },
  inputs: ReadonlyArray<Script.Input<E>>,
): void => {
  const give = (input: Exclude<Script.Input<E>, { readonly _tag: "Remark" }>) => {
    switch (input._tag) {
      case "Heard":
        return machine.hear(input.bytes)
      case "Late":
        return machine.hearLate(input.inputs, () => input.bytes)
      case "Fed":
        return machine.feed(input.event)
    }
  }
  for (const input of inputs) if (input._tag !== "Remark") judge(conversation, give(input))
}

/** Gives the inputs of a script to a machine of its own, and throws where that breaks an invariant. */
export const give = <T extends Honest, S extends Tagged, E extends Tagged, I, C, Q>(
  subject: Subject<T, S, E, I, C, Q>,
  setting: T,
  inputs: ReadonlyArray<Script.Input<E>>,
  breaking: ((side: Side<S, E, I, C, Q>) => Side<S, E, I, C, Q>) | undefined = (side) => side,
): void => {
  const machine = Conversation.attend(breaking(subject.side(setting)), subject.overdue)
  giveTo({ machine, conversation: machine.begin(subject.company(setting)) }, inputs)
}

const again = ({ path, replayPath, seed }: Found): string =>
  `It is found again with { found: ${JSON.stringify({ seed, path, replayPath })} }.`

/** A script as text, if it can be played at all. */
const played = (script: Script.Script): string => {
  try {
    return Script.play(script)
  } catch (error) {
    return `# This cannot be played: ${String(error)}\n# ${JSON.stringify(script)}`
  }
}

/** What is printed of a failure: which invariant, how to have it again, and the conversation, to be saved. */
export const report = ({ path, replayPath, seed, violation: { breaches, scripts } }: Failure): string =>
  [
    ...breaches.map(({ how, name }) => `${sentences[name]} But ${how}.`),
    again({ path, replayPath, seed }),
    `Save the following as test/transcripts/regressions/${breaches[0]?.name}-${seed >>> 0}.txt: it is then replayed by each run.`,
    "",
    ...breaches.map(({ name }) => `# ${sentences[name]}`),
    "",
    `${scripts.map(played).join("\n\n")}\n`,
  ].join("\n")

/** Throws what is printed of a failure, if there was one. */
export const assertSound = ({ failure }: Checked): void => {
  if (failure !== undefined) throw new Error(report(failure), { cause: failure.violation })
}

/** Throws, besides, where something was missed. */
export const assertHeld = (held: Omit<Held, "count">): void => {
  assertSound(held)
  const { missing, seed } = held
  if (missing.length > 0) throw new Error(["Never witnessed:", ...missing, again({ seed })].join("\n"))
}
