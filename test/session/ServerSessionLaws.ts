/** What the sources have a server do in a session: each law is written from them, and knows nothing of the table. */
import * as Result from "effect/Result"
import type { Tagged, TagOf } from "../../src/machine/Machine.ts"
import type * as Machine from "../../src/machine/Machine.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"
import type { Law } from "../support/Law.ts"
import { laws, unchanged } from "../support/Law.ts"
import * as Script from "../support/Script.ts"

/** Nobody's lists, but not of the first serial. */
const lists: Lists.Lists = { ...Lists.empty, serial: 12 }
const challenge = Challenge.Challenge.make("15570131571988941333")
const other = Challenge.Challenge.make("11111111111111111111")
const trId = TrId.TrId.make(7)
const place = { path: "/cgi-bin/HoTMaiL", login: "https://login.example/auth", site: "2" }

/** A state of every kind, in a dialect. */
export const states = (dialect: Dialect.Dialect) =>
  ({
    AwaitChg: { _tag: "AwaitChg", dialect, lists },
    Online: { _tag: "Online", dialect, lists, status: "Away" },
    AwaitQry: { _tag: "AwaitQry", dialect, lists, status: "Away", challenge },
    Closed: { _tag: "Closed", reason: "LoggedOff" },
  }) as const satisfies { readonly [tag in TagOf<ServerSession.State>]: ServerSession.State }
type State = TagOf<ServerSession.State>

/** An event of every kind, in varieties where its data make a difference. */
export const events = {
  "Syn with our serial": { _tag: "Syn", trId, serial: 12 },
  "Syn with an older serial": { _tag: "Syn", trId, serial: 0 },
  "Syn with a newer serial": { _tag: "Syn", trId, serial: 13 },
  Chg: { _tag: "Chg", trId, status: "Busy" },
  ChgOffline: { _tag: "ChgOffline", trId },
  ChgUnknown: { _tag: "ChgUnknown", trId },
  Png: { _tag: "Png" },
  QryRight: { _tag: "QryRight", trId },
  QryWrong: { _tag: "QryWrong", trId },
  Url: { _tag: "Url", trId, place },
  "Cvr by its own name": { _tag: "Cvr", trId, verb: "Cvr", version: "3.6.0025" },
  "Cvr as CVQ": { _tag: "Cvr", trId, verb: "Cvq", version: "3.6.0025" },
  CvrMalformed: { _tag: "CvrMalformed", trId },
  Ver: { _tag: "Ver", trId },
  Inf: { _tag: "Inf", trId },
  Usr: { _tag: "Usr", trId },
  Malformed: { _tag: "Malformed", trId },
  Msg: { _tag: "Msg" },
  Unserved: { _tag: "Unserved", trId },
  Out: { _tag: "Out" },
  Unreadable: { _tag: "Unreadable" },
  Challenge: { _tag: "Challenge", challenge: other },
  Warn: { _tag: "Warn", minutes: 5 },
  HungUp: { _tag: "HungUp" },
  Overdue: { _tag: "Overdue" },
} as const satisfies { readonly [name: string]: ServerSession.Event }
type Event = keyof typeof events

/** A state as it stands in a law: with its lists, if they are those of {@link states}, as `lists`. */
export const inShort = (state: Tagged): string =>
  Script.describe("lists" in state && state.lists === lists ? { ...state, lists: "lists" } : state)

const actionLines = (action: ServerSession.Action | Machine.Postponed<ServerSession.Event>): ReadonlyArray<string> => {
  switch (action._tag) {
    case "Say": {
      const said = Result.getOrThrow(Result.flatMap(ServerSession.toServerCommand(action.command), Codec.encodeServer))
      return said.split(/(?<=\n)/).map((line) => `<<< ${Script.escape(line)}`)
    }
    case "SetAlarm":
      return [`<o> Server sets its alarm: ${action.alarm}`]
    case "Close":
      return ["<o> Server closes connection"]
    case "Postponed":
      return ["<o> It waits"]
  }
}

/** What comes of an event in a state: lines, the state last. */
export const follow = (dialect: Dialect.Dialect, state: State, event: Event): ReadonlyArray<string> =>
  Script.defused(() => {
    const from: ServerSession.State = states(dialect)[state]
    const come: ServerSession.Event = events[event]
    const step = ServerSession.transition(from, come)
    return [...step.actions.flatMap(actionLines), `    ${inShort(step.state)}`]
  })

const { defect, late, legal, refused } = laws<State, Event>()

const says = (line: string) => `<<< ${line}\\r\\n`
const closes = (reason: string) => ["<o> Server closes connection", `    Closed { reason: ${reason} }`]
const silence = closes("Misbehaved")
const alarm = (which: string) => `<o> Server sets its alarm: ${which}`

const live: ReadonlyArray<State> = ["AwaitChg", "Online", "AwaitQry"]
const busy = "Online { dialect: $dialect, lists: lists, status: Busy }"

/** By dialect: the program is challenged from MSNP6 on. */
const isChallenged = (dialect: Dialect.Dialect) => dialect === "MSNP6" || dialect === "MSNP7"

/** The lists of nobody, RL last; MSNP7 has a group even then. */
const dump = (dialect: Dialect.Dialect) => [
  says("SYN 7 12"),
  says("GTC 7 12 A"),
  says("BLP 7 12 AL"),
  ...(dialect === "MSNP7" ? [says("LSG 7 12 1 1 0 ~ 0")] : []),
  ...["FL", "AL", "BL", "RL"].map((list) => says(`LST 7 ${list} 12 0 0`)),
  unchanged,
]

const versions = "3.6.0025 3.6.0025 1.0.0000 http://messenger.microsoft.com http://messenger.microsoft.com"

export const serverSessionLaws: ReadonlyArray<Law<State, Event>> = [
  // The lists.
  legal(["beyond.syn"], live, ["Syn with our serial"], [says("SYN 7 12"), unchanged]),
  legal(["beyond.syn", "beyond.lists"], live, ["Syn with an older serial", "Syn with a newer serial"], dump),

  // The status.
  legal(["beyond.chg", "beyond.chl"], ["AwaitChg"], ["Chg"], (dialect) => [
    says("CHG 7 BSY"),
    ...(isChallenged(dialect) ? [alarm("FirstChallenge")] : []),
    `    ${busy}`,
  ]),
  legal(["beyond.chg"], ["Online"], ["Chg"], [says("CHG 7 BSY"), `    ${busy}`]),
  legal(
    ["beyond.chg"],
    ["AwaitQry"],
    ["Chg"],
    [
      says("CHG 7 BSY"),
      "    AwaitQry { dialect: $dialect, lists: lists, status: Busy, challenge: 15570131571988941333 }",
    ],
  ),
  legal(["beyond.chg-offline"], live, ["ChgOffline"], [says("201 7"), unchanged]),
  refused(["beyond.chg-unknown"], live, ["ChgUnknown"], silence),

  // Whether the other is still there, and who it is.
  legal(["beyond.png"], live, ["Png"], [says("QNG"), unchanged]),
  legal(["beyond.chl"], ["Online"], ["Challenge"], (dialect) =>
    isChallenged(dialect)
      ? [
          says("CHL 0 11111111111111111111"),
          alarm("Overdue"),
          "    AwaitQry { dialect: $dialect, lists: lists, status: Away, challenge: 11111111111111111111 }",
        ]
      : [unchanged],
  ),
  late(["AwaitQry"], ["Challenge"]),
  defect(["AwaitChg"], ["Challenge"]),
  legal(
    ["beyond.qry", "beyond.chl"],
    ["AwaitQry"],
    ["QryRight"],
    [says("QRY 7"), alarm("NextChallenge"), "    Online { dialect: $dialect, lists: lists, status: Away }"],
  ),
  defect(["AwaitChg", "Online"], ["QryRight"]),
  refused(["beyond.qry-wrong"], live, ["QryWrong"], [says("540 7"), ...silence]),
  legal(["beyond.qry-overdue"], ["AwaitQry"], ["Overdue"], closes("Unanswered")),
  late(["Online"], ["Overdue"]),
  defect(["AwaitChg"], ["Overdue"]),

  // Places and versions.
  legal(["beyond.url"], live, ["Url"], (dialect) => [
    says(`URL 7 /cgi-bin/HoTMaiL https://login.example/auth${dialect === "MSNP2" ? "" : " 2"}`),
    unchanged,
  ]),
  legal(["beyond.cvr-in-session"], live, ["Cvr by its own name"], [says(`CVR 7 ${versions}`), unchanged]),
  legal(["beyond.cvr-in-session"], live, ["Cvr as CVQ"], [says(`CVQ 7 ${versions}`), unchanged]),
  legal(["beyond.cvr-bad"], live, ["CvrMalformed"], [says("710 7"), unchanged]),

  // What has no place in a session, and does not end it.
  legal(["beyond.login-again"], live, ["Ver", "Inf"], [says("200 7"), unchanged]),
  legal(["beyond.usr-again"], live, ["Usr"], [says("207 7"), unchanged]),
  legal(["beyond.parameters"], live, ["Malformed"], [says("200 7"), unchanged]),
  legal(["beyond.unserved"], live, ["Unserved"], [says("502 7"), unchanged]),

  // What ends it.
  refused(["beyond.msg"], live, ["Msg"], silence),
  refused(["beyond.trid"], live, ["Unreadable"], silence),
  legal(["logoff.out", "logoff.out-closes", "logoff.out-silent"], live, ["Out"], closes("LoggedOff")),
  legal(["logoff.close"], live, ["HungUp"], closes("HungUp")),

  // The server is about to go down.
  legal(
    ["closing.warning"],
    live,
    ["Warn"],
    [
      says("MSG Hotmail Hotmail 88"),
      says("MIME-Version: 1.0"),
      says("Content-Type: application/x-msmsgssystemmessage"),
      says(""),
      says("Type: 1"),
      says("Arg1: 5"),
      unchanged,
    ],
  ),

  late(["Closed"], Object.keys(events) as ReadonlyArray<Event>),
]
