/** Metrics in the text format of Prometheus, read as strictly as its page on the format allows. */

/** The series of an exposition by their names with all labels, as they are written, and the types of the metrics. */
export interface Exposition {
  readonly series: ReadonlyMap<string, number>
  readonly types: ReadonlyMap<string, string>
}

const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/
const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/
const label = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`
const sample = new RegExp(String.raw`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{${label}(?:,${label})*\})? (\S+)$`)

/** Of which metric a sample is: a histogram's have endings. */
const metricOf = (name: string, types: ReadonlyMap<string, string>): string => {
  const family = name.replace(/_(bucket|sum|count)$/, "")
  return types.get(family) === "histogram" ? family : name
}

/**
 * Reads an exposition. It throws where a line is none of the format, a metric has no HELP and TYPE right before its
 * samples or has them twice, a series is there twice, or a value is no number.
 */
export const parse = (text: string): Exposition => {
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line does not end.")
  const series = new Map<string, number>()
  const types = new Map<string, string>()
  let helped = ""
  let current = ""
  for (const line of text.split("\n").slice(0, -1)) {
    const [, helpOf] = help.exec(line) ?? []
    const [, typeOf, kind] = type.exec(line) ?? []
    const [whole, name, value] = sample.exec(line) ?? []
    if (helpOf !== undefined) {
      helped = helpOf
    } else if (typeOf !== undefined && kind !== undefined) {
      if (helped !== typeOf) throw new Error(`${typeOf} has no HELP before its TYPE.`)
      if (types.has(typeOf)) throw new Error(`${typeOf} has two TYPEs.`)
      types.set(typeOf, kind)
      current = typeOf
    } else if (whole !== undefined && name !== undefined) {
      if (metricOf(name, types) !== current) throw new Error(`${name} is not among its own.`)
      const id = whole.slice(0, whole.lastIndexOf(" "))
      if (series.has(id)) throw new Error(`${id} is there twice.`)
      const number = value === "+Inf" ? Infinity : Number(value)
      if (Number.isNaN(number)) throw new Error(`${id} is ${value}, which is no number.`)
      series.set(id, number)
    } else throw new Error(`This is no line of the format: ${line}`)
  }
  return { series, types }
}

/** The series of a metric that are not 0. */
export const counted = ({ series }: Exposition, metric: string): { readonly [series: string]: number } =>
  Object.fromEntries(
    [...series]
      .filter(([id, value]) => (id === metric || id.startsWith(`${metric}{`)) && value !== 0)
      .map(([id, value]) => [id.slice(metric.length), value]),
  )
