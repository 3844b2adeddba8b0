/**
 * What this process holds open, and waiting until it is as it should be.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as DiagnosticsChannel from "node:diagnostics_channel"
import * as Net from "node:net"

/** How many of this kind of resource keep the process alive. */
export const count = (kind: "TCPSocketWrap" | "TCPServerWrap" | "Timeout"): number =>
  process.getActiveResourcesInfo().filter((name) => name === kind).length

/** How many connections are open, ours and the servers' together. */
export const connections = (): number => count("TCPSocketWrap")

/** Waits until something holds; the test's own time limit is the end of its patience. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (holds() ? Effect.void : Effect.andThen(Effect.sleep("2 millis"), until(holds))))

/** Where Node tells of each connection that a server of this process accepts. */
const accepting = "net.server.socket"

/** The servers' ends of the connections that are accepted from now on, found by the client's port. */
export const accepted: Effect.Effect<(port: number | undefined) => Net.Socket, never, Scope.Scope> = Effect.gen(
  function* () {
    const ends: Array<Net.Socket> = []
    const keep = (message: unknown) => {
      if (typeof message !== "object" || message === null || !("socket" in message)) return
      if (message.socket instanceof Net.Socket) ends.push(message.socket)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => DiagnosticsChannel.subscribe(accepting, keep)),
      () => Effect.sync(() => DiagnosticsChannel.unsubscribe(accepting, keep)),
    )
    return (port) => {
      const end = ends.find((conn) => conn.remotePort === port)
      if (end === undefined) throw new Error(`No connection from port ${port} has been accepted`)
      return end
    }
  },
)
