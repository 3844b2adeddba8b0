/**
 * The `msnp` command; each subcommand has a file of its own.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Output from "./Output.ts"
import * as Settings from "./Settings.ts"
import * as Stop from "./Stop.ts"

/**
 * The subcommands, each imported if it is asked for: all of them together take 0.1 s of a start of 0.45 s, and whoever
 * serves needs no client.
 */
const subcommands = {
  serve: async () => (await import("./serve.ts")).serve,
  account: async () => (await import("./account.ts")).account,
  sessions: async () => (await import("./sessions.ts")).sessions,
  login: async () => (await import("./login.ts")).login,
  probe: async () => (await import("./probe.ts")).probe,
  bench: async () => (await import("./bench.ts")).bench,
  demo: async () => (await import("./demo.ts")).demo,
} as const

const isSubcommand = (word: string): word is keyof typeof subcommands => Object.hasOwn(subcommands, word)

/** Those that these words can be about: the one that they begin with, or all of them, where help or completions tell of all. */
const meant = ([first = "", ...others]: ReadonlyArray<string>) =>
  isSubcommand(first) && !others.some((word) => word.startsWith("--completions"))
    ? [subcommands[first]]
    : Object.values(subcommands)

const msnp = Command.make("msnp").pipe(
  Command.withDescription(
    "A server and a client of the MSN Messenger Protocol, MSNP2 to MSNP7, with accounts and sessions to look after",
  ),
  Command.withSubcommands(await Promise.all(meant(process.argv.slice(2)).map((load) => load()))),
)

/** The package's own description: two floors up from here, in the sources as in what is published. */
const { version } = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))(
  Fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
)

// Whoever reads our output may have read enough, as `head` does: that is no error of ours, and nobody is left to hear it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
    process.exit(0)
  })
}

Command.run(msnp, { version }).pipe(
  Effect.provide(Layer.provideMerge(Layer.merge(Output.layer, Settings.layer), NodeServices.layer)),
  Effect.provideService(Console.Console, Output.console),
  Effect.provideService(References.LogToStderr, true),
  NodeRuntime.runMain({ teardown: Stop.teardown }),
)
