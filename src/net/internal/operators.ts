/**
 * What operators' processes and a server say to each other over a control socket, as remote procedures.
 *
 * It is apart from the socket, and imported once somebody is there: it comes with all of HTTP, and a server that listens
 * for operators without it starts 60 ms sooner, of 380.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"
import * as Socket from "effect/socket/Socket"
import * as SocketServer from "effect/socket/SocketServer"
import * as Stream from "effect/Stream"
import * as Presence from "../../host/Presence.ts"
import * as Account from "../../protocol/Account.ts"

/** What an operator can ask of a server. */
const Requests = RpcGroup.make(
  Rpc.make("list", { success: Presence.SignedIn, error: Presence.PresenceError, stream: true }),
  Rpc.make("dismiss", {
    payload: { account: Account.Account },
    success: Schema.Boolean,
    error: Presence.PresenceError,
  }),
)

/** Answers an operator who has connected, until the connection is closed. */
export const answer = Effect.fnUntraced(function* (
  socket: Socket.Socket,
  address: SocketServer.SocketServer["Service"]["address"],
  presence: Presence.Presence["Service"],
) {
  const over = yield* Deferred.make<void>()
  const server: SocketServer.SocketServer["Service"] = {
    address,
    run: (handler) =>
      handler(socket).pipe(
        Effect.exit,
        Effect.andThen(Deferred.succeed(over, undefined)),
        Effect.andThen(Effect.never),
      ),
  }
  const answers = Requests.toLayer({
    list: () => Stream.unwrap(Effect.map(presence.list, Stream.fromIterable)),
    dismiss: ({ account }) => presence.dismiss(account),
  })
  yield* RpcServer.layer(Requests, { disableTracing: true }).pipe(
    Layer.provide([
      answers,
      RpcServer.layerProtocolSocketServer.pipe(
        Layer.provide([Layer.succeed(SocketServer.SocketServer, server), RpcSerialization.layerNdjson]),
      ),
    ]),
    Layer.build,
  )
  yield* Deferred.await(over)
}, Effect.scoped)

/** What can be asked over a connection to a server, until the scope closes. */
export const ask = Effect.fnUntraced(function* (socket: Socket.Socket) {
  const protocol = yield* RpcClient.layerProtocolSocket().pipe(
    Layer.provide([Layer.succeed(Socket.Socket, socket), RpcSerialization.layerNdjson]),
    Layer.build,
  )
  return yield* Effect.provideContext(RpcClient.make(Requests, { disableTracing: true }), protocol)
})
