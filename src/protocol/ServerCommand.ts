/**
 * What a server says: its answers in the login stage, and everything else as {@link Foreign}.
 *
 * The typed form is what stands on the wire, no more and no less; what each dialect puts there is in `Dialect`.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Account from "./Account.ts"
import * as Address from "./Address.ts"
import * as Bytes from "./Bytes.ts"
import * as Challenge from "./Challenge.ts"
import * as ErrorCode from "./ErrorCode.ts"
import * as FriendlyName from "./FriendlyName.ts"
import * as TrId from "./TrId.ts"
import { areWords, command, foreign, parameters, Word, Words, wordsOf } from "./Wire.ts"

/** The name in VER that says that no dialect is common. */
const none = "0"

const areDialects = (names: ReadonlyArray<string>): names is readonly [string, ...Array<string>] =>
  names.length > 0 && names[0] !== none && areWords(names)

const Dialects = parameters(Schema.NonEmptyArray(Word).check(Schema.makeFilter(areDialects)), {
  description: "names of dialects, one at least",
  read: (words) => (areDialects(words) ? words : undefined),
  write: (names) => (areDialects(names) ? names : undefined),
})

/** Names the common dialects; the first that is not `CVR0` is the one to use. */
export const Ver = command("Ver", "VER {trId} {dialects...}", { trId: TrId.FromWire, dialects: Dialects })

/** Says that no dialect is common; some servers name those they know behind the zero. */
export const VerNone = command("VerNone", "VER {trId} 0 {known...}", {
  trId: TrId.FromWire,
  known: wordsOf("names of dialects, or nothing"),
})

/** The name of a security package; a comma would part it. */
const Package = Word.check(Schema.makeFilter((name) => !name.includes(",")))

const arePackages = (names: ReadonlyArray<string>): names is readonly [string, ...Array<string>] =>
  names.length > 0 && areWords(names) && !names.some((name) => name.includes(","))

const Packages = parameters(Schema.NonEmptyArray(Package), {
  description: "names of security packages, one at least",
  read: (words) => {
    const names = words
      .join(",")
      .split(",")
      .filter((name) => name !== "")
    return arePackages(names) ? names : undefined
  },
  write: (names) => (arePackages(names) ? names : undefined),
})

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
  challenge: Challenge.FromWire,
})

const Flag = parameters(Schema.Option(Schema.Boolean), {
  description: "0, 1 or nothing",
  read: (words) => {
    const [flag] = words
    if (!areWords(words)) return undefined
    if (flag === undefined) return Option.none()
    return flag === "0" || flag === "1" ? Option.some(flag === "1") : undefined
  },
  write: Option.match({ onNone: () => [], onSome: (verified) => [verified ? "1" : "0"] }),
})

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
const Trailer = Schema.Union([Schema.Tuple([]), Schema.Tuple([Word]), Schema.Tuple([Word, Address.Address])])
type Trailer = typeof Trailer.Type

const TrailerFromWire = parameters(Trailer, {
  description: "nothing, a zero, or a zero and an address",
  read: (words): Trailer | undefined => {
    const [zero, server] = words
    if (zero === undefined) return []
    if (words.length > 2 || !Bytes.isWord(zero)) return undefined
    if (server === undefined) return [zero]
    const from = Address.read(server)
    return from === undefined ? undefined : [zero, from]
  },
  write: (trailer) => {
    const [zero, from] = trailer
    if (zero === undefined) return []
    if (!Bytes.isWord(zero)) return undefined
    if (from === undefined) return [zero]
    const server = Address.write(from)
    return server === undefined ? undefined : [zero, server]
  },
})

/**
 * Refers the client to another notification server.
 *
 * @keeps xfr.ns xfr.address
 */
export const Xfr = command("Xfr", "XFR {trId} NS {to} {trailer...}", {
  trId: TrId.FromWire,
  to: Address.FromWire,
  trailer: TrailerFromWire,
})

/** Answers CVR: the version it recommends, twice, the oldest it takes, where to load it, where to read of it. */
export const Cvr = command("Cvr", "CVR {trId} {parameters...}", { trId: TrId.FromWire, parameters: Words })

/** Why a server ends a session; a server of ours never says OUT without one. */
export const OutReason = Schema.Literals(["LoggedInElsewhere", "ShuttingDown", "Unstated"])
export type OutReason = typeof OutReason.Type

const outWords = { LoggedInElsewhere: ["OTH"], ShuttingDown: ["SSD"], Unstated: [] } as const

const Reason = parameters(OutReason, {
  description: "OTH, SSD or nothing",
  read: (words) => {
    if (!areWords(words)) return undefined
    const [word] = words
    return word === "OTH" ? "LoggedInElsewhere" : word === "SSD" ? "ShuttingDown" : "Unstated"
  },
  write: (reason) => outWords[reason],
})

/** Ends the session from the server's side. */
export const Out = command("Out", "OUT {reason...}", { reason: Reason })

const Tail = parameters(Schema.Option(TrId.TrId), {
  description: "a TrID, or nothing",
  read: (words) => {
    if (!areWords(words)) return undefined
    const trId = TrId.read(words[0] ?? "")
    return trId === undefined ? Option.none() : Option.some(trId)
  },
  write: (trId) => {
    if (Option.isNone(trId)) return []
    const word = TrId.write(trId.value)
    return word === undefined ? undefined : [word]
  },
})

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
