/**
 * What a server speaks, found out by asking it: its dialects, how it answers, how long that takes, and, if so wanted,
 * what it makes of commands at the wrong time.
 *
 * Each question has a connection of its own, one after the other. Nobody is logged in, and no password is needed.
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Num from "effect/Number"
import * as Order from "effect/Order"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Clause from "../login/Clause.ts"
import * as Server from "../login/Server.ts"
import * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import type * as ClientCommand from "../protocol/ClientCommand.ts"
import * as Codec from "../protocol/Codec.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as Line from "../protocol/Line.ts"
import * as TrId from "../protocol/TrId.ts"
import * as Connector from "./Connector.ts"

/** The server's line without its line end, legible: a terminal takes no orders from it. */
const line = { line: Schema.String }

/** What came of a line that was said. */
export const Answer = Schema.TaggedUnion({
  /** VER with names of dialects, in the order in which they came. */
  Dialects: { ...line, names: Schema.Array(Schema.String) },
  /** VER with the zero that says that no dialect is common. */
  NoDialect: line,
  /** INF with names of security packages. */
  Packages: { ...line, packages: Schema.Array(Schema.String) },
  /** USR with a challenge. */
  Challenge: line,
  /** XFR to another server. */
  Referral: { ...line, to: Schema.String },
  /** An error. */
  Refusal: { ...line, code: ErrorCode.ErrorCode },
  /** A command that is none of these, such as the answer to CVR. */
  Other: line,
  /** What is no command, or bears another TrID; only its beginning, where it is long. */
  Garbled: { ...line, why: Schema.String },
  /** The server closed the connection without a word. */
  Closed: {},
  /** Nothing came in time. */
  Silent: {},
  /** The question was not put, since the login did not come so far this time: this was said before, in vain. */
  Unasked: line,
})
export type Answer = typeof Answer.Type

/** Whether the server closed the connection behind its answer; it is not waited for where the login could go on. */
export const After = Schema.Literals(["Closed", "Open"])
export type After = typeof After.Type

/** When a command comes at the wrong time. */
export const Moment = Schema.Literals(["BeforeVer", "AfterVer", "AfterInf", "AfterChallenge"])
export type Moment = typeof Moment.Type

/** What was said, legible, and what came of it. */
const exchange = { sent: Schema.String, answer: Answer, after: After }

/** One thing that was found out. */
export const Finding = Schema.TaggedUnion({
  /** Whether the server speaks a dialect, which was offered alone. */
  Dialect: { dialect: Dialect.Dialect, verdict: Schema.Literals(["Spoken", "NotSpoken"]), ...exchange },
  /** What it answers where all dialects are offered. */
  Offer: exchange,
  /** What it answers to INF. */
  Inf: exchange,
  /** What it answers to the initial USR: whether it refers, challenges or refuses. */
  Admission: exchange,
  /** How long it took to connect, or to have VER answered, in milliseconds, so many times. */
  Time: {
    of: Schema.Literals(["Connect", "Ver"]),
    count: Schema.Int,
    min: Schema.Finite,
    median: Schema.Finite,
    max: Schema.Finite,
  },
  /** What it makes of a command at the wrong time, and what these clauses let it: one of these answers, and the end. */
  WrongTime: {
    moment: Moment,
    ...exchange,
    expected: Schema.NonEmptyArray(Answer),
    cites: Schema.Array(Schema.Literals(Clause.ids)),
    verdict: Schema.Literals(["Agrees", "Differs", "Unknown"]),
  },
})
export type Finding = typeof Finding.Type

/** The limits of a probe. */
export interface Limits {
  /** How much is kept of an answer that is not yet whole. */
  readonly bytes: Line.Limits
  readonly connectTimeout: Duration.Input
  readonly answerTimeout: Duration.Input
  /** How long the server may take to close the connection behind an answer: longer than a gateway is left in peace. */
  readonly closingTime: Duration.Input
}

/** The limits where none are named. */
export const defaultLimits: Limits = {
  bytes: Line.clientLimits,
  connectTimeout: "10 seconds",
  answerTimeout: "5 seconds",
  closingTime: "3 seconds",
}

/** The account that suits every dispatch server. */
export const anyone = Account.Account.make("a@b.c")

/** What to find out. */
export interface Options {
  readonly server: Address.Address
  /** The account of the initial USR; by default {@link anyone}. */
  readonly account?: Account.Account
  /** Whether commands come at the wrong time, too, with a connection for each; by default they do not. */
  readonly wrongTime?: "Tried" | "Spared"
  /** Those that are not named are {@link defaultLimits}. */
  readonly limits?: Partial<Limits>
}

/** Asks a server, and tells each finding as it comes. Fails as soon as a connection does not come about. */
export const probe = (options: Options): Stream.Stream<Finding, Connector.ConnectError> =>
  Stream.callback((queue) =>
    Effect.andThen(
      inquire(options, (finding) => Queue.offer(queue, finding)),
      Queue.end(queue),
    ),
  )

/** How many findings there are at most. */
export const most = (wrongTime: "Tried" | "Spared"): number => {
  // Each dialect; the offer; two times; INF; the initial USR.
  const others = Dialect.all.length + 5
  const wrong = Moment.literals.flatMap((moment) => mistakes(moment, path(moment, "MSNP7", anyone), anyone))
  return wrongTime === "Tried" ? others + wrong.length : others
}

const inquire = Effect.fnUntraced(function* (
  options: Options,
  tell: (finding: Finding) => Effect.Effect<unknown>,
): Effect.fn.Return<void, Connector.ConnectError> {
  const account = options.account ?? anyone
  const limits = { ...defaultLimits, ...options.limits }
  const ask = (path: ReadonlyArray<Say>, last: Say) => askAt(options.server, limits, path, last)

  const connecting: Array<Duration.Duration> = []
  const answering: Array<Duration.Duration> = []
  const negotiate = Effect.fnUntraced(function* (...dialects: ReadonlyArray<Dialect.Dialect>) {
    const asked = yield* ask([], ver(...dialects))
    const { _tag } = asked.exchange.answer
    connecting.push(asked.connecting)
    if (_tag === "Dialects" || _tag === "NoDialect") answering.push(asked.answering)
    return asked.exchange
  })

  const spoken: Array<Dialect.Dialect> = []
  for (const dialect of Dialect.all) {
    const exchange = yield* negotiate(dialect)
    const isSpoken = chosen(exchange.answer) === dialect
    if (isSpoken) spoken.push(dialect)
    yield* tell({ _tag: "Dialect", dialect, verdict: isSpoken ? "Spoken" : "NotSpoken", ...exchange })
  }
  yield* tell({ _tag: "Offer", ...(yield* negotiate(...Dialect.all)) })
  yield* Effect.forEach([...timeOf("Connect", connecting), ...timeOf("Ver", answering)], tell)

  // Without a dialect, nothing is left to ask but what comes before VER; else the newest one stands for all.
  const [dialect = "MSNP7"] = spoken
  const reached = new Set<Moment>(["BeforeVer"])
  if (spoken.length > 0) {
    reached.add("AfterVer")
    const negotiated = path("AfterVer", dialect, account)
    const { exchange: security } = yield* ask(negotiated, inf)
    yield* tell({ _tag: "Inf", ...security })
    if (security.answer._tag === "Packages") reached.add("AfterInf")
    const { exchange: admission } = yield* ask(negotiated, usrInitiate(account))
    yield* tell({ _tag: "Admission", ...admission })
    if (admission.answer._tag === "Challenge") reached.add("AfterChallenge")
  }

  if (options.wrongTime !== "Tried") return
  for (const moment of Moment.literals) {
    if (!reached.has(moment)) continue
    const before = path(moment, dialect, account)
    for (const { cites, expected, say } of mistakes(moment, before, account)) {
      const { exchange } = yield* ask(before, say)
      yield* tell({ _tag: "WrongTime", moment, ...exchange, expected, cites, verdict: judge(exchange, expected) })
    }
  }
})

/** The dialect that an answer settles on. */
const chosen = (answer: Answer): string | undefined =>
  answer._tag === "Dialects" ? answer.names.find((name) => name !== Dialect.cvr0) : undefined

const timeOf = (
  of: Extract<Finding, { readonly _tag: "Time" }>["of"],
  times: ReadonlyArray<Duration.Duration>,
): ReadonlyArray<Finding> => {
  const sorted = Arr.sort(times.map(millis), Order.Number)
  if (!Arr.isArrayNonEmpty(sorted)) return []
  const count = sorted.length
  const middle = sorted.slice(Math.ceil(count / 2) - 1, Math.floor(count / 2) + 1)
  const median = Num.sumAll(middle) / middle.length
  return [{ _tag: "Time", of, count, min: Arr.headNonEmpty(sorted), median, max: Arr.lastNonEmpty(sorted) }]
}

/** To the microsecond. */
const millis = (time: Duration.Duration): number => Math.round(Duration.toMillis(time) * 1000) / 1000

/** A line to say, its line end included, once it is known which TrID it bears. */
type Say = (trId: TrId.TrId) => string

const legal =
  (command: (trId: TrId.TrId) => ClientCommand.ClientCommand): Say =>
  (trId) =>
    Result.getOrThrow(Codec.encodeClient(command(trId)))

const ver = (...dialects: ReadonlyArray<Dialect.Dialect>): Say =>
  legal((trId) => ({ _tag: "Ver", trId, dialects: [...dialects, Dialect.cvr0] }))

const inf = legal((trId) => ({ _tag: "Inf", trId }))

const usrInitiate = (account: Account.Account): Say => legal((trId) => ({ _tag: "UsrInitiate", trId, account }))

/** What the client of a moment has said. */
const path = (moment: Moment, dialect: Dialect.Dialect, account: Account.Account): ReadonlyArray<Say> => {
  switch (moment) {
    case "BeforeVer":
      return []
    case "AfterVer":
      return [ver(dialect)]
    case "AfterInf":
      return [ver(dialect), inf]
    case "AfterChallenge":
      return [ver(dialect), usrInitiate(account)]
  }
}

/** Where a server stands at each moment. */
const states = {
  BeforeVer: "AwaitVer",
  AfterVer: "AwaitInfOrUsr",
  AfterInf: "AwaitUsr",
  AfterChallenge: "AwaitDigest",
} as const

/** Commands that are wrong at one moment at least; from SYN on, they are so at every one. */
const commands = (account: Account.Account): ReadonlyArray<Say> => [
  ver("MSNP7"),
  inf,
  // As the official client 3.6 said it.
  (trId) => `CVR ${trId} 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n`,
  usrInitiate(account),
  (trId) => `USR ${trId} MD5 S ${"0".repeat(32)}\r\n`,
  (trId) => `USR ${trId} TWN I ${Bytes.fromText(account)}\r\n`,
  (trId) => `SYN ${trId} 0\r\n`,
  (trId) => `CHG ${trId} NLN\r\n`,
  () => "PNG\r\n",
  (trId) => `MSG ${trId} U 0\r\n`,
  (trId) => `XYZ ${trId}\r\n`,
  (trId) => `inf ${trId}\r\n`,
  () => "VER MSNP7\r\n",
]

type WrongTime = Extract<Finding, { readonly _tag: "WrongTime" }>

/** A command at the wrong time, and what a server should make of it. */
interface Mistake extends Pick<WrongTime, "expected" | "cites"> {
  readonly say: Say
}

/** The commands that the server's table refuses at a moment, with what its cells say of them. */
const mistakes = (moment: Moment, before: ReadonlyArray<Say>, account: Account.Account): ReadonlyArray<Mistake> => {
  const trId = behind(before)
  const closed: Answer = { _tag: "Closed" }
  const refusal = (code: ErrorCode.ErrorCode): Answer => ({ _tag: "Refusal", line: `${code} ${trId}`, code })
  return commands(account).flatMap((say): ReadonlyArray<Mistake> => {
    const taken = Line.take(say(trId), Line.noPayloads, Line.serverLimits)
    if (taken._tag !== "Whole") return []
    const cell = Server.table[states[moment]][Server.classify(Codec.decodeClient(taken.frame))._tag]
    if (cell.kind !== "refuse") return []
    const cites: ReadonlyArray<Clause.Id> = cell.cites
    // The page has seen both at an initial USR that is not liked, and our own server picks one.
    if (cites.includes("usr.disliked") || cites.includes("usr.disliked-911")) {
      return [{ say, cites, expected: [closed, refusal(911)] }]
    }
    return [{ say, cites, expected: [cell.code === "Silence" ? closed : refusal(cell.code)] }]
  })
}

const judge = ({ after, answer }: Exchange, expected: WrongTime["expected"]): WrongTime["verdict"] => {
  if (answer._tag === "Unasked") return "Unknown"
  return after === "Closed" && expected.some((one) => Equal.equals(answer, one)) ? "Agrees" : "Differs"
}

/** The TrID of what is said behind these. */
const behind = (before: ReadonlyArray<Say>): TrId.TrId => before.reduce(TrId.next, TrId.initial)

/** What was said last on a connection, and how long that took. */
interface Asked {
  readonly exchange: Exchange
  readonly connecting: Duration.Duration
  readonly answering: Duration.Duration
}

interface Exchange {
  readonly sent: string
  readonly answer: Answer
  readonly after: After
}

/** Says some lines on a connection of their own, each when the one before is answered; what comes of the last. */
const askAt = Effect.fnUntraced(function* (
  server: Address.Address,
  limits: Limits,
  before: ReadonlyArray<Say>,
  last: Say,
): Effect.fn.Return<Asked, Connector.ConnectError, Scope.Scope> {
  const { connecting, end, put } = yield* dial(server, limits)
  const question = last(behind(before))
  const sent = legible(question)

  let trId = TrId.initial
  for (const say of before) {
    const said = say(trId)
    if (!isOnward(yield* put(said, trId))) {
      const exchange: Exchange = { sent, answer: { _tag: "Unasked", line: legible(said) }, after: "Open" }
      return { exchange, connecting, answering: Duration.zero }
    }
    trId = TrId.next(trId)
  }
  const [answering, answer] = yield* Effect.timed(put(question, trId))
  const after = isOnward(answer) || answer._tag === "Silent" ? "Open" : yield* end
  return { exchange: { sent, answer, after }, connecting, answering }
}, Effect.scoped)

const legible = (said: string): string => Bytes.legible(said.trimEnd())

/** Whether a login goes on behind an answer. */
const isOnward = ({ _tag }: Answer): boolean => _tag === "Dialects" || _tag === "Packages" || _tag === "Challenge"

/** A connection on which questions are put. */
interface Talk {
  readonly connecting: Duration.Duration
  /** Says a line; what comes of it, in time or not. */
  readonly put: (said: string, trId: TrId.TrId) => Effect.Effect<Answer>
  /** Whether the server closes the connection now. */
  readonly end: Effect.Effect<After>
}

const dial = Effect.fnUntraced(function* (
  server: Address.Address,
  limits: Limits,
): Effect.fn.Return<Talk, Connector.ConnectError, Scope.Scope> {
  const { connect } = yield* Connector.Connector
  const [connecting, socket] = yield* connect(server).pipe(
    Effect.timeoutOrElse({
      duration: limits.connectTimeout,
      orElse: () => new Connector.ConnectError({ tried: [Connector.unanswered(server)] }),
    }),
    Effect.timed,
  )
  const { pull } = yield* Effect.mapError(
    socket.reader,
    () => new Connector.ConnectError({ tried: [Connector.lost(server)] }),
  )
  const writer = yield* socket.writer

  let bytes = ""
  let after: After = "Open"
  const isOpen = () => after === "Open"
  const read = Effect.match(pull, {
    onSuccess: (chunks) => {
      for (const chunk of chunks) {
        bytes += typeof chunk === "string" ? Bytes.fromText(chunk) : Bytes.fromUint8Array(chunk)
      }
    },
    onFailure: () => {
      after = "Closed"
    },
  })

  const hear = Effect.fnUntraced(function* (trId: TrId.TrId): Effect.fn.Return<Answer> {
    while (true) {
      const taken = Line.take(bytes, Line.serverPayloads, limits.bytes)
      if (taken._tag === "Never") return garbled(bytes, taken.why)
      bytes = taken.rest
      if (taken._tag === "Whole") return answerOf(taken.frame, trId)
      if (!isOpen()) return bytes === "" ? { _tag: "Closed" } : garbled(bytes, "a line ends with the connection")
      yield* read
    }
  })
  const overdue = Effect.sync((): Answer =>
    bytes === "" ? { _tag: "Silent" } : garbled(bytes, "a line has no end in time"),
  )

  return {
    connecting,
    put: (said, trId) =>
      Effect.ignore(writer.write(Bytes.toUint8Array(said))).pipe(
        Effect.andThen(hear(trId)),
        Effect.timeoutOrElse({ duration: limits.answerTimeout, orElse: () => overdue }),
      ),
    // What comes besides the answer is not asked for, and not kept.
    end: Effect.repeat(
      Effect.tap(read, () => Effect.sync(() => void (bytes = ""))),
      { while: isOpen },
    ).pipe(
      Effect.timeoutOption(limits.closingTime),
      Effect.map(() => after),
    ),
  }
})

const garbled = (bytes: string, why: string): Answer => ({
  _tag: "Garbled",
  line: Bytes.printable(bytes.trimEnd()),
  why,
})

/** What a server's line is an answer of, where it answers the command with this TrID. */
const answerOf = (frame: Line.Frame, trId: TrId.TrId): Answer => {
  const words = frame.words.join(" ")
  const decoded = Codec.decodeServer(frame)
  if (Result.isFailure(decoded)) return garbled(words, Codec.explain(decoded.failure))
  const command = decoded.success
  const line = Bytes.legible(words)
  // An error is taken with any TrID or none: whether it is the one that is expected, its line tells.
  if ("trId" in command && command._tag !== "Failure" && command.trId !== trId) {
    return garbled(words, `it does not bear the TrID ${trId}`)
  }
  switch (command._tag) {
    case "Ver":
      return { _tag: "Dialects", line, names: command.dialects.map(Bytes.legible) }
    case "VerNone":
      return { _tag: "NoDialect", line }
    case "Inf":
      return { _tag: "Packages", line, packages: command.packages.map(Bytes.legible) }
    case "UsrChallenge":
      return { _tag: "Challenge", line }
    case "Xfr":
      return { _tag: "Referral", line, to: Address.format(command.to) }
    case "Failure":
      return { _tag: "Refusal", line, code: command.code }
    case "UsrOk":
    case "Cvr":
    case "Out":
    case "Foreign":
      return { _tag: "Other", line }
  }
}
