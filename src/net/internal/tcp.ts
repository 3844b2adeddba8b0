/**
 * A thin `effect/socket` Socket over one connection of `node:net`, and the acceptor and connector that make them.
 *
 * Effect's own NodeSocket costs three times a bare `node:net` login: a third of that are stack traces that it takes for
 * each clean close, so the errors here are made once. What is said last must arrive: releasing the connection
 * half-closes it and goes on reading until the peer has closed too. Closing over unread bytes makes the system reset the
 * connection, and the peer then loses what it has not read yet: 6 of 200 last words arrived that way, 200 of 200 this way.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Dns from "node:dns"
import * as Net from "node:net"
import * as Tls from "node:tls"
import type * as Address from "../../protocol/Address.ts"

/** How long a closed connection waits for its peer to close too, in milliseconds. */
const lingerMillis = 2000

/** How many connections the system keeps waiting: with 511, Node's default, 3,000 at once waited for up to 2.9 s. */
export const backlog = 4096

/** After which silence the system asks whether the peer is still there, in milliseconds. */
const keepAliveMillis = 60_000

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMillis, allowHalfOpen: true }

const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
const lost = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1006 }) })

type Pulled = Effect.Effect<readonly [Uint8Array, ...Array<Uint8Array>], Socket.SocketError>

/** Whether a connection that is being closed keeps the process alive: a server's does, so that last words arrive. */
type Lingering = "KeepsProcess" | "LetsProcessEnd"

/** The Socket over an open connection. */
const fromNetSocket = (conn: Net.Socket, lingering: Lingering): Socket.Socket => {
  let chunks: [Uint8Array, ...Array<Uint8Array>] | undefined
  let waiter: ((result: Pulled) => void) | undefined
  let end: Effect.Effect<never, Socket.SocketError> | undefined
  let released = false

  const finish = (error: Socket.SocketError) => {
    end ??= Effect.fail(error)
    const resume = waiter
    waiter = undefined
    resume?.(end)
  }
  conn.on("data", (bytes) => {
    if (released) return
    const resume = waiter
    if (resume !== undefined) {
      waiter = undefined
      resume(Effect.succeed([bytes]))
    } else {
      if (chunks === undefined) chunks = [bytes]
      else chunks.push(bytes)
      conn.pause()
    }
  })
  conn.on("end", () => finish(closed))
  conn.on("error", () => finish(lost))
  conn.on("close", () => finish(lost))
  conn.pause()
  // As many as send at once wait for the same event: that is no leak.
  conn.setMaxListeners(0)

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
    conn.resume()
    return Effect.sync(() => {
      waiter = undefined
      conn.pause()
    })
  })

  const linger = () => {
    released = true
    chunks = undefined
    finish(lost)
    if (conn.destroyed) return
    const timer = setTimeout(() => conn.destroy(), lingerMillis)
    conn.on("close", () => clearTimeout(timer))
    const flushed = () => {
      if (lingering === "KeepsProcess") return
      timer.unref()
      conn.unref()
    }
    if (conn.writableFinished) flushed()
    else conn.once("finish", flushed)
    if (!conn.writableEnded) conn.end()
    conn.resume()
  }

  const write = (chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> =>
    Effect.callback((resume) => {
      if (conn.destroyed || conn.writableEnded) {
        resume(Effect.fail(lost))
        return
      }
      if (Socket.isCloseEvent(chunk)) {
        conn.end()
        resume(Effect.void)
        return
      }
      if (conn.write(chunk)) {
        resume(Effect.void)
        return
      }
      const off = () => {
        conn.off("drain", drained)
        conn.off("close", gone)
      }
      const drained = () => {
        off()
        resume(Effect.void)
      }
      const gone = () => {
        off()
        resume(Effect.fail(lost))
      }
      conn.on("drain", drained)
      conn.on("close", gone)
      return Effect.sync(off)
    })

  return Socket.make({
    reader: Effect.flatMap(Effect.scope, (scope) =>
      Effect.as(Scope.addFinalizer(scope, Effect.sync(linger)), {
        pull,
        upgrade: Socket.SocketUpgradeError.unsupported,
      }),
    ),
    writer: Effect.succeed({
      write,
      writeAll: (chunks) => Effect.forEach(chunks, write, { discard: true }),
    }),
  })
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
        take({
          socket: fromNetSocket(
            Option.match(securing, { onNone: () => conn, onSome: (securing) => secure(conn, securing) }),
            "KeepsProcess",
          ),
          remote: endpoint(conn.remoteAddress, conn.remotePort),
          local: endpoint(conn.localAddress, conn.localPort),
          refuse: () => conn.destroy(),
          onClosed: (run) => (conn.closed ? run() : conn.once("close", run)),
        })
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
  Effect.flatMap(
    Effect.acquireRelease(
      // What is written to: the connection, or what secures it.
      Effect.sync(() => ({ top: Net.connect({ host: to.host, port: to.port, ...socketOptions, lookup }) })),
      ({ top }) => Effect.sync(() => (top.writableEnded ? undefined : top.destroy())),
    ),
    (held) =>
      Effect.callback<Socket.Socket, NodeJS.ErrnoException>((resume) => {
        const conn = held.top
        const failed = (error: NodeJS.ErrnoException) => {
          held.top.destroy()
          resume(Effect.fail(error))
        }
        const hold = () => fromNetSocket(held.top, "LetsProcessEnd")
        const take = () => {
          if (tls !== undefined) {
            // Nobody says anything before we begin.
            return () => {
              held.top = handshake(conn, tls, () => resume(Effect.succeed(hold())), failed)
            }
          }
          const socket = hold()
          return () => resume(Effect.succeed(socket))
        }
        conn.on("error", failed)
        conn.once("connect", () => settle(conn, take, failed))
        return Effect.sync(() => held.top.destroy())
      }),
  )

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
