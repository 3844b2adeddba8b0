import { describe, expect, it } from "vitest"
import * as Option from "effect/Option"
import * as Latency from "../../src/net/Latency.ts"

/** What a summary says of these times. */
const summaryOf = (times: ReadonlyArray<number>): Latency.Summary => {
  const latency = Latency.make()
  for (const time of times) latency.record(time)
  return Option.getOrThrow(latency.summary())
}

/** The time that so many of a hundred are not beyond: that of the nearest rank. */
const exact = (times: ReadonlyArray<number>, percent: number): number => {
  const rank = Math.max(1, Math.round((percent / 100) * times.length))
  return times.toSorted((a, b) => a - b)[rank - 1] ?? Number.NaN
}

/** Times from a tenth of a microsecond to a quarter of an hour, each order of magnitude as often as the others. */
const someTimes = (count: number) => Array.from({ length: count }, () => 10 ** (Math.random() * 10 - 4))

describe("times", () => {
  it.each([1, 2, 3, 10, 99, 1000, 50_000])("are summed up within the error that is told: %i of them", (count) => {
    const times = someTimes(count)
    const summary = summaryOf(times)
    const expected = {
      min: Math.min(...times),
      mean: times.reduce((sum, time) => sum + time, 0) / count,
      p50: exact(times, 50),
      p90: exact(times, 90),
      p99: exact(times, 99),
      max: times.reduce((max, time) => Math.max(max, time), 0),
    }
    for (const name of ["min", "mean", "p50", "p90", "p99", "max"] as const) {
      const off = Math.abs(summary[name] - expected[name])
      // What is recorded is whole nanoseconds.
      expect(off, `${name} of ${times.slice(0, 10).join()}`).toBeLessThanOrEqual(
        expected[name] * Latency.relativeError + 1e-6,
      )
    }
    expect(summary.count).toBe(count)
  })

  it("are none before the first, and can be looked at in between", () => {
    const latency = Latency.make()
    expect(latency.summary()).toEqual(Option.none())
    latency.record(5)
    expect(Option.getOrThrow(latency.summary()).count).toBe(1)
    latency.record(7)
    expect(Option.getOrThrow(latency.summary())).toMatchObject({ count: 2 })
  })

  it("may be none at all, or longer than can be told", () => {
    const { count, max, min } = summaryOf([0, Latency.longest * 2])
    expect(count).toBe(2)
    expect(min).toBeLessThanOrEqual(1e-6)
    expect(max / Latency.longest).toBeCloseTo(1, 2)
  })
})
