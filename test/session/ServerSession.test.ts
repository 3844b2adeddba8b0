import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as Message from "../../src/session/Message.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"
import * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { crlf, frame } from "../support/Frame.ts"
import type { Subject } from "../support/LawBook.ts"
import { agreeWithTheTable, violations } from "../support/LawBook.ts"
import { clientCommands } from "../support/SessionArbitraries.ts"
import { cells } from "../support/WholeSpace.ts"
import { events, follow, inShort, serverSessionLaws, states } from "./ServerSessionLaws.ts"

const subject = {
  laws: serverSessionLaws,
  table: ServerSession.table,
  states,
  events: () => events,
  cell: (state, event) => ServerSession.table[state][events[event]._tag],
  describe: inShort,
  follow,
} satisfies Subject<keyof ReturnType<typeof states>, keyof typeof events>

describe("the laws of a server's session", () => {
  agreeWithTheTable(subject)

  it("hold in every dialect, to the byte", () => {
    expect(violations(subject, Quirk.none)).toEqual([])
  })
})

const alice = Account.Account.make("alice@hotmail.com")
const challenge = Challenge.Challenge.make("15570131571988941333")
const answer = "8f2f5a91b72102cd28355e9fc9000d6e"
const inbox = {
  path: "/cgi-bin/HoTMaiL",
  login: "https://loginnet.passport.com/ppsecure/md5auth.srf?lc=1033",
  site: "2",
}

/** A session with a server without a socket: bytes in, bytes out. */
const begin = (dialect: Dialect.Dialect = "MSNP7", { classify, transition } = ServerSession.make({ INBOX: inbox })) => {
  const first = ServerSession.start({
    dialect,
    lists: Lists.empty,
    profile: Message.profile(dialect, alice, 1050223025),
  })
  let state: ServerSession.State = first.state
  const alarms: Array<ServerSession.Alarm> = []
  const carryOut = (actions: ReturnType<typeof transition>["actions"]): string =>
    actions
      .map((action) => {
        if (action._tag === "SetAlarm") alarms.push(action.alarm)
        return action._tag === "Say"
          ? Result.getOrThrow(Result.flatMap(ServerSession.toServerCommand(action.command), Codec.encodeServer))
          : ""
      })
      .join("")
  const feed = (event: ServerSession.Event) => {
    const step = transition(state, event)
    state = step.state
    return carryOut(step.actions)
  }
  const hear = (bytes: string): string => {
    let said = ""
    let rest = bytes
    while (rest !== "") {
      const taken = Line.take(rest, Line.clientPayloads, Line.serverLimits)
      if (taken._tag !== "Whole") throw new Error(`These bytes are not whole commands: ${rest}`)
      rest = taken.rest
      said += feed(classify(state, Result.merge(Codec.decodeClient(taken.frame))))
    }
    return said
  }
  return { greeting: carryOut(first.actions), hear, feed, alarms, state: () => state._tag, is: () => state }
}

/** The session of somebody who has taken a status, and owes an answer. */
const challenged = (dialect?: Dialect.Dialect) => {
  const session = begin(dialect)
  session.hear("CHG 4 NLN\r\n")
  session.feed({ _tag: "Challenge", challenge })
  return session
}

const over = { _tag: "Closed", reason: "Misbehaved" }

describe("a session", () => {
  it(
    "begins with the profile, and MSNP2's has the time of the login alone",
    { tags: ["next.messages", "beyond.profile"] },
    () => {
      const payload = crlf(
        "MIME-Version: 1.0",
        "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
        "LoginTime: 1050223025",
        "",
      )
      expect(begin("MSNP2").greeting).toBe(`MSG Hotmail Hotmail 95\r\n${payload}`)
      expect(begin("MSNP7").greeting).toContain("preferredEmail: alice@hotmail.com\r\n")
    },
  )

  // A real MSN Messenger 1.0.0863, whose log has no lists, since that server had none.
  it("shows MSN Messenger 1.0 itself signed in", () => {
    const session = begin("MSNP2")
    expect(session.hear("SYN 143 1\r\n")).toBe("SYN 143 1\r\n")
    expect(session.hear("CHG 144 NLN\r\n")).toBe("CHG 144 NLN\r\n")
    expect(session.hear("CVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863\r\n")).toBe(
      "CVR 145 1.0.0863 1.0.0863 1.0.0000 http://messenger.microsoft.com http://messenger.microsoft.com\r\n",
    )
    expect(session.hear("OUT\r\n")).toBe("")
    expect(session.is()).toEqual({ _tag: "Closed", reason: "LoggedOff" })
    expect(session.alarms).toEqual([])
  })

  it("tells a client without lists everything, down to RL", { tags: ["beyond.syn", "beyond.lists"] }, () => {
    expect(begin("MSNP5").hear("SYN 143 0\r\n")).toBe(
      crlf(
        "SYN 143 1",
        "GTC 143 1 A",
        "BLP 143 1 AL",
        ...["FL", "AL", "BL", "RL"].map((list) => `LST 143 ${list} 1 0 0`),
      ),
    )
  })

  it("answers what comes at once in its order", () => {
    expect(begin("MSNP4").hear("SYN 1 1\r\nCHG 2 NLN\r\nPNG\r\n")).toBe(crlf("SYN 1 1", "CHG 2 NLN", "QNG"))
  })

  it.each([
    ["CHG 19 FLN", "201 19"],
    ["PNG", "QNG"],
    ["PNG 5", "QNG"],
    ["URL 15 INBOX", `URL 15 ${inbox.path} ${inbox.login} 2`],
    ["URL 15 CHAT", "502 15"],
    ["URL 15 toString", "502 15"],
    ["VER 9 MSNP7", "200 9"],
    ["VER 9", "200 9"],
    ["INF 9", "200 9"],
    ["USR 20 MD5 I example@passport.com", "207 20"],
    ["USR 21 MD5 S 6b05a0f5b1aa0959e128cfdd513ccf5c", "207 21"],
    ["USR 22 TWN I a@b", "207 22"],
    ["USR 23", "207 23"],
    ["CVR 8", "710 8"],
    ["CVR 8 0x0409 win 4.10 i386 MSMSGS", "710 8"],
    ["CVQ 8 0x0409 win 4.10 i386 MSMSGS", "710 8"],
    ["SYN 8", "200 8"],
    ["SYN 8 now", "200 8"],
    ["CHG 8", "200 8"],
    ["CHG 8 NLN 0", "200 8"],
    ["URL 8", "200 8"],
    ["ADD 20 FL a@b a@b", "502 20"],
    ["XFR 10 SB", "502 10"],
    ["FND 3 fname=a lname=b city=* state=* country=*", "502 3"],
    ["SND 22 x 0x409 MSMSGS MSMSGS", "502 22"],
    ["XYZ 1", "502 1"],
  ])(
    "goes on behind %s, answered with %s",
    {
      tags: [
        "beyond.chg-offline",
        "beyond.png",
        "beyond.url",
        "beyond.login-again",
        "beyond.usr-again",
        "beyond.cvr-bad",
        "beyond.parameters",
        "beyond.unserved",
      ],
    },
    (line, said) => {
      for (const session of [begin(), challenged()]) {
        const before = session.is()
        expect(session.hear(`${line}\r\n`)).toBe(`${said}\r\n`)
        expect(session.is()).toBe(before)
      }
    },
  )

  it.each([
    ["CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS", "CVR 7 3.6.0025 3.6.0025 1.0.0000"],
    ["CVR 145 0x0409 win 4.0 i386 MSMSGS 1.0.0863", "CVR 145 1.0.0863 1.0.0863 1.0.0000"],
    ["CVQ 6 0x0409 winnt 5.1 i386 MSMSGS 1.0.0863", "CVQ 6 1.0.0863 1.0.0863 1.0.0000"],
    // Clients of MSNP4 to MSNP7 send an empty seventh parameter.
    ["CVQ 2 0x0409 win 4.10 i386 MSMSGS 1.0.0863 ", "CVQ 2 1.0.0863 1.0.0863 1.0.0000"],
  ])("recommends to a client the version that it has: %s", { tags: ["beyond.cvr-in-session"] }, (line, said) => {
    expect(begin().hear(`${line}\r\n`)).toMatch(new RegExp(`^${said} http:\\S+ http:\\S+\\r\\n$`))
  })

  it.each([
    "CHG 8 XXX\r\n",
    "CHG 8 nln\r\n",
    "MSG 5 U 3\r\nabc",
    "MSG 0\r\n",
    "SYN\r\n",
    "CHG NLN\r\n",
    "CVQ\r\n",
    "XYZ\r\n",
    "URL 4294967296 INBOX\r\n",
    "CVR\r\n",
    "syn 1 0\r\n",
  ])(
    "ends without a word at %j",
    { tags: ["beyond.chg-unknown", "beyond.msg", "beyond.trid", "beyond.verb"] },
    (bytes) => {
      for (const session of [begin(), challenged()]) {
        expect(session.hear(bytes)).toBe("")
        expect(session.is()).toEqual(over)
      }
    },
  )

  it("keeps the status that was taken last", { tags: ["beyond.chg"] }, () => {
    const session = begin()
    session.hear("CHG 1 NLN\r\nCHG 2 BRB\r\n")
    expect(session.is()).toMatchObject({ _tag: "Online", status: "BeRightBack" })
    session.hear("CHG 3 FLN\r\n")
    expect(session.is()).toMatchObject({ _tag: "Online", status: "BeRightBack" })
  })

  it("tells how long the server is still there", { tags: ["closing.warning"] }, () => {
    const session = begin()
    expect(session.feed({ _tag: "Warn", minutes: 5 })).toBe(
      `MSG Hotmail Hotmail 88\r\n${crlf("MIME-Version: 1.0", "Content-Type: application/x-msmsgssystemmessage", "", "Type: 1", "Arg1: 5")}`,
    )
  })
})

describe("a challenge", () => {
  it.each(["MSNP6", "MSNP7"] as const)(
    "is due behind the first CHG, and again behind each right answer, in %s",
    { tags: ["beyond.chl", "beyond.qry"] },
    (dialect) => {
      const session = begin(dialect)
      session.hear("SYN 3 1\r\n")
      expect(session.alarms).toEqual([])
      session.hear("CHG 4 NLN\r\nCHG 5 AWY\r\n")
      expect(session.alarms).toEqual(["FirstChallenge"])
      expect(session.feed({ _tag: "Challenge", challenge })).toBe("CHL 0 15570131571988941333\r\n")
      expect(session.alarms).toEqual(["FirstChallenge", "Overdue"])
      expect(session.hear(`QRY 1049 msmsgs@msnmsgr.com 32\r\n${answer}`)).toBe("QRY 1049\r\n")
      expect(session.is()).toMatchObject({ _tag: "Online", status: "Away" })
      expect(session.alarms).toEqual(["FirstChallenge", "Overdue", "NextChallenge"])
    },
  )

  it.each(["MSNP2", "MSNP3", "MSNP4", "MSNP5"] as const)(
    "never comes in %s, whatever the shell feeds",
    { tags: ["beyond.chl"] },
    (dialect) => {
      const session = begin(dialect)
      session.hear("CHG 4 NLN\r\n")
      expect(session.feed({ _tag: "Challenge", challenge })).toBe("")
      expect(session.state()).toBe("Online")
      expect(session.alarms).toEqual([])
    },
  )

  it("may be answered with digits of either letter case", { tags: ["beyond.digest-case"] }, () => {
    expect(challenged().hear(`QRY 1 msmsgs@msnmsgr.com 32\r\n${answer.toUpperCase()}`)).toBe("QRY 1\r\n")
  })

  it.each([
    ["another digest", "QRY 5 msmsgs@msnmsgr.com 32\r\n3b6666b60157322b6fc6e41a115968f5"],
    ["another program", `QRY 5 PROD0038W!61ZTF9 32\r\n${answer}`],
    ["a digest too short", `QRY 5 msmsgs@msnmsgr.com 31\r\n${answer.slice(1)}`],
    ["no digest", "QRY 5 msmsgs@msnmsgr.com 0\r\n"],
    ["nothing but a length", "QRY 5 0\r\n"],
  ])("that is answered with %s ends the session with 540", { tags: ["beyond.qry-wrong"] }, (_, bytes) => {
    const session = challenged()
    expect(session.hear(bytes)).toBe("540 5\r\n")
    expect(session.is()).toEqual(over)
  })

  it("that is answered twice ends it, too: nobody has asked any more", { tags: ["beyond.qry-wrong"] }, () => {
    const session = challenged()
    expect(session.hear(`QRY 5 msmsgs@msnmsgr.com 32\r\n${answer}QRY 6 msmsgs@msnmsgr.com 32\r\n${answer}`)).toBe(
      crlf("QRY 5", "540 6"),
    )
    expect(session.is()).toEqual(over)
  })

  it("that nobody answers in time ends it without a word", { tags: ["beyond.qry-overdue"] }, () => {
    const session = challenged()
    expect(session.hear("PNG\r\n")).toBe("QNG\r\n")
    expect(session.feed({ _tag: "Overdue" })).toBe("")
    expect(session.is()).toEqual({ _tag: "Closed", reason: "Unanswered" })
  })
})

describe("each state with each event", () => {
  const all = Dialect.all.flatMap((dialect) => Object.values<ServerSession.State>(states(dialect)))

  it("is never a defect for what a client says, whatever it is", () => {
    const typed = fc
      .oneof(...Object.values<fc.Arbitrary<SessionClientCommand.SessionClientCommand>>(clientCommands))
      .map((command) => Result.getOrThrow(SessionClientCommand.encode(command)))
    const said = fc.oneof(...Object.values<fc.Arbitrary<ServerSession.Heard>>(Arbitraries.clientCommands))
    const verbs = fc.constantFrom("SYN", "CHG", "PNG", "QRY", "URL", "CVQ", "MSG", "USR", "VER", "CVR", "OUT", "ADD")
    const line = fc
      .tuple(verbs, fc.array(Arbitraries.word, { maxLength: 4 }))
      .map(([verb, words]) => Result.merge(Codec.decodeClient(frame([verb, ...words].join(" ")))))
    fc.assert(
      fc.property(fc.oneof(typed, said, line), fc.constantFrom(...all), (heard, state) => {
        expect(ServerSession.table[state._tag][ServerSession.classify(state, heard)._tag].kind).not.toBe("misuse")
      }),
    )
  })

  it("can be reached from the beginning, and the end from everywhere", () => {
    const reached = new Set<string>(["AwaitChg"])
    for (const from of reached) {
      for (const { cell, state } of cells(
        { table: ServerSession.table, states: all, events: Object.values(events) },
        "rule",
      )) {
        if (state._tag === from && cell.kind === "rule") for (const to of cell.to) reached.add(to)
      }
    }
    expect(reached).toEqual(new Set(Object.keys(ServerSession.table)))
    for (const state of all) expect(ServerSession.transition(state, { _tag: "HungUp" }).state._tag).toBe("Closed")
  })
})
