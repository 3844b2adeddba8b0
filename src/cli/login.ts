/**
 * `msnp login`: logs in once, says how it went, and logs off.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as LoginClient from "../net/LoginClient.ts"
import type * as Transcript from "../net/Transcript.ts"
import * as Account from "../protocol/Account.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"

const input = {
  account: Argument.String("ACCOUNT").pipe(
    Argument.withDescription("The account to log in with, for instance alice@example.com"),
    Argument.filterMap(
      (text) => (Account.isAccount(text) ? Option.some(text) : Option.none()),
      () => `an address: one @ with something on both sides, no white space, at most ${Account.maxBytes} bytes`,
    ),
  ),
  server: Flag.String("server").pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.withDescription("The server to begin with (default 127.0.0.1:1863; without a port, 1863)"),
    Flag.filterMap(
      (text) => Option.filter(Address.parse(text), ({ port }) => port > 0),
      () => "HOST:PORT",
    ),
    Flag.withDefault({ host: "127.0.0.1", port: Address.defaultPort }),
  ),
  dialect: Flag.Literals("dialect", Dialect.all).pipe(
    Flag.withDescription("A dialect to offer, the preferred one first; may be repeated (default all)"),
    Flag.atLeast(0),
  ),
  passwordFile: Flag.String("password-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Read the password from the first line of this file; else it is asked for, or read from standard input",
    ),
    Flag.optional,
  ),
  transcript: Flag.Boolean("transcript").pipe(
    Flag.withDescription("Print what is said on the wire"),
    Flag.withDefault(false),
  ),
  json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON object a line"), Flag.withDefault(false)),
}

/** The longest password that is read, in bytes: whoever gives more gives something else. */
const maxPassword = 65_536

/** The password: from a file, from a terminal without showing it, or from standard input. */
const password = Effect.fnUntraced(function* (file: Option.Option<string>, account: string) {
  if (Option.isSome(file)) {
    const fs = yield* FileSystem.FileSystem
    const name = `The password file ${file.value}`
    return yield* firstLine(fs.stream(file.value), name, `${name} begins with an empty line.`)
  }
  const stdio = yield* Stdio.Stdio
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (canPrompt) return yield* Prompt.run(Prompt.Hidden({ message: `Password of ${account}` }))
  if (yield* stdio.stdinIsTerminal) {
    return yield* Failure.badInput(
      "The password cannot be asked for where the output goes elsewhere; give it on standard input, or with --password-file.",
    )
  }
  const ifEmpty = "There is no password on standard input; give it there, or with --password-file."
  return yield* firstLine(stdio.stdin, "Standard input", ifEmpty).pipe(Effect.ensuring(letGoOfStdin))
})

/** Whoever still writes there would otherwise keep this process from ending. */
const letGoOfStdin = Effect.sync(() => process.stdin.destroy())

/** The first line of a stream, of which no more is read than that takes. */
const firstLine = Effect.fnUntraced(function* <E>(
  stream: Stream.Stream<Uint8Array, E>,
  name: string,
  ifEmpty: string,
): Effect.fn.Return<Redacted.Redacted<string>, Failure.Failure> {
  const bytes = yield* stream.pipe(
    Stream.scan(
      () => "",
      (bytes, chunk) => bytes + Bytes.fromUint8Array(chunk),
    ),
    Stream.takeUntil((bytes) => bytes.includes("\n") || bytes.length > maxPassword + "\r".length),
    Stream.runLast,
    Effect.mapError(() => Failure.badInput(`${name} cannot be read.`)),
  )
  const [line = ""] = Option.getOrElse(bytes, () => "").split(/\r?\n/, 1)
  if (line === "") return yield* Failure.badInput(ifEmpty)
  if (line.length > maxPassword) {
    return yield* Failure.badInput(`${name} begins with a line longer than 64 KiB, which is no password.`)
  }
  return Redacted.make(new TextDecoder().decode(Bytes.toUint8Array(line)), { label: "password" })
})

/** What a person is told of the login while it goes on. */
const stageOf = (entry: Transcript.Entry): string | undefined => {
  if (entry._tag === "Connected") return `Connected to ${entry.server}`
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

/** Who is signed in, in a sentence. */
export const describe = ({ account, dialect, friendlyName, server, verified }: LoginClient.Session): string => {
  const flag = Option.match(verified, {
    onNone: () => "",
    onSome: (verified) => (verified ? ", address verified" : ", address not verified"),
  })
  const [who, name] = [account, friendlyName].map((text) => Bytes.printable(Bytes.fromText(text)))
  return `Signed in at ${Address.format(server)} as ${who}, ${name} (${dialect}${flag}).`
}

/** Who is signed in, for a program. */
export const signedIn = (session: LoginClient.Session): Output.Event => ({
  event: "signedIn",
  server: Address.format(session.server),
  dialect: session.dialect,
  account: session.account,
  friendlyName: session.friendlyName,
  verified: Option.getOrNull(session.verified),
})

/** Logs in, tells about it, and logs off. */
const signIn = Effect.fnUntraced(function* (options: LoginClient.Options, reader: Output.Reader) {
  const session = yield* LoginClient.login(options)
  yield* Output.write(reader, describe(session), signedIn(session))
  yield* session.logOff
}, Effect.scoped)

/** The command. */
export const login = Command.make("login", input, ({ account, dialect, passwordFile, server, transcript, ...flags }) =>
  Effect.gen(function* () {
    const reader = Output.readerOf(flags)
    const secret = yield* password(passwordFile, account)
    const observer = transcript ? yield* Output.transcriber(reader) : reader === "Person" ? stages : undefined
    const [first, ...others] = dialect
    yield* signIn(
      {
        account,
        server,
        password: secret,
        ...(first === undefined ? {} : { dialects: [first, ...others] }),
        ...(observer === undefined ? {} : { observer }),
      },
      reader,
    ).pipe(
      Effect.tapError((error) =>
        reader === "Program"
          ? Console.log(Output.json({ event: "failed", why: error._tag, message: error.message }))
          : Effect.void,
      ),
      Effect.mapError(Failure.fromLogin),
    )
  }),
).pipe(
  Command.withDescription(
    [
      "Log in once, say how it went, and log off.",
      "",
      "Exit codes: 0 signed in; 1 bad input; 2 wrong account or password; 3 no common dialect;",
      "4 the server is in trouble or under maintenance; 5 no server could be reached;",
      "6 the server closed the connection or did not answer in time; 7 the server broke the protocol.",
    ].join("\n"),
  ),
  Command.withShortDescription("Log in once, say how it went, and log off"),
  Command.withExamples([
    { command: "msnp login alice@example.com", description: "Ask for the password, and log in on this machine" },
    {
      command: "msnp login alice@example.com --server 203.0.113.7 --dialect MSNP2 --password-file secret.txt",
      description: "Log in as the first client did",
    },
    { command: "echo wonderland | msnp login alice@example.com --transcript", description: "Show what is said" },
  ]),
)
