/**
 * What happened on a connection, in the notation of the seed page: `<o>` for the connection, `>>>` for the client's
 * lines, `<<<` for the server's.
 *
 * A digest never comes in whole: its first four digits stand for it.
 */
import * as Bytes from "../protocol/Bytes.ts"
import type * as Line from "../protocol/Line.ts"

/** Who says a line. */
export type Speaker = "Client" | "Server"

/** One thing that happened; words are as they came, so whoever shows them on their own says {@link legible}. */
export type Entry =
  | { readonly _tag: "Connected"; readonly server: string }
  | { readonly _tag: "Said"; readonly by: Speaker; readonly words: Line.Frame["words"] }
  | { readonly _tag: "Closed"; readonly by: Speaker }
  /** The client goes on elsewhere, or in another way; why, in a sentence. */
  | { readonly _tag: "TurnedAway"; readonly why: string }

/** Told of each thing as it happens, in order. It must not throw, and what it returns is not awaited. */
export type Observer = (entry: Entry) => void

/** Tells nobody. */
export const silent: Observer = () => {}

/** A line that somebody said, without its line end and payload; of a digest in it, the first four digits. */
export const said = (by: Speaker, words: Line.Frame["words"]): Entry => ({
  _tag: "Said",
  by,
  words: by === "Client" ? hide(words) : words,
})

/** In a client's USR, hides what stands behind S, digest or not, and whatever looks like a digest elsewhere. */
const hide = ([verb, ...parameters]: Line.Frame["words"]): Line.Frame["words"] =>
  verb === "USR"
    ? [
        verb,
        ...parameters.map((word, i) => ((i > 2 && parameters[2] !== "I") || isDigest(word) ? shorten(word) : word)),
      ]
    : [verb, ...parameters]

/** The first four digits, and a sign that there are more; a word as bytes, as the others are. */
const shorten = (word: string): string => `${word.slice(0, 4)}${Bytes.fromText("…")}`

const isDigest = (word: string): boolean => /^[0-9a-fA-F]{32}$/.test(word)

/** One line of a transcript, and never more than one. */
export const format = (entry: Entry): string => {
  switch (entry._tag) {
    case "Connected":
      return `<o> Client connects to ${entry.server}`
    case "Said":
      return `${entry.by === "Client" ? ">>>" : "<<<"} ${entry.words.map(Bytes.legible).join(" ")}\\r\\n`
    case "Closed":
      return `<o> ${entry.by} closes connection`
    case "TurnedAway":
      return `<o> ${Bytes.legible(Bytes.fromText(entry.why))}`
  }
}
