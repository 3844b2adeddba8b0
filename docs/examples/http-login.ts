/**
 * A login behind an HTTP API: `POST /login` tries an account and its password at a Messenger server, and says in JSON
 * how that went. Who is to blame for a login that fails, decides on the status.
 *
 *     MSNP_SERVER=127.0.0.1:1863 PORT=8080 node http-login.ts
 *     curl -d '{"account":"alice@example.com","password":"wonderland"}' -H 'content-type: application/json' \
 *       http://127.0.0.1:8080/login
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as LoginClient from "effect-msnp/net/LoginClient"
import type * as LoginError from "effect-msnp/net/LoginError"
import * as Account from "effect-msnp/protocol/Account"
import * as Address from "effect-msnp/protocol/Address"

const Body = Schema.Struct({
  account: Account.Account,
  password: Schema.RedactedFromValue(Schema.String),
})

/** What HTTP says of a login that failed. */
const statusOf = (error: LoginError.LoginError): number => {
  switch (error._tag) {
    case "Denied":
      return 401
    case "ServerMisbehaved":
    case "Misdirected":
    case "NoCommonDialect":
      return 502
    case "Unavailable":
    case "Unreachable":
    case "Disconnected":
    case "LoggedOut":
      return 503
    case "TimedOut":
      return 504
  }
}

const answer = (status: number, body: object) => HttpServerResponse.jsonUnsafe(body, { status })

const login = (server: Address.Address) =>
  HttpServerRequest.schemaBodyJson(Body).pipe(
    // The session ends with its scope: whoever only tries a password is logged off at once.
    Effect.flatMap(({ account, password }) => Effect.scoped(LoginClient.login({ server, account, password }))),
    Effect.map(({ account, dialect, friendlyName }) => answer(200, { account, friendlyName, dialect })),
    Effect.catchTag(["SchemaError", "HttpServerError"], () =>
      Effect.succeed(answer(400, { error: "BadRequest", message: "Name an account, an address, and its password." })),
    ),
    Effect.catch((error) => Effect.succeed(answer(statusOf(error), { error: error._tag, message: error.message }))),
  )

const Routes = Config.schema(Address.FromWire, "MSNP_SERVER").pipe(
  Effect.map((server) => HttpRouter.add("POST", "/login", login(server))),
  Layer.unwrap,
)

const Api = HttpRouter.serve(Routes).pipe(
  Layer.provide(NodeHttpServer.layerConfig(Http.createServer, { port: Config.Int("PORT") })),
)

NodeRuntime.runMain(Layer.launch(Api))
