/**
 * Passwords as commands get them: typed at a terminal that does not show them, or as the first line of a file or of
 * standard input. Never as an argument, which others on the machine can read.
 */
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Bytes from "../protocol/Bytes.ts"
import * as Failure from "./Failure.ts"
import * as Files from "./Files.ts"

/** The longest password that is read, in bytes: whoever gives more gives something else. */
export const maxBytes = 65_536

/** The flag `--password-file`. */
export const file = Flag.String("password-file").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription(
    "Read the password from the first line of this file; else it is asked for, or read from standard input",
  ),
  Flag.optional,
)

const prompt = (message: string) => Prompt.run(Prompt.Hidden({ message }))

/** The password that an account has: from a file, from a terminal without showing it, or from standard input. */
export const ask = (file: Option.Option<string>, account: string) => get(file, prompt(`Password of ${account}`))

/** The password that an account is to have: likewise, but for a terminal, where it is asked for twice. */
export const choose = (file: Option.Option<string>, account: string) =>
  get(
    file,
    Effect.gen(function* () {
      const password = yield* prompt(`New password of ${account}`)
      if (Redacted.value(password) === "") return yield* Failure.badInput("A password cannot be empty.")
      if (Redacted.value(yield* prompt("The same again")) === Redacted.value(password)) return password
      return yield* Failure.badInput("The two passwords are not the same.")
    }),
  )

/** A password from a file, by a prompt where there can be one, or from standard input. */
const get = Effect.fnUntraced(function* <E, R>(
  file: Option.Option<string>,
  prompt: Effect.Effect<Redacted.Redacted<string>, E, R>,
) {
  if (Option.isSome(file)) {
    const fs = yield* FileSystem.FileSystem
    const name = `The password file ${file.value}`
    return yield* firstLine(fs.stream(file.value), name, `${name} begins with an empty line.`)
  }
  const stdio = yield* Stdio.Stdio
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (canPrompt) return yield* prompt
  if (yield* stdio.stdinIsTerminal) {
    return yield* Failure.badInput(
      "The password cannot be asked for where the output goes elsewhere, or the terminal cannot hide it; give it on standard input, or with --password-file.",
    )
  }
  const ifEmpty = "There is no password on standard input; give it there, or with --password-file."
  return yield* firstLine(stdio.stdin, "Standard input", ifEmpty).pipe(Effect.ensuring(letGoOfStdin))
})

/** Whoever still writes there would otherwise keep this process from ending. */
const letGoOfStdin = Effect.sync(() => process.stdin.destroy())

/** The first line of a stream, of which no more is read than that takes. */
const firstLine = Effect.fnUntraced(function* (
  stream: Stream.Stream<Uint8Array, PlatformError.PlatformError>,
  name: string,
  ifEmpty: string,
): Effect.fn.Return<Redacted.Redacted<string>, Failure.Failure> {
  const bytes = yield* stream.pipe(
    Stream.scan(
      () => "",
      (bytes, chunk) => bytes + Bytes.fromUint8Array(chunk),
    ),
    Stream.takeUntil((bytes) => bytes.includes("\n") || bytes.length > maxBytes + "\r".length),
    Stream.runLast,
    Effect.mapError((error) => Failure.badInput(`${name} cannot be read: ${Files.whyNot("Read", error)}.`)),
  )
  const [line = ""] = Option.getOrElse(bytes, () => "").split(/\r?\n/, 1)
  if (line === "") return yield* Failure.badInput(ifEmpty)
  if (line.length > maxBytes) {
    return yield* Failure.badInput(`${name} begins with a line longer than 64 KiB, which is no password.`)
  }
  // A mark of byte order, as Windows puts it at the head of a file, is no part of the password.
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(Bytes.toUint8Array(line)),
    catch: () => Failure.badInput(`${name} begins with a line that is no text in UTF-8.`),
  })
  return Redacted.make(text, { label: "password" })
})
