/**
 * What happened on a connection, in the notation of the seed page: `<o>` for the connection, `>>>` for the client's
 * lines, `<<<` for the server's.
 *
 * A digest never comes in whole: its first four digits stand for it.
 */
import type * as Line from "../protocol/Line.ts"

/** Who says a line. */
export type Speaker = "Client" | "Server"

/** One thing that happened. */
export type Entry =
  | { readonly _tag: "Connected"; readonly server: string }
  | { readonly _tag: "Said"; readonly by: Speaker; readonly line: string }
  | { readonly _tag: "Closed"; readonly by: Speaker }

/** Told of each thing as it happens, in order. It must not throw, and what it returns is not awaited. */
export type Observer = (entry: Entry) => void

/** Tells nobody. */
export const silent: Observer = () => {}

/** A line that somebody said, without its line end and payload; of a digest in it, the first four digits. */
export const said = (by: Speaker, words: Line.Frame["words"]): Entry => ({
  _tag: "Said",
  by,
  line: (by === "Client" ? hide(words) : words).join(" "),
})

/** Hides what stands behind S in a client's USR, digest or not, and what looks like a digest wherever it stands. */
const hide = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words[0] === "USR"
    ? words.map((word, index) => ((index > 3 && words[3] !== "I") || isDigest(word) ? `${word.slice(0, 4)}…` : word))
    : words

const isDigest = (word: string): boolean => /^[0-9a-fA-F]{32}$/.test(word)

/** One line of a transcript. */
export const format = (entry: Entry): string => {
  switch (entry._tag) {
    case "Connected":
      return `<o> Client connects to ${entry.server}`
    case "Said":
      return `${entry.by === "Client" ? ">>>" : "<<<"} ${entry.line}\\r\\n`
    case "Closed":
      return `<o> ${entry.by} closes connection`
  }
}
