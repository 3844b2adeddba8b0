/**
 * What `msnp bench` has measured, for a person and for a program, and how far it has come.
 */
import * as Option from "effect/Option"
import type * as Latency from "../net/Latency.ts"
import type * as Load from "../net/Load.ts"
import * as Address from "../protocol/Address.ts"
import * as Output from "./Output.ts"

/** What was measured, and under what load. */
export interface Measured {
  readonly server: Address.Address
  readonly concurrency: number
  /** How many were to stay signed in. */
  readonly hold: number
  readonly report: Load.Report
  /** CPU time of the server's process in seconds; none where it is not ours. */
  readonly serverCpu: Option.Option<number>
  readonly end: "Done" | "Interrupted"
}

/** From which share of the time on it may be this process that is slow, and not the server. */
const busy = 0.9

const seconds = (time: number): string => `${Output.digits(time)} s`
const percent = (share: number): string => `${Math.round(share * 100)} %`

/** How often something came to an end in a second. */
const rateOf = (count: number, seconds: number): number => (seconds === 0 ? 0 : count / seconds)

const count = (failures: ReadonlyArray<Load.Failures>): number => failures.reduce((sum, { count }) => sum + count, 0)

const whole = (figure: number): string => String(Math.round(figure))

const row = (what: string, rate: number, times: Option.Option<Latency.Summary>): ReadonlyArray<string> =>
  Option.match(times, {
    onNone: () => [what, "0", whole(rate), "-", "-", "-", "-"],
    onSome: ({ count, max, p50, p90, p99 }) => [
      what,
      String(count),
      whole(rate),
      ...[p50, p90, p99, max].map(Output.digits),
    ],
  })

const sentencesOf = (what: string, failures: ReadonlyArray<Load.Failures>): ReadonlyArray<string> =>
  failures.map(({ count, message, why }) => `${what}: ${count} × ${why}, for instance: ${message}`)

const held = ({ hold, report: { stayed } }: Measured): ReadonlyArray<string> =>
  hold === 0
    ? []
    : [
        `Held: ${stayed.signedIn} of ${hold}, signed in within ${seconds(stayed.seconds)}; ${stayed.lost} of them lost their session.`,
        ...sentencesOf("Not held", stayed.failures),
      ]

const cpuOf = (who: string, cpu: number, { ended, seconds }: Load.Report): string => {
  const perLogin = ended === 0 ? "" : `${Output.digits((cpu * 1000) / ended)} ms a login, `
  return `CPU time of ${who}: ${perLogin}${percent(rateOf(cpu, seconds))} of a core.`
}

/** All of it, for a person. */
export const lines = (measured: Measured): ReadonlyArray<string> => {
  const { concurrency, end, report, server, serverCpu } = measured
  const { connections, ended, failures, logins, ours } = report
  const connected = Option.match(connections, { onNone: () => 0, onSome: ({ count }) => count })
  const behind = end === "Done" ? "" : ", then interrupted"
  if (report.seconds === 0) return ["Interrupted before anything was measured."]
  return [
    `Logins at ${Address.format(server)}, ${concurrency} at once, measured for ${seconds(report.seconds)}${behind}.`,
    "",
    ...Output.table([
      ["", "COUNT", "A SECOND", "P50 MS", "P90 MS", "P99 MS", "MAX MS"],
      row("logins", rateOf(ended, report.seconds), logins),
      row("connections", rateOf(connected, report.seconds), connections),
    ]),
    "",
    `Failed: ${count(failures)}.`,
    ...sentencesOf("Failed", failures),
    ...held(measured),
    ...Option.toArray(Option.map(serverCpu, (cpu) => cpuOf("the server", cpu, report))),
    cpuOf("this process", ours.cpu, report),
    ...(ours.busy < busy
      ? []
      : [`This process was busy for ${percent(ours.busy)} of the time: the server may be faster than these figures.`]),
  ]
}

/** All of it, for a program. */
export const event = ({ concurrency, end, hold, report, server, serverCpu }: Measured): Output.Event => ({
  event: "measured",
  server: Address.format(server),
  concurrency,
  complete: end === "Done",
  seconds: report.seconds,
  loginsPerSecond: rateOf(report.ended, report.seconds),
  ended: report.ended,
  logins: Option.getOrNull(report.logins),
  connections: Option.getOrNull(report.connections),
  failed: count(report.failures),
  failures: report.failures,
  before: report.before,
  held: { asked: hold, ...report.stayed },
  cpu: { server: Option.getOrNull(serverCpu), ours: report.ours.cpu },
  busy: report.ours.busy,
})

const logins = (count: number): string => (count === 1 ? "1 login" : `${count} logins`)

/** What went wrong, in a sentence; none where nothing did. */
export const wrong = ({ hold, report: { failures, logins: ok, stayed } }: Measured): Option.Option<string> => {
  const failed = count(failures)
  const all = failed + Option.match(ok, { onNone: () => 0, onSome: ({ count }) => count })
  const absent = hold - stayed.signedIn + stayed.lost
  const parts = [
    ...(failed === 0 ? [] : [`${failed} of ${logins(all)} failed`]),
    ...(absent === 0 ? [] : [`${absent} of ${hold} did not stay signed in`]),
  ]
  return parts.length === 0 ? Option.none() : Option.some(`${parts.join(", and ")}.`)
}

/** How far a load has come, in a line; the last report is what the rate of the moment is told from. */
export const progress = (extent: Load.Extent, hold: number, last: Load.Report, report: Load.Report): string => {
  switch (report.phase) {
    case "Trying":
      return "Logging in once"
    case "Holding":
      return `Signing in ${report.stayed.signedIn} of ${hold} who stay`
    case "WarmingUp":
      return `Warming up: ${logins(report.before.ended)}`
    case "Measuring":
    case "Finishing":
    case "Over": {
      const rate = rateOf(report.ended - last.ended, report.seconds - last.seconds)
      const median = Option.match(report.logins, {
        onNone: () => "",
        onSome: ({ p50 }) => `, p50 ${Output.digits(p50)} ms`,
      })
      const done = extent._tag === "Logins" ? ` of ${extent.count}` : ""
      return `${whole(report.seconds)} s: ${report.ended}${done} logins, ${whole(rate)} a second, ${count(report.failures)} failed${median}`
    }
  }
}
