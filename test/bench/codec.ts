/**
 * What reading, deciding and writing cost, without a socket: a command through its Schema against the parser that one
 * would write by hand, framing against the bare search for line ends, and a whole login against one MD5.
 *
 * All lines are drawn anew for each run, of both sides and of every dialect, and what comes of them is added up, so
 * that nothing is known beforehand and nothing is left out.
 */
import * as Arr from "effect/Array"
import * as Result from "effect/Result"
import * as Crypto from "node:crypto"
import * as Server from "../../src/login/Server.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as Bench from "./Bench.ts"
import * as Yardstick from "./yardstick.ts"

/** How many different logins, and lines of each kind and dialect, there are. */
const logins = 1024
const linesOfAKind = 32

/** How long one side of a round is to take, in ms of CPU. */
const sideMillis = 100
/** How long each side runs before it is measured, in ms of CPU. */
const warmUpMillis = 600

const below = (limit: number): number => Crypto.randomInt(limit)
const pick = <const Value>(values: readonly [Value, ...Array<Value>]): Value =>
  values[below(values.length)] ?? values[0]
const digits = (count: number): string => Array.from({ length: count }, () => below(10)).join("")
const letters = (count: number): string =>
  Array.from({ length: count }, () => String.fromCharCode(0x61 + below(26))).join("")
const hex = (): string => Crypto.randomBytes(16).toString("hex")
const trId = (): number => below(pick([10, 1000, 4_294_967_296]))
const account = (): string => `${letters(3 + below(9))}@${letters(4 + below(5))}.com`
const challenge = (): string => `${1_000_000_000 + below(900_000_000)}.${digits(18)}`
const address = (): string => `${Array.from({ length: 4 }, () => below(256)).join(".")}:${1 + below(65_535)}`
const friendlyName = (): string =>
  pick([letters(5), `${letters(5)}%20${letters(7)}`, `${letters(4)}%20%C3%BC%20${letters(3)}`])

/** The dialects that a client offers whose newest is this one. */
const offer = (dialect: Dialect.Dialect): string => Dialect.all.slice(Dialect.all.indexOf(dialect)).join(" ")

/** What clients and servers of a dialect say in a login. */
const clientLines = (dialect: Dialect.Dialect): ReadonlyArray<string> => [
  `VER ${trId()} ${offer(dialect)} ${Dialect.cvr0}`,
  `INF ${trId()}`,
  `USR ${trId()} MD5 I ${account()}`,
  `USR ${trId()} MD5 S ${hex()}`,
  `CVR ${trId()} 0x0409 win 4.10 i386 MSMSGS 3.6.0025 MSMSGS`,
  "OUT",
]
const serverLines = (dialect: Dialect.Dialect): ReadonlyArray<string> => {
  const { referral, verifiedFlag } = Dialect.rules[dialect]
  const trailer = { Address: "", AddressAndZero: " 0", AddressZeroAndServer: ` 0 ${address()}` }[referral]
  const flag = { Absent: "", Present: ` ${below(2)}` }[verifiedFlag]
  return [
    `VER ${trId()} ${offer(dialect)} ${Dialect.cvr0}`,
    `INF ${trId()} MD5`,
    `USR ${trId()} MD5 S ${challenge()}`,
    `USR ${trId()} OK ${account()} ${friendlyName()}${flag}`,
    `XFR ${trId()} NS ${address()}${trailer}`,
    pick(["OUT OTH", "OUT SSD"]),
    `${pick(["911", "921", "500"])} ${trId()}`,
  ]
}

const shuffled = <Value>(values: ReadonlyArray<Value>): ReadonlyArray<Value> =>
  values
    .map((value) => ({ value, place: below(2 ** 40) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ value }) => value)

/** Such lines as one string of bytes each, as they come from a socket, in any order. */
const received = (lines: (dialect: Dialect.Dialect) => ReadonlyArray<string>): ReadonlyArray<string> =>
  shuffled(Dialect.all.flatMap((dialect) => Arr.makeBy(linesOfAKind, () => lines(dialect)).flat())).map((line) =>
    Buffer.from(`${line}\r\n`, "latin1").toString("latin1"),
  )

/** A string that was put together of others is made one only when it is looked into, as when it is written. */
const lastByte = (bytes: string): number => bytes.charCodeAt(bytes.length - 1)

/** What has come of all that was run: it has to be used, or it might be left out. */
let sum = 0

/** CPU time that something takes, in ns, over so many repetitions of it. */
const cpu = (repetitions: number, run: () => void): number => {
  const before = process.cpuUsage()
  for (let i = 0; i < repetitions; i++) run()
  const { system, user } = process.cpuUsage(before)
  return ((user + system) * 1000) / repetitions
}

/** How many repetitions take about {@link sideMillis}, once the compiler has done with it. */
const repetitionsOf = (run: () => void): number => {
  let repetitions = 1
  let spent = 0
  while (true) {
    const millis = (cpu(repetitions, run) * repetitions) / 1_000_000
    spent += millis
    if (spent >= warmUpMillis) return Math.ceil((repetitions * sideMillis) / millis)
    if (millis < sideMillis) repetitions *= 2
  }
}

/** Both sides in turns, in ns for each of `count` things that they run through. */
const compare = (
  count: number,
  ours: () => void,
  theirs: () => void,
  progress: Bench.Progress,
  { look, rounds }: Bench.Run,
): Promise<Bench.Row["rounds"]> => {
  const repetitions = { ours: repetitionsOf(ours), theirs: repetitionsOf(theirs) }
  return Bench.inRounds(rounds, look, progress, async () => ({
    ours: cpu(repetitions.ours, ours) / count,
    theirs: cpu(repetitions.theirs, theirs) / count,
  }))
}

const taken = (bytes: string): Line.Frame => {
  const taken = Line.take(bytes, Line.noPayloads, Line.serverLimits)
  if (taken._tag !== "Whole") throw new Error(`${bytes} is no line`)
  return taken.frame
}

const decoding = (progress: Bench.Progress, run: Bench.Run): Promise<Bench.Row["rounds"]> => {
  const client = received(clientLines)
  const server = received(serverLines)
  return compare(
    client.length + server.length,
    () => {
      for (const bytes of client) sum += Result.getOrThrow(Codec.decodeClient(taken(bytes)))._tag.length
      for (const bytes of server) sum += Result.getOrThrow(Codec.decodeServer(taken(bytes)))._tag.length
    },
    () => {
      for (const bytes of client) sum += Yardstick.client(bytes)?._tag.length ?? NaN
      for (const bytes of server) sum += Yardstick.server(bytes)?._tag.length ?? NaN
    },
    progress,
    run,
  )
}

const framing = (progress: Bench.Progress, run: Bench.Run): Promise<Bench.Row["rounds"]> => {
  const lines = received(clientLines)
  // A client's login comes in chunks of a line or two; where it is pipelined, of a few.
  const chunks = Arr.chunksOf(lines, 4).map((lines) => lines.join(""))
  const buffers = chunks.map((chunk) => Buffer.from(chunk, "latin1"))
  return compare(
    lines.length,
    () => {
      for (const buffer of buffers) {
        let bytes = buffer.toString("latin1")
        while (bytes !== "") {
          const taken = Line.take(bytes, Line.noPayloads, Line.serverLimits)
          if (taken._tag !== "Whole") throw new Error(`${bytes} is no line`)
          sum += taken.frame.words.length
          bytes = taken.rest
        }
      }
    },
    () => {
      for (const buffer of buffers) {
        let from = 0
        while (true) {
          const lf = buffer.indexOf(10, from)
          if (lf === -1) break
          sum += lf
          from = lf + 1
        }
      }
    },
    progress,
    run,
  )
}

/** A login as a server lives it: the lines that it hears, and what its host decides. */
const someLogin = () => ({
  ver: `VER ${trId()} ${offer(pick(Dialect.all))} ${Dialect.cvr0}\r\n`,
  inf: `INF ${trId()}\r\n`,
  initiate: `USR ${trId()} MD5 I ${account()}\r\n`,
  respond: `USR ${trId()} MD5 S ${hex()}\r\n`,
  challenge: { _tag: "Challenge", challenge: Challenge.Challenge.make(challenge()) } as const,
  accept: {
    _tag: "Accept",
    account: Account.Account.make(account()),
    friendlyName: FriendlyName.FriendlyName.make(letters(8)),
    verified: below(2) === 1,
  } as const,
})

const login = (progress: Bench.Progress, run: Bench.Run): Promise<Bench.Row["rounds"]> => {
  const all = Arr.makeBy(logins, someLogin)
  const passwords = all.map(({ challenge }) => `${challenge.challenge}${letters(8)}`)

  let state: Server.State = Server.initial
  const begin = () => void (state = Server.initial)
  const isLoggedIn = () => state._tag === "LoggedIn"
  const feed = (event: Server.Event) => {
    const step = Server.transition(state, event)
    state = step.state
    for (const action of step.actions) {
      if (action._tag === "Say") sum += lastByte(Result.getOrThrow(Codec.encodeServer(action.command)))
    }
  }
  const hear = (bytes: string) => feed(Server.classify(Codec.decodeClient(taken(bytes))))

  return compare(
    logins,
    () => {
      for (const { accept, challenge, inf, initiate, respond, ver } of all) {
        begin()
        hear(ver)
        hear(inf)
        hear(initiate)
        feed(challenge)
        hear(respond)
        feed(accept)
        if (!isLoggedIn()) throw new Error("A login does not end in LoggedIn")
      }
    },
    () => {
      for (const password of passwords) sum += Crypto.hash("md5", password).length
    },
    progress,
    run,
  )
}

/** The codec, the framing and the machine, without a socket. */
export const bench: Bench.Bench = {
  name: "codec",
  measure: async (progress, run) => [
    {
      what: "Reading, deciding and writing a whole login, without MD5 and sockets",
      against: "one MD5 of a challenge by node:crypto",
      unit: "ns",
      compare: "Ratio",
      target: { is: "AtMost", value: 4 },
      rounds: await login((done) => progress(done / 3), run),
    },
    {
      what: "Decoding a line through the Schema of its command",
      against: "the parser that one would write by hand",
      unit: "ns",
      compare: "Ratio",
      target: { is: "AtMost", value: 2 },
      rounds: await decoding((done) => progress((1 + done) / 3), run),
    },
    {
      what: "Framing: bytes into lines and words",
      against: "Buffer.indexOf(10) over the same bytes",
      unit: "ns",
      compare: "Ratio",
      target: { is: "AtMost", value: 4 },
      rounds: await framing((done) => progress((2 + done) / 3), run),
    },
  ],
}
