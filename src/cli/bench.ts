/**
 * `msnp bench`: a load of logins on a server, yours or one of its own, and how that took it.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as ClientConfig from "../net/ClientConfig.ts"
import * as Load from "../net/Load.ts"
import type * as Proxy from "../net/Proxy.ts"
import * as Reach from "../net/Reach.ts"
import * as Address from "../protocol/Address.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Accounts from "./Accounts.ts"
import * as AccountsCsv from "./AccountsCsv.ts"
import * as Failure from "./Failure.ts"
import * as Figures from "./Figures.ts"
import * as Files from "./Files.ts"
import * as LoginFlags from "./LoginFlags.ts"
import * as Output from "./Output.ts"
import * as OwnServer from "./OwnServer.ts"
import * as Password from "./Password.ts"
import * as ProcessTime from "./ProcessTime.ts"
import * as Progress from "./Progress.ts"
import * as TlsFlags from "./TlsFlags.ts"
import * as Way from "./Way.ts"

/** The most logins at once: more than that is beyond one process anyway. */
const maxConcurrency = 10_000

/** The longest measurement, in seconds: a day. */
const maxSeconds = 86_400

/** The longest warming up, in seconds. */
const maxWarmUp = 3_600

/** The most logins that can be asked for. */
const maxLogins = 1_000_000_000

const number = (name: string, metavar: string, least: number, most: number) =>
  Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.filter(
      (number) => number >= least && number <= most,
      () => `a number from ${least} to ${most}`,
    ),
  )

const input = {
  server: Argument.String(Way.expected).pipe(
    Argument.withDescription(
      "The server to measure; without a port, 1863. Where none is named, one is started on this machine, with accounts of its own",
    ),
    Argument.filterMap(ClientConfig.parseServer, () => Way.expected),
    Argument.optional,
  ),
  concurrency: number("concurrency", "N", 1, maxConcurrency).pipe(
    Flag.withDescription("How many logins there are at once (default 64)"),
    Flag.withDefault(64),
  ),
  seconds: number("seconds", "S", 1, maxSeconds).pipe(
    Flag.withDescription("How long to measure (default 10)"),
    Flag.optional,
  ),
  logins: number("logins", "N", 1, maxLogins).pipe(
    Flag.withDescription("How many logins to measure, in place of --seconds"),
    Flag.optional,
  ),
  warmUp: number("warm-up", "S", 0, maxWarmUp).pipe(
    Flag.withDescription("How many seconds the logins go on before they are measured (default 1)"),
    Flag.withDefault(1),
  ),
  hold: number("hold", "N", 0, Accounts.maxCrowd).pipe(
    Flag.withDescription("How many clients sign in before that, and stay so, idle, to the end (default 0)"),
    Flag.withDefault(0),
  ),
  crowd: number("crowd", "N", 1, Accounts.maxCrowd).pipe(
    Flag.withDescription("Log in with the accounts of msnp serve --demo-crowd N"),
    Flag.optional,
  ),
  accounts: Flag.String("accounts").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Log in with the accounts of this CSV file, as msnp account import takes it; - for standard input",
    ),
    Flag.optional,
  ),
  account: Flag.String("account").pipe(
    Flag.withMetavar("ACCOUNT"),
    Flag.withDescription("Log in with this account alone, whose sessions put each other out"),
    Flag.filterMap(AccountArgument.parse, () => AccountArgument.expected),
    Flag.optional,
  ),
  passwordFile: Password.file,
  referrals: Flag.Literals("referrals", ["follow", "count"]).pipe(
    Flag.withDescription(
      "What a login makes of a referral: follow it, as a client does; or count, and be done with it (default follow)",
    ),
    Flag.withDefault("follow"),
  ),
  ...LoginFlags.flags,
  proxy: Way.proxy,
  tls: TlsFlags.tls,
  tlsCa: TlsFlags.authority,
  json: Output.jsonFlag,
}

/** Says what a person should know, but can live with; beside the figures, which stand alone on standard output. */
const note = (reader: Output.Reader, text: string) =>
  reader === "Program" ? Console.log(Output.json({ event: "warning", text })) : Console.error(`Note: ${text}`)

/** The accounts of a CSV file. */
const membersIn = Effect.fnUntraced(function* (file: string) {
  const name = Files.nameOf(file)
  const text = yield* Effect.mapError(Files.readText(file), (why) => Failure.badInput(`${name} ${why}.`))
  const read = yield* Effect.mapError(AccountsCsv.decode(text), ({ line, message }) =>
    Failure.badInput(`${name}, line ${line}: ${message}`),
  )
  return read.map(({ entry }): Load.Member => entry)
})

/** Who logs in at a server that is there already. */
const membersOf = Effect.fnUntraced(function* (flags: {
  readonly account: Option.Option<Load.Member["account"]>
  readonly accounts: Option.Option<string>
  readonly crowd: Option.Option<number>
  readonly passwordFile: Option.Option<string>
}) {
  const { account, accounts, crowd, passwordFile } = flags
  const ways: ReadonlyArray<Option.Option<unknown>> = [account, accounts, crowd]
  if (ways.filter(Option.isSome).length !== 1) {
    return yield* Failure.badInput("Say who is to log in, with one of --crowd, --accounts and --account.")
  }
  if (Option.isSome(passwordFile) && Option.isNone(account)) {
    return yield* Failure.badInput("--password-file goes with --account.")
  }
  if (Option.isSome(crowd)) return Accounts.crowd(crowd.value)
  if (Option.isSome(accounts)) return yield* membersIn(accounts.value)
  return yield* Effect.forEach(Option.toArray(account), (account) =>
    Effect.map(Password.ask(passwordFile, account), (password): Load.Member => ({ account, password })),
  )
})

/** What is open in this process besides the connections: standard streams, the runtime's own, name servers. */
const otherFiles = 32

const Limits = Schema.Struct({
  userLimits: Schema.Struct({ open_files: Schema.Struct({ soft: Schema.Union([Schema.Finite, Schema.String]) }) }),
})

/** How many files this process may have open; none where the system does not tell, or sets no limit. */
const maxFiles = Effect.sync(() =>
  Schema.decodeUnknownOption(Limits)(process.report.getReport()).pipe(
    Option.map(({ userLimits }) => Number(userLimits.open_files.soft)),
    Option.filter(Number.isFinite),
  ),
)

/** Fails where so many connections at once are more than this process may have. */
const checkFiles = Effect.fnUntraced(function* (connections: number): Effect.fn.Return<void, Failure.Failure> {
  const most = yield* maxFiles
  if (Option.isSome(most) && connections + otherFiles > most.value) {
    return yield* Failure.badInput(
      `${connections} connections at once, and ${otherFiles} files besides, are more than this process may have open, which are ${most.value}: raise that (ulimit -n), or ask for fewer.`,
    )
  }
})

/** A server that is measured. */
interface Target {
  readonly server: Address.Address
  /** Who logs in there. */
  readonly members: ReadonlyArray<Load.Member>
  readonly way: Layer.Layer<never, Failure.Failure>
  readonly tls: Proxy.Way["tls"]
  /** Its process, where that is ours. */
  readonly pid: Option.Option<number>
}

type Flags = Omit<Command.Command.Config.Infer<typeof input>, "server">

/** A server that is there already, on whatever machine. */
const theirs = Effect.fnUntraced(function* (server: Address.Address, flags: Flags) {
  const tls = yield* Way.tlsOf(flags)
  const { referrals } = LoginFlags.optionsOf(flags)
  const way = Way.layerConnector({ server, tls, referrals }, flags.proxy)
  const members = yield* membersOf(flags)
  return { server, members, way, tls, pid: Option.none() } satisfies Target
})

/** A server of this command's own, which is gone with the scope. */
const own = Effect.fnUntraced(function* (flags: Flags) {
  const { account, accounts, passwordFile, proxy, tls, tlsCa } = flags
  const others: ReadonlyArray<Option.Option<unknown>> = [account, accounts, passwordFile, proxy, tls, tlsCa]
  if (others.some(Option.isSome)) {
    return yield* Failure.badInput(
      "--account, --accounts, --password-file, --proxy, --tls and --tls-ca go with HOST:PORT: name the server.",
    )
  }
  const members = Accounts.crowd(Option.getOrElse(flags.crowd, () => flags.hold + flags.concurrency))
  const { address, pid } = yield* OwnServer.start(members.length)
  return { server: address, members, way: Layer.empty, tls: Option.none(), pid: Option.some(pid) } satisfies Target
})

/** The CPU time that a process uses while it is measured. */
const meterOf = (pid: Option.Option<number>) => {
  const now = Option.match(pid, { onNone: () => Effect.succeedNone, onSome: ProcessTime.of })
  let from: Option.Option<number> = Option.none()
  let to: Option.Option<number> = Option.none()
  return {
    used: () => Option.zipWith(from, to, (from, to) => to - from),
    onPhase: (phase: Load.Phase): Effect.Effect<void> => {
      switch (phase) {
        case "Measuring":
          return Effect.map(now, (time) => void (from = time))
        case "Finishing":
        case "Over":
          return Option.isSome(to) ? Effect.void : Effect.map(now, (time) => void (to = time))
        case "Trying":
        case "Holding":
        case "WarmingUp":
          return Effect.void
      }
    },
  }
}

/** How often a person is told how far it has come. */
const often = "500 millis"

/** Shows how far a load has come, until the scope closes. */
const watch = Effect.fnUntraced(function* (
  load: Load.Load,
  tell: (last: Load.Report, report: Load.Report) => string,
  reader: Output.Reader,
) {
  const line = yield* Progress.line(reader)
  if (Option.isNone(line)) return
  let last = yield* load.report
  const look = Effect.map(load.report, (report) => {
    line.value(tell(last, report).slice(0, Progress.columns() - 1))
    last = report
  })
  yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(often)))
})

/** What a person should know before. */
const notesOn = ({ members, server }: Target, { concurrency, hold }: Flags): ReadonlyArray<string> => [
  ...(Option.contains(Reach.ofHost(server.host), "Loopback")
    ? []
    : [
        `${Address.format(server)} is not this machine: ${hold + concurrency} connections at once go there. Whoever runs it should know.`,
      ]),
  ...(members.length - hold < concurrency
    ? [`Of ${concurrency} logins at once some share an account, and put each other out: there are too few accounts.`]
    : []),
]

/** The command. */
export const bench = Command.make("bench", input, ({ server: named, ...flags }) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const { concurrency, hold } = flags
    if (Option.isSome(flags.seconds) && Option.isSome(flags.logins)) {
      return yield* Failure.badInput("--seconds and --logins do not go together: either says when it is enough.")
    }
    yield* checkFiles(hold + concurrency)
    const target = yield* Option.match(named, { onNone: () => own(flags), onSome: (server) => theirs(server, flags) })
    const { members, pid, server, tls } = target
    const staying = members.slice(0, hold)
    const [first, ...others] = members.slice(hold)
    if (first === undefined) {
      return yield* Failure.badInput(
        `There are ${members.length} accounts, of which --hold takes ${hold}: at least one has to be left to log in.`,
      )
    }
    yield* Effect.forEach(notesOn(target, flags), (text) => note(reader, text))

    const extent: Load.Extent = Option.match(flags.logins, {
      onNone: () => ({ _tag: "Time", duration: Duration.seconds(Option.getOrElse(flags.seconds, () => 10)) }),
      onSome: (count) => ({ _tag: "Logins", count }),
    })
    const way = yield* Layer.build(target.way)
    const meter = meterOf(pid)
    const load = yield* Load.make({
      members: [first, ...others],
      login: { server, ...LoginFlags.optionsOf(flags) },
      goal: flags.referrals === "follow" ? "Session" : "Referral",
      concurrency,
      staying,
      warmUp: Duration.seconds(flags.warmUp),
      extent,
      onPhase: meter.onPhase,
    }).pipe(Effect.provideContext(way))

    const tell = Effect.fnUntraced(function* (end: Figures.Measured["end"]) {
      const report = yield* load.report
      const measured: Figures.Measured = { server, concurrency, hold, report, serverCpu: meter.used(), end }
      yield* reader === "Program"
        ? Console.log(Output.json(Figures.event(measured)))
        : Effect.forEach(Figures.lines(measured), Output.say, { discard: true })
      return measured
    })
    const shown = (last: Load.Report, report: Load.Report) => Figures.progress(extent, hold, last, report)
    yield* Effect.andThen(watch(load, shown, reader), load.run).pipe(
      Effect.scoped,
      Effect.onInterrupt(() => tell("Interrupted")),
      Effect.catch((error) => {
        const { kind, message } = Failure.fromLogin(error)
        const hint = TlsFlags.hintOf(error, tls)
        return Output.fail(reader, error._tag, new Failure.Failure({ kind, message: message + hint }))
      }),
    )
    const wrong = Figures.wrong(yield* tell("Done"))
    if (Option.isSome(wrong)) {
      return yield* Output.fail(reader, "SomeFailed", new Failure.Failure({ kind: "SomeFailed", message: wrong.value }))
    }
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription(
    [
      "Put a load of logins on a server, and tell how many it took a second, and how long they took.",
      "",
      "  So many log in at once, and again as soon as they are logged off, by the accounts of --crowd, --accounts or",
      "  --account. Without HOST:PORT it measures a server of its own, and what CPU time that takes.",
      "",
      "  Exit codes: 0 no login failed; 8 some did, or a session that was to be held was lost; those of msnp login where",
      "  the first login fails, which is tried alone; 1 bad input; 130 interrupted, with what was measured by then.",
    ].join("\n"),
  ),
  Command.withShortDescription("Put a load of logins on a server, and tell how it took it"),
  Command.withExamples([
    { command: "msnp bench", description: "Measure a server of its own on this machine, with 64 logins at once" },
    {
      command: "msnp bench 127.0.0.1:1863 --crowd 1000 --hold 500 --concurrency 16 --seconds 60",
      description: "Measure msnp serve --demo-crowd 1000, with 500 clients signed in beside the load",
    },
    {
      command: "msnp bench 203.0.113.7 --accounts load.csv --referrals count --logins 10000",
      description: "Measure how a dispatch server refers",
    },
  ]),
)
