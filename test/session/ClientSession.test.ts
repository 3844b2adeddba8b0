import * as Chunk from "effect/Chunk"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import type { Postponed, Step, Tagged } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as ClientSession from "../../src/session/ClientSession.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import { crlf } from "../support/Frame.ts"
import type { Law } from "../support/Law.ts"
import { laws, unchanged } from "../support/Law.ts"
import { agreeWithTheTable, violations } from "../support/LawBook.ts"
import * as Script from "../support/Script.ts"

type Taken = Step<ClientSession.State, ClientSession.Action | Postponed<ClientSession.Event>>

const trId = (n: number) => TrId.TrId.make(n)
const name = (text: string) => FriendlyName.FriendlyName.make(text)
const bob = Account.Account.make("bob@hotmail.com")
const carol = Account.Account.make("carol@hotmail.com")

/** What a client has kept of an earlier session: lists of serial 5, with Bob on them. */
const kept: Lists.Lists = { ...Lists.empty, serial: 5, forward: [Lists.contact(bob, name("Bob"))] }

const encode = (command: ClientSession.Sayable): string =>
  Result.getOrThrow(
    Codec.encodeClient(command._tag === "Cvr" ? command : Result.getOrThrow(SessionClientCommand.encode(command))),
  )

/** Lists as the laws write them: the serial, and who is on them. */
const shortly = ({ allow, block, forward, reverse, serial }: Lists.Lists): string => {
  const list = (name: string, people: ReadonlyArray<Lists.Person>) => people.map(({ account }) => ` ${name} ${account}`)
  return [serial, ...list("FL", forward), ...list("AL", allow), ...list("BL", block), ...list("RL", reverse)].join("")
}

/** Fields or headers as the laws write them. */
const pairs = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")

/** Lines of lists as the laws write them: the encoded lines. */
const lines = (gathered: Chunk.Chunk<Lists.Line>): string =>
  Array.from(gathered, (line) => {
    const { parameters, verb } = Result.getOrThrow(SessionServerCommand.encode(line))
    return [verb, ...parameters].join(" ")
  }).join("; ")

const isGathered = Schema.is(Schema.Chunk(Lists.Line))

/** A state or a report as the laws write it. */
const inShort = (value: Tagged): string =>
  Script.describe(
    Object.fromEntries(
      Object.entries(value).map(([key, field]) => {
        if (Schema.is(Lists.Lists)(field)) return [key, shortly(field)]
        if (isGathered(field)) return [key, lines(field)]
        return [key, key === "fields" || key === "headers" ? pairs(field) : field]
      }),
    ),
  )

const escape = (bytes: string) => bytes.replaceAll("\r", String.raw`\r`).replaceAll("\n", String.raw`\n`)

/** What comes of a step: lines, the state last. */
const told = ({ actions, state }: Taken): ReadonlyArray<string> => [
  ...actions.map((action) => {
    switch (action._tag) {
      case "Say":
        return `>>> ${escape(encode(action.command))}`
      case "Report":
        return `<o> Client is told ${inShort(action.report)}`
      case "Deliver":
        return "<o> Client is handed the command"
      case "Close":
        return `<o> Client closes connection: ${action.why}`
      case "Postponed":
        return "<o> It waits"
    }
  }),
  `    ${inShort(state)}`,
]

const move = (state: ClientSession.State, event: ClientSession.Event): Taken => ClientSession.transition(state, event)

/** A line of the lists that the states await. */
const listed = (account: Account.Account, friendlyName: string): Lists.Line => ({
  _tag: "Lst",
  trId: trId(7),
  list: "FL",
  serial: 12,
  item: 1,
  total: 2,
  account,
  friendlyName: name(friendlyName),
  groups: [],
})

const states = {
  Unsynchronized: { _tag: "Unsynchronized", trId: trId(9), lists: ClientSession.noLists, pong: "NotDue" },
  AwaitSyn: { _tag: "AwaitSyn", trId: trId(9), lists: kept, pong: "NotDue", asked: trId(7) },
  AwaitLists: {
    _tag: "AwaitLists",
    trId: trId(9),
    lists: kept,
    pong: "NotDue",
    asked: trId(7),
    serial: 12,
    gathered: Chunk.of(listed(bob, "Bob")),
  },
  Synchronized: { _tag: "Synchronized", trId: trId(9), lists: kept, pong: "NotDue" },
  Closed: { _tag: "Closed", trId: trId(9) },
} as const satisfies { readonly [name: string]: ClientSession.State }
type StateName = keyof typeof states

const events = {
  SynSame: { _tag: "SynSame" },
  SynOther: { _tag: "SynOther", serial: 12 },
  ListLine: { _tag: "ListLine", line: listed(carol, "Carol") },
  ListEnd: { _tag: "ListEnd", line: { _tag: "LstEmpty", trId: trId(7), list: "RL", serial: 12 } },
  ListsEndless: { _tag: "ListsEndless" },
  ListsRefused: { _tag: "ListsRefused", code: 603 },
  StatusSet: { _tag: "StatusSet", status: "Busy" },
  ContactOnline: { _tag: "ContactOnline", account: bob, friendlyName: name("Bob"), status: "Away" },
  ContactOffline: { _tag: "ContactOffline", account: bob },
  Profile: { _tag: "Profile", fields: { LoginTime: "1050223025" } },
  Maintenance: { _tag: "Maintenance", minutes: 5 },
  Message: { _tag: "Message", headers: { "Content-Type": "text/plain" }, body: "Hello" },
  VersionAdvice: { _tag: "VersionAdvice", parameters: ["1.0.0000"] },
  Chl: { _tag: "Chl", challenge: Challenge.Challenge.make("15570131571988941333") },
  Qry: { _tag: "Qry" },
  Qng: { _tag: "Qng" },
  Refused: { _tag: "Refused", code: 201, trId: Option.some(trId(8)) },
  Other: { _tag: "Other" },
  Synchronize: { _tag: "Synchronize" },
  SetStatus: { _tag: "SetStatus", status: "OutToLunch" },
  ReportVersion: {
    _tag: "ReportVersion",
    parameters: ["0x0409", "win", "4.10", "i386", "MSMSGS", "3.6.0025", "MSMSGS"],
  },
  Ping: { _tag: "Ping" },
  Unanswered: { _tag: "Unanswered" },
} as const satisfies { readonly [name: string]: ClientSession.Event }
type EventName = keyof typeof events

const { defect, late, legal } = laws<StateName, EventName>()

const open: ReadonlyArray<StateName> = ["Unsynchronized", "AwaitSyn", "AwaitLists", "Synchronized"]
const ofLists: ReadonlyArray<EventName> = ["SynSame", "SynOther", "ListLine", "ListEnd", "ListsEndless", "ListsRefused"]

/** Each state in which the session goes on, as it is behind a move that uses up a TrID, or has QNG due. */
const behind = (trId: number, pong: string) =>
  ({
    Unsynchronized: `    Unsynchronized { trId: ${trId}, lists: 0, pong: ${pong} }`,
    AwaitSyn: `    AwaitSyn { trId: ${trId}, lists: 5 FL bob@hotmail.com, pong: ${pong}, asked: 7 }`,
    AwaitLists: `    AwaitLists { trId: ${trId}, lists: 5 FL bob@hotmail.com, pong: ${pong}, asked: 7, serial: 12, gathered: LST 7 FL 12 1 2 bob@hotmail.com Bob }`,
    Synchronized: `    Synchronized { trId: ${trId}, lists: 5 FL bob@hotmail.com, pong: ${pong} }`,
  }) as const

/** The same law in each of those states. */
const everywhere = (
  cites: Law<StateName, EventName>["cites"],
  event: EventName,
  line: string,
  after: ReturnType<typeof behind>,
) =>
  (["Unsynchronized", "AwaitSyn", "AwaitLists", "Synchronized"] as const).map((state) =>
    legal(cites, [state], [event], line === "" ? [after[state]] : [line, after[state]]),
  )

const reported = (report: string) => [`<o> Client is told ${report}`, unchanged]

/** What the sources have a client do; each law is written from the clauses that it names. */
const sessionLaws: ReadonlyArray<Law<StateName, EventName>> = [
  // SYN is answered with a serial: the one that the client has, or another, and then the lists follow, RL last.
  legal(
    ["beyond.hear-lists"],
    ["AwaitSyn"],
    ["SynSame"],
    [
      "<o> Client is told Synchronized { lists: 5 FL bob@hotmail.com }",
      "    Synchronized { trId: 9, lists: 5 FL bob@hotmail.com, pong: NotDue }",
    ],
  ),
  legal(
    ["beyond.hear-lists"],
    ["AwaitSyn"],
    ["SynOther"],
    ["    AwaitLists { trId: 9, lists: 5 FL bob@hotmail.com, pong: NotDue, asked: 7, serial: 12, gathered:  }"],
  ),
  legal(
    ["beyond.hear-lists"],
    ["AwaitLists"],
    ["ListLine"],
    [
      "    AwaitLists { trId: 9, lists: 5 FL bob@hotmail.com, pong: NotDue, asked: 7, serial: 12, gathered: LST 7 FL 12 1 2 bob@hotmail.com Bob; LST 7 FL 12 1 2 carol@hotmail.com Carol }",
    ],
  ),
  legal(
    ["beyond.hear-lists"],
    ["AwaitLists"],
    ["ListEnd"],
    [
      "<o> Client is told Synchronized { lists: 12 FL bob@hotmail.com }",
      "    Synchronized { trId: 9, lists: 12 FL bob@hotmail.com, pong: NotDue }",
    ],
  ),
  legal(
    ["beyond.hear-lists"],
    ["AwaitLists"],
    ["ListsEndless"],
    ["<o> Client closes connection: ListsEndless", "    Closed { trId: 9 }"],
  ),
  legal(
    ["beyond.hear-lists"],
    ["AwaitSyn", "AwaitLists"],
    ["ListsRefused"],
    [
      "<o> Client is told ListsRefused { code: 603 }",
      "    Unsynchronized { trId: 9, lists: 5 FL bob@hotmail.com, pong: NotDue }",
    ],
  ),
  legal(
    ["beyond.hear-lists"],
    ["Unsynchronized"],
    ["Synchronize"],
    [String.raw`>>> SYN 9 0\r\n`, "    AwaitSyn { trId: 10, lists: 0, pong: NotDue, asked: 9 }"],
  ),
  legal(
    ["beyond.hear-lists"],
    ["Synchronized"],
    ["Synchronize"],
    [String.raw`>>> SYN 9 5\r\n`, "    AwaitSyn { trId: 10, lists: 5 FL bob@hotmail.com, pong: NotDue, asked: 9 }"],
  ),
  late(["AwaitSyn", "AwaitLists"], ["Synchronize"]),

  // What is heard of people, and of oneself.
  legal(["beyond.hear-status"], open, ["StatusSet"], reported("StatusSet { status: Busy }")),
  legal(
    ["beyond.hear-status"],
    open,
    ["ContactOnline"],
    reported("ContactOnline { account: bob@hotmail.com, friendlyName: Bob, status: Away }"),
  ),
  legal(["beyond.hear-status"], open, ["ContactOffline"], reported("ContactOffline { account: bob@hotmail.com }")),
  ...everywhere(["beyond.hear-status"], "SetStatus", String.raw`>>> CHG 9 LUN\r\n`, behind(10, "NotDue")),

  // Messages.
  legal(
    ["next.messages", "beyond.hear-messages"],
    open,
    ["Profile"],
    reported("Profile { fields: LoginTime 1050223025 }"),
  ),
  legal(["next.messages", "beyond.hear-messages"], open, ["Maintenance"], reported("Maintenance { minutes: 5 }")),
  legal(
    ["next.messages", "beyond.hear-messages"],
    open,
    ["Message"],
    reported("Message { headers: Content-Type text/plain, body: Hello }"),
  ),

  // Is this the official client? The digest is the one that hypothetic's page shows for this challenge.
  ...everywhere(
    ["beyond.hear-challenge"],
    "Chl",
    String.raw`>>> QRY 9 msmsgs@msnmsgr.com 32\r\n8f2f5a91b72102cd28355e9fc9000d6e`,
    behind(10, "NotDue"),
  ),
  legal(["beyond.hear-challenge"], open, ["Qry"], [unchanged]),

  // Is the server there?
  ...everywhere(["beyond.ping"], "Ping", String.raw`>>> PNG\r\n`, behind(9, "Due")),
  legal(["beyond.ping"], open, ["Qng"], [unchanged]),
  legal(["beyond.ping"], open, ["Unanswered"], ["<o> Client closes connection: Unanswered", "    Closed { trId: 9 }"]),

  // The version, and everything else.
  ...everywhere(
    ["beyond.say-version"],
    "ReportVersion",
    String.raw`>>> CVR 9 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS\r\n`,
    behind(10, "NotDue"),
  ),
  legal(["beyond.hear-rest"], open, ["VersionAdvice"], reported("VersionAdvice { parameters: [1.0.0000] }")),
  legal(["beyond.failure-form", "beyond.hear-rest"], open, ["Refused"], reported("Refused { code: 201, trId: 8 }")),
  legal(["beyond.hear-rest"], open, ["Other"], ["<o> Client is handed the command", unchanged]),

  // A line of the lists is one only where the lists are awaited.
  defect(["Unsynchronized", "Synchronized"], ofLists),
  defect(["AwaitSyn"], ["ListLine", "ListEnd", "ListsEndless"]),
  defect(["AwaitLists"], ["SynSame", "SynOther"]),

  late(
    ["Closed"],
    Object.keys(events).filter((event): event is EventName => event in events),
  ),
]

const subject = {
  laws: sessionLaws,
  table: ClientSession.table,
  states: () => states,
  events: () => events,
  cell: (state: StateName, event: EventName) => ClientSession.table[states[state]._tag][events[event]._tag],
  describe: inShort,
  follow: (_: unknown, state: StateName, event: EventName) =>
    Script.defused(() =>
      told(ClientSession.transition<ClientSession.State, ClientSession.Event>(states[state], events[event])),
    ),
}

describe("the laws of a client's session", () => {
  agreeWithTheTable(subject)

  it("hold, to the byte", () => {
    expect(violations(subject, Quirk.none)).toEqual([])
  })
})

/** A session that hears bytes; what it says, and what its application is told, one entry for each. */
const session = (first: Taken) => {
  let { state } = first
  const carryOut = ({ actions, state: next }: Taken, heard?: ClientSession.Heard): ReadonlyArray<unknown> => {
    state = next
    return actions.map((action) => {
      switch (action._tag) {
        case "Say":
          return encode(action.command)
        case "Report":
          return action.report
        case "Deliver":
          return heard
        case "Close":
        case "Postponed":
          return action._tag
      }
    })
  }
  return {
    hello: carryOut(first),
    hear: (bytes: string): ReadonlyArray<unknown> => {
      const happened: Array<unknown> = []
      let rest = bytes
      while (rest !== "") {
        const taken = Line.take(rest, Line.serverPayloads, Line.clientLimits)
        if (taken._tag !== "Whole") throw new Error(`This is no whole line: ${rest}`)
        rest = taken.rest
        const decoded = Codec.decodeServer(taken.frame)
        const heard = Result.isSuccess(decoded) ? decoded.success : decoded.failure
        if (heard._tag === "Unreadable") throw new Error(heard.why)
        happened.push(...carryOut(move(state, ClientSession.classify(state, heard)), heard))
      }
      return happened
    },
    feed: (event: ClientSession.Event) => carryOut(move(state, event)),
    state: () => state,
  }
}

const begin = (options: Partial<ClientSession.Options> = {}) =>
  session(
    ClientSession.start({
      trId: trId(5),
      lists: ClientSession.noLists,
      status: "Online",
      version: Option.none(),
      ...options,
    }),
  )

const foreign = (verb: string, ...parameters: ReadonlyArray<string>) => ({
  _tag: "Foreign",
  verb,
  parameters,
  payload: "",
})

describe("a client's session", () => {
  it(
    "begins as that of a real Messenger 1.0 does, to the byte: SYN, CHG, CVR",
    { tags: ["next.sync", "next.status", "next.cvr", "beyond.say-version"] },
    () => {
      const version = ["0x0409", "win", "4.0", "i386", "MSMSGS", "1.0.0863"]
      const { hello } = begin({ trId: trId(143), version: Option.some(version) })
      expect(hello.join("")).toBe(crlf("SYN 143 0", "CHG 144 NLN", "CVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863"))
    },
  )

  it("begins without CVR where no version is to be reported, with another status, and with the serial that is kept", () => {
    const { hello } = begin({ lists: kept, status: "Hidden" })
    expect(hello.join("")).toBe(crlf("SYN 5 5", "CHG 6 HDN"))
  })

  it("goes on with TrID 1 behind the largest", () => {
    const { hello } = begin({ trId: trId(TrId.maximum) })
    expect(hello.join("")).toBe(crlf("SYN 4294967295 0", "CHG 1 NLN"))
  })

  it("spends TrIDs of the application's own, so that none is used twice", () => {
    const { state } = ClientSession.start({ trId: trId(5), lists: kept, status: "Online", version: Option.none() })
    expect(state.trId).toBe(7)
    expect(ClientSession.spend(state).trId).toBe(8)
    expect(move(ClientSession.spend(state), { _tag: "SetStatus", status: "Busy" }).actions).toEqual([
      { _tag: "Say", command: { _tag: "Chg", trId: 8, status: "Busy" } },
    ])
  })

  it(
    "is content with what a hobby server answers Messenger 1.0",
    { tags: ["beyond.hear-lists", "beyond.hear-status", "beyond.hear-rest"] },
    () => {
      const { hear, state } = begin({ trId: trId(143) })
      expect(hear(crlf("SYN 143 0"))).toEqual([{ _tag: "Synchronized", lists: ClientSession.noLists }])
      expect(hear(crlf("CHG 144 NLN"))).toEqual([{ _tag: "StatusSet", status: "Online" }])
      const answer = [
        "1.0.0864",
        "1.0.0864",
        "1.0.0863",
        "http://messenger.hotmail.com/mmsetup.exe",
        "http://messenger.hotmail.com",
      ]
      expect(hear(crlf(`CVR 145 ${answer.join(" ")}`))).toEqual([{ _tag: "VersionAdvice", parameters: answer }])
      expect(hear(crlf(`CVQ 146 ${answer.join(" ")}`))).toEqual([{ _tag: "VersionAdvice", parameters: answer }])
      expect(state()._tag).toBe("Synchronized")
    },
  )
})

describe("the lists of a client's session", () => {
  const people = [{ account: bob, friendlyName: name("Bob B") }]
  const gathered: Lists.Lists = {
    ...Lists.empty,
    serial: 255,
    addPolicy: "N",
    privacyPolicy: "BL",
    forward: [{ account: bob, friendlyName: name("Bob B"), groups: [0], phones: [] }],
    allow: people,
    reverse: people,
  }
  const phones: Partial<Lists.Lists> = {
    phones: [{ property: "PHH", value: "555 555-0690" }],
    forward: [{ account: bob, friendlyName: name("Bob B"), groups: [0], phones: [{ property: "MOB", value: "Y" }] }],
  }
  const groups: Partial<Lists.Lists> = {
    ...phones,
    groups: [
      { id: 0, name: name("~") },
      { id: 3, name: name("Old Friends") },
    ],
    forward: [{ account: bob, friendlyName: name("Bob B"), groups: [0, 3], phones: [{ property: "MOB", value: "Y" }] }],
  }
  const al = "LST 5 AL 255 1 1 bob@hotmail.com Bob%20B"
  const rl = "LST 5 RL 255 1 1 bob@hotmail.com Bob%20B"
  const plain = ["GTC 5 255 N", "BLP 5 255 BL", "LST 5 FL 255 1 1 bob@hotmail.com Bob%20B", al, "LST 5 BL 255 0 0", rl]
  const phoned = [
    ...plain.slice(0, 2),
    "PRP 5 255 PHH 555%20555-0690",
    ...plain.slice(2, 3),
    "BPR 255 bob@hotmail.com MOB Y",
    ...plain.slice(3),
  ]
  const grouped = [
    ...phoned.slice(0, 3),
    "LSG 5 255 1 2 0 ~ 0",
    "LSG 5 255 2 2 3 Old%20Friends 0",
    "LST 5 FL 255 1 1 bob@hotmail.com Bob%20B 0,3",
    ...phoned.slice(4),
  ]

  it.each([
    ["MSNP2", plain, gathered],
    ["MSNP3", plain, gathered],
    ["MSNP4", plain, gathered],
    ["MSNP5", phoned, { ...gathered, ...phones }],
    ["MSNP6", phoned, { ...gathered, ...phones }],
    ["MSNP7", grouped, { ...gathered, ...groups }],
  ] as const)("are gathered as %s tells them, and told with the last line and not before", (_, lines, lists) => {
    const { hear, state } = begin()
    expect(hear(crlf("SYN 5 255", ...lines.slice(0, -1)))).toEqual([])
    expect(state()._tag).toBe("AwaitLists")
    expect(hear(crlf(rl))).toEqual([{ _tag: "Synchronized", lists }])
    expect(state()).toEqual({ _tag: "Synchronized", trId: 7, lists, pong: "NotDue" })
  })

  it("are whole where the last list is empty", () => {
    const { hear } = begin()
    hear(crlf("SYN 5 1", "GTC 5 1 A", "BLP 5 1 AL", "LST 5 FL 1 0 0", "LST 5 AL 1 0 0", "LST 5 BL 1 0 0"))
    expect(hear(crlf("LST 5 RL 1 0 0"))).toEqual([{ _tag: "Synchronized", lists: Lists.empty }])
  })

  it("stand where the server has the same serial, and what follows is no list", () => {
    const { hear } = begin({ lists: kept })
    expect(hear(crlf("SYN 5 5"))).toEqual([{ _tag: "Synchronized", lists: kept }])
    expect(hear(crlf("LST 5 FL 5 0 0"))).toEqual([foreign("LST", "5", "FL", "5", "0", "0")])
  })

  it("follow where the server has an older serial, too", () => {
    const { hear } = begin({ lists: kept })
    hear(crlf("SYN 5 4"))
    expect(hear(crlf("LST 5 RL 4 0 0"))).toEqual([{ _tag: "Synchronized", lists: { ...Lists.empty, serial: 4 } }])
  })

  it("are told at once, however many people are on them", () => {
    const { hear } = begin()
    const count = 20_000
    const people = Array.from({ length: count }, (_, i) => `${i}@hotmail.com`)
    hear(crlf("SYN 5 255"))
    people.forEach((account, i) => {
      hear(crlf(`LST 5 FL 255 ${i + 1} ${count} ${account} Bob`, `BPR 255 ${account} PHH ${i}`))
    })
    const contacts = people.map((account, i) => ({
      account,
      friendlyName: "Bob",
      groups: [0],
      phones: [{ property: "PHH", value: String(i) }],
    }))
    expect(hear(crlf("LST 5 RL 255 0 0"))).toEqual([
      { _tag: "Synchronized", lists: { ...Lists.empty, serial: 255, forward: contacts } },
    ])
  })

  it("end the session where they have no end: a hundred thousand lines are taken", () => {
    const { hear, state } = begin()
    hear(crlf("SYN 5 255"))
    const endless = crlf("LST 5 AL 255 1 2 bob@hotmail.com Bob")
    for (let i = 0; i < 100_000; i++) hear(endless)
    expect(state()._tag).toBe("AwaitLists")
    expect(hear(endless)).toEqual(["Close"])
    expect(state()).toEqual({ _tag: "Closed", trId: 7 })
  })

  it("are asked for again where the application wants it, and what was kept stays until they are there", () => {
    const { feed, hear, state } = begin({ lists: kept })
    hear(crlf("SYN 5 5"))
    expect(feed({ _tag: "Synchronize" })).toEqual([crlf("SYN 7 5")])
    hear(crlf("SYN 7 6", "GTC 7 6 A"))
    expect(state()).toMatchObject({ _tag: "AwaitLists", lists: kept })
    hear(crlf("LST 7 RL 6 0 0"))
    expect(state()).toMatchObject({ _tag: "Synchronized", lists: { serial: 6 } })
  })

  it("are refused by an error with the TrID of SYN, and by no other", () => {
    const { feed, hear } = begin({ lists: kept })
    expect(hear(crlf("201 6"))).toEqual([{ _tag: "Refused", code: 201, trId: Option.some(6) }])
    expect(hear(crlf("603"))).toEqual([{ _tag: "Refused", code: 603, trId: Option.none() }])
    expect(hear(crlf("603 5"))).toEqual([{ _tag: "ListsRefused", code: 603 }])
    expect(hear(crlf("603 5"))).toEqual([{ _tag: "Refused", code: 603, trId: Option.some(5) }])
    expect(feed({ _tag: "Synchronize" })).toEqual([crlf("SYN 7 5")])
  })

  it.each(["SYN 6 255", "SYN 5", "LST 5 RL 255 0 0", "BPR 255 bob@hotmail.com MOB Y"])(
    "are not in %s before the answer to SYN",
    (line) => {
      const { hear, state } = begin()
      const [verb = "", ...parameters] = line.split(" ")
      expect(hear(crlf(line))).toEqual([foreign(verb, ...parameters)])
      expect(state()._tag).toBe("AwaitSyn")
    },
  )

  it.each(["SYN 5 255", "GTC 6 255 A", "LST 6 RL 255 0 0", "PRP 0 255 PHH 1", "LST 5 RL 255 1"])(
    "are not in %s, which answers something else or nothing",
    (line) => {
      const { hear, state } = begin()
      hear(crlf("SYN 5 255"))
      const before = state()
      const [verb = "", ...parameters] = line.split(" ")
      expect(hear(crlf(line))).toEqual([foreign(verb, ...parameters)])
      expect(state()).toEqual(before)
    },
  )
})

describe("what a client's session hears of others", () => {
  it.each([
    ["CHG 6 BSY", { _tag: "StatusSet", status: "Busy" }],
    ["CHG 0 HDN", { _tag: "StatusSet", status: "Hidden" }],
    [
      "ILN 6 AWY bob@hotmail.com Bob%20B",
      { _tag: "ContactOnline", account: bob, friendlyName: "Bob B", status: "Away" },
    ],
    ["NLN NLN bob@hotmail.com Bob", { _tag: "ContactOnline", account: bob, friendlyName: "Bob", status: "Online" }],
    ["FLN bob@hotmail.com", { _tag: "ContactOffline", account: bob }],
  ])("is told: %s", { tags: ["beyond.hear-status"] }, (line, report) => {
    expect(begin().hear(crlf(line))).toEqual([report])
  })

  it("is the profile, as a server of MSNP2 sends it", { tags: ["next.messages", "beyond.hear-messages"] }, () => {
    const payload =
      "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\nLoginTime: 1050223025\r\n\r\n"
    expect(begin().hear(`MSG Hotmail Hotmail 95\r\n${payload}`)).toEqual([
      { _tag: "Profile", fields: { LoginTime: "1050223025" } },
    ])
  })

  it("is the announcement that the server goes down", { tags: ["beyond.hear-messages"] }, () => {
    const payload = "MIME-Version: 1.0\r\nContent-Type: application/x-msmsgssystemmessage\r\n\r\nType: 1\r\nArg1: 5\r\n"
    expect(begin().hear(`MSG Hotmail Hotmail 88\r\n${payload}`)).toEqual([{ _tag: "Maintenance", minutes: 5 }])
  })

  it("is any other message, with its headers and its body", () => {
    const payload =
      "MIME-Version: 1.0\r\nContent-Type: application/x-msmsgsemailnotification\r\n\r\nInbox-Unread: 1\r\n"
    expect(begin().hear(`MSG Hotmail Hotmail ${payload.length}\r\n${payload}`)).toEqual([
      {
        _tag: "Message",
        headers: { "MIME-Version": "1.0", "Content-Type": "application/x-msmsgsemailnotification" },
        body: "Inbox-Unread: 1\r\n",
      },
    ])
  })

  it.each([
    "RNG 11752099 64.4.12.193:1863 CKI 849102291.520491932 myname@msn.com My%20Name",
    "ADD 0 RL 256 carol@hotmail.com Carol",
    "URL 8 /cgi-bin/HoTMaiL https://loginnet.passport.com/ppsecure/md5auth.srf?lc=1033 2",
    "CHG 6 XXX",
    "FLN nobody",
  ])("is handed over as it came: %s", { tags: ["beyond.hear-rest"] }, (line) => {
    const [verb = "", ...parameters] = line.split(" ")
    expect(begin().hear(crlf(line))).toEqual([foreign(verb, ...parameters)])
  })

  it("is handed over as it came where it begins like an answer of the login", { tags: ["beyond.hear-rest"] }, () => {
    expect(begin().hear(crlf("XFR 10 SB 64.4.12.193:1863 CKI 16925950.1016955577.17693"))).toMatchObject([
      { _tag: "Malformed", verb: "XFR", trId: 10 },
    ])
    expect(begin().hear(crlf("INF 5 MD5"))).toEqual([{ _tag: "Inf", trId: 5, packages: ["MD5"] }])
  })
})

describe("a challenge in a client's session", () => {
  it.each([
    ["15570131571988941333", "8f2f5a91b72102cd28355e9fc9000d6e"],
    ["12345678901234567890", "8ba1bb9d6dbf624fee31a2053af5fdd0"],
    ["11111111111111111111", "3b6666b60157322b6fc6e41a115968f5"],
    ["29409134351025259292", "d0c1178c689350104350d99f8c36ed9c"],
  ])("is answered at once: %s", { tags: ["beyond.hear-challenge"] }, (challenge, digest) => {
    const { hear } = begin()
    expect(hear(crlf(`CHL 0 ${challenge}`))).toEqual([`QRY 7 msmsgs@msnmsgr.com 32\r\n${digest}`])
    expect(hear(crlf("QRY 7"))).toEqual([])
  })

  it("that is not met is told as an error", () => {
    expect(begin().hear(crlf("540 7"))).toEqual([{ _tag: "Refused", code: 540, trId: Option.some(7) }])
  })
})

describe("the question whether the server is there", { tags: ["beyond.ping"] }, () => {
  it("is PNG, and the end where QNG has not come by the time of the next", () => {
    const { feed, hear, state } = begin()
    expect(feed(ClientSession.due(state()))).toEqual(["PNG\r\n"])
    expect(hear(crlf("QNG"))).toEqual([])
    expect(feed(ClientSession.due(state()))).toEqual(["PNG\r\n"])
    expect(hear(crlf("CHG 6 NLN"))).toHaveLength(1)
    expect(feed(ClientSession.due(state()))).toEqual(["Close"])
    expect(feed(ClientSession.due(state()))).toEqual([])
  })

  it("is open across the answer to SYN and the lists", () => {
    const { feed, hear, state } = begin()
    feed(ClientSession.due(state()))
    hear(crlf("SYN 5 9", "LST 5 RL 9 0 0"))
    expect(state()).toMatchObject({ _tag: "Synchronized", pong: "Due" })
    hear(crlf("QNG 60"))
    expect(state()).toMatchObject({ pong: "NotDue" })
  })
})
