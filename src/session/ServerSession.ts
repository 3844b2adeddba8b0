/**
 * The session as the server lives it, once a client is logged in: what a client needs to show itself signed in.
 *
 * Read the table: it is the protocol. Contacts who come and go are nothing that this machine knows of. A session that
 * is put off for another one, or with its server, ends in the login's machine (`Server`), which goes on beneath this.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Clause from "../login/Clause.ts"
import * as Server from "../login/Server.ts"
import type { ByTag, Handlers, Step, Table } from "../machine/Machine.ts"
import * as Machine from "../machine/Machine.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as Dialect from "../protocol/Dialect.ts"
import type * as ErrorCode from "../protocol/ErrorCode.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import { Word } from "../protocol/Wire.ts"
import * as Count from "./Count.ts"
import * as Lists from "./Lists.ts"
import * as Message from "./Message.ts"
import * as Product from "./Product.ts"
import * as SessionClientCommand from "./SessionClientCommand.ts"
import { rules } from "./SessionRules.ts"
import * as SessionServerCommand from "./SessionServerCommand.ts"
import * as Status from "./Status.ts"

/** Why a session is over. */
export const Reason = Schema.Literals(["Misbehaved", "Unanswered", "LoggedOff", "HungUp"])
export type Reason = typeof Reason.Type

const known = { dialect: Dialect.Dialect, lists: Lists.Lists }

/** Where a session stands: whether the client has taken a status yet, and whether it owes an answer to CHL. */
export const State = Schema.TaggedUnion({
  AwaitChg: known,
  Online: { ...known, status: Status.Takeable },
  AwaitQry: { ...known, status: Status.Takeable, challenge: Challenge.Challenge },
  Closed: { reason: Reason },
})
export type State = typeof State.Type

/** Where a place on the web is. */
export const Place = Schema.Struct({
  /** The path of the place itself. */
  path: Word,
  /** The page that logs the user in on the way there. */
  login: Word,
  /** A number that the client hands on, from MSNP3 on. */
  site: Word,
})
export type Place = typeof Place.Type

/** The places that clients ask for, by the names that they have for them, such as INBOX. */
export type Places = { readonly [name: string]: Place }

const trId = { trId: TrId.TrId }

/** What may happen: heard from the client, decided by the host, or seen by the shell. */
export const Event = Schema.TaggedUnion({
  Syn: { ...trId, serial: Count.Count },
  Chg: { ...trId, status: Status.Takeable },
  /** CHG that would have the client offline. */
  ChgOffline: trId,
  /** CHG with a status that there is not. */
  ChgUnknown: trId,
  Png: {},
  /** QRY with the answer to the challenge that is out. */
  QryRight: trId,
  /** QRY with any other answer, or where no challenge is out. */
  QryWrong: trId,
  /** URL for a place that the host knows. */
  Url: { ...trId, place: Place },
  /** CVR or CVQ: under which verb to answer it, and the version that the client says it has. */
  Cvr: { ...trId, verb: Schema.Literals(["Cvr", "Cvq"]), version: Word },
  /** CVR or CVQ without a version in its place. */
  CvrMalformed: trId,
  /** VER, though the dialect is settled. */
  Ver: trId,
  /** INF, though the client is logged in. */
  Inf: trId,
  /** USR of any form, though the client is logged in. */
  Usr: trId,
  /** A command of the session with parameters missing, surplus or of the wrong kind. */
  Malformed: trId,
  /** A message, which belongs to a switchboard. */
  Msg: {},
  /** A verb that nobody serves, or URL for a place that the host does not know. */
  Unserved: trId,
  Out: {},
  /** A line that bears no TrID, though its answer would have to. */
  Unreadable: {},

  /** Challenge the client's program. */
  Challenge: { challenge: Challenge.Challenge },
  /** This server goes down in so many minutes. */
  Warn: { minutes: Count.Count },

  /** The client is gone, or has no more to say. */
  HungUp: {},
  /** No answer to the challenge has come in time. */
  Overdue: {},
})
export type Event = typeof Event.Type

/** What a server says in a session. */
export type Said = SessionServerCommand.SessionServerCommand | ByTag<ServerCommand.ServerCommand, "Cvr" | "Failure">

/** What time is up for: to challenge the program at once or again, or to have no more patience with it. */
export type Alarm = "FirstChallenge" | "NextChallenge" | "Overdue"

/** What the shell is to do, in order. */
export type Action =
  | { readonly _tag: "Say"; readonly command: Said }
  /** Set the one alarm that there is anew: when it rings, feed `Challenge` or `Overdue`. */
  | { readonly _tag: "SetAlarm"; readonly alarm: Alarm }
  /** Close the connection, once everything said has been written. */
  | { readonly _tag: "Close" }

/** How a refusal sounds: a code, or silence. */
export type Code = 540 | "Silence"

const { ignore, misuse, refuse, rule } = Machine

/** What is served in the same way whatever has come before; it leads nowhere else. */
const serving = <const S extends string>(state: S) =>
  ({
    Syn: rule(
      "syn",
      [state],
      "Say SYN, and behind it the lists, if they are not the client's.",
      "beyond.syn",
      "beyond.lists",
    ),
    ChgOffline: rule("chg-offline", [state], "Say 201.", "beyond.chg-offline"),
    ChgUnknown: refuse("Silence", "beyond.chg-unknown"),
    Png: rule("png", [state], "Say QNG.", "beyond.png"),
    Url: rule("url", [state], "Say URL and where the place is.", "beyond.url"),
    Cvr: rule("cvr", [state], "Answer with the version that the client has.", "beyond.cvr-in-session"),
    CvrMalformed: rule("cvr-malformed", [state], "Say 710.", "beyond.cvr-bad"),
    Ver: rule("login-again", [state], "Say 200.", "beyond.login-again"),
    Inf: rule("login-again", [state], "Say 200.", "beyond.login-again"),
    Usr: rule("usr-again", [state], "Say 207.", "beyond.usr-again"),
    Malformed: rule("malformed", [state], "Say 200.", "beyond.parameters"),
    Msg: refuse("Silence", "beyond.msg"),
    Unserved: rule("unserved", [state], "Say 502.", "beyond.unserved"),
    Out: rule(
      "out",
      ["Closed"],
      "The client logs off: close, say nothing.",
      "logoff.out",
      "logoff.out-closes",
      "logoff.out-silent",
    ),
    Unreadable: refuse("Silence", "beyond.trid"),
    Warn: rule("warn", [state], "Say MSG with the minutes that are left.", "closing.warning"),
    HungUp: rule("hang-up", ["Closed"], "Close, say nothing.", "logoff.close"),
  }) as const

const wrong = refuse(540, "beyond.qry-wrong")
const late = ignore("The connection is already over.")

const over = {
  Syn: late,
  Chg: late,
  ChgOffline: late,
  ChgUnknown: late,
  Png: late,
  QryRight: late,
  QryWrong: late,
  Url: late,
  Cvr: late,
  CvrMalformed: late,
  Ver: late,
  Inf: late,
  Usr: late,
  Malformed: late,
  Msg: late,
  Unserved: late,
  Out: late,
  Unreadable: late,
  Challenge: late,
  Warn: late,
  HungUp: late,
  Overdue: late,
} as const

/** Who may say what, when. */
export const table = {
  AwaitChg: {
    ...serving("AwaitChg"),
    Chg: rule(
      "chg-first",
      ["Online"],
      "Say CHG; the first challenge is due, if the dialect has any.",
      "beyond.chg",
      "beyond.chl",
    ),
    QryRight: misuse,
    QryWrong: wrong,
    Challenge: misuse,
    Overdue: misuse,
  },
  Online: {
    ...serving("Online"),
    Chg: rule("chg", ["Online"], "Say CHG.", "beyond.chg"),
    QryRight: misuse,
    QryWrong: wrong,
    Challenge: rule("challenge", ["AwaitQry", "Online"], "Say CHL, if the dialect has it.", "beyond.chl"),
    Overdue: ignore("The answer has come just in time."),
  },
  AwaitQry: {
    ...serving("AwaitQry"),
    Chg: rule("chg", ["AwaitQry"], "Say CHG.", "beyond.chg"),
    QryRight: rule("qry", ["Online"], "Say QRY; the next challenge is due later.", "beyond.qry", "beyond.chl"),
    QryWrong: wrong,
    Challenge: ignore("An answer is owed already."),
    Overdue: rule("overdue", ["Closed"], "Close, say nothing.", "beyond.qry-overdue"),
  },
  Closed: over,
} as const satisfies Table<State, Event, Code, Clause.Id>

const say = (command: Said): Action => ({ _tag: "Say", command })
const setAlarm = (alarm: Alarm): Action => ({ _tag: "SetAlarm", alarm })

const stay = <S extends State>(state: S, ...said: ReadonlyArray<Said>): Step<S, Action> => ({
  state,
  actions: said.map(say),
})

const closed = (reason: Reason, ...last: ReadonlyArray<Said>): Step<ByTag<State, "Closed">, Action> => ({
  state: { _tag: "Closed", reason },
  actions: [...last.map(say), { _tag: "Close" }],
})

const failure = (code: ErrorCode.ErrorCode, trId: Option.Option<TrId.TrId>): Said => ({ _tag: "Failure", code, trId })

/** What a refusal says on the wire. */
const refused = (_: State, event: Event, code: Code): Step<ByTag<State, "Closed">, Action> =>
  code === "Silence"
    ? closed("Misbehaved")
    : closed("Misbehaved", failure(code, "trId" in event ? Option.some(event.trId) : Option.none()))

/** Answers with a code, and goes on. */
const answers =
  (code: ErrorCode.ErrorCode) =>
  <S extends State>(state: S, { trId }: { readonly trId: TrId.TrId }): Step<S, Action> =>
    stay(state, failure(code, Option.some(trId)))

type Live = Exclude<State, { readonly _tag: "Closed" }>

/** What is served in the same way whatever has come before. */
const serves = {
  Syn: <S extends Live>(state: S, { serial, trId }: ByTag<Event, "Syn">): Step<S, Action> => {
    const { dialect, lists } = state
    const told: ReadonlyArray<Said> = serial === lists.serial ? [] : Lists.toCommands(lists, dialect, trId)
    return stay(state, { _tag: "Syn", trId, serial: lists.serial }, ...told)
  },
  ChgOffline: answers(201),
  Png: <S extends Live>(state: S): Step<S, Action> => stay(state, { _tag: "Qng" }),
  Url: <S extends Live>(state: S, { place: { login, path, site }, trId }: ByTag<Event, "Url">): Step<S, Action> =>
    stay(state, { _tag: "Url", trId, path, login, site: rules[state.dialect].site === "Present" ? [site] : [] }),
  Cvr: <S extends Live>(state: S, { trId, verb, version }: ByTag<Event, "Cvr">): Step<S, Action> =>
    stay(state, { _tag: verb, trId, parameters: Server.versions(version) }),
  CvrMalformed: answers(710),
  Ver: answers(200),
  Inf: answers(200),
  Usr: answers(207),
  Malformed: answers(200),
  Unserved: answers(502),
  Out: () => closed("LoggedOff"),
  Warn: <S extends Live>(state: S, { minutes }: ByTag<Event, "Warn">): Step<S, Action> =>
    stay(state, Message.toCommand({ _tag: "Maintenance", minutes })),
  HungUp: () => closed("HungUp"),
} as const

const confirm = ({ status, trId }: ByTag<Event, "Chg">): Said => ({ _tag: "Chg", trId, status })

/** What the server says unasked, where a TrID must stand. */
const unasked = TrId.TrId.make(0)

/** How each rule is carried out. */
const handlers: Handlers<typeof table, State, Event, Action> = {
  AwaitChg: {
    ...serves,
    Chg: ({ dialect, lists }, event) => ({
      state: { _tag: "Online", dialect, lists, status: event.status },
      actions: [say(confirm(event)), ...(rules[dialect].challenges === "Present" ? [setAlarm("FirstChallenge")] : [])],
    }),
  },
  Online: {
    ...serves,
    Chg: (state, event) => stay({ ...state, status: event.status }, confirm(event)),
    Challenge: (state, { challenge }) =>
      rules[state.dialect].challenges === "Absent"
        ? stay(state)
        : {
            state: { ...state, _tag: "AwaitQry", challenge },
            actions: [say({ _tag: "Chl", trId: unasked, challenge }), setAlarm("Overdue")],
          },
  },
  AwaitQry: {
    ...serves,
    Chg: (state, event) => stay({ ...state, status: event.status }, confirm(event)),
    QryRight: ({ dialect, lists, status }, { trId }) => ({
      state: { _tag: "Online", dialect, lists, status },
      actions: [say({ _tag: "Qry", trId }), setAlarm("NextChallenge")],
    }),
    Overdue: () => closed("Unanswered"),
  },
  Closed: {},
}

/** What a host knows of somebody whose session begins. */
export interface Start {
  readonly dialect: Dialect.Dialect
  readonly lists: Lists.Lists
  readonly profile: ByTag<Message.Message, "Profile">
}

/**
 * The first state, and what the server says at once.
 *
 * @keeps next.messages beyond.profile
 */
export const start = ({ dialect, lists, profile }: Start): Step<ByTag<State, "AwaitChg">, Action> =>
  stay({ _tag: "AwaitChg", dialect, lists }, Message.toCommand(profile))

/** What a server hears in a session: what the login's codec and machine have left over. */
export type Heard = ClientCommand.ClientCommand | Codec.Undecodable

/** What was heard, as an event: where data decide what becomes of a command, it gets a tag of its own. */
const classifyWith =
  (places: Places) =>
  (state: State, heard: Heard): Event => {
    switch (heard._tag) {
      case "Ver":
      case "Inf":
        return { _tag: heard._tag, trId: heard.trId }
      case "UsrInitiate":
      case "UsrRespond":
        return { _tag: "Usr", trId: heard.trId }
      case "Cvr":
        return versioned("Cvr", heard)
      case "Out":
      case "Unreadable":
        return { _tag: heard._tag }
      case "Malformed":
        return { _tag: heard.verb === "USR" ? "Usr" : "Malformed", trId: heard.trId }
      case "Foreign":
        return foreign(state, heard, places)
    }
  }

/** CVR has six parameters in the first dialects and seven in later ones; the sixth is the client's version. */
const versioned = (
  verb: "Cvr" | "Cvq",
  { parameters: [, , , , , version], trId }: { readonly parameters: ReadonlyArray<string>; readonly trId: TrId.TrId },
): Event => (version === undefined ? { _tag: "CvrMalformed", trId } : { _tag: "Cvr", trId, verb, version })

const foreign = (state: State, heard: ClientCommand.Foreign, places: Places): Event => {
  if (heard.verb === "MSG") return { _tag: "Msg" }
  const decoded = SessionClientCommand.decode(heard)
  if (Result.isFailure(decoded)) return undecodable(decoded.failure)
  const command = decoded.success
  switch (command._tag) {
    case "Syn":
    case "Png":
      return command
    case "Chg": {
      const { status, trId } = command
      return Status.isTakeable(status) ? { _tag: "Chg", trId, status } : { _tag: "ChgOffline", trId }
    }
    case "Qry":
      return { _tag: isRight(state, command) ? "QryRight" : "QryWrong", trId: command.trId }
    case "Url": {
      const place = Object.hasOwn(places, command.place) ? places[command.place] : undefined
      return place === undefined ? unserved(heard) : { _tag: "Url", trId: command.trId, place }
    }
    case "Cvq":
      return versioned("Cvq", command)
    case "Foreign":
      return unserved(command)
  }
}

const undecodable = (failure: Codec.Undecodable<SessionClientCommand.SessionClientCommand["_tag"]>): Event => {
  if (failure._tag === "Unreadable") return { _tag: "Unreadable" }
  const { like, problem, trId } = failure
  if (like === "Qry") return { _tag: "QryWrong", trId }
  return { _tag: like === "Chg" && problem.fault === "Invalid" ? "ChgUnknown" : "Malformed", trId }
}

const isRight = (
  state: State,
  { clientId, digest }: ByTag<SessionClientCommand.SessionClientCommand, "Qry">,
): boolean =>
  state._tag === "AwaitQry" &&
  clientId === Product.clientId &&
  Challenge.matches(digest, Product.answer(state.challenge))

/** A command that nobody serves can be answered only where it bears a TrID. */
const unserved = ({ parameters: [digits] }: ClientCommand.Foreign): Event =>
  Option.match(readTrId(digits), {
    onNone: () => ({ _tag: "Unreadable" }),
    onSome: (trId) => ({ _tag: "Unserved", trId }),
  })

const readTrId = Schema.decodeUnknownOption(TrId.FromWire)

/** A server's side of a session, with the places that its host knows. */
export const make = (places: Places) => ({
  classify: classifyWith(places),
  transition: Machine.make<State, Event, Action, Code>()({ table, handlers, refused }),
})

/** A server's side of a session: two pure functions. */
export type ServerSession = ReturnType<typeof make>

/**
 * What was heard, as an event, and what an event leads to, where the host knows no places.
 *
 * Both are total, and throw only where the shell feeds an event that cannot come.
 */
export const { classify, transition }: ServerSession = make({})

/** What is said, as the login's codec writes it; a value that its type does not allow fails with a sentence. */
export const toServerCommand = (
  said: Said,
): Result.Result<Exclude<Said, SessionServerCommand.SessionServerCommand> | ServerCommand.Foreign, string> =>
  said._tag === "Cvr" || said._tag === "Failure" ? Result.succeed(said) : SessionServerCommand.encode(said)
