/**
 * One connection of `node:net` as a channel, and the acceptor and connector that make them.
 *
 * Effect's own NodeSocket costs three times a bare `node:net` login: a third of that are stack traces that it takes for
 * each clean close, so there are none here. What is said last must arrive: releasing the connection half-closes it and goes
 * on reading until the peer has closed too. Closing over unread bytes makes the system reset the connection, and the peer
 * then loses what it has not read yet: 6 of 200 last words arrived that way, 200 of 200 this way.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import * as Dns from "node:dns"
import * as Net from "node:net"
import * as Tls from "node:tls"
import type * as Address from "../../protocol/Address.ts"
import * as Channel from "./channel.ts"

/** How many connections the system keeps waiting: with 511, Node's default, 3,000 at once waited for up to 2.9 s. */
export const backlog = 4096

/** After which silence the system asks whether the peer is still there, in milliseconds. */
const keepAliveMillis = 60_000

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMillis, allowHalfOpen: true }

/** Whether a connection that is being closed keeps the process alive: a server's does, so that last words arrive. */
type Lingering = "KeepsProcess" | "LetsProcessEnd"

/** The channel over an open connection; what comes before somebody opens it waits. */
const channelOver = (conn: Net.Socket, lingering: Lingering): Channel.Channel => {
  let receiver: Channel.Receiver | undefined
  let early = ""
  let hearing: "Open" | "Ended" | "Lost" = "Open"
  let isPaused = conn.isPaused()
  let waits = false

  const lost = () => {
    if (hearing === "Lost") return
    hearing = "Lost"
    receiver?.lost()
  }
  conn.on("data", (bytes) => {
    const text = bytes.toString("latin1")
    if (receiver === undefined) early += text
    else receiver.hear(text)
  })
  conn.on("end", () => {
    if (hearing !== "Open") return
    hearing = "Ended"
    receiver?.ended()
  })
  conn.on("error", lost)
  conn.on("close", lost)

  const pause = () => {
    if (isPaused) return
    isPaused = true
    conn.pause()
  }
  const resume = () => {
    if (!isPaused) return
    isPaused = false
    conn.resume()
  }
  /** Half-closes, and reads on until the peer has closed, too, or has had the time for it. */
  const linger = () => {
    const flushed = () => {
      if (lingering === "KeepsProcess") return
      timer.unref()
      conn.unref()
    }
    const timer = setTimeout(() => conn.destroy(), Channel.lingerMillis)
    conn.on("close", () => clearTimeout(timer))
    if (conn.writableFinished) flushed()
    else conn.once("finish", flushed)
    if (!conn.writableEnded) conn.end()
    resume()
  }

  return {
    open: (to) => {
      receiver = to
      if (early !== "") to.hear(early)
      early = ""
      if (hearing === "Ended") to.ended()
      if (hearing === "Lost") to.lost()
      resume()
    },
    pause,
    resume,
    write: (bytes) => {
      if (conn.destroyed || conn.writableEnded) return "Lost"
      if (conn.write(bytes, "latin1")) return "Taken"
      if (!waits) {
        waits = true
        conn.once("drain", () => {
          waits = false
          receiver?.drained()
        })
      }
      return "Waits"
    },
    end: () => conn.end(),
    release: () => {
      receiver = Channel.nobody
      if (conn.destroyed) return
      // Both are done, and nothing is left to be taken: the system closes it by itself.
      if (conn.readableEnded && conn.writableLength === 0) conn.end()
      else linger()
    },
  }
}

/** One end of a connection. */
export const endpoint = (host: string | undefined, port: number | undefined): Address.Address => ({
  // A server bound to both families sees IPv4 peers as ::ffff:1.2.3.4.
  host: (host ?? "0.0.0.0").replace(/^::ffff:(?=\d+\.)/, ""),
  port: port ?? 0,
})

/** Where a server listens that was told to listen there: the port is the one that the system gave where 0 was asked. */
export const boundTo = (server: Net.Server, at: Address.Address): Address.Address => {
  const bound = server.address()
  return typeof bound === "object" && bound !== null ? endpoint(bound.address, bound.port) : at
}

/** A connection that a listener accepted: the Socket, the peer's end and ours. */
export interface Accepted {
  readonly socket: Socket.Socket
  readonly remote: Address.Address
  readonly local: Address.Address
  /** Closes it at once, without a word and whatever the peer does; for a connection that nobody reads from. */
  readonly refuse: () => void
  /** Has this run once nothing is left of it. */
  readonly onClosed: (run: () => void) => void
}

/** A connection of ours, which is a Socket only for whoever asks for that. */
class AcceptedConnection implements Accepted {
  readonly #channel: Channel.Channel
  readonly remote: Address.Address
  readonly local: Address.Address
  readonly refuse: () => void
  readonly onClosed: Accepted["onClosed"]

  constructor(conn: Net.Socket, channel: Channel.Channel) {
    this.#channel = channel
    this.remote = endpoint(conn.remoteAddress, conn.remotePort)
    this.local = endpoint(conn.localAddress, conn.localPort)
    this.refuse = () => conn.destroy()
    this.onClosed = (run) => (conn.closed ? run() : conn.once("close", run))
  }

  get socket(): Socket.Socket {
    return Channel.toSocket(this.#channel)
  }

  static channelOf(this: void, accepted: Accepted, run: Channel.Run): Channel.Channel {
    return #channel in accepted ? accepted.#channel : Channel.of(accepted.socket, run)
  }
}

/** The channel of a connection that was accepted, which is the channel's from now on. */
export const channelOf: (accepted: Accepted, run: Channel.Run) => Channel.Channel = AcceptedConnection.channelOf

/** A listening socket. */
export interface Listener {
  /** Where it listens: the port is the one that the system gave where 0 was asked. */
  readonly address: Address.Address
  /** Hands over each connection, those that came before the call first. */
  readonly accept: (take: (accepted: Accepted) => void) => void
}

/** What is shown to a peer that secures its connection now. */
export type Securing = () => Tls.SecureContext

/**
 * The same connection over TLS, from a server's side: it is there at once, like the peer; words wait for the handshake. So a
 * peer that never gets done with it is one that says nothing, and one that says something else is gone.
 */
export const secure = (conn: Net.Socket, securing: Securing): Net.Socket => {
  const secured = new Tls.TLSSocket(conn, { isServer: true, secureContext: securing() })
  const gone = () => secured.destroy()
  conn.on("error", gone)
  // Words for a peer that leaves in the midst of the handshake would wait for the end of it.
  secured.once("end", gone)
  secured.once("secure", () => secured.off("end", gone))
  return secured
}

/** Listens until the scope closes; then no connection is accepted, and those that are being closed are waited for. */
export const listen = Effect.fnUntraced(function* (
  at: Address.Address,
  securing: Option.Option<Securing> = Option.none(),
): Effect.fn.Return<Listener, NodeJS.ErrnoException, Scope.Scope> {
  /** Connections that came before anybody took them. */
  const early = new Set<Net.Socket>()
  const keep = (conn: Net.Socket) => {
    early.add(conn)
    conn.on("error", () => early.delete(conn))
  }
  const server = Net.createServer(socketOptions, keep)

  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      for (const conn of early) conn.destroy()
      server.close(() => resume(Effect.void))
    }),
  )
  yield* Effect.callback<void, NodeJS.ErrnoException>((resume) => {
    server.on("error", (error) => resume(Effect.fail(error)))
    server.listen({ host: at.host, port: at.port, backlog }, () => resume(Effect.void))
  })

  return {
    address: boundTo(server, at),
    accept: (take) => {
      const accepted = (conn: Net.Socket) =>
        take(
          new AcceptedConnection(
            conn,
            channelOver(Option.isSome(securing) ? secure(conn, securing.value) : conn, "KeepsProcess"),
          ),
        )
      if (server.listenerCount("connection", keep) === 0) throw new Error("This listener is served already.")
      server.off("connection", keep).on("connection", accepted)
      early.forEach(accepted)
      early.clear()
    },
  }
})

/**
 * What is settled with the other end before anybody uses the connection. Once that is done, `take` takes what comes in from
 * then on for whoever is to use it, and gives back what hands the connection over.
 */
export type Settle = (conn: Net.Socket, take: () => () => void, failed: (error: NodeJS.ErrnoException) => void) => void

const nothing: Settle = (_, take) => take()()

/** How to connect. */
export interface Options {
  /** How a name becomes addresses. */
  readonly lookup?: Net.LookupFunction
  readonly settle?: Settle
  /** Over TLS, and how, once all is settled; in clear text where there is nothing. */
  readonly tls?: Tls.ConnectionOptions
}

/** How long a server may take for a handshake, in milliseconds: less than a client gives a connection, so that it is told. */
const handshakeMillis = 8000

/** A server closed the connection, or said nothing, where a handshake was to be. */
export const noHandshake = "ENOHANDSHAKE"

/** The same connection over TLS, from a client's side, once the server is known to be the one that is meant. */
const handshake = (
  conn: Net.Socket,
  tls: Tls.ConnectionOptions,
  done: () => void,
  failed: (error: NodeJS.ErrnoException) => void,
): Net.Socket => {
  const none = () => failed(Object.assign(new Error("There was no TLS handshake"), { code: noHandshake }))
  const timer = setTimeout(none, handshakeMillis)
  const secured = Tls.connect({ ...tls, socket: conn })
  secured.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? none() : failed(error)))
  secured.once("secureConnect", () => {
    clearTimeout(timer)
    done()
  })
  secured.once("close", () => clearTimeout(timer))
  return secured
}

/**
 * Connects, and settles with the other end what is to be settled first.
 *
 * The connection is dropped at once where that fails or is interrupted, and with the scope where nobody has read from it
 * yet. Of the addresses of a name, Node takes the first that answers: each has a quarter of a second, the last one more.
 */
export const connect = (
  to: Address.Address,
  { lookup = Dns.lookup, settle = nothing, tls }: Options = {},
): Effect.Effect<Socket.Socket, NodeJS.ErrnoException, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    /** Drops what there is by then, unless the channel is letting go of it. */
    let drop = () => {}
    // Before there is a connection, so that none is left behind, whenever it is interrupted.
    return Effect.andThen(
      Scope.addFinalizer(
        scope,
        Effect.sync(() => drop()),
      ),
      Effect.callback<Socket.Socket, NodeJS.ErrnoException>((resume) => {
        const conn = Net.connect({ host: to.host, port: to.port, ...socketOptions, lookup })
        // What is written to: the connection, or what secures it.
        let top = conn
        drop = () => (top.writableEnded ? undefined : top.destroy())
        const failed = (error: NodeJS.ErrnoException) => {
          top.destroy()
          resume(Effect.fail(error))
        }
        const hold = () => {
          top.pause()
          return Channel.toSocket(channelOver(top, "LetsProcessEnd"))
        }
        const take = () => {
          if (tls !== undefined) {
            // Nobody says anything before we begin.
            return () => {
              top = handshake(conn, tls, () => resume(Effect.succeed(hold())), failed)
            }
          }
          const socket = hold()
          return () => resume(Effect.succeed(socket))
        }
        conn.on("error", failed)
        conn.once("connect", () => settle(conn, take, failed))
        return Effect.sync(() => top.destroy())
      }),
    )
  })

/** Why a name leads nowhere, whether one connects or listens. */
const names: { readonly [code: string]: string } = {
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name cannot be resolved now",
}

/** Says in a few words why the system refused, by its error's code; its own message where the code is not among them. */
export const whyNot =
  (reasons: { readonly [code: string]: string }) =>
  ({ code = "", message }: NodeJS.ErrnoException): string =>
    reasons[code] ?? names[code] ?? message
