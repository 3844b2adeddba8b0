import { assert, describe, it } from "@effect/vitest"
import type * as Client from "../../src/login/Client.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as LoginError from "../../src/net/LoginError.ts"

const server = "10.0.0.5:1863"
const account = "alice@hotmail.com"

describe("the sentence of a login error", () => {
  it("says who broke the protocol, what was expected and what came", () => {
    const error = new LoginError.ServerMisbehaved({ server, expected: ["USR S", "XFR"], got: "INF" })
    assert.strictEqual(error.message, "10.0.0.5:1863 broke the protocol: expected USR S or XFR, got INF.")
    const later = new LoginError.ServerMisbehaved({ server, expected: [], got: "a line of 70,000 bytes" })
    assert.strictEqual(later.message, "10.0.0.5:1863 broke the protocol: got a line of 70,000 bytes.")
  })

  it("says where the server would have us go, and what to do if that is meant", () => {
    assert.strictEqual(
      new LoginError.Misdirected({ server, to: "127.0.0.1:1864", where: "on this machine" }).message,
      "10.0.0.5:1863 refers to 127.0.0.1:1864, on this machine: nearer than it is itself, so nobody went there. If that is meant, log in there, or allow any referral.",
    )
  })

  it("says whom the server does not let in, why, and the code", () => {
    const denied = (code: number) => new LoginError.Denied({ server, account, code }).message
    assert.strictEqual(
      denied(911),
      "10.0.0.5:1863 does not let alice@hotmail.com in: the account or the password is wrong (911).",
    )
    assert.strictEqual(
      denied(923),
      "10.0.0.5:1863 does not let alice@hotmail.com in: child's Passport without parental consent (923).",
    )
    assert.strictEqual(
      denied(924),
      "10.0.0.5:1863 does not let alice@hotmail.com in: Passport's e-mail address not verified (924).",
    )
  })

  it("says what ails the server, the code, and what to do", () => {
    for (const [code, ailment] of [
      [500, "internal server error"],
      [601, "server unavailable"],
      [910, "server too busy"],
      [921, "server too busy"],
      [999, "an error that no source explains"],
    ] as const) {
      assert.strictEqual(
        new LoginError.Unavailable({ server, code }).message,
        `10.0.0.5:1863 cannot log anybody in now: ${ailment} (${code}). Try again later.`,
      )
    }
  })

  it("says which dialects were offered in vain", () => {
    assert.strictEqual(
      new LoginError.NoCommonDialect({ server, offered: ["MSNP7", "MSNP6"] }).message,
      "10.0.0.5:1863 speaks none of the dialects offered: MSNP7, MSNP6.",
    )
  })

  describe("that reached no server", { tags: ["connect.unreachable"] }, () => {
    const [first, second] = [
      { host: "10.0.0.1", port: 1863 },
      { host: "10.0.0.2", port: 1863 },
    ]
    const seeming = (...faults: ReadonlyArray<Connector.Fault>) =>
      faults.map((fault) => Connector.attempt(first, "why", fault))
    const ours = "It looks like our own connection: see to that, or to the proxy."
    const theirs = "It looks like their network, not our connection."
    const here = "That is this machine: is the server running?"
    const unclear = "It may be our connection or their network."

    it("says each address that was tried, and what went wrong there", () => {
      const error = new LoginError.Unreachable({ tried: [Connector.refused(first), Connector.unanswered(second)] })
      assert.strictEqual(
        error.message,
        `No server could be reached; tried 10.0.0.1:1863 (nothing listens there), 10.0.0.2:1863 (it did not answer). ${theirs}`,
      )
    })

    it("says an address once, where it is tried again and the same goes wrong", () => {
      const [dead, silent] = [Connector.refused(first), Connector.unanswered(second)]
      const stored = new LoginError.Unreachable({ tried: [dead] })
      const referredBack = new LoginError.Unreachable({ tried: [silent, dead, Connector.lost(first)] })
      const error = LoginError.further(stored, first, referredBack)
      assert.deepStrictEqual(error, new LoginError.Unreachable({ tried: [dead, silent, Connector.lost(first)] }))
    })

    it.each([
      ["their network, where one of their hosts answered", seeming("Unclear", "Ours", "Theirs"), theirs],
      ["our connection, where it is that each time", seeming("Ours", "Ours"), ours],
      ["this machine, where it is that each time", seeming("Here", "Here"), here],
      ["our connection, where a server of this machine is gone besides", seeming("Here", "Ours"), ours],
      ["neither in particular, where it may be either", seeming("Ours", "Unclear"), unclear],
    ])("looks to %s", (_, [one, ...more], sentence) => {
      const error = new LoginError.Unreachable({ tried: [one ?? Connector.lost(first), ...more] })
      assert.isTrue(error.message.endsWith(`(why). ${sentence}`), error.message)
    })

    it("takes a connection that is lost at once for their doing", () => {
      const error = new LoginError.Unreachable({ tried: [Connector.lost(first)] })
      assert.strictEqual(
        error.message,
        `No server could be reached; tried 10.0.0.1:1863 (the connection was lost at once). ${theirs}`,
      )
    })

    it("does not know what silence means", () => {
      const error = new LoginError.Unreachable({ tried: [Connector.unanswered(first)] })
      assert.strictEqual(
        error.message,
        `No server could be reached; tried 10.0.0.1:1863 (it did not answer). ${unclear}`,
      )
    })
  })

  it("says what the server was to say when it closed", () => {
    const closed = (...awaiting: ReadonlyArray<string>) => new LoginError.Disconnected({ server, awaiting }).message
    assert.strictEqual(closed("USR OK"), "10.0.0.5:1863 closed the connection where it was to say USR OK.")
    assert.strictEqual(
      closed("VER", "VER 0", "an error"),
      "10.0.0.5:1863 closed the connection where it was to say VER, VER 0, or an error.",
    )
    assert.strictEqual(closed(), "10.0.0.5:1863 closed the connection.")
  })

  it("says what the server was to say when time ran out", () => {
    const late = (...awaiting: ReadonlyArray<string>) => new LoginError.TimedOut({ server, awaiting }).message
    assert.strictEqual(late("VER"), "10.0.0.5:1863 did not say VER in time.")
    assert.strictEqual(late("USR S", "XFR"), "10.0.0.5:1863 did not say USR S or XFR in time.")
    assert.strictEqual(late(), "The login at 10.0.0.5:1863 was not done in time.")
  })

  it("says why the server ended the session (seed: OTH, SSD)", () => {
    const ended = (reason: LoginError.LoggedOut["reason"]) => new LoginError.LoggedOut({ server, reason }).message
    assert.strictEqual(
      ended("LoggedInElsewhere"),
      "10.0.0.5:1863 ended the session: the account has logged in elsewhere.",
    )
    assert.strictEqual(ended("ShuttingDown"), "10.0.0.5:1863 ended the session: the server is shutting down.")
    assert.strictEqual(ended("Unstated"), "10.0.0.5:1863 ended the session: the server did not say why.")
  })
})

describe("the machine's reasons", () => {
  const cases: { readonly [tag in Client.Reason["_tag"]]: readonly [Client.Reason & { _tag: tag }, string] } = {
    ServerMisbehaved: [{ _tag: "ServerMisbehaved", expected: ["VER"], got: "INF" }, "ServerMisbehaved"],
    Denied: [{ _tag: "Denied", code: 911 }, "Denied"],
    Unavailable: [{ _tag: "Unavailable", code: 500 }, "Unavailable"],
    NoCommonDialect: [{ _tag: "NoCommonDialect", offered: ["MSNP7"] }, "NoCommonDialect"],
    LoggedOut: [{ _tag: "LoggedOut", reason: "LoggedInElsewhere" }, "LoggedOut"],
    LoggedOff: [{ _tag: "LoggedOff" }, "LoggedOut"],
    HungUp: [{ _tag: "HungUp", awaiting: ["VER"] }, "Disconnected"],
    TimedOut: [{ _tag: "TimedOut", awaiting: ["VER"] }, "TimedOut"],
  }

  it("are each an error, with the server and a sentence that ends", () => {
    for (const [reason, tag] of Object.values(cases)) {
      const error = LoginError.fromReason(reason, server, account)
      assert.strictEqual(error._tag, tag)
      assert.include(error.message, server)
      assert.match(error.message, /^[^\n]+\.$/)
      assert.instanceOf(error, Error)
    }
  })
})
