/**
 * Servers that play a part on free ports of this machine, and a relay that stands before a server and counts.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type * as Address from "../../src/protocol/Address.ts"
import * as Peer from "./Peer.ts"

/** What a server does with a connection. */
export type Play = (peer: Peer.TcpPeer) => Effect.Effect<void>

/** Says each of these behind a line of the client's. */
export const respond = (peer: Peer.Peer, answers: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.forEach(answers, (answer) => Effect.andThen(peer.line, peer.say(answer)), { discard: true })

/** Answers each line with the next of these, and then listens only. */
export const answering =
  (...answers: ReadonlyArray<string>): Play =>
  (peer) =>
    Effect.andThen(respond(peer, answers), Effect.asVoid(peer.rest))

/** The same, and closes behind the last. */
export const closing =
  (...answers: ReadonlyArray<string>): Play =>
  (peer) =>
    respond(peer, answers).pipe(Effect.andThen(peer.finish), Effect.andThen(Effect.asVoid(peer.rest)))

/** A server that plays, and everything that it has heard, connection by connection. */
export interface Played {
  readonly address: Address.Address
  readonly heard: ReadonlyArray<string>
}

/** Listens, by default on a free port, until the scope closes, which cuts off what is connected still. */
const listen = (
  take: (conn: Net.Socket) => void,
  at: Address.Address = { host: "127.0.0.1", port: 0 },
): Effect.Effect<Address.Address, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<Net.Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Net.createServer({ allowHalfOpen: true, noDelay: true }, (conn) => {
          open.add(conn)
          conn.on("error", () => {})
          conn.on("close", () => open.delete(conn))
          take(conn)
        }),
      ),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          for (const conn of open) conn.destroy()
        }),
    )
    return yield* Effect.callback<Address.Address>((resume) => {
      server.listen(at.port, at.host, () => {
        const bound = server.address()
        const port = typeof bound === "object" && bound !== null ? bound.port : 0
        resume(Effect.succeed({ host: at.host, port }))
      })
    })
  })

/** Plays a part on each connection that comes; the last part on all that come after it. */
export const serve = (first: Play, ...others: ReadonlyArray<Play>): Effect.Effect<Played, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const heard: Array<string> = []
    const plays = [first, ...others]
    const address = yield* listen((conn) => {
      const index = heard.push("") - 1
      conn.on("data", (bytes) => (heard[index] += bytes.toString("latin1")))
      const play = plays[index] ?? plays.at(-1) ?? first
      Effect.runFork(Effect.forkIn(Effect.scoped(Effect.flatMap(Peer.overTcp(conn), play)), scope))
    })
    return { address, heard }
  })

/** Counts who connects to an address, and says nothing to them. */
export const counting = (at: Address.Address): Effect.Effect<() => number, never, Scope.Scope> =>
  Effect.suspend(() => {
    let came = 0
    return Effect.as(
      listen(() => void came++, at),
      () => came,
    )
  })

/** What went by on one connection. */
interface Traffic {
  /** What the client said between two answers of the server: each is the first half of a round trip. */
  readonly trips: ReadonlyArray<string>
  /** Everything that the client said, and the server. */
  readonly client: string
  readonly server: string
}

/** Counts what goes by: each change of direction from client to server begins a round trip. */
const tally = () => {
  const trips: Array<string> = []
  const said = { client: "", server: "" }
  let last: "client" | "server" = "server"
  return {
    hear: (by: "client" | "server", bytes: string) => {
      if (by === "client") trips.push(last === "client" ? `${trips.pop() ?? ""}${bytes}` : bytes)
      said[by] += bytes
      last = by
    },
    traffic: (): Traffic => ({ trips, ...said }),
  }
}

/** A relay: where it is to be reached, and what has gone by, connection by connection. */
export interface Relay {
  readonly address: Address.Address
  readonly connections: () => ReadonlyArray<Traffic>
}

/** Stands before a server until the scope closes. */
export const relay = (to: Address.Address): Effect.Effect<Relay, never, Scope.Scope> =>
  Effect.suspend(() => {
    const tallies: Array<ReturnType<typeof tally>> = []
    const listening = listen((conn) => {
      const counted = tally()
      tallies.push(counted)
      const onward = Net.connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true })
      conn.on("close", () => onward.destroy())
      onward.on("error", () => conn.destroy())
      conn.on("data", (bytes) => counted.hear("client", bytes.toString("latin1")))
      onward.on("data", (bytes) => counted.hear("server", bytes.toString("latin1")))
      conn.pipe(onward).pipe(conn)
    })
    return Effect.map(listening, (address) => ({
      address,
      connections: () => tallies.map(({ traffic }) => traffic()),
    }))
  })
