/**
 * `msnp login`: logs in once, says how it went, and logs off.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as LoginClient from "../net/LoginClient.ts"
import type * as Transcript from "../net/Transcript.ts"
import * as Address from "../protocol/Address.ts"
import * as Bytes from "../protocol/Bytes.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as AccountArgument from "./AccountArgument.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Password from "./Password.ts"
import * as ServerAddress from "./ServerAddress.ts"

const input = {
  account: AccountArgument.make("The account to log in with, for instance alice@example.com"),
  server: Flag.String("server").pipe(
    Flag.withMetavar("HOST:PORT"),
    Flag.withDescription("The server to begin with (default 127.0.0.1:1863; without a port, 1863)"),
    Flag.filterMap(ServerAddress.parse, () => ServerAddress.expected),
    Flag.withDefault({ host: "127.0.0.1", port: Address.defaultPort }),
  ),
  dialect: Flag.Literals("dialect", Dialect.all).pipe(
    Flag.withDescription("A dialect to offer, the preferred one first; may be repeated (default all)"),
    Flag.atLeast(0),
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
    const secret = yield* Password.ask(passwordFile, account)
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
    ).pipe(Effect.catch((error) => Output.fail(reader, error._tag, Failure.fromLogin(error))))
  }),
).pipe(
  Command.withDescription(
    [
      "Log in once, say how it went, and log off.",
      "",
      "  Exit codes: 0 signed in; 1 bad input; 2 wrong account or password; 3 no common dialect;",
      "  4 the server is in trouble or under maintenance; 5 no server could be reached;",
      "  6 the server closed the connection or did not answer in time; 7 the server broke the protocol.",
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
