/**
 * How far a command has come: a bar on standard error, redrawn on one line, for a person at a terminal.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import type * as Output from "./Output.ts"

/** Told each time that something is done. */
export type Progress = () => void

/** How wide the bar is at most, in characters. */
const maxWidth = 30

const clear = "\r\u001b[K"

/** How wide a terminal is taken to be that does not say, in characters. */
const unknownWidth = 80

/** A bar with words on both sides, on one line of a terminal that is so many characters wide. */
export const bar = (what: string, done: number, total: number, columns: number): string => {
  const count = `${done} of ${total}`
  // A line that is full is one too many for some terminals.
  const width = Math.min(maxWidth, columns - 1 - `${what} [] ${count}`.length)
  if (width < 1) return count
  const filled = Math.floor((width * done) / total)
  return `${what} [${"#".repeat(filled)}${"-".repeat(width - filled)}] ${count}`
}

/** Nobody is shown anything. */
const unseen: Progress = () => {}

/** Shows a text in the place of the one before it. */
export type Line = (text: string) => void

/**
 * A line of standard error that is drawn anew each time, and gone with the scope. None where nothing is shown: to a
 * program, and where standard error is no terminal, or one that cannot go back to the start of its line.
 */
export const line = Effect.fnUntraced(function* (
  reader: Output.Reader,
): Effect.fn.Return<Option.Option<Line>, never, Scope.Scope | Stdio.Stdio> {
  const stdio = yield* Stdio.Stdio
  const term = yield* Effect.orDie(Config.option(Config.String("TERM")))
  const isShown = reader === "Person" && (yield* stdio.stderrIsTerminal) && !Option.contains(term, "dumb")
  if (!isShown) return Option.none()
  yield* Effect.addFinalizer(() => Effect.sync(() => void process.stderr.write(clear)))
  return Option.some((text) => void process.stderr.write(clear + text))
})

/** How wide the terminal is, in characters. Some do not say. */
export const columns = (): number => process.stderr.columns || unknownWidth

/** Shows how much is done of what there is, on such a line. The total is not asked for where nothing is shown. */
export const make = Effect.fnUntraced(function* <E, R>(
  reader: Output.Reader,
  what: string,
  total: Effect.Effect<number, E, R>,
): Effect.fn.Return<Progress, E, R | Scope.Scope | Stdio.Stdio> {
  const shown = yield* line(reader)
  if (Option.isNone(shown)) return unseen

  const all = yield* total
  let done = 0
  return () => {
    done++
    // A hundred drawings are enough for the eye.
    if (done === all || done % Math.ceil(all / 100) === 0) shown.value(bar(what, done, all, columns()))
  }
})
