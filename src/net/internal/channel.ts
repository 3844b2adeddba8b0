/**
 * Bytes both ways, pushed: what a driver needs of a connection, and no more.
 *
 * Over a Socket each batch of bytes is a pull that a fiber waits for, and each answer a write that it waits for: 3 times
 * the time of a bare `node:net` login, and 10 KB for each connection that is quiet. Here bytes are handed over on the stack
 * on which they came. A Socket that nobody has wrapped gives its own channel away ({@link of}); any other is made one.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Bytes from "../../protocol/Bytes.ts"

/** Who is told what comes; one thing at a time, and nothing while the channel is paused but that it is lost. */
export interface Receiver {
  /** Some bytes, one character each. */
  readonly hear: (bytes: string) => void
  /** The peer says no more, in good order; it may still listen. */
  readonly ended: () => void
  /** The connection is gone. */
  readonly lost: () => void
  /** What waited to be taken has been taken. */
  readonly drained: () => void
}

/** What became of something that was written: taken, waiting until the receiver is told `drained`, or lost. */
type Written = "Taken" | "Waits" | "Lost"

/** One connection. */
export interface Channel {
  /** Hands over what comes, from the first byte on. Once. */
  readonly open: (receiver: Receiver) => void
  readonly pause: () => void
  readonly resume: () => void
  readonly write: (bytes: string) => Written
  /** Says no more, and hears on. */
  readonly end: () => void
  /**
   * Lets go of it, and nothing is handed over any more. What has been written is delivered within {@link lingerMillis},
   * unless the peer has been given up.
   */
  readonly release: (peer: "Awaited" | "GivenUp") => void
}

/** How long a closed connection waits for its peer to close too, in milliseconds. */
export const lingerMillis = 2000

/** The other end has closed the connection in good order. */
export const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })

/** The other end is gone. */
export const lost = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1006 }) })

const toBytes = (chunk: Uint8Array | string): string =>
  typeof chunk === "string" ? Bytes.fromText(chunk) : Bytes.fromUint8Array(chunk)

type Pulled = Effect.Effect<readonly [Uint8Array, ...Array<Uint8Array>], Socket.SocketError>

type Ends = Pick<Socket.Socket, "reader" | "writer">

/**
 * A Socket over a channel, whose ends are made for whoever asks for them.
 *
 * Its channel is in a field: of a WeakMap, what it holds may outlive its keys until the next full collection of garbage.
 */
class ChannelSocket implements Socket.Socket {
  readonly [Socket.TypeId] = Socket.TypeId
  readonly #channel: Channel
  #ends: Ends | undefined

  constructor(channel: Channel) {
    this.#channel = channel
  }

  get reader(): Socket.Socket["reader"] {
    return (this.#ends ??= endsOf(this.#channel)).reader
  }

  get writer(): Socket.Socket["writer"] {
    return (this.#ends ??= endsOf(this.#channel)).writer
  }

  static channelOf(this: void, socket: Socket.Socket, run: Run): Channel {
    return #channel in socket ? socket.#channel : fromSocket(socket, run)
  }
}

/** The Socket over a channel; releasing its reader releases the channel. */
export const toSocket = (channel: Channel): Socket.Socket => new ChannelSocket(channel)

const endsOf = (channel: Channel): Ends => {
  let chunks: [Uint8Array, ...Array<Uint8Array>] | undefined
  let waiter: ((result: Pulled) => void) | undefined
  let end: Effect.Effect<never, Socket.SocketError> | undefined
  const writers = new Set<(result: Effect.Effect<void, Socket.SocketError>) => void>()

  const stir = (result: Effect.Effect<void, Socket.SocketError>) => {
    const resumes = Array.from(writers)
    writers.clear()
    for (const resume of resumes) resume(result)
  }
  const finish = (error: Socket.SocketError) => {
    end ??= Effect.fail(error)
    const resume = waiter
    waiter = undefined
    resume?.(end)
  }
  const gone = () => {
    finish(lost)
    stir(Effect.fail(lost))
  }
  const receiver: Receiver = {
    hear: (bytes) => {
      const chunk = Bytes.toUint8Array(bytes)
      const resume = waiter
      channel.pause()
      if (resume !== undefined) {
        waiter = undefined
        resume(Effect.succeed([chunk]))
      } else if (chunks === undefined) chunks = [chunk]
      else chunks.push(chunk)
    },
    ended: () => finish(closed),
    lost: gone,
    drained: () => stir(Effect.void),
  }
  const pull: Pulled = Effect.callback((resume) => {
    if (chunks !== undefined) {
      const taken = chunks
      chunks = undefined
      resume(Effect.succeed(taken))
      return
    }
    if (end !== undefined) {
      resume(end)
      return
    }
    waiter = resume
    channel.resume()
    return Effect.sync(() => {
      waiter = undefined
      channel.pause()
    })
  })
  const write = (chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> =>
    Effect.callback((resume) => {
      if (Socket.isCloseEvent(chunk)) {
        channel.end()
        resume(Effect.void)
        return
      }
      switch (channel.write(toBytes(chunk))) {
        case "Taken":
          resume(Effect.void)
          return
        case "Lost":
          resume(Effect.fail(lost))
          return
        case "Waits":
          writers.add(resume)
          return Effect.sync(() => writers.delete(resume))
      }
    })
  return {
    reader: Effect.flatMap(Effect.scope, (scope) => {
      channel.open(receiver)
      channel.pause()
      return Effect.as(
        Scope.addFinalizer(
          scope,
          Effect.sync(() => {
            channel.release("Awaited")
            chunks = undefined
            gone()
          }),
        ),
        { pull, upgrade: Socket.SocketUpgradeError.unsupported },
      )
    }),
    writer: Effect.succeed({ write, writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }) }),
  }
}

/** Runs something as whoever uses the channel would, with what that one has said of the log and the time. */
export type Run = <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>

/** The channel of a Socket, which is the channel's from now on. */
export const of: (socket: Socket.Socket, run: Run) => Channel = ChannelSocket.channelOf

/** The code with which a Socket ends in good order. */
const cleanClose = 1000

/** Hears nothing. */
export const nobody: Receiver = { hear: () => {}, ended: () => {}, lost: () => {}, drained: () => {} }

/** The channel over any Socket: one fiber reads, and each write has one. */
const fromSocket = (socket: Socket.Socket, run: Run): Channel => {
  const scope = Scope.makeUnsafe()
  const gate = Latch.makeUnsafe(true)
  /** What is said waits for it: there are Sockets that connect only once somebody reads. */
  const writer = Deferred.makeUnsafe<Socket.Writer, Socket.SocketError>()
  /** What is being written. */
  const writes = new Set<Fiber.Fiber<void, Socket.SocketError>>()
  let receiver = nobody
  let isGone = false

  const over = (cause: Cause.Cause<Socket.SocketError>): Effect.Effect<void> => {
    Deferred.doneUnsafe(writer, Effect.fail(lost))
    const error = Cause.findErrorOption(cause)
    if (Option.exists(error, ({ reason }) => reason._tag === "SocketCloseError" && reason.code === cleanClose)) {
      receiver.ended()
      return Effect.void
    }
    isGone = true
    receiver.lost()
    return Option.isSome(error)
      ? Effect.void
      : Effect.logError("A connection was lost by a defect of its Socket", cause)
  }
  const read = Effect.gen(function* () {
    const { pull } = yield* socket.reader
    Deferred.doneUnsafe(writer, Effect.succeed(yield* socket.writer))
    while (true) {
      yield* gate.await
      const chunks = yield* pull
      // Closed meanwhile, it holds back what has come, too.
      yield* gate.await
      for (const chunk of chunks) receiver.hear(toBytes(chunk))
    }
  }).pipe(Scope.provide(scope), Effect.catchCause(over))

  const writing = (chunk: Uint8Array | Socket.CloseEvent) =>
    Effect.flatMap(Deferred.await(writer), ({ write }) => write(chunk))
  const write = (bytes: string): Written => {
    if (isGone) return "Lost"
    const fiber = run(writing(Bytes.toUint8Array(bytes)))
    const result = fiber.pollUnsafe()
    if (result !== undefined) return Exit.isSuccess(result) ? "Taken" : "Lost"
    // Whoever writes may have been interrupted by what it led to, and has let go already.
    if (scope.state._tag === "Closed") fiber.interruptUnsafe()
    writes.add(fiber)
    fiber.addObserver(() => {
      writes.delete(fiber)
      if (writes.size === 0) receiver.drained()
    })
    return "Waits"
  }

  return {
    open: (to) => {
      receiver = to
      run(Effect.forkIn(read, scope, { startImmediately: true }))
    },
    pause: () => void gate.closeUnsafe(),
    resume: () => void gate.openUnsafe(),
    write,
    end: () => {
      if (!isGone) run(Effect.forkIn(writing(new Socket.CloseEvent()), scope, { startImmediately: true }))
    },
    release: (peer) => {
      receiver = nobody
      const taken =
        writes.size === 0 || peer === "GivenUp"
          ? Effect.void
          : Effect.timeoutOption(Fiber.awaitAll(writes), lingerMillis)
      run(
        taken.pipe(
          Effect.andThen(Effect.suspend(() => Fiber.interruptAll(writes))),
          Effect.andThen(Scope.close(scope, Exit.void)),
        ),
      )
    },
  }
}
