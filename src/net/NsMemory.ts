/**
 * What a client remembers of the servers it has been at: by which notification server it was let in, network by
 * network, so that the next login need not go by way of the dispatch server.
 *
 * It is a reference: unless one is provided, nothing is remembered. No login fails for it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Address from "../protocol/Address.ts"

/** The notification server that each network was left at; a network is known by its dispatch server. */
export interface NsMemory {
  /** The server at which a login of this network succeeded last; none where there is none, or none that can be read. */
  readonly recall: (dispatch: Address.Address) => Effect.Effect<Option.Option<Address.Address>>
  readonly remember: (dispatch: Address.Address, notification: Address.Address) => Effect.Effect<void>
  readonly forget: (dispatch: Address.Address) => Effect.Effect<void>
}

/** Remembers nothing. */
export const none: NsMemory = {
  recall: () => Effect.succeedNone,
  remember: () => Effect.void,
  forget: () => Effect.void,
}

/** The memory in use; {@link none} unless another is provided. */
export const NsMemory: Context.Reference<NsMemory> = Context.Reference<NsMemory>("effect-msnp/net/NsMemory", {
  defaultValue: () => none,
})

/** What is stored, as JSON: a text that was not written to its end is none, where half an address would be another. */
const Stored = Schema.Struct({
  server: Address.Address.check(
    Schema.makeFilter(
      (server) =>
        Option.exists(Address.parse(Address.format(server)), ({ port }) => port > 0) ||
        "Expected a host and a port that can be connected to",
    ),
  ),
})

/** A memory over a store, in which each dispatch server is a key. */
export const make = (store: KeyValueStore.KeyValueStore): NsMemory => {
  const { get, remove, set } = KeyValueStore.toSchemaStore(store, Stored)
  return {
    recall: (dispatch) =>
      get(keyOf(dispatch)).pipe(
        Effect.map(Option.map(({ server }) => server)),
        Effect.catch((error) =>
          Effect.as(
            warn(`What was stored for ${keyOf(dispatch)} cannot be read, and counts as nothing`, error),
            Option.none(),
          ),
        ),
      ),
    remember: (dispatch, server) =>
      Effect.catch(set(keyOf(dispatch), { server }), (error) =>
        warn(`The notification server of ${keyOf(dispatch)} cannot be stored`, error),
      ),
    forget: (dispatch) =>
      Effect.catch(remove(keyOf(dispatch)), (error) =>
        warn(`The notification server of ${keyOf(dispatch)} cannot be forgotten`, error),
      ),
  }
}

/** A host is the same in either letter case. */
const keyOf = (dispatch: Address.Address): string => Address.format(dispatch).toLowerCase()

/** Says in one line what goes wrong, and goes on; of a store's trouble, only its cause says what it is. */
const warn = (what: string, { cause, message }: Error): Effect.Effect<void> =>
  Effect.logWarning(`${what}: ${(Predicate.isError(cause) ? cause.message : message).replaceAll(/\s+/g, " ")}`)

/** Provides a memory over a store. */
export const layer: Layer.Layer<never, never, KeyValueStore.KeyValueStore> = Layer.effect(
  NsMemory,
  Effect.map(KeyValueStore.KeyValueStore, make),
)

/** Provides a memory that lasts as long as the process. */
export const layerMemory: Layer.Layer<never> = Layer.provide(layer, KeyValueStore.layerMemory)

/** Provides a memory in a folder, which is made if it is not there: a file for each network. */
export const layerFolder = (
  folder: string,
): Layer.Layer<never, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Layer.provide(layer, KeyValueStore.layerFileSystem(folder))
