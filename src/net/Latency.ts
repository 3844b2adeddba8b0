/**
 * How long something takes, time after time: its percentiles, in a memory that does not grow, however often that is.
 *
 * It is Node's own histogram, whose buckets are the wider the longer the times are (HDR); Effect's has bounds that are
 * chosen beforehand, and its summary keeps the samples themselves.
 */
import * as Option from "effect/Option"
import * as PerfHooks from "node:perf_hooks"

/** By how much a percentile may be off, of itself: three digits are kept. */
export const relativeError = 0.001

/** The longest time that is told from longer ones, in milliseconds: an hour, as the longest login has. */
export const longest = 3_600_000

/** Times in milliseconds; a percentile is that of the nearest rank, within {@link relativeError}. */
export interface Summary {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Times that are being taken. */
export interface Latency {
  /** Takes a time down, in milliseconds; what is beyond {@link longest} counts as that. */
  readonly record: (millis: number) => void
  /** What has been taken down by now; none where nothing has. */
  readonly summary: () => Option.Option<Summary>
}

const nanosPerMilli = 1e6

/** No times yet. */
export const make = (): Latency => {
  const histogram = PerfHooks.createHistogram({ lowest: 1, highest: longest * nanosPerMilli, figures: 3 })
  const millis = (nanos: number) => nanos / nanosPerMilli
  return {
    record: (time) =>
      histogram.record(Math.round(Math.min(Math.max(time, 1 / nanosPerMilli), longest) * nanosPerMilli)),
    summary: () =>
      histogram.count === 0
        ? Option.none()
        : Option.some({
            count: histogram.count,
            min: millis(histogram.min),
            mean: millis(histogram.mean),
            p50: millis(histogram.percentile(50)),
            p90: millis(histogram.percentile(90)),
            p99: millis(histogram.percentile(99)),
            max: millis(histogram.max),
          }),
  }
}
