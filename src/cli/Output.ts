/**
 * How a command speaks: to a person, or, with `--json`, to a program, in one JSON object a line.
 */
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Flag from "effect/cli/Flag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Util from "node:util"
import * as Transcript from "../net/Transcript.ts"
import * as Bytes from "../protocol/Bytes.ts"
import type * as Failure from "./Failure.ts"

/** For whom a command writes. */
export type Reader = "Person" | "Program"

/** The flag `--json`. */
export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON object a line"),
  Flag.withDefault(false),
)

/** Who reads what a command writes, by its flag `--json`. */
export const readerOf = (flags: { readonly json: boolean }): Reader => (flags.json ? "Program" : "Person")

/** A text from elsewhere, for a person: it gives the terminal no orders, and is whole. */
export const legible = (text: string): string => Bytes.legible(Bytes.fromText(text))

/** Writes a line for a person, and never more than one. */
export const say = (line: string): Effect.Effect<void> => Console.log(legible(line))

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
  reader === "Program" ? Console.log(json(event)) : say(text)

/** Fails with a sentence; a program is told why by an event, too. */
export const fail = (reader: Reader, why: string, failure: Failure.Failure): Effect.Effect<never, Failure.Failure> =>
  Effect.andThen(
    reader === "Program" ? Console.log(json({ event: "failed", why, message: failure.message })) : Effect.void,
    failure,
  )

/** A time, in milliseconds since 1970, in UTC and to the second. */
export const time = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis)).replace(/\.\d+Z$/, "Z")

/** A figure with the three digits that say something. */
export const digits = (figure: number): string => String(Number(figure.toPrecision(3)))

/** A row of a table, in columns of these widths; the last cell is as wide as it is. */
export const row = (widths: ReadonlyArray<number>, cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ")

/** Rows of as many cells each, in columns that are as wide as what is in them. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, i) => rows.reduce((width, cells) => Math.max(width, cells[i]?.length ?? 0), 0))
  return rows.map((cells) => row(widths, cells))
}

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
  const sentences = error.message.replaceAll(/([^.?!])\n\n\s*/g, "$1. ")
  const line = sentences.replaceAll(/\s*\n\s*/g, " ").replace(/[^.?!]$/, "$&.")
  return `msnp: ${legible(line)}`
}

/** The console, on whose standard error no text from elsewhere gives the terminal orders, be it in a log or its cause. */
export const console: Console.Console = {
  ...globalThis.console,
  error: (...said: ReadonlyArray<unknown>) =>
    void process.stderr.write(
      `${Util.format(...said)
        .split("\n")
        .map(legible)
        .join("\n")}\n`,
    ),
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
