/**
 * What a client says: the commands of the login stage, and everything else as {@link Foreign}.
 *
 * "Command" is the draft's word for a line on the wire. Which command may come when is not said here: see `login`.
 */
import * as Schema from "effect/Schema"
import * as Account from "./Account.ts"
import * as Challenge from "./Challenge.ts"
import * as TrId from "./TrId.ts"
import { command, foreign, Words, wordsOf } from "./Wire.ts"

/**
 * Offers dialects, the preferred one first; unknown names and `CVR0` among them are kept.
 *
 * @keeps ver.offer
 */
export const Ver = command("Ver", "VER {trId} {dialects...}", {
  trId: TrId.FromWire,
  dialects: wordsOf("names of dialects"),
})

/**
 * Asks for the security package, which is MD5 in every dialect.
 *
 * @keeps inf.question
 */
export const Inf = command("Inf", "INF {trId} *", { trId: TrId.FromWire })

/**
 * Initiates the authentication of an account: the initial USR.
 *
 * @keeps usr.trid usr.package usr.initial usr.account
 */
export const UsrInitiate = command("UsrInitiate", "USR {trId} MD5 I {account}", {
  trId: TrId.FromWire,
  account: Account.FromWire,
})

/**
 * Responds to the challenge: the subsequent USR.
 *
 * @keeps usr.respond
 */
export const UsrRespond = command("UsrRespond", "USR {trId} MD5 S {digest}", {
  trId: TrId.FromWire,
  digest: Challenge.DigestFromWire,
})

/**
 * Reports the client's version: locale, system, its version, processor, client, its version; in later dialects a code
 * base, from MSNP4 (the wiki) or MSNP5 (hypothetic v2.0) on.
 */
export const Cvr = command("Cvr", "CVR {trId} {parameters...}", { trId: TrId.FromWire, parameters: Words })

/**
 * Logs off. It bears no TrID, and anything behind it is ignored.
 *
 * @keeps logoff.out
 */
export const Out = command("Out", "OUT *", {})

/** The commands of the login stage, by verb; a verb with several stands for several acts. */
export const commands = {
  VER: [Ver],
  INF: [Inf],
  USR: [UsrInitiate, UsrRespond],
  CVR: [Cvr],
  OUT: [Out],
} as const

/** A command that means nothing in the login stage. */
export const Foreign = foreign(commands)
export type Foreign = typeof Foreign.Type

/** Whether a value is such a command. */
export const isForeign = Schema.is(Foreign)

/** Anything that a client says. */
export const ClientCommand = Schema.Union([
  Ver.type,
  Inf.type,
  UsrInitiate.type,
  UsrRespond.type,
  Cvr.type,
  Out.type,
  Foreign,
])
export type ClientCommand = typeof ClientCommand.Type
