/**
 * The other end of a connection as a test plays it: it says what it is told to, and tells what it hears.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Net from "node:net"
import type * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"
import type * as MemorySocket from "./MemorySocket.ts"

/** One end of a connection, played by a test. Bytes are strings with one character each. */
export interface Peer {
  readonly say: (bytes: string) => Effect.Effect<void>
  /** The next line, its end included; what there is of it where the connection ends first. */
  readonly line: Effect.Effect<string>
  /** Everything up to the end of the connection. */
  readonly rest: Effect.Effect<string>
  /** Says that it has no more to say, and goes on listening. */
  readonly finish: Effect.Effect<void>
  /** Cuts the connection off. */
  readonly reset: Effect.Effect<void>
}

/** What has been heard, and who waits for more of it. */
const ear = () => {
  let heard = ""
  let isOver = false
  let waiting: Array<() => void> = []
  const stir = () => {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }
  const more = Effect.callback<void>((resume) => void waiting.push(() => resume(Effect.void)))
  const until = (length: () => number | undefined): Effect.Effect<string> =>
    Effect.suspend(() => {
      const taken = length()
      if (taken === undefined) return Effect.andThen(more, until(length))
      const taking = heard.slice(0, taken)
      heard = heard.slice(taken)
      return Effect.succeed(taking)
    })
  return {
    hear: (bytes: string) => {
      heard += bytes
      stir()
    },
    over: () => {
      isOver = true
      stir()
    },
    line: until(() => {
      const end = heard.indexOf("\n")
      if (end === -1) return isOver ? heard.length : undefined
      return end + 1
    }),
    rest: until(() => (isOver ? heard.length : undefined)),
  }
}

/** Plays one end of a connection in memory, until the scope closes. */
export const inMemory = Effect.fnUntraced(function* (
  end: MemorySocket.End,
): Effect.fn.Return<Peer, never, Scope.Scope> {
  const { hear, line, over, rest } = ear()
  const { pull } = yield* Effect.orDie(end.socket.reader)
  const writer = yield* end.socket.writer
  const listen = Effect.forever(
    Effect.map(pull, (chunks) => {
      for (const chunk of chunks) hear(typeof chunk === "string" ? chunk : Bytes.fromUint8Array(chunk))
    }),
    { disableYield: true },
  )
  yield* Effect.forkScoped(
    Effect.catch(listen, () => Effect.sync(over)),
    { startImmediately: true },
  )
  return {
    say: (bytes) => Effect.ignore(writer.write(Bytes.toUint8Array(bytes))),
    line,
    rest,
    finish: Effect.ignore(writer.write(new Socket.CloseEvent())),
    reset: end.reset,
  }
})

/** A peer over TCP, with what only TCP can do to it. */
export interface TcpPeer extends Peer {
  readonly conn: Net.Socket
  /** Stops reading, so that the system's buffers fill. */
  readonly stall: Effect.Effect<void>
  /** Reads again. */
  readonly recover: Effect.Effect<void>
}

/** Plays one end of a connection of `node:net`, until the scope closes. */
export const overTcp = (conn: Net.Socket): Effect.Effect<TcpPeer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { hear, line, over, rest } = ear()
      conn.on("data", (bytes) => hear(bytes.toString("latin1")))
      conn.on("end", over)
      conn.on("error", over)
      conn.on("close", over)
      return {
        conn,
        say: (bytes) => Effect.sync(() => void conn.write(bytes, "latin1")),
        line,
        rest,
        finish: Effect.sync(() => void conn.end()),
        reset: Effect.sync(() => void conn.resetAndDestroy()),
        stall: Effect.sync(() => void conn.pause()),
        recover: Effect.sync(() => void conn.resume()),
      } satisfies TcpPeer
    }),
    ({ conn }) => Effect.sync(() => void conn.destroy()),
  )

/** Connects to a server, to play its client. */
export const connect = (to: Address.Address): Effect.Effect<TcpPeer, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.callback<Net.Socket>((resume) => {
      const conn = Net.connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true })
      conn.once("error", (error) => resume(Effect.die(error)))
      conn.once("connect", () => resume(Effect.succeed(conn)))
    }),
    overTcp,
  )
