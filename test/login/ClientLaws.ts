/** What the clauses have a client do: each law is written from the sentences that it names, in the page's order. */
import type { Law } from "../support/Law.ts"
import { laws, unchanged } from "../support/Law.ts"
import type { ClientEvent, ClientState } from "../support/Space.ts"

const { defect, late, legal, refused, waits } = laws<ClientState, ClientEvent>()

const says = (line: string) => `>>> ${line}\\r\\n`
const closes = (reason: string) => ["<o> Client closes connection", `    Closed { reason: ${reason} }`]

/** What a server may say where an answer is awaited, as a person is told it. */
const awaited = {
  AwaitVer: "VER, VER 0, an error",
  AwaitInf: "INF, an error",
  AwaitUsr: "USR S, XFR, an error",
  AwaitOk: "USR OK, an error",
} as const
type Answering = keyof typeof awaited
const answering: ReadonlyArray<Answering> = ["AwaitVer", "AwaitInf", "AwaitUsr", "AwaitOk"]
const login: ReadonlyArray<ClientState> = [...answering, "AwaitDigest"]
const over: ReadonlyArray<ClientState> = ["Referred", "Closed"]

/** Each answer by what it is called, with the events that it may be and the state in which it is right. */
const oks: ReadonlyArray<ClientEvent> = ["UsrOk verified", "UsrOk unverified", "UsrOk unsaid", "UsrOk respelled"]
const answers: ReadonlyArray<readonly [called: string, events: ReadonlyArray<ClientEvent>, right: Answering]> = [
  ["VER", ["Ver"], "AwaitVer"],
  ["VER 0", ["VerNone"], "AwaitVer"],
  ["INF", ["Inf"], "AwaitInf"],
  ["USR S", ["UsrChallenge"], "AwaitUsr"],
  ["XFR", ["Xfr"], "AwaitUsr"],
  ["USR OK", oks, "AwaitOk"],
]
const allAnswers = answers.flatMap(([, events]) => events)
const failures: ReadonlyArray<ClientEvent> = ["Failure 911", "Failure 500", "Failure 715"]
const outs: ReadonlyArray<ClientEvent> = ["Out OTH", "Out SSD", "Out bare"]

const misbehaved = (expected: string, got: string) =>
  closes(`ServerMisbehaved { expected: [${expected}], got: ${got} }`)

/** A state in which the dialect is settled. */
const pending = (tag: string, trId: number, skipped = 0) =>
  `    ${tag} { trId: ${trId}, account: alice@hotmail.com, skipped: ${skipped}, dialect: $dialect }`

const loggedIn = (account: string, verified: string) =>
  `    LoggedIn { trId: 7, dialect: $dialect, account: ${account}, friendlyName: Alice, verified: ${verified} }`

/** By which clauses a server may refuse at each step. */
const refusing = {
  AwaitVer: ["beyond.failure-form"],
  AwaitInf: ["beyond.failure-form"],
  AwaitUsr: ["usr.trouble", "usr.disliked-911", "beyond.failure-form"],
  AwaitOk: ["usr.wrong-password", "usr.trouble-again", "beyond.failure-form"],
} as const

/** And by which it may hang up. */
const hangingUp = {
  AwaitVer: ["beyond.lost"],
  AwaitInf: ["beyond.lost"],
  AwaitUsr: ["usr.disliked", "beyond.lost"],
  AwaitOk: ["usr.digest-size", "beyond.lost"],
} as const

export const clientLaws: ReadonlyArray<Law<ClientState, ClientEvent>> = [
  // One step at a time: an answer to something else is misbehavior.
  ...answers.flatMap(([called, events, right]) =>
    answering
      .filter((state) => state !== right)
      .map((state) => refused(["login.synchronous"], [state], events, misbehaved(awaited[state], called))),
  ),
  ...answering.map((state) =>
    refused(
      [
        "beyond.verb",
        "beyond.trid",
        "beyond.reply-trid",
        "beyond.limit",
        "beyond.ver-list",
        "beyond.inf-list",
        "beyond.ok-account",
        "beyond.asides",
      ],
      [state],
      ["Stray"],
      misbehaved(awaited[state], "nonsense"),
    ),
  ),
  legal(
    ["login.stage-only", "next.messages"],
    ["LoggedIn"],
    ["Further"],
    ["<o> Client hands it to the application", unchanged],
  ),

  // VER.
  legal(
    ["ver.reply-order", "inf.optional", "beyond.ver-list"],
    ["AwaitVer"],
    ["Ver"],
    [says("INF 8"), pending("AwaitInf", 8)],
  ),
  legal(
    ["ver.reply-order", "inf.optional", "usr.must", "beyond.ver-list"],
    ["AwaitVer"],
    ["VerSkipInf"],
    [says("USR 8 MD5 I alice@hotmail.com"), pending("AwaitUsr", 8)],
  ),
  legal(
    ["ver.reply-order", "efficiency.ver-usr", "beyond.ver-list"],
    ["AwaitVer"],
    ["VerPipelined"],
    [pending("AwaitUsr", 8)],
  ),
  legal(["ver.none", "beyond.ver-list"], ["AwaitVer"], ["VerNone"], closes("NoCommonDialect { offered: [$dialect] }")),

  // INF.
  legal(
    ["inf.reply", "inf.md5", "usr.must", "beyond.inf-list"],
    ["AwaitInf"],
    ["Inf"],
    [says("USR 8 MD5 I alice@hotmail.com"), pending("AwaitUsr", 8)],
  ),

  // USR: trouble, denials, or a server that does not like it.
  ...answering.flatMap((state) => [
    legal(refusing[state], [state], ["Failure 911"], closes("Denied { code: 911 }")),
    legal(refusing[state], [state], ["Failure 500"], closes("Unavailable { code: 500 }")),
    legal(refusing[state], [state], ["Failure 715"], misbehaved(awaited[state], "715, not expected")),
    legal(hangingUp[state], [state], ["HungUp"], closes(`HungUp { awaiting: [${awaited[state]}] }`)),
  ]),
  legal(["beyond.lost"], ["AwaitDigest", "LoggedIn"], ["HungUp"], closes("HungUp { awaiting: [] }")),

  // XFR.
  legal(
    ["usr.answers", "xfr.again", "beyond.xfr-forms"],
    ["AwaitUsr"],
    ["Xfr"],
    ["<o> Client closes connection", "    Referred { trId: 7, to: 10.0.0.5:1862 }"],
  ),

  // The challenge and its answer.
  legal(
    ["usr.answers", "usr.challenge"],
    ["AwaitUsr"],
    ["UsrChallenge"],
    ["<o> Client asks its host: Digest { challenge: 1013928519.693957190 }", pending("AwaitDigest", 7)],
  ),
  legal(
    ["usr.respond"],
    ["AwaitDigest"],
    ["Answer"],
    [says("USR 8 MD5 S 6f3963009fc8a9d2b2ff137da0905c55"), pending("AwaitOk", 8)],
  ),
  legal(["usr.ok", "usr.verified"], ["AwaitOk"], ["UsrOk verified"], [loggedIn("alice@hotmail.com", "true")]),
  legal(["usr.ok", "usr.verified"], ["AwaitOk"], ["UsrOk unverified"], [loggedIn("alice@hotmail.com", "false")]),
  legal(["usr.ok"], ["AwaitOk"], ["UsrOk unsaid"], [loggedIn("alice@hotmail.com", "unknown")]),
  legal(["usr.ok"], ["AwaitOk"], ["UsrOk respelled"], [loggedIn("ALICE@HOTMAIL.COM", "true")]),

  // While our own host reckons, what the server says waits, whatever it is.
  waits(["login.synchronous", "beyond.pending"], ["AwaitDigest"], ["Early"]),

  // The end.
  legal(["logoff.out"], [...login, "LoggedIn"], ["LogOff"], [says("OUT"), ...closes("LoggedOff")]),
  legal(
    ["closing.reasons", "closing.oth"],
    [...answering, "LoggedIn"],
    ["Out OTH"],
    closes("LoggedOut { reason: LoggedInElsewhere }"),
  ),
  legal(
    ["closing.reasons", "closing.ssd"],
    [...answering, "LoggedIn"],
    ["Out SSD"],
    closes("LoggedOut { reason: ShuttingDown }"),
  ),
  legal(["beyond.bare-out"], [...answering, "LoggedIn"], ["Out bare"], closes("LoggedOut { reason: Unstated }")),

  // Where the page is silent.
  legal(
    ["beyond.asides"],
    ["AwaitVer"],
    ["Aside"],
    ["    AwaitVer { trId: 7, account: alice@hotmail.com, skipped: 1, offered: [$dialect], manner: AskInf }"],
  ),
  ...(["AwaitInf", "AwaitUsr", "AwaitOk"] as const).map((state) =>
    legal(["beyond.asides"], [state], ["Aside"], [pending(state, 7, 1)]),
  ),
  ...answering.map((state) =>
    legal(["beyond.overdue"], [state], ["Overdue"], closes(`TimedOut { awaiting: [${awaited[state]}] }`)),
  ),
  legal(["beyond.overdue"], ["AwaitDigest"], ["Overdue"], closes("TimedOut { awaiting: [] }")),
  refused(["beyond.verb", "beyond.trid", "beyond.limit"], ["LoggedIn"], ["Stray"], misbehaved("", "nonsense")),
  late(["LoggedIn"], ["Overdue"]),
  late(over, [...allAnswers, "VerSkipInf", "VerPipelined", ...failures, ...outs, "Aside", "Stray", "Further", "Early"]),
  late(over, ["Answer", "LogOff", "HungUp", "Overdue"]),

  // A shell that answers what it was not asked, or takes what it hears for something that cannot be heard there.
  defect(login, ["Further"]),
  defect([...answering, "LoggedIn"], ["Answer", "Early"]),
  defect(["AwaitInf", "AwaitUsr", "AwaitOk", "AwaitDigest", "LoggedIn"], ["VerSkipInf", "VerPipelined"]),
  defect(["AwaitDigest", "LoggedIn"], [...allAnswers, ...failures, "Aside"]),
  defect(["AwaitDigest"], [...outs, "Stray"]),
]
