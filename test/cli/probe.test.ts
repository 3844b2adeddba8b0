import { afterEach, describe, expect, it, vi } from "vitest"
import * as Effect from "effect/Effect"
import * as Address from "../../src/protocol/Address.ts"
import * as Msnp from "../support/Msnp.ts"
import * as Socks from "../support/Socks.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Serves both roles on free ports until the test is over. */
const serve = async (...args: ReadonlyArray<string>) => {
  const listening = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]
  const running = Msnp.start(["serve", "--json", "--demo", ...listening, ...args])
  cleanups.push(running.stop)
  return { dispatch: await Msnp.portOf(running, "dispatch"), notification: await Msnp.portOf(running, "notification") }
}

/** Answers by a script until the test is over. */
const scripted = async (answer: (line: string) => string | undefined): Promise<number> => {
  const { close, port } = await Msnp.scripted(answer)
  cleanups.push(close)
  return port
}

const probe = (port: number, ...args: ReadonlyArray<string>) => Msnp.run(["probe", `127.0.0.1:${port}`, ...args])

/** The lines of a table, each row's cells without what is between them. */
const rows = (lines: ReadonlyArray<string>) => lines.map((line) => line.split(/ {2,}/))

/** Three digits that say something, at most. */
const figure = String.raw`(?:0\.0*[1-9]\d{0,2}|[1-9](?:\.\d{1,2})?|[1-9]\d(?:\.\d)?|[1-9]\d{2,})`

const takes = (what: string) =>
  new RegExp(String.raw`^${what} takes ${figure} ms: the median of 7, from ${figure} to ${figure} ms\.$`)

const whole = "VER 1 MSNP7 MSNP6 MSNP5 MSNP4 MSNP3 MSNP2 CVR0"

describe("msnp probe", () => {
  it("shows what a dispatch server speaks, and where it refers to", async () => {
    const { dispatch, notification } = await serve()
    const { code, stderr, stdout } = await probe(dispatch)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.split("\n")
    expect(lines.slice(0, 2)).toEqual([`127.0.0.1:${dispatch} speaks MSNP7, MSNP6, MSNP5, MSNP4, MSNP3, MSNP2.`, ""])
    expect(rows(lines.slice(2, 12))).toEqual([
      ["ASKED", "FOUND", "ANSWER"],
      ["MSNP7", "spoken", "VER 1 MSNP7 CVR0"],
      ["MSNP6", "spoken", "VER 1 MSNP6 CVR0"],
      ["MSNP5", "spoken", "VER 1 MSNP5 CVR0"],
      ["MSNP4", "spoken", "VER 1 MSNP4 CVR0"],
      ["MSNP3", "spoken", "VER 1 MSNP3 CVR0"],
      ["MSNP2", "spoken", "VER 1 MSNP2 CVR0"],
      ["all", "names all of them", whole],
      ["INF", "authenticates by MD5", "INF 2 MD5"],
      [
        "USR",
        `refers to 127.0.0.1:${notification}`,
        `XFR 2 NS 127.0.0.1:${notification} 0 127.0.0.1:${dispatch}, then closes`,
      ],
    ])
    expect(lines.slice(12)).toEqual([
      "",
      expect.stringMatching(takes("A connection")),
      expect.stringMatching(takes("An answer to VER")),
      "",
    ])
  })

  it("shows what a notification server makes of an account, and what it does at the wrong time", async () => {
    const { notification } = await serve("--quirk", "verSingle")
    const { code, stderr, stdout } = await probe(notification, "--account", "bob@example.com", "--wrong-time")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.split("\n")
    expect(rows(lines.slice(9, 12))).toEqual([
      ["all", "names one", "VER 1 MSNP7"],
      ["INF", "authenticates by MD5", "INF 2 MD5"],
      ["USR", "challenges", expect.stringMatching(/^USR 2 MD5 S \d+\.\d{18,}$/)],
    ])
    const table = rows(lines.slice(16, 64))
    expect(table[0]).toEqual(["WHEN", "SAID", "ANSWER", "EXPECTED"])
    expect(table[1]).toEqual(["before VER", "INF 1", "715 1, then closes", "the same"])
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(table[47]).toEqual(["after USR I", "VER MSNP7", "closes", "the same"])
    expect(table.filter(([, said]) => said === "SYN 2 0")).toEqual([["after VER", "SYN 2 0", "closes", "the same"]])
    expect(lines.slice(64)).toEqual(["", "Not as expected: 0 of 47 answers at the wrong time.", ""])
  })

  it("shows in which answers a server differs, and what was expected", async () => {
    const port = await scripted((line) => {
      if (line === "USR 2 TWN I a@b.c") return "911 2\r\n"
      const [verb, trId = "", name] = line.split(" ")
      return verb === "VER" && name !== undefined ? `VER ${trId} MSNP7\r\n` : undefined
    })
    const { code, stdout } = await probe(port, "--wrong-time")
    expect(code).toBe(0)
    const lines = stdout.split("\n")
    expect(lines[0]).toBe(`127.0.0.1:${port} speaks MSNP7.`)
    expect(rows(lines.slice(4, 5))).toEqual([["MSNP6", "not spoken", "VER 1 MSNP7"]])
    expect(rows(lines.slice(10, 12))).toEqual([
      ["INF", "no answer", "closes"],
      ["USR", "no answer", "closes"],
    ])
    const table = rows(lines.slice(17, 40))
    expect(table.filter(([, , , expected]) => expected !== "the same")).toEqual([
      ["before VER", "INF 1", "closes", "715 1, then closes"],
      ["before VER", "CVR 1 0x0409 win 4.10 i3…", "closes", "731 1, then closes"],
      ["before VER", "USR 1 MD5 I a@b.c", "closes", "715 1, then closes"],
      ["before VER", "USR 1 MD5 S 000000000000…", "closes", "715 1, then closes"],
      ["before VER", "USR 1 TWN I a@b.c", "closes", "715 1, then closes"],
      ["after VER", "VER 2 MSNP7 CVR0", "VER 2 MSNP7", "715 2, then closes"],
      ["after VER", "CVR 2 0x0409 win 4.10 i3…", "closes", "731 2, then closes"],
      ["after VER", "USR 2 TWN I a@b.c", "911 2", "closes or 911 2, then closes"],
    ])
    expect(lines.slice(40)).toEqual(["", "Not as expected: 8 of 23 answers at the wrong time.", ""])
  })

  it("tells a program, one finding a line", async () => {
    const { dispatch, notification } = await serve()
    const { code, stderr, stdout } = await probe(dispatch, "--json", "--wrong-time")
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.trimEnd().split("\n")
    const found = lines.map((line) => JSON.parse(line) as unknown)
    const number = expect.any(Number)
    expect(lines[0]).toBe(
      '{"event":"dialect","dialect":"MSNP7","verdict":"Spoken","sent":"VER 1 MSNP7 CVR0",' +
        '"answer":{"_tag":"Dialects","line":"VER 1 MSNP7 CVR0","names":["MSNP7","CVR0"]},"after":"Open"}',
    )
    expect(found.slice(5, 12)).toEqual([
      {
        event: "dialect",
        dialect: "MSNP2",
        verdict: "Spoken",
        sent: "VER 1 MSNP2 CVR0",
        answer: { _tag: "Dialects", line: "VER 1 MSNP2 CVR0", names: ["MSNP2", "CVR0"] },
        after: "Open",
      },
      {
        event: "offer",
        sent: whole,
        answer: {
          _tag: "Dialects",
          line: whole,
          names: ["MSNP7", "MSNP6", "MSNP5", "MSNP4", "MSNP3", "MSNP2", "CVR0"],
        },
        after: "Open",
      },
      { event: "time", of: "Connect", count: 7, min: number, median: number, max: number },
      { event: "time", of: "Ver", count: 7, min: number, median: number, max: number },
      {
        event: "inf",
        sent: "INF 2",
        answer: { _tag: "Packages", line: "INF 2 MD5", packages: ["MD5"] },
        after: "Open",
      },
      {
        event: "admission",
        sent: "USR 2 MD5 I a@b.c",
        answer: {
          _tag: "Referral",
          line: `XFR 2 NS 127.0.0.1:${notification} 0 127.0.0.1:${dispatch}`,
          to: `127.0.0.1:${notification}`,
        },
        after: "Closed",
      },
      {
        event: "wrongTime",
        moment: "BeforeVer",
        sent: "INF 1",
        answer: { _tag: "Refusal", line: "715 1", code: 715 },
        after: "Closed",
        expected: [{ _tag: "Refusal", line: "715 1", code: 715 }],
        cites: ["login.wrong-time"],
        verdict: "Agrees",
      },
    ])
    expect(found.length).toBe(11 + 35)
  })

  it("shows what a server of another kind says, and gives the terminal no orders of it", async () => {
    const port = await scripted((line) => (line === "VER 1 MSNP7 CVR0" ? "HTTP/1.1 400 \u001b[2J\r\n" : undefined))
    const [{ code, stdout }, told] = await Promise.all([probe(port), probe(port, "--json")])
    expect(code).toBe(0)
    const lines = stdout.split("\n")
    expect(lines[0]).toBe(`127.0.0.1:${port} speaks none of MSNP2 to MSNP7.`)
    expect(rows(lines.slice(3, 4))).toEqual([
      ["MSNP7", "not spoken", String.raw`HTTP/1.1 400 \x1b[2J (a line does not begin with three upper-case letters)`],
    ])
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(told.stdout).toContain(String.raw`"line":"HTTP/1.1 400 \\x1b[2J"`)
  })

  it("exits 6 where a server takes connections, and answers nothing", async () => {
    const port = await scripted(() => undefined)
    const message = `127.0.0.1:${port} takes connections, and answers nothing. If it speaks TLS alone, try --tls.`
    const { code, stderr, stdout } = await probe(port)
    expect({ code, stderr }).toEqual({ code: 6, stderr: `msnp: ${message}\n` })
    expect(rows(stdout.split("\n").slice(8, 10))).toEqual([
      ["MSNP2", "not spoken", "closes"],
      ["all", "no answer", "closes"],
    ])
    const told = await probe(port, "--json")
    expect(told.code).toBe(6)
    expect(JSON.parse(told.stdout.trimEnd().split("\n").at(-1) ?? "")).toEqual({
      event: "failed",
      why: "Disconnected",
      message,
    })
  })

  it("waits for an answer no longer than --timeout", async () => {
    const port = await scripted(() => "")
    const begun = performance.now()
    const { code, stderr, stdout } = await probe(port, "--timeout", "1")
    expect(rows(stdout.split("\n").slice(3, 4))).toEqual([["MSNP7", "not spoken", "says nothing"]])
    expect(stderr).toBe(`msnp: 127.0.0.1:${port} takes connections, and answers nothing.\n`)
    expect(code).toBe(6)
    // Eight questions of 5 seconds each, otherwise.
    expect(performance.now() - begun).toBeLessThan(40_000)
  })

  it("exits 5 where nobody listens, and says where", async () => {
    const { close, port } = await Msnp.scripted(() => undefined)
    close()
    const message = `No connection came about; tried 127.0.0.1:${port} (nothing listens there).`
    expect(await probe(port)).toEqual({ code: 5, stdout: "", stderr: `msnp: ${message}\n` })
    const told = await probe(port, "--json")
    expect(told.code).toBe(5)
    expect(JSON.parse(told.stdout)).toEqual({ event: "failed", why: "ConnectError", message })
  })

  it.each([
    [["127.0.0.1:0"], "HOST:PORT"],
    [["not a host"], "HOST:PORT"],
    [["127.0.0.1", "--account", "alice"], "an address: one @"],
    [[], "Missing required argument"],
  ])("exits 1 at bad input: %j", async (args, words) => {
    const { code, stderr, stdout } = await Msnp.run(["probe", ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toContain(words)
    expect(stderr.trimEnd().split("\n").length).toBe(1)
  })

  it("ends with 130 on Ctrl-C, in the midst of an answer that does not come", async () => {
    let heard = () => {}
    const asked = new Promise<void>((resolve) => (heard = resolve))
    const port = await scripted(() => {
      heard()
      return ""
    })
    const running = Msnp.start(["probe", `127.0.0.1:${port}`])
    await asked
    running.kill("SIGINT")
    expect(await running.ended).toEqual({ code: 130, stdout: "", stderr: "" })
  })

  it("goes by way of a proxy", async () => {
    const { dispatch } = await serve()
    const probing = Effect.gen(function* () {
      const proxy = yield* Socks.serve5()
      const ended = yield* Effect.promise(() => probe(dispatch, "--proxy", `socks5://${Address.format(proxy.address)}`))
      return { ...ended, requests: proxy.requests }
    })
    const { code, requests, stdout } = await Effect.runPromise(Effect.scoped(probing))
    expect(code).toBe(0)
    expect(stdout).toContain(`127.0.0.1:${dispatch} speaks MSNP7, MSNP6, MSNP5, MSNP4, MSNP3, MSNP2.`)
    expect(requests).toEqual(Array.from({ length: 9 }, () => ({ host: "127.0.0.1", port: dispatch, user: "" })))
  })

  it("exits 5 where there is no such proxy, and names it", async () => {
    const { close, port } = await Msnp.scripted(() => undefined)
    close()
    const { code, stderr, stdout } = await probe(1, "--proxy", `socks5://127.0.0.1:${port}`)
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" })
    expect(stderr).toContain(`127.0.0.1:${port}`)
  })
})
