/**
 * The session as a client lives it, once it is logged in: what it says of itself, and what it makes of what it hears.
 *
 * Read the table: it is the protocol. OUT and the end of the connection are the login machine's affair, which goes on
 * beneath this one; when it is time to ask whether the server is still there, the shell knows.
 */
import * as Chunk from "effect/Chunk"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Clause from "../login/Clause.ts"
import type { ByTag, Handlers, Step, Table } from "../machine/Machine.ts"
import * as Machine from "../machine/Machine.ts"
import * as Account from "../protocol/Account.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import { Words } from "../protocol/Wire.ts"
import * as Count from "./Count.ts"
import * as Lists from "./Lists.ts"
import * as Message from "./Message.ts"
import * as Product from "./Product.ts"
import type * as SessionClientCommand from "./SessionClientCommand.ts"
import * as SessionServerCommand from "./SessionServerCommand.ts"
import * as Status from "./Status.ts"

/** What every state knows: a TrID that has not been used, the lists as they are kept, whether QNG is due. */
const known = {
  trId: TrId.TrId,
  lists: Lists.Lists,
  pong: Schema.Literals(["Due", "NotDue"]),
}

/** Where a session stands with its lists; nothing else in it has an order. */
export const State = Schema.TaggedUnion({
  /** The server has not been asked for its lists, or has refused them. */
  Unsynchronized: known,
  /** SYN is said, with the TrID `asked`. */
  AwaitSyn: { ...known, asked: TrId.TrId },
  /** The server's lists come, line by line, under this serial; `lists` are still those from before. */
  AwaitLists: { ...known, asked: TrId.TrId, serial: Count.Count, gathered: Schema.Chunk(Lists.Line) },
  /** The lists kept are the server's. */
  Synchronized: known,
  /** We take no more of what the server says. */
  Closed: { trId: TrId.TrId },
})
export type State = typeof State.Type

const otherMessage = Message.Message.cases.Other.fields
const person = { account: Account.Account, friendlyName: FriendlyName.FriendlyName }

/** What may happen: heard from the server, decided by the application, or seen by the shell. */
export const Event = Schema.TaggedUnion({
  /** The answer to SYN, with the serial that was asked with: nothing follows. */
  SynSame: {},
  /** The answer to SYN, with another serial: the lists follow. */
  SynOther: { serial: Count.Count },
  /** A line of the lists. */
  ListLine: { line: Lists.Line },
  /** The last line of the lists. */
  ListEnd: { line: Lists.Line },
  /** A line of the lists that is one too many. */
  ListsEndless: {},
  /** The server does not give the lists out. */
  ListsRefused: { code: ErrorCode.ErrorCode },
  /** The status that others see, as it was asked for or as the server has set it. */
  StatusSet: { status: Status.Status },
  /** A contact is there, or has come, or has another status. */
  ContactOnline: { ...person, status: Status.Status },
  /** A contact has gone. */
  ContactOffline: { account: Account.Account },
  /** Who has logged in; see `Message.field`. */
  Profile: Message.Message.cases.Profile.fields,
  /** The server goes down for maintenance in so many minutes. */
  Maintenance: Message.Message.cases.Maintenance.fields,
  /** Any other message. */
  Message: { headers: otherMessage.headers, body: otherMessage.body },
  /** The answer to CVR: the version recommended, twice, the oldest one taken, where to load it, where to read of it. */
  VersionAdvice: { parameters: Words },
  /** Is this the official client? */
  Chl: { challenge: Challenge.Challenge },
  /** It is. */
  Qry: {},
  Qng: {},
  /** An error, for the command that bore this TrID. */
  Refused: { code: ErrorCode.ErrorCode, trId: Schema.toType(Schema.Option(TrId.TrId)) },
  /** Anything else. */
  Other: {},

  /** Ask for the lists. */
  Synchronize: {},
  /** Take a status. */
  SetStatus: { status: Status.Takeable },
  /** Report the version of the client, in the words of `ClientCommand.Cvr`. */
  ReportVersion: { parameters: Words },

  /** It is time to ask whether the server is there. */
  Ping: {},
  /** It is time to ask again, and it has not answered yet. */
  Unanswered: {},
})
export type Event = typeof Event.Type

/** What the application is told. */
export type Report =
  | ByTag<
      Event,
      | "ListsRefused"
      | "StatusSet"
      | "ContactOnline"
      | "ContactOffline"
      | "Profile"
      | "Maintenance"
      | "Message"
      | "VersionAdvice"
      | "Refused"
    >
  /** The lists are the server's: new ones, or those that were kept. */
  | { readonly _tag: "Synchronized"; readonly lists: Lists.Lists }

/** What a client says in a session. */
export type Sayable = SessionClientCommand.SessionClientCommand | ByTag<ClientCommand.ClientCommand, "Cvr">

/** What the shell is to do, in order. */
export type Action =
  | { readonly _tag: "Say"; readonly command: Sayable }
  /** Tell the application. */
  | { readonly _tag: "Report"; readonly report: Report }
  /** Hand the command just heard to the application, as it came. */
  | { readonly _tag: "Deliver" }
  /** End the session: the server is not there any more, or its lists have no end. */
  | { readonly _tag: "Close"; readonly why: "Unanswered" | "ListsEndless" }

const { ignore, misuse, rule } = Machine

/** In each state but the last; each then writes down what it makes of the lists. */
const open = <const S extends string>(state: S) =>
  ({
    SynSame: misuse,
    SynOther: misuse,
    ListLine: misuse,
    ListEnd: misuse,
    ListsEndless: misuse,
    ListsRefused: misuse,
    StatusSet: rule("status", [state], "Report it.", "beyond.hear-status"),
    ContactOnline: rule("contact", [state], "Report it.", "beyond.hear-status"),
    ContactOffline: rule("contact", [state], "Report it.", "beyond.hear-status"),
    Profile: rule("message", [state], "Report it.", "next.messages", "beyond.hear-messages"),
    Maintenance: rule("message", [state], "Report it.", "next.messages", "beyond.hear-messages"),
    Message: rule("message", [state], "Report it.", "next.messages", "beyond.hear-messages"),
    VersionAdvice: rule("version", [state], "Report it.", "beyond.hear-rest"),
    Chl: rule("challenge", [state], "Say QRY and the digest.", "beyond.hear-challenge"),
    Qry: rule("challenge-met", [state], "The digest was right.", "beyond.hear-challenge"),
    Qng: rule("pong", [state], "The server is there.", "beyond.ping"),
    Refused: rule("refused", [state], "Report it.", "beyond.failure-form", "beyond.hear-rest"),
    Other: rule("hand-over", [state], "Hand the command to the application.", "beyond.hear-rest"),
    Synchronize: rule("synchronize", ["AwaitSyn"], "Say SYN and the serial of the lists kept.", "beyond.hear-lists"),
    SetStatus: rule("set-status", [state], "Say CHG and the status.", "beyond.hear-status"),
    ReportVersion: rule("report-version", [state], "Say CVR and the version.", "beyond.say-version"),
    Ping: rule("ping", [state], "Say PNG.", "beyond.ping"),
    Unanswered: rule("unanswered", ["Closed"], "Take the server for gone.", "beyond.ping"),
  }) as const

const underWay = ignore("The lists are on their way.")
const listsRefused = rule("lists-refused", ["Unsynchronized"], "Report it; what is kept stays.", "beyond.hear-lists")
const late = ignore("The session is already over.")

/** Who may say what, when. */
export const table = {
  Unsynchronized: open("Unsynchronized"),
  AwaitSyn: {
    ...open("AwaitSyn"),
    SynSame: rule("lists-kept", ["Synchronized"], "Report the lists that are kept.", "beyond.hear-lists"),
    SynOther: rule("lists-follow", ["AwaitLists"], "Begin to gather.", "beyond.hear-lists"),
    ListsRefused: listsRefused,
    Synchronize: underWay,
  },
  AwaitLists: {
    ...open("AwaitLists"),
    ListLine: rule("list-line", ["AwaitLists"], "Gather it.", "beyond.hear-lists"),
    ListEnd: rule("list-end", ["Synchronized"], "Report the lists.", "beyond.hear-lists"),
    ListsEndless: rule("lists-endless", ["Closed"], "Take no more of it.", "beyond.hear-lists"),
    ListsRefused: listsRefused,
    Synchronize: underWay,
  },
  Synchronized: open("Synchronized"),
  Closed: {
    SynSame: late,
    SynOther: late,
    ListLine: late,
    ListEnd: late,
    ListsEndless: late,
    ListsRefused: late,
    StatusSet: late,
    ContactOnline: late,
    ContactOffline: late,
    Profile: late,
    Maintenance: late,
    Message: late,
    VersionAdvice: late,
    Chl: late,
    Qry: late,
    Qng: late,
    Refused: late,
    Other: late,
    Synchronize: late,
    SetStatus: late,
    ReportVersion: late,
    Ping: late,
    Unanswered: late,
  },
} as const satisfies Table<State, Event, never, Clause.Id>

/** A state in which the session goes on. */
type Open = Exclude<State, { readonly _tag: "Closed" }>

const report = <S extends State>(state: S, report: Report): Step<S, Action> => ({
  state,
  actions: [{ _tag: "Report", report }],
})

/** Says something with the TrID that has not been used. */
const say = <S extends Open>(state: S, command: (trId: TrId.TrId) => Sayable): Step<S, Action> => ({
  state: spend(state),
  actions: [{ _tag: "Say", command: command(state.trId) }],
})

const nothing = <S extends State>(state: S): Step<S, Action> => ({ state, actions: [] })

const close = (trId: TrId.TrId, why: ByTag<Action, "Close">["why"]): Step<ByTag<State, "Closed">, Action> => ({
  state: { _tag: "Closed", trId },
  actions: [{ _tag: "Close", why }],
})

const synchronized = ({ pong, trId }: Open, lists: Lists.Lists) =>
  report({ _tag: "Synchronized", trId, lists, pong }, { _tag: "Synchronized", lists })

const unsynchronized = ({ lists, pong, trId }: Open, refusal: ByTag<Event, "ListsRefused">) =>
  report({ _tag: "Unsynchronized", trId, lists, pong }, refusal)

const always = {
  StatusSet: report,
  ContactOnline: report,
  ContactOffline: report,
  Profile: report,
  Maintenance: report,
  Message: report,
  VersionAdvice: report,
  Refused: report,
  Chl: <S extends Open>(state: S, { challenge }: ByTag<Event, "Chl">) =>
    say(state, (trId) => ({ _tag: "Qry", trId, clientId: Product.clientId, digest: Product.answer(challenge) })),
  Qry: nothing,
  Qng: <S extends Open>(state: S) => nothing({ ...state, pong: "NotDue" }),
  Other: <S extends Open>(state: S): Step<S, Action> => ({ state, actions: [{ _tag: "Deliver" }] }),
  SetStatus: <S extends Open>(state: S, { status }: ByTag<Event, "SetStatus">) =>
    say(state, (trId) => ({ _tag: "Chg", trId, status })),
  ReportVersion: <S extends Open>(state: S, { parameters }: ByTag<Event, "ReportVersion">) =>
    say(state, (trId) => ({ _tag: "Cvr", trId, parameters })),
  Ping: <S extends Open>(state: S): Step<S, Action> => ({
    state: { ...state, pong: "Due" },
    actions: [{ _tag: "Say", command: { _tag: "Png" } }],
  }),
  Unanswered: ({ trId }: Open) => close(trId, "Unanswered"),
} as const

const synchronize = {
  Synchronize: ({ lists, pong, trId }: Open) =>
    say({ _tag: "AwaitSyn", trId, lists, pong, asked: trId }, (trId) => ({ _tag: "Syn", trId, serial: lists.serial })),
} as const

/** How each rule is carried out. */
const handlers: Handlers<typeof table, State, Event, Action> = {
  Unsynchronized: { ...always, ...synchronize },
  AwaitSyn: {
    ...always,
    SynSame: (state) => synchronized(state, state.lists),
    SynOther: ({ asked, lists, pong, trId }, { serial }) =>
      nothing({ _tag: "AwaitLists", trId, lists, pong, asked, serial, gathered: Chunk.empty() }),
    ListsRefused: unsynchronized,
  },
  AwaitLists: {
    ...always,
    ListLine: (state, { line }) => nothing({ ...state, gathered: Chunk.append(state.gathered, line) }),
    ListEnd: (state, { line }) => synchronized(state, Lists.gather(state.serial, Chunk.append(state.gathered, line))),
    ListsEndless: ({ trId }) => close(trId, "ListsEndless"),
    ListsRefused: unsynchronized,
  },
  Synchronized: { ...always, ...synchronize },
  Closed: {},
}

/** What a login hands over; see `login/Client`. */
export type Heard = ServerCommand.ServerCommand | Codec.Malformed

const other: Event = { _tag: "Other" }

/**
 * What was heard, as an event for this state: a line of the lists is one only where the lists are awaited.
 *
 * A line whose parameters do not fit is handed over like one with an unknown verb.
 */
export const classify = (state: State, heard: Heard): Event => {
  switch (heard._tag) {
    case "Failure":
      return "asked" in state && Option.contains(heard.trId, state.asked)
        ? { _tag: "ListsRefused", code: heard.code }
        : { _tag: "Refused", code: heard.code, trId: heard.trId }
    case "Cvr":
      return { _tag: "VersionAdvice", parameters: heard.parameters }
    case "Foreign": {
      const command = SessionServerCommand.decode(heard)
      return Result.isSuccess(command) ? ofSession(state, command.success) : other
    }
    case "Ver":
    case "VerNone":
    case "Inf":
    case "UsrChallenge":
    case "UsrOk":
    case "Xfr":
    case "Out":
    case "Malformed":
      return other
  }
}

const ofSession = (state: State, command: SessionServerCommand.SessionServerCommand | ServerCommand.Foreign): Event => {
  switch (command._tag) {
    case "Syn":
      if (state._tag !== "AwaitSyn" || command.trId !== state.asked) return other
      return command.serial === state.lists.serial ? { _tag: "SynSame" } : { _tag: "SynOther", serial: command.serial }
    case "Gtc":
    case "Blp":
    case "Prp":
    case "Lsg":
    case "Lst":
    case "LstEmpty":
      return state._tag === "AwaitLists" && command.trId === state.asked ? listed(state, command) : other
    case "Bpr":
      return state._tag === "AwaitLists" ? listed(state, command) : other
    case "Chg":
      return { _tag: "StatusSet", status: command.status }
    case "Iln":
    case "Nln": {
      const { account, friendlyName, status } = command
      return { _tag: "ContactOnline", account, friendlyName, status }
    }
    case "Fln":
      return { _tag: "ContactOffline", account: command.account }
    case "Msg":
      return ofMessage(Message.fromPayload(command.payload))
    case "Cvq":
      return { _tag: "VersionAdvice", parameters: command.parameters }
    case "Chl":
      return { _tag: "Chl", challenge: command.challenge }
    case "Qry":
      return { _tag: "Qry" }
    case "Qng":
      return { _tag: "Qng" }
    case "Url":
    case "Foreign":
      return other
  }
}

const listed = ({ gathered }: ByTag<State, "AwaitLists">, line: Lists.Line): Event => {
  if (Lists.isLast(line)) return { _tag: "ListEnd", line }
  return Chunk.size(gathered) < maxLines ? { _tag: "ListLine", line } : { _tag: "ListsEndless" }
}

/** How many lines of lists are gathered: a hundred times what Microsoft's servers had for anybody. */
export const maxLines = 100_000

const ofMessage = (message: Message.Message): Event =>
  message._tag === "Other" ? { ...message, _tag: "Message" } : message

/** What it is time for: the next question whether the server is there, or the end where the last has no answer yet. */
export const due = (state: State): ByTag<Event, "Ping" | "Unanswered"> =>
  "pong" in state && state.pong === "Due" ? { _tag: "Unanswered" } : { _tag: "Ping" }

/** Marks the state's TrID as used, for a command of the application's own. */
export const spend = <S extends State>(state: S): S => ({ ...state, trId: TrId.next(state.trId) })

/** What a client keeps that has never synchronized: nothing, under a serial that is no server's. */
export const noLists: Lists.Lists = { ...Lists.empty, serial: 0 }

/** With what a session begins. */
export interface Options {
  /** A TrID that the login has not used. */
  readonly trId: TrId.TrId
  /** The lists that were kept from an earlier session, or {@link noLists}. */
  readonly lists: Lists.Lists
  readonly status: Status.Takeable
  /** The version to report, in the words of `ClientCommand.Cvr`; none to report none. */
  readonly version: Option.Option<ReadonlyArray<string>>
}

/** The first moves, in the order of the official client: SYN, CHG, and CVR where a version is to be reported. */
export const start = ({ lists, status, trId, version }: Options): Step<ByTag<State, "AwaitSyn">, Action> => {
  const synced = synchronize.Synchronize({ _tag: "Unsynchronized", trId, lists, pong: "NotDue" })
  const shown = always.SetStatus(synced.state, { _tag: "SetStatus", status })
  const told = Option.match(version, {
    onNone: () => nothing(shown.state),
    onSome: (parameters) => always.ReportVersion(shown.state, { _tag: "ReportVersion", parameters }),
  })
  return { state: told.state, actions: [...synced.actions, ...shown.actions, ...told.actions] }
}

/** What an event leads to. Total; throws only where the shell feeds what {@link classify} does not make. */
export const transition = Machine.make<State, Event, Action, never>()({
  table,
  handlers,
  refused: (_state, _event, code) => code,
})
