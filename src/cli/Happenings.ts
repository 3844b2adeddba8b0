/**
 * What happens in a session, as a person and a program are told it.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as SessionClient from "../net/SessionClient.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Codec from "../protocol/Codec.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import type * as ClientSession from "../session/ClientSession.ts"
import type * as Lists from "../session/Lists.ts"
import type * as Status from "../session/Status.ts"
import * as Output from "./Output.ts"

/** What a person reads, and what a program does. */
type Told = readonly [text: string, event: Output.Event]

/** What happens but for the beginning of a session. */
type Happening = Exclude<SessionClient.StayEvent, { readonly _tag: "SignedIn" }>

/** A status in words. */
const statuses: { readonly [status in Status.Status]: string } = {
  Online: "online",
  Offline: "offline",
  Hidden: "hidden",
  Busy: "busy",
  Idle: "idle",
  BeRightBack: "back soon",
  Away: "away",
  OnThePhone: "on the phone",
  OutToLunch: "out to lunch",
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

const ofLists = ({ allow, block, forward, reverse, serial }: Lists.Lists): string =>
  `Lists (serial ${serial}): ${count(forward.length, "contact")}; ${allow.length} allowed, ${block.length} blocked, on the lists of ${reverse.length}`

/** A line of the server's, as it came, but for its payload. */
const lineOf = (heard: ClientSession.Heard): string => {
  if (heard._tag === "Malformed") return Codec.explain(heard)
  return Result.match(Codec.encodeServer(heard), {
    onSuccess: (line) => Bytes.legible(line.slice(0, line.indexOf("\r"))),
    onFailure: (why) => why,
  })
}

const who = (account: string, friendlyName: string): string =>
  `${Output.legible(friendlyName)} (${Output.legible(account)})`

/** An event of the same name, with all that is known. */
const eventOf = ({ _tag, ...fields }: { readonly _tag: string }): Output.Event => ({
  event: `${_tag.charAt(0).toLowerCase()}${_tag.slice(1)}`,
  ...fields,
})

const textOf = (report: ClientSession.Report): string => {
  switch (report._tag) {
    case "Synchronized":
      return ofLists(report.lists)
    case "ListsRefused":
      return `The lists are not given out: ${ErrorCode.describe(report.code)} (${report.code})`
    case "StatusSet":
      return `Our status is ${statuses[report.status]}`
    case "ContactOnline":
      return `${who(report.account, report.friendlyName)} is ${statuses[report.status]}`
    case "ContactOffline":
      return `${Output.legible(report.account)} has gone offline`
    case "Profile":
      return "The server has sent our profile"
    case "Maintenance":
      return `The server goes down in ${count(report.minutes, "minute")}`
    case "Message":
      return `A message of the kind ${Output.legible(report.headers["Content-Type"] ?? "unknown")}`
    case "VersionAdvice":
      return `The server recommends version ${Bytes.printable(report.parameters[0] ?? "unknown")}`
    case "Refused":
      return `The server refuses a command: ${ErrorCode.describe(report.code)} (${report.code})`
  }
}

/** Tells what has happened. */
export const tell = (happening: Happening): Told => {
  switch (happening._tag) {
    case "Lost": {
      const { again, error } = happening
      const seconds = Math.round(Duration.toSeconds(again))
      return [
        `${error.message} Trying again in ${count(seconds, "second")}.`,
        { event: "lost", why: error._tag, message: error.message, seconds },
      ]
    }
    case "Command": {
      const line = lineOf(happening.command)
      return [`The server says: ${line}`, { event: "command", line }]
    }
    case "Refused":
      return [textOf(happening), { ...eventOf(happening), trId: Option.getOrNull(happening.trId) }]
    case "Synchronized":
    case "ListsRefused":
    case "StatusSet":
    case "ContactOnline":
    case "ContactOffline":
    case "Profile":
    case "Maintenance":
    case "Message":
    case "VersionAdvice":
      return [textOf(happening), eventOf(happening)]
  }
}
