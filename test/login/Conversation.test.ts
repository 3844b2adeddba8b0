/** Both machines in conversation, through the bytes that they say to each other. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import type * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import { connect, password } from "../support/ClientSide.ts"
import { lines } from "../support/Frame.ts"
import type { Host } from "../support/ServerSide.ts"
import { challenge, serve } from "../support/ServerSide.ts"

const account = Account.Account.make("alice@hotmail.com")
const friendlyName = FriendlyName.FriendlyName.make("My Screen Name")

/** Knows Alice by a password; everybody else is told the same at the same time. */
const knowing =
  (password: Redacted.Redacted<string>): Host =>
  (question) => {
    if (question._tag === "Admission") return { _tag: "Challenge", challenge }
    const right =
      Account.same(question.account, account) &&
      Challenge.matches(question.digest, Challenge.respond(question.challenge, password))
    return right ? { _tag: "Accept", account, friendlyName, verified: true } : { _tag: "Deny", code: 911 }
  }
const directory = knowing(password)

/** Lets a client and a server talk until neither has more to say; what was said, line by line. */
const converse = (options: Partial<Client.Options>, host: Host = directory, server: Server.Server = Server) => {
  const client = connect(options)
  const other = serve(host, server)
  const transcript: Array<string> = []
  const record = (who: string, bytes: string) => {
    transcript.push(...lines(bytes).map((line) => `${who}: ${line}`))
    return bytes
  }
  for (let said = client.hello; said !== "";) {
    said = record("S", other.hear(record("C", said)))
    if (said !== "") said = client.hear(said)
  }
  return {
    transcript,
    client: client.state(),
    server: other.state(),
    logOff: () => client.feed({ _tag: "LogOff" }),
    other,
  }
}

// The digest is that of the page on MD5, for the seed's challenge and `mypassword`.
const digest = "6f3963009fc8a9d2b2ff137da0905c55"

describe.each(Dialect.all)("a login in %s", (dialect) => {
  const flag = dialect === "MSNP7" ? " 1" : ""

  it("by way of INF is the seed's session", () => {
    const { client, server, transcript } = converse({ dialects: [dialect] })
    expect(transcript).toEqual([
      `C: VER 1 ${dialect} CVR0`,
      `S: VER 1 ${dialect} CVR0`,
      "C: INF 2",
      "S: INF 2 MD5",
      "C: USR 3 MD5 I alice@hotmail.com",
      "S: USR 3 MD5 S 1013928519.693957190",
      `C: USR 4 MD5 S ${digest}`,
      `S: USR 4 OK alice@hotmail.com My%20Screen%20Name${flag}`,
    ])
    const verified = dialect === "MSNP7" ? Option.some(true) : Option.none()
    expect(client).toEqual({ _tag: "LoggedIn", trId: 4, dialect, account, friendlyName, verified })
    expect(server).toEqual({ _tag: "LoggedIn", dialect, account, friendlyName, verified: true })
  })

  it("without INF is shorter by it", () => {
    const { client, server, transcript } = converse({ dialects: [dialect], manner: "SkipInf" })
    expect(transcript).toEqual([
      `C: VER 1 ${dialect} CVR0`,
      `S: VER 1 ${dialect} CVR0`,
      "C: USR 2 MD5 I alice@hotmail.com",
      "S: USR 2 MD5 S 1013928519.693957190",
      `C: USR 3 MD5 S ${digest}`,
      `S: USR 3 OK alice@hotmail.com My%20Screen%20Name${flag}`,
    ])
    expect(client._tag).toBe("LoggedIn")
    expect(server._tag).toBe("LoggedIn")
  })

  it("ends with OUT, which is not answered", () => {
    const { logOff, other } = converse({ dialects: [dialect] })
    expect(other.hear(logOff())).toBe("")
    expect(other.state()).toEqual({ _tag: "Closed", reason: "LoggedOff" })
  })

  it("may end at another server", () => {
    const to = { host: "207.46.106.118", port: 1863 }
    const { client, server } = converse({ dialects: [dialect] }, () => ({
      _tag: "Refer",
      to,
      from: { host: "207.46.104.20", port: 1863 },
    }))
    expect(client).toMatchObject({ _tag: "Referred", to })
    expect(server).toEqual({ _tag: "Closed", reason: "Referred" })
  })

  it.each([
    ["with a wrong password", "alice@hotmail.com", knowing(Redacted.make("another"))],
    ["for an account that nobody has", "bob@hotmail.com", directory],
  ])("%s is 911 behind the digest, and not before", (_, name, host) => {
    const { client, server, transcript } = converse({ dialects: [dialect], account: Account.Account.make(name) }, host)
    expect(transcript.slice(-3)).toEqual([
      "S: USR 3 MD5 S 1013928519.693957190",
      `C: USR 4 MD5 S ${digest}`,
      "S: 911 4",
    ])
    expect(client).toEqual({ _tag: "Closed", reason: { _tag: "Denied", code: 911 } })
    expect(server).toEqual({ _tag: "Closed", reason: "Denied" })
  })

  it("may spell the account in capitals, and is told how it was created", () => {
    const { client } = converse({ dialects: [dialect], account: Account.Account.make("ALICE@HOTMAIL.COM") })
    expect(client).toMatchObject({ _tag: "LoggedIn", account: "alice@hotmail.com" })
  })

  it.each([500, 601, 910, 921] as const)("is Unavailable for the client where the server says %d", (code) => {
    const { client, transcript } = converse({ dialects: [dialect] }, () => ({ _tag: "Deny", code }))
    expect(transcript.at(-1)).toBe(`S: ${code} 3`)
    expect(client).toEqual({ _tag: "Closed", reason: { _tag: "Unavailable", code } })
  })

  it.each([...Quirk.all])("is understood by our own client with %s on", (quirk) => {
    const { client, server } = converse({ dialects: [dialect] }, directory, Server.make(Quirk.only(quirk)))
    expect(client).toMatchObject({ _tag: "LoggedIn", dialect, account, friendlyName })
    expect(server).toMatchObject({ _tag: "LoggedIn", dialect })
  })
})

describe("a conversation", () => {
  // hypothetic v2.0, example session: the notification server's part.
  it("of many dialects settles on the newest", () => {
    const { client, transcript } = converse({ dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"] })
    expect(transcript.slice(0, 2)).toEqual([
      "C: VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
      "S: VER 1 MSNP7 MSNP6 MSNP5 MSNP4 CVR0",
    ])
    expect(client).toMatchObject({ dialect: "MSNP7" })
  })

  it("settles on the newest though the client would rather have another", () => {
    const { client, server } = converse({ dialects: ["MSNP3", "MSNP2", "MSNP6"] })
    expect(client).toMatchObject({ dialect: "MSNP6" })
    expect(server).toMatchObject({ dialect: "MSNP6" })
  })
})
