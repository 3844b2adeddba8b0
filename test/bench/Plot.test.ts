import { describe, expect, it } from "vitest"
import * as Plot from "./Plot.ts"

/** The places of the dots of a kind, from left to right. */
const dotsOf = (svg: string, kind: "ours" | "theirs") =>
  Array.from(svg.matchAll(new RegExp(`<circle class="${kind}" cx="([\\d.]+)" cy="([\\d.]+)"`, "g")), ([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }))

describe("a plot", () => {
  const svg = Plot.svg(
    [
      { atOnce: 1, ours: 1000, theirs: 2000, ratio: 0.5 },
      { atOnce: 16, ours: 4000, theirs: 4000, ratio: 1 },
    ],
    [0.75],
  )

  it("has a dot for each figure, the greater the higher, from 0 to the next round number", () => {
    const [theirs, [ours, alsoOurs, ratio, alsoRatio]] = [dotsOf(svg, "theirs"), dotsOf(svg, "ours")]
    // The upper panel is 220 high and ends at 264: of 5,000 per second, 1,000 are a fifth.
    expect(theirs.map(({ y }) => y)).toEqual([176, 88])
    expect([ours?.y, alsoOurs?.y]).toEqual([220, 88])
    // The lower one is 160 high and ends at 464.
    expect([ratio?.y, alsoRatio?.y]).toEqual([384, 304])
    expect(ours?.x).toBe(theirs[0]?.x)
  })

  it("names its axes and units, what is to be reached, and how many there are at once", () => {
    for (const words of ["Logins per second", "5,000", "logins at once", ">1<", ">16<", "to reach: 0.75"]) {
      expect(svg).toContain(words)
    }
  })

  it("keeps the names of its lines apart where these end at the same height", () => {
    const places = Array.from(svg.matchAll(/<text class="(?:ours|theirs)" x="598" y="([\d.]+)"/g), ([, y]) => Number(y))
    expect(places).toEqual([92, 108])
  })
})
