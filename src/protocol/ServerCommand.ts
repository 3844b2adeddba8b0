/**
 * What a server says: its answers in the login stage, and everything else as {@link Foreign}.
 *
 * The typed form is what stands on the wire, no more and no less; what each dialect puts there is in `Dialect`.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Account from "./Account.ts"
import * as Address from "./Address.ts"
import * as Challenge from "./Challenge.ts"
import * as ErrorCode from "./ErrorCode.ts"
import * as FriendlyName from "./FriendlyName.ts"
import * as TrId from "./TrId.ts"
import { command, foreign, Word, Words } from "./Wire.ts"

/** The name in VER that says that no dialect is common. */
const none = "0"

const Dialects = Schema.NonEmptyArray(Word)
  .check(Schema.makeFilter(([first]) => first !== none))
  .annotate({ description: "names of dialects, one at least" })

/** Names the common dialects; the first that is not `CVR0` is the one to use. */
export const Ver = command("Ver", "VER {trId} {dialects...}", { trId: TrId.FromWire, dialects: Dialects })

/** Says that no dialect is common; some servers name those they know behind the zero. */
export const VerNone = command("VerNone", "VER {trId} 0 {known...}", {
  trId: TrId.FromWire,
  known: Words.annotate({ description: "names of dialects, or nothing" }),
})

/** The name of a security package; a comma would part it. */
const Package = Word.check(Schema.makeFilter((name) => !name.includes(",")))

const Packages = Words.pipe(
  Schema.decodeTo(
    Schema.Array(Package),
    SchemaTransformation.transform<ReadonlyArray<string>, ReadonlyArray<string>>({
      decode: (words) => words.flatMap((word) => word.split(",")).filter((name) => name !== ""),
      encode: (names) => names,
    }),
  ),
  Schema.decodeTo(
    Schema.NonEmptyArray(Package),
    SchemaTransformation.passthroughSupertype<readonly [string, ...Array<string>], ReadonlyArray<string>>(),
  ),
).annotate({ description: "names of security packages, one at least" })

/**
 * Names the security packages; a list may be separated by spaces (MSNP2) or commas (draft 7.2).
 *
 * @keeps inf.reply beyond.inf-list
 */
export const Inf = command("Inf", "INF {trId} {packages...}", { trId: TrId.FromWire, packages: Packages })

/**
 * Challenges the client.
 *
 * @keeps usr.challenge
 */
export const UsrChallenge = command("UsrChallenge", "USR {trId} MD5 S {challenge}", {
  trId: TrId.FromWire,
  challenge: Challenge.Challenge,
})

const Flag = Schema.Array(Word)
  .check(Schema.makeFilter(([flag]) => flag === undefined || flag === "0" || flag === "1"))
  .pipe(
    Schema.decodeTo(
      Schema.Option(Schema.Boolean),
      SchemaTransformation.transform<Option.Option<boolean>, ReadonlyArray<string>>({
        decode: ([flag]) => (flag === undefined ? Option.none() : Option.some(flag === "1")),
        encode: Option.match({ onNone: () => [], onSome: (verified) => [verified ? "1" : "0"] }),
      }),
    ),
  )
  .annotate({ description: "0, 1 or nothing" })

/**
 * Lets the client in. `verified` is none where the line bears no flag; flags of later dialects are passed over.
 *
 * @keeps usr.ok
 */
export const UsrOk = command("UsrOk", "USR {trId} OK {account} {friendlyName} {verified...}", {
  trId: TrId.FromWire,
  account: Account.FromWire,
  friendlyName: FriendlyName.FromWire,
  verified: Flag,
})

/** What stands behind a referral's address: nothing (MSNP2), a zero, or a zero and the referring server (MSNP7). */
const Trailer = Schema.Union([Schema.Tuple([]), Schema.Tuple([Word]), Schema.Tuple([Word, Address.FromWire])]).pipe(
  Schema.annotate({ description: "nothing, a zero, or a zero and an address" }),
)

/**
 * Refers the client to another notification server.
 *
 * @keeps xfr.ns xfr.address
 */
export const Xfr = command("Xfr", "XFR {trId} NS {to} {trailer...}", {
  trId: TrId.FromWire,
  to: Address.FromWire,
  trailer: Trailer,
})

/** Answers CVR: the version it recommends, twice, the oldest it takes, where to load it, where to read of it. */
export const Cvr = command("Cvr", "CVR {trId} {parameters...}", { trId: TrId.FromWire, parameters: Words })

/** Why a server ends a session; a server of ours never says OUT without one. */
export const OutReason = Schema.Literals(["LoggedInElsewhere", "ShuttingDown", "Unstated"])
export type OutReason = typeof OutReason.Type

const outWords = { LoggedInElsewhere: ["OTH"], ShuttingDown: ["SSD"], Unstated: [] } as const

const Reason = Words.pipe(
  Schema.decodeTo(
    OutReason,
    SchemaTransformation.transform<OutReason, ReadonlyArray<string>>({
      decode: ([word]) => (word === "OTH" ? "LoggedInElsewhere" : word === "SSD" ? "ShuttingDown" : "Unstated"),
      encode: (reason) => outWords[reason],
    }),
  ),
).annotate({ description: "OTH, SSD or nothing" })

/** Ends the session from the server's side. */
export const Out = command("Out", "OUT {reason...}", { reason: Reason })

const isTrId = (word: string): boolean => Result.isSuccess(Schema.decodeUnknownResult(TrId.FromWire)(word))

const Tail = Words.pipe(
  Schema.decodeTo(
    Schema.toType(Schema.Option(TrId.TrId)),
    SchemaTransformation.transform<Option.Option<TrId.TrId>, ReadonlyArray<string>>({
      decode: ([word]) =>
        word !== undefined && isTrId(word) ? Option.some(TrId.TrId.make(Number(word))) : Option.none(),
      encode: Option.match({ onNone: () => [], onSome: (trId) => [String(trId)] }),
    }),
  ),
).annotate({ description: "a TrID, or nothing" })

/**
 * Refuses, with a code. `trId` is none where the line bears none; text behind it is passed over.
 *
 * @keeps beyond.failure-form
 */
export const Failure = command("Failure", "{code} {trId...}", { code: ErrorCode.FromWire, trId: Tail })

/** The commands of the login stage, by verb; a verb with several stands for several acts. */
export const commands = {
  VER: [VerNone, Ver],
  INF: [Inf],
  USR: [UsrChallenge, UsrOk],
  XFR: [Xfr],
  CVR: [Cvr],
  OUT: [Out],
} as const

/** A command that means nothing in the login stage. */
export const Foreign = foreign(commands)
export type Foreign = typeof Foreign.Type

/** Whether a value is such a command. */
export const isForeign = Schema.is(Foreign)

/** Anything that a server says. */
export const ServerCommand = Schema.Union([
  Ver.type,
  VerNone.type,
  Inf.type,
  UsrChallenge.type,
  UsrOk.type,
  Xfr.type,
  Cvr.type,
  Out.type,
  Failure.type,
  Foreign,
])
export type ServerCommand = typeof ServerCommand.Type
