/**
 * The other end of a connection as a test plays it: it says what it is told to, and tells what it hears.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
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

/** Those who wait for something to happen, and a way to wake them. */
const bell = () => {
  let waiting: Array<() => void> = []
  return {
    ring: () => {
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    },
    next: Effect.callback<void>((resume) => void waiting.push(() => resume(Effect.void))),
  }
}

/** What has been heard, and who waits for more of it. */
const ear = () => {
  let heard = ""
  let isOver = false
  const { next, ring } = bell()
  const until = (length: () => number | undefined): Effect.Effect<string> =>
    Effect.suspend(() => {
      const taken = length()
      if (taken === undefined) return Effect.andThen(next, until(length))
      const taking = heard.slice(0, taken)
      heard = heard.slice(taken)
      return Effect.succeed(taking)
    })
  return {
    hear: (bytes: string) => {
      heard += bytes
      ring()
    },
    over: () => {
      isOver = true
      ring()
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

/** A server for a test to play, on a free port of this machine. */
export interface Stage {
  readonly address: Address.Address
  /** The next connection, played until the scope closes. */
  readonly accept: Effect.Effect<TcpPeer, never, Scope.Scope>
}

/** Listens until the scope closes. */
export const listen: Effect.Effect<Stage, never, Scope.Scope> = Effect.gen(function* () {
  const came = yield* Queue.unbounded<Net.Socket>()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Net.createServer({ allowHalfOpen: true, noDelay: true }, (conn) => {
        conn.on("error", () => {})
        Queue.offerUnsafe(came, conn)
      }),
    ),
    (server) => Effect.sync(() => void server.close()),
  )
  const address = yield* Effect.callback<Address.Address>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : 0
      resume(Effect.succeed({ host: "127.0.0.1", port }))
    })
  })
  return { address, accept: Effect.flatMap(Queue.take(came), overTcp) }
})

/** What is read from a socket, read by read. */
export interface Gauge {
  readonly pieces: ReadonlyArray<string>
  /** Waits until this many bytes have been read. */
  readonly reach: (count: number) => Effect.Effect<void>
  /** The same socket, with a note of what is read from it. */
  readonly on: (socket: Socket.Socket) => Socket.Socket
}

/** A gauge for one socket. */
export const gauge = (): Gauge => {
  const pieces: Array<string> = []
  let count = 0
  const { next, ring } = bell()
  const reach = (wanted: number): Effect.Effect<void> =>
    Effect.suspend(() => (count >= wanted ? Effect.void : Effect.andThen(next, reach(wanted))))
  const note = (chunks: ReadonlyArray<Uint8Array | string>) => {
    const piece = chunks.map((chunk) => (typeof chunk === "string" ? chunk : Bytes.fromUint8Array(chunk))).join("")
    pieces.push(piece)
    count += piece.length
    ring()
  }
  return {
    pieces,
    reach,
    on: ({ reader, writer }) =>
      Socket.make({
        reader: Effect.map(reader, ({ pull, upgrade }) => ({
          pull: Effect.tap(pull, (chunks) => Effect.sync(() => note(chunks))),
          upgrade,
        })),
        writer,
      }),
  }
}

/** Where to cut what is said: whether behind this many bytes. */
export type Cut = (place: number) => boolean

/** Says things in pieces: each only when the other end, whose gauge this is, has read the one before. */
export const inPieces = (say: Peer["say"], gauge: Gauge, isCut: Cut): Peer["say"] => {
  let begun = 0
  return Effect.fnUntraced(function* (bytes) {
    const start = begun
    begun += bytes.length
    let from = 0
    for (let to = 1; to <= bytes.length; to++) {
      if (to < bytes.length && !isCut(start + to)) continue
      yield* gauge.reach(start + from)
      yield* say(bytes.slice(from, to))
      from = to
    }
  })
}
