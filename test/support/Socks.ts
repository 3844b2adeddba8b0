/**
 * SOCKS proxies on free ports of this machine.
 *
 * Version 5 is served by the package `@pondwader/socks5-server`. No package that serves version 4 and 4a is fit for use,
 * so they are served here, by their specifications: SOCKS 4 by Ying-Da Lee, and his extension 4A for names.
 */
import * as Socks5 from "@pondwader/socks5-server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type * as Address from "../../src/protocol/Address.ts"

/** What a proxy is asked for: where to go, and by whom; nobody is the empty user. */
interface Request extends Address.Address {
  readonly user: string
}

/** Whom a proxy lets through, and the names that it knows and nobody else. */
export interface Options {
  readonly user?: string
  readonly password?: string
  readonly hosts?: { readonly [name: string]: string }
}

/** A proxy: where it is, and what it has been asked for. */
export interface Served {
  readonly address: Address.Address
  readonly requests: ReadonlyArray<Request>
}

/** Listens until the scope closes, which cuts off what is connected still. */
const listen = (take: (conn: Net.Socket) => void): Effect.Effect<Address.Address, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<Net.Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Net.createServer({ noDelay: true }, (conn) => {
          open.add(conn)
          conn.on("error", () => {})
          conn.on("close", () => open.delete(conn))
          take(conn)
        }),
      ),
      (server) =>
        Effect.callback<void>((resume) => {
          for (const conn of open) conn.destroy()
          server.close(() => resume(Effect.void))
        }),
    )
    return yield* Effect.callback<Address.Address>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const bound = server.address()
        const port = typeof bound === "object" && bound !== null ? bound.port : 0
        resume(Effect.succeed({ host: "127.0.0.1", port }))
      })
    })
  })

/** Serves version 5: a user has to say who it is, where the options name one. */
export const serve5 = ({ hosts = {}, password, user }: Options = {}): Effect.Effect<Served, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests: Array<Request> = []
    const server = new Socks5.Socks5Server()
    if (user !== undefined) server.setAuthHandler((asking) => asking.username === user && asking.password === password)
    server.setConnectionHandler((connection, sendStatus) => {
      requests.push({ host: connection.destAddress, port: connection.destPort, user: connection.username ?? "" })
      connection.destAddress = hosts[connection.destAddress] ?? connection.destAddress
      Socks5.defaultConnectionHandler(connection, sendStatus)
    })
    const address = yield* listen((conn) => void server._handleConnection(conn))
    return { address, requests }
  })

const granted = 0x5a
const failed = 0x5b
const userDiffers = 0x5d

/** Serves versions 4 and 4a: a user is believed by its name. */
export const serve4 = ({ hosts = {}, user = "" }: Options = {}): Effect.Effect<Served, never, Scope.Scope> =>
  Effect.gen(function* () {
    const requests: Array<Request> = []
    const address = yield* listen((conn) => {
      let heard = Buffer.alloc(0)
      const answer = (code: number) => conn.write(Buffer.from([0, code, 0, 0, 0, 0, 0, 0]))
      const hear = (bytes: Buffer) => {
        heard = Buffer.concat([heard, bytes])
        const read = readRequest4(heard)
        if (read === undefined) return
        conn.off("data", hear).pause()
        conn.unshift(heard.subarray(read.length))
        requests.push(read.request)
        if (read.request.user !== user) {
          answer(userDiffers)
          conn.end()
          return
        }
        const { host, port } = read.request
        const onward = Net.connect({ host: hosts[host] ?? host, port, noDelay: true })
        conn.on("close", () => onward.destroy())
        let isThrough = false
        onward.on("error", () => {
          if (!isThrough) answer(failed)
          conn.end()
        })
        onward.on("connect", () => {
          isThrough = true
          answer(granted)
          conn.pipe(onward)
          onward.pipe(conn)
        })
      }
      conn.on("data", hear)
    })
    return { address, requests }
  })

/** Reads a request of version 4 or 4a to connect, once it is whole. */
const readRequest4 = (bytes: Buffer): { readonly request: Request; readonly length: number } | undefined => {
  if (bytes.length < 9) return undefined
  const userEnd = bytes.indexOf(0, 8)
  if (userEnd === -1) return undefined
  const user = bytes.toString("utf8", 8, userEnd)
  const port = bytes.readUInt16BE(2)
  const numbers = bytes.subarray(4, 8)
  // Of an address 0.0.0.x, a name stands behind the user.
  if (numbers.readUInt32BE() > 255) return { request: { host: numbers.join("."), port, user }, length: userEnd + 1 }
  const nameEnd = bytes.indexOf(0, userEnd + 1)
  if (nameEnd === -1) return undefined
  return { request: { host: bytes.toString("utf8", userEnd + 1, nameEnd), port, user }, length: nameEnd + 1 }
}
