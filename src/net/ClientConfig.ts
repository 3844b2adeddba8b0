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
import * as Address from "../protocol/Address.ts"
import * as Connector from "./Connector.ts"
import * as Proxy from "./Proxy.ts"

/** The server of whoever names none: this machine. */
export const local: Address.Address = { host: "127.0.0.1", port: Address.defaultPort }

/** A server that can be connected to, `HOST` or `HOST:PORT`; port 1863 where none is named. */
export const parseServer = (text: string): Option.Option<Address.Address> =>
  Option.filter(Address.parse(text), ({ port }) => port > 0)

/** A variable that a person has written. It may hold a password, and is never said again. */
const variable = <A>(name: string, parse: (text: string) => Option.Option<A>, expected: string): Config.Config<A> =>
  Config.mapEffect(Config.Redacted(name), (text) =>
    Effect.mapError(
      Effect.fromOption(parse(Redacted.value(text))),
      () => new Config.ConfigError(new ConfigProvider.SourceError({ message: `${name} is not ${expected}.` })),
    ),
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

/** Provides the connector that goes through {@link proxy}. */
export const layerConnector: Layer.Layer<never, Config.ConfigError> = Layer.effect(
  Connector.Connector,
  Config.map(proxy, Option.match({ onNone: () => Connector.direct, onSome: Proxy.connector })),
)
