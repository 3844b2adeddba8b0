import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Client from "../../src/login/Client.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Arbitraries from "../support/Arbitraries.ts"
import { connect, official, reply } from "../support/ClientSide.ts"
import { crlf, fromServer } from "../support/Frame.ts"
import { clientEvents, clientStates } from "../support/Space.ts"
import { cells } from "../support/WholeSpace.ts"

const hello = "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0"
const challenged = "USR 3 MD5 S 1013928519.693957190"
/** The server's lines of a login that succeeds. */
const session = ["VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "INF 2 MD5", challenged, "USR 4 OK alice@hotmail.com Alice 1"]

const states = clientStates("MSNP7")
const events = Object.values<Client.Event>(clientEvents("MSNP7"))

/** The server's lines that lead to each answer that a client awaits. */
const places = { VER: 0, INF: 1, "USR S": 2, "USR OK": 3 } as const
type Place = keyof typeof places
const before = (place: Place) => session.slice(0, places[place])

/** The reason why a connection is over, after some lines of a server. */
const reason = (lines: ReadonlyArray<string>, options?: Partial<Client.Options>) => {
  const { state } = reply(lines, options)
  return state._tag === "Closed" ? state.reason : state
}

const misbehaved = (got: string | RegExp) => ({
  _tag: "ServerMisbehaved",
  got: typeof got === "string" ? got : expect.stringMatching(got),
})

describe("a login", () => {
  it("begins with VER: the dialects, and CVR0 behind them as official clients wrote it", () => {
    expect(reply([]).said).toEqual([hello])
    expect(reply([], { dialects: ["MSNP2"] }).said).toEqual(["VER 1 MSNP2 CVR0"])
  })

  it("asks for the security package, initiates, responds, and is in (hypothetic v2.0, example session)", () => {
    expect(reply(session)).toEqual({
      // The digest is that of the page on MD5, for this challenge and `mypassword`.
      said: [hello, "INF 2", "USR 3 MD5 I alice@hotmail.com", "USR 4 MD5 S 6f3963009fc8a9d2b2ff137da0905c55"],
      state: {
        _tag: "LoggedIn",
        trId: 4,
        dialect: "MSNP7",
        account: "alice@hotmail.com",
        friendlyName: "Alice",
        verified: Option.some(true),
      },
      actions: ["Say", "Say", "Say", "Ask", "Say"],
    })
  })

  it("may leave INF out (seed)", () => {
    const lines = ["VER 1 MSNP7", "USR 2 MD5 S 1013928519.693957190", "USR 3 OK alice@hotmail.com Alice 0"]
    const { said, state } = reply(lines, { manner: "SkipInf" })
    expect(said).toEqual([hello, "USR 2 MD5 I alice@hotmail.com", "USR 3 MD5 S 6f3963009fc8a9d2b2ff137da0905c55"])
    expect(state).toMatchObject({ _tag: "LoggedIn", trId: 3, verified: Option.some(false) })
  })

  it("is answered in pieces of one byte as in one", () => {
    const login = connect()
    const said = login.hello + Array.from(crlf(...session), login.hear).join("")
    expect(said).toBe(crlf(...reply(session).said))
    expect(login.state()).toEqual(reply(session).state)
  })
})

describe("the answer to VER", () => {
  it.each([
    ["VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "MSNP7", "all that are common: the first is to be used (seed)"],
    ["VER 1 MSNP5", "MSNP5", "one alone (draft 7.1)"],
    ["VER 1 CVR0 MSNP6", "MSNP6", "CVR0 in front of it, as was seen on live servers"],
    ["VER 1 MSNP4 MSNP7", "MSNP4", "the server's choice, not ours"],
    ["VER 1 MSNP6 MSNP2 FOO", "MSNP6", "others behind it do not matter"],
  ])("%s settles on %s: %s", (line, dialect) => {
    expect(reply([line]).state).toMatchObject({ _tag: "AwaitInf", dialect })
  })

  it.each([
    ["VER 1 MSNP3", "VER with MSNP3, which was not offered"],
    ["VER 1 MSNP8 CVR0", "VER with MSNP8, which was not offered"],
    ["VER 1 msnp7", "VER with msnp7, which was not offered"],
    ["VER 1 FOO MSNP7", "VER with FOO, which was not offered"],
    ["VER 1 CVR0", "VER without a dialect"],
  ])("%s is misbehavior", (line, got) => {
    expect(reason([line])).toEqual({ _tag: "ServerMisbehaved", expected: ["VER", "VER 0", "an error"], got })
  })

  it.each(["VER 1 0", "VER 1 0 MSNP3 MSNP2"])("%s says that no dialect is common (seed; draft 7.1)", (line) => {
    expect(reason([line])).toEqual({ _tag: "NoCommonDialect", offered: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"] })
  })
})

describe("the answer to INF", () => {
  it.each(["INF 2 MD5", "INF 2 MD5 CTP", "INF 2 CTP MD5", "INF 2 CTP,MD5", "INF 2 CTP, MD5", "INF 2 MD5,"])(
    "%s has MD5 in it (the wiki; draft 7.2)",
    (line) => {
      expect(reply([...before("INF"), line]).said.at(-1)).toBe("USR 3 MD5 I alice@hotmail.com")
    },
  )

  it.each([
    ["INF 2 TWN", "INF without MD5: TWN"],
    ["INF 2 CTP,SHA TWN", "INF without MD5: CTP, SHA, TWN"],
    ["INF 2 md5", "INF without MD5: md5"],
    ["INF 2 MDS", "INF without MD5: MDS"],
  ])("%s is misbehavior, told with what was offered", (line, got) => {
    expect(reason([...before("INF"), line])).toEqual({
      _tag: "ServerMisbehaved",
      expected: ["INF", "an error"],
      got,
    })
  })

  it.each(["INF 2", "INF 2 ,"])("%s is misbehavior", (line) => {
    expect(reason([...before("INF"), line])).toMatchObject(misbehaved(/^word 3 of INF/))
  })
})

describe("a referral", () => {
  // seed and draft 7.4 for the forms; the values are of hypothetic v2.0, v1 and the wiki.
  it.each([
    ["XFR 3 NS 10.0.0.5:1863", "10.0.0.5", 1863],
    ["XFR 3 NS 64.4.12.132:1862 0", "64.4.12.132", 1862],
    ["XFR 3 NS 64.4.12.133 0", "64.4.12.133", 1863],
    ["XFR 3 NS 207.46.106.118:1863 0 207.46.104.20:1863", "207.46.106.118", 1863],
    ["XFR 3 NS baym-cs118.msgr.hotmail.com:1863 0", "baym-cs118.msgr.hotmail.com", 1863],
    ["XFR 3 NS [::1]:1864 0 [::2]", "::1", 1864],
    ["XFR 3 NS [::1]", "::1", 1863],
  ])("%s leads to %s, port %d, and closes", (line, host, port) => {
    expect(reply([...before("USR S"), line])).toMatchObject({
      said: [hello, "INF 2", "USR 3 MD5 I alice@hotmail.com"],
      state: { _tag: "Referred", to: { host, port } },
      actions: ["Say", "Say", "Say", "Close"],
    })
  })

  it.each(["XFR 0 NS 0", "XFR 3 NS 0", "XFR 3 NS nowhere:", "XFR 3 SB 10.0.0.5:1863", "XFR 2 NS 10.0.0.5:1863 0"])(
    "%s is misbehavior",
    (line) => {
      expect(reason([...before("USR S"), line])).toMatchObject(misbehaved(/^.+/))
    },
  )

  it("is final: whatever comes behind it is not heard", () => {
    const lines = [...before("USR S"), "XFR 3 NS 10.0.0.5:1863", "911 3", "OUT SSD", "nonsense"]
    expect(reply(lines).state).toMatchObject({ _tag: "Referred", to: { host: "10.0.0.5", port: 1863 } })
  })
})

describe("a challenge", () => {
  it("is answered though it is no text: the bytes received are hashed", () => {
    const login = connect()
    login.hear(crlf(...before("USR S")))
    // `printf '\xff\xfemypassword' | md5sum`
    expect(login.hear("USR 3 MD5 S \u00ff\u00fe\r\n")).toBe("USR 4 MD5 S 79475b4169268a3c3cb6523e0e891df2\r\n")
  })

  it("may be of any length (seed)", () => {
    const login = connect()
    login.hear(crlf(...before("USR S")))
    expect(login.hear(`USR 3 MD5 S ${"x".repeat(60_000)}\r\n`)).toMatch(/^USR 4 MD5 S [0-9a-f]{32}\r\n$/)
  })

  it("too long for any memory is misbehavior", () => {
    expect(reason([...before("USR S"), `USR 3 MD5 S ${"x".repeat(65_536)}`])).toMatchObject(
      misbehaved("a line is longer than 65536 bytes"),
    )
  })

  it.each(["VER", "INF", "USR OK"] as const)("that nobody asked for, where %s is awaited, is misbehavior", (place) => {
    const trId = places[place] + 1
    expect(reason([...before(place), `USR ${trId} MD5 S 1013928519.693957190`])).toMatchObject(misbehaved("USR S"))
  })

  it("is asked of the host, and all that comes meanwhile waits", () => {
    const state: Client.State = {
      _tag: "AwaitDigest",
      trId: TrId.TrId.make(3),
      account: official.account,
      skipped: 0,
      dialect: "MSNP7",
    }
    for (const line of ["911 3", "USR 3 OK alice@hotmail.com Alice 1", "OUT SSD", "MSG a b 0", "nonsense"]) {
      const event = Client.classify(state, fromServer(line))
      expect(event).toEqual({ _tag: "Early" })
      expect(Client.transition(state, event)).toEqual({ state, actions: [{ _tag: "Postponed", event }] })
    }
  })
})

describe("the last answer", () => {
  const last = (line: string) => reply([...before("USR OK"), line]).state

  it.each([
    ["USR 4 OK alice@hotmail.com Alice", Option.none(), "without a flag, before MSNP7 (seed)"],
    ["USR 4 OK alice@hotmail.com Alice 0", Option.some(false), "not verified (seed)"],
    ["USR 4 OK alice@hotmail.com Alice 1", Option.some(true), "verified (seed)"],
    ["USR 4 OK alice@hotmail.com Alice 1 0", Option.some(true), "with a second flag, of MSNP8"],
  ])("%s lets the client in: verified is %j, %s", (line, verified) => {
    expect(last(line)).toMatchObject({ _tag: "LoggedIn", friendlyName: "Alice", verified })
  })

  it.each([
    ["My%20Screen%20Name", "My Screen Name"],
    ["example%40hotmail.com", "example@hotmail.com"],
    ["J%c3%bcrgen", "Jürgen"],
    ["Jürgen", "Jürgen"],
    ["100%", "100%"],
    ["%zz", "%zz"],
    ["%ff", "%ff"],
  ])("bears the name %s, which reads %s: what is broken is kept raw, never a failure", (name, friendlyName) => {
    expect(last(`USR 4 OK alice@hotmail.com ${name} 1`)).toMatchObject({ _tag: "LoggedIn", friendlyName })
  })

  it("may have a name of bytes that are no UTF-8", () => {
    const login = connect()
    login.hear(crlf(...before("USR OK")))
    login.hear("USR 4 OK alice@hotmail.com J\u00fcrgen 1\r\n")
    expect(login.state()).toMatchObject({ _tag: "LoggedIn", friendlyName: "J\u00fcrgen" })
  })

  it("may spell the account in other letters' case, and that is how it is known from then on", () => {
    expect(last("USR 4 OK Alice@HotMail.com Alice 1")).toMatchObject({ _tag: "LoggedIn", account: "Alice@HotMail.com" })
  })

  it("for another account is misbehavior", () => {
    expect(last("USR 4 OK bob@hotmail.com Bob 1")).toEqual({
      _tag: "Closed",
      reason: { _tag: "ServerMisbehaved", expected: ["USR OK", "an error"], got: "USR OK for bob@hotmail.com" },
    })
  })

  it.each(["USR 4 OK alice Alice 1", "USR 4 OK alice@hotmail.com", "USR 4 OK alice@hotmail.com Alice yes"])(
    "%s is misbehavior",
    (line) => {
      expect(last(line)).toMatchObject({ _tag: "Closed", reason: misbehaved(/^word \d of USR/) })
    },
  )
})

describe("an answer with another TrID than was asked", () => {
  it.each([
    ["VER", "VER 2 MSNP7"],
    ["VER", "VER 0 0"],
    ["INF", "INF 1 MD5"],
    ["USR S", "USR 2 MD5 S 1013928519.693957190"],
    ["USR S", "XFR 0 NS 10.0.0.5:1863 0"],
    ["USR OK", "USR 3 OK alice@hotmail.com Alice 1"],
    ["USR OK", "911 3"],
  ] as const)("where %s is awaited is misbehavior: %s", (place, line) => {
    const awaited = places[place] + 1
    expect(reason([...before(place), line])).toMatchObject(
      misbehaved(new RegExp(`TrID \\d where ${awaited} was asked`)),
    )
  })
})

describe("an answer to something else", () => {
  const lines = {
    VER: "VER # MSNP7",
    INF: "INF # MD5",
    "USR S": "USR # MD5 S 1013928519.693957190",
    XFR: "XFR # NS 10.0.0.5:1863 0",
    "USR OK": "USR # OK alice@hotmail.com Alice 1",
  } as const
  const right: { readonly [place in Place]: ReadonlyArray<string> } = {
    VER: ["VER"],
    INF: ["INF"],
    "USR S": ["USR S", "XFR"],
    "USR OK": ["USR OK"],
  }
  const wrong = (["VER", "INF", "USR S", "USR OK"] as const).flatMap((place) =>
    Object.entries(lines).flatMap(([got, line]) => (right[place].includes(got) ? [] : [{ place, got, line }])),
  )

  it.each(wrong)("where $place is awaited is misbehavior: $got", ({ got, line, place }) => {
    const { said, state } = reply([...before(place), line.replace("#", String(places[place] + 1))])
    expect(said).toHaveLength(places[place] + 1)
    expect(state).toMatchObject({ _tag: "Closed", reason: misbehaved(got) })
  })

  it("tells what was expected, as the table has it", () => {
    const expected = (place: Place) => Client.expected(reply(before(place)).state)
    expect(expected("VER")).toEqual(["VER", "VER 0", "an error"])
    expect(expected("INF")).toEqual(["INF", "an error"])
    expect(expected("USR S")).toEqual(["USR S", "XFR", "an error"])
    expect(expected("USR OK")).toEqual(["USR OK", "an error"])
    expect(Client.expected(reply(session).state)).toEqual([])
  })
})

describe("what is told of a server that misbehaves", () => {
  const escape = "\u001b[2J\u0007"
  const spelled = "\\x1b[2J\\x07"

  it.each<[what: string, lines: ReadonlyArray<string>, got: string]>([
    ["a dialect", [`VER 1 X${escape}`], `VER with X${spelled}, which was not offered`],
    ["a package", [...before("INF"), `INF 2 TWN ${escape}`], `INF without MD5: TWN, ${spelled}`],
    [
      "an account with a bidi override in it",
      [...before("USR OK"), "USR 4 OK bob\u202e@Łódź.example Bob 1"],
      "USR OK for bob\\u{202e}@Łódź.example",
    ],
  ])("gives no orders to a terminal: %s", (_, lines, got) => {
    expect(reason(lines)).toMatchObject(misbehaved(got))
  })

  it.each<[what: string, lines: ReadonlyArray<string>]>([
    ["a dialect", [`VER 1 ${"X".repeat(60_000)}`]],
    ["a package", [...before("INF"), `INF 2 ${"X".repeat(60_000)}`]],
    ["packages", [...before("INF"), `INF 2 ${"X,".repeat(30_000)}`]],
    ["an account", [...before("USR OK"), `USR 4 OK ${"x".repeat(125)}@b.c Bob 1`]],
    ["no account at all", [...before("USR OK"), `USR 4 OK ${"x".repeat(60_000)} Bob 1`]],
    ["a verb", [`${"X".repeat(60_000)} 1`]],
  ])("is short, however long the line: %s", (_, lines) => {
    const told = reason(lines)
    expect(told).toMatchObject({ _tag: "ServerMisbehaved" })
    expect("got" in told && told.got.length).toBeLessThan(130)
  })

  it("holds no character that a terminal obeys, whatever the server says", () => {
    const says = fc.oneof(...Object.values<fc.Arbitrary<ServerCommand.ServerCommand>>(Arbitraries.serverCommands))
    fc.assert(
      fc.property(says, fc.constantFrom(...Object.values<Client.State>(states)), (command, state) => {
        const event = Client.classify(state, Result.succeed(command))
        expect(event._tag === "Stray" ? event.got : "").toMatch(/^[^\p{Cc}\p{Cf}]{0,200}$/u)
      }),
    )
  })
})

describe("lines that answer nothing", () => {
  const message = `MSG Hotmail Hotmail 5`

  it.each(["VER", "INF", "USR S", "USR OK"] as const)("are passed over where %s is awaited", (place) => {
    const login = connect()
    const heard = [...before(place).map((line) => crlf(line)), `${message}\r\nhello`, crlf("CHL 0 123", "NLN x", "ZZZ")]
    const said = login.hello + login.hear(heard.join("") + crlf(...session.slice(places[place])))
    expect(said).toBe(crlf(...reply(session).said))
    expect(login.state()).toEqual(reply(session).state)
  })

  it("are CVR and such, too, unless they bear the TrID that was asked", () => {
    expect(reply([...before("INF"), "CVR 9 1.0 1.0 1.0 u u"]).state._tag).toBe("AwaitInf")
    expect(reason([...before("INF"), "CVR 2 1.0 1.0 1.0 u u"])).toMatchObject(misbehaved("CVR"))
    expect(reply([...before("INF"), "SYN 9 0"]).state._tag).toBe("AwaitInf")
    expect(reason([...before("INF"), "SYN 2 0"])).toMatchObject(misbehaved("SYN"))
  })

  it("are messages whatever stands in them", () => {
    expect(reply([...before("INF"), "MSG 2 2 0"]).state._tag).toBe("AwaitInf")
  })

  it("are 64 at most in a login, over all its answers", () => {
    expect(Client.maxAsides).toBe(64)
    const many = (n: number) => Array.from({ length: n }, () => "ZZZ")
    expect(reply([...many(32), session[0] ?? "", ...many(32), ...session.slice(1)]).state._tag).toBe("LoggedIn")
    expect(reason([...many(32), session[0] ?? "", ...many(33)])).toMatchObject(
      misbehaved("more than 64 lines that answer nothing"),
    )
  })

  it("are not lines that make no sense: those are misbehavior", () => {
    expect(reason([...before("INF"), "inf 2 MD5"])).toMatchObject(
      misbehaved("a line does not begin with three upper-case letters"),
    )
    expect(reason([...before("INF"), "INF MD5"])).toMatchObject(misbehaved("INF bears no TrID from 0 to 4294967295"))
  })
})

describe("an error", () => {
  it.each([
    ["911 #", "with the TrID"],
    ["911", "without a TrID, as the draft allows"],
    ["911 # and a tail", "with a tail, as the draft allows"],
    ["911 It's over dude", "with a tail and no TrID"],
  ])("%s is taken %s, wherever an answer is awaited", (line) => {
    for (const place of ["VER", "INF", "USR S", "USR OK"] as const) {
      const error = line.replace("#", String(places[place] + 1))
      expect(reason([...before(place), error])).toEqual({ _tag: "Denied", code: 911 })
    }
  })

  it.each([911, 917, 923, 924])("of %d denies the account", (code) => {
    expect(reason([...before("USR OK"), `${code} 4`])).toEqual({ _tag: "Denied", code })
  })

  // usr.trouble, usr.trouble-again
  it.each([500, 601, 910, 921])("of %d says that the server is in trouble", (code) => {
    expect(reason([...before("USR S"), `${code} 3`])).toEqual({ _tag: "Unavailable", code })
    expect(reason([...before("USR OK"), `${code} 4`])).toEqual({ _tag: "Unavailable", code })
  })

  it.each([
    [715, "715, not expected"],
    [731, "731, CVR not expected"],
    [200, "200, syntax error"],
    [207, "207, already logged in"],
  ])("of %d blames our own commands, which were in order", (code, got) => {
    expect(reason([...before("USR S"), `${code} 3`])).toEqual({
      _tag: "ServerMisbehaved",
      expected: ["USR S", "XFR", "an error"],
      got,
    })
  })
})

describe("the end", () => {
  it.each([
    ["OUT OTH", "LoggedInElsewhere"],
    ["OUT SSD", "ShuttingDown"],
    ["OUT", "Unstated"],
    ["OUT XYZ", "Unstated"],
  ])("by %s is known as %s, in a login and after it (seed)", (line, out) => {
    for (const count of [0, 1, 2, 3, 4]) {
      expect(reason([...session.slice(0, count), line])).toEqual({ _tag: "LoggedOut", reason: out })
    }
  })

  it.each([0, 1, 2, 3, 4])("by us is OUT, without a TrID, after %d lines of the server (seed)", (count) => {
    const login = connect()
    login.hear(crlf(...session.slice(0, count)))
    expect(login.feed({ _tag: "LogOff" })).toBe("OUT\r\n")
    expect(login.state()).toEqual({ _tag: "Closed", reason: { _tag: "LoggedOff" } })
  })

  const answers: ReadonlyArray<readonly [count: number, awaiting: ReadonlyArray<string>]> = [
    [0, ["VER", "VER 0", "an error"]],
    [1, ["INF", "an error"]],
    [2, ["USR S", "XFR", "an error"]],
    [3, ["USR OK", "an error"]],
  ]

  it.each([...answers, [4, []] as const])(
    "by a server that hangs up after %d lines tells what was awaited: %j",
    (count, awaiting) => {
      const login = connect()
      login.hear(crlf(...session.slice(0, count)))
      expect(login.feed({ _tag: "HungUp" })).toBe("")
      expect(login.state()).toEqual({ _tag: "Closed", reason: { _tag: "HungUp", awaiting } })
    },
  )

  it.each(answers)(
    "by a server that takes too long after %d lines is silent, and tells what was awaited: %j",
    (count, awaiting) => {
      const login = connect()
      login.hear(crlf(...session.slice(0, count)))
      expect(login.feed({ _tag: "Overdue" })).toBe("")
      expect(login.state()).toEqual({ _tag: "Closed", reason: { _tag: "TimedOut", awaiting } })
    },
  )

  it("while the host reckons the answer to a challenge awaits nothing of the server", () => {
    const closed = (_tag: "HungUp" | "TimedOut") => ({ _tag: "Closed", reason: { _tag, awaiting: [] } })
    expect(Client.transition(states.AwaitDigest, { _tag: "HungUp" }).state).toEqual(closed("HungUp"))
    expect(Client.transition(states.AwaitDigest, { _tag: "Overdue" }).state).toEqual(closed("TimedOut"))
  })

  it("is silent where the server misbehaved: a client just closes", () => {
    expect(reply(["nonsense"])).toMatchObject({ said: [hello], actions: ["Say", "Close"] })
  })
})

describe("after the login", () => {
  it.each(["MSG Hotmail Hotmail 0", "SYN 5 1", "911 5", "VER 1 MSNP7", "USR 4 OK bob@hotmail.com Bob 1", "INF 5"])(
    "%s is handed to the application",
    (line) => {
      const { actions, state } = reply([...session, line])
      expect(actions.slice(5)).toEqual(["Deliver"])
      expect(state).toEqual(reply(session).state)
    },
  )

  it.each(["nonsense", "VER MSNP7"])("%s is misbehavior still: no sense can be made of its verb or TrID", (line) => {
    expect(reason([...session, line])).toMatchObject(misbehaved(/three upper-case letters|no TrID/))
  })

  it("nothing is too late", () => {
    const login = connect()
    login.hear(crlf(...session))
    expect(login.feed({ _tag: "Overdue" })).toBe("")
    expect(login.state()._tag).toBe("LoggedIn")
  })
})

describe("each state with each event", () => {
  const every = Object.values<Client.State>(states)

  it("is never a defect for what a server says, whatever it is", () => {
    const says = fc.oneof(...Object.values<fc.Arbitrary<ServerCommand.ServerCommand>>(Arbitraries.serverCommands))
    const line = fc.array(Arbitraries.word, { minLength: 1 }).map((words) => fromServer(words.join(" ")))
    const heard = fc.oneof(line, says.map(Result.succeed))
    fc.assert(
      fc.property(heard, fc.constantFrom(...every), (heard, state) => {
        expect(Client.table[state._tag][Client.classify(state, heard)._tag].kind).not.toBe("misuse")
      }),
    )
  })

  it("can be reached from the beginning, and the end from everywhere", () => {
    const reached = new Set<string>([Client.start(official).state._tag])
    for (const from of reached) {
      for (const { cell, state } of cells({ table: Client.table, states: every, events }, "rule")) {
        if (state._tag === from && cell.kind === "rule") for (const to of cell.to) reached.add(to)
      }
    }
    expect(reached).toEqual(new Set(Object.keys(Client.table)))
    for (const state of every) {
      expect(["Closed", "Referred"]).toContain(Client.transition(state, { _tag: "HungUp" }).state._tag)
    }
  })
})
