/**
 * Random conversations, and what holds of each, whatever is said and whenever it comes. Each run has other ones: what a
 * failure prints is how to have it again, and a script to be saved among the regressions.
 */
import { describe, expect, it } from "vitest"
import * as Server from "../../src/login/Server.ts"
import * as Broken from "../support/ConversationBroken.ts"
import * as Duet from "../support/ConversationDuet.ts"
import * as Edges from "../support/ConversationEdges.ts"
import { sentences, Violation } from "../support/ConversationInvariants.ts"
import * as Run from "../support/ConversationRun.ts"
import * as Together from "../support/ConversationTogether.ts"
import * as WithClient from "../support/ConversationWithClient.ts"
import * as WithServer from "../support/ConversationWithServer.ts"
import * as Script from "../support/Script.ts"

const runs = 4000

/** The failure that there must be. */
const failureOf = ({ failure }: { readonly failure: Run.Failure | undefined }): Run.Failure => {
  if (failure === undefined) throw new Error("nothing was found out")
  return failure
}

/** The names of the invariants that a failure is about. */
const namesOf = ({ violation }: { readonly violation: Violation }) => violation.breaches.map(({ name }) => name)

/** The script that a failure prints, as it is saved. */
const savedBy = (failure: Run.Failure): string => {
  const report = Run.report(failure)
  return report.slice(report.indexOf("\n\n") + 2)
}

/** The violation that a conversation comes to. */
const violationOf = (converse: () => void): Violation => {
  try {
    converse()
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
  throw new Error("nothing was found out")
}

describe("a random conversation with the server", () => {
  it(
    "keeps every invariant, and together they pass every edge of the table",
    { tags: ["beyond.pending", "beyond.overdue"] },
    () => {
      const held = Run.hold(WithServer.subject, { runs })
      Run.assertHeld(held)
      expect(held.missing).toEqual([])
    },
  )

  describe.each(Broken.servers)("finds out a server that $does", ({ breaking, breaks }) => {
    const failure = failureOf(Run.hold(WithServer.subject, { runs, breaking }))

    it("by the invariant that it breaks, and by no other", () => {
      expect(namesOf(failure)).toEqual([breaks])
    })

    it("again, where it is told where to look", () => {
      const again = failureOf(Run.hold(WithServer.subject, { runs, breaking, found: failure }))
      expect(Run.report(again)).toBe(Run.report(failure))
    })

    it("again, by the script that it prints", () => {
      const text = savedBy(failure)
      expect(Script.replay(text)).toBe(text)
      const [script] = Script.parse(text)
      if (script?._tag !== "Server") throw new Error("it is no script of a server")
      const setting = WithServer.settingWith(script.quirks)
      const violation = violationOf(() => Run.give(WithServer.subject, setting, script.inputs, breaking))
      expect(namesOf({ violation })).toEqual([breaks])
    })
  })

  it("is among too few, where the edges that they miss are named", () => {
    const held = Run.hold(WithServer.subject, { runs: 10 })
    expect(held.missing).not.toEqual([])
    expect(() => Run.assertHeld(held)).toThrow(/^Never witnessed:\n\w+ in \w+ leads to \w+\n/)
  })

  it("is among too tame ones, where nobody is hostile", () => {
    const held = Run.hold(WithServer.subject, { runs: 100, without: ["hostile"] })
    const unreadable = Edges.edgesOf(Server.table).filter((edge) => edge.startsWith("Unreadable "))
    expect(unreadable).toHaveLength(8)
    expect(held.missing).toEqual(expect.arrayContaining(unreadable))
  })
})

describe("a random conversation with the client", () => {
  it(
    "keeps every invariant, and together they pass every edge of the table",
    { tags: ["login.synchronous", "beyond.reply-trid", "beyond.pending", "beyond.overdue"] },
    () => {
      const held = Run.hold(WithClient.subject, { runs })
      Run.assertHeld(held)
      expect(held.missing).toEqual([])
    },
  )

  describe.each(Broken.clients)("finds out a client that $does", ({ breaking, breaks }) => {
    const failure = failureOf(Run.hold(WithClient.subject, { runs, breaking }))

    it("by the invariant that it breaks, and by no other", () => {
      expect(namesOf(failure)).toEqual([breaks])
    })

    it("again, where it is told where to look", () => {
      const again = failureOf(Run.hold(WithClient.subject, { runs, breaking, found: failure }))
      expect(Run.report(again)).toBe(Run.report(failure))
    })

    it("again, by the script that it prints", () => {
      const text = savedBy(failure)
      expect(Script.replay(text)).toBe(text)
      const [script] = Script.parse(text)
      if (script?._tag !== "Client") throw new Error("it is no script of a client")
      const setting = WithClient.settingOf(script.options)
      const violation = violationOf(() => Run.give(WithClient.subject, setting, script.inputs, breaking))
      expect(namesOf({ violation })).toEqual([breaks])
    })
  })
})

describe("a random conversation between our client and our server", () => {
  it("keeps every invariant, and comes to the same for both", { tags: ["login.synchronous"] }, () => {
    const checked = Duet.hold({ runs: 1000 })
    Run.assertSound(checked)
    expect(checked.failure).toBeUndefined()
  })

  it.each(Broken.partners)("finds out a server that $does, and again", ({ breaking, breaks }) => {
    const failure = failureOf(Duet.hold({ runs, breaking }))
    expect(namesOf(failure)).toEqual([breaks])
    expect(Run.report(failureOf(Duet.hold({ runs, breaking, found: failure })))).toBe(Run.report(failure))
  })
})

describe("a random client", () => {
  it(
    "is told the same bytes in lock-step, all at once, byte by byte and in pieces, whenever the host decides",
    { tags: ["efficiency.together", "efficiency.packet", "beyond.pending"] },
    () => {
      const checked = Together.hold({ runs: 1000 })
      Run.assertSound(checked)
      expect(checked.failure).toBeUndefined()
    },
  )

  it.each(Broken.hearers)("finds out a server that $does, and again", ({ breaking, breaks }) => {
    const failure = failureOf(Together.hold({ runs, breaking }))
    expect(namesOf(failure)).toEqual([breaks])
    expect(Run.report(failureOf(Together.hold({ runs, breaking, found: failure })))).toBe(Run.report(failure))
  })
})

describe("an invariant", () => {
  it("is broken by one machine at least, whichever it is", () => {
    const { clients, hearers, partners, servers } = Broken
    const broken = [servers, clients, partners, hearers].flatMap((all) => all.map(({ breaks }) => breaks))
    expect(new Set(broken)).toEqual(new Set(Object.keys(sentences)))
  })
})
