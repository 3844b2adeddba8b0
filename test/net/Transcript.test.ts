import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type * as LoginClient from "../../src/net/LoginClient.ts"
import * as Transcript from "../../src/net/Transcript.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import type * as Line from "../../src/protocol/Line.ts"
import * as MemorySocket from "../support/MemorySocket.ts"
import * as World from "../support/World.ts"

/** The transcript of a login by way of both servers that logs off. */
const transcript = (options: Partial<LoginClient.Options>) =>
  Effect.gen(function* () {
    const network = MemorySocket.network()
    yield* World.serve(network.listen(World.dispatchAddress), World.layerReferring(World.notificationAddress))
    yield* World.serve(network.listen(World.notificationAddress), World.layerExample())
    const lines: Array<string> = []
    const observer: Transcript.Observer = (entry) => void lines.push(Transcript.format(entry))
    const login = World.loginOver(network, World.aliceAt(World.dispatchAddress, { observer, ...options }))
    yield* Effect.exit(Effect.scoped(Effect.flatMap(login, ({ logOff }) => logOff)))
    return lines
  })

describe("a transcript", () => {
  it.effect("shows a login as the seed's example session does, and of the digest its first four digits", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* transcript({ dialects: ["MSNP7", "MSNP6"] }), [
        "<o> Client connects to 10.0.0.1:1863",
        ">>> VER 1 MSNP7 MSNP6 CVR0\\r\\n",
        "<<< VER 1 MSNP7 MSNP6 CVR0\\r\\n",
        ">>> INF 2\\r\\n",
        "<<< INF 2 MD5\\r\\n",
        ">>> USR 3 MD5 I alice@hotmail.com\\r\\n",
        "<<< XFR 3 NS 10.0.0.5:1863 0 10.0.0.1:1863\\r\\n",
        "<o> Server closes connection",
        "<o> Client connects to 10.0.0.5:1863",
        ">>> VER 1 MSNP7 MSNP6 CVR0\\r\\n",
        "<<< VER 1 MSNP7 MSNP6 CVR0\\r\\n",
        ">>> INF 2\\r\\n",
        "<<< INF 2 MD5\\r\\n",
        ">>> USR 3 MD5 I alice@hotmail.com\\r\\n",
        "<<< USR 3 MD5 S 1013928519.693957190\\r\\n",
        ">>> USR 4 MD5 S 6f39…\\r\\n",
        "<<< USR 4 OK alice@hotmail.com My%20Screen%20Name 1\\r\\n",
        ">>> OUT\\r\\n",
        "<o> Server closes connection",
      ])
    }),
  )

  it.effect("ends with the refusal where the login fails, and with the server's close", () =>
    Effect.gen(function* () {
      const lines = yield* transcript({ account: World.entry("bob@hotmail.com").account })
      assert.deepStrictEqual(lines.slice(-2), ["<<< 911 4\\r\\n", "<o> Server closes connection"])
    }),
  )

  const client = (...words: Line.Frame["words"]) => Transcript.format(Transcript.said("Client", words))
  const server = (...words: Line.Frame["words"]) => Transcript.format(Transcript.said("Server", words))

  it("never shows a digest in whole, however broken the line is in which it stands", () => {
    assert.strictEqual(client("USR", "3", "MD5", "S", World.digest), ">>> USR 3 MD5 S 6f39…\\r\\n")
    assert.strictEqual(client("USR", "3", "MD5", "S", World.digest, World.digest), ">>> USR 3 MD5 S 6f39… 6f39…\\r\\n")
    for (const words of [
      ["3", "S", World.digest],
      ["3", "MD5", World.digest],
      ["MD5", "S", World.digest],
      ["3", "MD5", "I", World.digest],
      [World.digest],
      ["3", "MD5", "s", World.digest.toUpperCase()],
    ]) {
      const line = client("USR", ...words).toLowerCase()
      assert.notInclude(line, World.digest)
    }
  })

  it("hands an observer words in which the digest is hidden already", () => {
    const entry = Transcript.said("Client", ["USR", "3", "MD5", "S", World.digest])
    assert.deepStrictEqual(entry, {
      _tag: "Said",
      by: "Client",
      words: ["USR", "3", "MD5", "S", Bytes.fromText(`${World.digest.slice(0, 4)}…`)],
    })
    assert.strictEqual(Transcript.format(entry), ">>> USR 3 MD5 S 6f39…\\r\\n")
  })

  it("shows control characters by their codes, so that nobody moves the cursor or forges a line", () => {
    assert.strictEqual(
      server("VER", "1", "\x1b[31mred\x1b[0m\r<o>\x07\x7f\0"),
      "<<< VER 1 \\x1b[31mred\\x1b[0m\\x0d<o>\\x07\\x7f\\x00\\r\\n",
    )
    assert.strictEqual(server("\x9b2J"), "<<< \\x9b2J\\r\\n")
    assert.strictEqual(server(Bytes.fromText("a\u009b\u202eb\u2028c")), "<<< a\\x9b\\u{202e}b\\u{2028}c\\r\\n")
  })

  it("never has a control character or a second line, whatever is said", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const line = server(Bytes.fromUint8Array(bytes))
        assert.notMatch(line, /[\p{Cc}\p{Cf}\u2028\u2029]/u)
      }),
    )
  })

  it("shows UTF-8 as text, and a long word in whole", () => {
    assert.strictEqual(server("MSG", Bytes.fromText("Zoë_😀_日本")), "<<< MSG Zoë_😀_日本\\r\\n")
    const name = "%E3%83%A1".repeat(40)
    assert.strictEqual(server("USR", "4", "OK", "a@b", name), `<<< USR 4 OK a@b ${name}\\r\\n`)
  })

  it("shows accounts and challenges as they are", () => {
    assert.strictEqual(client("USR", "2", "MD5", "I", "alice@hotmail.com"), ">>> USR 2 MD5 I alice@hotmail.com\\r\\n")
    assert.strictEqual(
      server("USR", "2", "MD5", "S", "1013928519.693957190"),
      "<<< USR 2 MD5 S 1013928519.693957190\\r\\n",
    )
    assert.strictEqual(client("VER", "0", "MSNP7", "CVR0"), ">>> VER 0 MSNP7 CVR0\\r\\n")
  })

  it("says who closed the connection", () => {
    assert.strictEqual(Transcript.format({ _tag: "Closed", by: "Client" }), "<o> Client closes connection")
    assert.strictEqual(Transcript.format({ _tag: "Closed", by: "Server" }), "<o> Server closes connection")
  })
})
