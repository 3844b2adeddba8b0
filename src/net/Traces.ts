/**
 * A span for each login, with an event for each stage, for the `Tracer` of whoever makes it.
 *
 * The span ends with the login: a session may last for days. It never holds a password, a digest or a challenge, and an
 * account only where that is asked for.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Telemetry from "./Telemetry.ts"

/** What is traced. */
export interface Options {
  /** Whether a span names the account, as the client spelled it; by default it does not. */
  readonly accounts?: "Named" | "Unnamed"
}

/** What went wrong, for an outcome that is somebody's fault. */
const faults: { readonly [outcome in Telemetry.Outcome]: Option.Option<string> } = {
  LoggedIn: Option.none(),
  NoCommonDialect: Option.some("No dialect is common."),
  Misbehaved: Option.some("The client broke the protocol."),
  Referred: Option.none(),
  Denied: Option.some("The account was not let in."),
  Unavailable: Option.some("The server was in trouble, or let nobody in."),
  Overdue: Option.some("The login took too long."),
  LoggedOff: Option.none(),
  LoggedInElsewhere: Option.none(),
  ShuttingDown: Option.none(),
  Dismissed: Option.none(),
  HungUp: Option.none(),
  Dropped: Option.some("The connection was dropped."),
}

const exitOf = (outcome: Telemetry.Outcome): Exit.Exit<void, { readonly name: string; readonly message: string }> =>
  Option.match(faults[outcome], {
    onNone: () => Exit.void,
    onSome: (message) => Exit.failCause(Cause.fail({ name: outcome, message })),
  })

/** Traces each login with the tracer of whoever runs this. */
export const make = (options: Options = {}): Effect.Effect<Telemetry.Observer> =>
  Effect.gen(function* () {
    const tracer = yield* Effect.tracer
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeNanosUnsafe()
    return {
      serving: () => {},
      connected: ({ id, local, remote, role }) => {
        const span = tracer.span({
          name: "msnp.login",
          parent: Option.none(),
          annotations: Context.empty(),
          links: [],
          startTime: now(),
          kind: "server",
          root: true,
          sampled: true,
        })
        span.attribute("msnp.connection", id)
        span.attribute("msnp.role", role)
        span.attribute("client.address", remote.host)
        span.attribute("client.port", remote.port)
        span.attribute("server.address", local.host)
        span.attribute("server.port", local.port)
        return Telemetry.follow({
          reached: (stage) => {
            span.event(stage._tag, now())
            if (options.accounts === "Named" && "account" in stage) span.attribute("msnp.account", stage.account)
          },
          refused: (clauses) => span.attribute("msnp.clauses", clauses),
          denied: (code) => span.attribute("msnp.code", code),
          ended: (outcome, dialect) => {
            span.attribute("msnp.dialect", dialect)
            span.attribute("msnp.outcome", outcome)
            span.end(now(), exitOf(outcome))
          },
          left: () => {},
          gone: () => {},
        })
      },
      limited: () => {},
    }
  })
