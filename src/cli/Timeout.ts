/**
 * The flag `--timeout` of whatever waits for a server.
 */
import * as Flag from "effect/cli/Flag"

/** The longest, in seconds: an hour. */
const most = 3_600

/** A number of seconds; what it bounds, and what holds without it, is for the description to say. */
export const make = (description: string) =>
  Flag.Int("timeout").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription(description),
    Flag.filter(
      (seconds) => seconds >= 1 && seconds <= most,
      () => `a number of seconds from 1 to ${most}`,
    ),
  )
