/**
 * What a benchmark is: rows, each of which compares two figures that were measured in turns.
 *
 * What a machine does besides changes figures by a fifth from minute to minute, but both sides of a round alike. So only what
 * is compared within a round counts: a row's figure is the median of its rounds' comparisons, not a comparison of medians.
 */

/** One comparison, measured in interleaved rounds. */
export interface Row {
  /** What of ours is measured. */
  readonly what: string
  /** What it is measured against. */
  readonly against: string
  /** The unit of both figures. */
  readonly unit: string
  /** A ratio, ours / theirs; or a difference, ours - theirs, in the unit. */
  readonly compare: "Ratio" | "Difference"
  /** What is to be reached, and what is to be reached after that. */
  readonly target: { readonly is: "AtMost" | "AtLeast"; readonly value: number; readonly next?: number }
  readonly rounds: ReadonlyArray<{ readonly ours: number; readonly theirs: number }>
}

/** Told how much of a benchmark is done, from 0 to 1. */
export type Progress = (done: number) => void

/** How a benchmark is to be run. */
export interface Run {
  /** How many rounds there are to be; a benchmark whose figures hardly move may take fewer. */
  readonly rounds: number
  /** Looks at what else the machine does; before each round, while nothing of ours runs. */
  readonly look: () => Promise<void>
}

/** A benchmark: its rows, measured while it tells how far it is. */
export interface Bench {
  /** Its name, for `npm run bench -- --only NAME`. */
  readonly name: string
  readonly measure: (progress: Progress, run: Run) => Promise<ReadonlyArray<Row>>
}

/** After how many logins a process runs as it will from then on: of ours and of theirs, the 3,000th cost what later ones do. */
export const warmUp = 20_000

/** Measures a round so many times, one after the other. */
export const inRounds = async <Round>(
  rounds: number,
  look: Run["look"],
  progress: Progress,
  measure: (round: number) => Promise<Round>,
): Promise<ReadonlyArray<Round>> => {
  const measured: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    await look()
    measured.push(await measure(round))
    progress((round + 1) / rounds)
  }
  return measured
}

/** The value in the middle, or halfway between the two that are; that of nothing is not a number. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

/** How a row stands to its target: `ReachedAll` where there is one to be reached after it, and that is reached too. */
export type Standing = "Missed" | "Reached" | "ReachedAll"

/** What a row comes to. */
export interface Figure {
  /** The medians of either side, in the row's unit. */
  readonly ours: number
  readonly theirs: number
  /** The rounds' comparisons: the one in the middle, and how far they are spread. */
  readonly compared: { readonly median: number; readonly least: number; readonly most: number }
  readonly standing: Standing
}

const reaches = (is: Row["target"]["is"], bound: number, value: number): boolean => {
  switch (is) {
    case "AtMost":
      return value <= bound
    case "AtLeast":
      return value >= bound
  }
}

const comparison = (compare: Row["compare"], ours: number, theirs: number): number => {
  switch (compare) {
    case "Ratio":
      return ours / theirs
    case "Difference":
      return ours - theirs
  }
}

/** What a row comes to; one without rounds reaches nothing. */
export const figureOf = ({ compare, rounds, target }: Row): Figure => {
  const compared = rounds.map(({ ours, theirs }) => comparison(compare, ours, theirs))
  const middle = median(compared)
  const last = target.next ?? target.value
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    theirs: median(rounds.map(({ theirs }) => theirs)),
    compared: { median: middle, least: Math.min(...compared), most: Math.max(...compared) },
    standing: !reaches(target.is, target.value, middle)
      ? "Missed"
      : reaches(target.is, last, middle)
        ? "ReachedAll"
        : "Reached",
  }
}
