import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as Proxy from "../../src/net/Proxy.ts"
import * as Socks from "../support/Socks.ts"
import * as World from "../support/World.ts"

/** What was read, with the password laid open: user, password, host and port. */
const read = (text: string) =>
  Option.map(Proxy.parse(text), (proxy) => {
    const where = [proxy._tag, proxy.address.host, proxy.address.port]
    switch (proxy._tag) {
      case "Socks4":
      case "Socks4a":
        return [...where, ...Option.toArray(proxy.user)]
      case "Socks5":
        return [
          ...where,
          ...Option.match(proxy.login, {
            onNone: () => [],
            onSome: ({ password, user }) => [user, Redacted.value(password)],
          }),
        ]
      case "Gateway":
        return where
    }
  })

describe("a proxy in words", () => {
  it.each([
    ["socks5://127.0.0.1", ["Socks5", "127.0.0.1", 1080]],
    ["socks5://proxy.example:9050", ["Socks5", "proxy.example", 9050]],
    ["socks5h://proxy.example:9050", ["Socks5", "proxy.example", 9050]],
    ["SOCKS5://proxy.example/", ["Socks5", "proxy.example", 1080]],
    ["socks5://alice:secret@proxy.example:9050", ["Socks5", "proxy.example", 9050, "alice", "secret"]],
    ["socks5://al%40ice:s%3Ae%2Fc%25ret@proxy.example", ["Socks5", "proxy.example", 1080, "al@ice", "s:e/c%ret"]],
    ["socks5://%C3%A9:%E2%82%AC@[2001:db8::1]:9050", ["Socks5", "2001:db8::1", 9050, "é", "€"]],
    ["socks5://[::1]", ["Socks5", "::1", 1080]],
    ["socks5://münchen.example", ["Socks5", "münchen.example", 1080]],
    ["socks4://10.0.0.1:1081", ["Socks4", "10.0.0.1", 1081]],
    ["socks4://alice@10.0.0.1", ["Socks4", "10.0.0.1", 1080, "alice"]],
    ["socks4a://10.0.0.1", ["Socks4a", "10.0.0.1", 1080]],
    ["socks4a://alice@10.0.0.1:1081", ["Socks4a", "10.0.0.1", 1081, "alice"]],
    ["http://gateway.example", ["Gateway", "gateway.example", 80]],
    ["http://gateway.example:80", ["Gateway", "gateway.example", 80]],
    ["http://gateway.example:8080/", ["Gateway", "gateway.example", 8080]],
    ["http://[::1]:8080", ["Gateway", "::1", 8080]],
  ])("is read: %s", (text, expected) => {
    assert.deepStrictEqual(read(text), Option.some(expected))
  })

  it.each([
    ["no scheme", "127.0.0.1:1080"],
    ["a scheme that is none of ours", "https://proxy.example"],
    ["a scheme that is none of ours, as an object of JavaScript has it", "constructor://proxy.example"],
    ["no host", "socks5://"],
    ["no host, but a port", "socks5://:1080"],
    ["two slashes too few", "socks5:proxy.example"],
    ["port 0", "socks5://proxy.example:0"],
    ["a port that is too high", "socks5://proxy.example:65536"],
    ["a path", "http://gateway.example/gateway/gateway.dll"],
    ["a query", "http://gateway.example?Action=open"],
    ["a fragment", "socks5://proxy.example#1"],
    ["IPv6 without brackets", "socks5://2001:db8::1"],
    ["a space in the host", "socks5://proxy%20example"],
    ["an escape that is none", "socks5://alice:100%@proxy.example"],
    ["an escape that is no UTF-8", "socks5://alice:%FF@proxy.example"],
    ["a user of version 5 without a password", "socks5://alice@proxy.example"],
    ["a password without a user", "socks5://:secret@proxy.example"],
    ["a password for version 4", "socks4://alice:secret@proxy.example"],
    ["a password for version 4a", "socks4a://alice:secret@proxy.example"],
    ["a user for a gateway", "http://alice@gateway.example"],
    ["a user with a zero byte", "socks4://al%00ice@proxy.example"],
    ["a password of 256 bytes", `socks5://alice:${"a".repeat(256)}@proxy.example`],
  ])("is not read, for it has %s", (_, text) => {
    assert.deepStrictEqual(read(text), Option.none())
  })

  it.each(Proxy.forms)("has forms, each of which is read once it is filled in: %s", (form) => {
    const filled = form.replace("HOST", "proxy.example").replace("PORT", "1080")
    assert.isTrue(Option.isSome(Proxy.parse(filled)), filled)
    assert.isTrue(Option.isSome(Proxy.parse(filled.replace(":1080", "").replace(/[A-Z:]+@/, ""))), filled)
  })

  it.each([
    ["socks5://alice:secret@proxy.example", "socks5://alice@proxy.example:1080"],
    ["socks5h://[::1]", "socks5://[::1]:1080"],
    ["socks4://al%40ice@10.0.0.1", "socks4://al%40ice@10.0.0.1:1080"],
    ["socks4a://10.0.0.1:1081", "socks4a://10.0.0.1:1081"],
    ["http://gateway.example", "http://gateway.example:80"],
  ])("is shown with its port, and without the password: %s", (text, expected) => {
    assert.deepStrictEqual(Option.map(Proxy.parse(text), Proxy.format), Option.some(expected))
  })

  it("keeps the password to itself", () => {
    const proxy = Option.getOrThrow(Proxy.parse("socks5://alice:secret@proxy.example"))
    assert.notInclude(`${String(proxy)} ${JSON.stringify(proxy)}`, "secret")
  })
})

describe("a proxy that was read", () => {
  it.live("is connected through, as the user that it names", () =>
    Effect.gen(function* () {
      const { dispatch, notification } = yield* World.serveBoth()
      const { address, requests } = yield* Socks.serve5({ user: "alice", password: "s/cret" })
      const proxy = Option.getOrThrow(Proxy.parse(`socks5://alice:s%2Fcret@127.0.0.1:${address.port}`))
      const login = LoginClient.login(World.aliceAt(dispatch))
      yield* Effect.provideService(login, Connector.Connector, Proxy.connector(proxy))
      assert.deepStrictEqual(
        requests.map(({ port, user }) => [user, port]),
        [
          ["alice", dispatch.port],
          ["alice", notification.port],
        ],
      )
    }),
  )

  it("does without PNG where it is a gateway, and only there", () => {
    const pings = (text: string) => Proxy.connector(Option.getOrThrow(Proxy.parse(text))).pings
    assert.strictEqual(pings("http://gateway.example"), "Refused")
    assert.strictEqual(pings("socks4a://proxy.example"), "Carried")
  })
})
