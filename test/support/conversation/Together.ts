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
import { saidOf, talk } from "../Talk.ts"

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

/** What a server says, and what it was given. */
const hear = (side: ServerSide, host: Host, { host: when, pieces }: Way) => {
  const inputs: Array<Input> = []
  let open: Server.Question | undefined
  let said = ""
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
      said += saidOf(login.feed(event))
    }
  }
  for (const bytes of pieces) {
    inputs.push({ _tag: "Heard", bytes })
    said += saidOf(login.hear(bytes))
    if (when === "AtOnce") decideAll()
  }
  decideAll()
  return { said, inputs }
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

/** Has many clients heard in all ways. */
export const hold = ({ breaking = (side) => side, ...runs }: Breakable<ServerSide>) =>
  check(
    fc.property(
      fc.subarray([...Quirk.all]),
      WithServer.hosts,
      WithServer.clients,
      fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 }),
      (quirks, host, lines, cuts) => {
        const side = breaking(WithServer.subject.side(WithServer.settingWith(quirks)))
        const [lockStep, ...others] = waysOf(lines, cuts).map((way) => hear(side, host, way))
        const differing = others.find(({ said }) => said !== lockStep?.said)
        if (lockStep === undefined || differing === undefined) return
        throw new Violation(
          [
            {
              name: "together",
              how: `it says ${Script.escape(differing.said)} and not ${Script.escape(lockStep.said)}`,
            },
          ],
          [lockStep, differing].map(({ inputs }) => ({ _tag: "Server", quirks, inputs })),
        )
      },
    ),
    runs,
  )
