/** What the documents call the states and events of the machines; an event's meaning is its docstring. */
import type * as Client from "../../src/login/Client.ts"
import type * as Server from "../../src/login/Server.ts"
import type { TagOf } from "../../src/machine/Machine.ts"
import type * as ClientSession from "../../src/session/ClientSession.ts"
import type * as ServerSession from "../../src/session/ServerSession.ts"

/** What is said of a state, and what each event is called. */
export interface Words<State extends string, Event extends string> {
  readonly states: { readonly [state in State]: string }
  readonly events: { readonly [event in Event]: string }
}

export const server: Words<TagOf<Server.State>, TagOf<Server.Event>> = {
  states: {
    AwaitVer: "a new connection",
    AwaitInfOrUsr: "the dialect is settled",
    AwaitUsr: "the security package is told",
    AwaitAdmission: "the host decides about the account",
    AwaitDigest: "the client is challenged",
    AwaitVerdict: "the host judges the digest",
    LoggedIn: "the login is done",
    Closed: "the connection is over",
  },
  events: {
    Ver: "VER",
    VerUncommon: "VER without a common dialect",
    Inf: "INF",
    UsrInitiate: "USR I",
    UsrMisaddressed: "USR I without an address",
    UsrInitiateMalformed: "malformed USR I",
    UsrRespond: "USR S",
    UsrRespondMalformed: "malformed USR S",
    UsrMalformed: "malformed USR",
    Cvr: "CVR",
    CvrTolerated: "CVR under the quirk cvrAnytime",
    Out: "OUT",
    Foreign: "another verb",
    Unreadable: "an unreadable line",
    Challenge: "host: challenge",
    Refer: "host: refer",
    Deny: "host: deny",
    Accept: "host: accept",
    Displaced: "host: displaced",
    Dismiss: "host: dismiss",
    ShutDown: "host: shut down",
    HungUp: "the client is gone",
    Overdue: "time is up",
  },
}

export const client: Words<TagOf<Client.State>, TagOf<Client.Event>> = {
  states: {
    AwaitVer: "VER has been said",
    AwaitInf: "INF has been said",
    AwaitUsr: "USR I has been said",
    AwaitDigest: "the host answers the challenge",
    AwaitOk: "USR S has been said",
    LoggedIn: "the login is done",
    Referred: "the login goes on elsewhere",
    Closed: "the connection is over",
  },
  events: {
    Ver: "VER",
    VerSkipInf: "VER if INF is left out",
    VerPipelined: "VER if USR I is said",
    VerNone: "VER 0",
    Inf: "INF",
    UsrChallenge: "USR S",
    UsrOk: "USR OK",
    Xfr: "XFR",
    Failure: "an error",
    Out: "OUT",
    Aside: "an aside",
    Stray: "nonsense",
    Further: "a further command",
    Early: "whatever comes early",
    Answer: "host: digest",
    LogOff: "host: log off",
    HungUp: "the server is gone",
    Overdue: "time is up",
  },
}

export const serverSession: Words<TagOf<ServerSession.State>, TagOf<ServerSession.Event>> = {
  states: {
    AwaitChg: "the client has taken no status yet",
    Online: "the client has a status",
    AwaitQry: "the client's program is challenged",
    Closed: "the session is over",
  },
  events: {
    Syn: "SYN",
    Chg: "CHG",
    ChgOffline: "CHG FLN",
    ChgUnknown: "CHG to no status",
    Png: "PNG",
    QryRight: "QRY, right",
    QryWrong: "QRY, wrong",
    Url: "URL",
    Cvr: "CVR or CVQ",
    CvrMalformed: "malformed CVR or CVQ",
    Ver: "VER",
    Inf: "INF",
    Usr: "USR",
    Malformed: "malformed SYN, CHG or URL",
    Msg: "MSG",
    Unserved: "another verb",
    Out: "OUT",
    Unreadable: "a line without TrID",
    Challenge: "time to challenge",
    Warn: "host: warn",
    HungUp: "the client is gone",
    Overdue: "time is up",
  },
}

export const clientSession: Words<TagOf<ClientSession.State>, TagOf<ClientSession.Event>> = {
  states: {
    Unsynchronized: "the lists kept are all there is",
    AwaitSyn: "SYN has been said",
    AwaitLists: "the lists come",
    Synchronized: "the lists are the server's",
    Closed: "the session is over",
  },
  events: {
    SynSame: "SYN with our serial",
    SynOther: "SYN with another serial",
    ListLine: "a line of the lists",
    ListEnd: "the last line of the lists",
    ListsEndless: "one line of the lists too many",
    ListsRefused: "an error for SYN",
    StatusSet: "CHG",
    ContactOnline: "ILN or NLN",
    ContactOffline: "FLN",
    Profile: "MSG: profile",
    Maintenance: "MSG: maintenance",
    Message: "another MSG",
    VersionAdvice: "CVR or CVQ",
    Chl: "CHL",
    Qry: "QRY",
    Qng: "QNG",
    Refused: "another error",
    Other: "anything else",
    Synchronize: "host: synchronize",
    SetStatus: "host: set status",
    ReportVersion: "host: report version",
    Ping: "time to ask",
    Unanswered: "time is up",
  },
}
