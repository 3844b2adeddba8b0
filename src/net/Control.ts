/**
 * How an operator's process talks to a server that runs on the same machine: over a Unix socket, as remote procedures.
 *
 * The socket is a file that only the server's own user may open. It is made in a folder of its own and moved to its
 * place once it is closed to others; that replaces what a killed server left there.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as RpcClientError from "effect/rpc/RpcClientError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as SocketServer from "effect/socket/SocketServer"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Presence from "../host/Presence.ts"
import type * as Account from "../protocol/Account.ts"
import * as Tcp from "./internal/tcp.ts"

/** A control socket cannot be served, or no server answers at it. */
export class ControlError extends Schema.TaggedError<ControlError>("effect-msnp/net/ControlError")("ControlError", {
  attempt: Schema.Literals(["Serve", "Connect"]),
  path: Schema.String,
  why: Schema.String,
}) {
  override get message() {
    return this.attempt === "Serve"
      ? `Operators cannot be answered at ${this.path}: ${this.why}.`
      : `No server can be reached at ${this.path}: ${this.why}.`
  }
}

/** What is said over the socket, once there is somebody at the other end. */
const operators = Effect.promise(() => import("./internal/operators.ts"))

/** The longest path of a Unix socket, in bytes: macOS has room for 104, the last of them a zero; Linux has four more. */
const maxPathBytes = 103

const reasons: { readonly [code: string]: string } = {
  EACCES: "this user may not use it",
  ECONNREFUSED: "no server answers there",
  ENOENT: "no server has made it",
  ENOTDIR: "a part of its path is a file, not a folder",
}

const whyNot = Tcp.whyNot(reasons)

/** The error of an attempt at a path, by what the system says against it. */
const refused =
  (attempt: ControlError["attempt"], path: string) =>
  (cause: unknown): ControlError =>
    new ControlError({ attempt, path, why: cause instanceof Error ? whyNot(cause) : String(cause) })

/** Fails where nobody answers at a path. */
const call = (path: string): Effect.Effect<void, ControlError> =>
  Effect.callback<void, ControlError>((resume) => {
    const socket = Net.connect({ path }, () => resume(Effect.sync(() => void socket.destroy())))
    socket.once("error", (error) => resume(Effect.fail(refused("Connect", path)(error))))
    return Effect.sync(() => void socket.destroy())
  })

/** Listens at a path, which is taken over whole from whoever was killed there; it is removed with the scope. */
const listen = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<SocketServer.SocketServer["Service"], ControlError, Scope.Scope> {
  const refuse = (why: string) => new ControlError({ attempt: "Serve", path, why })
  const attempt = <A>(act: () => Promise<A>) => Effect.tryPromise({ try: act, catch: refused("Serve", path) })

  const folder = Path.dirname(path)
  const room = Path.join(folder, ".m")
  if ([path, Path.join(`${room}XXXXXX`, "s")].some((path) => Buffer.byteLength(path) > maxPathBytes)) {
    return yield* refuse(`its path is longer than ${maxPathBytes} bytes`)
  }
  const there = yield* Effect.option(attempt(() => Fs.lstat(path)))
  if (Option.isSome(there)) {
    if (!there.value.isSocket()) return yield* refuse("it is a file of another kind")
    if (Result.isSuccess(yield* Effect.result(call(path)))) return yield* refuse("another server answers there")
  }
  yield* attempt(() => Fs.mkdir(folder, { recursive: true, mode: 0o700 }))
  return yield* Effect.acquireUseRelease(
    attempt(() => Fs.mkdtemp(room)),
    Effect.fnUntraced(function* (room) {
      const made = Path.join(room, "s")
      const server = yield* Effect.mapError(NodeSocketServer.make({ path: made }), ({ reason }) =>
        refused("Serve", path)(reason.cause),
      )
      yield* attempt(() => Fs.chmod(made, 0o600))
      yield* Effect.acquireRelease(
        attempt(() => Fs.rename(made, path)),
        () => Effect.promise(() => Fs.rm(path, { force: true })),
      )
      return server
    }),
    (room) => Effect.promise(() => Fs.rm(room, { recursive: true, force: true })),
  )
})

/**
 * Lets operators of this machine see and dismiss the sessions of a server, at the path of a Unix socket, until the scope
 * closes. What a killed server left there is replaced; a server that answers there is not.
 */
export const serve = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<void, ControlError, Scope.Scope | Presence.Presence> {
  const server = yield* listen(path)
  const presence = yield* Presence.Presence
  yield* Effect.forkScoped(
    server.run((socket) => Effect.flatMap(operators, ({ answer }) => answer(socket, server.address, presence))),
  )
})

/** A server, as an operator meets it. */
export interface Control {
  /** Who is signed in, in the order in which they signed in. */
  readonly list: Stream.Stream<Presence.SignedIn, ControlError | Presence.PresenceError>
  /** Closes the session of an account; whether there was one. */
  readonly dismiss: (account: Account.Account) => Effect.Effect<boolean, ControlError | Presence.PresenceError>
}

/** Talks to the server whose control socket is at a path, until the scope closes. */
export const connect = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<Control, ControlError, Scope.Scope> {
  yield* call(path)
  const { ask } = yield* operators
  const client = yield* ask(yield* NodeSocket.makeNet({ path }))
  return {
    list: Stream.mapError(client.list(), orGone(path)),
    dismiss: (account) => Effect.mapError(client.dismiss({ account }), orGone(path)),
  }
})

/** A server that answered goes on answering, unless it is gone. */
const orGone =
  (path: string) =>
  (error: RpcClientError.RpcClientError | Presence.PresenceError): ControlError | Presence.PresenceError =>
    error._tag === "RpcClientError" ? new ControlError({ attempt: "Connect", path, why: "the server is gone" }) : error
