/** What the clauses have a client do: each law is written from the sentences that it names, in the page's order. */
import type { Law } from "../support/Law.ts"
import { laws, unchanged } from "../support/Law.ts"
import type { ClientEvent, ClientState } from "../support/Space.ts"

const { defect, late, legal, refused, waits } = laws<ClientState, ClientEvent>()

const says = (line: string) => `>>> ${line}\\r\\n`
const closes = (reason: string) => ["<o> Client closes connection", `    Closed { reason: ${reason} }`]

const vers: ReadonlyArray<ClientState> = ["AwaitVer", "AwaitVer SkipInf"]

/** What a server may say where an answer is awaited, as a person is told it. */
const awaited: ReadonlyArray<readonly [ReadonlyArray<ClientState>, expected: string]> = [
  [vers, "VER, VER 0, an error"],
  [["AwaitInf"], "INF, an error"],
  [["AwaitUsr"], "USR S, XFR, an error"],
  [["AwaitOk"], "USR OK, an error"],
]
const answering: ReadonlyArray<ClientState> = [...vers, "AwaitInf", "AwaitUsr", "AwaitOk"]
const login: ReadonlyArray<ClientState> = [...answering, "AwaitDigest"]
const over: ReadonlyArray<ClientState> = ["Referred", "Closed"]

/** What each answer is called. */
const spoken = {
  Ver: "VER",
  VerNone: "VER 0",
  Inf: "INF",
  UsrChallenge: "USR S",
  UsrOk: "USR OK",
  Xfr: "XFR",
} as const
const answers: ReadonlyArray<keyof typeof spoken> = ["Ver", "VerNone", "Inf", "UsrChallenge", "UsrOk", "Xfr"]
const failures: ReadonlyArray<ClientEvent> = ["Failure 911", "Failure 500", "Failure 715"]
const outs: ReadonlyArray<ClientEvent> = ["Out OTH", "Out SSD", "Out bare"]

const misbehaved = (expected: string, got: string) =>
  closes(`ServerMisbehaved { expected: [${expected}], got: ${got} }`)

/** A state in which the dialect is settled. */
const pending = (tag: string, trId: number, skipped = 0) =>
  `    ${tag} { trId: ${trId}, account: alice@hotmail.com, skipped: ${skipped}, dialect: $dialect }`

/** The states in which an answer is awaited, but for those in which this one is right. */
const wrongPlaces = (answer: keyof typeof spoken, right: ReadonlyArray<ClientState>) =>
  awaited
    .filter(([states]) => !states.some((state) => right.includes(state)))
    .map(([states, expected]) => refused(["login.synchronous"], states, [answer], misbehaved(expected, spoken[answer])))

const trouble = ["usr.trouble", "usr.wrong-password", "usr.trouble-again", "beyond.failure-form"] as const

export const clientLaws: ReadonlyArray<Law<ClientState, ClientEvent>> = [
  // One step at a time: an answer to something else is misbehavior.
  ...wrongPlaces("Ver", vers),
  ...wrongPlaces("VerNone", vers),
  ...wrongPlaces("Inf", ["AwaitInf"]),
  ...wrongPlaces("UsrChallenge", ["AwaitUsr"]),
  ...wrongPlaces("Xfr", ["AwaitUsr"]),
  ...wrongPlaces("UsrOk", ["AwaitOk"]),
  ...awaited.map(([states, expected]) =>
    refused(
      ["beyond.reply-trid", "beyond.ver-list", "beyond.ok-account", "beyond.limit"],
      states,
      ["Stray"],
      misbehaved(expected, "nonsense"),
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
    ["ver.reply-order", "inf.optional", "usr.must", "beyond.ver-list"],
    ["AwaitVer"],
    ["Ver"],
    [says("INF 8"), pending("AwaitInf", 8)],
  ),
  legal(
    ["ver.reply-order", "inf.optional", "usr.must", "beyond.ver-list"],
    ["AwaitVer SkipInf"],
    ["Ver"],
    [says("USR 8 MD5 I alice@hotmail.com"), pending("AwaitUsr", 8)],
  ),
  legal(["ver.none", "beyond.ver-list"], vers, ["VerNone"], closes("NoCommonDialect { offered: [$dialect] }")),

  // INF.
  legal(
    ["inf.reply", "inf.md5", "usr.must", "beyond.inf-list"],
    ["AwaitInf"],
    ["Inf"],
    [says("USR 8 MD5 I alice@hotmail.com"), pending("AwaitUsr", 8)],
  ),

  // USR: trouble, denials, or a server that does not like it.
  legal(trouble, answering, ["Failure 911"], closes("Denied { code: 911 }")),
  legal(trouble, answering, ["Failure 500"], closes("Unavailable { code: 500 }")),
  ...awaited.map(([states, expected]) =>
    legal(trouble, states, ["Failure 715"], misbehaved(expected, "715, not expected")),
  ),
  ...awaited.map(([states, expected]) =>
    legal(
      ["usr.disliked", "usr.digest-size", "beyond.lost"],
      states,
      ["HungUp"],
      closes(`HungUp { awaiting: [${expected}] }`),
    ),
  ),
  legal(
    ["usr.disliked", "usr.digest-size", "beyond.lost"],
    ["AwaitDigest", "LoggedIn"],
    ["HungUp"],
    closes("HungUp { awaiting: [] }"),
  ),

  // XFR.
  legal(
    ["usr.answers", "xfr.again", "beyond.xfr-forms"],
    ["AwaitUsr"],
    ["Xfr"],
    ["<o> Client closes connection", "    Referred { to: 10.0.0.5:1862 }"],
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
  legal(
    ["usr.ok", "usr.verified"],
    ["AwaitOk"],
    ["UsrOk"],
    ["    LoggedIn { trId: 7, dialect: $dialect, account: alice@hotmail.com, friendlyName: Alice, verified: true }"],
  ),

  // While our own host reckons, what the server says waits.
  waits(["login.synchronous", "beyond.pending"], ["AwaitDigest"], [...answers, ...failures, ...outs, "Aside", "Stray"]),

  // The end.
  legal(["logoff.out"], [...login, "LoggedIn"], ["LogOff"], [says("OUT"), ...closes("LoggedOff")]),
  ...(
    [
      ["Out OTH", "LoggedInElsewhere"],
      ["Out SSD", "ShuttingDown"],
      ["Out bare", "Unstated"],
    ] as const
  ).map(([event, reason]) =>
    legal(
      ["closing.reasons", "closing.oth", "closing.ssd", "beyond.bare-out"],
      [...answering, "LoggedIn"],
      [event],
      closes(`LoggedOut { reason: ${reason} }`),
    ),
  ),

  // Where the page is silent.
  legal(
    ["beyond.asides"],
    ["AwaitVer"],
    ["Aside"],
    ["    AwaitVer { trId: 7, account: alice@hotmail.com, skipped: 1, offered: [$dialect], manner: AskInf }"],
  ),
  legal(
    ["beyond.asides"],
    ["AwaitVer SkipInf"],
    ["Aside"],
    ["    AwaitVer { trId: 7, account: alice@hotmail.com, skipped: 1, offered: [$dialect], manner: SkipInf }"],
  ),
  ...(["AwaitInf", "AwaitUsr", "AwaitOk"] as const).map((state) =>
    legal(["beyond.asides"], [state], ["Aside"], [pending(state, 7, 1)]),
  ),
  ...awaited.map(([states, expected]) =>
    legal(["beyond.overdue"], states, ["Overdue"], closes(`TimedOut { awaiting: [${expected}] }`)),
  ),
  legal(["beyond.overdue"], ["AwaitDigest"], ["Overdue"], closes("TimedOut { awaiting: [] }")),
  refused(["beyond.verb", "beyond.trid", "beyond.limit"], ["LoggedIn"], ["Stray"], misbehaved("", "nonsense")),
  late(["LoggedIn"], ["Overdue"]),
  late(over, [...answers, ...failures, ...outs, "Aside", "Stray", "Further", "Answer", "LogOff", "HungUp", "Overdue"]),

  // A shell that answers what it was not asked, or tells a session's commands from a login's wrongly.
  defect(login, ["Further"]),
  defect([...answering, "LoggedIn"], ["Answer"]),
  defect(["LoggedIn"], [...answers, ...failures, "Aside"]),
]
