import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Server from "../../src/login/Server.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { crlf, fromClient, lines } from "../support/Frame.ts"
import { serverEvents, serverStates } from "../support/Space.ts"
import { cells } from "../support/WholeSpace.ts"
import type { Host } from "../support/ServerSide.ts"
import { admit, answer, challenge, ponder, serve } from "../support/ServerSide.ts"

const digits = "6f3963009fc8a9d2b2ff137da0905c55"
const misbehaved = { _tag: "Closed", reason: "Misbehaved" }

/** The lines that lead to each place in a login. */
const places = {
  "before VER": [],
  "after VER": ["VER 1 MSNP7"],
  "after INF": ["VER 1 MSNP7", "INF 2"],
  "after the initial USR": ["VER 1 MSNP7", "INF 2", "USR 3 MD5 I alice@hotmail.com"],
} as const
type Place = keyof typeof places

/** What is said to one more line. */
const then = (place: Place, line: string, host?: Host, server?: Server.Server) => {
  const before = answer(places[place], host, server).said.length
  const { said, state } = answer([...places[place], line], host, server)
  return { said: said.slice(before), state }
}

describe("VER", () => {
  it.each([
    ["VER 15 MSNP7 FOO BAR", "VER 15 MSNP7", "hypothetic v2.0, commands: unknown names are dropped"],
    [
      "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
      "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
      "hypothetic v2.0, example session: all that are common",
    ],
    ["VER 139 MSNP2 CVR0", "VER 139 MSNP2 CVR0", "what MSN Messenger 1.0 offered"],
    ["VER 0 MSNP7", "VER 0 MSNP7", "seed: a TrID of 0"],
    ["VER 1 MSNP4 MSNP7 MSNP5", "VER 1 MSNP7 MSNP4 MSNP5", "the newest first, the others in the client's order"],
    ["VER 1 CVR0 MSNP3 MSNP2", "VER 1 MSNP3 MSNP2 CVR0", "CVR0 last, wherever it was offered"],
    ["VER 1 MSNP7 MSNP7 CVR0 MSNP6 CVR0 MSNP6", "VER 1 MSNP7 MSNP6 CVR0", "each once"],
    ["VER 1 MSNP8 MSNP7 CVR0", "VER 1 MSNP7 CVR0", "MSNP8 is beyond us"],
    ["VER 4294967295 MSNP2", "VER 4294967295 MSNP2", "draft 5.6: the largest TrID"],
  ])("%s is answered with %s (%s)", (line, said) => {
    expect(answer([line])).toMatchObject({ said: [said], state: { _tag: "AwaitInfOrUsr" } })
  })

  it.each(Dialect.all)("settles on %s where it is the only one offered", (dialect) => {
    expect(answer([`VER 1 ${dialect}`]).state).toEqual({ _tag: "AwaitInfOrUsr", dialect })
  })

  it.each([
    ["VER 0 MYPROTOCOL", "VER 0 0", "the wiki, with the shape that the seed shows"],
    ["VER 1 MSNP8", "VER 1 0", "a dialect that we do not speak"],
    ["VER 1 msnp7", "VER 1 0", "ver.case"],
    ["VER 1 CVR0", "VER 1 0", "CVR0 is decoration, so it is no dialect"],
    ["VER 1 0", "VER 1 0", "a zero is no dialect"],
    ["VER 1", "VER 1 0", "none offered"],
  ])("%s is answered with %s, and the connection is closed (%s)", (line, said) => {
    expect(answer([line, "INF 2"])).toMatchObject({
      said: [said],
      state: { _tag: "Closed", reason: "NoCommonDialect" },
      actions: ["Say", "Close"],
    })
  })
})

describe("a line is judged by its verb and TrID, then by when it comes, then by its parameters:", () => {
  const order = "before VER | after VER | after INF | after the initial USR".split(" | ")

  /** Each line with what is said to it before VER, after VER, after INF, and after the initial USR. */
  const table: ReadonlyArray<readonly [line: string, ...said: ReadonlyArray<string>]> = [
    // login.wrong-time
    ["VER 9 MSNP7", "VER 9 MSNP7", "715 9", "715 9", "715 9"],
    ["VER 9 MYPROTOCOL", "VER 9 0", "715 9", "715 9", "715 9"],
    ["VER 9", "VER 9 0", "715 9", "715 9", "715 9"],
    ["INF 9", "715 9", "INF 9 MD5", "715 9", "715 9"],
    ["INF 9 surplus", "715 9", "INF 9 MD5", "715 9", "715 9"],
    ["USR 9 MD5 I a@b.c", "715 9", `USR 9 MD5 S ${challenge}`, `USR 9 MD5 S ${challenge}`, "715 9"],
    // usr.disliked-911
    ["USR 9 MD5 I alice", "715 9", "911 9", "911 9", "715 9"],
    ["USR 9 MD5 I a@b@c", "715 9", "911 9", "911 9", "715 9"],
    // What is wrong with the account comes before that there is a parameter too many.
    ["USR 9 MD5 I alice surplus", "715 9", "911 9", "911 9", "715 9"],
    [`USR 9 MD5 S ${digits}`, "715 9", "911 9", "911 9", "USR 9 OK alice@hotmail.com Alice 1"],
    ["USR 9 MD5 S abc", "715 9", "911 9", "911 9", ""],
    ["USR 9 MD5 S", "715 9", "911 9", "911 9", ""],
    [`USR 9 MD5 S ${digits} surplus`, "715 9", "911 9", "911 9", ""],
    // usr.disliked; behind the challenge, usr.digest-size
    ["USR 9 MD5 I", "715 9", "", "", "715 9"],
    ["USR 9 MD5 I a@b.c surplus", "715 9", "", "", "715 9"],
    ["USR 9 MD5 X a@b.c", "715 9", "", "", ""],
    ["USR 9 MD5 i a@b.c", "715 9", "", "", ""],
    ["USR 9 md5 I a@b.c", "715 9", "", "", ""],
    ["USR 9 TWN I a@b.c", "715 9", "", "", ""],
    ["USR 9 SHA A a@b.c", "715 9", "", "", ""],
    ["USR 9 MD5", "715 9", "", "", ""],
    ["USR 9", "715 9", "", "", ""],
    // login.cvr-before-usr, login.cvr-after-usr
    ["CVR 9 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS", "731 9", "731 9", "731 9", "715 9"],
    ["CVR 9", "731 9", "731 9", "731 9", "715 9"],
    // login.meaningless
    ["SYN 9 0", "", "", "", ""],
    ["CHG 9 NLN", "", "", "", ""],
    ["PNG", "", "", "", ""],
    ["XFR 9 SB", "", "", "", ""],
    ["MSG 9 U 5", "", "", "", ""],
    ["CVQ 9 0x0409 winnt 5.1 i386 MSMSGS 1.0.0863", "", "", "", ""],
    ["ZZZ", "", "", "", ""],
    // ver.no-trid, beyond.trid
    ["VER MSNP7", "", "", "", ""],
    ["VER", "", "", "", ""],
    ["VER -1 MSNP7", "", "", "", ""],
    ["VER 4294967296 MSNP7", "", "", "", ""],
    ["INF", "", "", "", ""],
    ["INF x", "", "", "", ""],
    ["USR MD5 I a@b.c", "", "", "", ""],
    ["USR 4294967296 MD5 I a@b.c", "", "", "", ""],
    ["CVR", "", "", "", ""],
    ["CVR 0x0409", "", "", "", ""],
    // draft 5.2: a command is three upper-case letters, and case matters.
    ["ver 9 MSNP7", "", "", "", ""],
    ["Inf 9", "", "", "", ""],
    ["911 9", "", "", "", ""],
    [" VER 9 MSNP7", "", "", "", ""],
    // logoff.out-silent
    ["OUT", "", "", "", ""],
    ["OUT surplus", "", "", "", ""],
  ]
  const cases = table.flatMap(([line, ...said]) => said.map((said, i) => ({ line, said, place: order[i] as Place })))

  it.each(cases)("$line $place is told '$said'", ({ line, place, said }) => {
    const reason = line.startsWith("OUT") ? "LoggedOff" : said === "VER 9 0" ? "NoCommonDialect" : "Misbehaved"
    const goesOn = /^(VER 9 MSNP7|INF 9|USR 9)/.test(said)
    const next = then(place, line)
    expect(next.said).toEqual(said === "" ? [] : [said])
    expect(next.state._tag === "Closed" ? next.state.reason : "open").toBe(goesOn ? "open" : reason)
  })

  it("hears nothing more once it has closed", () => {
    expect(answer(["VER 1 MSNP7", "VER 2 MSNP7", "INF 3", "OUT"])).toMatchObject({
      said: ["VER 1 MSNP7", "715 2"],
      state: misbehaved,
      actions: ["Say", "Say", "Close"],
    })
  })

  it("closes in silence where a line is longer than 2,048 bytes", () => {
    expect(then("before VER", `VER 1 ${"MSNP7 ".repeat(400)}`)).toEqual({ said: [], state: misbehaved })
    const name = "X".repeat(2048 - "VER 1 MSNP7 ".length)
    expect(then("before VER", `VER 1 MSNP7 ${name}`).said).toEqual(["VER 1 MSNP7"])
    expect(then("before VER", `VER 1 MSNP7 ${name}X`)).toEqual({ said: [], state: misbehaved })
  })
})

describe("the initial USR", () => {
  it("asks the host what to do with the account, as it was spelled", () => {
    expect(answer(["VER 1 MSNP5", "USR 2 MD5 I Alice@Hotmail.COM"], ponder)).toMatchObject({
      said: ["VER 1 MSNP5"],
      state: { _tag: "AwaitAdmission", dialect: "MSNP5", trId: 2, account: "Alice@Hotmail.COM" },
      asked: [{ _tag: "Admission", dialect: "MSNP5", account: "Alice@Hotmail.COM" }],
      actions: ["Say", "Ask"],
    })
  })

  it("is answered with the challenge that the host gives", () => {
    expect(then("after INF", "USR 3 MD5 I a@b.c")).toEqual({
      said: ["USR 3 MD5 S 1013928519.693957190"],
      state: { _tag: "AwaitDigest", dialect: "MSNP7", account: "a@b.c", challenge },
    })
  })

  it("takes an account of UTF-8", () => {
    expect(then("after INF", "USR 3 MD5 I jürgen@example.com").state).toMatchObject({ account: "jürgen@example.com" })
  })
})

describe("the subsequent USR", () => {
  it("may bear the TrID of the initial one, as Kopete wrote it", () => {
    expect(then("after the initial USR", `USR 3 MD5 S ${digits}`).said).toEqual(["USR 3 OK alice@hotmail.com Alice 1"])
  })

  it("is answered with the account as it was created, not as it was typed", () => {
    const { said, state } = answer(["VER 1 MSNP7", "USR 2 MD5 I ALICE@hotmail.com", `USR 3 MD5 S ${digits}`])
    expect(said[2]).toBe("USR 3 OK alice@hotmail.com Alice 1")
    expect(state).toMatchObject({ _tag: "LoggedIn", account: "alice@hotmail.com" })
  })
})

describe("a denial", () => {
  it("is the last word: there is no second try on the connection", () => {
    const host: Host = (question) =>
      question._tag === "Admission" ? { _tag: "Challenge", challenge } : { _tag: "Deny", code: 911 }
    const again = ["VER 1 MSNP7", "USR 2 MD5 I a@b.c", `USR 3 MD5 S ${digits}`, "OUT", "USR 4 MD5 I a@b.c"]
    expect(answer(again, host).said).toHaveLength(3)
  })
})

describe("the end", () => {
  const trace = ["VER 1 MSNP7", "INF 2", "USR 3 MD5 I alice@hotmail.com", `USR 4 MD5 S ${digits}`]

  it.each([0, 1, 2, 3, 4])("by a shutdown is OUT SSD, after %d lines of a login (seed)", (count) => {
    const login = serve()
    login.hear(crlf(...trace.slice(0, count)))
    expect(login.feed({ _tag: "ShutDown" })).toBe("OUT SSD\r\n")
    expect(login.state()).toEqual({ _tag: "Closed", reason: "ShuttingDown" })
  })

  it.each([0, 1, 2, 3])("by a login that takes too long is silent, after %d lines of it", (count) => {
    const login = serve()
    login.hear(crlf(...trace.slice(0, count)))
    expect(login.feed({ _tag: "Overdue" })).toBe("")
    expect(login.state()).toEqual({ _tag: "Closed", reason: "Overdue" })
  })

  it("never comes to a session because it is old", () => {
    const login = serve()
    login.hear(crlf(...trace))
    login.feed({ _tag: "Overdue" })
    expect(login.state()._tag).toBe("LoggedIn")
  })

  it.each([0, 1, 2, 3, 4])("by a client that hangs up is silent, after %d lines of a login", (count) => {
    const login = serve()
    login.hear(crlf(...trace.slice(0, count)))
    expect(login.feed({ _tag: "HungUp" })).toBe("")
    expect(login.state()).toEqual({ _tag: "Closed", reason: "HungUp" })
  })

  it("is final: a decision or an event that comes too late changes nothing", () => {
    const login = serve()
    login.hear(crlf("OUT"))
    for (const late of Object.values(serverEvents("MSNP7"))) {
      expect(login.feed(late)).toBe("")
    }
    expect(login.state()).toEqual({ _tag: "Closed", reason: "LoggedOff" })
  })
})

describe("after the login", () => {
  // login.stage-only
  it.each(["VER 9 MSNP7", "INF 9", "USR 9 MD5 I a@b.c", "USR 9 TWN", "CVR 9", "SYN 9 0", "CHG 9 NLN", "PNG"])(
    "%s is handed to the application, and nothing is said",
    (line) => {
      const login = answer([...places["after the initial USR"], `USR 4 MD5 S ${digits}`, line])
      expect(login.said).toHaveLength(4)
      expect(login.state._tag).toBe("LoggedIn")
      expect(login.actions.at(-1)).toBe("Deliver")
    },
  )

  it.each(["VER x", "syn 1"])("a line whose verb or TrID cannot be read still closes in silence: %s", (line) => {
    const login = answer([...places["after the initial USR"], `USR 4 MD5 S ${digits}`, line])
    expect(login.said).toHaveLength(4)
    expect(login.state).toEqual(misbehaved)
  })
})

describe("what a client says while the host decides", () => {
  // efficiency.together, beyond.pending
  it("waits, and is then heard in order", () => {
    const login = serve(ponder)
    const sent = crlf("VER 1 MSNP7", "USR 2 MD5 I a@b.c", `USR 3 MD5 S ${digits}`, "SYN 4 0")
    expect(lines(login.hear(sent))).toEqual(["VER 1 MSNP7"])
    expect(login.actions).toEqual(["Say", "Ask", "Postponed", "Postponed"])
    expect(login.state()._tag).toBe("AwaitAdmission")
    expect(login.feed({ _tag: "Challenge", challenge })).toBe(crlf(`USR 2 MD5 S ${challenge}`))
    expect(login.state()._tag).toBe("AwaitVerdict")
    expect(login.asked.map((question) => question._tag)).toEqual(["Admission", "Verdict"])
  })

  it("is not heard any more where the host refers the client", () => {
    const login = serve(ponder)
    login.hear(crlf("VER 1 MSNP2", "USR 2 MD5 I a@b.c", "VER 3 MSNP2", "nonsense"))
    const to = { host: "10.0.0.5", port: 1863 }
    expect(login.feed({ _tag: "Refer", to, from: to })).toBe("XFR 2 NS 10.0.0.5:1863\r\n")
    expect(login.state()).toEqual({ _tag: "Closed", reason: "Referred" })
  })

  it.each([
    ["VER 9 MSNP7", "715 9"],
    ["CVR 9", "715 9"],
    ["SYN 9 0", ""],
    ["OUT", ""],
    ["nonsense", ""],
  ])("is never refused for being early: %s is judged when the challenge is out", (line, said) => {
    const login = serve(ponder)
    expect(lines(login.hear(crlf("VER 1 MSNP7", "USR 2 MD5 I a@b.c", line)))).toEqual(["VER 1 MSNP7"])
    const told = lines(login.feed({ _tag: "Challenge", challenge }))
    expect(told).toEqual([`USR 2 MD5 S ${challenge}`, ...(said === "" ? [] : [said])])
    expect(login.state()._tag).toBe("Closed")
  })
})

describe("the quirk", () => {
  const withQuirk = (quirk: Quirk.Quirk) => Server.make(Quirk.only(quirk))

  it("verSingle answers VER with the chosen dialect alone (Microsoft's servers from 2008 on)", () => {
    const server = withQuirk("verSingle")
    expect(answer(["VER 1 MSNP5 MSNP7 CVR0"], admit, server).said).toEqual(["VER 1 MSNP7"])
    expect(answer(["VER 1 MSNP8 CVR0"], admit, server).said).toEqual(["VER 1 0"])
    expect(answer(["VER 1 MSNP5 MSNP7 CVR0"]).said).toEqual(["VER 1 MSNP7 MSNP5 CVR0"])
  })

  it("dialectCaseInsensitive takes names in either letter case (draft 7.1), and answers in capitals", () => {
    const server = withQuirk("dialectCaseInsensitive")
    expect(answer(["VER 1 msnp7 Msnp6 cvr0"], admit, server).said).toEqual(["VER 1 MSNP7 MSNP6 CVR0"])
    expect(answer(["VER 1 MSNP7"], admit, server).said).toEqual(["VER 1 MSNP7"])
    expect(answer(["VER 1 msnp7 Msnp6 cvr0"]).said).toEqual(["VER 1 0"])
  })

  it("msnp2ReferralZero sends MSNP2 the zero, without which MSN Messenger 1.0 did not go", () => {
    const server = withQuirk("msnp2ReferralZero")
    const to = { host: "10.0.0.5", port: 1863 }
    const refer: Host = () => ({ _tag: "Refer", to, from: { host: "10.0.0.1", port: 1863 } })
    const session = (dialect: string) => [`VER 1 ${dialect}`, "USR 2 MD5 I a@b.c"]
    expect(answer(session("MSNP2"), refer, server).said[1]).toBe("XFR 2 NS 10.0.0.5:1863 0")
    expect(answer(session("MSNP3"), refer, server).said[1]).toBe("XFR 2 NS 10.0.0.5:1863 0")
    expect(answer(session("MSNP7"), refer, server).said[1]).toBe("XFR 2 NS 10.0.0.5:1863 0 10.0.0.1:1863")
    expect(answer(session("MSNP2"), refer).said[1]).toBe("XFR 2 NS 10.0.0.5:1863")
  })

  it("verifiedFlagFromMsnp6 sends MSNP6 the flag, too (the wiki)", () => {
    const server = withQuirk("verifiedFlagFromMsnp6")
    const session = (dialect: string) => [`VER 1 ${dialect}`, "USR 2 MD5 I a@b.c", `USR 3 MD5 S ${digits}`]
    expect(answer(session("MSNP6"), admit, server).said[2]).toBe("USR 3 OK alice@hotmail.com Alice 1")
    expect(answer(session("MSNP5"), admit, server).said[2]).toBe("USR 3 OK alice@hotmail.com Alice")
    expect(answer(session("MSNP6"), admit).said[2]).toBe("USR 3 OK alice@hotmail.com Alice")
  })

  // hypothetic v2.0: the version recommended, twice, the oldest that is good, and two places to read of it.
  it.each(["before VER", "after VER", "after INF", "after the initial USR"] as const)(
    "cvrAnytime answers CVR %s, and goes on",
    (place) => {
      const server = withQuirk("cvrAnytime")
      const { said, state } = then(place, "CVR 7 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS", admit, server)
      expect(said).toEqual([expect.stringMatching(/^CVR 7 3\.6\.0025 3\.6\.0025 1\.0\.0000 http:\S+ http:\S+$/)])
      expect(state).toEqual(answer(places[place]).state)
    },
  )

  it("cvrAnytime takes a CVR without parameters", () => {
    const { said } = then("before VER", "CVR 7", admit, withQuirk("cvrAnytime"))
    expect(said).toEqual([expect.stringMatching(/^CVR 7 1\.0\.0000 1\.0\.0000 1\.0\.0000 http:\S+ http:\S+$/)])
  })

  it.each(Quirk.all)("%s changes nothing in a session that has no use for it", (quirk) => {
    const session = ["VER 1 MSNP7", "INF 2", "USR 3 MD5 I alice@hotmail.com", `USR 4 MD5 S ${digits}`, "OUT"]
    expect(answer(session, admit, withQuirk(quirk))).toEqual(answer(session))
  })
})

describe("each state with each event", () => {
  const events = Object.values<Server.Event>(serverEvents("MSNP7"))
  const states = Dialect.all.flatMap((dialect) => Object.values<Server.State>(serverStates(dialect)))

  it("is never a defect for what a client says, whatever it is", () => {
    const says = fc.oneof(...Object.values<fc.Arbitrary<ClientCommand.ClientCommand>>(Arbitraries.clientCommands))
    const line = fc.array(Arbitraries.word, { minLength: 1 }).map((words) => fromClient(words.join(" ")))
    const heard = fc.oneof(line, says.map(Result.succeed))
    fc.assert(
      fc.property(heard, fc.constantFrom(...states), (heard, state) => {
        expect(Server.table[state._tag][Server.classify(heard)._tag].kind).not.toBe("misuse")
      }),
    )
  })

  it("can be reached from the beginning, and the end from everywhere", () => {
    const reached = new Set<string>([Server.initial._tag])
    for (const from of reached) {
      for (const { cell, state } of cells({ table: Server.table, states, events }, "rule")) {
        if (state._tag === from && cell.kind === "rule") for (const to of cell.to) reached.add(to)
      }
    }
    expect(reached).toEqual(new Set(Object.keys(Server.table)))
    for (const state of states) {
      expect(Server.transition(state, { _tag: "HungUp" }).state._tag).toBe("Closed")
    }
  })
})
