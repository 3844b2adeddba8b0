/**
 * What can be done in a conversation, as commands for fast-check. Each is done to the machine, taken down and judged.
 * Whether one may be done now is told from the conversation, never from a table.
 */
import * as fc from "fast-check"
import type { Tagged } from "../../../src/machine/Machine.ts"
import type { Attended, Conversation } from "./Conversation.ts"
import { judge } from "./Invariants.ts"
import * as Script from "../Script.ts"

/** Something that is done in a conversation. */
export type Command<E extends Tagged> = fc.Command<Conversation<E>, Attended<E>>

/** Cuts bytes at some percents of their length. */
export const cutAt = (bytes: string, percents: ReadonlyArray<number>): ReadonlyArray<string> => {
  const places = percents.map((percent) => Math.floor((bytes.length * percent) / 100)).toSorted((a, b) => a - b)
  return [...places, bytes.length].map((end, i) => bytes.slice(places[i - 1] ?? 0, end)).filter((piece) => piece !== "")
}

/** The peer says some lines at once; they come in pieces, the last of which may come only with what is said next. */
class Says<E extends Tagged> implements Command<E> {
  readonly #blanks: ReadonlyArray<string>
  readonly #cuts: ReadonlyArray<number>
  readonly #isHeldBack: boolean
  constructor(blanks: ReadonlyArray<string>, cuts: ReadonlyArray<number>, isHeldBack: boolean) {
    this.#blanks = blanks
    this.#cuts = cuts
    this.#isHeldBack = isHeldBack
  }
  check(): boolean {
    return true
  }
  run(conversation: Conversation<E>, machine: Attended<E>): void {
    let bytes = conversation.onTheWay
    for (const blank of this.#blanks) bytes += conversation.company.fill(blank, conversation, bytes)
    const pieces = cutAt(bytes, this.#cuts)
    const coming = this.#isHeldBack ? pieces.slice(0, -1) : pieces
    conversation.onTheWay = bytes.slice(coming.join("").length)
    for (const piece of coming) judge(conversation, machine.hear(piece))
  }
  toString(): string {
    return `says ${Script.escape(this.#blanks.join(""))} cut at ${this.#cuts.join(", ")}${this.#isHeldBack ? "…" : ""}`
  }
}

/** Those who keep the machine company do what is right: what is on the way comes, or the next line, or a decision. */
export class GoesOn<E extends Tagged> implements Command<E> {
  check(conversation: Readonly<Conversation<E>>): boolean {
    return conversation.onTheWay !== "" || conversation.company.next(conversation) !== undefined
  }
  run(conversation: Conversation<E>, machine: Attended<E>): void {
    const next = conversation.company.next(conversation)
    if (conversation.onTheWay !== "") {
      const bytes = conversation.onTheWay
      conversation.onTheWay = ""
      judge(conversation, machine.hear(bytes))
    } else if (next?._tag === "Line") {
      judge(conversation, machine.hear(conversation.company.fill(next.line, conversation, "")))
    } else if (next?._tag === "Decision") judge(conversation, machine.feed(next.event))
  }
  toString(): string {
    return "goes on"
  }
}

/** The host decides what it was asked; the machine may have closed meanwhile. */
export class Decides<E extends Tagged, Q extends Tagged> implements Command<E> {
  readonly #question: Q["_tag"]
  readonly #decide: (question: Q) => E
  constructor(question: Q["_tag"], decide: (question: Q) => E) {
    this.#question = question
    this.#decide = decide
  }
  check({ question }: Readonly<Conversation<E>>): boolean {
    return question?._tag === this.#question
  }
  run(conversation: Conversation<E>, machine: Attended<E>): void {
    if (this.#asks(conversation.question)) judge(conversation, machine.feed(this.#decide(conversation.question)))
  }
  #asks(question: Tagged | undefined): question is Q {
    return question?._tag === this.#question
  }
  toString(): string {
    return `decides on ${this.#question}`
  }
}

/** Something befalls the connection, or the application does something unasked. */
export class Befalls<E extends Tagged> implements Command<E> {
  readonly #event: E
  readonly #when: (conversation: Readonly<Conversation<E>>) => boolean
  constructor(event: E, when: (conversation: Readonly<Conversation<E>>) => boolean = () => true) {
    this.#event = event
    this.#when = when
  }
  check(conversation: Readonly<Conversation<E>>): boolean {
    return this.#when(conversation)
  }
  run(conversation: Conversation<E>, machine: Attended<E>): void {
    judge(conversation, machine.feed(this.#event))
  }
  toString(): string {
    return this.#event._tag
  }
}

/** A line comes to the machine though that has closed: its shell has known for some inputs what it is. */
export class ComesLate<E extends Tagged> implements Command<E> {
  readonly #blank: string
  readonly #inputs: number
  constructor(blank: string, inputs: number) {
    this.#blank = blank
    this.#inputs = inputs
  }
  check({ over }: Readonly<Conversation<E>>): boolean {
    return over
  }
  run(conversation: Conversation<E>, machine: Attended<E>): void {
    const { fill } = conversation.company
    judge(
      conversation,
      machine.hearLate(this.#inputs, (sofar) => fill(this.#blank, sofar, "")),
    )
  }
  toString(): string {
    return `${Script.escape(this.#blank)} comes ${this.#inputs} inputs late`
  }
}

/** One of some lines, as clients and servers end them. */
export const ended = (texts: ReadonlyArray<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom("\r\n", "\r\n", "\n", " \r\n", "\r\n\r\n"))
    .map(([text, end]) => text + end)

/** A line that is said alone. */
export const one = (line: fc.Arbitrary<string>): fc.Arbitrary<ReadonlyArray<string>> => line.map((line) => [line])

/** Lines that are said at once. */
export const says = <E extends Tagged>(blanks: fc.Arbitrary<ReadonlyArray<string>>): fc.Arbitrary<Command<E>> =>
  fc
    .tuple(blanks, fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 3 }), fc.nat(3))
    .map(([blanks, cuts, held]) => new Says<E>(blanks, cuts, held === 3))
