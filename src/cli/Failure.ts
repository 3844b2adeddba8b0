/**
 * Why a command ended without doing what it was asked: one sentence for a person, one exit code for a program.
 */
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Runtime from "effect/Runtime"
import type * as LoginError from "../net/LoginError.ts"

/** The exit codes of `msnp`, each with what it means. */
export const exitCodes = {
  BadInput: 1,
  Denied: 2,
  NoCommonDialect: 3,
  Unavailable: 4,
  Unreachable: 5,
  Disconnected: 6,
  TimedOut: 6,
  LoggedOut: 6,
  ServerMisbehaved: 7,
  Misdirected: 7,
  SomeFailed: 8,
} as const

/** A command failed. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly kind: keyof typeof exitCodes
  readonly message: string
}> {
  override readonly [Runtime.errorExitCode] = exitCodes[this.kind]
  override readonly [Runtime.errorReported] = false
  override readonly [CliError.userMessage] = this.message
}

/** The input, or the machine, does not allow what was asked. */
export const badInput = (message: string): Failure => new Failure({ kind: "BadInput", message })

/** A login failed. */
export const fromLogin = (error: LoginError.LoginError): Failure =>
  new Failure({ kind: error._tag, message: error.message })
