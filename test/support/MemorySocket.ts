/**
 * Connections that never leave memory: a pair of `effect/socket` Sockets, and a network of servers and clients on them.
 *
 * What one end writes is at the other end at once, cut into the pieces that a {@link Split} says; there is no limit to
 * what may lie unread. As over TCP, an end whose reader is released says no more, and lets what comes go by.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Connector from "../../src/net/Connector.ts"
import type * as LoginServer from "../../src/net/LoginServer.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as Bytes from "../../src/protocol/Bytes.ts"

/** How many of the bytes at hand are delivered at once, when so many have been delivered before. */
export type Split = (delivered: number, atHand: number) => number

/** All that is at hand. */
export const whole: Split = (_, atHand) => atHand

/** One byte at a time. */
export const bytewise: Split = () => 1

/** Nothing is delivered across this place in the stream. */
export const at =
  (place: number): Split =>
  (delivered, atHand) =>
    delivered < place ? Math.min(place - delivered, atHand) : atHand

/** One end of a connection. */
export interface End {
  readonly socket: Socket.Socket
  /** Everything that this end has said. */
  readonly said: () => string
  /** Says no more, and lets what comes go by; so does the release of the reader. */
  readonly close: Effect.Effect<void>
  /** Cuts the connection off: what is still unread is lost, and both ends fail. */
  readonly reset: Effect.Effect<void>
}

/** How what the ends hear is cut. */
export interface Splits {
  readonly left?: Split
  readonly right?: Split
}

const closeError = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })

/** What the peer has no more to say ends with. */
export const finished = closeError(1000)

/** What a connection that was cut off ends with. */
export const lost = closeError(1006)

type Pulled = Effect.Effect<readonly [Uint8Array, ...Array<Uint8Array>], Socket.SocketError>

/** One direction of a connection. */
const pipe = (split: Split) => {
  let bytes = new Uint8Array(0)
  let delivered = 0
  let written = ""
  let end: Socket.SocketError | undefined
  let deaf = false
  let wake: (() => void) | undefined

  const stir = () => {
    const woken = wake
    wake = undefined
    woken?.()
  }

  /** What can be read now; none if there is nothing to read yet. */
  const next = (): Pulled | undefined => {
    if (bytes.length > 0) {
      const piece = bytes.slice(0, split(delivered, bytes.length))
      bytes = bytes.slice(piece.length)
      delivered += piece.length
      return Effect.succeed([piece])
    }
    return end === undefined ? undefined : Effect.fail(end)
  }

  const pull: Pulled = Effect.callback((resume) => {
    const ready = next()
    if (ready !== undefined) return resume(ready)
    const woken = () => resume(Effect.suspend(() => next() ?? Effect.fail(lost)))
    wake = woken
    return Effect.sync(() => {
      if (wake === woken) wake = undefined
    })
  })

  return {
    pull,
    /** Whether it can still be written to. */
    isOpen: () => end === undefined,
    /** Everything that was ever written to it. */
    written: () => written,
    write: (chunk: Uint8Array) => {
      written += Bytes.fromUint8Array(chunk)
      if (deaf || chunk.length === 0) return
      const joined = new Uint8Array(bytes.length + chunk.length)
      joined.set(bytes)
      joined.set(chunk, bytes.length)
      bytes = joined
      stir()
    },
    finish: (error: Socket.SocketError) => {
      end ??= error
      stir()
    },
    /** The reader has gone: what is unread, and what comes, goes by. */
    release: () => {
      deaf = true
      bytes = new Uint8Array(0)
      end ??= lost
      stir()
    },
    cut: () => {
      bytes = new Uint8Array(0)
      end = lost
      stir()
    },
  }
}

type Pipe = ReturnType<typeof pipe>

const encoder = new TextEncoder()

/** The end that hears from one pipe and says into the other. */
const endOf = (hears: Pipe, says: Pipe): End => {
  const write = (chunk: Uint8Array | string | Socket.CloseEvent) =>
    Effect.suspend(() => {
      if (!says.isOpen()) return Effect.fail(lost)
      if (Socket.isCloseEvent(chunk)) says.finish(finished)
      else says.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk)
      return Effect.void
    })
  const close = Effect.sync(() => {
    hears.release()
    says.finish(finished)
  })
  return {
    socket: Socket.make({
      reader: Effect.flatMap(Effect.scope, (scope) =>
        Effect.as(Scope.addFinalizer(scope, close), {
          pull: hears.pull,
          upgrade: Socket.SocketUpgradeError.unsupported,
        }),
      ),
      writer: Effect.succeed({
        write,
        writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }),
      }),
    }),
    said: says.written,
    close,
    reset: Effect.sync(() => {
      hears.cut()
      says.cut()
    }),
  }
}

/** Two ends of one connection. */
export const pair = (splits: Splits = {}): readonly [left: End, right: End] => {
  const toLeft = pipe(splits.left ?? whole)
  const toRight = pipe(splits.right ?? whole)
  return [endOf(toLeft, toRight), endOf(toRight, toLeft)]
}

/** What was said on a connection. */
interface Connection {
  readonly to: string
  readonly client: () => string
  readonly server: () => string
}

/** Servers and clients that reach each other by address, and nobody else. */
export interface Network {
  /** Where a server is to be reached; what comes before it accepts waits. */
  readonly listen: (address: Address.Address) => LoginServer.Listener
  /** Connects a client; what it and the server hear is cut as the network says. */
  readonly connector: Connector.Connector
  /** Connects by hand, from a host of one's own. */
  readonly dial: (address: Address.Address, from?: string) => Effect.Effect<End, Connector.ConnectError>
  /** The connections that have been made. */
  readonly connections: ReadonlyArray<Connection>
}

/** Makes a network. */
export const network = (splits: { readonly client?: Split; readonly server?: Split } = {}): Network => {
  type Accepted = Parameters<Parameters<LoginServer.Listener["accept"]>[0]>[0]
  const servers = new Map<string, (accepted: Accepted) => void>()
  const connections: Array<Connection> = []

  const dial = (address: Address.Address, from = "192.0.2.1") =>
    Effect.suspend(() => {
      const server = servers.get(Address.format(address))
      if (server === undefined) {
        return new Connector.ConnectError({ tried: [Connector.refused(address)] })
      }
      const [client, accepted] = pair({
        ...(splits.client === undefined ? {} : { left: splits.client }),
        ...(splits.server === undefined ? {} : { right: splits.server }),
      })
      connections.push({ to: Address.format(address), client: client.said, server: accepted.said })
      const remote = { host: from, port: 49_151 + connections.length }
      let closed = () => {}
      const released = Effect.addFinalizer(() => Effect.sync(() => closed()))
      server({
        socket: Socket.make({ ...accepted.socket, reader: Effect.tap(accepted.socket.reader, released) }),
        local: address,
        remote,
        refuse: () => Effect.runSync(accepted.reset),
        onClosed: (run) => void (closed = run),
      })
      return Effect.succeed(client)
    })

  return {
    listen: (address) => {
      const early: Array<Accepted> = []
      servers.set(Address.format(address), (accepted) => void early.push(accepted))
      return {
        address,
        accept: (take) => {
          servers.set(Address.format(address), take)
          early.forEach(take)
        },
      }
    },
    connector: {
      pings: "Carried",
      connect: (to) =>
        Effect.map(
          Effect.acquireRelease(dial(to), ({ close }) => close),
          ({ socket }) => socket,
        ),
    },
    dial,
    connections,
  }
}
