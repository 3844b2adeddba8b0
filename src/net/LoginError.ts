/**
 * Why a login failed, by who is to blame; each has a sentence that a person can act on.
 */
import type * as Client from "../login/Client.ts"
import * as Arr from "effect/Array"
import * as Schema from "effect/Schema"
import * as Address from "../protocol/Address.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as ServerCommand from "../protocol/ServerCommand.ts"
import * as Connector from "./Connector.ts"

/** The address of the server that it happened at. */
const server = { server: Schema.String }

const alternatives = new Intl.ListFormat("en", { type: "disjunction" })

/** The things that a server might have said, for a person to read. */
const oneOf = (answers: ReadonlyArray<string>): string => alternatives.format(answers)

/** The server broke the protocol. */
export class ServerMisbehaved extends Schema.TaggedError<ServerMisbehaved>("effect-msnp/net/ServerMisbehaved")(
  "ServerMisbehaved",
  { ...server, expected: Schema.Array(Schema.String), got: Schema.String },
) {
  override get message() {
    const expected = this.expected.length === 0 ? "" : `expected ${oneOf(this.expected)}, `
    return `${this.server} broke the protocol: ${expected}got ${this.got}.`
  }
}

/** The server refers us nearer to this machine than it is itself, to where it may have no business. */
export class Misdirected extends Schema.TaggedError<Misdirected>("effect-msnp/net/Misdirected")("Misdirected", {
  ...server,
  /** The address that it refers to, and where that is, in a few words. */
  to: Schema.String,
  where: Schema.String,
}) {
  override get message() {
    return `${this.server} refers to ${this.to}, ${this.where}: nearer than it is itself, so nobody went there. If that is meant, log in there, or allow any referral.`
  }
}

/** The server does not let this account in: 911 for a wrong account or password, 923, 924. */
export class Denied extends Schema.TaggedError<Denied>("effect-msnp/net/Denied")("Denied", {
  ...server,
  account: Schema.String,
  code: ErrorCode.ErrorCode,
}) {
  override get message() {
    const why = this.code === 911 ? "the account or the password is wrong" : ErrorCode.describe(this.code)
    return `${this.server} does not let ${this.account} in: ${why} (${this.code}).`
  }
}

/** The server is in trouble, or under maintenance: 500, 601, 910, 921 and their kin. */
export class Unavailable extends Schema.TaggedError<Unavailable>("effect-msnp/net/Unavailable")("Unavailable", {
  ...server,
  code: ErrorCode.ErrorCode,
}) {
  override get message() {
    return `${this.server} cannot log anybody in now: ${ErrorCode.describe(this.code)} (${this.code}). Try again later.`
  }
}

/** The server speaks none of the dialects that it was offered. */
export class NoCommonDialect extends Schema.TaggedError<NoCommonDialect>("effect-msnp/net/NoCommonDialect")(
  "NoCommonDialect",
  { ...server, offered: Schema.Array(Schema.String) },
) {
  override get message() {
    return `${this.server} speaks none of the dialects offered: ${this.offered.join(", ")}.`
  }
}

/** Where to look for the trouble. */
const advice: { readonly [fault in Connector.Fault]: string } = {
  Ours: "It looks like our own connection: see to that, or to the proxy.",
  Theirs: "It looks like their network, not our connection.",
  Here: "That is this machine: is the server running?",
  Unclear: "It may be our connection or their network.",
  Mismatch: "The server is there, but not as we were to find it: see to its TLS, or to ours.",
}

/**
 * No connection came about, wherever it was tried.
 *
 * @keeps connect.unreachable
 */
export class Unreachable extends Schema.TaggedError<Unreachable>("effect-msnp/net/Unreachable")("Unreachable", {
  tried: Schema.NonEmptyArray(Connector.Attempt),
}) {
  override get message() {
    return `No server could be reached; tried ${Connector.describe(this.tried)}. ${advice[Connector.blame(this.tried)]}`
  }
}

/** The server closed the connection in the midst of the login; `awaiting` is what it might have said instead. */
export class Disconnected extends Schema.TaggedError<Disconnected>("effect-msnp/net/Disconnected")("Disconnected", {
  ...server,
  awaiting: Schema.Array(Schema.String),
}) {
  override get message() {
    return this.awaiting.length === 0
      ? `${this.server} closed the connection.`
      : `${this.server} closed the connection where it was to say ${oneOf(this.awaiting)}.`
  }
}

/** The login was not done in time; `awaiting` is what the server might have said, nothing where it was our turn. */
export class TimedOut extends Schema.TaggedError<TimedOut>("effect-msnp/net/TimedOut")("TimedOut", {
  ...server,
  awaiting: Schema.Array(Schema.String),
}) {
  override get message() {
    return this.awaiting.length === 0
      ? `The login at ${this.server} was not done in time.`
      : `${this.server} did not say ${oneOf(this.awaiting)} in time.`
  }
}

/** How a person is told why a server ended a session. */
const endings: { readonly [reason in ServerCommand.OutReason]: string } = {
  LoggedInElsewhere: "the account has logged in elsewhere",
  ShuttingDown: "the server is shutting down",
  Unstated: "the server did not say why",
}

/** The server ended the session. */
export class LoggedOut extends Schema.TaggedError<LoggedOut>("effect-msnp/net/LoggedOut")("LoggedOut", {
  ...server,
  reason: ServerCommand.OutReason,
}) {
  override get message() {
    return `${this.server} ended the session: ${endings[this.reason]}.`
  }
}

/** Why a login failed. */
export type LoginError =
  | ServerMisbehaved
  | Misdirected
  | Denied
  | Unavailable
  | NoCommonDialect
  | Unreachable
  | Disconnected
  | TimedOut
  | LoggedOut

/** What the machine's reason for closing is to the application. */
export const fromReason = (reason: Client.Reason, server: string, account: string): LoginError => {
  switch (reason._tag) {
    case "ServerMisbehaved":
      return new ServerMisbehaved({ server, expected: reason.expected, got: reason.got })
    case "Denied":
      return new Denied({ server, account, code: reason.code })
    case "Unavailable":
      return new Unavailable({ server, code: reason.code })
    case "NoCommonDialect":
      return new NoCommonDialect({ server, offered: reason.offered })
    case "LoggedOut":
      return new LoggedOut({ server, reason: reason.reason })
    case "LoggedOff":
      return new LoggedOut({ server, reason: "Unstated" })
    case "HungUp":
      return new Disconnected({ server, awaiting: reason.awaiting })
    case "TimedOut":
      return new TimedOut({ server, awaiting: reason.awaiting })
  }
}

/** Why a login failed that went on elsewhere after a failure: where nobody was reached, what was tried, each once. */
export const further = (earlier: LoginError, server: Address.Address, later: LoginError): LoginError => {
  if (later._tag !== "Unreachable") return later
  // A dispatch server that refers to a dead stored server has it tried twice.
  if (earlier._tag === "Unreachable")
    return new Unreachable({ tried: Arr.dedupe(Arr.appendAll(earlier.tried, later.tried)) })
  const why = earlier.message.replace(`${Address.format(server)} `, "").replace(/\.$/, "")
  return new Unreachable({ tried: [Connector.attempt(server, why, Connector.theirs(server)), ...later.tried] })
}
