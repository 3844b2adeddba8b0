/** What the clauses have a server do: each law is written from the sentences that it names, in the page's order. */
import type * as Server from "../../src/login/Server.ts"
import type { TagOf } from "../../src/machine/Machine.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import type { Law, Outcome } from "../support/Law.ts"
import { laws, unchanged } from "../support/Law.ts"
import type { ServerEvent } from "../support/Space.ts"

type State = TagOf<Server.State>

const { defect, late, legal, refused, waits } = laws<State, ServerEvent>()

const says = (line: string) => `<<< ${line}\\r\\n`
const closes = (reason: string) => ["<o> Server closes connection", `    Closed { reason: ${reason} }`]
const refusedWith = (line: string) => [says(line), ...closes("Misbehaved")]
const silence = closes("Misbehaved")

/** The states by what can be heard in them. */
const beforeUsr: ReadonlyArray<State> = ["AwaitVer", "AwaitInfOrUsr", "AwaitUsr"]
const ofUsr: ReadonlyArray<State> = ["AwaitInfOrUsr", "AwaitUsr"]
const listening: ReadonlyArray<State> = [...beforeUsr, "AwaitDigest"]
const deciding: ReadonlyArray<State> = ["AwaitAdmission", "AwaitVerdict"]
const login = [...listening, ...deciding]

/** The events by who brings them. */
const ver: ReadonlyArray<ServerEvent> = ["Ver", "VerUncommon"]
const usrInitial: ReadonlyArray<ServerEvent> = ["UsrInitiate", "UsrMisaddressed", "UsrInitiateMalformed"]
const usrOther: ReadonlyArray<ServerEvent> = ["UsrRespond", "UsrRespondMalformed", "UsrMalformed"]
const commands: ReadonlyArray<ServerEvent> = [
  ...ver,
  "Inf",
  ...usrInitial,
  ...usrOther,
  "Cvr",
  "CvrTolerated",
  "Foreign",
]
const denials: ReadonlyArray<ServerEvent> = ["Deny 911", "Deny 923", "Deny 924"]
const troubles: ReadonlyArray<ServerEvent> = ["Deny 500", "Deny 601", "Deny 910", "Deny 921"]
const accepts: ReadonlyArray<ServerEvent> = ["Accept verified", "Accept unverified"]

/** By dialect, as the page has it for XFR: MSNP2 two parameters, later ones three, MSNP7 four. */
const referral: Outcome = (dialect, quirks) => {
  const zero = quirks.msnp2ReferralZero ? " 0" : ""
  const behind: { readonly [dialect in Dialect.Dialect]: string } = {
    MSNP2: zero,
    MSNP3: " 0",
    MSNP4: " 0",
    MSNP5: " 0",
    MSNP6: " 0",
    MSNP7: " 0 10.0.0.1:1864",
  }
  return [says(`XFR 6 NS 10.0.0.5:1862${behind[dialect]}`), ...closes("Referred")]
}

/** By dialect, as the wiki has it: 923 is known from MSNP4 on, 924 from MSNP5 on; before that it is 911. */
const denial =
  (code: "911" | "923" | "924"): Outcome =>
  (dialect) => {
    const told: { readonly [dialect in Dialect.Dialect]: string } = {
      MSNP2: "911",
      MSNP3: "911",
      MSNP4: code === "924" ? "911" : code,
      MSNP5: code,
      MSNP6: code,
      MSNP7: code,
    }
    return [says(`${told[dialect]} 6`), ...closes("Denied")]
  }

/** By dialect: the flag of a verified address is MSNP7's. */
const welcome =
  (verified: boolean): Outcome =>
  (dialect, quirks) => {
    const flag = verified ? " 1" : " 0"
    const flagged = dialect === "MSNP7" || (dialect === "MSNP6" && quirks.verifiedFlagFromMsnp6)
    return [
      says(`USR 6 OK alice@hotmail.com Alice${flagged ? flag : ""}`),
      `    LoggedIn { dialect: $dialect, account: alice@hotmail.com, friendlyName: Alice, verified: ${verified} }`,
    ]
  }

export const serverLaws: ReadonlyArray<Law<State, ServerEvent>> = [
  // The login stage: what comes at the wrong time.
  refused(["login.wrong-time"], [...ofUsr, "AwaitDigest"], ver, refusedWith("715 7")),
  refused(["login.wrong-time"], ["AwaitVer", "AwaitUsr", "AwaitDigest"], ["Inf"], refusedWith("715 7")),
  refused(["login.wrong-time"], ["AwaitVer", "AwaitDigest"], usrInitial, refusedWith("715 7")),
  refused(["login.wrong-time"], ["AwaitVer"], usrOther, refusedWith("715 7")),
  refused(["login.cvr-before-usr"], beforeUsr, ["Cvr"], refusedWith("731 7")),
  refused(["login.cvr-after-usr"], ["AwaitDigest"], ["Cvr"], refusedWith("715 7")),
  refused(["login.meaningless"], listening, ["Foreign"], silence),
  legal(["login.stage-only"], ["LoggedIn"], commands, ["<o> Server hands it to the application", unchanged]),

  // VER.
  legal(
    ["ver.trid", "ver.common", "ver.reply-order", "ver.example-common"],
    ["AwaitVer"],
    ["Ver"],
    [says("VER 7 $dialect CVR0"), "    AwaitInfOrUsr { dialect: $dialect }"],
  ),
  legal(
    ["ver.none", "ver.example-none"],
    ["AwaitVer"],
    ["VerUncommon"],
    [says("VER 7 0"), ...closes("NoCommonDialect")],
  ),
  refused(["ver.no-trid", "beyond.verb", "beyond.trid", "beyond.limit"], listening, ["Unreadable"], silence),
  refused(["beyond.verb", "beyond.trid", "beyond.limit"], ["LoggedIn"], ["Unreadable"], silence),

  // INF.
  legal(
    ["inf.optional", "inf.reply", "inf.md5"],
    ["AwaitInfOrUsr"],
    ["Inf"],
    [says("INF 7 MD5"), "    AwaitUsr { dialect: $dialect }"],
  ),

  // The initial USR.
  legal(
    ["usr.must", "usr.answers"],
    ofUsr,
    ["UsrInitiate"],
    [
      "<o> Server asks its host: Admission { dialect: $dialect, account: alice@hotmail.com }",
      "    AwaitAdmission { dialect: $dialect, trId: 7, account: alice@hotmail.com }",
    ],
  ),
  refused(["usr.disliked"], ofUsr, ["UsrInitiateMalformed", "UsrMalformed"], silence),
  refused(["usr.disliked-911"], ofUsr, ["UsrMisaddressed", "UsrRespond", "UsrRespondMalformed"], refusedWith("911 7")),
  legal(["beyond.denials"], ["AwaitAdmission"], ["Deny 911"], denial("911")),
  legal(["beyond.denials"], ["AwaitAdmission"], ["Deny 923"], denial("923")),
  legal(["beyond.denials"], ["AwaitAdmission"], ["Deny 924"], denial("924")),
  ...([500, 601, 910, 921] as const).map((code) =>
    legal(["usr.trouble"], ["AwaitAdmission"], [`Deny ${code}`], [says(`${code} 6`), ...closes("Unavailable")]),
  ),

  // XFR.
  legal(
    ["login.redirect", "usr.answers", "xfr.rare", "xfr.form", "xfr.example", "xfr.closes"],
    ["AwaitAdmission"],
    ["Refer"],
    referral,
  ),

  // The subsequent USR.
  legal(
    ["usr.answers", "usr.challenge"],
    ["AwaitAdmission"],
    ["Challenge"],
    [
      says("USR 6 MD5 S 1013928519.693957190"),
      "    AwaitDigest { dialect: $dialect, account: alice@hotmail.com, challenge: 1013928519.693957190 }",
    ],
  ),
  legal(
    ["usr.respond"],
    ["AwaitDigest"],
    ["UsrRespond"],
    [
      "<o> Server asks its host: Verdict { dialect: $dialect, account: alice@hotmail.com, " +
        "challenge: 1013928519.693957190, digest: (secret) }",
      "    AwaitVerdict { dialect: $dialect, trId: 7, account: alice@hotmail.com }",
    ],
  ),
  legal(["usr.ok", "usr.verified"], ["AwaitVerdict"], ["Accept verified"], welcome(true)),
  legal(["usr.ok", "usr.verified"], ["AwaitVerdict"], ["Accept unverified"], welcome(false)),
  legal(["usr.wrong-password"], ["AwaitVerdict"], ["Deny 911"], denial("911")),
  legal(["beyond.denials"], ["AwaitVerdict"], ["Deny 923"], denial("923")),
  legal(["beyond.denials"], ["AwaitVerdict"], ["Deny 924"], denial("924")),
  ...([500, 601, 910, 921] as const).map((code) =>
    legal(["usr.trouble-again"], ["AwaitVerdict"], [`Deny ${code}`], [says(`${code} 6`), ...closes("Unavailable")]),
  ),
  refused(["usr.digest-size"], ["AwaitDigest"], ["UsrRespondMalformed", "UsrMalformed"], silence),

  // Several commands at once.
  waits(["efficiency.together", "beyond.pending"], deciding, [...commands, "Out", "Unreadable"]),

  // Logging off.
  legal(["logoff.close"], [...login, "LoggedIn"], ["HungUp"], closes("HungUp")),
  legal(
    ["logoff.out", "logoff.out-closes", "logoff.out-silent"],
    [...listening, "LoggedIn"],
    ["Out"],
    closes("LoggedOff"),
  ),

  // The server closes.
  legal(
    ["closing.reasons", "closing.oth"],
    ["AwaitVerdict", "LoggedIn"],
    ["Displaced"],
    [says("OUT OTH"), ...closes("LoggedInElsewhere")],
  ),
  legal(
    ["closing.reasons", "closing.ssd", "closing.ssd-closes"],
    [...login, "LoggedIn"],
    ["ShutDown"],
    [says("OUT SSD"), ...closes("ShuttingDown")],
  ),

  // Where the page is silent.
  legal(
    ["beyond.cvr-anytime"],
    listening,
    ["CvrTolerated"],
    [says("CVR 7 3.6.0025 3.6.0025 1.0.0000 http://messenger.microsoft.com http://messenger.microsoft.com"), unchanged],
  ),
  legal(["beyond.overdue"], login, ["Overdue"], closes("Overdue")),
  legal(["beyond.dismiss"], ["AwaitVerdict", "LoggedIn"], ["Dismiss"], closes("Dismissed")),
  late(["LoggedIn"], ["Overdue"]),
  late(["Closed"], [...commands, "Out", "Unreadable", "Challenge", "Refer", ...denials, ...troubles, ...accepts]),
  late(["Closed"], ["Displaced", "Dismiss", "ShutDown", "HungUp", "Overdue"]),

  // A host that answers what it was not asked, or ends a session that there is not yet.
  defect([...listening, "AwaitVerdict", "LoggedIn"], ["Challenge", "Refer"]),
  defect([...listening, "LoggedIn"], [...denials, ...troubles]),
  defect([...listening, "AwaitAdmission", "LoggedIn"], accepts),
  defect([...listening, "AwaitAdmission"], ["Displaced", "Dismiss"]),
]
