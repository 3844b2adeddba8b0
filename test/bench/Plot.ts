/** Logins per second over how many there are at once, as a picture: ours and theirs, and below it the ratio. */

/** What was measured with so many at once: medians of logins per second, and of the rounds' ratios. */
export interface Point {
  readonly atOnce: number
  readonly ours: number
  readonly theirs: number
  readonly ratio: number
}

/** What is drawn, in pixels: two panels over each other, on the same axis. */
const width = 720
const height = 520
const left = 80
const right = 590
const upper = { top: 44, bottom: 264 }
const lower = { top: 304, bottom: 464 }

/** How far one line of words is from the next. */
const lineHeight = 16

type Panel = typeof upper

/** The least round number that is no less: 1, 2 or 5, with zeros. */
const ceiling = (value: number): number => {
  const ten = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((factor) => factor * ten).find((round) => round >= value) ?? value
}

const text = (x: number, y: number, anchor: "start" | "middle" | "end", words: string, kind = "label"): string =>
  `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`

/** Readable on a light page and on a dark one. */
const style = `
  text { font: 13px Helvetica, Arial, sans-serif; fill: #24292f }
  .title { font-weight: bold }
  .grid { stroke: #d0d7de }
  .target { stroke: #57606a; stroke-dasharray: 5 4 }
  .page { fill: #ffffff }
  .line { fill: none; stroke-width: 2.5 }
  .ours { stroke: #0969da } circle.ours, text.ours { fill: #0969da; stroke: none }
  .theirs { stroke: #9a6700 } circle.theirs, text.theirs { fill: #9a6700; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .target { stroke: #8b949e }
    .page { fill: #0d1117 }
    .ours { stroke: #58a6ff } circle.ours, text.ours { fill: #58a6ff }
    .theirs { stroke: #d29922 } circle.theirs, text.theirs { fill: #d29922 }
  }`

/** A picture of these points, in order; with lines where the ratio is to get to. */
export const svg = (points: ReadonlyArray<Point>, targets: ReadonlyArray<number>): string => {
  const xs = points.map((_, i) => left + 30 + ((right - left - 60) * i) / Math.max(1, points.length - 1))
  const most = ceiling(Math.max(...points.flatMap(({ ours, theirs }) => [ours, theirs])))
  const mostRatio = Math.max(1, ...points.map(({ ratio }) => Math.ceil(ratio * 5) / 5))
  const y = ({ bottom, top }: Panel, share: number) => Number((bottom - (bottom - top) * share).toFixed(1))

  /** Lines across a panel at so many steps, each with its number. */
  const grid = (panel: Panel, steps: number, label: (share: number) => string) =>
    Array.from({ length: steps + 1 }, (_, i) => i / steps).flatMap((share) => [
      `<line class="grid" x1="${left}" x2="${right}" y1="${y(panel, share)}" y2="${y(panel, share)}"/>`,
      text(left - 8, y(panel, share) + 4, "end", label(share)),
    ])

  /** A line through a panel, with a dot at each point. */
  const curve = (panel: Panel, kind: "ours" | "theirs", shares: ReadonlyArray<number>) => {
    const places = shares.map((share, i) => [Number((xs[i] ?? 0).toFixed(1)), y(panel, share)] as const)
    return [
      `<polyline class="line ${kind}" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
      ...places.map(([x, y]) => `<circle class="${kind}" cx="${x}" cy="${y}" r="4"/>`),
    ]
  }

  /** The names of the lines, behind where they end, and apart from each other. */
  const names = points.slice(-1).flatMap(({ ours, theirs }) => {
    const theirY = y(upper, theirs / most)
    const apart = y(upper, ours / most) - theirY
    const ourY = theirY + (apart < 0 ? Math.min(apart, -lineHeight) : Math.max(apart, lineHeight))
    return [
      text(right + 8, theirY + 4, "start", "node:net", "theirs"),
      text(right + 8, ourY + 4, "start", "msnp serve", "ours"),
    ]
  })

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>Logins per second over how many there are at once</title>`,
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    text(left, 24, "start", "Logins per second", "title"),
    ...grid(upper, 5, (share) => (most * share).toLocaleString("en")),
    ...curve(
      upper,
      "theirs",
      points.map(({ theirs }) => theirs / most),
    ),
    ...curve(
      upper,
      "ours",
      points.map(({ ours }) => ours / most),
    ),
    ...names,
    text(left, lower.top - 16, "start", "Ratio, msnp serve / node:net", "title"),
    ...grid(lower, Math.round(mostRatio * 5), (share) => (mostRatio * share).toFixed(1)),
    ...targets.flatMap((target) => [
      `<line class="target" x1="${left}" x2="${right}" y1="${y(lower, target / mostRatio)}" y2="${y(lower, target / mostRatio)}"/>`,
      text(right + 8, y(lower, target / mostRatio) + 4, "start", `to reach: ${target}`),
    ]),
    ...curve(
      lower,
      "ours",
      points.map(({ ratio }) => ratio / mostRatio),
    ),
    ...points.map(({ atOnce }, i) => text(xs[i] ?? 0, lower.bottom + 20, "middle", String(atOnce))),
    text((left + right) / 2, lower.bottom + 42, "middle", "logins at once"),
    "</svg>",
    "",
  ].join("\n")
}
