import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as LoginClient from "../../src/net/LoginClient.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import type * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as World from "../support/World.ts"

/** The profile that an MSNP2 server sends behind USR OK: 95 bytes (WIKI). */
const profile: ServerCommand.Foreign = {
  _tag: "Foreign",
  verb: "MSG",
  parameters: ["Hotmail", "Hotmail", "95"],
  payload: [
    "MIME-Version: 1.0",
    "Content-Type: text/x-msmsgsprofile; charset=UTF-8",
    "LoginTime: 1050223025",
    "",
    "",
  ].join("\r\n"),
}

const line = (verb: string, parameters: ReadonlyArray<string>, payload = ""): ClientCommand.Foreign => ({
  _tag: "Foreign",
  verb,
  parameters,
  payload,
})

/** What MSN Messenger 1.0 says once it is signed in, and an answer to a challenge with its payload (WIKI). */
const further: ReadonlyArray<ClientCommand.Foreign> = [
  line("SYN", ["143", "0"]),
  line("CHG", ["144", "NLN"]),
  line("QRY", ["10", "msmsgs@msnmsgr.com", "32"], "3b6666b60157322b6fc6e41a115968f5"),
]

/** Those as bytes. */
const furtherBytes = "SYN 143 0\r\nCHG 144 NLN\r\nQRY 10 msmsgs@msnmsgr.com 32\r\n3b6666b60157322b6fc6e41a115968f5"

/** What stands behind the address in XFR (xfr.form). */
const trailers: { readonly [dialect in Dialect.Dialect]: string } = {
  MSNP2: "",
  MSNP3: " 0",
  MSNP4: " 0",
  MSNP5: " 0",
  MSNP6: " 0",
  MSNP7: " 0 10.0.0.1:1863",
}

/** What stands at the end of USR OK (usr.verified). */
const flags: { readonly [dialect in Dialect.Dialect]: string } = {
  MSNP2: "",
  MSNP3: "",
  MSNP4: "",
  MSNP5: "",
  MSNP6: "",
  MSNP7: " 1",
}

/** The bytes of a login by the book, on both connections: the seed's example session, in each dialect and manner. */
const byTheBook = (dialect: Dialect.Dialect, strategy: LoginClient.Strategy) => {
  const ver = `VER 1 ${dialect}${strategy === "fast" ? "" : " CVR0"}`
  const opening = strategy === "official" ? [ver, "INF 2"] : [ver]
  const answers = strategy === "official" ? [ver, "INF 2 MD5"] : [ver]
  const [i, s] = strategy === "official" ? [3, 4] : [2, 3]
  const end = strategy === "fast" ? "\n" : "\r\n"
  const bytes = (lines: ReadonlyArray<string>, end = "\r\n") => lines.map((line) => `${line}${end}`).join("")
  return [
    {
      to: "10.0.0.1:1863",
      client: bytes([...opening, `USR ${i} MD5 I ${strategy === "fast" ? "a@b.c" : "alice@hotmail.com"}`], end),
      server: bytes([...answers, `XFR ${i} NS 10.0.0.5:1863${trailers[dialect]}`]),
    },
    {
      to: "10.0.0.5:1863",
      client: bytes([...opening, `USR ${i} MD5 I alice@hotmail.com`, `USR ${s} MD5 S 6f3963009fc8a9d2b2ff137da0905c55`])
        .concat(`${furtherBytes}OUT\r\n`)
        .replaceAll("\r\n", end),
      server: bytes([
        ...answers,
        `USR ${i} MD5 S 1013928519.693957190`,
        `USR ${s} OK alice@hotmail.com My%20Screen%20Name${flags[dialect]}`,
        "MSG Hotmail Hotmail 95",
      ]).concat(profile.payload),
    },
  ]
}

/** Logs in by way of both servers, exchanges a few commands, and logs off: the bytes of both connections. */
const conversation = (
  dialect: Dialect.Dialect,
  strategy: LoginClient.Strategy,
  splits: { readonly client?: MemorySocket.Split; readonly server?: MemorySocket.Split },
) =>
  Effect.gen(function* () {
    const network = MemorySocket.network(splits)
    const heard = yield* Queue.unbounded<ClientCommand.ClientCommand | Codec.Malformed>()
    const onSession: LoginServer.OnSession<never> = (session) =>
      Effect.andThen(
        session.send(profile),
        Stream.runForEach(session.commands, (command) => Queue.offer(heard, command)),
      )
    yield* World.serve(network.listen(World.dispatchAddress), World.layerReferring(World.notificationAddress))
    yield* World.serve(network.listen(World.notificationAddress), World.layerExample(), {}, onSession)

    const options = World.aliceAt(World.dispatchAddress, { strategy, dialects: [dialect] })
    const session = yield* World.loginOver(network, options)
    assert.strictEqual(session.dialect, dialect)
    assert.strictEqual(session.account, "alice@hotmail.com")
    assert.strictEqual(session.friendlyName, "My Screen Name")
    assert.deepStrictEqual(session.verified, dialect === "MSNP7" ? Option.some(true) : Option.none())
    assert.deepStrictEqual(session.server, World.notificationAddress)
    assert.deepStrictEqual(yield* Stream.runHead(session.commands), Option.some(profile))

    for (const command of further) assert.isTrue(yield* session.send(command))
    assert.deepStrictEqual(yield* Queue.takeN(heard, further.length), Array.from(further))
    yield* session.logOff
    return network.connections.map(({ client, server, to }) => ({ to, client: client(), server: server() }))
  }).pipe(Effect.scoped)

describe("a whole login, by way of a dispatch server", () => {
  for (const dialect of Dialect.all) {
    for (const strategy of LoginClient.Strategy.literals) {
      const name = `${dialect}, ${strategy}`

      it.effect(`has the bytes that the documents show: ${name}`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* conversation(dialect, strategy, {}), byTheBook(dialect, strategy))
        }),
      )

      it.effect(`has the same bytes wherever they are cut in two, and byte by byte: ${name}`, () =>
        Effect.gen(function* () {
          const expected = byTheBook(dialect, strategy)
          const longest = Math.max(...expected.flatMap(({ client, server }) => [client.length, server.length]))
          for (let place = 1; place < longest; place++) {
            const cut = MemorySocket.at(place)
            const bytes = yield* conversation(dialect, strategy, { client: cut, server: cut })
            assert.deepStrictEqual(bytes, expected, `cut behind byte ${place}`)
          }
          const bytewise = { client: MemorySocket.bytewise, server: MemorySocket.bytewise }
          assert.deepStrictEqual(yield* conversation(dialect, strategy, bytewise), expected)
        }),
      )
    }
  }
})
