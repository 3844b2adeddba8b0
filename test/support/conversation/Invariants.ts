/**
 * What holds of every conversation: each invariant is a sentence, and the judge of it. They see what was given, said
 * and known, and have read no table.
 */
import * as Formatter from "effect/Formatter"
import * as Redacted from "effect/Redacted"
import * as Util from "node:util"
import type { Tagged } from "../../../src/machine/Machine.ts"
import type { Conversation, Turn } from "./Conversation.ts"
import * as Conversations from "./Conversation.ts"
import * as Script from "../Script.ts"

/** The sentences, by name. */
export const sentences = {
  lawful: "A shell that feeds only what can come meets no defect.",
  once: "USR OK is said at most once, and so is USR S.",
  closed: "Nothing is said, asked or handed over behind a close.",
  trId: "Each reply bears the TrID of its command.",
  knowledge: "No state knows what it was not told.",
  secrets:
    "No password comes into anything, no digest into a state or what is printed, but as a peer's words where these are data.",
  waits: "What is heard while the host decides waits until it has.",
  session: "In a session each line is handed over or ends it; outside of one, none is handed over.",
  overdue: "Every waiting state is left by Overdue, without a word.",
  agreement: "Client and server agree on dialect, account and outcome.",
  together: "A pipelined conversation comes to the same as a lock-step one.",
} as const

/** The name of an invariant. */
export type Name = keyof typeof sentences

/** An invariant that was broken, and how. */
export interface Breach {
  readonly name: Name
  readonly how: string
}

/** An invariant does not hold; with the conversation that shows it. */
export class Violation extends Error {
  override readonly name = "Violation"
  readonly breaches: ReadonlyArray<Breach>
  readonly scripts: ReadonlyArray<Script.Script>
  constructor(breaches: ReadonlyArray<Breach>, scripts: ReadonlyArray<Script.Script>) {
    super(breaches.map(({ how, name }) => `${sentences[name]} (${how})`).join("\n"))
    this.breaches = breaches
    this.scripts = scripts
  }
}

/** Says how the last turn of a conversation breaks an invariant: nothing where it does not. */
type Judge = <E extends Tagged>(conversation: Conversation<E>, turn: Turn<E>) => string | undefined

const once: Judge = ({ said }) => {
  const kinds = Conversations.linesOf(said).map((words) => (words[0] === "USR" ? words.slice(2, 4).join(" ") : ""))
  const oks = kinds.filter((kind) => kind.startsWith("OK ")).length
  const subsequents = kinds.filter((kind) => kind === "MD5 S").length
  return oks > 1 || subsequents > 1 ? `${oks} USR OK, ${subsequents} USR S` : undefined
}

const closed: Judge = ({ turns }) => {
  const actions = turns.flatMap(({ moves }) => moves.flatMap((move) => move.actions.map(({ _tag }) => _tag)))
  const close = actions.indexOf("Close")
  const late = close === -1 ? [] : actions.slice(close + 1)
  return late.length === 0 ? undefined : late.join(", ")
}

/** Whether a line is of the one kind that bears no TrID by the protocol, whichever side says it. */
const bearsNone = ([verb]: ReadonlyArray<string>): boolean => verb === "OUT"

/** The TrID of a line; none where it bears none. */
const trIdOf = (words: ReadonlyArray<string>): number | undefined =>
  bearsNone(words) || !/^[0-9]{1,10}$/.test(words[1] ?? "") ? undefined : Number(words[1])

const trIds: Judge = (conversation, turn) =>
  conversation.company.to === "Server" ? repliesInOrder(conversation) : goesOnInOrder(conversation, turn)

/** A server answers line by line, the first reply for the first line; once the client is in, it may pass lines over. */
const repliesInOrder = <E>({ heard, said }: Conversation<E>): string | undefined => {
  const commands = Conversations.linesOf(heard).map(trIdOf)
  let next = 0
  let isIn = false
  for (const words of Conversations.linesOf(said)) {
    if (bearsNone(words)) continue
    const trId = trIdOf(words)
    if (trId === undefined) return `${words.join(" ")} bears no TrID`
    const at = isIn ? commands.indexOf(trId, next) : next
    if (commands[at] !== trId) return `${words.join(" ")} is no reply to command ${next + 1}`
    next = at + 1
    isIn ||= words[2] === "OK"
  }
  return undefined
}

/** A client counts its TrIDs, and goes on behind its opening only behind lines that bear the TrIDs of those before. */
const goesOnInOrder = <E>({ heard, opening, said }: Conversation<E>, { state }: Turn<E>): string | undefined => {
  const commands = Conversations.linesOf(said)
    .filter((words) => !bearsNone(words))
    .map(trIdOf)
  const at = commands.findIndex((trId, i) => trId !== i + 1)
  if (at !== -1) return `command ${at + 1} bears ${commands[at] ?? "no TrID"}`
  const isAnswered = state._tag === "LoggedIn" || state._tag === "Referred"
  const goesOn = commands.length > Conversations.linesOf(opening).length
  const answered = isAnswered ? commands : goesOn ? commands.slice(0, -1) : []
  let rest = Conversations.linesOf(heard).map(trIdOf)
  for (const trId of answered) {
    const answer = rest.indexOf(trId)
    if (answer === -1) return `it went on behind its command ${trId}, which nothing answers`
    rest = rest.slice(answer + 1)
  }
  return undefined
}

/** Of a reason's fields, what the machine judges for itself. */
const judged = ["expected", "awaiting", "got"]

const isTagged = (value: unknown): value is Tagged => typeof value === "object" && value !== null && "_tag" in value

/** What a state knows, as facts. */
const knownIn = (value: object): ReadonlyArray<Conversations.Fact> =>
  Object.entries(value).flatMap(([field, inner]: [string, unknown]) => {
    if (field === "_tag" || judged.includes(field)) return []
    if (field === "reason" && isTagged(inner)) return [["reason", inner._tag] as const, ...knownIn(inner)]
    return [[field, Script.describe(inner)] as const]
  })

const knowledge: Judge = (conversation, { state }) => {
  const told = conversation.company.told(conversation)
  const untold = knownIn(state).filter(([field, value]) => !told.some((fact) => fact[0] === field && fact[1] === value))
  return untold.length === 0
    ? undefined
    : untold.map(([field, value]) => `${state._tag} knows ${field}: ${value}`).join(", ")
}

/**
 * What must not be found, in small letters: passwords, and the digests that were said or answered with. A machine is
 * given no password; it may be said one all the same, by a peer that is confused.
 */
const secretsOf = <E extends Tagged>(conversation: Conversation<E>): ReadonlyArray<string> => [
  ...conversation.company.passwords,
  ...(Conversations.allHeard(conversation).match(/(?<![^ \t])[0-9a-fA-F]{32}(?![^ \t\r\n])/g) ?? []).map((digest) =>
    digest.toLowerCase(),
  ),
  ...Conversations.fedIn(conversation).flatMap((event) =>
    "digest" in event ? textsIn(event.digest).map(({ text }) => text) : [],
  ),
]

/** Whatever a person or a program could print of some values, in small letters. */
const printed = (values: ReadonlyArray<unknown>): string =>
  [
    Util.inspect(values, { depth: Infinity, showHidden: true }),
    JSON.stringify(values),
    Formatter.format(values),
    ...values.map(String),
  ]
    .join("\n")
    .toLowerCase()

/** A text somewhere in a value, in small letters: the tag of what bears it, the field, the text. */
interface Leaf {
  readonly bearer: string
  readonly field: string
  readonly text: string
}

/** All texts in a value, those that are wrapped too. */
const textsIn = (value: unknown, bearer = "", field = ""): ReadonlyArray<Leaf> => {
  if (typeof value === "string") return [{ bearer, field, text: value.toLowerCase() }]
  if (Redacted.isRedacted(value)) return textsIn(Redacted.value(value), bearer, field)
  if (Array.isArray(value)) return value.flatMap((inner) => textsIn(inner, bearer, field))
  if (typeof value !== "object" || value === null) return []
  const tag = isTagged(value) ? value._tag : bearer
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, tag, name))
}

/** The events, commands and questions that may carry a digest, wrapped, in a field of that name. */
const carriers = ["UsrRespond", "Answer", "Verdict"]

/** Whether a text is a digest, alone, where one may be. */
const isCarried = ({ bearer, field, text }: Leaf): boolean =>
  field === "digest" && carriers.includes(bearer) && /^[0-9a-f]{32}$/.test(text)

/** A text without what is quoted in it: the words of the peer that are data in that field. */
const unquoted = (text: string, field: string, quoted: ReadonlyArray<Conversations.Fact>): string =>
  quoted.reduce((rest, [name, words]) => (name === field ? rest.replaceAll(words, "") : rest), text.toLowerCase())

/** A copy of a value without what is quoted in it; what is wrapped stays as it is. */
const withoutQuotes = (value: unknown, quoted: ReadonlyArray<Conversations.Fact>, field = ""): unknown => {
  if (typeof value === "string") return unquoted(value, field, quoted)
  if (Array.isArray(value)) return value.map((inner) => withoutQuotes(inner, quoted, field))
  if (typeof value !== "object" || value === null || Redacted.isRedacted(value)) return value
  const fields = Object.entries(value).map(([name, inner]) => [name, withoutQuotes(inner, quoted, name)] as const)
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object) as object, Object.fromEntries(fields))
}

/**
 * A peer may say a secret in the clear where it is data, as a friendly name: a machine can but take it for that, and
 * what it makes of these words in the field for them is exempt, nothing else. A command of the application is handed
 * over with all its words, too; but that is the shell's doing, and nothing of it is in an event or an action.
 */
const secrets: Judge = (conversation, { moves, state }) => {
  const hidden = secretsOf(conversation)
  const betrays = (text: string) => hidden.some((secret) => text.includes(secret))
  const quoted = Conversations.linesOf(Conversations.allHeard(conversation))
    .flatMap(conversation.company.quoted)
    .map(([field, words]) => [field, words.toLowerCase()] as const)
    .filter(([, words]) => betrays(words))
  const isTold = (leaf: Leaf) => betrays(unquoted(leaf.text, leaf.field, quoted))
  const holds = (value: object) => textsIn(value).some((leaf) => !isCarried(leaf) && isTold(leaf))
  if (textsIn(state).some(isTold)) return `one is in ${state._tag}`
  for (const { actions, event, to } of moves) {
    const values = [event, to, ...actions]
    const shown = quoted.length === 0 ? values : values.map((value) => withoutQuotes(value, quoted))
    if (betrays(printed(shown))) return `one is in what is printed of ${event._tag}`
    if (values.some(holds)) return `one is in what came of ${event._tag}`
  }
  return undefined
}

const waits: Judge = ({ company, wasDeciding }, { input, moves }) => {
  let isDeciding = wasDeciding
  for (const [i, { actions, event, from, to }] of moves.entries()) {
    const isFed = i === 0 && input._tag === "Fed"
    const isPostponed = from === to && actions.map(({ _tag }) => _tag).join(", ") === "Postponed"
    if (isDeciding && !isFed && !isPostponed) {
      return `${event._tag} did not wait`
    }
    if (isFed && company.decisions.includes(event._tag)) isDeciding = false
    if (actions.some(Conversations.isAsk)) isDeciding = true
    if (actions.some(({ _tag }) => _tag === "Close")) isDeciding = false
  }
  return undefined
}

const session: Judge = (_, { input, moves }) => {
  for (const [i, { actions, event, from }] of moves.entries()) {
    const isHeard = i > 0 || input._tag !== "Fed"
    const done = actions.map(({ _tag }) => _tag)
    const isIn = from._tag === "LoggedIn"
    if (!isIn && done.includes("Deliver")) return `${event._tag} was handed over in ${from._tag}`
    if (isIn && isHeard && !done.includes("Deliver") && !done.includes("Close")) return `${event._tag} was lost`
  }
  return undefined
}

const overdue: Judge = ({ over }, { ifOverdue, state }) => {
  if (ifOverdue === undefined) return `in ${state._tag} it is a defect`
  const { actions, to } = ifOverdue
  const done = actions.map(({ _tag }) => _tag).join(", ")
  const isWaiting = !over && state._tag !== "LoggedIn"
  const isRight = isWaiting ? to._tag === "Closed" && done === "Close" : to === state && done === ""
  return isRight ? undefined : `in ${state._tag} it leads to ${to._tag} (${done})`
}

const judges: { readonly [name in Name]?: Judge } = {
  lawful: (_, { defect }) => defect,
  once,
  closed,
  trId: trIds,
  knowledge,
  secrets,
  waits,
  session,
  overdue,
}

const names = Object.keys(sentences) as ReadonlyArray<Name>

/** The invariants that the last turn of a conversation breaks. */
const breachesOf = <E extends Tagged>(conversation: Conversation<E>): ReadonlyArray<Breach> => {
  const turn = conversation.turns.at(-1)
  if (turn === undefined) return []
  return names.flatMap((name) => {
    const how = judges[name]?.(conversation, turn)
    return how === undefined ? [] : [{ name, how }]
  })
}

/** Takes down a turn, and throws where it breaks an invariant. */
export const judge = <E extends Tagged>(conversation: Conversation<E>, turn: Turn<E>): void => {
  Conversations.add(conversation, turn)
  const broken = breachesOf(conversation)
  if (broken.length > 0) throw new Violation(broken, [Conversations.scriptOf(conversation)])
}
