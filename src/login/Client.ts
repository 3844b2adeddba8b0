/**
 * The login stage as the client lives it, on one connection: what it says, and what it makes of the answers.
 *
 * Read the table: it is the protocol. The password never comes here: the host is asked for the answer to the
 * challenge. Following a referral to the next server is the shell's affair.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ByTag, Handlers, Step, TagOf, Table } from "../machine/Machine.ts"
import * as Machine from "../machine/Machine.ts"
import * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import * as Codec from "../protocol/Codec.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import type * as Clause from "./Clause.ts"

/** Why a connection is over, by who is to blame. */
export const Reason = Schema.TaggedUnion({
  /** The server broke the protocol: what it might have said, and what it said. */
  ServerMisbehaved: { expected: Schema.Array(Schema.String), got: Schema.String },
  /** The server does not let this account in. */
  Denied: { code: ErrorCode.ErrorCode },
  /** The server is in trouble, or under maintenance. */
  Unavailable: { code: ErrorCode.ErrorCode },
  /** The server speaks none of the dialects that it was offered. */
  NoCommonDialect: { offered: Schema.NonEmptyArray(Dialect.Dialect) },
  /** The server ended the session. */
  LoggedOut: { reason: ServerCommand.OutReason },
  /** We did. */
  LoggedOff: {},
  /** The server closed the connection: what it might have said instead, nothing where it was not its turn. */
  HungUp: { awaiting: Schema.Array(Schema.String) },
  /** The login was not done in time: what the server might have said, nothing where it was not its turn. */
  TimedOut: { awaiting: Schema.Array(Schema.String) },
})
export type Reason = typeof Reason.Type

/** What is known until the client is logged in: the TrID last used, the account, how many lines were passed over. */
const pending = {
  trId: TrId.TrId,
  account: Account.Account,
  skipped: Schema.Natural,
}

/**
 * How a client goes about it: it asks for the security package first, as official ones do; it leaves that out; or it
 * says VER and the initial USR at once, and waits for the answers then.
 */
export const Manner = Schema.Literals(["AskInf", "SkipInf", "Pipeline"])
export type Manner = typeof Manner.Type

/** Where a login stands: named by what comes next, with what has come to light by then. */
export const State = Schema.TaggedUnion({
  AwaitVer: { ...pending, offered: Schema.NonEmptyArray(Dialect.Dialect), manner: Manner },
  AwaitInf: { ...pending, dialect: Dialect.Dialect },
  AwaitUsr: { ...pending, dialect: Dialect.Dialect },
  AwaitDigest: { ...pending, dialect: Dialect.Dialect },
  AwaitOk: { ...pending, dialect: Dialect.Dialect },
  LoggedIn: {
    trId: TrId.TrId,
    dialect: Dialect.Dialect,
    account: Account.Account,
    friendlyName: FriendlyName.FriendlyName,
    verified: Schema.toType(Schema.Option(Schema.Boolean)),
  },
  Referred: { trId: TrId.TrId, to: Address.Address },
  Closed: { reason: Reason },
})
export type State = typeof State.Type

/** What may happen: heard from the server, decided by the host, or seen on the transport. */
export const Event = Schema.TaggedUnion({
  /** The answer to VER: the first name that is not `CVR0`, which is one of those offered. */
  Ver: { dialect: Dialect.Dialect },
  /** The same, where the client leaves INF out. */
  VerSkipInf: { dialect: Dialect.Dialect },
  /** The same, where the initial USR is said already. */
  VerPipelined: { dialect: Dialect.Dialect },
  VerNone: {},
  /** The answer to INF, with MD5 in it. */
  Inf: {},
  UsrChallenge: { challenge: Challenge.Challenge },
  /** The last answer, for the account that logs in. */
  UsrOk: {
    account: Account.Account,
    friendlyName: FriendlyName.FriendlyName,
    verified: Schema.toType(Schema.Option(Schema.Boolean)),
  },
  Xfr: { to: Address.Address },
  /** An error, with the TrID of our command or with none. */
  Failure: { code: ErrorCode.ErrorCode },
  Out: { reason: ServerCommand.OutReason },
  /** MSG, or a verb without a meaning here, that answers nothing of ours. */
  Aside: {},
  /**
   * What makes no sense: a line that cannot be read; in the login also another TrID, account or dialect than asked.
   * What it says of the line is short and harmless to a terminal, whatever the server wrote.
   */
  Stray: { got: Schema.String },
  /** Anything but OUT, once logged in. */
  Further: {},
  /** Whatever comes while our host works out the answer to a challenge: what it is shows when its turn comes. */
  Early: {},

  /** The answer to the challenge. */
  Answer: { digest: Schema.toType(Schema.Redacted(Challenge.Digest)) },
  /** Leave. */
  LogOff: {},

  /** The server is gone. */
  HungUp: {},
  /** The server has taken too long. */
  Overdue: {},
})
export type Event = typeof Event.Type

/** What the host is asked: the answer to a challenge. */
export type Question = { readonly _tag: "Digest"; readonly challenge: Challenge.Challenge }

/** What the shell is to do, in order. */
export type Action =
  | { readonly _tag: "Say"; readonly command: ClientCommand.ClientCommand }
  /** Ask the host, and feed its decision as the next event. */
  | { readonly _tag: "Ask"; readonly question: Question }
  /** Hand the command just heard to the application. */
  | { readonly _tag: "Deliver" }
  /** Close the connection, once everything said has been written. */
  | { readonly _tag: "Close" }

/** How a refusal sounds: a client closes, and says nothing. */
export type Code = "Silence"

const { defer, ignore, misuse, refuse, rule } = Machine

const unexpected = refuse("Silence", "login.synchronous")
const stray = refuse(
  "Silence",
  "beyond.verb",
  "beyond.trid",
  "beyond.reply-trid",
  "beyond.limit",
  "beyond.ver-list",
  "beyond.inf-list",
  "beyond.ok-account",
  "beyond.asides",
)

const aside = <const S extends string>(state: S) =>
  rule("aside", [state], "Pass over what is no answer.", "beyond.asides")
const failed = <const C extends Machine.Cites<Clause.Id>>(...cites: C) =>
  rule("failure", ["Closed"], "The server refuses: close.", ...cites)
const out = rule(
  "out",
  ["Closed"],
  "The server ends the session: close.",
  "closing.reasons",
  "closing.oth",
  "closing.ssd",
  "beyond.bare-out",
)
const logOff = rule("log-off", ["Closed"], "Say OUT and close.", "logoff.out")
const hungUp = <const C extends Machine.Cites<Clause.Id>>(...cites: C) =>
  rule("hang-up", ["Closed"], "Close; report what was awaited.", ...cites)
const overdue = rule("overdue", ["Closed"], "Close, say nothing.", "beyond.overdue")

/** In each state in which an answer is awaited; each then writes down which one. */
const listening = {
  Ver: unexpected,
  VerSkipInf: misuse,
  VerPipelined: misuse,
  VerNone: unexpected,
  Inf: unexpected,
  UsrChallenge: unexpected,
  UsrOk: unexpected,
  Xfr: unexpected,
  Failure: failed("beyond.failure-form"),
  Out: out,
  Stray: stray,
  Further: misuse,
  Early: misuse,
  Answer: misuse,
  LogOff: logOff,
  HungUp: hungUp("beyond.lost"),
  Overdue: overdue,
} as const

/** What nothing is taken for where no answer is awaited. */
const unawaited = {
  Ver: misuse,
  VerSkipInf: misuse,
  VerPipelined: misuse,
  VerNone: misuse,
  Inf: misuse,
  UsrChallenge: misuse,
  UsrOk: misuse,
  Xfr: misuse,
  Failure: misuse,
  Aside: misuse,
} as const

const late = ignore("The connection is already over.")

const over = {
  Ver: late,
  VerSkipInf: late,
  VerPipelined: late,
  VerNone: late,
  Inf: late,
  UsrChallenge: late,
  UsrOk: late,
  Xfr: late,
  Failure: late,
  Out: late,
  Aside: late,
  Stray: late,
  Further: late,
  Early: late,
  Answer: late,
  LogOff: late,
  HungUp: late,
  Overdue: late,
} as const

/** Who may say what, when. */
export const table = {
  AwaitVer: {
    ...listening,
    Aside: aside("AwaitVer"),
    Ver: rule("ver", ["AwaitInf"], "Say INF.", "ver.reply-order", "inf.optional", "beyond.ver-list"),
    VerSkipInf: rule(
      "ver-skip-inf",
      ["AwaitUsr"],
      "Say USR I and the account.",
      "ver.reply-order",
      "inf.optional",
      "usr.must",
      "beyond.ver-list",
    ),
    VerPipelined: rule(
      "ver-pipelined",
      ["AwaitUsr"],
      "USR I and the account are said already.",
      "ver.reply-order",
      "efficiency.ver-usr",
      "beyond.ver-list",
    ),
    VerNone: rule("ver-none", ["Closed"], "No dialect is common: close.", "ver.none", "beyond.ver-list"),
  },
  AwaitInf: {
    ...listening,
    Aside: aside("AwaitInf"),
    Inf: rule("inf", ["AwaitUsr"], "Say USR I and the account.", "inf.reply", "inf.md5", "usr.must", "beyond.inf-list"),
  },
  AwaitUsr: {
    ...listening,
    Aside: aside("AwaitUsr"),
    Failure: failed("usr.trouble", "usr.disliked-911", "beyond.failure-form"),
    HungUp: hungUp("usr.disliked", "beyond.lost"),
    UsrChallenge: rule("challenge", ["AwaitDigest"], "Ask the host for the answer.", "usr.answers", "usr.challenge"),
    Xfr: rule(
      "xfr",
      ["Referred"],
      "Close; the login starts again at the server named.",
      "usr.answers",
      "xfr.again",
      "beyond.xfr-forms",
    ),
  },
  AwaitDigest: {
    ...unawaited,
    Out: misuse,
    Stray: misuse,
    Further: misuse,
    Early: defer("login.synchronous", "beyond.pending"),
    Answer: rule("answer", ["AwaitOk"], "Say USR S and the digest.", "usr.respond"),
    LogOff: logOff,
    HungUp: hungUp("beyond.lost"),
    Overdue: overdue,
  },
  AwaitOk: {
    ...listening,
    Aside: aside("AwaitOk"),
    Failure: failed("usr.wrong-password", "usr.trouble-again", "beyond.failure-form"),
    HungUp: hungUp("usr.digest-size", "beyond.lost"),
    UsrOk: rule("usr-ok", ["LoggedIn"], "The client is logged in.", "usr.ok", "usr.verified"),
  },
  LoggedIn: {
    ...unawaited,
    Out: out,
    Stray: refuse("Silence", "beyond.verb", "beyond.trid", "beyond.limit"),
    Further: rule(
      "hand-over",
      ["LoggedIn"],
      "Hand the command to the application.",
      "login.stage-only",
      "next.messages",
    ),
    Early: misuse,
    Answer: misuse,
    LogOff: logOff,
    HungUp: hungUp("beyond.lost"),
    Overdue: ignore("The login is done."),
  },
  Referred: over,
  Closed: over,
} as const satisfies Table<State, Event, Code, Clause.Id>

const say = (command: ClientCommand.ClientCommand): Action => ({ _tag: "Say", command })

const closed = (
  reason: Reason,
  ...last: ReadonlyArray<ClientCommand.ClientCommand>
): Step<ByTag<State, "Closed">, Action> => ({
  state: { _tag: "Closed", reason },
  actions: [...last.map(say), { _tag: "Close" }],
})

/** What each answer of a server is called when a person is told of it. */
const spoken: { readonly [event in TagOf<Event>]?: string } = {
  Ver: "VER",
  VerNone: "VER 0",
  Inf: "INF",
  UsrChallenge: "USR S",
  UsrOk: "USR OK",
  Xfr: "XFR",
  Failure: "an error",
}

/** The answers that are legal in a state, by the table. */
export const expected = (state: State): ReadonlyArray<string> =>
  Object.entries(spoken).flatMap(([event, name]) => (Machine.expected(table[state._tag]).includes(event) ? [name] : []))

/** What a refusal says of the server. */
const refused = (state: State, event: Event): Step<ByTag<State, "Closed">, Action> =>
  closed({
    _tag: "ServerMisbehaved",
    expected: expected(state),
    got: event._tag === "Stray" ? event.got : (spoken[event._tag] ?? event._tag),
  })

/** What an error code says of the login. */
const failure = (state: State, { code }: ByTag<Event, "Failure">): Step<ByTag<State, "Closed">, Action> => {
  switch (ErrorCode.blame(code)) {
    case "Credentials":
      return closed({ _tag: "Denied", code })
    case "Server":
      return closed({ _tag: "Unavailable", code })
    case "Commands":
      return closed({
        _tag: "ServerMisbehaved",
        expected: expected(state),
        got: `${code}, ${ErrorCode.describe(code)}`,
      })
  }
}

/** What ends a connection in every state. */
const leave = {
  LogOff: () => closed({ _tag: "LoggedOff" }, { _tag: "Out" }),
  HungUp: (state: State) => closed({ _tag: "HungUp", awaiting: expected(state) }),
} as const

/** What ends a login, besides: its time is up. */
const endsLogin = { Overdue: (state: State) => closed({ _tag: "TimedOut", awaiting: expected(state) }) } as const

const ends = {
  ...leave,
  ...endsLogin,
  Failure: failure,
  Out: (_: State, { reason }: ByTag<Event, "Out">) => closed({ _tag: "LoggedOut", reason }),
} as const

const passOver = <S extends State & { readonly skipped: number }>(state: S): Step<S, Action> => ({
  state: { ...state, skipped: state.skipped + 1 },
  actions: [],
})

/** What the next states carry on from the one before. */
interface Known {
  readonly trId: TrId.TrId
  readonly account: Account.Account
  readonly skipped: number
}

const carry = ({ account, skipped, trId }: Known): Known => ({ trId: TrId.next(trId), account, skipped })

const initiate = (known: Known, dialect: Dialect.Dialect): Step<ByTag<State, "AwaitUsr">, Action> => {
  const next = carry(known)
  return {
    state: { _tag: "AwaitUsr", ...next, dialect },
    actions: [say({ _tag: "UsrInitiate", trId: next.trId, account: next.account })],
  }
}

/** How each rule is carried out. */
const handlers: Handlers<typeof table, State, Event, Action> = {
  AwaitVer: {
    ...ends,
    Aside: passOver,
    Ver: (state, { dialect }) => {
      const next = carry(state)
      return { state: { _tag: "AwaitInf", ...next, dialect }, actions: [say({ _tag: "Inf", trId: next.trId })] }
    },
    VerSkipInf: (state, { dialect }) => initiate(state, dialect),
    VerPipelined: (state, { dialect }) => ({ state: { _tag: "AwaitUsr", ...carry(state), dialect }, actions: [] }),
    VerNone: ({ offered }) => closed({ _tag: "NoCommonDialect", offered }),
  },
  AwaitInf: { ...ends, Aside: passOver, Inf: (state) => initiate(state, state.dialect) },
  AwaitUsr: {
    ...ends,
    Aside: passOver,
    UsrChallenge: (state, { challenge }) => ({
      state: { ...state, _tag: "AwaitDigest" },
      actions: [{ _tag: "Ask", question: { _tag: "Digest", challenge } }],
    }),
    Xfr: ({ trId }, { to }) => ({ state: { _tag: "Referred", trId, to }, actions: [{ _tag: "Close" }] }),
  },
  AwaitDigest: {
    ...leave,
    ...endsLogin,
    Answer: (state, { digest }) => {
      const next = carry(state)
      return {
        state: { _tag: "AwaitOk", ...next, dialect: state.dialect },
        actions: [say({ _tag: "UsrRespond", trId: next.trId, digest })],
      }
    },
  },
  AwaitOk: {
    ...ends,
    Aside: passOver,
    UsrOk: ({ dialect, trId }, { account, friendlyName, verified }) => ({
      state: { _tag: "LoggedIn", trId, dialect, account, friendlyName, verified },
      actions: [],
    }),
  },
  LoggedIn: { ...leave, Out: ends.Out, Further: (state) => ({ state, actions: [{ _tag: "Deliver" }] }) },
  Referred: {},
  Closed: {},
}

/** How many lines that answer nothing a client passes over in one login. */
export const maxAsides = 64

/**
 * What was heard, as an event: where the data of an answer decide whether it is one, it gets a tag of its own.
 *
 * An event holds for this state. One that is postponed is made anew of what was heard, once the state has changed.
 */
export const classify = (state: State, heard: Result.Result<ServerCommand.ServerCommand, Codec.Undecodable>): Event => {
  if (state._tag === "AwaitDigest") return { _tag: "Early" }
  const isPending = "skipped" in state
  if (Result.isFailure(heard)) {
    // Behind a line that cannot be read, nothing can be trusted to begin where it seems to.
    return isPending || heard.failure._tag === "Unreadable"
      ? stranger(Codec.explain(heard.failure))
      : { _tag: "Further" }
  }
  const command = heard.success
  if (command._tag === "Out") return command
  return isPending ? answer(state, command) : { _tag: "Further" }
}

const stranger = (got: string): Event => ({ _tag: "Stray", got })

/** A state in which the login is not done yet, and an answer is awaited. */
type Pending = Exclude<Extract<State, { readonly skipped: number }>, { readonly _tag: "AwaitDigest" }>

const answer = (state: Pending, command: Exclude<ServerCommand.ServerCommand, { readonly _tag: "Out" }>): Event => {
  if (command._tag === "Foreign" || command._tag === "Cvr") return asideOf(state, command)
  const trId = command._tag === "Failure" ? Option.getOrElse(command.trId, () => state.trId) : command.trId
  if (trId !== state.trId) return stranger(`${command._tag} with the TrID ${trId} where ${state.trId} was asked`)
  switch (command._tag) {
    case "Ver":
      return chosen(state, command.dialects)
    case "Inf":
      return command.packages.includes("MD5")
        ? { _tag: "Inf" }
        : stranger(`INF without MD5: ${Bytes.printable(command.packages.join(", "))}`)
    case "UsrOk":
      return Account.same(command.account, state.account)
        ? command
        : stranger(`USR OK for ${Bytes.printable(Bytes.fromText(command.account))}`)
    case "VerNone":
    case "UsrChallenge":
    case "Xfr":
    case "Failure":
      return command
  }
}

/** What the answer to VER is, by the client's manner. */
const verBy = { AskInf: "Ver", SkipInf: "VerSkipInf", Pipeline: "VerPipelined" } as const

/**
 * The first name that is not `CVR0` is the one to use.
 *
 * @keeps ver.reply-order beyond.ver-list
 */
const chosen = (state: Pending, names: ReadonlyArray<string>): Event => {
  // Where VER is not awaited, it does not matter what it names.
  if (state._tag !== "AwaitVer") return { _tag: "Ver", dialect: state.dialect }
  const name = names.find((name) => name !== Dialect.cvr0)
  const dialect = state.offered.find((dialect) => dialect === name)
  if (dialect !== undefined) return { _tag: verBy[state.manner], dialect }
  return stranger(
    name === undefined ? "VER without a dialect" : `VER with ${Bytes.printable(name)}, which was not offered`,
  )
}

const asideOf = (state: Pending, command: ByTag<ServerCommand.ServerCommand, "Foreign" | "Cvr">): Event => {
  const verb = command._tag === "Cvr" ? "CVR" : command.verb
  const first = command._tag === "Cvr" ? String(command.trId) : command.parameters[0]
  if (verb !== "MSG" && first === String(state.trId)) return stranger(verb)
  return state.skipped < maxAsides ? { _tag: "Aside" } : stranger(`more than ${maxAsides} lines that answer nothing`)
}

/** With what a client begins. */
export interface Options {
  readonly account: Account.Account
  /** The dialects to offer, the preferred one first. */
  readonly dialects: readonly [Dialect.Dialect, ...Array<Dialect.Dialect>]
  readonly manner: Manner
  /** The TrID of VER; by default 1. */
  readonly trId?: TrId.TrId
}

/**
 * The first move: offer the dialects, and `CVR0` behind them as every client of the time did; one in a hurry leaves it
 * out.
 *
 * @keeps ver.offer ver.cvr0 efficiency.ver-usr
 */
export const start = ({
  account,
  dialects,
  manner,
  trId = TrId.initial,
}: Options): Step<ByTag<State, "AwaitVer">, Action> => {
  const state = { _tag: "AwaitVer", trId, account, skipped: 0, offered: dialects, manner } as const
  if (manner !== "Pipeline")
    return { state, actions: [say({ _tag: "Ver", trId, dialects: [...dialects, Dialect.cvr0] })] }
  const usr = say({ _tag: "UsrInitiate", trId: TrId.next(trId), account })
  return { state, actions: [say({ _tag: "Ver", trId, dialects }), usr] }
}

/** What an event leads to. Total; throws only where the shell feeds an answer that was not asked for. */
export const transition = Machine.make<State, Event, Action, Code>()({ table, handlers, refused })
