/** What the document on observability says that there is, held against what there is. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Metrics from "../../src/net/Metrics.ts"
import * as Exposition from "../support/Exposition.ts"
import { inLanguage, textOf } from "./Blocks.ts"

const text = textOf("docs/observability.md")

/** Everything that is counted by a server of any role. */
const exposition = Effect.gen(function* () {
  const { serving } = yield* Metrics.make
  serving("notification")
  yield* Metrics.ofProcess
  return Exposition.parse(yield* PrometheusMetrics.format())
}).pipe(Effect.scoped, Effect.provideService(Metric.MetricRegistry, new Map()), Effect.runSync)

const LogLine = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

/** A line that is written into the log. */
const lines = Effect.gen(function* () {
  const written: Array<string> = []
  const logger = Logger.map(Logger.formatJson, (line) => void written.push(line))
  yield* Effect.provide(Effect.log("A login is over: Denied"), Logger.layer([logger]))
  return written
})

/** Of which metric a series is: a histogram's have endings. */
const metricOf = (id: string): string => {
  const name = id.replace(/\{.*/, "")
  const family = name.replace(/_(bucket|sum|count)$/, "")
  return exposition.types.get(family) === "histogram" ? family : name
}

/** The labels of each metric, but for that of the buckets. */
const labels = new Map<string, ReadonlyArray<string>>()
for (const id of exposition.series.keys()) {
  const names = [...id.matchAll(/(\w+)="/g)].map(([, label = ""]) => label)
  labels.set(
    metricOf(id),
    names.filter((name) => name !== "le"),
  )
}

const table = text
  .split("\n")
  .filter((line) => /^\| `(msnp|process|nodejs)_\w+` +\| /.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))

const inCode = (cell: string): ReadonlyArray<string> => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name)

describe("the document", () => {
  it("names each metric with its type, and none besides", () => {
    const named = table.map(([, name = "", type = ""]) => [...inCode(name), type].join(" "))
    expect(named.toSorted()).toEqual([...exposition.types].map((words) => words.join(" ")).toSorted())
  })

  it("names each metric's labels", () => {
    const named = table.map(([, name = "", , labels = ""]) => [inCode(name).join(), inCode(labels)] as const)
    expect(new Map(named)).toEqual(labels)
  })

  it("names each outcome", () => {
    const outcomes = [...exposition.series.keys()].flatMap((id) => /outcome="(\w+)"/.exec(id)?.[1] ?? [])
    expect(outcomes.filter((outcome) => !text.includes(`\`${outcome}\``))).toEqual([])
  })

  it.each(inLanguage("promql"))("asks of metrics and labels that there are: %s", (_, query) => {
    const named = [...query.matchAll(/\bmsnp_\w+/g)].map(([name]) => metricOf(name))
    expect(named.filter((name) => !exposition.types.has(name))).toEqual([])
    const matched = [...query.matchAll(/(msnp_\w+)\{(\w+)="(\w+)"\}/g)]
    const there = [...exposition.series.keys()]
    const missing = matched.filter(
      ([, name = "", label, value]) =>
        !there.some((id) => id.startsWith(`${name}{`) && id.includes(`${label}="${value}"`)),
    )
    expect(missing).toEqual([])
  })

  it.each(inLanguage("json"))("shows a line of the log as Effect writes it: %s", (_, shown) => {
    const [written] = Effect.runSync(lines)
    const keys = (text: string) => Object.keys(Schema.decodeUnknownSync(LogLine)(text))
    expect(keys(shown)).toEqual(keys(written ?? ""))
    expect(Schema.decodeUnknownSync(LogLine)(shown).level).toBe("DEBUG")
  })
})
