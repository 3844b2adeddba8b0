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
import { account } from "./account.ts"
import { demo } from "./demo.ts"
import { login } from "./login.ts"
import * as Output from "./Output.ts"
import { probe } from "./probe.ts"
import { serve } from "./serve.ts"
import { sessions } from "./sessions.ts"
import * as Settings from "./Settings.ts"
import * as Stop from "./Stop.ts"

const msnp = Command.make("msnp").pipe(
  Command.withDescription(
    "A server and a client of the MSN Messenger Protocol, MSNP2 to MSNP7, with accounts and sessions to look after",
  ),
  Command.withSubcommands([serve, account, sessions, login, probe, demo]),
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
