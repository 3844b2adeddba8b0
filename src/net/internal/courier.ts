/**
 * A Socket for bytes that travel in turns, as requests and answers do, and not as they come.
 *
 * What its owner writes waits until the courier collects it, and what the courier delivers waits until the owner has read
 * it: each makes the other wait, so that neither fills the memory.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Channel from "./channel.ts"

/** How much is written before the writer waits, in bytes: as much as Node keeps for a connection. */
const highWater = 65_536

/** The one who carries the bytes. */
export interface Courier {
  /** For the owner: whoever releases its reader says and hears no more, but what has been written can be collected. */
  readonly socket: Socket.Socket
  /** Whether the owner may say more. */
  readonly isSpeaking: () => boolean
  /** Whether something waits to be collected. */
  readonly isLaden: () => boolean
  /** Waits until something is there to be collected, or the owner says no more. */
  readonly ready: Effect.Effect<void>
  /** Has {@link ready} wait for something new: what has been written before is no answer to what is delivered next. */
  readonly expect: () => void
  /** Takes what has been written: all of it, or so many bytes. */
  readonly collect: (limit?: number) => Uint8Array
  /** Hands some bytes over; waits while the owner has not read those before. */
  readonly deliver: (bytes: Uint8Array) => Effect.Effect<void>
  /** The owner says no more. */
  readonly silence: () => void
  /** The other end says no more, and the owner's next read fails with this, behind what has been delivered. */
  readonly end: (error: Socket.SocketError) => void
}

/** A courier; `onSilence` is run once when its owner says no more. */
export const make = (onSilence: () => void): Effect.Effect<Courier> =>
  Effect.map(Queue.bounded<Uint8Array, Socket.SocketError>(1), (inbox) => {
    const ready = Latch.makeUnsafe()
    const room = Latch.makeUnsafe(true)
    let written = Buffer.alloc(0)
    let speaking = true

    const silence = () => {
      if (!speaking) return
      speaking = false
      ready.openUnsafe()
      room.openUnsafe()
      onSilence()
    }
    const end = (error: Socket.SocketError) => {
      // In this order: whoever reads goes on at once, and finds that nothing more can be said.
      silence()
      Queue.failCauseUnsafe(inbox, Cause.fail(error))
    }
    const write = (chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> =>
      Effect.suspend(() => {
        if (!speaking) return Effect.fail(Channel.lost)
        if (Socket.isCloseEvent(chunk)) return Effect.sync(silence)
        if (chunk.length === 0) return Effect.void
        written = Buffer.concat([written, typeof chunk === "string" ? Buffer.from(chunk) : chunk])
        ready.openUnsafe()
        if (written.length < highWater) return Effect.void
        room.closeUnsafe()
        return Effect.andThen(
          room.await,
          Effect.suspend(() => (speaking ? Effect.void : Effect.fail(Channel.lost))),
        )
      })
    const release = Effect.sync(() => {
      end(Channel.lost)
      Queue.shutdownUnsafe(inbox)
    })

    return {
      socket: Socket.make({
        reader: Effect.flatMap(Effect.scope, (scope) =>
          Effect.as(Scope.addFinalizer(scope, release), {
            pull: Queue.takeAll(inbox),
            upgrade: Socket.SocketUpgradeError.unsupported,
          }),
        ),
        writer: Effect.succeed({ write, writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }) }),
      }),
      isSpeaking: () => speaking,
      isLaden: () => written.length > 0,
      ready: ready.await,
      expect: () => {
        if (speaking) ready.closeUnsafe()
      },
      collect: (limit = written.length) => {
        const collected = written.subarray(0, limit)
        written = written.subarray(limit)
        if (written.length < highWater) room.openUnsafe()
        if (written.length === 0 && speaking) ready.closeUnsafe()
        return collected
      },
      deliver: (bytes) => (bytes.length === 0 ? Effect.void : Effect.asVoid(Queue.offer(inbox, bytes))),
      silence,
      end,
    }
  })
