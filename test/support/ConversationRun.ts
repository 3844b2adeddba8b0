/** Conversations by the thousand: what each is made of, which edges they passed, and what is printed of a failure. */
import * as fc from "fast-check"
import type { Tagged } from "../../src/machine/Machine.ts"
import type { Company } from "./Conversation.ts"
import * as Conversation from "./Conversation.ts"
import type { Command } from "./ConversationCommands.ts"
import { GoesOn } from "./ConversationCommands.ts"
import type { Table } from "./ConversationEdges.ts"
import * as Edges from "./ConversationEdges.ts"
import { judge, sentences, Violation } from "./ConversationInvariants.ts"
import * as Script from "./Script.ts"
import type { Side } from "./Talk.ts"

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

/** Checks a property; what it throws besides violations is thrown on. */
export const check = <T extends Array<unknown>>(property: fc.IProperty<T>, { found, runs }: Runs): Checked => {
  const { path, seed } = found ?? {}
  const details = fc.check(property, {
    numRuns: runs,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  })
  if (!details.failed) return { seed: details.seed, failure: undefined }
  const { counterexample, counterexamplePath, errorInstance } = details
  if (!(errorInstance instanceof Violation)) throw errorInstance
  const replayPath = /replayPath="([^"]*)"/.exec(String(counterexample?.at(-1)))?.[1] ?? ""
  const failure = { seed: details.seed, path: counterexamplePath ?? "", replayPath, violation: errorInstance }
  return { seed: details.seed, failure }
}

/** What has come of many conversations with a machine: a failure, or the edges that were passed. */
export interface Held extends Checked {
  readonly missing: ReadonlyArray<string>
  /** How often an edge was passed. */
  readonly count: (edge: string) => number
}

/** How a machine is held against the invariants. */
export interface Options<M> extends Runs {
  /** Breaks the machine, to see that this is found out. */
  readonly breaking?: (side: M) => M
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
  return { ...check(property, { runs, found }), missing: witness.missing(subject.table), count: witness.count }
}

/** Gives the inputs of a script to a machine, and throws where it breaks an invariant. */
export const give = <T extends Honest, S extends Tagged, E extends Tagged, I, C, Q>(
  subject: Subject<T, S, E, I, C, Q>,
  setting: T,
  inputs: ReadonlyArray<Script.Input<E>>,
  breaking: (side: Side<S, E, I, C, Q>) => Side<S, E, I, C, Q> = (side) => side,
): void => {
  const machine = Conversation.attend(breaking(subject.side(setting)), subject.overdue)
  const conversation = machine.begin(subject.company(setting))
  for (const input of inputs) {
    if (input._tag === "Heard") judge(conversation, machine.hear(input.bytes))
    if (input._tag === "Fed") judge(conversation, machine.feed(input.event))
  }
}

const again = (found: Found): string => `It is found again with { found: ${JSON.stringify(found)} }.`

/** What is printed of a failure: which invariant, how to have it again, and the conversation, to be saved. */
export const report = ({ path, replayPath, seed, violation: { breaches, scripts } }: Failure): string =>
  [
    ...breaches.map(({ how, name }) => `${sentences[name]} But ${how}.`),
    again({ seed, path, replayPath }),
    `Save the following as test/transcripts/regressions/${breaches[0]?.name}-${seed}.txt: it is then replayed by each run.`,
    "",
    ...breaches.map(({ name }) => `# ${sentences[name]}`),
    "",
    `${scripts.map(Script.play).join("\n\n")}\n`,
  ].join("\n")

/** Throws what is printed of a failure, if there was one. */
export const assertSound = ({ failure }: Checked): void => {
  if (failure !== undefined) throw new Error(report(failure), { cause: failure.violation })
}

/** Throws, besides, where an edge was missed. */
export const assertHeld = (held: Held): void => {
  assertSound(held)
  const { missing, seed } = held
  if (missing.length > 0) throw new Error(["Never witnessed:", ...missing, again({ seed })].join("\n"))
}
