/**
 * Where a client is to go, and which way, as its surroundings say it: the environment, or whatever `ConfigProvider` is
 * in use. Other networks than one's own are told so, and nowhere else.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs/promises"
import * as Address from "../protocol/Address.ts"
import * as Connector from "./Connector.ts"
import * as Proxy from "./Proxy.ts"

/** The server of whoever names none: this machine. */
export const local: Address.Address = { host: "127.0.0.1", port: Address.defaultPort }

/** A server that can be connected to, `HOST` or `HOST:PORT`; port 1863 where none is named. */
export const parseServer = (text: string): Option.Option<Address.Address> =>
  Option.filter(Address.parse(text), ({ port }) => port > 0)

const refused = (message: string) => new Config.ConfigError(new ConfigProvider.SourceError({ message }))

/** A variable that a person has written. It may hold a password, and is never said again. */
const variable = <A>(name: string, parse: (text: string) => Option.Option<A>, expected: string): Config.Config<A> =>
  Config.mapEffect(Config.Redacted(name), (text) =>
    Effect.mapError(Effect.fromOption(parse(Redacted.value(text))), () => refused(`${name} is not ${expected}.`)),
  )

/** `MSNP_SERVER`: the dispatch server, or notification server, to log in at; {@link local} where it is not set. */
export const server: Config.Config<Address.Address> = Config.withDefault(
  variable("MSNP_SERVER", parseServer, "HOST:PORT"),
  local,
)

/** `MSNP_PROXY`: what to connect through, see `Proxy.forms`; nothing where it is not set. */
export const proxy: Config.Config<Option.Option<Proxy.Proxy>> = Config.option(
  variable("MSNP_PROXY", Proxy.parse, `one of ${Proxy.forms.join(", ")}`),
)

const booleans: { readonly [text: string]: boolean } = { true: true, false: false }

/** `MSNP_TLS`: whether TLS is spoken, `true` or `false`; false where it is not set. */
export const isTls: Config.Config<boolean> = Config.withDefault(
  variable("MSNP_TLS", (text) => Option.fromUndefinedOr(booleans[text]), "true or false"),
  false,
)

/** `MSNP_TLS_CA`: the file of those who are trusted over TLS, in PEM; those of Node.js where it is not set. */
export const authorityFile: Config.Config<Option.Option<string>> = Config.option(Config.String("MSNP_TLS_CA"))

/** A file that a variable names. */
const readNamed = (path: string): Effect.Effect<string, Config.ConfigError> =>
  Effect.tryPromise({
    try: () => Fs.readFile(path, "utf8"),
    catch: () => refused(`MSNP_TLS_CA: ${path} cannot be read.`),
  })

/** Provides the connector that goes to {@link server} through {@link proxy}, over TLS if {@link isTls}. */
export const layerConnector: Layer.Layer<never, Config.ConfigError> = Layer.effect(
  Connector.Connector,
  Effect.gen(function* () {
    const way = { server: yield* server, proxy: yield* proxy }
    if (!(yield* isTls)) return yield* Proxy.connectorOf({ ...way, tls: Option.none() })
    const file = yield* authorityFile
    const authority = Option.isSome(file) ? Option.some(yield* readNamed(file.value)) : Option.none()
    return yield* Proxy.connectorOf({ ...way, tls: Option.some({ authority }) })
  }).pipe(Effect.catchTag("CertificateError", ({ message }) => Effect.fail(refused(`MSNP_TLS_CA: ${message}`)))),
)
