/**
 * How a command speaks: to a person, or, with `--json`, to a program, in one JSON object a line.
 */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Transcript from "../net/Transcript.ts"
import * as Bytes from "../protocol/Bytes.ts"

/** For whom a command writes. */
export type Reader = "Person" | "Program"

/** Who reads what a command writes, by its flag `--json`. */
export const readerOf = (flags: { readonly json: boolean }): Reader => (flags.json ? "Program" : "Person")

/** Writes a line for a person. */
export const say = (line: string): Effect.Effect<void> => Console.log(line)

/** What a program reads: an object that tells by `event` what it is of. */
export type Event = { readonly event: string; readonly [name: string]: unknown }

/** An event as one line of JSON, in which what a terminal might obey is escaped, and so lost on no program. */
export const json = (event: Event): string =>
  JSON.stringify(event).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character.split("").map(escapeUnit).join(""),
  )

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Writes one thing, for either reader. */
export const write = (reader: Reader, text: string, event: Event): Effect.Effect<void> =>
  Console.log(reader === "Program" ? json(event) : text)

const dim = "\u001b[2m"
const green = "\u001b[32m"
const cyan = "\u001b[36m"
const reset = "\u001b[0m"

const colorOf = (entry: Transcript.Entry): string =>
  entry._tag === "Said" ? (entry.by === "Client" ? cyan : green) : dim

/** Writes what happens on a connection, as it happens. */
export const transcriber = (reader: Reader): Effect.Effect<Transcript.Observer> =>
  Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }) => (entry) => {
    const line = Transcript.format(entry)
    if (reader === "Program") process.stdout.write(`${json({ event: "transcript", line })}\n`)
    else process.stdout.write(canColor ? `${colorOf(entry)}${line}${reset}\n` : `${line}\n`)
  })

/** An error as one line, a sentence, though a server's own words stand in it. */
const oneLine = (error: CliError.CliError): string => {
  const line = error.message.replaceAll(/\s*\n\s*/g, " ").replace(/[^.?!]$/, "$&.")
  return `msnp: ${Bytes.legible(Bytes.fromText(line))}`
}

/** Help as Effect has it; bad input gets one line on standard error, and not the whole help before it. */
export const layer: Layer.Layer<never> = Layer.effectContext(
  Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }) => {
    const { formatCliError, formatHelpDoc, formatVersion } = CliOutput.defaultFormatter({ colors: canColor })
    const formatter: CliOutput.Formatter = {
      formatCliError,
      formatHelpDoc,
      formatVersion,
      formatError: oneLine,
      formatErrors: (errors) => errors.map(oneLine).join("\n"),
    }
    return Context.make(CliOutput.Formatter, formatter).pipe(
      Context.add(CliOutput.Presenter, {
        present: (event) => {
          switch (event._tag) {
            case "Help":
              return Console.log(formatter.formatHelpDoc(event.helpDoc))
            case "Version":
              return Console.log(formatter.formatVersion(event.name, event.version))
            case "InvalidInvocation":
              return Console.error(
                `${formatter.formatErrors(event.errors)} See \`${event.commandPath.join(" ")} --help\`.`,
              )
          }
        },
      }),
    )
  }),
)
