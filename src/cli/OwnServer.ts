/**
 * A server of one's own to put a load on: `msnp serve`, as another process, for as long as a scope.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as Address from "../protocol/Address.ts"
import * as Failure from "./Failure.ts"

/** Where the server is, and which process it is. */
export interface OwnServer {
  readonly address: Address.Address
  readonly pid: number
}

/** What it says when it listens. */
const Listening = Schema.fromJsonString(
  Schema.Struct({ event: Schema.Literal("listening"), role: Schema.Literal("dispatch"), ...Address.Address.fields }),
)
const decode = Schema.decodeUnknownOption(Listening)

/** The executable: of the sources here, or of what is published. */
const bin = fileURLToPath(new URL(`bin${Path.extname(import.meta.url)}`, import.meta.url))

/** Ends a process with whoever holds the other end of its standard input, were that one killed. */
const mortal = `data:text/javascript,${encodeURIComponent("process.stdin.unref().resume().on('end', () => process.exit(1))")}`

const failed = Failure.badInput("The server that was to be measured has ended.")

/** Serves so many accounts of a crowd, by a dispatch server and a notification server, on free ports of this machine. */
export const start = Effect.fnUntraced(function* (
  crowd: number,
): Effect.fn.Return<OwnServer, Failure.Failure, Scope.Scope | ChildProcessSpawner.ChildProcessSpawner> {
  const listening = ["--dispatch", "127.0.0.1:0", "--notification", "127.0.0.1:0"]
  const server = yield* Effect.mapError(
    ChildProcess.make(
      process.execPath,
      [...process.execArgv, "--import", mortal, bin, "serve", "--json", "--demo-crowd", String(crowd), ...listening],
      // A group of its own, so that Ctrl-C does not reach it before the figures are there.
      { stdin: "pipe", stderr: "inherit", detached: true, forceKillAfter: "10 seconds" },
    ),
    ({ message }) => Failure.badInput(`No server can be started: ${message}.`),
  )
  const address = yield* Deferred.make<Address.Address, Failure.Failure>()
  // Read to its end: a server whose output is not wanted any more leaves.
  yield* server.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) =>
      Option.match(decode(line), {
        onNone: () => Effect.void,
        onSome: ({ host, port }) => Deferred.succeed(address, { host, port }),
      }),
    ),
    Effect.ignore,
    Effect.andThen(Deferred.fail(address, failed)),
    Effect.forkScoped,
  )
  return { address: yield* Deferred.await(address), pid: server.pid }
})
