/**
 * What a server decides about a login: the questions that the machine asks, answered by the embedding application.
 *
 * A dispatch server and a notification server differ in this alone. A decision that fails, takes too long, or would
 * be one too many in waiting becomes the code that says so.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Crypto from "node:crypto"
import type * as Server from "../login/Server.ts"
import type { ByTag } from "../machine/Machine.ts"
import type * as Account from "../protocol/Account.ts"
import type * as Address from "../protocol/Address.ts"
import * as Challenge from "../protocol/Challenge.ts"
import * as Dialect from "../protocol/Dialect.ts"
import type * as ErrorCode from "../protocol/ErrorCode.ts"
import * as Directory from "./Directory.ts"
import * as Seldom from "./internal/seldom.ts"
import type * as Limits from "./Limits.ts"
import * as Md5 from "./Md5.ts"
import type * as Presence from "./Presence.ts"
import * as Referrals from "./Referrals.ts"
import * as Token from "./Token.ts"

/** Both ends of a connection. */
export interface Ends {
  /** The client's. */
  readonly remote: Address.Address
  /** Ours: the address on which the client has reached us. */
  readonly local: Address.Address
}

/** May this account log in here? */
export type AdmissionQuestion = Extract<Server.Question, { readonly _tag: "Admission" }> & Ends

/** Is this the right answer to the challenge? */
export type VerdictQuestion = Extract<Server.Question, { readonly _tag: "Verdict" }> & Ends

/**
 * Challenge, refer, or turn down: a server of either role may do any of them.
 *
 * @keeps xfr.rare
 */
export type Admit = ByTag<Server.Event, "Challenge" | "Refer" | "Deny">

/** Let in, or turn down. */
export type Verdict = ByTag<Server.Event, "Accept" | "Deny">

/** The decisions of a server. */
export class Admission extends Context.Service<
  Admission,
  {
    readonly admit: (question: AdmissionQuestion) => Effect.Effect<Admit, Directory.DirectoryError>
    readonly judge: (question: VerdictQuestion) => Effect.Effect<Verdict, Directory.DirectoryError>
  }
>()("effect-msnp/host/Admission") {}

const deny = (code: ByTag<Server.Event, "Deny">["code"]): ByTag<Server.Event, "Deny"> => ({ _tag: "Deny", code })

/** Random digits are drawn nine at a time: this is the first number with ten. */
const tenDigits = 1_000_000_000

/** A challenge of ours, used once: the time, and 18 digits that cannot be guessed. */
const challenge = Effect.map(Clock.currentTimeMillis, (millis) =>
  Challenge.make(Math.floor(millis / 1000), () => Crypto.randomInt(tenDigits)),
)

/** What a server does with whoever wants to log in. */
export type Policy =
  /** Challenge everybody, so that nobody can find out which accounts exist; let in whoever answers right. */
  | { readonly _tag: "Challenge" }
  /** Refer everybody to the least loaded of these servers; 601 where none of them can be named to a client. */
  | { readonly _tag: "Refer"; readonly to: ReadonlyArray<Referrals.Candidate>; readonly from: Referrals.Server }
  /** Tell everybody a code: maintenance, or trouble. */
  | { readonly _tag: "Deny"; readonly code: ByTag<Server.Event, "Deny">["code"] }

/** Challenge everybody. */
export const challengeAll: Policy = { _tag: "Challenge" }

/** Carries a policy out, which is asked for anew for each client. */
const admitBy =
  (policy: Effect.Effect<Policy>): Admission["Service"]["admit"] =>
  ({ dialect, local }) =>
    Effect.flatMap(policy, (policy): Effect.Effect<Admit> => {
      switch (policy._tag) {
        case "Challenge":
          return Effect.map(challenge, (challenge) => ({ _tag: "Challenge", challenge }))
        case "Refer":
          return Effect.map(Clock.monotonicTimeNanos, (now) => refer(policy, dialect, local, Number(now / 1_000_000n)))
        case "Deny":
          return Effect.succeed(deny(policy.code))
      }
    })

const refer = (
  { from, to }: Extract<Policy, { readonly _tag: "Refer" }>,
  dialect: Dialect.Dialect,
  reached: Address.Address,
  now: number,
): Admit => {
  const self = Referrals.nameOf(from, reached)
  // MSNP7 is told who refers it; the other dialects are not, and can go on without.
  if (Option.isNone(self) && Dialect.rules[dialect].referral === "AddressZeroAndServer") return deny(601)
  return Option.match(Referrals.leastLoaded(to, reached, now), {
    onNone: () => deny(601),
    onSome: (to) => ({ _tag: "Refer", to, from: Option.getOrElse(self, () => to) }),
  })
}

/** What a notification server does with the owner of an account whose address has not been verified. */
export type Unverified = "LetIn" | "TurnDown"

/** How many uses of tokens are remembered until they can be kept; of more, some are forgotten. */
const maxUses = 1024

/**
 * Keeps which tokens are used while logins go on: all that come in while some are written are written together after
 * that, so that a thousand clients that come back at once do not wait for a thousand writes.
 */
const keepUses = Effect.fnUntraced(function* (directory: Directory.Directory["Service"]) {
  const uses = yield* Queue.dropping<Directory.TokenUse>(maxUses)
  yield* Stream.fromQueue(uses).pipe(
    Stream.runForEachArray((uses) =>
      Effect.catch(directory.used(uses), (error) => Effect.logWarning("When tokens were used last is not kept", error)),
    ),
    Effect.forkScoped,
  )
  return (use: Directory.TokenUse) => Queue.offer(uses, use)
})

/**
 * Decides as a notification server: challenges everybody, and lets in whoever answers right, by the account's password
 * or one of its tokens.
 *
 * Nobody learns from it whether there is an account: whoever is turned down with 911 hears the same, after one question
 * to the directory and one digest; one more for each token that the account has.
 *
 * @keeps beyond.unknown-account
 */
export const layerNotification = (options?: {
  /** By default they are let in, and told so; else they are turned down with 924. */
  readonly unverified?: Unverified
  /** By default {@link challengeAll}; a server that is about to go down refers clients elsewhere, or denies them. */
  readonly policy?: Effect.Effect<Policy>
}): Layer.Layer<Admission, never, Directory.Directory> =>
  Layer.effect(
    Admission,
    Effect.gen(function* () {
      const directory = yield* Directory.Directory
      const md5 = yield* Md5.Md5
      const keepUse = yield* keepUses(directory)
      const policy = options?.policy ?? Effect.succeed(challengeAll)
      const decoy = Token.makeSecret()

      const judge: Admission["Service"]["judge"] = Effect.fnUntraced(function* ({ account, challenge, digest }) {
        const isRight = (secret: Redacted.Redacted<string>) => Challenge.isAnswer(challenge, secret, digest, md5)
        const found = yield* directory.find(account)
        if (Option.isNone(found)) {
          // For the time that it takes: it is nobody's password.
          isRight(decoy)
          return deny(911)
        }
        const { account: known, friendlyName, password, standing, tokens, verification } = found.value
        const isPassword = isRight(password)
        // All of them are tried, whichever is right.
        const tried = tokens.map((token) => ({ token, isRight: isRight(token.secret) }))
        const token = tried.find(({ isRight }) => isRight)?.token
        if ((!isPassword && token === undefined) || standing === "Disabled") return deny(911)
        if (verification === "Unverified" && options?.unverified === "TurnDown") return deny(924)
        if (token !== undefined) {
          const at = yield* Clock.currentTimeMillis
          if (Token.isDue(token, at)) yield* keepUse({ account: known, id: token.id, at })
        }
        return { _tag: "Accept", account: known, friendlyName, verified: verification === "Verified" }
      })
      return {
        admit: admitBy(policy),
        judge: (question) =>
          Effect.flatMap(policy, (policy): Effect.Effect<Verdict, Directory.DirectoryError> => {
            switch (policy._tag) {
              case "Challenge":
                return judge(question)
              // The time for a referral is past once a client has been challenged.
              case "Refer":
                return Effect.succeed(deny(601))
              case "Deny":
                return Effect.succeed(deny(policy.code))
            }
          }),
      }
    }),
  )

/** A directory of nobody, for servers that let nobody in. */
const nobody = Directory.layerElsewhere(() => Effect.succeedNone)

/**
 * Decides as a dispatch server: refers each client to one of these notification servers, which take turns, and tells it
 * 601 where none of them can be named to it. For servers whose load or health is known, see {@link Policy}.
 *
 * @keeps xfr.dispatch
 */
export const layerDispatch = (options: {
  readonly self: Referrals.Server
  readonly servers: ReadonlyArray<Referrals.Server>
}): Layer.Layer<Admission> =>
  Layer.suspend(() => {
    const to = options.servers.map((server) => Referrals.stranger(server))
    return layerNotification({ policy: Effect.succeed({ _tag: "Refer", to, from: options.self }) })
  }).pipe(Layer.provide(nobody))

/** Turns every login down with a code: a server that is in trouble, or down for maintenance. */
export const layerMaintenance = (code: ErrorCode.Trouble): Layer.Layer<Admission> =>
  layerNotification({ policy: Effect.succeed({ _tag: "Deny", code }) }).pipe(Layer.provide(nobody))

/** The connection that a decision is about. */
export interface Asker extends Ends {
  /** What else is to be done before an account is let in: it is, where this does not fail. */
  readonly enter: (account: Account.Account, dialect: Dialect.Dialect) => Effect.Effect<void, Presence.PresenceError>
  /** Is told that a decision would be one too many in waiting, or takes too long. */
  readonly limited: (limit: "pendingDecisions" | "decisionTimeout") => void
}

/** Decisions that always come: 500 for one that fails, 910 for one that takes too long or would be one too many. */
export const guarded = (
  admission: Admission["Service"],
  { decisionTimeout, pendingDecisions }: Pick<Limits.Limits, "decisionTimeout" | "pendingDecisions">,
): ((question: Server.Question, asker: Asker) => Effect.Effect<Admit | Verdict>) => {
  let waiting = 0
  const log = Seldom.make()
  /** While accounts cannot be reached, whoever connects could fill a disk with the same. */
  const undecided = (cause: Cause.Cause<unknown>) =>
    log("undecided", (times) =>
      Effect.logError(
        times === 1
          ? "A login could not be decided"
          : `${times} logins could not be decided, the last of them for this reason`,
        cause,
      ),
    )
  const decide = (
    question: Server.Question,
    asker: Asker,
  ): Effect.Effect<Admit | Verdict, Directory.DirectoryError | Presence.PresenceError> => {
    const { local, remote } = asker
    switch (question._tag) {
      case "Admission":
        return admission.admit({ ...question, remote, local })
      case "Verdict":
        return Effect.flatMap(
          admission.judge({ ...question, remote, local }),
          (verdict): Effect.Effect<Verdict, Presence.PresenceError> =>
            verdict._tag === "Accept"
              ? Effect.as(asker.enter(verdict.account, question.dialect), verdict)
              : Effect.succeed(verdict),
        )
    }
  }
  const failed = (cause: Cause.Cause<unknown>) => Effect.as(undecided(cause), deny(500))
  const busy = (asker: Asker, limit: Parameters<Asker["limited"]>[0]) =>
    Effect.sync(() => {
      asker.limited(limit)
      return deny(910)
    })

  return (question, asker) =>
    Effect.withFiber((fiber): Effect.Effect<Admit | Verdict> => {
      if (waiting >= pendingDecisions) return busy(asker, "pendingDecisions")
      const decision = Effect.catchCause(
        Effect.suspend(() => decide(question, asker)),
        failed,
      )
      // What is decided at once needs no timer, which would take longer than the decision: 2 us.
      const deciding = Effect.runForkWith(fiber.context)(decision)
      const decided = deciding.pollUnsafe()
      if (decided !== undefined) return decided
      waiting++
      return Fiber.join(deciding).pipe(
        Effect.timeoutOrElse({ duration: decisionTimeout, orElse: () => busy(asker, "decisionTimeout") }),
        Effect.ensuring(
          Effect.suspend(() => {
            waiting--
            return Fiber.interrupt(deciding)
          }),
        ),
      )
    })
}
