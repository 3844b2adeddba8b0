/**
 * What a person has settled once for all commands: the variables of the environment, and behind it those in a file of
 * the user's, `msnp.env`, one `NAME=value` a line. A flag says more than either.
 */
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Path from "node:path"
import * as Failure from "./Failure.ts"
import * as Files from "./Files.ts"

/** The name of the file, in the user's folder for settings. */
export const fileName = "msnp.env"

const nothing = ConfigProvider.fromUnknown({})

/** The settings in the user's file; none where there is no such file, or no such user. */
const fromFile = Effect.gen(function* () {
  const folder = yield* Effect.option(UserDirectories.make().config("msnp"))
  if (Option.isNone(folder)) return nothing
  const path = Path.join(folder.value, fileName)
  return yield* ConfigProvider.fromDotEnv({ path }).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(nothing)),
    Effect.mapError(
      (error) => new ConfigProvider.SourceError({ message: `${path} cannot be read: ${Files.whyNot("Read", error)}.` }),
    ),
  )
})

/** Provides both. The file is read when one of our own variables is asked for that the environment does not have. */
export const layer: Layer.Layer<never, never, FileSystem.FileSystem> = ConfigProvider.layer(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* Effect.cached(Effect.provideService(fromFile, FileSystem.FileSystem, fs))
    const behind = ConfigProvider.make((path) =>
      String(path[0]).startsWith("MSNP_") ? Effect.flatMap(file, (file) => file.load(path)) : Effect.undefined,
    )
    return ConfigProvider.orElse(ConfigProvider.fromEnv(), behind)
  }),
)

/** What is settled; what makes no sense there is told in a sentence. */
export const get = <A>(config: Config.Config<A>): Effect.Effect<A, Failure.Failure> =>
  Effect.mapError(config, ({ cause }) => Failure.badInput(cause.message))
