/** Random clients and hosts, for the server's machine: what they say and decide is written from the page. */
import * as fc from "fast-check"
import * as Crypto from "node:crypto"
import * as Server from "../../../src/login/Server.ts"
import * as Account from "../../../src/protocol/Account.ts"
import * as Challenge from "../../../src/protocol/Challenge.ts"
import type * as ClientCommand from "../../../src/protocol/ClientCommand.ts"
import * as FriendlyName from "../../../src/protocol/FriendlyName.ts"
import * as Quirk from "../../../src/protocol/Quirk.ts"
import type * as ServerCommand from "../../../src/protocol/ServerCommand.ts"
import * as Arbitraries from "../Arbitraries.ts"
import type { Company, Conversation, Fact, Next } from "./Conversation.ts"
import * as Conversations from "./Conversation.ts"
import type { Command } from "./Commands.ts"
import { Befalls, Decides, ended, GoesOn, one, says } from "./Commands.ts"
import type { Honest, Subject } from "./Run.ts"
import { give } from "./Run.ts"
import * as Script from "../Script.ts"
import * as ServerSide from "../ServerSide.ts"

type Event = Server.Event
type Question = Server.Question

/** What a conversation begins with: the server's quirks, and a client that is honest for a while. */
interface Setting extends Honest {
  readonly quirks: ReadonlyArray<Quirk.Quirk>
  /** What the client offers, and whether it goes by way of INF. */
  readonly offer: string
  readonly asksInf: boolean
}

/** The password of all honest company. */
export const password = "mypassword"

/** All passwords that anybody may have or say. */
export const passwords = [password, "another"] as const

/** The answer to a challenge, as the page has it. */
export const digestOf = (challenge: string, password: string): string =>
  Crypto.createHash("md5").update(`${challenge}${password}`, "latin1").digest("hex")

/** The challenge that the server said last. */
const challengeIn = (said: string): string =>
  Conversations.linesOf(said).findLast(([verb, , , kind]) => verb === "USR" && kind === "S")?.[4] ?? "none"

/** Fills in a line: `#` is the next TrID, `$digest` the answer to the challenge. */
const fill: Company<Event>["fill"] = (blank, { heard, said }, unheard) =>
  blank
    .replace("#", String((heard + unheard).split("\n").length))
    .replace("$digest", digestOf(challengeIn(said), password))

/** Lets an account in, spelled as it was created. */
export const accept = (question: Question, friendlyName: string, verified: boolean): Event => ({
  _tag: "Accept",
  account: Account.Account.make(question.account.toLowerCase()),
  friendlyName: FriendlyName.FriendlyName.make(friendlyName),
  verified,
})

/** Challenges an account. */
export const challenge = (bytes: string): Event => ({ _tag: "Challenge", challenge: Challenge.Challenge.make(bytes) })

/** A host that lets everybody in. */
const favorable = (question: Question): Event =>
  question._tag === "Admission" ? challenge("1013928519.693957190") : accept(question, "Alice", true)

const line = (text: string): Next<Event> => ({ _tag: "Line", line: `${text}\r\n` })

/** An honest client says the next line once the last one is answered; its host decides when it is asked. */
const next =
  ({ asksInf, offer }: Setting): Company<Event>["next"] =>
  ({ heard, over, question, said }) => {
    if (question !== undefined) return { _tag: "Decision", event: favorable(question as Question) }
    if (over) return undefined
    const replies = Conversations.linesOf(said).filter(([verb]) => verb !== "CVR")
    const [verb, , ...parameters] = replies.at(-1) ?? []
    if (verb === "USR" && parameters[0] === "OK") return line("CHG # NLN")
    if (Conversations.linesOf(heard).length > Conversations.linesOf(said).length) return undefined
    if (verb === undefined) return line(`VER # ${offer}`)
    if (verb === "VER" && asksInf) return line("INF #")
    return line(verb === "USR" ? "USR # MD5 S $digest" : "USR # MD5 I alice@hotmail.com")
  }

/** What a client's line tells: TrIDs, names of dialects, the account, the digest; and why one may close. */
const lineTells =
  (quirks: ReadonlyArray<Quirk.Quirk>) =>
  ([verb, trId, ...parameters]: ReadonlyArray<string>): ReadonlyArray<Fact> => {
    const common: ReadonlyArray<Fact> = [["trId", String(Number(trId))]]
    const names = quirks.includes("dialectCaseInsensitive") ? parameters.map((name) => name.toUpperCase()) : parameters
    if (verb === "VER") {
      return [...common, ["reason", "NoCommonDialect"], ...names.map((name) => ["dialect", name] as const)]
    }
    if (verb === "OUT") return [["reason", "LoggedOff"]]
    if (verb !== "USR") return common
    const last = parameters[2] ?? ""
    return [...common, ["account", Script.escape(last)], ["digest", last.toLowerCase()], ["digest", "(secret)"]]
  }

/** What an honest client says, in this order; it may leave out INF, and goes on with the last. */
const honestLines = [
  /^VER [0-9]{1,9}( \S{1,20})+$/,
  /^INF [0-9]{1,9}$/,
  /^USR [0-9]{1,9} MD5 I [A-Za-z]{1,20}@[A-Za-z]{1,20}\.com$/,
  /^USR [0-9]{1,9} MD5 S [0-9a-f]{32}$/,
  /^CHG [0-9]{1,9} NLN$/,
]
/** Of these, the one that may be left out, and the last. */
const [optional, last] = [1, 4]

/** Whether an honest client may have said all this; when it did is no matter, since nothing is refused for being early. */
const isHonest = (heard: string): boolean => {
  let next = 0
  for (const words of Conversations.linesOf(heard)) {
    const at = honestLines.findIndex((pattern, i) => i >= next && pattern.test(words.join(" ")))
    if (at !== next && (next !== optional || at !== optional + 1)) return false
    next = Math.min(at + 1, last)
  }
  return Conversations.restOf(heard).length < longest
}

/** What no honest line is longer than, by far. */
export const longest = 200

/**
 * The words of a client that its server repeats: an account, and its version where the quirk is on. All else that it
 * says in the clear, behind USR or a verb without a meaning, goes no further.
 */
const quoted =
  (quirks: ReadonlyArray<Quirk.Quirk>): Company<Event>["quoted"] =>
  ([verb, , ...parameters]) => {
    if (verb === "USR" && parameters[1] === "I") return [["account", parameters[2] ?? ""]]
    const version = parameters[5]
    if (verb !== "CVR" || version === undefined || !quirks.includes("cvrAnytime")) return []
    return ["version", "parameters"].map((field) => [field, version] as const)
  }

const reasons: { readonly [event in Event["_tag"]]?: ReadonlyArray<Server.Reason> } = {
  Refer: ["Referred"],
  Deny: ["Denied", "Unavailable"],
  Displaced: ["LoggedInElsewhere"],
  Dismiss: ["Dismissed"],
  ShutDown: ["ShuttingDown"],
  HungUp: ["HungUp"],
  Overdue: ["Overdue"],
}

/** What an event tells: what it bears, and why one may close. */
const eventTells = (event: Event): ReadonlyArray<Fact> => [
  ...Object.entries(event).map(([field, value]) => [field, Script.describe(value)] as const),
  ...(reasons[event._tag] ?? []).map((reason) => ["reason", reason] as const),
]

const company = (setting: Setting): Company<Event> => ({
  to: "Server",
  passwords,
  decisions: ["Challenge", "Refer", "Deny", "Accept"],
  told: (conversation) => [
    ...(isHonest(conversation.heard) ? [] : [["reason", "Misbehaved"] as const]),
    ...Conversations.linesOf(conversation.heard).flatMap(lineTells(setting.quirks)),
    ...Conversations.fedIn(conversation).flatMap(eventTells),
  ],
  quoted: quoted(setting.quirks),
  fill,
  next: next(setting),
  script: (inputs) => ({ _tag: "Server", quirks: setting.quirks, inputs }),
})

const offers = [
  "MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
  "MSNP2 CVR0",
  "MSNP3 MSNP2",
  "MSNP4",
  "MSNP5 MYPROTOCOL MSNP4",
  "MSNP6",
  "CVR0 MSNP7",
] as const

/** Each state is come to by one number of honest steps or another; those that are left at once, more often. */
const settings: fc.Arbitrary<Setting> = fc.record({
  quirks: fc.subarray([...Quirk.all]),
  offer: fc.constantFrom(...offers),
  asksInf: fc.constantFrom(true, true, true, false),
  honest: fc.constantFrom(0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4, 5, 6),
})

const cvr = "0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS"

/** Lines of a client, by what is said with them; any of them may come at any time. */
const lines = {
  offering: offers.map((offer) => `VER # ${offer}`),
  offeringNothing: ["VER # MYPROTOCOL", "VER # msnp7", "VER #", "VER # CVR0", "VER # 0"],
  asking: ["INF #", "INF # MD5", "INF 0"],
  initiating: [
    "USR # MD5 I alice@hotmail.com",
    "USR # MD5 I ALICE@HOTMAIL.COM",
    "USR  #\tMD5 I bob@x",
    "USR 4294967295 MD5 I zo\xc3\xab@hotmail.com",
  ],
  initiatingForNobody: ["USR # MD5 I alice", "USR # MD5 I alice bob", "USR # MD5 I @", "USR # MD5 I a@\xff"],
  initiatingAmiss: ["USR # MD5 I", "USR # MD5 I alice@hotmail.com alice"],
  responding: ["USR # MD5 S $digest", "USR # MD5 S 6F3963009FC8A9D2B2FF137DA0905C55"],
  respondingAmiss: ["USR # MD5 S 23e54a43", "USR # MD5 S", "USR # MD5 S $digest alice", "USR # MD5 S $digest0"],
  authenticatingAmiss: ["USR # TWN I alice@hotmail.com", "USR # MD5 X", "USR # md5 I alice@hotmail.com", "USR #"],
  versioning: [`CVR # ${cvr}`, "CVR #", "CVR 0 a b c"],
  leaving: ["OUT", "OUT OTH"],
  confiding: [
    "USR # MD5 S mypassword",
    "USR # MD5 S another",
    "USR # MD5 I mypassword",
    "USR # MD5 I mypassword@hotmail.com",
    "USR # MD5 I $digest@hotmail.com",
    "USR # MD5 I alice@hotmail.com mypassword",
    "CVR # 0x0409 win 4.10 i386 MSMSGS mypassword MSMSGS",
    "CVR # mypassword",
    "VER # mypassword",
    "PAS # mypassword",
  ],
  foreign: ["SYN # 0", "CHG # NLN", "PNG", "QRY # msmsgs@msnmsgr.com 0"],
} as const

/** What is no line of a client's: garbage, no TrID, another letter case, no verb, too long, a lone CR. */
const garbage = fc.oneof(
  fc.constantFrom(
    "VER MSNP7\r\n",
    "mypassword\r\n",
    "VER",
    "ver # MSNP7\r\n",
    "INF 4294967296\r\n",
    "USR -1 MD5 I alice@hotmail.com\n",
    " INF #\n",
    "INF #\rINF 2\n",
    "GET / HTTP/1.0\r\n\r\n",
    "\r\r\n",
    "\r\n \t\r\n",
    `VER # ${"M".repeat(2049)}\n`,
    "M".repeat(2049),
    "MSG # U 3\r\nOUT\r\n",
    "MSG # U\r\n",
  ),
  Arbitraries.bytes.map((bytes) => `${bytes}\n`),
)

const anyLine = fc.oneof(...Object.values(lines).map(ended))

const hastily = ["INF #\r\n", "USR # MD5 I alice@hotmail.com\r\n", "USR # MD5 S $digest\r\n"] as const
const guesses = ["VER # MSNP7\r\n", ...hastily] as const

/** The codes with which a host may decide. */
export const codes = [911, 923, 924, 500, 601, 910, 921] as const
const denials = fc.constantFrom(...codes).map((code): Event => ({ _tag: "Deny", code }))
const challenges = fc.oneof(fc.constantFrom("1013928519.693957190", "1"), Arbitraries.word).map(challenge)
const referrals = fc
  .constantFrom({ host: "10.0.0.5", port: 1863 }, { host: "::1", port: 1 })
  .map((to): Event => ({ _tag: "Refer", to, from: { host: "10.0.0.1", port: 1863 } }))
const accepts = fc.tuple(fc.constantFrom("Alice", "My Screen Name", "Zo\u00eb \u{1f600} 100%"), fc.boolean()).map(
  ([name, verified]) =>
    (question: Question) =>
      accept(question, name, verified),
)

const admits = (event: fc.Arbitrary<Event>) =>
  event.map((event) => new Decides<Event, Question>("Admission", () => event))
const judges = (decide: fc.Arbitrary<(question: Question) => Event>) =>
  decide.map((decide) => new Decides<Event, Question>("Verdict", decide))
const always = (event: Event) => () => event

/** Some lines of one client: an honest login as far as it gets, then anything. */
export const clients: fc.Arbitrary<ReadonlyArray<string>> = fc
  .tuple(
    fc.constantFrom(...offers).chain((offer) => fc.subarray([`VER # ${offer}\r\n`, ...hastily, "CHG # NLN\r\n"])),
    fc.array(
      fc.oneof(
        anyLine,
        garbage.filter((line) => !payloads.test(line)),
      ),
      { maxLength: 4 },
    ),
  )
  .map(([honest, others]) =>
    [...honest, ...others].map((blank, i) => fill(blank, { heard: "\n".repeat(i), said: usrS }, "")),
  )

/** The challenge for which these answer. */
const usrS = "USR 3 MD5 S 1013928519.693957190\r\n"

/** Lines that announce a payload once the client is in: where they end hangs on when they are read. */
const payloads = /^(MSG|QRY|PAG|SDC)/

/** What the host decides, with a challenge that the digests of {@link clients} answer. */
export const hosts = fc.record({
  admission: fc.oneof(fc.constant(challenge("1013928519.693957190")), referrals, denials),
  verdict: fc.oneof(accepts, denials.map(always)),
})

/** While a verdict is awaited, in a session, or later. */
const mayBeIn = ({ over, question, said }: Readonly<Conversation<Event>>): boolean =>
  over ||
  question?._tag === "Verdict" ||
  Conversations.linesOf(said).some(([verb, , ok]) => verb === "USR" && ok === "OK")

/** All that may be done, by who does it. */
const kinds = {
  honest: [fc.constant(new GoesOn<Event>())],
  hasty: [
    says<Event>(fc.subarray([...guesses], { minLength: 1 })),
    says<Event>(fc.array(anyLine, { minLength: 2, maxLength: 4 })),
  ],
  confused: [...Object.values(lines), lines.versioning, lines.versioning].map((texts) =>
    says<Event>(one(ended(texts))),
  ),
  hostile: [says<Event>(one(garbage)), says<Event>(one(garbage))],
  host: [...[challenges, referrals, referrals, denials].map(admits), ...[accepts, denials.map(always)].map(judges)],
  application: [
    fc.constant(new Befalls<Event>({ _tag: "Displaced" }, mayBeIn)),
    fc.constant(new Befalls<Event>({ _tag: "Dismiss" }, mayBeIn)),
    fc.constant(new Befalls<Event>({ _tag: "ShutDown" })),
  ],
  transport: [
    fc.constant(new Befalls<Event>({ _tag: "HungUp" })),
    fc.constant(new Befalls<Event>({ _tag: "Overdue" })),
  ],
} as const satisfies { readonly [kind: string]: ReadonlyArray<fc.Arbitrary<Command<Event>>> }

/** The server's machine, and its company. */
export const subject: Subject<
  Setting,
  Server.State,
  Event,
  ClientCommand.ClientCommand,
  ServerCommand.ServerCommand,
  Question
> = {
  table: Server.table,
  settings,
  side: ({ quirks }) => ServerSide.sideOf(Server.make(Quirk.only(...quirks))),
  company,
  kinds,
  overdue: { _tag: "Overdue" },
  unreachable: [],
}

/** A setting in which it is not asked what an honest client would do. */
export const settingWith = (quirks: ReadonlyArray<Quirk.Quirk>): Setting => ({
  quirks,
  offer: offers[0],
  asksInf: true,
  honest: 0,
})

/** Plays a script, and throws where the server breaks an invariant. */
export const replay = (
  { inputs, quirks }: Extract<Script.Script, { readonly _tag: "Server" }>,
  breaking?: Breaking,
): void => give(subject, settingWith(quirks), inputs, breaking)

type Breaking = (side: ReturnType<typeof subject.side>) => ReturnType<typeof subject.side>
