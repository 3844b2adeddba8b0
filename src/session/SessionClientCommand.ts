/**
 * What a client says once it is logged in, so far as the built-in session serves it.
 *
 * `Codec` leaves these commands as `Foreign`; {@link decode} is the second stage, {@link encode} its way back. Commands
 * that are older than the login's end, such as CVR and OUT, are in `ClientCommand`.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Challenge from "../protocol/Challenge.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import type * as Codec from "../protocol/Codec.ts"
import * as Line from "../protocol/Line.ts"
import * as TrId from "../protocol/TrId.ts"
import { command, Word, Words } from "../protocol/Wire.ts"
import * as Count from "./Count.ts"
import * as Stage from "./internal/stage.ts"
import * as Status from "./Status.ts"

/** Asks for the lists, unless the serial is the server's own (draft 7.5). */
export const Syn = command("Syn", "SYN {trId} {serial}", { trId: TrId.FromWire, serial: Count.FromWire })

/** Takes a status (draft 7.7). */
export const Chg = command("Chg", "CHG {trId} {status}", { trId: TrId.FromWire, status: Status.FromWire })

/** Asks whether the server is still there. It bears no TrID, and anything behind it is ignored. */
export const Png = command("Png", "PNG *", {})

/** Answers CHL (from MSNP6): which program this is, and a digest of 32 bytes as the payload. */
export const Qry = command("Qry", "QRY {trId} {clientId} {digest}", {
  trId: TrId.FromWire,
  clientId: Word,
  digest: Challenge.DigestFromWire,
})

/** Asks where on the web a place is, such as INBOX; some places need more words. */
export const Url = command("Url", "URL {trId} {place} {parameters...}", {
  trId: TrId.FromWire,
  place: Word,
  parameters: Words,
})

/** Reports the client's version, as CVR does. */
export const Cvq = command("Cvq", "CVQ {trId} {parameters...}", { trId: TrId.FromWire, parameters: Words })

/** The commands of the session, by verb. */
export const commands = { SYN: [Syn], CHG: [Chg], PNG: [Png], QRY: [Qry], URL: [Url], CVQ: [Cvq] } as const

/** What a client says in a session. */
export const SessionClientCommand = Schema.Union([Syn.type, Chg.type, Png.type, Qry.type, Url.type, Cvq.type])
export type SessionClientCommand = typeof SessionClientCommand.Type

/** The command that a `Foreign` is; itself where its verb is none of the session's. */
export const decode = (
  foreign: ClientCommand.Foreign,
): Result.Result<SessionClientCommand | ClientCommand.Foreign, Codec.Undecodable<SessionClientCommand["_tag"]>> =>
  Stage.decode<SessionClientCommand, SessionClientCommand["_tag"]>(foreign, commands, Line.clientPayloads)

/** The command as a `Foreign`, to be sent; a value that its type does not allow fails with a sentence. */
export const encode = (command: SessionClientCommand): Result.Result<ClientCommand.Foreign, string> => {
  switch (command._tag) {
    case "Syn":
      return foreign(Syn.encode(command))
    case "Chg":
      return foreign(Chg.encode(command))
    case "Png":
      return foreign(Png.encode(command))
    case "Qry":
      return foreign(Qry.encode(command))
    case "Url":
      return foreign(Url.encode(command))
    case "Cvq":
      return foreign(Cvq.encode(command))
  }
}

const foreign = (words: Result.Result<ReadonlyArray<string>, string>) => Stage.encode(words, Line.clientPayloads)
