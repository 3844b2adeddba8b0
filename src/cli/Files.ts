/**
 * Files as a person names them, and why the system does not read or write one, in a few words.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

const reasons: { readonly [code: string]: string } = {
  EACCES: "this user may not",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
  EPERM: "this user may not",
  EROFS: "the disk can only be read",
}

/** What is missing where the system finds nothing. */
const missing = { Read: "it is not there", Write: "its folder is not there" } as const

/** Why a file cannot be read, or not be written; in the system's words where there are none here. */
export const whyNot = (attempt: keyof typeof missing, { cause, message }: PlatformError.PlatformError): string => {
  const code = Predicate.hasProperty(cause, "code") ? String(cause.code) : ""
  return code === "ENOENT" ? missing[attempt] : (reasons[code] ?? message)
}

/** What stands for standard input or output where a file is named. */
export const standardStream = "-"

/** How a file that is read is called. */
export const nameOf = (file: string): string => (file === standardStream ? "Standard input" : file)

/** The text of a file or of standard input, or why it is none, behind its name. */
export const readText = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const stdio = yield* Stdio.Stdio
  const bytes = yield* Stream.mkUint8Array(file === standardStream ? stdio.stdin : fs.stream(file)).pipe(
    Effect.mapError((error) => `cannot be read: ${whyNot("Read", error)}`),
  )
  return yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    catch: () => "is no text in UTF-8",
  })
})
