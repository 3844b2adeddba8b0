/**
 * Conversations as text that a person can read and a machine can play: the seed's notation, with the state behind
 * each line.
 *
 *     == server
 *     <o> Client connects
 *         AwaitVer
 *     >>> VER 0 MSNP7\r\n
 *     <<< VER 0 MSNP7\r\n
 *         AwaitInfOrUsr { dialect: MSNP7 }
 *
 * What the other side says, what the host decides and what befalls the connection is given; the rest is what the
 * machine makes of it, and is compared. A line that comes to a machine though that has closed is given as
 * `<o> Comes 2 inputs late: VER 0 MSNP7\r\n`. Lines that begin with `#` are for the reader.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import type { Tagged } from "../../src/machine/Machine.ts"
import * as Machine from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as ErrorCode from "../../src/protocol/ErrorCode.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as ClientSide from "./ClientSide.ts"
import * as ServerSide from "./ServerSide.ts"
import type { Happening, Side } from "./Talk.ts"
import { talk } from "./Talk.ts"

/**
 * What a machine is given: bytes of its peer, or an event that its shell feeds. A line may come late, whatever has
 * happened since: the shell made out what it is as many inputs ago. A remark is for the reader.
 */
export type Input<E> =
  | { readonly _tag: "Heard"; readonly bytes: string }
  | { readonly _tag: "Late"; readonly bytes: string; readonly inputs: number }
  | { readonly _tag: "Fed"; readonly event: E }
  | { readonly _tag: "Remark"; readonly text: string }

/** A conversation with one machine, by what that is given. */
export type Script =
  | {
      readonly _tag: "Server"
      readonly quirks: ReadonlyArray<Quirk.Quirk>
      readonly inputs: ReadonlyArray<Input<Server.Event>>
    }
  | { readonly _tag: "Client"; readonly options: Client.Options; readonly inputs: ReadonlyArray<Input<Client.Event>> }

/** Bytes as they stand in a script: line ends, a blank at the end and whatever cannot be printed by their escapes. */
export const escape = (bytes: string): string =>
  bytes.replace(/[^ -[\]-~]| $/g, (byte) => {
    if (byte === "\\") return "\\\\"
    if (byte === "\r") return "\\r"
    if (byte === "\n") return "\\n"
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`
  })

/** The bytes that an escaped text stands for. */
export const unescape = (text: string): string =>
  text.replace(/\\(\\|r|n|x([0-9a-f]{2}))/g, (_, code: string, hex: string | undefined) => {
    if (code === "r") return "\r"
    if (code === "n") return "\n"
    return hex === undefined ? "\\" : String.fromCharCode(Number.parseInt(hex, 16))
  })

/** A value as it stands in a script: a tag with its fields in braces; nothing of a secret. */
export const describe = (value: unknown): string => {
  if (typeof value === "string") return escape(Bytes.fromText(value))
  if (Redacted.isRedacted(value)) return "(secret)"
  if (Option.isOption(value)) return Option.match(value, { onNone: () => "unknown", onSome: describe })
  if (Array.isArray(value)) return `[${value.map(describe).join(", ")}]`
  if (Schema.is(Address.Address)(value)) return Address.format(value)
  if (typeof value !== "object" || value === null) return String(value)
  const { _tag: tag, ...fields } = value as { readonly [key: string]: unknown }
  const inner = Object.entries(fields).map(([key, field]) => `${key}: ${describe(field)}`)
  return inner.length === 0 ? String(tag) : `${String(tag)} { ${inner.join(", ")} }`
}

/** One machine's events as text: those that are not heard. */
interface Notation<E> {
  readonly write: (event: E) => string
  readonly read: (text: string) => E | undefined
}

const words = (pattern: RegExp, text: string): ReadonlyArray<string> | undefined => pattern.exec(text)?.slice(1)

const address = (text = ""): Address.Address => Option.getOrThrow(Address.parse(text))

const serverNotation: Notation<Server.Event> = {
  write: (event) => {
    switch (event._tag) {
      case "Challenge":
        return `Host: challenge with ${escape(event.challenge)}`
      case "Refer":
        return `Host: refer to ${Address.format(event.to)} from ${Address.format(event.from)}`
      case "Deny":
        return `Host: deny with ${event.code}`
      case "Accept": {
        const verified = event.verified ? "verified" : "unverified"
        return `Host: accept ${describe(event.account)} as ${FriendlyName.encode(event.friendlyName)}, ${verified}`
      }
      case "Displaced":
        return "Host: the account has logged in elsewhere"
      case "Dismiss":
        return "Host: dismiss the client"
      case "ShutDown":
        return "Host: shut down"
      case "HungUp":
        return "Client hangs up"
      case "Overdue":
        return "Time is up"
      case "Ver":
      case "VerUncommon":
      case "Inf":
      case "UsrInitiate":
      case "UsrMisaddressed":
      case "UsrInitiateMalformed":
      case "UsrRespond":
      case "UsrRespondMalformed":
      case "UsrMalformed":
      case "Cvr":
      case "CvrTolerated":
      case "Out":
      case "Foreign":
      case "Unreadable":
        throw new Error(`${event._tag} is heard, and stands in a script as a line`)
    }
  },
  read: (text) => {
    const challenge = words(/^Host: challenge with (\S+)$/, text)
    if (challenge !== undefined) {
      return { _tag: "Challenge", challenge: Challenge.Challenge.make(unescape(challenge[0] ?? "")) }
    }
    const refer = words(/^Host: refer to (\S+) from (\S+)$/, text)
    if (refer !== undefined) return { _tag: "Refer", to: address(refer[0]), from: address(refer[1]) }
    const deny = words(/^Host: deny with (\d{3})$/, text)
    if (deny !== undefined) {
      const code = Number(deny[0])
      const codes = [...ErrorCode.Denial.literals, ...ErrorCode.Trouble.literals]
      const known = codes.find((each) => each === code)
      return known === undefined ? undefined : { _tag: "Deny", code: known }
    }
    const accept = words(/^Host: accept (\S+) as (\S+), (verified|unverified)$/, text)
    if (accept !== undefined) {
      const [account = "", name = "", verified] = accept
      return {
        _tag: "Accept",
        account: Account.Account.make(Option.getOrThrow(Bytes.toText(unescape(account)))),
        friendlyName: FriendlyName.decode(name),
        verified: verified === "verified",
      }
    }
    const plain = (["Displaced", "Dismiss", "ShutDown", "HungUp", "Overdue"] as const).map((_tag) => ({ _tag }))
    return plain.find((event) => serverNotation.write(event) === text)
  },
}

const clientNotation: Notation<Client.Event> = {
  write: (event) => {
    switch (event._tag) {
      case "Answer":
        return `Host: answer with ${Redacted.value(event.digest)}`
      case "LogOff":
        return "Host: log off"
      case "HungUp":
        return "Server hangs up"
      case "Overdue":
        return "Time is up"
      case "Ver":
      case "VerSkipInf":
      case "VerPipelined":
      case "VerNone":
      case "Inf":
      case "UsrChallenge":
      case "UsrOk":
      case "Xfr":
      case "Failure":
      case "Out":
      case "Aside":
      case "Stray":
      case "Further":
      case "Early":
        throw new Error(`${event._tag} is heard, and stands in a script as a line`)
    }
  },
  read: (text) => {
    const answer = words(/^Host: answer with ([0-9a-f]{32})$/, text)
    if (answer !== undefined) {
      return { _tag: "Answer", digest: Redacted.make(Challenge.Digest.make(answer[0] ?? ""), { label: "digest" }) }
    }
    const plain = (["LogOff", "HungUp", "Overdue"] as const).map((_tag) => ({ _tag }))
    return plain.find((event) => clientNotation.write(event) === text)
  },
}

/** Who speaks how in the notation of the seed page. */
const arrows = { Client: ">>>", Server: "<<<" } as const

const other = { Client: "Server", Server: "Client" } as const

/** A happening as a line of a script; bytes have a line for each line that was said. */
const happeningLines = <E extends Tagged>(
  happening: Happening<unknown, E>,
  self: Script["_tag"],
): ReadonlyArray<string> => {
  switch (happening._tag) {
    case "Said":
      return happening.bytes.split(/(?<=\n)/).map((line) => `${arrows[self]} ${escape(line)}`)
    case "Ask":
      return [`<o> ${self} asks its host: ${describe(happening.question)}`]
    case "Deliver":
      return [`<o> ${self} hands it to the application`]
    case "Postponed":
      return ["<o> It waits until the host has decided"]
    case "Close":
      return [`<o> ${self} closes connection`]
  }
}

/** A cell of a table that was looked up: `from` and `event` are tags, and so is where it led. */
interface Edge {
  readonly from: string
  readonly event: string
  readonly to: string
}

/** What came of a script: its lines, and the cells of the table that it passed, in order. */
export interface Played {
  readonly lines: ReadonlyArray<string>
  readonly edges: ReadonlyArray<Edge>
}

/** What comes of one event in one state: lines, the state last. */
export const follow = <S extends Tagged, E extends Tagged, I, C, Q>(
  self: Script["_tag"],
  side: Side<S, E, I, C, Q>,
  state: S,
  event: E,
): ReadonlyArray<string> => {
  const login = talk({ ...side, first: { state, actions: [] } })
  return defused(() => told(self, login.feed(event), login.state()))
}

/** What happened, and the state behind it. */
const told = <Q, E extends Tagged>(self: Script["_tag"], happened: ReadonlyArray<Happening<Q, E>>, state: Tagged) => [
  ...happened.flatMap((happening) => happeningLines(happening, self)),
  `    ${describe(state)}`,
]

/** What there was at the outset, and behind each input. */
export const pastOf = <A>(outset: A) => {
  const all: [A, ...Array<A>] = [outset]
  return {
    add: (now: A): void => {
      all.push(now)
    },
    /** What there was so many inputs ago; the outset where there have not been so many. */
    ago: (inputs: number): A => all[Math.max(0, all.length - 1 - inputs)] ?? outset,
  }
}

/** Plays inputs to a machine. */
const playOn = <S extends Tagged, E extends Tagged, I, C, Q>(
  self: Script["_tag"],
  side: Side<S, E, I, C, Q>,
  notation: Notation<E>,
  inputs: ReadonlyArray<Input<E>>,
): Played => {
  const edges: Array<Edge> = []
  const login = talk(side, {
    onMove: ({ event, from, to }) => edges.push({ from: from._tag, event: event._tag, to: to._tag }),
  })
  const past = pastOf(login.state())
  const after = (happened: ReadonlyArray<Happening<Q, E>>) => told(self, happened, login.state())
  const come = (input: Input<E>): ReadonlyArray<string> => {
    switch (input._tag) {
      case "Heard":
        return [`${arrows[other[self]]} ${escape(input.bytes)}`, ...after(login.hear(input.bytes))]
      case "Late":
        return [writeLate(input), ...defused(() => after(login.hearLate(input.bytes, past.ago(input.inputs))))]
      case "Fed":
        return [`<o> ${notation.write(input.event)}`, ...defused(() => after(login.feed(input.event)))]
      case "Remark":
        return [input.text]
    }
  }
  const given = (input: Input<E>): ReadonlyArray<string> => {
    const lines = come(input)
    if (input._tag !== "Remark") past.add(login.state())
    return lines
  }
  return { lines: ["<o> Client connects", ...after(login.first), ...inputs.flatMap(given)], edges }
}

/** A move that is a defect of the shell throws: in a script that is a line, too. */
export const defused = (move: () => ReadonlyArray<string>): ReadonlyArray<string> => {
  try {
    return move()
  } catch (error) {
    if (error instanceof Machine.MisuseError) return ["<o> A defect"]
    throw error
  }
}

const headingOf = (script: Script): string => {
  if (script._tag === "Server") return ["== server", ...script.quirks].join(" ")
  const { account, dialects, manner } = script.options
  return ["== client", describe(account), manner, ...dialects].join(" ")
}

/** What comes of a script. */
export const run = (script: Script): Played =>
  script._tag === "Server"
    ? playOn("Server", ServerSide.sideOf(Server.make(Quirk.only(...script.quirks))), serverNotation, script.inputs)
    : playOn("Client", ClientSide.sideOf(script.options), clientNotation, script.inputs)

/** A script as text: its heading, then what is said and happens, and the state behind each line. */
export const play = (script: Script): string => [headingOf(script), ...run(script).lines].join("\n")

/** A text that is no script: which line, and why. */
const nonsense = (line: number, why: string): Error => new Error(`line ${line} of the script ${why}`)

const parseHeading = (text: string, line: number): Script => {
  const [side, ...rest] = text.slice("== ".length).split(" ")
  if (side === "server") {
    const quirks = rest.filter(Quirk.isQuirk)
    if (quirks.length < rest.length) throw nonsense(line, "names a quirk that there is not")
    return { _tag: "Server", quirks, inputs: [] }
  }
  const [account = "", manner, ...names] = rest
  const [first, ...dialects] = names.filter(Dialect.isDialect)
  if (side !== "client" || !Schema.is(Client.Manner)(manner) || first === undefined) {
    throw nonsense(line, "is no heading: `== server QUIRK…`, or `== client ACCOUNT AskInf|SkipInf|Pipeline DIALECT…`")
  }
  return {
    _tag: "Client",
    options: {
      account: Account.Account.make(Option.getOrThrow(Bytes.toText(unescape(account)))),
      manner,
      dialects: [first, ...dialects],
    },
    inputs: [],
  }
}

/** The scripts of a text, by what is given in it; what the machines made of it is left to {@link play}. */
export const parse = (text: string): ReadonlyArray<Script> => split(text).map(parseScript)

/** A text with each of its scripts played anew. */
export const replay = (text: string): string =>
  text.slice(0, text.search(heading)) +
  split(text)
    .map((lines) => play(parseScript(lines)))
    .join("\n")

const heading = /^(?=== )|$(?![^])/m

/** The scripts of a text, each with the number of its first line. */
const split = (text: string): ReadonlyArray<Numbered> => {
  const scripts: Array<{ at: number; lines: Array<string> }> = []
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("== ")) scripts.push({ at: index + 1, lines: [] })
    scripts.at(-1)?.lines.push(line)
  }
  return scripts
}

interface Numbered {
  readonly at: number
  readonly lines: ReadonlyArray<string>
}

const parseScript = ({ at, lines: [first = "", ...lines] }: Numbered): Script => {
  const script = parseHeading(first, at)
  return script._tag === "Server"
    ? { ...script, inputs: lines.flatMap((line) => parseLine(line, "Server", serverNotation)) }
    : { ...script, inputs: lines.flatMap((line) => parseLine(line, "Client", clientNotation)) }
}

/** A line that comes late, as it stands in a script. */
const writeLate = ({ bytes, inputs }: { readonly bytes: string; readonly inputs: number }): string =>
  `<o> Comes ${inputs} ${inputs === 1 ? "input" : "inputs"} late: ${escape(bytes)}`

/** What a line gives to a machine: nothing where it says what the machine made of the one before. */
const parseLine = <E>(line: string, self: Script["_tag"], { read }: Notation<E>): ReadonlyArray<Input<E>> => {
  if (line === "" || line.startsWith("#")) return [{ _tag: "Remark", text: line }]
  const heard = `${arrows[other[self]]} `
  if (line.startsWith(heard)) return [{ _tag: "Heard", bytes: unescape(line.slice(heard.length)) }]
  const [inputs, late] = words(/^<o> Comes ([0-9]+) inputs? late: (.*)$/, line) ?? []
  if (late !== undefined) return [{ _tag: "Late", bytes: unescape(late), inputs: Number(inputs) }]
  const event = line.startsWith("<o> ") ? read(line.slice("<o> ".length)) : undefined
  return event === undefined ? [] : [{ _tag: "Fed", event }]
}
