/**
 * How to log in, as the command line says it: with which dialects, step by step or not, in what time, and where to.
 */
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as LoginClient from "../net/LoginClient.ts"
import * as Dialect from "../protocol/Dialect.ts"
import * as Timeout from "./Timeout.ts"

/** The flags of whoever logs in. */
export const flags = {
  dialect: Flag.Literals("dialect", Dialect.all).pipe(
    Flag.withDescription("A dialect to offer, the preferred one first; may be repeated (default all)"),
    Flag.atLeast(0),
  ),
  strategy: Flag.Literals("strategy", LoginClient.Strategy.literals).pipe(
    Flag.withDescription(
      "How to go about it: official, as official clients do; no-inf, the same without INF; fast, in as few round trips as there can be (default official)",
    ),
    Flag.optional,
  ),
  anyReferral: Flag.Boolean("any-referral").pipe(
    Flag.withDescription("Go wherever a server refers to, were it nearer to this machine than the server is itself"),
    Flag.withDefault(false),
  ),
  timeout: Timeout.make(
    `How long the whole login may take (default ${Duration.toSeconds(LoginClient.defaultLimits.loginTimeout)})`,
  ).pipe(Flag.optional),
}

/** What was asked for with them. */
export interface Flags {
  readonly dialect: ReadonlyArray<Dialect.Dialect>
  readonly strategy: Option.Option<LoginClient.Strategy>
  readonly anyReferral: boolean
  readonly timeout: Option.Option<number>
}

/** How a client logs in that is told so. */
export const optionsOf = ({ anyReferral, dialect, strategy, timeout }: Flags) => {
  const [first, ...others] = dialect
  return {
    referrals: anyReferral ? "Anywhere" : "NoNearer",
    ...(first === undefined ? {} : { dialects: [first, ...others] }),
    ...Option.match(strategy, { onNone: () => ({}), onSome: (strategy) => ({ strategy }) }),
    ...Option.match(timeout, {
      onNone: () => ({}),
      onSome: (seconds) => ({ limits: { loginTimeout: Duration.seconds(seconds) } }),
    }),
  } satisfies Partial<LoginClient.Options>
}
