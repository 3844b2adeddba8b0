/** Every state and every event there is, of both machines: those whose data make a difference, in each variety. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Client from "../../src/login/Client.ts"
import type * as Server from "../../src/login/Server.ts"
import type { ByTag, TagOf } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import type * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as TrId from "../../src/protocol/TrId.ts"

const account = Account.Account.make("alice@hotmail.com")
const respelled = Account.Account.make("ALICE@HOTMAIL.COM")
const friendlyName = FriendlyName.FriendlyName.make("Alice")
const challenge = Challenge.Challenge.make("1013928519.693957190")
/** What is heard bears 7; what a state has kept is 6. */
const trId = TrId.TrId.make(7)
const keptTrId = TrId.TrId.make(6)
/** Ports that are not the usual one, which nobody should rely on. */
const to = { host: "10.0.0.5", port: 1862 }
const from = { host: "10.0.0.1", port: 1864 }
const digest = Redacted.make(Challenge.Digest.make("6f3963009fc8a9d2b2ff137da0905c55"), { label: "digest" })

/** A server's state of every kind, in a dialect. */
export const serverStates = (
  dialect: Dialect.Dialect,
): { readonly [tag in TagOf<Server.State>]: ByTag<Server.State, tag> } => ({
  AwaitVer: { _tag: "AwaitVer" },
  AwaitInfOrUsr: { _tag: "AwaitInfOrUsr", dialect },
  AwaitUsr: { _tag: "AwaitUsr", dialect },
  AwaitAdmission: { _tag: "AwaitAdmission", dialect, trId: keptTrId, account },
  AwaitDigest: { _tag: "AwaitDigest", dialect, account, challenge },
  AwaitVerdict: { _tag: "AwaitVerdict", dialect, trId: keptTrId, account },
  LoggedIn: { _tag: "LoggedIn", dialect, account, friendlyName, verified: true },
  Closed: { _tag: "Closed", reason: "Denied" },
})

/** A server's events, of every kind and under the name that laws and transcripts have for it. */
export const serverEvents = (dialect: Dialect.Dialect) =>
  ({
    Ver: { _tag: "Ver", trId, dialect, common: [dialect, "CVR0"] },
    VerUncommon: { _tag: "VerUncommon", trId },
    Inf: { _tag: "Inf", trId },
    UsrInitiate: { _tag: "UsrInitiate", trId, account },
    UsrMisaddressed: { _tag: "UsrMisaddressed", trId },
    UsrInitiateMalformed: { _tag: "UsrInitiateMalformed", trId },
    UsrRespond: { _tag: "UsrRespond", trId, digest },
    UsrRespondMalformed: { _tag: "UsrRespondMalformed", trId },
    UsrMalformed: { _tag: "UsrMalformed", trId },
    Cvr: { _tag: "Cvr", trId },
    CvrTolerated: { _tag: "CvrTolerated", trId, version: "3.6.0025" },
    Out: { _tag: "Out" },
    Foreign: { _tag: "Foreign" },
    Unreadable: { _tag: "Unreadable" },
    Challenge: { _tag: "Challenge", challenge },
    Refer: { _tag: "Refer", to, from },
    "Deny 911": { _tag: "Deny", code: 911 },
    "Deny 923": { _tag: "Deny", code: 923 },
    "Deny 924": { _tag: "Deny", code: 924 },
    "Deny 500": { _tag: "Deny", code: 500 },
    "Deny 601": { _tag: "Deny", code: 601 },
    "Deny 910": { _tag: "Deny", code: 910 },
    "Deny 921": { _tag: "Deny", code: 921 },
    "Accept verified": { _tag: "Accept", account, friendlyName, verified: true },
    "Accept unverified": { _tag: "Accept", account, friendlyName, verified: false },
    Displaced: { _tag: "Displaced" },
    Dismiss: { _tag: "Dismiss" },
    ShutDown: { _tag: "ShutDown" },
    HungUp: { _tag: "HungUp" },
    Overdue: { _tag: "Overdue" },
  }) as const satisfies { readonly [name: string]: Server.Event }
export type ServerEvent = keyof ReturnType<typeof serverEvents>

const known = { trId, account, skipped: 0 }

/** A client's state of every kind, in a dialect. */
export const clientStates = (dialect: Dialect.Dialect) =>
  ({
    AwaitVer: { _tag: "AwaitVer", ...known, offered: [dialect], manner: "AskInf" },
    AwaitInf: { _tag: "AwaitInf", ...known, dialect },
    AwaitUsr: { _tag: "AwaitUsr", ...known, dialect },
    AwaitDigest: { _tag: "AwaitDigest", ...known, dialect },
    AwaitOk: { _tag: "AwaitOk", ...known, dialect },
    LoggedIn: { _tag: "LoggedIn", trId, dialect, account, friendlyName, verified: Option.none() },
    Referred: { _tag: "Referred", trId, to },
    Closed: { _tag: "Closed", reason: { _tag: "LoggedOff" } },
  }) as const satisfies { readonly [name: string]: Client.State }
export type ClientState = keyof ReturnType<typeof clientStates>

/** A client's events, of every kind and under the name that laws and transcripts have for it. */
export const clientEvents = (dialect: Dialect.Dialect) =>
  ({
    Ver: { _tag: "Ver", dialect },
    VerSkipInf: { _tag: "VerSkipInf", dialect },
    VerPipelined: { _tag: "VerPipelined", dialect },
    VerNone: { _tag: "VerNone" },
    Inf: { _tag: "Inf" },
    UsrChallenge: { _tag: "UsrChallenge", challenge },
    "UsrOk verified": { _tag: "UsrOk", account, friendlyName, verified: Option.some(true) },
    "UsrOk unverified": { _tag: "UsrOk", account, friendlyName, verified: Option.some(false) },
    "UsrOk unsaid": { _tag: "UsrOk", account, friendlyName, verified: Option.none() },
    "UsrOk respelled": { _tag: "UsrOk", account: respelled, friendlyName, verified: Option.some(true) },
    Xfr: { _tag: "Xfr", to },
    "Failure 911": { _tag: "Failure", code: 911 },
    "Failure 500": { _tag: "Failure", code: 500 },
    "Failure 715": { _tag: "Failure", code: 715 },
    "Out OTH": { _tag: "Out", reason: "LoggedInElsewhere" },
    "Out SSD": { _tag: "Out", reason: "ShuttingDown" },
    "Out bare": { _tag: "Out", reason: "Unstated" },
    Aside: { _tag: "Aside" },
    Stray: { _tag: "Stray", got: "nonsense" },
    Further: { _tag: "Further" },
    Early: { _tag: "Early" },
    Answer: { _tag: "Answer", digest },
    LogOff: { _tag: "LogOff" },
    HungUp: { _tag: "HungUp" },
    Overdue: { _tag: "Overdue" },
  }) as const satisfies { readonly [name: string]: Client.Event }
export type ClientEvent = keyof ReturnType<typeof clientEvents>

/** The names in a record, as such. */
export const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>

/** The tag of a state or an event, of which a name may be a variety. */
export const tagOf = (name: string): string => name.split(" ")[0] ?? name
