/** One client, heard in several ways: line by line, all at once, byte by byte, in pieces. */
import * as fc from "fast-check"
import type * as Server from "../../../src/login/Server.ts"
import * as Quirk from "../../../src/protocol/Quirk.ts"
import { cutAt } from "./Commands.ts"
import { Violation } from "./Invariants.ts"
import type { Breakable } from "./Run.ts"
import { check } from "./Run.ts"
import * as WithServer from "./WithServer.ts"
import * as Script from "../Script.ts"
import type { saidOf } from "../Talk.ts"
import { talk } from "../Talk.ts"

type ServerSide = ReturnType<typeof WithServer.subject.side>
type Input = Script.Input<Server.Event>

/** What the host decides, whenever it does. */
interface Host {
  readonly admission: Server.Event
  readonly verdict: (question: Server.Question) => Server.Event
}

const decide = ({ admission, verdict }: Host, question: Server.Question): Server.Event =>
  question._tag === "Admission" ? admission : verdict(question)

/** How the pieces of a client come, and when its host decides. */
interface Way {
  readonly pieces: ReadonlyArray<string>
  readonly host: "AtOnce" | "Late"
}

/**
 * What happened that a bystander can tell, in order, and how it ended: what was said, handed over and closed. When the
 * host was asked and what had to wait hang on the way, and are left out.
 */
const witnessed = (happened: Happened, state: Server.State): string => {
  const told = happened.flatMap((happening) => {
    if (happening._tag === "Said") return [Script.escape(happening.bytes)]
    return happening._tag === "Deliver" || happening._tag === "Close" ? [` (${happening._tag}) `] : []
  })
  return `${told.join("")}, ${Script.describe(state)}`
}

type Happened = Parameters<typeof saidOf>[0]

/** What comes of one way, and what the server was given in it. */
const hear = (side: ServerSide, host: Host, { host: when, pieces }: Way) => {
  const inputs: Array<Input> = []
  let open: Server.Question | undefined
  const happened: Array<Happened[number]> = []
  const login = talk(side, {
    onMove: ({ happened }) => {
      for (const happening of happened) if (happening._tag === "Ask") open = happening.question
    },
  })
  const decideAll = () => {
    for (let question = open; question !== undefined; question = open) {
      open = undefined
      const event = decide(host, question)
      inputs.push({ _tag: "Fed", event })
      happened.push(...login.feed(event))
    }
  }
  for (const bytes of pieces) {
    inputs.push({ _tag: "Heard", bytes })
    happened.push(...login.hear(bytes))
    if (when === "AtOnce") decideAll()
  }
  decideAll()
  return { came: witnessed(happened, login.state()), inputs }
}

/** All ways that must come to the same; the first is lock-step. */
const waysOf = (lines: ReadonlyArray<string>, cuts: ReadonlyArray<number>): ReadonlyArray<Way> => {
  const bytes = lines.join("")
  return [
    { pieces: lines, host: "AtOnce" },
    { pieces: [bytes], host: "Late" },
    { pieces: bytes.split(""), host: "AtOnce" },
    { pieces: bytes.split(""), host: "Late" },
    { pieces: cutAt(bytes, cuts), host: "AtOnce" },
    { pieces: cutAt(bytes, cuts), host: "Late" },
  ]
}

/** Throws where the ways do not all come to the same as the first. */
const compare = (
  side: ServerSide,
  quirks: ReadonlyArray<Quirk.Quirk>,
  host: Host,
  [first, ...others]: ReadonlyArray<Way>,
): void => {
  if (first === undefined) return
  const lockStep = hear(side, host, first)
  const differing = others.map((way) => hear(side, host, way)).find(({ came }) => came !== lockStep.came)
  if (differing === undefined) return
  throw new Violation(
    [{ name: "together", how: `it comes to ${differing.came} and not to ${lockStep.came}` }],
    [lockStep, differing].map(({ inputs }) => ({ _tag: "Server", quirks, inputs })),
  )
}

type Breaking = (side: ServerSide) => ServerSide
const sideWith = (quirks: ReadonlyArray<Quirk.Quirk>, breaking: Breaking) =>
  breaking(WithServer.subject.side(WithServer.settingWith(quirks)))

/** Has many clients heard in all ways. */
export const hold = ({ breaking = (side) => side, ...runs }: Breakable<ServerSide>) =>
  check(
    fc.property(
      fc.subarray([...Quirk.all]),
      WithServer.hosts,
      WithServer.clients,
      fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 }),
      (quirks, host, lines, cuts) => compare(sideWith(quirks, breaking), quirks, host, waysOf(lines, cuts)),
    ),
    runs,
  )

type ServerScript = Extract<Script.Script, { readonly _tag: "Server" }>

/**
 * Has the client of some scripts heard in the ways of each, and in all others. The host decides as in that in which it
 * decides most; where nothing is written of it, it lets the client in.
 */
export const replay = (scripts: ReadonlyArray<ServerScript>, breaking: Breaking = (side) => side): void => {
  const [first, ...others] = scripts
  if (first === undefined) return
  const decisions = scripts
    .map(({ inputs }) => inputs.flatMap((input) => (input._tag === "Fed" ? [input.event] : [])))
    .reduce((most, each) => (each.length > most.length ? each : most))
  const [admission = WithServer.challenge("1013928519.693957190"), verdict] = decisions
  const host: Host = { admission, verdict: (question) => verdict ?? WithServer.accept(question, "Alice", true) }
  const piecesOf = ({ inputs }: ServerScript) =>
    inputs.flatMap((input) => (input._tag === "Heard" ? [input.bytes] : []))
  const own = others.map(piecesOf).flatMap((pieces): ReadonlyArray<Way> => [
    { pieces, host: "AtOnce" },
    { pieces, host: "Late" },
  ])
  compare(sideWith(first.quirks, breaking), first.quirks, host, [...waysOf(piecesOf(first), [50]), ...own])
}
