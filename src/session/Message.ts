/**
 * What a server's MSG carries: the profile behind USR OK, the announcement that the server goes down, or anything else.
 *
 * A payload is headers, an empty line, and a body; reading one never fails.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ByTag } from "../machine/Machine.ts"
import type * as Account from "../protocol/Account.ts"
import * as Bytes from "../protocol/Bytes.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import { rules } from "./SessionRules.ts"
import type * as SessionServerCommand from "./SessionServerCommand.ts"

/** Headers, or fields that look like headers: names with their values, in order. */
const Fields = Schema.Record(Schema.String, Schema.String)

/** A message of the server's. */
export const Message = Schema.TaggedUnion({
  /** Who has logged in, and when: fields that a dialect may have or not, and those of others, too. */
  Profile: { fields: Fields },
  /** The server goes down for maintenance in so many minutes. */
  Maintenance: { minutes: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)) },
  /** Anything else: its headers, and the body behind the empty line. */
  Other: { headers: Fields, body: Schema.String },
})
export type Message = typeof Message.Type

/** The fields of a profile from MSNP3 on, in their order; MSNP2 has the first alone. */
export const ProfileField = Schema.Literals([
  "LoginTime",
  "EmailEnabled",
  "MemberIdHigh",
  "MemberIdLow",
  "lang_preference",
  "preferredEmail",
  "country",
  "PostalCode",
  "Gender",
  "Kid",
  "Age",
  "BDayPre",
  "Birthday",
  "Wallet",
  "Flags",
  "sid",
  "kv",
  "MSPAuth",
])
export type ProfileField = typeof ProfileField.Type

/** Fields of a profile that somebody knows. */
export type Particulars = { readonly [name in ProfileField]?: string }

/** A field of a profile; none where the server left it out. */
export const field = ({ fields }: ByTag<Message, "Profile">, name: ProfileField): Option.Option<string> =>
  Object.hasOwn(fields, name) ? Option.fromUndefinedOr(fields[name]) : Option.none()

/**
 * The profile of an account that has logged in so many seconds after 1970, as a dialect has it.
 *
 * What a server of today does not know is left empty, or is as on Microsoft's: site 507, key version 4. `particulars`
 * are fields that the host knows better.
 */
export const profile = (
  dialect: Dialect.Dialect,
  account: Account.Account,
  seconds: number,
  particulars: Particulars = {},
): ByTag<Message, "Profile"> => {
  const loginTime = { LoginTime: particulars.LoginTime ?? String(seconds) }
  if (rules[dialect].profile === "LoginTime") return { _tag: "Profile", fields: loginTime }
  const usual: { readonly [name in ProfileField]: string } = {
    ...loginTime,
    EmailEnabled: "0",
    MemberIdHigh: "0",
    MemberIdLow: "0",
    lang_preference: "1033",
    preferredEmail: account,
    country: "",
    PostalCode: "",
    Gender: "",
    Kid: "0",
    Age: "",
    BDayPre: "",
    Birthday: "",
    Wallet: "0",
    Flags: "1027",
    sid: "507",
    kv: "4",
    MSPAuth: "",
  }
  return { _tag: "Profile", fields: { ...usual, ...particulars } }
}

const version = { "MIME-Version": "1.0" }
const profileType = "text/x-msmsgsprofile"
const systemType = "application/x-msmsgssystemmessage"
/** The one system message that any source explains. */
const maintenanceType = "1"

const profileHead = `MIME-Version: 1.0\r\nContent-Type: ${profileType}; charset=UTF-8\r\n`

/** The payload of a message. A profile ends with an empty line, a system message with its last line. */
export const toPayload = (message: Message): string => Bytes.fromText(toText(message))

const toText = (message: Message): string => {
  switch (message._tag) {
    case "Profile":
      return `${profileHead}${write(message.fields)}\r\n`
    case "Maintenance": {
      const body = write({ Type: maintenanceType, Arg1: String(message.minutes) })
      return `${write({ ...version, "Content-Type": systemType })}\r\n${body}`
    }
    case "Other":
      return `${write(message.headers)}\r\n${message.body}`
  }
}

/** Each field is one line, whatever it holds: an application may have it from its users. */
const write = (fields: { readonly [name: string]: string }): string => {
  let lines = ""
  for (const name in fields) lines += `${oneLine(name)}: ${oneLine(fields[name] ?? "")}\r\n`
  return lines
}

const oneLine = (text: string): string =>
  text.includes("\r") || text.includes("\n") ? text.replace(/[\r\n]+/g, " ") : text

/** The message that a payload is; bytes that are no text are kept as they came. */
export const fromPayload = (payload: string): Message => {
  const text = Option.getOrElse(Bytes.toText(payload), () => payload)
  const { 0: blank = "", index: end = text.length } = /(?<=^|\n)\r?\n/.exec(text) ?? {}
  const headers = read(text.slice(0, end))
  const { "Content-Type": type = "", "MIME-Version": _, ...fields } = headers
  const body = text.slice(end + blank.length)
  if (type.startsWith(profileType)) return { _tag: "Profile", fields }
  if (type.startsWith(systemType)) {
    const { Arg1 = "", Type } = read(body)
    if (Type === maintenanceType && /^[0-9]{1,9}$/.test(Arg1)) return { _tag: "Maintenance", minutes: Number(Arg1) }
  }
  return { _tag: "Other", headers, body }
}

const read = (text: string): { readonly [name: string]: string } =>
  Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":")
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()]] : []
    }),
  )

/** Who a message comes from that the server itself sends. */
const sender = FriendlyName.FriendlyName.make("Hotmail")

/** The command that hands a message of the server's own over. */
export const toCommand = (message: Message): ByTag<SessionServerCommand.SessionServerCommand, "Msg"> => ({
  _tag: "Msg",
  from: sender,
  friendlyName: sender,
  payload: toPayload(message),
})
