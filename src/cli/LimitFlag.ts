/**
 * The flag `--limit` of a server: `NAME=VALUE`, by the names of `host/Limits`.
 */
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Limits from "../host/Limits.ts"

/** The largest number: what has to be counted beyond it is better off without a limit. */
const most = 1_000_000_000

/** The longest time: a day, and well within what a timer can wait. */
const longest = Duration.days(1)

const expectedCount = `a whole number from 1 to ${most}`
const expectedTime = 'a time up to "1 day", such as "30 seconds" or "500 millis"'

const count = (text: string): Option.Option<number> =>
  Option.filter(Option.some(Number(text)), (count) => /^[0-9]+$/.test(text) && count >= 1 && count <= most)

const time = (text: string): Option.Option<Duration.Duration> =>
  Option.filter(
    Schema.decodeUnknownOption(Schema.DurationFromString)(text),
    (time) => Duration.isGreaterThan(time, Duration.zero) && Duration.isLessThanOrEqualTo(time, longest),
  )

const isCount = (name: Limits.Name): boolean => typeof Limits.defaults[name] === "number"

/** The name and the value of a setting; the value may be missing. */
const partsOf = (text: string): readonly [name: string, value: string] => {
  const [name = "", ...value] = text.split("=")
  return [name, value.join("=")]
}

/** Sets one limit. */
type Setting = (limits: Limits.Limits) => Limits.Limits

const parse = (text: string): Option.Option<Setting> => {
  const [name, value] = partsOf(text)
  if (!Limits.isName(name)) return Option.none()
  const read: Option.Option<number | Duration.Duration> = isCount(name) ? count(value) : time(value)
  return Option.map(read, (value): Setting => (limits) => ({ ...limits, [name]: value }))
}

/** What should have stood there. */
const expected = (text: string): string => {
  const [name] = partsOf(text)
  if (!Limits.isName(name)) return `NAME=VALUE with a limit's name: ${Object.keys(Limits.defaults).join(", ")}`
  return `${name}=VALUE with ${isCount(name) ? expectedCount : expectedTime}`
}

/** The flag; of a limit that is set twice, the last setting holds. */
export const limits = Flag.String("limit").pipe(
  Flag.withMetavar("NAME=VALUE"),
  Flag.withDescription(
    'A limit of the server, such as connections=50000 or loginTimeout="1 minute"; may be repeated; docs/limits.md has them all',
  ),
  Flag.filterMap(parse, expected),
  Flag.atLeast(0),
  Flag.map((settings) => settings.reduce<Limits.Limits>((limits, set) => set(limits), Limits.defaults)),
)
