/**
 * `msnp login`: logs in, says how it went, and logs off, at once or when it is told to.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as LoginClient from "../net/LoginClient.ts"
import * as SessionClient from "../net/SessionClient.ts"
import * as Transcript from "../net/Transcript.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as OfficialClient from "../session/OfficialClient.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Failure from "./Failure.ts"
import * as Happenings from "./Happenings.ts"
import * as LoginFlags from "./LoginFlags.ts"
import * as Output from "./Output.ts"
import * as Password from "./Password.ts"
import * as Stop from "./Stop.ts"
import * as TlsFlags from "./TlsFlags.ts"
import * as Way from "./Way.ts"

const input = {
  account: AccountArgument.make("The account to log in with, for instance alice@example.com"),
  server: Way.server,
  proxy: Way.proxy,
  tls: TlsFlags.tls,
  tlsCa: TlsFlags.authority,
  memory: Way.memory,
  ...LoginFlags.flags,
  as: Flag.Literals("as", OfficialClient.Name.literals).pipe(
    Flag.withDescription("Say just what this official client says, its sign-in and its version among it"),
    Flag.optional,
  ),
  stay: Flag.Boolean("stay").pipe(
    Flag.withDescription("Stay signed in, tell what happens, and log off when told to stop"),
    Flag.withDefault(false),
  ),
  passwordFile: Password.file,
  transcript: Flag.Boolean("transcript").pipe(
    Flag.withDescription("Print what is said on the wire"),
    Flag.withDefault(false),
  ),
  json: Output.jsonFlag,
}

/** What a person is told of the login while it goes on. */
const stageOf = (entry: Transcript.Entry): string | undefined => {
  if (entry._tag === "Connected") return `Connected to ${entry.server}`
  if (entry._tag === "TurnedAway") return Output.legible(entry.why)
  if (entry._tag !== "Said" || entry.by === "Client") return undefined
  const [verb, , kind = "", third = ""] = entry.words.map(Bytes.printable)
  if (verb === "VER" && kind !== "0") return `Agreed on ${kind === Dialect.cvr0 ? third : kind}`
  if (verb === "XFR") return `Referred to ${third}`
  return verb === "USR" && kind === "MD5" ? "Challenged" : undefined
}

/** Shows each stage as it is reached; on standard error, so that the outcome stands alone on standard output. */
const stages: Transcript.Observer = (entry) => {
  const stage = stageOf(entry)
  if (stage !== undefined) process.stderr.write(`${stage}\n`)
}

type Signed = Omit<LoginClient.Session, "commands">

/** Who is signed in, in a sentence. */
export const describe = ({ account, dialect, friendlyName, server, verified }: Signed): string => {
  const flag = Option.match(verified, {
    onNone: () => "",
    onSome: (verified) => (verified ? ", address verified" : ", address not verified"),
  })
  const [who, name] = [account, friendlyName].map((text) => Bytes.printable(Bytes.fromText(text)))
  return `Signed in at ${Address.format(server)} as ${who}, ${name} (${dialect}${flag}).`
}

/** Who is signed in, for a program. */
export const signedIn = (session: Signed): Output.Event => ({
  event: "signedIn",
  server: Address.format(session.server),
  dialect: session.dialect,
  account: session.account,
  friendlyName: session.friendlyName,
  verified: Option.getOrNull(session.verified),
})

const tellSignedIn = (session: Signed, reader: Output.Reader) =>
  Output.write(reader, describe(session), signedIn(session))

/** Logs in, tells about it, and logs off. */
const once = Effect.fnUntraced(function* (options: LoginClient.Options, reader: Output.Reader) {
  const session = yield* LoginClient.login(options)
  yield* tellSignedIn(session, reader)
  yield* session.logOff
}, Effect.scoped)

/** How long a server may take to tell its lists to somebody who leaves right behind them. */
const listsTimeout = "5 seconds"

/** Signs in as a person's client does, tells about it, and logs off once it knows its lists. */
const show = Effect.fnUntraced(function* (options: SessionClient.Options, reader: Output.Reader) {
  const session = yield* SessionClient.signIn(options)
  yield* tellSignedIn(session, reader)
  yield* Effect.ignore(Effect.timeoutOption(session.lists, listsTimeout))
  yield* session.logOff
}, Effect.scoped)

/** Stays signed in, and tells what happens, until it is told to stop: then it logs off. */
const stay = Effect.fnUntraced(function* (options: SessionClient.Options, reader: Output.Reader) {
  let stage: "Before" | "Lost" | Pick<LoginClient.Session, "logOff"> = "Before"
  // Whoever cannot sign in at all is to know at once; a session that is lost is another matter.
  const schedule = Schedule.while(SessionClient.patience, () => stage !== "Before")
  const staying = yield* Effect.forkDetach(
    Stream.runForEach(SessionClient.stay({ ...options, schedule }), (happening) => {
      if (happening._tag === "SignedIn") {
        stage = happening.session
        return tellSignedIn(happening.session, reader)
      }
      if (happening._tag === "Lost") stage = "Lost"
      return Output.write(reader, ...Happenings.tell(happening))
    }),
  )
  const leave = Effect.gen(function* () {
    if (typeof stage === "object") {
      yield* stage.logOff
      yield* Output.write(reader, "Logged off.", { event: "loggedOff" })
    }
    yield* Fiber.interrupt(staying)
  })
  yield* Stop.awaited
  yield* Effect.onInterrupt(Fiber.join(staying), () => leave)
}, Effect.scoped)

/** The command. */
export const login = Command.make("login", input, ({ account, passwordFile, transcript, ...flags }) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    if (Option.isSome(flags.as) && (flags.dialect.length > 0 || Option.isSome(flags.strategy))) {
      return yield* Failure.badInput(
        "--as says which dialects are offered, and how: it goes with no --dialect or --strategy.",
      )
    }
    const server = yield* Way.serverOf(flags.server)
    const tls = yield* Way.tlsOf(flags)
    const how = LoginFlags.optionsOf(flags)
    const { referrals } = how
    const way = yield* Layer.build(
      Layer.merge(Way.layerConnector({ server, tls, referrals }, flags.proxy), Way.layerMemory(flags.memory, tls)),
    )
    const password = yield* Password.ask(passwordFile, account)
    const observer = transcript ? yield* Output.transcriber(reader) : reader === "Person" ? stages : Transcript.silent
    const options: SessionClient.Options = {
      account,
      server,
      password,
      observer,
      ...how,
      ...Option.match(flags.as, { onNone: () => ({}), onSome: (name) => OfficialClient.options[name] }),
    }
    const signIn = flags.stay ? stay : Option.isSome(flags.as) ? show : once
    yield* signIn(options, reader).pipe(
      Effect.provideContext(way),
      Effect.catch((error) => {
        const { kind, message } = Failure.fromLogin(error)
        const hint = TlsFlags.hintOf(error, tls)
        return Output.fail(reader, error._tag, new Failure.Failure({ kind, message: message + hint }))
      }),
    )
  }).pipe(Effect.scoped),
).pipe(
  Command.withDescription(
    [
      "Log in, say how it went, and log off: at once, or with --stay when told to stop.",
      "",
      "  It begins at the notification server of the last login, and where that fails, at --server.",
      "  A flag says more than the environment, and that more than the file msnp.env of the user.",
      "",
      "  Exit codes: 0 signed in; 1 bad input; 2 wrong account or password; 3 no common dialect;",
      "  4 the server is in trouble or under maintenance; 5 no server could be reached;",
      "  6 the server closed the connection or did not answer in time; 7 the server broke the protocol, or misdirects.",
    ].join("\n"),
  ),
  Command.withShortDescription("Log in, say how it went, and log off"),
  Command.withExamples([
    { command: "msnp login alice@example.com", description: "Ask for the password, and log in on this machine" },
    {
      command: "msnp login alice@example.com --server 203.0.113.7 --dialect MSNP2 --password-file secret.txt",
      description: "Log in as the first client did",
    },
    { command: "echo wonderland | msnp login alice@example.com --transcript", description: "Show what is said" },
    {
      command: "msnp login alice@example.com --as MSN4.7 --stay",
      description: "Stay signed in as an official client, until Ctrl-C",
    },
    {
      command:
        "msnp login alice@example.com --server messenger.example.net --proxy socks5://127.0.0.1:1080 --strategy fast",
      description: "Through a SOCKS proxy, in as few round trips as there can be",
    },
    {
      command: "msnp login alice@example.com --server messenger.example.net:1874 --tls",
      description: "Over TLS, with a certificate for messenger.example.net",
    },
  ]),
)
