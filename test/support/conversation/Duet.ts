/** Our client and our server in conversation: what one says comes to the other in pieces, whenever it comes. */
import * as fc from "fast-check"
import * as Redacted from "effect/Redacted"
import type * as Client from "../../../src/login/Client.ts"
import type * as Server from "../../../src/login/Server.ts"
import type { Tagged } from "../../../src/machine/Machine.ts"
import * as Account from "../../../src/protocol/Account.ts"
import type * as ErrorCode from "../../../src/protocol/ErrorCode.ts"
import * as Quirk from "../../../src/protocol/Quirk.ts"
import type { Attended, Conversation, Turn } from "./Conversation.ts"
import * as Conversations from "./Conversation.ts"
import { judge, Violation } from "./Invariants.ts"
import type { Runs } from "./Run.ts"
import { check, commandsOf, giveTo } from "./Run.ts"
import * as WithClient from "./WithClient.ts"
import * as WithServer from "./WithServer.ts"
import type * as Script from "../Script.ts"

/** What both begin with, and what the server's host has in mind. */
interface Setting {
  readonly options: Client.Options
  readonly quirks: ReadonlyArray<Quirk.Quirk>
  readonly password: string
  readonly admission: "Challenge" | "Refer" | Code
  /** Says so whatever the digest is; else the digest decides. */
  readonly verdict: "Digest" | Code
}

type Code = ErrorCode.Denial | ErrorCode.Trouble

/** One of the two. */
interface Party<E extends Tagged> {
  readonly conversation: Conversation<E>
  readonly machine: Attended<E>
  readonly decide: (question: Tagged) => E
  readonly hungUp: E
}

/** The two, and whether anything but their talk has happened. */
interface Duet {
  readonly client: Party<Client.Event>
  readonly server: Party<Server.Event>
  isDisturbed: boolean
}

type Self = "client" | "server"
const other = { client: "server", server: "client" } as const

const stateOf = <E>({ turns }: Conversation<E>): Tagged | undefined => turns.at(-1)?.state

/** Takes down what one made of something, and puts on the way to the other what it said. */
const take = <E extends Tagged>(duet: Duet, self: Self, { conversation }: Party<E>, turn: Turn<E>): void => {
  judge(conversation, turn)
  duet[other[self]].conversation.onTheWay += turn.said
  const how = disagreement(duet)
  if (how !== undefined) throw disagreed(duet, how)
}

const disagreed = ({ client, server }: Duet, how: string): Violation =>
  new Violation(
    [{ name: "agreement", how }],
    [Conversations.scriptOf(client.conversation), Conversations.scriptOf(server.conversation)],
  )

/** What a state knows by a name, if it does; letter case does not matter. */
const known = (state: Tagged | undefined, field: "dialect" | "account"): string | undefined =>
  state !== undefined && field in state ? String(Reflect.get(state, field)).toLowerCase() : undefined

/** What both know, they know alike. */
const disagreement = ({ client, server }: Duet): string | undefined => {
  for (const field of ["dialect", "account"] as const) {
    const mine = known(stateOf(client.conversation), field)
    const yours = known(stateOf(server.conversation), field)
    if (mine !== undefined && yours !== undefined && mine !== yours) {
      return `the client's ${field} is ${mine}, the server's ${yours}`
    }
  }
  return undefined
}

/** How a conversation stands for one of the two: in, referred, or why it is over. */
const outcomeOf = (state: Tagged | undefined): string => {
  if (state?._tag !== "Closed" || !("reason" in state)) return state?._tag ?? "nothing"
  return typeof state.reason === "string" ? state.reason : (state.reason as Tagged)._tag
}

/** What a client is bound to learn, where the server has come to this. */
const learned: { readonly [outcome: string]: string } = {
  LoggedInElsewhere: "LoggedOut",
  ShuttingDown: "LoggedOut",
  Dismissed: "HungUp",
  Overdue: "HungUp",
}

/** How a client ends of its own accord; the server may have come to something else meanwhile, but never to think ill of it. */
const ownAccord = ["LoggedOff", "TimedOut"]

/** What a login comes to that nothing disturbs, by what the host has in mind. */
const planned = ({ admission, password, verdict }: Setting): string => {
  if (admission === "Refer") return "Referred"
  const code = admission !== "Challenge" ? admission : verdict !== "Digest" ? verdict : undefined
  if (code !== undefined) return [911, 923, 924].includes(code) ? "Denied" : "Unavailable"
  return password === WithServer.password ? "LoggedIn" : "Denied"
}

/** Where both, with nothing more on the way, have come to different ends, or to another than was planned. */
const difference = ({ client, isDisturbed, server }: Duet, setting?: Setting): string | undefined => {
  const mine = outcomeOf(stateOf(client.conversation))
  const yours = outcomeOf(stateOf(server.conversation))
  const agree = ownAccord.includes(mine)
    ? yours !== "LoggedIn" && yours !== "Misbehaved"
    : mine === (learned[yours] ?? yours)
  if (!agree) return `the client has come to ${mine}, the server to ${yours}`
  const plan = setting === undefined || isDisturbed ? mine : planned(setting)
  return mine === plan ? undefined : `both have come to ${mine}, not to ${plan}`
}

type Command = fc.Command<Duet, unknown>

/**
 * What one has said comes to the other, so many percent of it. Where nothing is left and it has closed, that is seen,
 * but not while a host decides: what waits for that would be lost.
 */
class Comes implements Command {
  readonly #to: Self
  readonly #percent: number
  constructor(to: Self, percent: number) {
    this.#to = to
    this.#percent = percent
  }
  check(duet: Readonly<Duet>): boolean {
    const { onTheWay, over, question } = duet[this.#to].conversation
    const isSeen = question === undefined && duet[other[this.#to]].conversation.over
    return !over && (onTheWay !== "" || isSeen)
  }
  run(duet: Duet): void {
    if (this.#to === "client") this.#comes(duet, duet.client)
    else this.#comes(duet, duet.server)
  }
  #comes<E extends Tagged>(duet: Duet, party: Party<E>): void {
    const { conversation, hungUp, machine } = party
    if (conversation.onTheWay === "") return take(duet, this.#to, party, machine.feed(hungUp))
    const length = Math.max(1, Math.floor((conversation.onTheWay.length * this.#percent) / 100))
    const piece = conversation.onTheWay.slice(0, length)
    conversation.onTheWay = conversation.onTheWay.slice(length)
    return take(duet, this.#to, party, machine.hear(piece))
  }
  toString(): string {
    return `${this.#percent}% come to the ${this.#to}`
  }
}

/** A host decides what it was asked. */
class Decides implements Command {
  readonly #self: Self
  constructor(self: Self) {
    this.#self = self
  }
  check(duet: Readonly<Duet>): boolean {
    return duet[this.#self].conversation.question !== undefined
  }
  run(duet: Duet): void {
    if (this.#self === "client") this.#decides(duet, duet.client)
    else this.#decides(duet, duet.server)
  }
  #decides<E extends Tagged>(duet: Duet, party: Party<E>): void {
    const { question } = party.conversation
    if (question !== undefined) take(duet, this.#self, party, party.machine.feed(party.decide(question)))
  }
  toString(): string {
    return `the ${this.#self}'s host decides`
  }
}

/** Something else happens: one of the two ends it. */
class Happens implements Command {
  readonly #name: string
  readonly #when: (duet: Readonly<Duet>) => boolean
  readonly #happen: (duet: Duet) => void
  constructor(name: string, when: (duet: Readonly<Duet>) => boolean, happen: (duet: Duet) => void) {
    this.#name = name
    this.#when = when
    this.#happen = happen
  }
  check(duet: Readonly<Duet>): boolean {
    return this.#when(duet)
  }
  run(duet: Duet): void {
    duet.isDisturbed = true
    this.#happen(duet)
  }
  toString(): string {
    return this.#name
  }
}

const clientDoes = (_tag: "LogOff" | "Overdue") =>
  new Happens(
    `the client: ${_tag}`,
    () => true,
    (duet) => take(duet, "client", duet.client, duet.client.machine.feed({ _tag })),
  )

const isIn = ({ server }: Readonly<Duet>): boolean => stateOf(server.conversation)?._tag === "LoggedIn"

const serverDoes = (_tag: "Displaced" | "Dismiss" | "ShutDown" | "Overdue", when: (duet: Readonly<Duet>) => boolean) =>
  new Happens(`the server: ${_tag}`, when, (duet) => {
    take(duet, "server", duet.server, duet.server.machine.feed({ _tag }))
  })

const comes = (to: Self) => fc.integer({ min: 1, max: 100 }).map((percent) => new Comes(to, percent))

const commands = [
  ...["client" as const, "server" as const].flatMap((self) => [comes(self), comes(self), comes(self)]),
  ...["client" as const, "server" as const].map((self) => fc.constant(new Decides(self))),
  fc.constantFrom(
    clientDoes("LogOff"),
    clientDoes("Overdue"),
    serverDoes("Displaced", isIn),
    serverDoes("Dismiss", isIn),
    serverDoes("ShutDown", () => true),
    serverDoes("Overdue", () => true),
  ),
]

/** What happens of itself. */
const steps = [new Comes("server", 100), new Comes("client", 100), new Decides("server"), new Decides("client")]

/** Lets come what is on the way, and the hosts decide, until nothing more happens. */
const settle = (duet: Duet): void => {
  for (let step = steps.find((each) => each.check(duet)); step; step = steps.find((each) => each.check(duet))) {
    step.run(duet)
  }
}

const from = { host: "10.0.0.1", port: 1863 }
const to = { host: "10.0.0.5", port: 1863 }

const serverHost =
  ({ admission, verdict }: Setting) =>
  (asked: Tagged): Server.Event => {
    const question = asked as Server.Question
    if (question._tag === "Admission") {
      if (admission === "Challenge") return WithServer.challenge("1013928519.693957190")
      return admission === "Refer" ? { _tag: "Refer", to, from } : { _tag: "Deny", code: admission }
    }
    if (verdict !== "Digest") return { _tag: "Deny", code: verdict }
    return Redacted.value(question.digest) === WithServer.digestOf(question.challenge, WithServer.password)
      ? WithServer.accept(question, "Alice", true)
      : { _tag: "Deny", code: 911 }
  }

const settings = fc.record<Setting>({
  options: WithClient.options.map((options) => ({ ...options, account: Account.Account.make("ALICE@hotmail.com") })),
  quirks: fc.subarray([...Quirk.all]),
  password: fc.constantFrom(WithServer.password, ...WithServer.passwords),
  admission: fc.oneof(
    { arbitrary: fc.constant("Challenge" as const), weight: 4 },
    fc.constant("Refer" as const),
    fc.constantFrom(...WithServer.codes),
  ),
  verdict: fc.oneof(fc.constant("Digest" as const), fc.constantFrom(...WithServer.codes)),
})

type ServerSide = ReturnType<typeof WithServer.subject.side>
type ClientSide = ReturnType<typeof WithClient.subject.side>

/** Machines that may be broken. */
interface Breaks {
  readonly breaking?: ((side: ServerSide) => ServerSide) | undefined
  readonly breakingClient?: ((side: ClientSide) => ClientSide) | undefined
}

/** The two, before anything is said. */
const meet = (
  setting: Pick<Setting, "options" | "password" | "quirks">,
  decide: Party<Server.Event>["decide"],
  { breaking = (side) => side, breakingClient = (side) => side }: Breaks,
): Duet => {
  const clientSetting = WithClient.settingOf(setting.options)
  const client = Conversations.attend(
    breakingClient(WithClient.subject.side(clientSetting)),
    WithClient.subject.overdue,
  )
  const serverSetting = WithServer.settingWith(setting.quirks)
  const server = Conversations.attend(breaking(WithServer.subject.side(serverSetting)), WithServer.subject.overdue)
  const duet: Duet = {
    client: {
      machine: client,
      conversation: client.begin(WithClient.subject.company(clientSetting)),
      decide: (question) => WithClient.answer(question as Client.Question, setting.password),
      hungUp: { _tag: "HungUp" },
    },
    server: {
      machine: server,
      conversation: server.begin(WithServer.subject.company(serverSetting)),
      decide,
      hungUp: { _tag: "HungUp" },
    },
    isDisturbed: false,
  }
  duet.server.conversation.onTheWay = duet.client.conversation.opening
  return duet
}

/** What undisturbed logins must have come to. */
const outcomes = ["LoggedIn", "Referred", "Denied", "Unavailable"] as const

/** Has many conversations between the two, and counts what those came to that nothing disturbed. */
export const hold = ({ found, runs, ...breaks }: Breaks & Runs) => {
  const came = new Map<string, number>()
  const checked = check(
    fc.property(settings, commandsOf(commands, 30, found), (setting, commands) => {
      const duet = meet(setting, serverHost(setting), breaks)
      fc.modelRun(() => ({ model: duet, real: undefined }), commands)
      settle(duet)
      const how = difference(duet, setting)
      if (how !== undefined) throw disagreed(duet, how)
      if (duet.isDisturbed) return
      const outcome = outcomeOf(stateOf(duet.client.conversation))
      came.set(outcome, (came.get(outcome) ?? 0) + 1)
    }),
    { found, runs },
  )
  const count = (outcome: string): number => came.get(outcome) ?? 0
  const missing = outcomes
    .filter((outcome) => count(outcome) === 0)
    .map((outcome) => `a login that nothing disturbs comes to ${outcome}`)
  return { ...checked, count, missing }
}

type ScriptOf<Tag> = Extract<Script.Script, { readonly _tag: Tag }>

const fedIn = <E>(inputs: ReadonlyArray<Script.Input<E>>): Array<E> =>
  inputs.flatMap((input) => (input._tag === "Fed" ? [input.event] : []))

/**
 * Judges a client's script and a server's as one conversation. First as it stands: which input came when is not
 * written, so that only the ends are compared, and what both came to only where all was heard that was said. Then the
 * two talk anew, with the decisions that are written, and nothing to disturb them.
 */
export const replay = (client: ScriptOf<"Client">, server: ScriptOf<"Server">, breaks: Breaks = {}): void => {
  const setting = { options: client.options, quirks: server.quirks, password: WithServer.password }
  const favorable = serverHost({ ...setting, admission: "Challenge", verdict: "Digest" })

  const written = meet(setting, favorable, breaks)
  giveTo(written.client, client.inputs)
  giveTo(written.server, server.inputs)
  written.client.conversation.onTheWay = unheard(written, "client")
  written.server.conversation.onTheWay = unheard(written, "server")
  const isSettled =
    written.client.conversation.onTheWay === "" &&
    written.server.conversation.onTheWay === "" &&
    !steps.some((step) => step.check(written))
  const how = disagreement(written) ?? (isSettled ? difference(written) : undefined)
  if (how !== undefined) throw disagreed(written, how)

  const { company } = written.server.conversation
  const decisions = fedIn(server.inputs).filter(({ _tag }) => company.decisions.includes(_tag))
  const anew = meet(setting, (question) => decisions.shift() ?? favorable(question), breaks)
  const answer = fedIn(client.inputs).find(({ _tag }) => _tag === "Answer")
  const duet = answer === undefined ? anew : { ...anew, client: { ...anew.client, decide: () => answer } }
  settle(duet)
  const howAnew = difference(duet)
  if (howAnew !== undefined) throw disagreed(duet, howAnew)
}

/** What one has not heard of what the other has said. */
const unheard = (duet: Duet, self: Self): string =>
  duet[other[self]].conversation.said.slice(duet[self].conversation.heard.length)
