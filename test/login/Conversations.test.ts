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

/**
 * Enough for every edge. In 50 runs with as many seeds, the edge that was passed least was passed 27 times a run with the
 * server, in the leanest run 15 times; with the client 22 and 12 times. So by chance a run misses an edge, whichever, with
 * a probability below 1e-9.
 */
const runs = 4000

/** What a broken machine is found out in: as many as it takes, which is a few hundred at most. */
const enough = 100_000

/** The failure that there must be. */
const failureOf = ({ failure }: { readonly failure: Run.Failure | undefined }): Run.Failure => {
  if (failure === undefined) throw new Error("nothing was found out")
  return failure
}

/** The violation that there must be. */
const violationOf = (converse: () => void): Violation => {
  try {
    converse()
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
  throw new Error("nothing was found out")
}

const namesOf = ({ breaches }: Violation) => breaches.map(({ name }) => name)

/** Broken machines, with what they do in front: a title shows a text in full, and cuts a field short. */
const named = <S>(all: ReadonlyArray<Broken.Broken<S>>) => all.map((broken) => [broken.does, broken] as const)

/** The text that a failure tells to save. */
const savedBy = (failure: Run.Failure): string => {
  const report = Run.report(failure)
  return report.slice(report.indexOf("\n\n") + 2)
}

describe("a random conversation with the server", () => {
  it(
    "keeps every invariant; together they pass every edge of the table",
    { tags: ["beyond.pending", "beyond.overdue"], timeout: 60_000 },
    () => {
      const held = Run.hold(WithServer.subject, { runs })
      Run.assertHeld(held)
      expect(held.missing).toEqual([])
    },
  )

  it.each(named(Broken.servers))(
    "finds out, by one invariant and again, a server that %s",
    (_, { breaking, breaks }) => {
      const failure = failureOf(Run.hold(WithServer.subject, { runs: enough, breaking }))
      expect(namesOf(failure.violation)).toEqual([breaks])

      const again = failureOf(Run.hold(WithServer.subject, { runs: enough, breaking, found: failure }))
      expect(Run.report(again)).toBe(Run.report(failure))

      const saved = savedBy(failure)
      expect(Script.replay(saved)).toBe(saved)
      const replay = () =>
        Script.parse(saved).forEach((each) => each._tag === "Server" && WithServer.replay(each, breaking))
      expect(namesOf(violationOf(replay))).toEqual([breaks])
    },
  )
})

describe("a random conversation with the client", () => {
  it(
    "keeps every invariant; together they pass every edge of the table",
    { tags: ["login.synchronous", "beyond.reply-trid", "beyond.pending", "beyond.overdue"], timeout: 60_000 },
    () => {
      const held = Run.hold(WithClient.subject, { runs })
      Run.assertHeld(held)
      expect(held.missing).toEqual([])
      expect(WithClient.subject.unreachable.map(held.count)).toEqual([0, 0])
    },
  )

  it.each(named(Broken.clients))(
    "finds out, by one invariant and again, a client that %s",
    (_, { breaking, breaks }) => {
      const failure = failureOf(Run.hold(WithClient.subject, { runs: enough, breaking }))
      expect(namesOf(failure.violation)).toEqual([breaks])

      const again = failureOf(Run.hold(WithClient.subject, { runs: enough, breaking, found: failure }))
      expect(Run.report(again)).toBe(Run.report(failure))

      const saved = savedBy(failure)
      expect(Script.replay(saved)).toBe(saved)
      const replay = () =>
        Script.parse(saved).forEach((each) => each._tag === "Client" && WithClient.replay(each, breaking))
      expect(namesOf(violationOf(replay))).toEqual([breaks])
    },
  )
})

describe("a random conversation between our client and our server", () => {
  it("keeps every invariant, and comes to the same for both", { tags: ["login.synchronous"] }, () => {
    const checked = Duet.hold({ runs: 1000 })
    Run.assertSound(checked)
    expect(checked.failure).toBeUndefined()
  })

  it.each(named(Broken.partners))(
    "finds out, by one invariant and again, a server that %s",
    (_, { breaking, breaks }) => {
      const failure = failureOf(Duet.hold({ runs: enough, breaking }))
      expect(namesOf(failure.violation)).toEqual([breaks])
      expect(Run.report(failureOf(Duet.hold({ runs: enough, breaking, found: failure })))).toBe(Run.report(failure))
    },
  )
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

  it.each(named(Broken.hearers))(
    "finds out, by one invariant and again, a server that %s",
    (_, { breaking, breaks }) => {
      const failure = failureOf(Together.hold({ runs: enough, breaking }))
      expect(namesOf(failure.violation)).toEqual([breaks])
      expect(Run.report(failureOf(Together.hold({ runs: enough, breaking, found: failure })))).toBe(Run.report(failure))
    },
  )
})

describe("what a run finds", () => {
  it("is told by invariants each of which some machine breaks", () => {
    const { clients, hearers, partners, servers } = Broken
    const broken = [servers, clients, partners, hearers].flatMap((all) => all.map(({ breaks }) => breaks))
    expect(new Set(broken)).toEqual(new Set(Object.keys(sentences)))
  })

  it("is named where conversations were too few for every edge, with the seed", () => {
    const held = Run.hold(WithServer.subject, { runs: 10 })
    expect(held.missing).not.toEqual([])
    expect(() => Run.assertHeld(held)).toThrow(
      `${held.missing.at(-1)}\nIt is found again with { found: {"seed":${held.seed}} }.`,
    )
    expect(Run.hold(WithServer.subject, { runs: 10, found: { seed: held.seed } }).missing).toEqual(held.missing)
  })

  it("is named where nobody was hostile: no line was unreadable", () => {
    const { missing } = Run.hold(WithServer.subject, { runs: 100, without: ["hostile"] })
    const unreadable = Edges.edgesOf(Server.table).filter((edge) => edge.startsWith("Unreadable "))
    expect(unreadable).toHaveLength(Object.keys(Server.table).length)
    expect(missing).toEqual(expect.arrayContaining(unreadable))
  })
})
