/** Random servers, for the client's machine: what they say is written from the page and its additions. */
import * as fc from "fast-check"
import * as Redacted from "effect/Redacted"
import * as Client from "../../../src/login/Client.ts"
import * as Challenge from "../../../src/protocol/Challenge.ts"
import type * as ClientCommand from "../../../src/protocol/ClientCommand.ts"
import * as Dialect from "../../../src/protocol/Dialect.ts"
import type * as ServerCommand from "../../../src/protocol/ServerCommand.ts"
import * as Arbitraries from "../Arbitraries.ts"
import * as ClientSide from "../ClientSide.ts"
import type { Company, Fact, Next } from "./Conversation.ts"
import * as Conversations from "./Conversation.ts"
import type { Command } from "./Commands.ts"
import { Befalls, ComesLate, Decides, ended, GoesOn, one, says } from "./Commands.ts"
import type { Honest, Subject } from "./Run.ts"
import { give } from "./Run.ts"
import { digestOf, longest, password, passwords } from "./WithServer.ts"
import * as Script from "../Script.ts"

type Event = Client.Event
type Question = Client.Question

/** The first line of the client that nothing answers yet; the last one where everything is answered. */
const asked = ({ heard, said }: Pick<Conversations.Conversation<Event>, "heard" | "said">): ReadonlyArray<string> => {
  const answered = Conversations.linesOf(heard).map(([, trId]) => trId)
  const lines = Conversations.linesOf(said)
  return lines.find(([, trId]) => !answered.includes(trId)) ?? lines.at(-1) ?? []
}

/** The digest that the client has said; another one where it has said none. */
const digestIn = (said: string): string => /[0-9a-f]{32}/.exec(said)?.[0] ?? digestOf("1", password)

/** Fills in a line: `#` is the TrID that is to be answered, `#+1` the one behind it, `$dialect` one that was offered. */
const fill: Company<Event>["fill"] = (blank, { heard, said }) =>
  blank
    .replace(/#(?:\+([0-9]))?/, (_, more: string | undefined) =>
      String(Number(asked({ heard, said })[1] ?? 1) + Number(more ?? 0)),
    )
    .replace("$digest", digestIn(said))
    .replace("$dialect", Conversations.linesOf(said)[0]?.[2] ?? "")

/** Answers a challenge. */
export const answer = ({ challenge }: Question, password: string): Event => ({
  _tag: "Answer",
  digest: Redacted.make(Challenge.Digest.make(digestOf(challenge, password)), { label: "digest" }),
})

const line = (text: string): Next<Event> => ({ _tag: "Line", line: `${text}\r\n` })

/** What a conversation begins with: the client, and a server that is honest for a while. */
interface Setting extends Client.Options, Honest {
  /** What the server answers to the initial USR. */
  readonly welcome: string
}

/** An honest server answers the last line; the client's host answers the challenge. */
const next =
  (welcome: string): Company<Event>["next"] =>
  ({ heard, over, question, said, turns }) => {
    if (question !== undefined) return { _tag: "Decision", event: answer(question as Question, password) }
    if (over) return undefined
    const [verb, , ...parameters] = asked({ heard, said })
    if (verb === "VER") return line("VER # $dialect CVR0")
    if (verb === "INF") return line("INF # MD5")
    if (parameters[1] === "I") return line(welcome)
    return line(turns.at(-1)?.state._tag === "LoggedIn" ? "CHL 0 1" : "USR # OK alice@hotmail.com Alice 1")
  }

/** URL-encoded bytes as a text; as they are where that makes no sense. */
const decoded = (bytes: string): string => {
  try {
    return decodeURIComponent(bytes)
  } catch {
    return bytes
  }
}

/** A friendly name as its bytes may be read. */
const names = (bytes: string): ReadonlyArray<Fact> =>
  [bytes, decoded(bytes)].map((name) => ["friendlyName", Script.describe(name)])

const outReasons: { readonly [word: string]: string } = { OTH: "LoggedInElsewhere", SSD: "ShuttingDown" }

/** What a server's line tells. */
const lineTells = ([verb = "", ...words]: ReadonlyArray<string>): ReadonlyArray<Fact> => {
  if (/^[0-9]{3}$/.test(verb)) {
    return [["code", verb], ...["Denied", "Unavailable"].map((reason) => ["reason", reason] as const)]
  }
  switch (verb) {
    case "VER":
      return [["reason", "NoCommonDialect"], ...words.map((name) => ["dialect", name] as const)]
    case "USR": {
      const [, , account = "", name = "", flag] = words
      const verified = flag === undefined ? "unknown" : String(flag === "1")
      return [["account", Script.escape(account)], ["verified", verified], ...names(name)]
    }
    case "XFR": {
      const address = words[2] ?? ""
      return [
        ["to", address],
        ["to", `${address}:1863`],
      ]
    }
    case "OUT":
      return [
        ["reason", "LoggedOut"],
        ["reason", outReasons[words[0] ?? ""] ?? "Unstated"],
      ]
    default:
      return []
  }
}

const reasons: { readonly [event in Event["_tag"]]?: Client.Reason["_tag"] } = {
  LogOff: "LoggedOff",
  HungUp: "HungUp",
  Overdue: "TimedOut",
}

/** What an event tells: what it bears, and why one may close. */
const eventTells = (event: Event): ReadonlyArray<Fact> => [
  ...Object.entries(event).map(([field, value]) => [field, Script.describe(value)] as const),
  ...Object.entries(reasons).flatMap(([tag, reason]) => (tag === event._tag ? [["reason", reason] as const] : [])),
]

/** How many of some lines may have been passed over. */
const counted = (lines: ReadonlyArray<unknown>): ReadonlyArray<Fact> =>
  Array.from({ length: lines.length + 1 }, (_, n) => ["skipped", String(n)])

/** How an honest server answers each kind of line; the account and the TrID are compared besides. */
const answers = {
  VER: /^VER [0-9]+ (0|MSNP[2-7]( MSNP[2-7])*( CVR0)?)$/,
  INF: /^INF [0-9]+ MD5$/,
  I: /^(USR [0-9]+ MD5 S \S{1,99}|XFR [0-9]+ NS [0-9.:]+( 0( [0-9.:]+)?)?)$/,
  S: /^USR [0-9]+ OK \S+ \S{1,99}( [01])?$/,
} as const
/** What may stand there in their place: the account, or the server's own trouble, is to blame. */
const refuses = /^(911|923|924|500|601|910|921) [0-9]+$/

/** Whether a line is an honest answer to a command. */
const isAnswer = (words: ReadonlyArray<string>, [verb, trId, ...asked]: ReadonlyArray<string>): boolean => {
  const line = words.join(" ")
  if (words[1] !== trId) return false
  if (refuses.test(line)) return true
  if (verb === "VER") return answers.VER.test(line) && words.slice(2).every((name) => [...asked, "0"].includes(name))
  if (verb === "INF") return answers.INF.test(line)
  return asked[1] === "I" ? answers.I.test(line) : answers.S.test(line)
}

/**
 * Whether an honest server may have said all this: an answer to each command, in order, and no more until the client
 * is in. An answer that came before its command counts as honest, since it had to wait.
 */
const isHonest = ({ heard, said }: Conversations.Conversation<Event>): boolean => {
  const commands = Conversations.linesOf(said).filter(([verb]) => verb !== "OUT")
  const account = commands.find((words) => words[3] === "I")?.[4]
  let at = 0
  let isIn = false
  for (const words of Conversations.linesOf(heard)) {
    const line = words.join(" ")
    if (/^OUT( OTH| SSD)?$/.test(line)) continue
    const command = commands[at]
    const isOk = words[2] === "OK"
    if (isOk && words[3]?.toLowerCase() !== account?.toLowerCase()) return false
    if (isIn ? line !== "CHL 0 1" : command === undefined || !isAnswer(words, command)) return false
    at++
    isIn ||= isOk
  }
  return Conversations.restOf(heard).length < longest
}

/**
 * The words of a server that are data to its client: a challenge, a friendly name, an address. Besides, a reason says
 * which dialect, package or account it was that makes no sense.
 */
const quoted: Company<Event>["quoted"] = ([verb, , ...parameters]) => {
  const [first, second = "", third = ""] = parameters
  if (verb === "VER" || verb === "INF") return parameters.map((word) => ["got", word] as const)
  if (verb === "XFR") return [["host", second.replace(/:[0-9]+$/, "")]]
  if (verb !== "USR") return []
  if (first === "OK")
    return [["got", second], ...[third, decoded(third)].map((name) => ["friendlyName", name] as const)]
  return [["challenge", third]]
}

const company = ({ account, dialects, manner, ...setting }: Setting): Company<Event> => ({
  to: "Client",
  passwords,
  decisions: ["Answer"],
  told: (conversation) => [
    ["account", Script.describe(account)],
    ["offered", Script.describe(dialects)],
    ["manner", manner],
    ...(isHonest(conversation) ? [] : [["reason", "ServerMisbehaved"] as const]),
    ...counted(Conversations.linesOf(conversation.heard)),
    ...Conversations.linesOf(conversation.said).map(([, trId = ""]): Fact => ["trId", trId]),
    ...Conversations.linesOf(conversation.heard).flatMap(lineTells),
    ...Conversations.fedIn(conversation).flatMap(eventTells),
  ],
  quoted,
  fill,
  next: next(setting.welcome),
  script: (inputs) => ({ _tag: "Client", options: { account, dialects, manner }, inputs }),
})

const challenges = "USR # MD5 S 1013928519.693957190"
const refers = "XFR # NS 10.0.0.5:1863 0 10.0.0.1:1863"

/** With what a client is started. */
export const options: fc.Arbitrary<Client.Options> = fc.record({
  account: fc.constant(ClientSide.official.account),
  dialects: fc
    .shuffledSubarray([...Dialect.all], { minLength: 1 })
    .map(([first = "MSNP7", ...others]): Client.Options["dialects"] => [first, ...others]),
  manner: fc.constantFrom("AskInf", "SkipInf", "Pipeline"),
})

/** Each state is come to by one number of honest steps or another; those that are left at once, more often. */
const settings: fc.Arbitrary<Setting> = fc
  .tuple(options, fc.constantFrom(challenges, challenges, refers), fc.constantFrom(0, 0, 1, 1, 1, 2, 3, 3, 4, 4, 4, 5))
  .map(([options, welcome, honest]) => ({ ...options, welcome, honest }))

/** Lines of a server, by what is said with them: legal shapes first, odd ones behind. Any may come at any time. */
const lines = {
  naming: ["VER # $dialect", "VER # CVR0 $dialect", "VER # $dialect MSNP12 CVR0"],
  namingNone: ["VER # 0", "VER # 0 MSNP8 MSNP9"],
  asking: ["INF # MD5", "INF # MD5,TWN", "INF # CTP MD5"],
  challenging: ["USR # MD5 S 1013928519.693957190", "USR # MD5 S \x01\xff"],
  lettingIn: [
    "USR # OK alice@hotmail.com Alice",
    "USR # OK Alice@Hotmail.com My%20Screen%20Name 0",
    "USR # OK alice@hotmail.com Zo%C3%AB 1 0",
    "USR # OK alice@hotmail.com 100% 1",
  ],
  referring: ["XFR # NS 10.0.0.5:1863 0 10.0.0.1:1863", "XFR # NS 10.0.0.5", "XFR # NS messenger.hotmail.com:1 0"],
  failing: ["911 #", "911", "923 # sorry", "500 #", "601 # 0", "715 #", "999", "206 #"],
  ending: ["OUT", "OUT OTH", "OUT SSD", "OUT LATER"],
  aside: ["MSG Hotmail Hotmail 3\r\nOUT", "MSG # MD5 0", "NLN NLN bob@hotmail.com Bob", "CVR 9 1.0", "ZZZ"],
  confiding: [
    "VER # mypassword",
    "INF # mypassword",
    "INF # $digest",
    "USR # MD5 S mypassword",
    "USR # OK alice@hotmail.com mypassword 1",
    "USR # OK alice@hotmail.com $digest 1",
    "USR # OK mypassword@hotmail.com Alice 1",
    "XFR # NS mypassword:1863",
    "911 # another",
    "OUT mypassword",
    "NLN mypassword",
    "PAS 0 mypassword",
  ],
  straying: [
    "VER 0 $dialect",
    "VER #+1 $dialect",
    "VER # MSNP12",
    "VER # CVR0",
    "INF # TWN",
    "INF #+1 MD5",
    "USR #+1 MD5 S 1013928519.693957190",
    "USR # OK bob@hotmail.com Bob 1",
    "911 #+1",
    "QNG #",
  ],
} as const

/** What is no line of a server's: garbage, no TrID, another letter case, no verb, too long, a lone CR. */
const garbage = fc.oneof(
  fc.constantFrom(
    "VER $dialect\r\n",
    "mypassword\r\n",
    "ver # $dialect\r\n",
    "USR # OK\r\n",
    "USR\n",
    "XFR # NS nowhere:port\r\n",
    "99 #\r\n",
    "INF #\rOUT\r\n",
    "HTTP/1.0 200 OK\r\n",
    "MSG Hotmail Hotmail many\r\n",
    "\r\n \t\r\n",
    "M".repeat(65_537),
  ),
  Arbitraries.bytes.map((bytes) => `${bytes}\n`),
)

const anyLine = fc.oneof(...Object.values(lines).map(ended))

/** More lines that answer nothing than a client passes over, or nearly. */
const flood = fc.integer({ min: 60, max: 70 }).map((length) => Array.from({ length }, () => "ZZZ\n"))

const guesses = [
  "VER # $dialect CVR0\r\n",
  "INF #+1 MD5\r\n",
  "USR #+2 MD5 S 1013928519.693957190\r\n",
  "USR #+3 OK alice@hotmail.com Alice 1\r\n",
] as const

/** All that may be done, by who does it. */
const kinds = {
  honest: [fc.constant(new GoesOn<Event>())],
  hasty: [
    says<Event>(fc.subarray([...guesses], { minLength: 1 })),
    says<Event>(fc.array(anyLine, { minLength: 2, maxLength: 4 })),
  ],
  confused: Object.values(lines).map((texts) => says<Event>(one(ended(texts)))),
  hostile: [says<Event>(fc.oneof({ arbitrary: one(garbage), weight: 4 }, flood))],
  late: [anyLine, anyLine, anyLine, anyLine, anyLine, ended(lines.naming), ended(lines.naming)].map((line) =>
    fc.tuple(line, fc.nat(5)).map(([line, inputs]) => new ComesLate<Event>(line, inputs)),
  ),
  host: [fc.constant(new Decides<Event, Question>("Digest", (question) => answer(question, password)))],
  application: [
    fc.constant(new Befalls<Event>({ _tag: "LogOff" })),
    fc.constant(new Befalls<Event>({ _tag: "LogOff" })),
  ],
  transport: [
    fc.constant(new Befalls<Event>({ _tag: "HungUp" })),
    fc.constant(new Befalls<Event>({ _tag: "Overdue" })),
  ],
} as const satisfies { readonly [kind: string]: ReadonlyArray<fc.Arbitrary<Command<Event>>> }

/** The client's machine, and its company. */
export const subject: Subject<
  Setting,
  Client.State,
  Event,
  ServerCommand.ServerCommand,
  ClientCommand.ClientCommand,
  Question
> = {
  table: Client.table,
  settings,
  side: ClientSide.sideOf,
  company,
  kinds,
  overdue: { _tag: "Overdue" },
  // Who is referred was never challenged: there is nothing to answer, and nothing that could come early.
  unreachable: ["Answer in Referred leads to Referred", "Early in Referred leads to Referred"],
}

/** A setting in which it is not asked what an honest server would do. */
export const settingOf = (options: Client.Options): Setting => ({ ...options, welcome: challenges, honest: 0 })

/** Plays a script, and throws where the client breaks an invariant. */
export const replay = (
  { inputs, options }: Extract<Script.Script, { readonly _tag: "Client" }>,
  breaking?: Breaking,
): void => give(subject, settingOf(options), inputs, breaking)

type Breaking = (side: ReturnType<typeof subject.side>) => ReturnType<typeof subject.side>
