/**
 * Why the system does not read or write a file, in a few words.
 */
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"

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
