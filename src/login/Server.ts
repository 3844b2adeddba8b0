/**
 * The login stage as the server lives it: a dispatch server or a notification server, which differ only in what
 * their host decides.
 *
 * Read the table: it is the protocol. The host's decisions come in as events, so that nothing here waits, looks
 * anything up, knows the time or draws a random number.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ByTag, Handlers, Step, Table } from "../machine/Machine.ts"
import * as Machine from "../machine/Machine.ts"
import * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Quirk from "../protocol/Quirk.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import * as Wire from "../protocol/Wire.ts"
import type * as Clause from "./Clause.ts"

/** Why a connection is over; "Denied" is for the account's sake, "Unavailable" for the server's. */
export const Reason = Schema.Literals([
  "NoCommonDialect",
  "Misbehaved",
  "Referred",
  "Denied",
  "Unavailable",
  "Overdue",
  "LoggedOff",
  "LoggedInElsewhere",
  "ShuttingDown",
  "Dismissed",
  "HungUp",
])
export type Reason = typeof Reason.Type

/** Where a login stands: named by what comes next, with what has come to light by then. */
export const State = Schema.TaggedUnion({
  AwaitVer: {},
  AwaitInfOrUsr: { dialect: Dialect.Dialect },
  AwaitUsr: { dialect: Dialect.Dialect },
  AwaitAdmission: { dialect: Dialect.Dialect, trId: TrId.TrId, account: Account.Account },
  AwaitDigest: { dialect: Dialect.Dialect, account: Account.Account, challenge: Challenge.Challenge },
  AwaitVerdict: { dialect: Dialect.Dialect, trId: TrId.TrId, account: Account.Account },
  LoggedIn: {
    dialect: Dialect.Dialect,
    account: Account.Account,
    friendlyName: FriendlyName.FriendlyName,
    verified: Schema.Boolean,
  },
  Closed: { reason: Reason },
})
export type State = typeof State.Type

/**
 * The state of a new connection.
 *
 * @keeps login.stage
 */
export const initial: ByTag<State, "AwaitVer"> = { _tag: "AwaitVer" }

const trId = { trId: TrId.TrId }

/** What may happen: heard from the client, decided by the host, or seen on the transport. */
export const Event = Schema.TaggedUnion({
  /** VER that offers a dialect of ours: the dialect chosen, and the names that the answer bears. */
  Ver: { ...trId, dialect: Dialect.Dialect, common: Schema.NonEmptyArray(Wire.Word) },
  /** VER that offers none of ours. */
  VerUncommon: trId,
  Inf: trId,
  UsrInitiate: { ...trId, account: Account.Account },
  /** The initial USR for an account that is no address, whatever stands behind it. */
  UsrMisaddressed: trId,
  /** The initial USR without an account, or for an address with a parameter too many behind it. */
  UsrInitiateMalformed: trId,
  UsrRespond: { ...trId, digest: Schema.toType(Schema.Redacted(Challenge.Digest)) },
  /** The subsequent USR with anything but 32 hexadecimal digits behind it. */
  UsrRespondMalformed: trId,
  /** USR with another security package than MD5, or another letter than I and S. */
  UsrMalformed: trId,
  Cvr: trId,
  /** CVR where the quirk `cvrAnytime` takes it, with the version that the client says it has. */
  CvrTolerated: { ...trId, version: Wire.Word },
  Out: {},
  /** A verb without a meaning in the login stage. */
  Foreign: {},
  /** A line in which verb or TrID cannot be read, or that is too long. */
  Unreadable: {},

  /** Challenge this account. */
  Challenge: { challenge: Challenge.Challenge },
  /** Refer the client to that server; `from` is the address on which it has reached this one. */
  Refer: { to: Address.Address, from: Address.Address },
  /** Turn the account down, or admit to trouble. */
  Deny: { code: Schema.Literals([...ErrorCode.Denial.literals, ...ErrorCode.Trouble.literals]) },
  /** The digest is right: let the account in, spelled as it was created. */
  Accept: {
    account: Account.Account,
    friendlyName: FriendlyName.FriendlyName,
    verified: Schema.Boolean,
  },
  /** The account has logged in elsewhere. */
  Displaced: {},
  /** The application has done with this client. */
  Dismiss: {},
  /** This server goes down. */
  ShutDown: {},

  /** The client is gone, or has no more to say. */
  HungUp: {},
  /** The login has taken too long. */
  Overdue: {},
})
export type Event = typeof Event.Type

/** What the host is asked. */
export type Question =
  | { readonly _tag: "Admission"; readonly dialect: Dialect.Dialect; readonly account: Account.Account }
  | {
      readonly _tag: "Verdict"
      readonly dialect: Dialect.Dialect
      readonly account: Account.Account
      readonly challenge: Challenge.Challenge
      readonly digest: ByTag<Event, "UsrRespond">["digest"]
    }

/** What the shell is to do, in order. */
export type Action =
  | { readonly _tag: "Say"; readonly command: ServerCommand.ServerCommand }
  /** Ask the host, and feed its decision as the next event. */
  | { readonly _tag: "Ask"; readonly question: Question }
  /** Hand the command just heard to the application. */
  | { readonly _tag: "Deliver" }
  /** Close the connection, once everything said has been written. */
  | { readonly _tag: "Close" }

/** How a refusal sounds: a code, or silence. */
export type Code = 715 | 731 | 911 | "Silence"

const { defer, ignore, misuse, refuse, rule } = Machine

const outOfTurn = refuse(715, "login.wrong-time")
const cvrTooEarly = refuse(731, "login.cvr-before-usr")
const cvrTooLate = refuse(715, "login.cvr-after-usr")
const silence = refuse("Silence", "login.meaningless")
const unreadable = refuse("Silence", "ver.no-trid", "beyond.verb", "beyond.trid", "beyond.limit")
const unreadableInSession = refuse("Silence", "beyond.verb", "beyond.trid", "beyond.limit")
const malformed = refuse("Silence", "usr.disliked")
const disliked = refuse(911, "usr.disliked-911")
const malformedDigest = refuse("Silence", "usr.digest-size")

const hungUp = rule("hang-up", ["Closed"], "Close, say nothing.", "logoff.close")
const out = rule(
  "out",
  ["Closed"],
  "The client logs off: close, say nothing.",
  "logoff.out",
  "logoff.out-closes",
  "logoff.out-silent",
)
const overdue = rule("overdue", ["Closed"], "Close, say nothing.", "beyond.overdue")
const shutDown = rule(
  "shut-down",
  ["Closed"],
  "Say OUT SSD and close.",
  "closing.reasons",
  "closing.ssd",
  "closing.ssd-closes",
)
const displaced = rule("displaced", ["Closed"], "Say OUT OTH and close.", "closing.reasons", "closing.oth")
const dismiss = rule("dismiss", ["Closed"], "Close, say nothing.", "beyond.dismiss")
const waits = defer("efficiency.together", "beyond.pending")

/**
 * Whatever may come while nobody has been asked anything; each state then writes down what it makes of VER, INF, USR
 * and CVR.
 */
const listening = {
  Out: out,
  Foreign: silence,
  Unreadable: unreadable,
  Challenge: misuse,
  Refer: misuse,
  Deny: misuse,
  Accept: misuse,
  Displaced: misuse,
  Dismiss: misuse,
  ShutDown: shutDown,
  HungUp: hungUp,
  Overdue: overdue,
} as const

/** While the host decides, what the client says waits its turn. */
const deciding = {
  Ver: waits,
  VerUncommon: waits,
  Inf: waits,
  UsrInitiate: waits,
  UsrMisaddressed: waits,
  UsrInitiateMalformed: waits,
  UsrRespond: waits,
  UsrRespondMalformed: waits,
  UsrMalformed: waits,
  Cvr: waits,
  CvrTolerated: waits,
  Out: waits,
  Foreign: waits,
  Unreadable: waits,
  ShutDown: shutDown,
  HungUp: hungUp,
  Overdue: overdue,
} as const

/** The initial USR where it may come. */
const usrInitiate = {
  UsrInitiate: rule(
    "usr-initiate",
    ["AwaitAdmission"],
    "Ask the host what to do with this account.",
    "usr.must",
    "usr.answers",
  ),
  UsrMisaddressed: disliked,
  UsrInitiateMalformed: malformed,
  UsrRespond: disliked,
  UsrRespondMalformed: disliked,
  UsrMalformed: malformed,
} as const

const cvrTolerated = <const S extends string>(state: S) =>
  rule("cvr-tolerated", [state], "Answer with the version that the client has.", "beyond.cvr-anytime")

const handOver = rule("hand-over", ["LoggedIn"], "Hand the command to the application.", "login.stage-only")

/** Once the client is logged in, its commands are the application's affair. */
const handedOver = {
  Ver: handOver,
  VerUncommon: handOver,
  Inf: handOver,
  UsrInitiate: handOver,
  UsrMisaddressed: handOver,
  UsrInitiateMalformed: handOver,
  UsrRespond: handOver,
  UsrRespondMalformed: handOver,
  UsrMalformed: handOver,
  Cvr: handOver,
  CvrTolerated: handOver,
  Foreign: handOver,
} as const

const late = ignore("The connection is already over.")

const over = {
  Ver: late,
  VerUncommon: late,
  Inf: late,
  UsrInitiate: late,
  UsrMisaddressed: late,
  UsrInitiateMalformed: late,
  UsrRespond: late,
  UsrRespondMalformed: late,
  UsrMalformed: late,
  Cvr: late,
  CvrTolerated: late,
  Out: late,
  Foreign: late,
  Unreadable: late,
  Challenge: late,
  Refer: late,
  Deny: late,
  Accept: late,
  Displaced: late,
  Dismiss: late,
  ShutDown: late,
  HungUp: late,
  Overdue: late,
} as const

/** Who may say what, when. */
export const table = {
  AwaitVer: {
    ...listening,
    Ver: rule(
      "ver",
      ["AwaitInfOrUsr"],
      "Name the common dialects, the chosen one first.",
      "ver.trid",
      "ver.common",
      "ver.reply-order",
      "ver.example-common",
    ),
    VerUncommon: rule("ver-uncommon", ["Closed"], "Say VER 0 and close.", "ver.none", "ver.example-none"),
    Inf: outOfTurn,
    UsrInitiate: outOfTurn,
    UsrMisaddressed: outOfTurn,
    UsrInitiateMalformed: outOfTurn,
    UsrRespond: outOfTurn,
    UsrRespondMalformed: outOfTurn,
    UsrMalformed: outOfTurn,
    Cvr: cvrTooEarly,
    CvrTolerated: cvrTolerated("AwaitVer"),
  },
  AwaitInfOrUsr: {
    ...listening,
    ...usrInitiate,
    Ver: outOfTurn,
    VerUncommon: outOfTurn,
    Inf: rule("inf", ["AwaitUsr"], "Say that the security package is MD5.", "inf.optional", "inf.reply", "inf.md5"),
    Cvr: cvrTooEarly,
    CvrTolerated: cvrTolerated("AwaitInfOrUsr"),
  },
  AwaitUsr: {
    ...listening,
    ...usrInitiate,
    Ver: outOfTurn,
    VerUncommon: outOfTurn,
    Inf: outOfTurn,
    Cvr: cvrTooEarly,
    CvrTolerated: cvrTolerated("AwaitUsr"),
  },
  AwaitAdmission: {
    ...deciding,
    Challenge: rule("challenge", ["AwaitDigest"], "Say USR S and the challenge.", "usr.answers", "usr.challenge"),
    Refer: rule(
      "refer",
      ["Closed"],
      "Say XFR and close.",
      "login.redirect",
      "usr.answers",
      "xfr.rare",
      "xfr.form",
      "xfr.example",
      "xfr.closes",
    ),
    Deny: rule("deny-account", ["Closed"], "Say the code and close.", "usr.trouble", "beyond.denials"),
    Accept: misuse,
    Displaced: misuse,
    Dismiss: misuse,
  },
  AwaitDigest: {
    ...listening,
    Ver: outOfTurn,
    VerUncommon: outOfTurn,
    Inf: outOfTurn,
    UsrInitiate: outOfTurn,
    UsrMisaddressed: outOfTurn,
    UsrInitiateMalformed: outOfTurn,
    UsrRespond: rule("usr-respond", ["AwaitVerdict"], "Ask the host whether the digest is right.", "usr.respond"),
    UsrRespondMalformed: malformedDigest,
    UsrMalformed: malformedDigest,
    Cvr: cvrTooLate,
    CvrTolerated: cvrTolerated("AwaitDigest"),
  },
  AwaitVerdict: {
    ...deciding,
    Challenge: misuse,
    Refer: misuse,
    Deny: rule(
      "deny-digest",
      ["Closed"],
      "Say the code and close.",
      "usr.wrong-password",
      "usr.trouble-again",
      "beyond.denials",
    ),
    Accept: rule("accept", ["LoggedIn"], "Say USR OK.", "usr.ok", "usr.verified"),
    Displaced: displaced,
    Dismiss: dismiss,
  },
  LoggedIn: {
    ...handedOver,
    Out: out,
    Unreadable: unreadableInSession,
    Challenge: misuse,
    Refer: misuse,
    Deny: misuse,
    Accept: misuse,
    Displaced: displaced,
    Dismiss: dismiss,
    ShutDown: shutDown,
    HungUp: hungUp,
    Overdue: ignore("The login is done."),
  },
  Closed: over,
} as const satisfies Table<State, Event, Code, Clause.Id>

const say = (command: ServerCommand.ServerCommand): Action => ({ _tag: "Say", command })
const ask = (question: Question): Action => ({ _tag: "Ask", question })

const closed = (
  reason: Reason,
  ...last: ReadonlyArray<ServerCommand.ServerCommand>
): Step<ByTag<State, "Closed">, Action> => ({
  state: { _tag: "Closed", reason },
  actions: [...last.map(say), { _tag: "Close" }],
})

const failure = (code: ErrorCode.ErrorCode, trId: Option.Option<TrId.TrId>): ServerCommand.ServerCommand => ({
  _tag: "Failure",
  code,
  trId,
})

/** What a refusal says on the wire. */
const refused = (_: State, event: Event, code: Code): Step<ByTag<State, "Closed">, Action> =>
  code === "Silence"
    ? closed("Misbehaved")
    : closed("Misbehaved", failure(code, "trId" in event ? Option.some(event.trId) : Option.none()))

/** What ends a connection in every state in which nobody has been asked anything. */
const ends = {
  Out: () => closed("LoggedOff"),
  ShutDown: () => closed("ShuttingDown", { _tag: "Out", reason: "ShuttingDown" }),
  HungUp: () => closed("HungUp"),
} as const

/** What ends a login, besides: its time is up. */
const endsLogin = { Overdue: () => closed("Overdue") } as const

/** What ends a session, besides, from the moment in which it may begin. */
const endsSession = {
  Displaced: () => closed("LoggedInElsewhere", { _tag: "Out", reason: "LoggedInElsewhere" }),
  Dismiss: () => closed("Dismissed"),
} as const

const initiate = (
  { dialect }: { readonly dialect: Dialect.Dialect },
  { account, trId }: ByTag<Event, "UsrInitiate">,
): Step<ByTag<State, "AwaitAdmission">, Action> => ({
  state: { _tag: "AwaitAdmission", dialect, trId, account },
  actions: [ask({ _tag: "Admission", dialect, account })],
})

const answerCvr = <S extends State>(state: S, { trId, version }: ByTag<Event, "CvrTolerated">): Step<S, Action> => ({
  state,
  actions: [say({ _tag: "Cvr", trId, parameters: versions(version) })],
})

/** What an answer to CVR bears for a client of this version: nothing newer is recommended to it. */
export const versions = (version: string): ReadonlyArray<string> => [
  version,
  version,
  oldestVersion,
  downloads,
  downloads,
]

/** The oldest version that a CVR answer says is still good: that of the first client. */
const oldestVersion = "1.0.0000"
/** Where a CVR answer says that clients are told of: the place that Microsoft's servers named. */
const downloads = "http://messenger.microsoft.com"

const deliver = <S extends State>(state: S): Step<S, Action> => ({ state, actions: [{ _tag: "Deliver" }] })

const delivers = {
  Ver: deliver,
  VerUncommon: deliver,
  Inf: deliver,
  UsrInitiate: deliver,
  UsrMisaddressed: deliver,
  UsrInitiateMalformed: deliver,
  UsrRespond: deliver,
  UsrRespondMalformed: deliver,
  UsrMalformed: deliver,
  Cvr: deliver,
  CvrTolerated: deliver,
  Foreign: deliver,
} as const

/** What stands behind the address in XFR. */
const trailer = (
  form: Dialect.ReferralForm,
  from: Address.Address,
): ByTag<ServerCommand.ServerCommand, "Xfr">["trailer"] => {
  switch (form) {
    case "Address":
      return []
    case "AddressAndZero":
      return ["0"]
    case "AddressZeroAndServer":
      return ["0", from]
  }
}

/** How each rule is carried out, under the rules of the dialects. */
const handlers = (rules: typeof Dialect.rules): Handlers<typeof table, State, Event, Action> => {
  /** A refusal that this dialect's clients do not know is told as 911. */
  const denial = (dialect: Dialect.Dialect, code: ByTag<Event, "Deny">["code"]): ErrorCode.ErrorCode =>
    ErrorCode.isDenial(code) && !rules[dialect].denials.includes(code) ? 911 : code

  const deny = (
    { dialect, trId }: { readonly dialect: Dialect.Dialect; readonly trId: TrId.TrId },
    { code }: ByTag<Event, "Deny">,
  ) => closed(ErrorCode.isDenial(code) ? "Denied" : "Unavailable", failure(denial(dialect, code), Option.some(trId)))

  return {
    AwaitVer: {
      ...ends,
      ...endsLogin,
      Ver: (_, { common, dialect, trId }) => ({
        state: { _tag: "AwaitInfOrUsr", dialect },
        actions: [say({ _tag: "Ver", trId, dialects: common })],
      }),
      VerUncommon: (_, { trId }) => closed("NoCommonDialect", { _tag: "VerNone", trId, known: [] }),
      CvrTolerated: answerCvr,
    },
    AwaitInfOrUsr: {
      ...ends,
      ...endsLogin,
      Inf: ({ dialect }, { trId }) => ({
        state: { _tag: "AwaitUsr", dialect },
        actions: [say({ _tag: "Inf", trId, packages: ["MD5"] })],
      }),
      UsrInitiate: initiate,
      CvrTolerated: answerCvr,
    },
    AwaitUsr: { ...ends, ...endsLogin, UsrInitiate: initiate, CvrTolerated: answerCvr },
    AwaitAdmission: {
      HungUp: ends.HungUp,
      ShutDown: ends.ShutDown,
      ...endsLogin,
      Challenge: ({ account, dialect, trId }, { challenge }) => ({
        state: { _tag: "AwaitDigest", dialect, account, challenge },
        actions: [say({ _tag: "UsrChallenge", trId, challenge })],
      }),
      Refer: ({ dialect, trId }, { from, to }) =>
        closed("Referred", { _tag: "Xfr", trId, to, trailer: trailer(rules[dialect].referral, from) }),
      Deny: deny,
    },
    AwaitDigest: {
      ...ends,
      ...endsLogin,
      UsrRespond: ({ account, challenge, dialect }, { digest, trId }) => ({
        state: { _tag: "AwaitVerdict", dialect, trId, account },
        actions: [ask({ _tag: "Verdict", dialect, account, challenge, digest })],
      }),
      CvrTolerated: answerCvr,
    },
    AwaitVerdict: {
      HungUp: ends.HungUp,
      ShutDown: ends.ShutDown,
      ...endsLogin,
      ...endsSession,
      Deny: deny,
      Accept: ({ dialect, trId }, { account, friendlyName, verified }) => ({
        state: { _tag: "LoggedIn", dialect, account, friendlyName, verified },
        actions: [
          say({
            _tag: "UsrOk",
            trId,
            account,
            friendlyName,
            verified: rules[dialect].verifiedFlag === "Present" ? Option.some(verified) : Option.none(),
          }),
        ],
      }),
    },
    LoggedIn: {
      ...ends,
      ...endsSession,
      ...delivers,
    },
    Closed: {},
  }
}

/**
 * What was heard, as an event: where the data of a command decide whether it is legal, it gets a tag of its own.
 *
 * @keeps beyond.order
 */
const classifyWith =
  (quirks: Quirk.Quirks) =>
  (heard: Result.Result<ClientCommand.ClientCommand, Codec.Undecodable>): Event => {
    if (Result.isFailure(heard)) return undecodable(heard.failure)
    const command = heard.success
    switch (command._tag) {
      case "Ver":
        return ver(command, quirks)
      case "Inf":
      case "UsrInitiate":
      case "UsrRespond":
      case "Out":
        return command
      case "Cvr":
        return quirks.cvrAnytime
          ? { _tag: "CvrTolerated", trId: command.trId, version: command.parameters[5] ?? oldestVersion }
          : { _tag: "Cvr", trId: command.trId }
      case "Foreign":
        return { _tag: "Foreign" }
    }
  }

const undecodable = (failure: Codec.Undecodable): Event => {
  if (failure._tag === "Unreadable") return { _tag: "Unreadable" }
  const { like, problem, trId } = failure
  if (like === "UsrInitiate") {
    return { _tag: problem.fault === "Invalid" ? "UsrMisaddressed" : "UsrInitiateMalformed", trId }
  }
  return { _tag: like === "UsrRespond" ? "UsrRespondMalformed" : "UsrMalformed", trId }
}

/**
 * Our choice is the newest dialect that both know; the answer has it, the others in common, and `CVR0` if offered.
 *
 * @keeps ver.cvr0-decorative beyond.ver-single beyond.dialect-case
 */
const ver = ({ dialects, trId }: ByTag<ClientCommand.ClientCommand, "Ver">, quirks: Quirk.Quirks): Event => {
  const offered = quirks.dialectCaseInsensitive ? dialects.map((name) => name.toUpperCase()) : dialects
  const dialect = Dialect.all.find((dialect) => offered.includes(dialect))
  if (dialect === undefined) return { _tag: "VerUncommon", trId }
  const common: [string, ...Array<string>] = [dialect]
  if (quirks.verSingle) return { _tag: "Ver", trId, dialect, common }
  for (const name of offered) {
    if (Dialect.isDialect(name) && !common.includes(name)) common.push(name)
  }
  if (offered.includes(Dialect.cvr0)) common.push(Dialect.cvr0)
  return { _tag: "Ver", trId, dialect, common }
}

/** A server's side of the login stage, with some quirks on. */
export const make = (quirks: Quirk.Quirks) => ({
  classify: classifyWith(quirks),
  transition: Machine.make<State, Event, Action, Code>()({
    table,
    handlers: handlers(Dialect.rulesWith(quirks)),
    refused,
  }),
})

/** A server's side of the login stage: two pure functions. */
export type Server = ReturnType<typeof make>

/**
 * What was heard, as an event, and what an event leads to: the server as the seed page describes it.
 *
 * Both are total, and throw only where the shell feeds a decision that was not asked for.
 */
export const { classify, transition }: Server = make(Quirk.none)
