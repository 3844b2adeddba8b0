import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Connector from "../../src/net/Connector.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import * as MemorySocket from "./MemorySocket.ts"
import * as Peer from "./Peer.ts"

/** Reads until the connection ends: the pieces, and what it ended with. */
const drain = Effect.fnUntraced(function* (pull: Socket.Reader["pull"]) {
  const pieces: Array<string> = []
  const error = yield* Effect.flip(
    Effect.forever(
      Effect.map(pull, (chunks) => {
        for (const chunk of chunks) pieces.push(typeof chunk === "string" ? chunk : Bytes.fromUint8Array(chunk))
      }),
    ),
  )
  return { pieces, error }
})

/** What the right end hears of what the left end says before it finishes. */
const heard = (split: MemorySocket.Split, ...said: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const [left, right] = MemorySocket.pair({ right: split })
    const { write } = yield* left.socket.writer
    for (const bytes of said) yield* write(Bytes.toUint8Array(bytes))
    yield* write(new Socket.CloseEvent())
    const { pull } = yield* right.socket.reader
    return yield* drain(pull)
  })

describe("a connection in memory", () => {
  it.effect("delivers what was written, in order, and then the end", () =>
    Effect.gen(function* () {
      const { error, pieces } = yield* heard(MemorySocket.whole, "VER 1 MSNP7\r\n", "INF 2\r\n")
      assert.strictEqual(pieces.join(""), "VER 1 MSNP7\r\nINF 2\r\n")
      assert.strictEqual(error, MemorySocket.finished)
    }),
  )

  it.effect("delivers each byte on its own where it is split so", () =>
    Effect.gen(function* () {
      const { pieces } = yield* heard(MemorySocket.bytewise, "OUT\r\n")
      assert.deepStrictEqual(pieces, ["O", "U", "T", "\r", "\n"])
    }),
  )

  it.effect("delivers nothing across the place where it is cut", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* heard(MemorySocket.at(3), "ab", "cdef")).pieces, ["abc", "def"])
      assert.deepStrictEqual((yield* heard(MemorySocket.at(0), "abcdef")).pieces, ["abcdef"])
      assert.deepStrictEqual((yield* heard(MemorySocket.at(6), "abcdef")).pieces, ["abcdef"])
    }),
  )

  it.effect("delivers a text as UTF-8", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      yield* (yield* left.socket.writer).writeAll(["é", "!"])
      const [chunk] = yield* (yield* right.socket.reader).pull
      assert.deepStrictEqual(chunk, Uint8Array.of(0xc3, 0xa9, 0x21))
    }),
  )

  it.effect("wakes a reader that waits", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      const { pull } = yield* right.socket.reader
      const reading = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* (yield* left.socket.writer).write(Bytes.toUint8Array("PNG\r\n"))
      const [chunk] = yield* Fiber.join(reading)
      assert.deepStrictEqual(chunk, Bytes.toUint8Array("PNG\r\n"))
    }),
  )

  it.effect("loses nothing when a read is cut off by an interruption", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      const { pull } = yield* right.socket.reader
      const reading = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* Fiber.interrupt(reading)
      yield* (yield* left.socket.writer).write(Bytes.toUint8Array("PNG\r\n"))
      const [chunk] = yield* pull
      assert.deepStrictEqual(chunk, Bytes.toUint8Array("PNG\r\n"))
    }),
  )

  it.effect("can be closed by half: the other direction goes on", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      const client = yield* Peer.inMemory(left)
      const server = yield* Peer.inMemory(right)
      yield* client.say("PNG\r\n")
      yield* client.finish
      assert.strictEqual(yield* server.rest, "PNG\r\n")
      yield* server.say("QNG\r\n")
      assert.strictEqual(yield* client.line, "QNG\r\n")
    }),
  )

  it.effect("can no longer be written to once it is finished", () =>
    Effect.gen(function* () {
      const [left] = MemorySocket.pair()
      const { write } = yield* left.socket.writer
      yield* write(new Socket.CloseEvent())
      assert.strictEqual(yield* Effect.flip(write("PNG\r\n")), MemorySocket.lost)
    }),
  )

  it.effect("is lost for both when it is reset, with what was still unread", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      const { write } = yield* left.socket.writer
      yield* write("PNG\r\n")
      const { pull } = yield* right.socket.reader
      yield* right.reset
      assert.strictEqual(yield* Effect.flip(pull), MemorySocket.lost)
      assert.strictEqual(yield* Effect.flip((yield* left.socket.reader).pull), MemorySocket.lost)
      assert.strictEqual(yield* Effect.flip(write("PNG\r\n")), MemorySocket.lost)
    }),
  )

  it.effect("ends for the peer when its reader is released, and lets go by what comes then", () =>
    Effect.gen(function* () {
      const [left, right] = MemorySocket.pair()
      const scope = yield* Scope.make()
      const { pull } = yield* Scope.provide(left.socket.reader, scope)
      const reading = yield* Effect.forkChild(Effect.flip(pull), { startImmediately: true })
      yield* (yield* left.socket.writer).write("OUT\r\n")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(reading), MemorySocket.lost)
      const peer = yield* Peer.inMemory(right)
      assert.strictEqual(yield* peer.rest, "OUT\r\n")
      yield* peer.say("anything")
    }),
  )
})

describe("a network in memory", () => {
  const address = { host: "10.0.0.1", port: 1863 }

  it.effect("connects a client to the server at the address", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const remotes: Array<string> = []
      network.listen(address).accept(({ local, remote }) => remotes.push(`${remote.host} ${local.host}:${local.port}`))
      yield* Effect.scoped(network.connector.connect(address))
      assert.deepStrictEqual(remotes, ["192.0.2.1 10.0.0.1:1863"])
      assert.deepStrictEqual(
        network.connections.map(({ to }) => to),
        ["10.0.0.1:1863"],
      )
    }),
  )

  it.effect("hands over the connections that came before the server accepted", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const listener = network.listen(address)
      const client = yield* Peer.inMemory(yield* network.dial(address))
      yield* client.say("VER 1 MSNP7\r\n")
      const accepted: Array<Socket.Socket> = []
      listener.accept(({ socket }) => accepted.push(socket))
      assert.strictEqual(accepted.length, 1)
    }),
  )

  it.effect("reaches nobody where nobody listens", () =>
    Effect.gen(function* () {
      const network = MemorySocket.network()
      const error = yield* Effect.flip(Effect.scoped(network.connector.connect(address)))
      assert.deepStrictEqual(error, new Connector.ConnectError({ tried: [Connector.refused(address)] }))
    }),
  )
})
