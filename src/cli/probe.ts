/**
 * `msnp probe`: what a server speaks, for whoever runs one or wonders about another's.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as ClientConfig from "../net/ClientConfig.ts"
import * as Probe from "../net/Probe.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as ErrorCode from "../protocol/ErrorCode.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Progress from "./Progress.ts"
import * as Timeout from "./Timeout.ts"
import * as TlsFlags from "./TlsFlags.ts"
import * as Way from "./Way.ts"

const input = {
  server: Argument.String(Way.expected).pipe(
    Argument.withDescription("The server to ask; without a port, 1863"),
    Argument.filterMap(ClientConfig.parseServer, () => Way.expected),
  ),
  account: Flag.String("account").pipe(
    Flag.withMetavar("ACCOUNT"),
    Flag.withDescription(`The account of USR (default ${Probe.anyone}, which suits a dispatch server)`),
    Flag.filterMap(AccountArgument.parse, () => AccountArgument.expected),
    Flag.withDefault(Probe.anyone),
  ),
  wrongTime: Flag.Boolean("wrong-time").pipe(
    Flag.withDescription("Try commands at the wrong time, too: up to 47 connections more"),
    Flag.withDefault(false),
  ),
  timeout: Timeout.make(
    `How long the server may take for an answer (default ${Duration.toSeconds(Probe.defaultLimits.answerTimeout)})`,
  ).pipe(Flag.optional),
  proxy: Way.proxy,
  tls: TlsFlags.tls,
  tlsCa: TlsFlags.authority,
  json: Output.jsonFlag,
}

type Of<Tag extends Probe.Finding["_tag"]> = Extract<Probe.Finding, { readonly _tag: Tag }>

/** A finding, for a program. */
const eventOf = ({ _tag, ...finding }: Probe.Finding): Output.Event => ({
  event: `${_tag.charAt(0).toLowerCase()}${_tag.slice(1)}`,
  ...finding,
})

/** Words in a table: a long line tells by its beginning what it is. */
const brief = (text: string): string => Bytes.printable(Bytes.fromText(text))

/** What came, and whether that was the end. */
const answerOf = (answer: Probe.Answer, after: Probe.After): string => {
  const end = after === "Closed" ? ", then closes" : ""
  switch (answer._tag) {
    case "Closed":
      return "closes"
    case "Silent":
      return "says nothing"
    case "Unasked":
      return `not tried: ${brief(answer.line)} was not answered this time`
    case "Garbled":
      return `${brief(answer.line)}${end} (${answer.why})`
    case "Dialects":
    case "NoDialect":
    case "Packages":
    case "Challenge":
    case "Referral":
    case "Refusal":
    case "Other":
      return `${brief(answer.line)}${end}`
  }
}

type InLogin = Of<"Dialect" | "Offer" | "Inf" | "Admission">

/** What was asked, in a word: what was said stands in the answer again, and a terminal has 80 columns. */
const askedOf = (finding: InLogin): string => {
  switch (finding._tag) {
    case "Dialect":
      return finding.dialect
    case "Offer":
      return "all"
    case "Inf":
      return "INF"
    case "Admission":
      return "USR"
  }
}

/** What an answer to a command of the login comes down to. */
const meaningOf = (finding: InLogin): string => {
  if (finding._tag === "Dialect") return finding.verdict === "Spoken" ? "spoken" : "not spoken"
  const { answer } = finding
  switch (answer._tag) {
    case "Dialects":
      return answer.names.filter((name) => name !== Dialect.cvr0).length > 1 ? "names all of them" : "names one"
    case "Challenge":
      return "challenges"
    case "Referral":
      return `refers to ${brief(answer.to)}`
    case "Refusal":
      return ErrorCode.describe(answer.code)
    case "NoDialect":
      return "none is common"
    case "Packages":
      return `authenticates by ${brief(answer.packages.join(", "))}`
    case "Other":
      return "answers another question"
    case "Garbled":
    case "Closed":
    case "Silent":
    case "Unasked":
      return "no answer"
  }
}

const subjects = { Connect: "A connection", Ver: "An answer to VER" } as const

const timeOf = ({ count, max, median, min, of }: Of<"Time">): string =>
  `${subjects[of]} takes ${Output.digits(median)} ms: the median of ${count}, from ${Output.digits(min)} to ${Output.digits(max)} ms.`

const moments = {
  BeforeVer: "before VER",
  AfterVer: "after VER",
  AfterInf: "after INF",
  AfterChallenge: "after USR I",
} as const

const mistakeOf = ({ after, answer, expected, moment, sent, verdict }: Of<"WrongTime">): ReadonlyArray<string> => [
  moments[moment],
  Bytes.shortened(Bytes.fromText(sent), 24),
  answerOf(answer, after),
  verdict === "Agrees" ? "the same" : expected.map((one) => answerOf(one, "Closed")).join(" or "),
]

/** How many of the answers at the wrong time are other than they should be. */
const summaryOf = (mistakes: ReadonlyArray<Of<"WrongTime">>): string => {
  const tried = mistakes.filter(({ verdict }) => verdict !== "Unknown")
  const differing = tried.filter(({ verdict }) => verdict === "Differs")
  return `Not as expected: ${differing.length} of ${tried.length} answers at the wrong time.`
}

/** All that was found out, for a person. */
const report = (server: Address.Address, findings: ReadonlyArray<Probe.Finding>): ReadonlyArray<string> => {
  const login = findings.filter((one) => one._tag !== "Time" && one._tag !== "WrongTime")
  const times = findings.filter((one) => one._tag === "Time")
  const mistakes = findings.filter((one) => one._tag === "WrongTime")
  const spoken = login.flatMap((one) => (one._tag === "Dialect" && one.verdict === "Spoken" ? [one.dialect] : []))
  return [
    `${Address.format(server)} speaks ${spoken.length === 0 ? "none of MSNP2 to MSNP7" : spoken.join(", ")}.`,
    "",
    ...Output.table([
      ["ASKED", "FOUND", "ANSWER"],
      ...login.map((one) => [askedOf(one), meaningOf(one), answerOf(one.answer, one.after)]),
    ]),
    "",
    ...times.map(timeOf),
    ...(mistakes.length === 0
      ? []
      : [
          "",
          ...Output.table([["WHEN", "SAID", "ANSWER", "EXPECTED"], ...mistakes.map(mistakeOf)]),
          "",
          summaryOf(mistakes),
        ]),
  ]
}

/** Whether the server closed where it was asked something. */
const isClosed = (finding: Probe.Finding): boolean => "answer" in finding && finding.answer._tag === "Closed"

/** Whether the server said anything at all. */
const isHeard = (finding: Probe.Finding): boolean =>
  "answer" in finding && finding.answer._tag !== "Closed" && finding.answer._tag !== "Silent"

/** The command. */
export const probe = Command.make("probe", input, ({ account, proxy, server, wrongTime, ...flags }) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const extent = wrongTime ? "Tried" : "Spared"
    const tls = yield* Way.tlsOf(flags)
    const way = yield* Layer.build(Way.layerConnector({ server, tls }, proxy))
    const options: Probe.Options = {
      server,
      account,
      wrongTime: extent,
      ...Option.match(flags.timeout, {
        onNone: () => ({}),
        onSome: (seconds) => ({ limits: { answerTimeout: Duration.seconds(seconds) } }),
      }),
    }
    const findings: Array<Probe.Finding> = []

    const asked = yield* Effect.gen(function* () {
      const progress = yield* Progress.make(reader, "Asking", Effect.succeed(Probe.most(extent)))
      yield* Stream.runForEach(Probe.probe(options), (finding) => {
        findings.push(finding)
        progress()
        return reader === "Program" ? Output.say(Output.json(eventOf(finding))) : Effect.void
      })
    }).pipe(Effect.scoped, Effect.provideContext(way), Effect.result)

    if (reader === "Person" && findings.length > 0) {
      yield* Effect.forEach(report(server, findings), Output.say)
    }
    if (Result.isFailure(asked)) {
      const { _tag, message } = asked.failure
      return yield* Output.fail(reader, _tag, new Failure.Failure({ kind: "Unreachable", message }))
    }
    if (!findings.some(isHeard)) {
      const hint = findings.some(isClosed) ? TlsFlags.silenceHint(tls) : ""
      const message = `${Address.format(server)} takes connections, and answers nothing.${hint}`
      return yield* Output.fail(reader, "Disconnected", new Failure.Failure({ kind: "Disconnected", message }))
    }
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription(
    [
      "Ask a server what it speaks, without logging in: its dialects, whether it refers or challenges, how long it takes.",
      "",
      "  Exit codes: 0 it answered; 1 bad input; 5 no connection came about; 6 it took connections, and answered nothing.",
    ].join("\n"),
  ),
  Command.withShortDescription("Ask a server what it speaks, without logging in"),
  Command.withExamples([
    { command: "msnp probe 203.0.113.7", description: "Ask the server at port 1863" },
    {
      command: "msnp probe 203.0.113.7:1864 --account alice@example.com --wrong-time",
      description: "Ask a notification server, and see how it takes commands at the wrong time",
    },
  ]),
)
