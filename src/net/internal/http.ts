/**
 * A server of HTTP that listens: what a gateway and the operators' server have in common.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type * as Address from "../../protocol/Address.ts"
import * as LoginServer from "../LoginServer.ts"
import * as Tcp from "./tcp.ts"

/** How requests are answered. */
export interface Options {
  /** Port 0 takes a free one. */
  readonly listen: Address.Address
  readonly answer: Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest>
  /** How long requests under way may take at the end. */
  readonly closingTimeout: Duration.Input
}

/** Answers requests until the scope closes; it returns where it listens. */
export const serve = Effect.fnUntraced(function* (
  http: Http.Server,
  { answer, closingTimeout, listen }: Options,
): Effect.fn.Return<Address.Address, LoginServer.ListenError, Scope.Scope> {
  // A connection that the system cannot hand over, for want of descriptors say, is not to end the process.
  http.on("error", () => {})
  const { serve } = yield* NodeHttpServer.make(() => http, {
    ...listen,
    backlog: Tcp.backlog,
    gracefulShutdownTimeout: closingTimeout,
  }).pipe(
    Effect.mapError(({ cause }) =>
      LoginServer.fromSystem(listen)(cause instanceof Error ? cause : new Error(String(cause))),
    ),
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => http.closeAllConnections()))
  yield* Effect.provideService(serve(answer), HttpMiddleware.TracerDisabledWhen, () => true)
  return Tcp.boundTo(http, listen)
})
