/**
 * What both tables say, as conversations in files: `npm run transcripts` writes them anew, and a change of behavior is
 * a change in them. Commit one only if you understand where it comes from.
 */
import * as Fs from "node:fs"
import { describe, expect, it } from "vitest"
import type * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import type { TagOf } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as Script from "../support/Script.ts"
import type { ClientEvent, ClientState, ServerEvent } from "../support/Space.ts"
import { clientEvents, keysOf, serverEvents, tagOf } from "../support/Space.ts"

const folder = new URL("../transcripts/", import.meta.url)
const fileOf = (name: string) => new URL(name, folder).pathname
const filesIn = (name: string) => Fs.readdirSync(fileOf(name)).toSorted()

type ServerInput = Script.Input<Server.Event>
type ClientInput = Script.Input<Client.Event>

const heard = (line: string) => ({ _tag: "Heard", bytes: `${line}\r\n` }) as const
const digest = "6f3963009fc8a9d2b2ff137da0905c55"

/** A client's line for each event that is heard by a server. */
const clientLines = (dialect: string): { readonly [event in ServerEvent]?: string } => ({
  Ver: `VER 7 ${dialect} CVR0`,
  VerUncommon: "VER 7 MYPROTOCOL",
  Inf: "INF 7",
  UsrInitiate: "USR 7 MD5 I alice@hotmail.com",
  UsrMisaddressed: "USR 7 MD5 I alice",
  UsrInitiateMalformed: "USR 7 MD5 I",
  UsrRespond: `USR 7 MD5 S ${digest}`,
  UsrRespondMalformed: "USR 7 MD5 S 23e54a43",
  UsrMalformed: "USR 7 TWN I alice@hotmail.com",
  Cvr: "CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS",
  CvrTolerated: "CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS",
  Out: "OUT",
  Foreign: "SYN 7 0",
  Unreadable: "VER MYPROTOCOL",
})

/** What brings a server to each state. */
const serverWays = (
  dialect: Dialect.Dialect,
): { readonly [state in TagOf<Server.State>]: ReadonlyArray<ServerInput> } => {
  const { "Accept verified": accept, Challenge } = serverEvents(dialect)
  const ver = [heard(`VER 1 ${dialect} CVR0`)]
  const inf = [...ver, heard("INF 2")]
  const usr = [...inf, heard("USR 3 MD5 I alice@hotmail.com")]
  const challenged = [...usr, { _tag: "Fed", event: Challenge } as const]
  const responded = [...challenged, heard(`USR 4 MD5 S ${digest}`)]
  const accepted = [...responded, { _tag: "Fed", event: accept } as const]
  return {
    AwaitVer: [],
    AwaitInfOrUsr: ver,
    AwaitUsr: inf,
    AwaitAdmission: usr,
    AwaitDigest: challenged,
    AwaitVerdict: responded,
    LoggedIn: accepted,
    Closed: [...accepted, heard("OUT")],
  }
}

/** A server's line for each event that is heard by a client, which has asked with this TrID. */
const serverLines = (dialect: string, trId: number): { readonly [event in ClientEvent]?: string } => ({
  Ver: `VER ${trId} ${dialect} CVR0`,
  VerSkipInf: `VER ${trId} ${dialect} CVR0`,
  VerPipelined: `VER ${trId} ${dialect} CVR0`,
  VerNone: `VER ${trId} 0`,
  Inf: `INF ${trId} MD5`,
  UsrChallenge: `USR ${trId} MD5 S 1013928519.693957190`,
  "UsrOk verified": `USR ${trId} OK alice@hotmail.com Alice 1`,
  "UsrOk unverified": `USR ${trId} OK alice@hotmail.com Alice 0`,
  "UsrOk unsaid": `USR ${trId} OK alice@hotmail.com Alice`,
  "UsrOk respelled": `USR ${trId} OK ALICE@HOTMAIL.COM Alice 1`,
  Xfr: `XFR ${trId} NS 10.0.0.5:1862 0 10.0.0.1:1864`,
  "Failure 911": `911 ${trId}`,
  "Failure 500": `500 ${trId}`,
  "Failure 715": `715 ${trId}`,
  "Out OTH": "OUT OTH",
  "Out SSD": "OUT SSD",
  "Out bare": "OUT",
  Aside: "NLN NLN bob@hotmail.com Bob",
  Stray: "VER MYPROTOCOL",
  Further: "QNG",
  Early: "QNG",
})

/** What brings a client to each state, and the TrID with which it then has asked last. */
const clientWays = (
  dialect: Dialect.Dialect,
): { readonly [state in ClientState]: readonly [trId: number, ...inputs: Array<ClientInput>] } => {
  const { Answer, LogOff } = clientEvents(dialect)
  const ver = heard(`VER 1 ${dialect} CVR0`)
  const inf = [ver, heard("INF 2 MD5")]
  const challenged = [...inf, heard("USR 3 MD5 S 1013928519.693957190")]
  const responded = [...challenged, { _tag: "Fed", event: Answer } as const]
  const accepted = [...responded, heard("USR 4 OK alice@hotmail.com Alice")]
  return {
    AwaitVer: [1],
    AwaitInf: [2, ver],
    AwaitUsr: [3, ...inf],
    AwaitDigest: [3, ...challenged],
    AwaitOk: [4, ...responded],
    LoggedIn: [4, ...accepted],
    Referred: [3, ...inf, heard("XFR 3 NS 10.0.0.5:1862 0 10.0.0.1:1864")],
    Closed: [4, ...accepted, { _tag: "Fed", event: LogOff }],
  }
}

/** The input that a script ends with: a line, or else an event. */
const last = <E>(line: string | undefined, event: E): ReadonlyArray<Script.Input<E>> =>
  line === undefined ? [{ _tag: "Fed", event }] : [heard(line)]

const serverScript = (
  dialect: Dialect.Dialect,
  quirks: ReadonlyArray<Quirk.Quirk>,
  state: TagOf<Server.State>,
  event?: ServerEvent,
): Script.Script => {
  const end: ReadonlyArray<ServerInput> =
    event === undefined ? [] : last(clientLines(dialect)[event], serverEvents(dialect)[event])
  return { _tag: "Server", quirks, inputs: [...serverWays(dialect)[state], ...end] }
}

const clientScript = (dialect: Dialect.Dialect, state: ClientState, event?: ClientEvent): Script.Script => {
  const [trId, ...way] = clientWays(dialect)[state]
  const end: ReadonlyArray<ClientInput> =
    event === undefined ? [] : last(serverLines(dialect, trId)[event], clientEvents(dialect)[event])
  return {
    _tag: "Client",
    options: {
      account: Account.Account.make("alice@hotmail.com"),
      dialects: [dialect],
      manner: event === "VerSkipInf" ? "SkipInf" : event === "VerPipelined" ? "Pipeline" : "AskInf",
    },
    inputs: [...way, ...end],
  }
}

/** What a script's last input leads to, with `MSNPn` for the dialect, so that dialects can be compared. */
const ending = (way: Script.Script, whole: Script.Script, dialect: Dialect.Dialect): string =>
  Script.run(whole).lines.slice(Script.run(way).lines.length).join("\n").replaceAll(dialect, "MSNPn")

/** Each text once, under a title with all the dialects that it is for. */
const branches = (title: string, texts: ReadonlyArray<readonly [Dialect.Dialect, string]>): ReadonlyArray<string> => {
  const groups = new Map<string, ReadonlyArray<Dialect.Dialect>>()
  for (const [dialect, text] of texts) groups.set(text, [...(groups.get(text) ?? []), dialect])
  return Array.from(groups, ([text, dialects]) => {
    const where = dialects.length === Dialect.all.length ? "" : `, in ${dialects.toReversed().join(" ")}`
    return `# ${title}${where}\n${text}`
  })
}

/** The way to a state, then each event there. */
const chapter = (title: string, way: string, events: ReadonlyArray<string>): string =>
  [
    `# ${title}: the way there, then each event that there is, always from there.`,
    "# MSNPn is the dialect agreed on. All dialects are alike where none is named.",
    "# Written by `npm run transcripts`.",
    "",
    way,
    ...events.flatMap((text) => ["", text]),
    "",
  ].join("\n")

/** What an event leads to in a state: with no quirk, and with each quirk that makes a difference. */
const serverBranches = (state: TagOf<Server.State>, event: ServerEvent): ReadonlyArray<string> => {
  const texts = (...quirks: ReadonlyArray<Quirk.Quirk>) =>
    Dialect.all.map((dialect) => {
      const way = serverScript(dialect, quirks, state)
      return [dialect, ending(way, serverScript(dialect, quirks, state, event), dialect)] as const
    })
  const plain = texts()
  const bent = Quirk.all.flatMap((quirk) =>
    branches(
      `${event}, with ${quirk}`,
      texts(quirk).filter(([, text], i) => text !== plain[i]?.[1]),
    ),
  )
  // One line is two events, by a quirk.
  if (event === "Cvr") return branches(event, plain)
  return event === "CvrTolerated" ? bent : [...branches(event, plain), ...bent]
}

const serverChapter = (state: TagOf<Server.State>): string =>
  chapter(
    `The server in ${state}`,
    Script.play(serverScript("MSNP7", [], state)).replaceAll("MSNP7", "MSNPn"),
    keysOf(serverEvents("MSNP7")).flatMap((event) => serverBranches(state, event)),
  )

/** What a line can be in a state: anything but a session's in a login; in a session, OUT, a session's, or nonsense. */
const clientReach = (state: ClientState): ReadonlyArray<ClientEvent> => {
  const lines = serverLines("MSNP7", 0)
  return keysOf(clientEvents("MSNP7")).filter((event) => {
    if (lines[event] === undefined) return true
    if (state === "AwaitDigest") return event === "Early"
    if (state === "LoggedIn") return /^(Out|Stray|Further)/.test(event)
    if (event === "VerSkipInf" || event === "VerPipelined") return state === "AwaitVer"
    return event !== "Further" && event !== "Early"
  })
}

const clientChapter = (state: ClientState): string =>
  chapter(
    `The client in ${state}`,
    Script.play(clientScript("MSNP7", state)).replaceAll("MSNP7", "MSNPn"),
    clientReach(state).flatMap((event) =>
      branches(
        event,
        Dialect.all.map((dialect) => {
          const way = clientScript(dialect, state)
          return [dialect, ending(way, clientScript(dialect, state, event), dialect)] as const
        }),
      ),
    ),
  )

/** Where a script for an event does not come to that event in that state, unless the connection is over. */
const astray = (
  scripts: ReadonlyArray<readonly [state: string, event: string, script: Script.Script]>,
): ReadonlyArray<string> =>
  scripts.flatMap(([state, event, script]) => {
    const { edges, lines } = Script.run(script)
    const { event: tag, from } = edges.at(-1) ?? { event: "nothing", from: "nowhere" }
    return lines.includes("<o> A defect") || (from === tagOf(state) && tag === tagOf(event))
      ? []
      : [`${event} in ${state} comes to ${tag} in ${from}`]
  })

const serverStates = keysOf(Server.table)
const clientStates = keysOf(clientWays("MSNP7"))
const named = (name: string) => `${name.replace(" ", "-")}.txt`

describe("the transcripts of the server", () => {
  it.each(serverStates)("say what becomes of each event in %s", async (state) => {
    await expect(serverChapter(state)).toMatchFileSnapshot(fileOf(`server/${named(state)}`))
  })

  it("come to each event in each state by what is said on the wire", () => {
    const scripts = serverStates
      .filter((state) => state !== "Closed")
      .flatMap((state) =>
        keysOf(serverEvents("MSNP7")).map(
          (event) =>
            [
              state,
              event,
              serverScript("MSNP7", event === "CvrTolerated" ? ["cvrAnytime"] : [], state, event),
            ] as const,
        ),
      )
    expect(astray(scripts)).toEqual([])
  })

  it("are a file for each state, and no other", () => {
    expect(filesIn("server")).toEqual(serverStates.map(named).toSorted())
  })
})

describe("the transcripts of the client", () => {
  it.each(clientStates)("say what becomes of each event in %s", async (state) => {
    await expect(clientChapter(state)).toMatchFileSnapshot(fileOf(`client/${named(state)}`))
  })

  it("come to each event in each state by what is said on the wire", () => {
    const scripts = clientStates
      .filter((state) => state !== "Closed" && state !== "Referred")
      .flatMap((state) =>
        clientReach(state).map((event) => [state, event, clientScript("MSNP7", state, event)] as const),
      )
    expect(astray(scripts)).toEqual([])
  })

  it("are a file for each state, and no other", () => {
    expect(filesIn("client")).toEqual(clientStates.map(named).toSorted())
  })
})

describe("a session, as a text", () => {
  it.each(filesIn("sessions"))("is what the machines say: %s", async (name) => {
    const text = Fs.readFileSync(fileOf(`sessions/${name}`), "utf8")
    await expect(Script.replay(text)).toMatchFileSnapshot(fileOf(`sessions/${name}`))
  })
})
