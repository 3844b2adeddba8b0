/**
 * A mixed crowd, role by role: what each of them does to a server again and again, and what the server has to make of it.
 *
 * An attempt that does not go as its role says fails with a sentence. One that does tells how the server must have
 * accounted for each connection that it took.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import type * as Server from "../../src/login/Server.ts"
import * as Connector from "../../src/net/Connector.ts"
import * as GatewayConnector from "../../src/net/GatewayConnector.ts"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Peer from "../support/Peer.ts"

/** How a server accounts for a connection's login: it let the client in, or why it closed. */
export type Outcome = "LoggedIn" | Server.Reason

/** Something did not go as it has to. */
export class Unexpected extends Data.TaggedError("Unexpected")<{ readonly message: string }> {}

/** Whom a crowd meets. */
export interface Site {
  readonly dispatch: Address.Address
  readonly notification: Address.Address
  readonly gateway: Address.Address
}

/** What one kind of client does. */
export interface Role {
  readonly name: string
  /** How many of them there are at once. */
  readonly size: number
  /** What one of them does once, with an account that is its own. */
  readonly attempt: (
    site: Site,
    account: Account.Account,
  ) => Effect.Effect<ReadonlyArray<Outcome>, Unexpected, Scope.Scope>
  /** Whether each has an account of its own, or two share one and put each other out. */
  readonly accounts: "Own" | "Shared"
}

/** The password of all of the crowd's accounts. */
export const password = Redacted.make("wonderland")

const unexpected = (what: string) => new Unexpected({ message: what })

/** Fails unless what was heard is what has to be. */
const hears = (what: string, heard: string, isRight: boolean): Effect.Effect<void, Unexpected> =>
  isRight ? Effect.void : Effect.fail(unexpected(`${what}: heard ${JSON.stringify(heard)}`))

/** The next line, which has to fit. */
const expectLine = (peer: Peer.Peer, fits: RegExp) =>
  Effect.tap(peer.line, (line) => hears(`a line like ${fits.source}`, line, fits.test(line)))

const opening = (account: Account.Account) => `VER 1 MSNP7\r\nINF 2\r\nUSR 3 MD5 I ${account}\r\n`

/** Logs in, with two writes, as far as the answer to the digest. */
const converse = Effect.fnUntraced(function* (
  peer: Peer.Peer,
  account: Account.Account,
  secret: Redacted.Redacted<string>,
  say: Peer.Peer["say"] = peer.say,
) {
  yield* say(opening(account))
  yield* expectLine(peer, /^VER 1 MSNP7\r\n$/)
  yield* expectLine(peer, /^INF 2 MD5\r\n$/)
  const line = yield* expectLine(peer, /^USR 3 MD5 S \S+\r\n$/)
  const challenge = Challenge.Challenge.make(line.trimEnd().slice("USR 3 MD5 S ".length))
  yield* say(`USR 4 MD5 S ${Redacted.value(Challenge.respond(challenge, secret))}\r\n`)
})

const signIn = Effect.fnUntraced(function* (
  peer: Peer.Peer,
  account: Account.Account,
  say: Peer.Peer["say"] = peer.say,
) {
  yield* converse(peer, account, password, say)
  yield* expectLine(peer, /^USR 4 OK \S+ \S+ 1\r\n$/)
})

/** From the connection to the last word, which has to fit. */
const denied = (secret: Redacted.Redacted<string>): Role["attempt"] =>
  Effect.fnUntraced(function* ({ notification }, account) {
    const peer = yield* Peer.connect(notification)
    yield* converse(peer, account, secret)
    const heard = yield* peer.rest
    yield* hears("911 and the end", heard, heard === "911 4\r\n")
    return ["Denied"]
  })

/** A client by the library, through the whole journey. */
const journey =
  (
    connector: (site: Site) => Layer.Layer<never>,
    from: (site: Site) => Address.Address,
    outcomes: ReadonlyArray<Outcome>,
  ): Role["attempt"] =>
  (site, account) =>
    Effect.gen(function* () {
      const session = yield* Effect.mapError(
        LoginClient.login({ server: from(site), account, password }),
        ({ message }) => unexpected(message),
      )
      yield* session.logOff
      return outcomes
    }).pipe(Effect.provide(connector(site)))

/** What nobody ought to say to a server: lines at the wrong time, and what is no line. */
const nonsense: ReadonlyArray<() => string> = [
  () => "INF 1\r\n",
  () => "ver 1 MSNP7\r\n",
  () => "USR 1 MD5 S 00000000000000000000000000000000\r\n",
  () => "VER 1 MSNP7\r\nUSR 2 TWN I alice@example.com\r\n",
  () => "VER 1 MSNP7\r\nSYN 2 0\r\n",
  () => "VER 1 MSNP7\r\nVER 2 MSNP7\r\n",
  () => "VER 4294967296 MSNP7\r\n",
  () => "GET / HTTP/1.0\r\n\r\n",
  () => `VER 1 ${"A".repeat(5000)}\r\n`,
  () => "A".repeat(100_000),
  () => `!${Crypto.randomBytes(Crypto.randomInt(1, 3000)).toString("latin1")}\n`,
  () => `\u0016\u0003\u0001${Crypto.randomBytes(300).toString("latin1")}\n`,
]

/** One of them, at random. */
const someNonsense = (): string => {
  const at = Crypto.randomInt(nonsense.length)
  return nonsense
    .slice(at, at + 1)
    .map((say) => say())
    .join("")
}

/** Says one thing, and has to hear this and the end. */
const exchange =
  (
    at: "dispatch" | "notification",
    said: () => string,
    has: { readonly what: string; readonly toHear: RegExp; readonly outcome: Outcome },
  ): Role["attempt"] =>
  (site) =>
    Effect.gen(function* () {
      const peer = yield* Peer.connect(site[at])
      yield* peer.say(said())
      const heard = yield* peer.rest
      yield* hears(has.what, heard, has.toHear.test(heard))
      return [has.outcome]
    })

/** Vanishes once the server has answered so many lines. */
const vanishing: Role["attempt"] = Effect.fnUntraced(function* ({ notification }, account) {
  const peer = yield* Peer.connect(notification)
  const lines = Crypto.randomInt(1, 4)
  yield* peer.say(
    opening(account)
      .split(/(?<=\n)/)
      .slice(0, lines)
      .join(""),
  )
  for (let line = 0; line < lines; line++) yield* expectLine(peer, /^(VER|INF|USR) /)
  yield* Crypto.randomInt(2) === 0 ? peer.reset : peer.finish
  yield* peer.rest
  return ["HungUp"]
})

/** Two of these share an account: who comes later puts the other out. */
const displacing: Role["attempt"] = Effect.fnUntraced(function* ({ notification }, account) {
  const peer = yield* Peer.connect(notification)
  yield* signIn(peer, account)
  const left = Effect.andThen(Effect.sleep(Crypto.randomInt(5, 200)), peer.say("OUT\r\n"))
  yield* Effect.forkScoped(left)
  const heard = yield* peer.rest
  yield* hears("a profile, OUT OTH, both or nothing", heard, /^(MSG Hotmail [^]*?\r\n\r\n)?(OUT OTH\r\n)?$/.test(heard))
  return ["LoggedIn"]
})

/** Says SYN, and never reads the answers, until the server has had enough of it. */
const deaf: Role["attempt"] = Effect.fnUntraced(function* ({ notification }, account) {
  const peer = yield* Peer.connect(notification)
  yield* signIn(peer, account)
  yield* peer.stall
  const syn = Array.from({ length: 1000 }, (_, i) => `SYN ${i + 5} 0\r\n`).join("")
  const closed = Effect.callback<void>((resume) => {
    peer.conn.once("close", () => resume(Effect.void))
    return Effect.void
  })
  const saying = Effect.forever(
    Effect.callback<void>((resume) => {
      peer.conn.write(syn, () => resume(Effect.void))
    }),
  )
  yield* Effect.raceFirst(saying, closed)
  return ["LoggedIn"]
})

/** Everybody. */
export const roles: ReadonlyArray<Role> = [
  {
    name: "honest, by way of the dispatch server",
    size: 16,
    accounts: "Own",
    attempt: journey(
      () => Layer.empty,
      ({ dispatch }) => dispatch,
      ["Referred", "LoggedIn"],
    ),
  },
  {
    name: "honest, over HTTP",
    size: 4,
    accounts: "Own",
    attempt: journey(
      ({ gateway }) => Layer.succeed(Connector.Connector, GatewayConnector.make({ gateway })),
      ({ notification }) => notification,
      ["LoggedIn"],
    ),
  },
  {
    name: "hasty: all that can be said is said at once",
    size: 8,
    accounts: "Own",
    attempt: Effect.fnUntraced(function* ({ notification }, account) {
      const peer = yield* Peer.connect(notification)
      yield* converse(peer, account, password, (bytes) =>
        peer.say(bytes.startsWith("USR 4") ? `${bytes}SYN 5 0\r\nCHG 6 NLN\r\n` : bytes),
      )
      yield* expectLine(peer, /^USR 4 OK /)
      yield* Effect.repeat(peer.line, { until: (line) => line === "CHG 6 NLN\r\n" || line === "" })
      yield* peer.say("OUT\r\n")
      yield* peer.rest
      return ["LoggedIn"]
    }),
  },
  {
    name: "slow: a byte at a time",
    size: 4,
    accounts: "Own",
    attempt: Effect.fnUntraced(function* ({ notification }, account) {
      const peer = yield* Peer.connect(notification)
      yield* signIn(peer, account, (bytes) =>
        Effect.forEach(bytes, (byte) => Effect.andThen(peer.say(byte), Effect.sleep(1)), { discard: true }),
      )
      yield* peer.say("OUT\r\n")
      yield* peer.rest
      return ["LoggedIn"]
    }),
  },
  { name: "displacing each other", size: 6, accounts: "Shared", attempt: displacing },
  { name: "with a wrong password", size: 6, accounts: "Own", attempt: denied(Redacted.make("looking-glass")) },
  {
    name: "without an account",
    size: 6,
    accounts: "Own",
    attempt: (site, account) => denied(password)(site, Account.Account.make(`no.${account}`)),
  },
  {
    name: "of another time: MSNP8 alone",
    size: 2,
    accounts: "Own",
    attempt: exchange("dispatch", () => "VER 1 MSNP8 CVR0\r\n", {
      what: "VER 1 0 and the end",
      toHear: /^VER 1 0\r\n$/,
      outcome: "NoCommonDialect",
    }),
  },
  {
    name: "hostile: nonsense of twelve kinds",
    size: 8,
    accounts: "Own",
    attempt: exchange("notification", someNonsense, {
      what: "an error at most, and the end",
      toHear: /^(VER 1 MSNP7\r\n)?((715|911) \d+\r\n)?$/,
      outcome: "Misbehaved",
    }),
  },
  { name: "vanishing, by FIN or RST", size: 8, accounts: "Own", attempt: vanishing },
  {
    name: "stalling in the midst of a line",
    size: 4,
    accounts: "Own",
    attempt: exchange("notification", () => "VER 1 MS", {
      what: "nothing, and the end",
      toHear: /^$/,
      outcome: "Overdue",
    }),
  },
  { name: "deaf: asking, and never reading", size: 2, accounts: "Own", attempt: deaf },
]
