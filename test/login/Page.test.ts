/**
 * The page, sentence by sentence: what each has a server or a client do, on the wire.
 *
 * What takes a socket to show is shown in test/net, in tests that are tagged with the sentence.
 */
import * as Crypto from "node:crypto"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { describe, expect } from "vitest"
import * as Server from "../../src/login/Server.ts"
import type { ByTag } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import { connect, official, reply, respond, sideOf } from "../support/ClientSide.ts"
import { crlf, fromClient, fromServer, lines } from "../support/Frame.ts"
import { clause } from "../support/Clause.ts"
import type { Host } from "../support/ServerSide.ts"
import { admit, answer, challenge, ponder, serve } from "../support/ServerSide.ts"
import { talk } from "../support/Talk.ts"

const alice = "alice@hotmail.com"
const digest = "6f3963009fc8a9d2b2ff137da0905c55"

/** A client's lines of a whole login. */
const login = ["VER 1 MSNP7", "INF 2", `USR 3 MD5 I ${alice}`, `USR 4 MD5 S ${digest}`]
/** The server's lines to our own client. */
const welcome = ["VER 1 MSNP7", "INF 2 MD5", "USR 3 MD5 S 1013928519.693957190", `USR 4 OK ${alice} Alice 1`]

/** What a server says to a client's last line, and whether it closes. */
const toLast = (heard: ReadonlyArray<string>, host?: Host, server?: Server.Server) => {
  const before = answer(heard.slice(0, -1), host, server).said.length
  const { said, state } = answer(heard, host, server)
  return { said: said.slice(before), closed: state._tag === "Closed" }
}
const nothing = { said: [], closed: true }
const only = (line: string) => ({ said: [line], closed: true })

/** A login in a dialect, without INF, up to a line. */
const inDialect = (dialect: Dialect.Dialect, ...behind: ReadonlyArray<string>) => [`VER 1 ${dialect}`, ...behind]

/** To a port that is not the usual one, from another such. */
const refer: Host = () => ({
  _tag: "Refer",
  to: { host: "64.4.12.132", port: 1862 },
  from: { host: "207.46.104.20", port: 1864 },
})
const referralIn = (dialect: Dialect.Dialect) =>
  toLast(inDialect(dialect, `USR 2 MD5 I ${alice}`), refer).said[0]?.split(" ") ?? []

const denyAccount =
  (code: ByTag<Server.Event, "Deny">["code"]): Host =>
  () => ({ _tag: "Deny", code })
const denyDigest =
  (code: ByTag<Server.Event, "Deny">["code"]): Host =>
  (question) =>
    question._tag === "Admission" ? { _tag: "Challenge", challenge } : { _tag: "Deny", code }

/** Lets Alice in under a name. */
const welcoming =
  (name: string, verified: boolean): Host =>
  (question) =>
    question._tag === "Admission"
      ? { _tag: "Challenge", challenge }
      : {
          _tag: "Accept",
          account: Account.Account.make(alice),
          friendlyName: FriendlyName.FriendlyName.make(name),
          verified,
        }

const reasonOf = ({ state }: { readonly state: { readonly _tag: string; readonly reason?: unknown } }) => state.reason

describe("The login stage", () => {
  clause("login.stage", () => {
    const server = serve()
    const states = [server.state()._tag]
    for (const line of login) {
      server.hear(crlf(line))
      states.push(server.state()._tag)
    }
    expect(states).toEqual(["AwaitVer", "AwaitInfOrUsr", "AwaitUsr", "AwaitDigest", "LoggedIn"])
    expect(server.asked.map(({ _tag }) => _tag)).toEqual(["Admission", "Verdict"])
  })

  clause("login.redirect", () => {
    expect(toLast(login.slice(0, 3), refer)).toEqual(only("XFR 3 NS 64.4.12.132:1862 0 207.46.104.20:1864"))
  })

  clause("login.synchronous", () => {
    const server = serve()
    const client = connect({ dialects: ["MSNP7"] })
    let said = client.hello
    let rounds = 0
    while (said !== "") {
      expect(lines(said)).toHaveLength(1)
      const answered = server.hear(said)
      expect(lines(answered)).toHaveLength(1)
      said = client.hear(answered)
      rounds++
    }
    expect(rounds).toBe(4)
    // An answer to something else than was said is no step.
    expect(reasonOf(reply(["INF 1 MD5"]))).toMatchObject({ _tag: "ServerMisbehaved", got: "INF" })
  })

  clause("login.wrong-time", () => {
    expect(toLast(["VER 1 MSNP7", "VER 2 MSNP7"])).toEqual(only("715 2"))
    expect(toLast(["VER 1 MSNP7", "INF 2", "INF 3"])).toEqual(only("715 3"))
    expect(toLast(["INF 1"])).toEqual(only("715 1"))
    expect(toLast([`USR 1 MD5 I ${alice}`])).toEqual(only("715 1"))
    expect(toLast([...login.slice(0, 3), `USR 4 MD5 I ${alice}`])).toEqual(only("715 4"))
  })

  clause("login.cvr-before-usr", () => {
    const cvr = "CVR 9 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS"
    for (const count of [0, 1, 2]) expect(toLast([...login.slice(0, count), cvr])).toEqual(only("731 9"))
  })

  clause("login.cvr-after-usr", () => {
    const cvr = "CVR 9 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS"
    expect(toLast([...login.slice(0, 3), cvr])).toEqual(only("715 9"))
  })

  clause("login.meaningless", () => {
    for (const line of ["SYN 9 0", "CHG 9 NLN", "PNG", "MSG 9 U 5", "ZZZ 9"]) {
      for (const count of [0, 1, 2, 3]) expect(toLast([...login.slice(0, count), line])).toEqual(nothing)
    }
  })

  clause("login.stage-only", () => {
    for (const line of ["VER 9 MSNP7", "INF 9", `USR 9 MD5 I ${alice}`, "CVR 9 0x0409", "SYN 9 0"]) {
      expect(toLast([...login, line])).toEqual({ said: [], closed: false })
      expect(answer([...login, line]).actions.at(-1)).toBe("Deliver")
    }
    expect(reply([...welcome, "VER 9 MSNP7", "SYN 9 1"]).actions.slice(-2)).toEqual(["Deliver", "Deliver"])
  })
})

describe("VER", () => {
  clause("ver.offer", () => {
    expect(reply([], { dialects: ["MSNP7", "MSNP6"] }).said).toEqual(["VER 1 MSNP7 MSNP6 CVR0"])
    expect(fromClient("VER 0 MSNP7 FOO")).toEqual(Result.succeed({ _tag: "Ver", trId: 0, dialects: ["MSNP7", "FOO"] }))
  })

  clause("ver.case", () => {
    expect(toLast(["VER 1 msnp7"])).toEqual(only("VER 1 0"))
    expect(toLast(["VER 1 msnp7 MSNP6"])).toEqual({ said: ["VER 1 MSNP6"], closed: false })
  })

  clause("ver.trid", () => {
    for (const trId of ["0", "15", "4294967295"]) {
      expect(toLast([`VER ${trId} MSNP7`]).said).toEqual([`VER ${trId} MSNP7`])
    }
  })

  clause("ver.common", () => {
    expect(toLast(["VER 15 MSNP7 FOO BAR"]).said).toEqual(["VER 15 MSNP7"])
    expect(toLast(["VER 1 MSNP7 FOO MSNP5"]).said).toEqual(["VER 1 MSNP7 MSNP5"])
    expect(toLast([`VER 1 ${"FOO ".repeat(400)}MSNP2`]).said).toEqual(["VER 1 MSNP2"])
  })

  clause("ver.reply-order", () => {
    const { said, state } = answer(["VER 1 MSNP4 MSNP6 MSNP5"])
    expect(said).toEqual(["VER 1 MSNP6 MSNP4 MSNP5"])
    expect(state).toMatchObject({ dialect: "MSNP6" })
    expect(reply(["VER 1 MSNP5 MSNP7"]).state).toMatchObject({ dialect: "MSNP5" })
  })

  clause("ver.none", () => {
    expect(toLast(["VER 3 MYPROTOCOL MSNP8"])).toEqual(only("VER 3 0"))
    expect(reasonOf(reply(["VER 1 0"]))).toMatchObject({ _tag: "NoCommonDialect" })
  })

  clause("ver.cvr0", () => {
    expect(reply([], { dialects: ["MSNP7"] }).said).toEqual(["VER 1 MSNP7 CVR0"])
    expect(toLast(["VER 1 CVR0 MSNP7"])).toEqual({ said: ["VER 1 MSNP7 CVR0"], closed: false })
  })

  clause("ver.cvr0-decorative", () => {
    for (const dialect of Dialect.all) {
      const [, ...behind] = [...login, "CVR 5 0x0409"]
      const plain = answer([`VER 1 ${dialect}`, ...behind])
      const decorated = answer([`VER 1 ${dialect} CVR0`, ...behind])
      expect(decorated.said[0]).toBe(`VER 1 ${dialect} CVR0`)
      expect({ ...decorated, said: decorated.said.slice(1) }).toEqual({ ...plain, said: plain.said.slice(1) })
    }
    expect(toLast(["VER 1 MSNP7 CVR0", "CVR 2 0x0409"])).toEqual(only("731 2"))
    expect(toLast(["VER 1 CVR0"])).toEqual(only("VER 1 0"))
  })

  clause("ver.example-common", () => {
    expect(toLast(["VER 0 MSNP8 MSNP7"])).toEqual({ said: ["VER 0 MSNP7"], closed: false })
  })

  clause("ver.example-none", () => {
    expect(toLast(["VER 0 MYPROTOCOL"])).toEqual(only("VER 0 0"))
  })

  clause("ver.no-trid", () => {
    expect(toLast(["VER MSNP7"])).toEqual(nothing)
  })
})

describe("INF", () => {
  clause("inf.optional", () => {
    expect(answer(login).state).toMatchObject({ _tag: "LoggedIn" })
    expect(answer(login.filter((line) => !line.startsWith("INF"))).state).toMatchObject({ _tag: "LoggedIn" })
  })

  clause("inf.question", () => {
    expect(Codec.encodeClient({ _tag: "Inf", trId: TrId.TrId.make(1) })).toEqual(Result.succeed("INF 1\r\n"))
    expect(toLast(["VER 1 MSNP7", "INF"])).toEqual(nothing)
  })

  clause("inf.reply", () => {
    expect(toLast(["VER 1 MSNP7", "INF 9"])).toEqual({ said: ["INF 9 MD5"], closed: false })
    expect(reply(["VER 1 MSNP7", "INF 2 MD5"]).state).toMatchObject({ _tag: "AwaitUsr" })
  })

  clause("inf.md5", () => {
    for (const dialect of Dialect.all) expect(toLast(inDialect(dialect, "INF 2")).said).toEqual(["INF 2 MD5"])
    expect(reasonOf(reply(["VER 1 MSNP7", "INF 2 TWN"]))).toMatchObject({ _tag: "ServerMisbehaved" })
  })

  clause("inf.emulate", () => {
    expect(reply(welcome, { manner: "AskInf" }).said[1]).toBe("INF 2")
    const short = ["VER 1 MSNP7", "USR 2 MD5 S 1013928519.693957190", `USR 3 OK ${alice} Alice 1`]
    const skipping = reply(short, { manner: "SkipInf" })
    expect(skipping.said.join(" ")).not.toContain("INF")
    expect(skipping.state).toMatchObject({ _tag: "LoggedIn" })
  })
})

describe("The initial USR", () => {
  clause("usr.must", () => {
    expect(reply(["VER 1 MSNP7", "INF 2 MD5"]).said.at(-1)).toBe(`USR 3 MD5 I ${alice}`)
    expect(reply(["VER 1 MSNP7"], { manner: "SkipInf" }).said.at(-1)).toBe(`USR 2 MD5 I ${alice}`)
  })

  clause("usr.trid", () => {
    expect(toLast(["VER 1 MSNP7", `USR 9 MD5 I ${alice}`]).said).toEqual([`USR 9 MD5 S ${challenge}`])
    expect(toLast(["VER 1 MSNP7", `USR MD5 I ${alice}`])).toEqual(nothing)
  })

  clause("usr.package", () => {
    expect(reply(["VER 1 MSNP7", "INF 2 MD5"]).said.at(-1)?.split(" ")[2]).toBe("MD5")
    for (const other of ["TWN", "SHA", "md5"]) {
      expect(toLast(["VER 1 MSNP7", `USR 2 ${other} I ${alice}`])).toEqual(nothing)
    }
  })

  clause("usr.initial", () => {
    expect(reply(["VER 1 MSNP7", "INF 2 MD5"]).said.at(-1)?.split(" ")[3]).toBe("I")
    expect(toLast(["VER 1 MSNP7", `USR 2 MD5 i ${alice}`])).toEqual(nothing)
  })

  clause("usr.account", () => {
    expect(reply(["VER 1 MSNP7", "INF 2 MD5"]).said.at(-1)?.split(" ")[4]).toBe(alice)
    expect(answer(["VER 1 MSNP7", "USR 2 MD5 I Bob@Example.com"]).asked[0]?.account).toBe("Bob@Example.com")
  })

  clause("usr.disliked", () => {
    for (const line of ["USR 2", "USR 2 MD5", "USR 2 MD5 I", `USR 2 MD5 X ${alice}`, `USR 2 MD5 I ${alice} more`]) {
      expect(toLast(["VER 1 MSNP7", line])).toEqual(nothing)
    }
    const client = connect()
    client.hear(crlf("VER 1 MSNP7", "INF 2 MD5"))
    client.feed({ _tag: "HungUp" })
    expect(reasonOf({ state: client.state() })).toEqual({ _tag: "HungUp", awaiting: ["USR S", "XFR", "an error"] })
  })

  clause("usr.disliked-911", () => {
    expect(toLast(["VER 1 MSNP7", `USR 2 MD5 S ${alice}`])).toEqual(only("911 2"))
    for (const account of ["alice", "@hotmail.com", "alice@", "a@b@c"]) {
      expect(toLast(["VER 1 MSNP7", `USR 2 MD5 I ${account}`])).toEqual(only("911 2"))
    }
  })

  clause("usr.trouble", () => {
    for (const code of [500, 601, 910, 921] as const) {
      expect(toLast(login.slice(0, 3), denyAccount(code))).toEqual(only(`${code} 3`))
      expect(reasonOf(reply([...welcome.slice(0, 2), `${code} 3`]))).toEqual({ _tag: "Unavailable", code })
    }
  })

  clause("usr.answers", () => {
    expect(toLast(login.slice(0, 3), refer).said[0]).toMatch(/^XFR 3 /)
    expect(toLast(login.slice(0, 3), admit).said[0]).toMatch(/^USR 3 /)
    expect(reply([...welcome.slice(0, 2), "XFR 3 NS 10.0.0.5:1863"]).state).toMatchObject({ _tag: "Referred" })
    expect(reply(welcome.slice(0, 3)).state).toMatchObject({ _tag: "AwaitOk" })
  })
})

describe("XFR", () => {
  clause("xfr.form", () => {
    const parameters = Dialect.all.map((dialect) => referralIn(dialect).slice(2).length)
    expect(Dialect.all).toEqual(["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2"])
    expect(parameters).toEqual([4, 3, 3, 3, 3, 2])
    for (const dialect of Dialect.all) expect(referralIn(dialect)[1]).toBe("2")
  })

  clause("xfr.ns", () => {
    for (const dialect of Dialect.all) expect(referralIn(dialect)[2]).toBe("NS")
    expect(reasonOf(reply([...welcome.slice(0, 2), "XFR 3 SB 10.0.0.5:1863"]))).toMatchObject({
      _tag: "ServerMisbehaved",
    })
  })

  clause("xfr.address", () => {
    for (const dialect of Dialect.all) expect(referralIn(dialect)[3]).toBe("64.4.12.132:1862")
  })

  clause("xfr.port", () => {
    const at = (address: string) => reply([...welcome.slice(0, 2), `XFR 3 NS ${address} 0`]).state
    expect(at("64.4.12.132:1862")).toMatchObject({ _tag: "Referred", to: { host: "64.4.12.132", port: 1862 } })
    expect(at("64.4.12.133")).toMatchObject({ _tag: "Referred", to: { host: "64.4.12.133", port: 1863 } })
  })

  clause("xfr.zero", () => {
    expect(referralIn("MSNP2")[4]).toBeUndefined()
    for (const dialect of ["MSNP3", "MSNP4", "MSNP5", "MSNP6", "MSNP7"] as const) {
      expect(referralIn(dialect)[4]).toBe("0")
    }
  })

  clause("xfr.self", () => {
    expect(referralIn("MSNP7")[5]).toBe("207.46.104.20:1864")
    expect(referralIn("MSNP6")[5]).toBeUndefined()
  })

  clause("xfr.example", () => {
    expect(toLast(["VER 0 MSNP7", "INF 1", `USR 2 MD5 I ${alice}`], refer)).toEqual(
      only("XFR 2 NS 64.4.12.132:1862 0 207.46.104.20:1864"),
    )
  })

  clause("xfr.closes", () => {
    const referred = answer([...login.slice(0, 3), "VER 4 MSNP7"], refer)
    expect(referred.actions.slice(-2)).toEqual(["Say", "Close"])
    expect(referred.said).toHaveLength(3)
  })

  clause("xfr.again", () => {
    const { actions, state } = reply([...welcome.slice(0, 2), "XFR 3 NS 10.0.0.5:1864 0 10.0.0.1:1863"])
    expect(state).toMatchObject({ _tag: "Referred", to: { host: "10.0.0.5", port: 1864 } })
    expect(actions.at(-1)).toBe("Close")
  })
})

describe("The subsequent USR", () => {
  clause("usr.challenge", () => {
    expect(toLast(login.slice(0, 3)).said).toEqual(["USR 3 MD5 S 1013928519.693957190"])
    expect(fromServer("USR 3 MD5 S 1013928519.693957190")).toEqual(
      Result.succeed({ _tag: "UsrChallenge", trId: 3, challenge: "1013928519.693957190" }),
    )
  })

  clause("usr.challenge-opaque", () => {
    for (const odd of ["x", "-1", "now", "%20%", "\u00ff\u0000\u007f", "long".repeat(5000)]) {
      const said = connect().hear(`VER 1 MSNP7\r\nINF 2 MD5\r\nUSR 3 MD5 S ${odd}\r\n`)
      const md5 = Crypto.createHash("md5")
        .update(Buffer.from(`${odd}mypassword`, "latin1"))
        .digest("hex")
      expect(said).toContain(`USR 4 MD5 S ${md5}\r\n`)
    }
  })

  clause("usr.digest", () => {
    const respond = (text: string, secret: string) =>
      Redacted.value(Challenge.respond(Challenge.Challenge.make(text), Redacted.make(secret)))
    // hypothetic v2.0, md5; the wiki, USR.
    expect(respond("abcdefg", "1234567")).toBe("d1713d0f1d2e8fae230328d8fd59de01")
    expect(respond("1013928519.693957190", "mypassword")).toBe("6f3963009fc8a9d2b2ff137da0905c55")
    expect(respond("1234567890.123456789", "password")).toBe("f59af8f2fa91d38aff7c870c17f99903")
  })

  clause("usr.respond", () => {
    expect(reply(welcome.slice(0, 3)).said.at(-1)).toBe(`USR 4 MD5 S ${digest}`)
    const verdict = answer(login).asked[1]
    expect(verdict).toMatchObject({ _tag: "Verdict", account: alice, challenge })
    expect(verdict?._tag === "Verdict" && Redacted.value(verdict.digest)).toBe(digest)
  })

  clause("usr.ok", () => {
    expect(toLast(login, welcoming("My Screen Name", true))).toEqual({
      said: [`USR 4 OK ${alice} My%20Screen%20Name 1`],
      closed: false,
    })
    expect(reply([...welcome.slice(0, 3), `USR 4 OK ${alice} My%20Screen%20Name 1`]).state).toMatchObject({
      _tag: "LoggedIn",
      account: alice,
      friendlyName: "My Screen Name",
    })
  })

  clause("usr.verified", () => {
    const flagOf = (dialect: Dialect.Dialect, verified: boolean) =>
      toLast(inDialect(dialect, `USR 2 MD5 I ${alice}`, `USR 3 MD5 S ${digest}`), welcoming("Alice", verified))
        .said[0]?.split(" ")
        .slice(5)
    expect(flagOf("MSNP7", true)).toEqual(["1"])
    expect(flagOf("MSNP7", false)).toEqual(["0"])
    for (const dialect of ["MSNP2", "MSNP3", "MSNP4", "MSNP5", "MSNP6"] as const) {
      expect(flagOf(dialect, true)).toEqual([])
    }
    expect(reply([...welcome.slice(0, 3), `USR 4 OK ${alice} Alice 0`]).state).toMatchObject({
      verified: Option.some(false),
    })
  })

  clause("usr.wrong-password", () => {
    expect(toLast(login, denyDigest(911))).toEqual(only("911 4"))
    expect(reasonOf(reply([...welcome.slice(0, 3), "911 4"]))).toEqual({ _tag: "Denied", code: 911 })
  })

  clause("usr.digest-size", () => {
    const wrong = [digest.slice(1), `${digest}0`, "", "z".repeat(32), `${digest} more`]
    for (const digits of wrong) expect(toLast([...login.slice(0, 3), `USR 4 MD5 S ${digits}`])).toEqual(nothing)
    expect(toLast([...login.slice(0, 3), `USR 4 TWN S ${digest}`])).toEqual(nothing)
  })

  clause("usr.trouble-again", () => {
    for (const code of [500, 601, 910, 921] as const) {
      expect(toLast(login, denyDigest(code))).toEqual(only(`${code} 4`))
      expect(reasonOf(reply([...welcome.slice(0, 3), `${code} 4`]))).toEqual({ _tag: "Unavailable", code })
    }
  })
})

describe("Maximizing efficiency", () => {
  clause("efficiency.together", () => {
    const server = serve(ponder)
    expect(server.hear(crlf("VER 1 MSNP7", "USR 2 MD5 I a@b.c"))).toBe("VER 1 MSNP7\r\n")
    expect(server.feed({ _tag: "Challenge", challenge })).toBe(crlf(`USR 2 MD5 S ${challenge}`))
    expect(answer(login).said).toEqual(login.flatMap((_, i) => toLast(login.slice(0, i + 1)).said))
  })

  clause("efficiency.ver-usr", () => {
    const hurried = { manner: "Pipeline", dialects: ["MSNP7"] } as const
    expect(reply([], hurried).said).toEqual(["VER 1 MSNP7", `USR 2 MD5 I ${alice}`])
    const short = ["VER 1 MSNP7", "USR 2 MD5 S 1013928519.693957190", `USR 3 OK ${alice} Alice 1`]
    expect(reply(short, hurried).said.slice(2)).toEqual([`USR 3 MD5 S ${digest}`])
    expect(reply(short, hurried).state._tag).toBe("LoggedIn")
    expect(reply(["VER 1 0"], hurried).state).toMatchObject({ reason: { _tag: "NoCommonDialect" } })
  })

  clause("efficiency.one-dialect", () => {
    expect(reply([], { dialects: ["MSNP7"] }).said).toEqual(["VER 1 MSNP7 CVR0"])
    expect(reply([], { dialects: ["MSNP3"], manner: "Pipeline" }).said[0]).toBe("VER 1 MSNP3")
  })

  clause("efficiency.no-inf", () => {
    expect(reply(["VER 1 MSNP7"], { manner: "SkipInf" }).said).toEqual([
      "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
      `USR 2 MD5 I ${alice}`,
    ])
  })

  clause("efficiency.lf", () => {
    expect(serve().hear(`${login.join("\n")}\n`)).toBe(serve().hear(crlf(...login)))
  })
})

describe("Logging off", () => {
  clause("logoff.close", () => {
    const server = serve()
    server.hear(crlf(...login))
    expect(server.feed({ _tag: "HungUp" })).toBe("")
    expect(server.state()).toEqual({ _tag: "Closed", reason: "HungUp" })
  })

  clause("logoff.out", () => {
    const client = connect()
    client.hear(crlf(...welcome))
    expect(client.feed({ _tag: "LogOff" })).toBe("OUT\r\n")
    expect(answer([...login, "OUT"]).state).toEqual({ _tag: "Closed", reason: "LoggedOff" })
  })

  clause("logoff.out-closes", () => {
    expect(answer([...login, "OUT", "SYN 5 0"]).actions.at(-1)).toBe("Close")
  })

  clause("logoff.out-silent", () => {
    for (const count of [0, 1, 2, 3, 4]) expect(toLast([...login.slice(0, count), "OUT"])).toEqual(nothing)
  })
})

describe("The server closes the connection", () => {
  const signedIn = () => {
    const server = serve()
    server.hear(crlf(...login))
    return server
  }

  clause("closing.reasons", () => {
    const ends = (event: Server.Event) => {
      const server = signedIn()
      server.feed(event)
      return server.state()
    }
    expect(ends({ _tag: "ShutDown" })).toEqual({ _tag: "Closed", reason: "ShuttingDown" })
    expect(ends({ _tag: "Displaced" })).toEqual({ _tag: "Closed", reason: "LoggedInElsewhere" })
    expect(reasonOf(reply([...welcome, "OUT OTH"]))).toEqual({ _tag: "LoggedOut", reason: "LoggedInElsewhere" })
    expect(reasonOf(reply([...welcome, "OUT SSD"]))).toEqual({ _tag: "LoggedOut", reason: "ShuttingDown" })
  })

  clause("closing.oth", () => {
    const server = signedIn()
    expect(server.feed({ _tag: "Displaced" })).toBe("OUT OTH\r\n")
    expect(server.state()).toEqual({ _tag: "Closed", reason: "LoggedInElsewhere" })
    expect(server.actions.slice(-2)).toEqual(["Say", "Close"])
  })

  clause("closing.ssd", () => {
    expect(signedIn().feed({ _tag: "ShutDown" })).toBe("OUT SSD\r\n")
  })

  clause("closing.ssd-closes", () => {
    const server = signedIn()
    server.feed({ _tag: "ShutDown" })
    expect(server.actions.slice(-2)).toEqual(["Say", "Close"])
    expect(server.hear("SYN 5 0\r\n")).toBe("")
  })
})

describe("Where the page is silent", () => {
  clause("beyond.verb", () => {
    for (const line of ["ver 1 MSNP7", "VERS 1 MSNP7", "V1R 1", "911 1", " VER 1 MSNP7"]) {
      expect(toLast([line])).toEqual(nothing)
    }
  })

  clause("beyond.trid", () => {
    expect(toLast(["VER 4294967295 MSNP7"]).closed).toBe(false)
    for (const trId of ["4294967296", "-1", "1.5", "x"]) {
      expect(toLast([`VER ${trId} MSNP7`])).toEqual(nothing)
      expect(toLast([...login, `SYN 5 0`, `VER ${trId} MSNP7`])).toEqual(nothing)
    }
  })

  clause("beyond.reply-trid", () => {
    expect(login.map((_, i) => toLast(login.slice(0, i + 1)).said[0]?.split(" ")[1])).toEqual(["1", "2", "3", "4"])
    expect(reasonOf(reply(["VER 2 MSNP7"]))).toMatchObject({
      _tag: "ServerMisbehaved",
      got: expect.stringMatching(/TrID 2 where 1 /),
    })
  })

  clause("beyond.blanks", () => {
    expect(serve().hear("\r\n \r\nVER  1\t MSNP7 \r\n\r\nINF 2 \r\n")).toBe(crlf("VER 1 MSNP7", "INF 2 MD5"))
  })

  clause("beyond.order", () => {
    expect(toLast(["VER 1 MSNP7", "VER x"])).toEqual(nothing)
    expect(toLast(["VER 1 MSNP7", "VER 9"])).toEqual(only("715 9"))
    expect(toLast(["CVR 1"])).toEqual(only("731 1"))
    expect(toLast(["VER 9"])).toEqual(only("VER 9 0"))
  })

  clause("beyond.limit", () => {
    const padded = (length: number) => `VER 1 MSNP7 ${"X".repeat(length - "VER 1 MSNP7 ".length)}`
    expect(toLast([padded(2048)])).toEqual({ said: ["VER 1 MSNP7"], closed: false })
    expect(toLast([padded(2049)])).toEqual(nothing)
    expect(reasonOf(reply([...welcome.slice(0, 2), `USR 3 MD5 S ${"x".repeat(65_536)}`]))).toMatchObject({
      _tag: "ServerMisbehaved",
    })
  })

  clause("beyond.overdue", () => {
    for (const count of [0, 1, 2, 3]) {
      const server = serve()
      server.hear(crlf(...login.slice(0, count)))
      expect(server.feed({ _tag: "Overdue" })).toBe("")
      expect(server.state()).toEqual({ _tag: "Closed", reason: "Overdue" })
      const client = connect()
      client.hear(crlf(...welcome.slice(0, count)))
      expect(client.feed({ _tag: "Overdue" })).toBe("")
      expect(reasonOf({ state: client.state() })).toMatchObject({ _tag: "TimedOut" })
    }
  })

  clause("beyond.lost", () => {
    const awaited = [
      ["VER", "VER 0", "an error"],
      ["INF", "an error"],
      ["USR S", "XFR", "an error"],
      ["USR OK", "an error"],
    ]
    for (const [count, awaiting] of awaited.entries()) {
      const client = connect()
      client.hear(crlf(...welcome.slice(0, count)))
      expect(client.feed({ _tag: "HungUp" })).toBe("")
      expect(reasonOf({ state: client.state() })).toEqual({ _tag: "HungUp", awaiting })
    }
  })

  clause("beyond.dismiss", () => {
    const server = serve()
    server.hear(crlf(...login))
    expect(server.feed({ _tag: "Dismiss" })).toBe("")
    expect(server.state()).toEqual({ _tag: "Closed", reason: "Dismissed" })
  })

  clause("beyond.pending", () => {
    const server = serve(ponder)
    server.hear(crlf("VER 1 MSNP7", `USR 2 MD5 I ${alice}`, `USR 3 MD5 S ${digest}`, "SYN 4 0"))
    expect(server.state()._tag).toBe("AwaitAdmission")
    server.feed({ _tag: "Challenge", challenge })
    expect(server.asked.map(({ _tag }) => _tag)).toEqual(["Admission", "Verdict"])
    expect(server.state()._tag).toBe("AwaitVerdict")

    // What a client hears meanwhile is made out when its turn comes: by the TrID of the digest, not of the account.
    const early = (...heard: ReadonlyArray<string>) => {
      const client = talk(sideOf(official))
      client.hear(crlf("VER 1 MSNP7", "INF 2 MD5", `USR 3 MD5 S ${challenge}`, ...heard))
      expect(client.state()._tag).toBe("AwaitDigest")
      client.feed(respond({ _tag: "Digest", challenge }))
      return client.state()
    }
    const ok = `OK ${alice} Alice 1`
    expect(early("NLN NLN bob@hotmail.com Bob", `USR 4 ${ok}`, "QNG")).toMatchObject({ _tag: "LoggedIn" })
    expect(early(`USR 3 ${ok}`)).toMatchObject({ _tag: "Closed", reason: { _tag: "ServerMisbehaved" } })
    expect(early("OUT SSD", `USR 4 ${ok}`)).toMatchObject({ _tag: "Closed", reason: { _tag: "LoggedOut" } })
  })

  clause("beyond.denials", () => {
    const told = (dialect: Dialect.Dialect, code: 923 | 924) =>
      toLast(inDialect(dialect, `USR 2 MD5 I ${alice}`, `USR 3 MD5 S ${digest}`), denyDigest(code)).said[0]
    expect(Dialect.all.map((dialect) => told(dialect, 923))).toEqual([
      "923 3",
      "923 3",
      "923 3",
      "923 3",
      "911 3",
      "911 3",
    ])
    expect(Dialect.all.map((dialect) => told(dialect, 924))).toEqual([
      "924 3",
      "924 3",
      "924 3",
      "911 3",
      "911 3",
      "911 3",
    ])
  })

  clause("beyond.failure-form", () => {
    expect(toLast(login, denyDigest(911)).said).toEqual(["911 4"])
    for (const line of ["911 4", "911", "911 4 no such account", "911 no such account"]) {
      expect(reasonOf(reply([...welcome.slice(0, 3), line]))).toEqual({ _tag: "Denied", code: 911 })
    }
  })

  clause("beyond.ver-list", () => {
    expect(reply(["VER 1 CVR0 MSNP6 MSNP5"]).state).toMatchObject({ dialect: "MSNP6" })
    expect(reasonOf(reply(["VER 1 0 MSNP3 MSNP2"]))).toMatchObject({ _tag: "NoCommonDialect" })
    expect(reasonOf(reply(["VER 1 MSNP3"]))).toMatchObject({ _tag: "ServerMisbehaved" })
  })

  clause("beyond.inf-list", () => {
    for (const packages of ["MD5 CTP", "CTP MD5", "CTP,MD5", "CTP, MD5"]) {
      expect(reply(["VER 1 MSNP7", `INF 2 ${packages}`]).state).toMatchObject({ _tag: "AwaitUsr" })
    }
    expect(reasonOf(reply(["VER 1 MSNP7", "INF 2 CTP,SHA"]))).toMatchObject({
      _tag: "ServerMisbehaved",
      got: "INF without MD5: CTP, SHA",
    })
  })

  clause("beyond.xfr-forms", () => {
    const forms = ["10.0.0.5:1863", "10.0.0.5:1863 0", "10.0.0.5 0 10.0.0.1:1863", "cs118.msgr.hotmail.com:1863 0"]
    for (const form of forms) {
      expect(reply([...welcome.slice(0, 2), `XFR 3 NS ${form}`]).state).toMatchObject({ _tag: "Referred" })
    }
  })

  clause("beyond.digest-case", () => {
    expect(toLast([...login.slice(0, 3), `USR 4 MD5 S ${digest.toUpperCase()}`]).closed).toBe(false)
    const verdict = answer([...login.slice(0, 3), `USR 4 MD5 S ${digest.toUpperCase()}`]).asked[1]
    expect(verdict?._tag === "Verdict" && Redacted.value(verdict.digest)).toBe(digest)
  })

  clause("beyond.ok-account", () => {
    const ok = (account: string) => reply([...welcome.slice(0, 3), `USR 4 OK ${account} Alice 1`])
    expect(reasonOf(ok("bob@hotmail.com"))).toMatchObject({ _tag: "ServerMisbehaved" })
    expect(ok("ALICE@hotmail.com").state).toMatchObject({ _tag: "LoggedIn" })
  })

  clause("beyond.friendly-name", () => {
    const nameIn = (bytes: string) => {
      const client = connect()
      client.hear(`${crlf(...welcome.slice(0, 3))}USR 4 OK ${alice} ${bytes} 1\r\n`)
      const state = client.state()
      return state._tag === "LoggedIn" ? state.friendlyName : state
    }
    expect(nameIn("100%25")).toBe("100%")
    expect(nameIn("100%")).toBe("100%")
    expect(nameIn("%ff")).toBe("%ff")
  })

  clause("beyond.asides", () => {
    const message = "MSG Hotmail Hotmail 2\r\nhi"
    const client = connect()
    client.hear(`${message.repeat(32)}${crlf("VER 1 MSNP7")}${"NLN NLN bob@hotmail.com Bob\r\n".repeat(32)}`)
    expect(client.state()).toMatchObject({ _tag: "AwaitInf", skipped: 64 })
    client.hear(message)
    expect(client.state()).toMatchObject({ _tag: "Closed", reason: { _tag: "ServerMisbehaved" } })
  })

  clause("beyond.bare-out", () => {
    expect(reasonOf(reply([...welcome, "OUT"]))).toEqual({ _tag: "LoggedOut", reason: "Unstated" })
  })

  const bent = (quirk: Quirk.Quirk) => Server.make(Quirk.only(quirk))

  clause("beyond.ver-single", () => {
    expect(toLast(["VER 1 MSNP7 MSNP6 CVR0"], admit, bent("verSingle")).said).toEqual(["VER 1 MSNP7"])
  })

  clause("beyond.dialect-case", () => {
    expect(toLast(["VER 1 msnp7"], admit, bent("dialectCaseInsensitive")).said).toEqual(["VER 1 MSNP7"])
  })

  clause("beyond.msnp2-zero", () => {
    const said = toLast(inDialect("MSNP2", `USR 2 MD5 I ${alice}`), refer, bent("msnp2ReferralZero")).said
    expect(said).toEqual(["XFR 2 NS 64.4.12.132:1862 0"])
  })

  clause("beyond.msnp6-verified", () => {
    const heard = inDialect("MSNP6", `USR 2 MD5 I ${alice}`, `USR 3 MD5 S ${digest}`)
    expect(toLast(heard, welcoming("Alice", true), bent("verifiedFlagFromMsnp6")).said).toEqual([
      `USR 3 OK ${alice} Alice 1`,
    ])
  })

  clause("beyond.cvr-anytime", () => {
    const cvr = "CVR 9 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS"
    for (const count of [0, 1, 2, 3]) {
      const { closed, said } = toLast([...login.slice(0, count), cvr], admit, bent("cvrAnytime"))
      expect(closed).toBe(false)
      expect(said).toEqual([expect.stringMatching(/^CVR 9 3\.6\.0025 3\.6\.0025 1\.0\.0000 http:\S+ http:\S+$/)])
    }
  })
})
