/** The commands: grammar, parameters and an example of each, and what the dialects make of them. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Server from "../../src/login/Server.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import type { TagOf } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import type * as Wire from "../../src/protocol/Wire.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as Message from "../../src/session/Message.ts"
import * as Product from "../../src/session/Product.ts"
import * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import * as Docstrings from "../Docstrings.ts"
import type { Parts } from "../Splice.ts"

const trId = TrId.TrId.make(5)
const account = Account.Account.make("alice@example.com")
const friendlyName = FriendlyName.FriendlyName.make("Alice Liddell")
const challenge = Challenge.make(1013928519, () => 693957190)
const digest = Challenge.respond(challenge, Redacted.make("wonderland"))
const here = { host: "10.0.0.1", port: 1863 }
const there = { host: "10.0.0.2", port: 1863 }

/** A command of each kind; those without a meaning here are none of the login's. */
type Examples<C extends { readonly _tag: string }> = {
  readonly [tag in Exclude<TagOf<C>, "Foreign">]: Extract<C, { readonly _tag: tag }>
}

const fromClient: Examples<ClientCommand.ClientCommand> = {
  Ver: { _tag: "Ver", trId, dialects: ["MSNP7", "MSNP6", "CVR0"] },
  Inf: { _tag: "Inf", trId },
  UsrInitiate: { _tag: "UsrInitiate", trId, account },
  UsrRespond: { _tag: "UsrRespond", trId, digest },
  Cvr: { _tag: "Cvr", trId, parameters: ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"] },
  Out: { _tag: "Out" },
}

const fromServer: Examples<ServerCommand.ServerCommand> = {
  Ver: { _tag: "Ver", trId, dialects: ["MSNP7", "MSNP6", "CVR0"] },
  VerNone: { _tag: "VerNone", trId, known: [] },
  Inf: { _tag: "Inf", trId, packages: ["MD5"] },
  UsrChallenge: { _tag: "UsrChallenge", trId, challenge },
  UsrOk: { _tag: "UsrOk", trId, account, friendlyName, verified: Option.some(true) },
  Xfr: { _tag: "Xfr", trId, to: there, trailer: ["0", here] },
  Cvr: {
    _tag: "Cvr",
    trId,
    parameters: ["4.6.0083", "4.6.0083", "1.0.0000", "http://example.com/setup.exe", "http://example.com"],
  },
  Out: { _tag: "Out", reason: "ShuttingDown" },
  Failure: { _tag: "Failure", code: 911, trId: Option.some(trId) },
}

const unasked = TrId.TrId.make(0)
const programChallenge = Product.challenge(() => 1557013157)
const person = { account, friendlyName }
const versions = Server.versions("3.6.0025")

const fromClientInSession: Examples<SessionClientCommand.SessionClientCommand> = {
  Syn: { _tag: "Syn", trId, serial: 0 },
  Chg: { _tag: "Chg", trId, status: "Online" },
  Png: { _tag: "Png" },
  Qry: { _tag: "Qry", trId, clientId: Product.clientId, digest: Product.answer(programChallenge) },
  Url: { _tag: "Url", trId, place: "INBOX", parameters: [] },
  Cvq: { _tag: "Cvq", trId, parameters: ["0x0409", "winnt", "5.1", "i386", "MSMSGS", "1.0.0863"] },
}

const fromServerInSession: Examples<SessionServerCommand.SessionServerCommand> = {
  Syn: { _tag: "Syn", trId, serial: 12 },
  Gtc: { _tag: "Gtc", trId, serial: 12, policy: "A" },
  Blp: { _tag: "Blp", trId, serial: 12, policy: "AL" },
  Prp: { _tag: "Prp", trId, serial: 12, property: "PHH", value: "555 0690" },
  Bpr: { _tag: "Bpr", serial: 12, account, property: "PHH", value: "555 0690" },
  Lsg: { _tag: "Lsg", trId, serial: 12, item: 1, total: 1, ...Lists.defaultGroup },
  Lst: { _tag: "Lst", trId, list: "FL", serial: 12, item: 1, total: 2, ...person, groups: [Lists.defaultGroup.id] },
  LstEmpty: { _tag: "LstEmpty", trId, list: "RL", serial: 12 },
  Chg: { _tag: "Chg", trId, status: "Online" },
  Iln: { _tag: "Iln", trId, status: "Away", ...person },
  Nln: { _tag: "Nln", status: "Busy", ...person },
  Fln: { _tag: "Fln", account },
  Qng: { _tag: "Qng" },
  Chl: { _tag: "Chl", trId: unasked, challenge: programChallenge },
  Qry: { _tag: "Qry", trId },
  Url: { _tag: "Url", trId, path: "/inbox", login: "https://login.example.com/", site: ["2"] },
  Cvq: { _tag: "Cvq", trId, parameters: versions },
  Msg: Message.toCommand({ _tag: "Maintenance", minutes: 5 }),
}

/** A command as it stands on the wire: its line, and its payload behind it, in which line ends are written out. */
export const line = (encoded: Result.Result<string, string>): string => {
  const [head = "", ...payload] = Result.getOrThrow(encoded).split("\r\n")
  const behind = payload.join("\\r\\n")
  return behind === "" ? `\`${head}\`` : `\`${head}\`, and behind it \`${behind}\``
}

/** What the documents need of a description. */
type Described = Pick<Wire.Command<string, never>, "tag" | "grammar" | "parameters">

const describedBy = (
  commands: { readonly [verb: string]: ReadonlyArray<Described> },
  ...others: ReadonlyArray<Described>
): ReadonlyArray<Described> => [...Object.values(commands).flat(), ...others]

const ofClient = describedBy(ClientCommand.commands)
const ofServer = describedBy(ServerCommand.commands, ServerCommand.Failure)
const ofClientInSession = describedBy(SessionClientCommand.commands)
const ofServerInSession = describedBy(SessionServerCommand.commands)

/** A section for each command. */
const sections = (
  side: string,
  described: ReadonlyArray<Described>,
  docstrings: Docstrings.Docstrings,
  example: (tag: string) => string,
): string =>
  described
    .map(({ grammar, parameters, tag }) =>
      [
        `### ${tag} of the ${side}`,
        `\`${grammar}\``,
        docstrings.get(tag) ?? "",
        ...(parameters.length === 0
          ? []
          : [
              Atlas.markdown(
                ["parameter", "words", "what it is"],
                parameters.map(({ description, name, takes }) => [
                  `\`${name}\``,
                  takes === "One" ? "one" : "all that are left",
                  description,
                ]),
              ),
            ]),
        `For example: ${example(tag)}`,
      ].join("\n\n"),
    )
    .join("\n\n")

const exampleOf =
  <C>(examples: { readonly [tag: string]: C }, encode: (command: C) => Result.Result<string, string>) =>
  (tag: string): string => {
    const command = examples[tag]
    if (command === undefined) throw new Error(`there is no example of ${tag}`)
    return line(encode(command))
  }

/** What a server of ours says last to a client of some dialect, when it feeds its machine a decision. */
const answers = (state: Server.State, event: Server.Event): string =>
  Server.transition(state, event)
    .actions.flatMap((action) => (action._tag === "Say" ? [line(Codec.encodeServer(action.command))] : []))
    .join(", ")

/** The dialects, the oldest first. */
const dialects = Dialect.all.toReversed()

const differences = Atlas.markdown(
  ["dialect", "referral", "let in", "codes that turn an account down"],
  dialects.map((dialect) => [
    dialect,
    answers({ _tag: "AwaitAdmission", dialect, trId, account }, { _tag: "Refer", to: there, from: here }),
    answers(
      { _tag: "AwaitVerdict", dialect, trId, account },
      { _tag: "Accept", account, friendlyName, verified: true },
    ),
    Dialect.rules[dialect].denials.join(", "),
  ]),
)

/** What either side says with a verb. */
const grammars = (verb: string): string => {
  const said = (side: string, described: ReadonlyArray<Described>) =>
    described.flatMap(({ grammar, tag }) =>
      grammar.startsWith(verb)
        ? [[`the ${side}`, `\`${grammar}\``, `[${tag}](commands.md#${tag.toLowerCase()}-of-the-${side})`]]
        : [],
    )
  return Atlas.markdown(["who", "says", "called"], [...said("client", ofClient), ...said("server", ofServer)])
}

export const parts: Parts = {
  "commands.client": sections(
    "client",
    ofClient,
    Docstrings.of("src/protocol/ClientCommand.ts"),
    exampleOf<ClientCommand.ClientCommand>(fromClient, Codec.encodeClient),
  ),
  "commands.server": sections(
    "server",
    ofServer,
    Docstrings.of("src/protocol/ServerCommand.ts"),
    exampleOf<ServerCommand.ServerCommand>(fromServer, Codec.encodeServer),
  ),
  "commands.session-client": sections(
    "client",
    ofClientInSession,
    Docstrings.of("src/session/SessionClientCommand.ts"),
    exampleOf<SessionClientCommand.SessionClientCommand>(fromClientInSession, (command) =>
      Result.flatMap(SessionClientCommand.encode(command), Codec.encodeClient),
    ),
  ),
  "commands.session-server": sections(
    "server",
    ofServerInSession,
    Docstrings.of("src/session/SessionServerCommand.ts"),
    exampleOf<SessionServerCommand.SessionServerCommand>(fromServerInSession, (command) =>
      Result.flatMap(SessionServerCommand.encode(command), Codec.encodeServer),
    ),
  ),
  dialects: differences,
  ...Object.fromEntries(["VER", "INF", "USR", "XFR", "CVR", "OUT"].map((verb) => [`grammar.${verb}`, grammars(verb)])),
}
