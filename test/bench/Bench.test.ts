import { describe, expect, it } from "vitest"
import * as Bench from "./Bench.ts"

describe("the median", () => {
  it("is the value in the middle, or halfway between the two that are", () => {
    expect(Bench.median([9, 1, 5])).toBe(5)
    expect(Bench.median([10, 9, 1, 5])).toBe(7)
    expect(Bench.median([100])).toBe(100)
  })

  it("of nothing is not a number", () => {
    expect(Bench.median([])).toBeNaN()
  })
})

describe("a row", () => {
  const row: Bench.Row = {
    what: "A login",
    against: "a bare one",
    unit: "us",
    compare: "Ratio",
    target: { is: "AtMost", value: 1.35, next: 1.2 },
    // The machine was half as fast in the second round, for both.
    rounds: [
      { ours: 130, theirs: 100 },
      { ours: 250, theirs: 200 },
      { ours: 150, theirs: 100 },
    ],
  }

  it("compares within each round, and tells the one in the middle and how far they are spread", () => {
    expect(Bench.figureOf(row)).toEqual({
      ours: 150,
      theirs: 100,
      compared: { median: 1.3, least: 1.25, most: 1.5 },
      standing: "Reached",
    })
  })

  it("of differences has them in its unit", () => {
    const { compared } = Bench.figureOf({ ...row, compare: "Difference" })
    expect(compared).toEqual({ median: 50, least: 30, most: 50 })
  })

  it.each([
    { is: "AtMost", value: 1.29, next: 1.2, standing: "Missed" },
    { is: "AtMost", value: 1.3, next: 1.29, standing: "Reached" },
    { is: "AtMost", value: 1.35, next: 1.3, standing: "ReachedAll" },
    { is: "AtLeast", value: 1.31, next: 1.4, standing: "Missed" },
    { is: "AtLeast", value: 1.3, next: 1.31, standing: "Reached" },
    { is: "AtLeast", value: 1.2, next: 1.3, standing: "ReachedAll" },
  ] as const)("of 1.3 that is to be $is $value, then $next, is $standing", ({ is, next, standing, value }) => {
    expect(Bench.figureOf({ ...row, target: { is, value, next } }).standing).toBe(standing)
  })

  it("has reached all there is where there is no second target", () => {
    expect(Bench.figureOf({ ...row, target: { is: "AtMost", value: 1.3 } }).standing).toBe("ReachedAll")
  })

  it("that was never measured has reached nothing", () => {
    expect(Bench.figureOf({ ...row, rounds: [] }).standing).toBe("Missed")
  })
})

describe("rounds", () => {
  it("are as many as are asked for, each behind a look at the machine, and tell how far they are", async () => {
    const happened: Array<string> = []
    const results = await Bench.inRounds(
      2,
      async () => void happened.push("look"),
      (done) => void happened.push(`${done}`),
      async (round) => {
        happened.push(`round ${round}`)
        return round * 10
      },
    )
    expect(happened).toEqual(["look", "round 0", "0.5", "look", "round 1", "1"])
    expect(results).toEqual([0, 10])
  })
})
