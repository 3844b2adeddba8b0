import * as fc from "fast-check"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as Gateway from "../../src/protocol/Gateway.ts"

describe("the port of gateways", { tags: ["connect.http"] }, () => {
  it("is 80", () => {
    expect(Gateway.defaultPort).toBe(80)
  })
})

// The queries of the captures (hypothetic.org 2.0 and 2.1).
describe("a query", () => {
  const captured: ReadonlyArray<readonly [string, Gateway.Request]> = [
    ["Action=open&Server=NS&IP=messenger.hotmail.com", { _tag: "Open", host: "messenger.hotmail.com" }],
    ["SessionID=954547325.13160", { _tag: "Say", sessionId: "954547325.13160" }],
    ["Action=poll&SessionID=954547325.32498", { _tag: "Poll", sessionId: "954547325.32498" }],
  ]

  it.each(captured)("%s is read", (query, request) => {
    expect(Gateway.parseQuery(query)).toEqual(Option.some(request))
  })

  it.each(captured)("%s is written", (query, request) => {
    expect(Gateway.formatQuery(request)).toBe(query)
  })

  it("may have its names in any order, and more of them", () => {
    expect(Gateway.parseQuery("SessionID=1.2&Lifespan=60&Action=poll")).toEqual(
      Option.some({ _tag: "Poll", sessionId: "1.2" }),
    )
  })

  it.each([
    "",
    "Action=open",
    "Action=open&Server=NS",
    "Action=open&Server=SB&IP=207.46.108.13",
    "Action=open&Server=&IP=messenger.hotmail.com",
    "action=open&server=NS&ip=messenger.hotmail.com",
    "Action=close&SessionID=1.2",
    "Action=&SessionID=1.2",
    "Action=poll",
    "Action=poll&SessionID=",
    "SessionID=1.2&SessionID=1.3",
    "SessionID=1%2E2",
    "SessionID=1.2 ",
  ])("%j asks for nothing", (query) => {
    expect(Gateway.parseQuery(query)).toEqual(Option.none())
  })

  it("that is read means what it is written as, whatever it is put together from", () => {
    const parts = [
      "Action=open",
      "Action=poll",
      "Server=NS",
      "IP=a",
      "SessionID=1.2",
      "SessionID=3",
      "Lifespan=60",
      "=&?",
    ]
    const queries = fc.array(fc.constantFrom(...parts), { maxLength: 5 }).map((parts) => parts.join("&"))
    let read = 0
    fc.assert(
      fc.property(queries, (query) => {
        const request = Gateway.parseQuery(query)
        if (Option.isSome(request)) read++
        expect(Option.flatMap(Option.map(request, Gateway.formatQuery), Gateway.parseQuery)).toEqual(request)
      }),
      { numRuns: 2000 },
    )
    expect(read).toBeGreaterThan(0)
  })
})

describe("the header that names a session", () => {
  const captured = "SessionID=954547325.13160; GW-IP=207.46.110.18"
  const session: Gateway.Session = { sessionId: "954547325.13160", host: Option.some("207.46.110.18") }

  it("is read and written as it was captured", () => {
    expect(Gateway.parseSession(captured)).toEqual(Option.some(session))
    expect(Gateway.formatSession(session)).toBe(captured)
  })

  it.each([
    ["SessionID=1.2", { sessionId: "1.2", host: Option.none() }],
    ["GW-IP=gateway.example.com;SessionID=1.2", { sessionId: "1.2", host: Option.some("gateway.example.com") }],
    ["SessionID=1.2; GW-IP=::1; Session=close", { sessionId: "1.2", host: Option.some("::1") }],
    [
      // Another server names its sessions by UUIDs.
      "SessionID={0d1e9b3a-7d57-4c0e-8d8e-0b5c8f5f5a11}; GW-IP=127.0.0.1",
      { sessionId: "{0d1e9b3a-7d57-4c0e-8d8e-0b5c8f5f5a11}", host: Option.some("127.0.0.1") },
    ],
  ])("is read from %s", (header, session) => {
    expect(Gateway.parseSession(header)).toEqual(Option.some(session))
  })

  it.each(["", "GW-IP=207.46.110.18", "SessionID=; GW-IP=207.46.110.18", "SessionID=1&2", "SessionID=1.2; GW-IP=a b"])(
    "is none in %j",
    (header) => {
      expect(Gateway.parseSession(header)).toEqual(Option.none())
    },
  )
})
