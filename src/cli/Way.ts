/**
 * The way of a client, as the command line and the settings say it: to which server, through what, and which servers it
 * remembers.
 */
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as EffectPath from "effect/Path"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Redacted from "effect/Redacted"
import * as Path from "node:path"
import * as ClientConfig from "../net/ClientConfig.ts"
import * as Connector from "../net/Connector.ts"
import * as NsMemory from "../net/NsMemory.ts"
import * as Proxy from "../net/Proxy.ts"
import type * as Address from "../protocol/Address.ts"
import * as Failure from "./Failure.ts"
import * as Files from "./Files.ts"
import * as Output from "./Output.ts"
import * as Settings from "./Settings.ts"
import * as TlsFlags from "./TlsFlags.ts"

/** What the address of a server must look like. */
export const expected = "HOST:PORT"

/** The flag `--server`. */
export const server = Flag.String("server").pipe(
  Flag.withMetavar(expected),
  Flag.withDescription(
    "The server to begin with; without a port, 1863 (default MSNP_SERVER, else this machine's, 127.0.0.1:1863)",
  ),
  Flag.filterMap(ClientConfig.parseServer, () => expected),
  Flag.optional,
)

/** The flag `--proxy`; it may hold a password, and is never said again. */
export const proxy = Flag.Redacted("proxy").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(
    "What to go through: socks5://HOST:PORT, socks4a://HOST:PORT, socks4://HOST:PORT, or http://HOST:PORT for an HTTP gateway; USER@ may stand before the host (default MSNP_PROXY, else nothing)",
  ),
  Flag.filterMap(
    (url) => Proxy.parse(Redacted.value(url)),
    () => Proxy.forms.join(", "),
  ),
  Flag.optional,
)

/** Where nothing is remembered. */
const noFolder = "none"

/** The flag `--memory`. */
export const memory = Flag.String("memory").pipe(
  Flag.withMetavar("FOLDER"),
  Flag.withDescription(
    "Where to remember the notification server of each network, so that the next login begins there; none to remember nothing (default MSNP_MEMORY, else the user's own folder)",
  ),
  Flag.filter(
    (folder) => folder !== "",
    () => "the path of a folder, or none",
  ),
  Flag.optional,
)

/** The server to begin with: the one that the flag names, or else the settings. */
export const serverOf = (named: Option.Option<Address.Address>): Effect.Effect<Address.Address, Failure.Failure> =>
  Option.match(named, { onNone: () => Settings.get(ClientConfig.server), onSome: Effect.succeed })

const hasPassword = (proxy: Proxy.Proxy): boolean => proxy._tag === "Socks5" && Option.isSome(proxy.login)

/** Whom to trust over TLS; none where it is not to be spoken. */
export const tlsOf = Effect.fnUntraced(function* (flags: {
  readonly tls: Option.Option<boolean>
  readonly tlsCa: Option.Option<string>
}): Effect.fn.Return<Proxy.Way["tls"], Failure.Failure, FileSystem.FileSystem> {
  const isTls = Option.isSome(flags.tls) ? flags.tls.value : yield* Settings.get(ClientConfig.isTls)
  if (!isTls && Option.isSome(flags.tlsCa)) {
    return yield* Failure.badInput("--tls-ca goes with --tls: nobody is trusted in clear text.")
  }
  if (!isTls) return Option.none()
  const file = Option.isSome(flags.tlsCa) ? flags.tlsCa : yield* Settings.get(ClientConfig.authorityFile)
  return Option.some({
    authority: Option.isSome(file) ? Option.some(yield* TlsFlags.read(file.value)) : Option.none(),
  })
})

/** Provides the connector to a network: through a proxy, if there is to be one, and over TLS, if that is to be. */
export const layerConnector = (
  way: Omit<Proxy.Way, "proxy">,
  named: Option.Option<Proxy.Proxy>,
): Layer.Layer<never, Failure.Failure> =>
  Layer.effect(
    Connector.Connector,
    Effect.gen(function* () {
      if (Option.exists(named, hasPassword)) {
        return yield* Failure.badInput(
          `Whoever is on this machine can read a password in --proxy: set MSNP_PROXY, or write it into ${Settings.fileName}.`,
        )
      }
      const proxy = Option.isSome(named) ? named : yield* Settings.get(ClientConfig.proxy)
      return yield* Effect.mapError(Proxy.connectorOf({ ...way, proxy }), ({ message }) => Failure.badInput(message))
    }),
  )

/** The user's own folder; none where the user has none. */
const own = UserDirectories.make()
  .state("msnp")
  .pipe(
    Effect.map((folder) => Path.join(folder, "servers")),
    Effect.orElseSucceed(() => noFolder),
  )

/**
 * Provides the memory of servers; one that cannot be used is told of, and done without. What was said over TLS is kept
 * apart: a server that was named in clear text may be anybody's.
 */
export const layerMemory = (
  named: Option.Option<string>,
  tls: Proxy.Way["tls"],
): Layer.Layer<never, Failure.Failure, FileSystem.FileSystem | EffectPath.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const settled = Option.isSome(named) ? named : yield* Settings.get(Config.option(Config.String("MSNP_MEMORY")))
      const folder = Option.isSome(settled) ? settled.value : yield* own
      if (folder === noFolder) return Layer.empty
      const path = Option.isSome(tls) ? Path.join(folder, "tls") : folder
      return Layer.catch(NsMemory.layerFolder(path), (error) =>
        Layer.effectDiscard(
          Effect.logWarning(
            Output.legible(`No server is remembered: ${path} cannot be used: ${Files.whyNot("Write", error)}.`),
          ),
        ),
      )
    }),
  )
