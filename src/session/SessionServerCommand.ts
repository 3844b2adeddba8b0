/**
 * What a server says once the client is logged in, so far as a client needs it to show itself signed in.
 *
 * `Codec` leaves these commands as `Foreign`; {@link decode} is the second stage, {@link encode} its way back. What
 * each dialect is sent of the lists is in `Lists`. Answers that the login has, too, are in `ServerCommand`.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Account from "../protocol/Account.ts"
import * as Challenge from "../protocol/Challenge.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import * as Line from "../protocol/Line.ts"
import type * as ServerCommand from "../protocol/ServerCommand.ts"
import * as TrId from "../protocol/TrId.ts"
import { command, Word, Words } from "../protocol/Wire.ts"
import * as Count from "./Count.ts"
import * as Stage from "./internal/stage.ts"
import * as Status from "./Status.ts"

const trId = { trId: TrId.FromWire }
const dated = { serial: Count.FromWire }
const person = { account: Account.FromWire, friendlyName: FriendlyName.FromWire }

/** Tells the serial of the lists; where it is not the client's, the lists follow (draft 7.5). */
export const Syn = command("Syn", "SYN {trId} {serial}", { ...trId, ...dated })

/** Whether to ask before somebody new may see the user: A for yes, N for no (draft 7.6). */
export const AddPolicy = Schema.Literals(["A", "N"]).annotate({ description: "A or N" })
export type AddPolicy = typeof AddPolicy.Type

/** Tells whether the user is asked about people who add them. */
export const Gtc = command("Gtc", "GTC {trId} {serial} {policy}", { ...trId, ...dated, policy: AddPolicy })

/** Who may see those that are on no list: AL for everybody, BL for nobody (draft 7.6). */
export const PrivacyPolicy = Schema.Literals(["AL", "BL"]).annotate({ description: "AL or BL" })
export type PrivacyPolicy = typeof PrivacyPolicy.Type

/** Tells whether people on no list may see the user. */
export const Blp = command("Blp", "BLP {trId} {serial} {policy}", { ...trId, ...dated, policy: PrivacyPolicy })

/** Phone at home, at work, mobile; whether pages are taken; whether a page device is set up. */
export const PhoneProperty = Schema.Literals(["PHH", "PHW", "PHM", "MOB", "MBE"]).annotate({
  description: "PHH, PHW, PHM, MOB or MBE",
})
export type PhoneProperty = typeof PhoneProperty.Type

/** A value, URL-encoded like a name; where there is none, no word stands. Broken escapes are kept. */
const Value = Words.pipe(
  Schema.decodeTo(
    Schema.String.check(Schema.makeFilter((text) => text.isWellFormed())),
    SchemaTransformation.transform<string, ReadonlyArray<string>>({
      decode: ([word]) => (word === undefined ? "" : FriendlyName.decode(word)),
      encode: (text) => (text === "" ? [] : [encodeURIComponent(text)]),
    }),
  ),
).annotate({ description: "a URL-encoded value, or nothing" })

/** Tells a phone property of the user (from MSNP5). */
export const Prp = command("Prp", "PRP {trId} {serial} {property} {value...}", {
  ...trId,
  ...dated,
  property: PhoneProperty,
  value: Value,
})

/** Tells a phone property of a contact (from MSNP5); it stands behind the contact's LST. */
export const Bpr = command("Bpr", "BPR {serial} {account} {property} {value...}", {
  ...dated,
  account: Account.FromWire,
  property: PhoneProperty,
  value: Value,
})

/** The place of an entry in its list, counted from 1, and how many there are. */
const place = { item: Count.FromWire, total: Count.FromWire }

/** Tells a group of contacts (MSNP7). */
export const Lsg = command("Lsg", "LSG {trId} {serial} {item} {total} {id} {name} 0", {
  ...trId,
  ...dated,
  ...place,
  id: Count.FromWire,
  name: FriendlyName.FromWire,
})

/** The lists of people: those one wants to see, lets see oneself, does not let, and who has one on theirs. */
export const List = Schema.Literals(["FL", "AL", "BL", "RL"]).annotate({ description: "FL, AL, BL or RL" })
export type List = typeof List.Type

const Groups = Words.check(
  Schema.makeFilter(([word]) => word === undefined || word.split(",").every(Count.isDigits)),
).pipe(
  Schema.decodeTo(
    Schema.Array(Count.Count),
    SchemaTransformation.transform<ReadonlyArray<number>, ReadonlyArray<string>>({
      decode: ([word]) => (word === undefined ? [] : word.split(",").map(Number)),
      encode: (groups) => (groups.length === 0 ? [] : [groups.join(",")]),
    }),
  ),
  Schema.annotate({ description: "ids of groups, separated by commas, or nothing" }),
)

/** Tells an entry of a list; in MSNP7, an FL entry ends with the ids of its groups (draft 7.6). */
export const Lst = command("Lst", "LST {trId} {list} {serial} {item} {total} {account} {friendlyName} {groups...}", {
  ...trId,
  list: List,
  ...dated,
  ...place,
  ...person,
  groups: Groups,
})

/** Tells that a list has no entries. */
export const LstEmpty = command("LstEmpty", "LST {trId} {list} {serial} 0 0", { ...trId, list: List, ...dated })

/** Confirms a status, or sets it unasked with TrID 0 (draft 7.7). */
export const Chg = command("Chg", "CHG {trId} {status}", { ...trId, status: Status.FromWire })

/** Tells the status of a contact who is there already when the client takes its own. */
export const Iln = command("Iln", "ILN {trId} {status} {account} {friendlyName}", {
  ...trId,
  status: Status.FromWire,
  ...person,
})

/** Tells that a contact has come, or has another status. */
export const Nln = command("Nln", "NLN {status} {account} {friendlyName}", { status: Status.FromWire, ...person })

/** Tells that a contact has gone. */
export const Fln = command("Fln", "FLN {account}", { account: Account.FromWire })

/** Answers PNG. It bears nothing in these dialects; what stands behind it is ignored. */
export const Qng = command("Qng", "QNG *", {})

/** Challenges the program (from MSNP6), unasked: the TrID is 0. */
export const Chl = command("Chl", "CHL {trId} {challenge}", { ...trId, challenge: Challenge.FromWire })

/** Says that the answer to CHL was right. */
export const Qry = command("Qry", "QRY {trId}", trId)

/** Tells where a place is: a path, the page that logs in, and from MSNP3 on a number. */
export const Url = command("Url", "URL {trId} {path} {login} {site...}", {
  ...trId,
  path: Word,
  login: Word,
  site: Words,
})

/** Answers CVQ as CVR is answered. */
export const Cvq = command("Cvq", "CVQ {trId} {parameters...}", { ...trId, parameters: Words })

/** Hands over a message, such as the profile: whose it is, and a payload (see `Message`). */
export const Msg = command("Msg", "MSG {from} {friendlyName} {payload}", {
  from: Word,
  friendlyName: FriendlyName.FromWire,
  payload: Stage.Payload,
})

/** The commands of the session, by verb; a verb with several stands for several acts. */
export const commands = {
  SYN: [Syn],
  GTC: [Gtc],
  BLP: [Blp],
  PRP: [Prp],
  BPR: [Bpr],
  LSG: [Lsg],
  LST: [LstEmpty, Lst],
  CHG: [Chg],
  ILN: [Iln],
  NLN: [Nln],
  FLN: [Fln],
  QNG: [Qng],
  CHL: [Chl],
  QRY: [Qry],
  URL: [Url],
  CVQ: [Cvq],
  MSG: [Msg],
} as const

/** What a server says in a session. */
export const SessionServerCommand = Schema.Union([
  Syn.type,
  Gtc.type,
  Blp.type,
  Prp.type,
  Bpr.type,
  Lsg.type,
  Lst.type,
  LstEmpty.type,
  Chg.type,
  Iln.type,
  Nln.type,
  Fln.type,
  Qng.type,
  Chl.type,
  Qry.type,
  Url.type,
  Cvq.type,
  Msg.type,
])
export type SessionServerCommand = typeof SessionServerCommand.Type

/** The command that a `Foreign` is; itself where its verb is none of the session's. */
export const decode = (
  foreign: ServerCommand.Foreign,
): Result.Result<SessionServerCommand | ServerCommand.Foreign, Codec.Undecodable<SessionServerCommand["_tag"]>> =>
  Stage.decode<SessionServerCommand, SessionServerCommand["_tag"]>(foreign, commands, Line.serverPayloads)

/** The command as a `Foreign`, to be sent; a value that its type does not allow fails with a sentence. */
export const encode = (command: SessionServerCommand): Result.Result<ServerCommand.Foreign, string> => {
  switch (command._tag) {
    case "Syn":
      return foreign(Syn.encode(command))
    case "Gtc":
      return foreign(Gtc.encode(command))
    case "Blp":
      return foreign(Blp.encode(command))
    case "Prp":
      return foreign(Prp.encode(command))
    case "Bpr":
      return foreign(Bpr.encode(command))
    case "Lsg":
      return foreign(Lsg.encode(command))
    case "Lst":
      return foreign(Lst.encode(command))
    case "LstEmpty":
      return foreign(LstEmpty.encode(command))
    case "Chg":
      return foreign(Chg.encode(command))
    case "Iln":
      return foreign(Iln.encode(command))
    case "Nln":
      return foreign(Nln.encode(command))
    case "Fln":
      return foreign(Fln.encode(command))
    case "Qng":
      return foreign(Qng.encode(command))
    case "Chl":
      return foreign(Chl.encode(command))
    case "Qry":
      return foreign(Qry.encode(command))
    case "Url":
      return foreign(Url.encode(command))
    case "Cvq":
      return foreign(Cvq.encode(command))
    case "Msg":
      return foreign(Msg.encode(command))
  }
}

const foreign = (words: Result.Result<ReadonlyArray<string>, string>) => Stage.encode(words, Line.serverPayloads)
