/** Machines that are each broken in one way, with the invariant that must find it out. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Client from "../../../src/login/Client.ts"
import type * as Server from "../../../src/login/Server.ts"
import type { ByTag, Step, Tagged } from "../../../src/machine/Machine.ts"
import * as Machine from "../../../src/machine/Machine.ts"
import type { Action } from "../../../src/net/internal/driver.ts"
import type { ClientCommand } from "../../../src/protocol/ClientCommand.ts"
import * as Dialect from "../../../src/protocol/Dialect.ts"
import type { ServerCommand } from "../../../src/protocol/ServerCommand.ts"
import * as TrId from "../../../src/protocol/TrId.ts"
import type { Name } from "./Invariants.ts"
import type * as WithClient from "./WithClient.ts"
import * as WithServer from "./WithServer.ts"
import type { Side } from "../Talk.ts"

export type ServerSide = ReturnType<typeof WithServer.subject.side>
export type ClientSide = ReturnType<typeof WithClient.subject.side>

/** A broken machine: what it does, and what that breaks. */
export interface Broken<S> {
  readonly does: string
  readonly breaks: Name
  readonly breaking: (side: S) => S
}

/** Makes a machine that does something else than the sound one, where `wrong` says so. */
const machine =
  <S extends Tagged, E extends Tagged, I, C, Q>() =>
  (
    breaks: Name,
    does: string,
    wrong: (state: S, event: E, sound: Step<S, Action<C, Q, E>>) => Step<S, Action<C, Q, E>> | undefined,
  ): Broken<Side<S, E, I, C, Q>> => ({
    does,
    breaks,
    breaking: (side) => ({
      ...side,
      transition: (state, event) => {
        const sound = side.transition(state, event)
        return wrong(state, event, sound) ?? sound
      },
    }),
  })

const server = machine<Server.State, Server.Event, ClientCommand, ServerCommand, Server.Question>()
const client = machine<Client.State, Client.Event, ServerCommand, ClientCommand, Client.Question>()

const defect = (state: Tagged, event: Tagged): never => {
  throw new Machine.MisuseError(state._tag, event._tag)
}

/** A step whose state knows something more; no such state is in the types. */
const knowing = <S extends Step<object, unknown>>(step: S, more: object): S => ({
  ...step,
  state: { ...step.state, ...more },
})

/** A server in whose events of one kind stands the line that was heard. */
const quoting = (tag: Server.Event["_tag"], does: string): Broken<ServerSide> => ({
  does,
  breaks: "secrets",
  breaking: (side) => {
    let words: ReadonlyArray<string> = []
    return {
      ...side,
      decode: (frame) => {
        words = frame.words
        return side.decode(frame)
      },
      classify: (state, heard) => {
        const event = side.classify(state, heard)
        return event._tag === tag ? { ...event, words } : event
      },
    }
  },
})

const closed = { _tag: "Closed", reason: "Misbehaved" } as const
const silently: Step<Server.State, { readonly _tag: "Close" }> = { state: closed, actions: [{ _tag: "Close" }] }
const otherTrId = (trId: TrId.TrId) => TrId.TrId.make(trId === 0 ? 1 : trId - 1)

/** Servers that random clients find out. */
export const servers: ReadonlyArray<Broken<ServerSide>> = [
  server("lawful", "has a defect where an account logs in elsewhere", (state, event) =>
    event._tag === "Displaced" && state._tag !== "Closed" ? defect(state, event) : undefined,
  ),
  server("once", "says USR OK again in a session", (state, event) =>
    state._tag === "LoggedIn" && event._tag === "Ver"
      ? {
          state,
          actions: [
            { _tag: "Say", command: { ...state, _tag: "UsrOk", trId: event.trId, verified: Option.none() } },
            { _tag: "Deliver" },
          ],
        }
      : undefined,
  ),
  server("closed", "says OUT where it has closed", (state, event) =>
    state._tag === "Closed" && event._tag === "HungUp"
      ? { state, actions: [{ _tag: "Say", command: { _tag: "Out", reason: "ShuttingDown" } }] }
      : undefined,
  ),
  server("closed", "hands over behind a close what it cannot read", (state, event, sound) =>
    state._tag === "LoggedIn" && event._tag === "Unreadable"
      ? { ...sound, actions: [...sound.actions, { _tag: "Deliver" }] }
      : undefined,
  ),
  server("trId", "answers INF with another TrID", (state, event) =>
    state._tag === "AwaitInfOrUsr" && event._tag === "Inf"
      ? {
          state: { ...state, _tag: "AwaitUsr" },
          actions: [{ _tag: "Say", command: { _tag: "Inf", trId: otherTrId(event.trId), packages: ["MD5"] } }],
        }
      : undefined,
  ),
  server("trId", "says 715 without a TrID", (state, event, sound) =>
    state._tag === "AwaitUsr" && event._tag === "Ver"
      ? {
          ...sound,
          actions: sound.actions.map((action) =>
            action._tag === "Say" && action.command._tag === "Failure"
              ? { ...action, command: { ...action.command, trId: Option.none() } }
              : action,
          ),
        }
      : undefined,
  ),
  server("knowledge", "knows the friendly name before anybody has told it", (_, event, sound) =>
    event._tag === "Challenge" && sound.state._tag === "AwaitDigest"
      ? knowing(sound, { friendlyName: "Alice" })
      : undefined,
  ),
  server("knowledge", "thinks that the client has hung up where it has logged off", (_, event, sound) =>
    event._tag === "Out" && sound.state._tag === "Closed" && sound.actions.length > 0
      ? knowing(sound, { reason: "HungUp" })
      : undefined,
  ),
  server("knowledge", "takes INF for misbehavior", (state, event) =>
    state._tag === "AwaitInfOrUsr" && event._tag === "Inf" ? silently : undefined,
  ),
  server("secrets", "keeps the digest", (state, event, sound) =>
    state._tag === "AwaitDigest" && event._tag === "UsrRespond" ? knowing(sound, { digest: event.digest }) : undefined,
  ),
  server("secrets", "asks its host with the digest as a plain text", (state, event, sound) =>
    state._tag === "AwaitDigest" && event._tag === "UsrRespond"
      ? {
          ...sound,
          actions: sound.actions.map((action) => ({ ...action, text: Redacted.value(event.digest) })),
        }
      : undefined,
  ),
  server("secrets", "hands over a password, though wrapped", (state, event, sound) =>
    state._tag === "LoggedIn" && event._tag === "Foreign"
      ? { ...sound, actions: sound.actions.map((action) => ({ ...action, text: Redacted.make(WithServer.password) })) }
      : undefined,
  ),
  server("secrets", "hands over a digest, though wrapped", (state, event, sound) =>
    state._tag === "LoggedIn" && event._tag === "UsrRespond"
      ? {
          ...sound,
          actions: sound.actions.map((action) => ({ ...action, text: event.digest })),
        }
      : undefined,
  ),
  server("secrets", "asks its host with challenge and digest in one, though wrapped", (_, event, sound) =>
    event._tag === "UsrRespond" && sound.state._tag === "AwaitVerdict"
      ? {
          ...sound,
          actions: sound.actions.map((action) => {
            if (action._tag !== "Ask" || action.question._tag !== "Verdict") return action
            const hashed = Redacted.make(action.question.challenge + Redacted.value(event.digest))
            return { ...action, question: { ...action.question, hashed } }
          }),
        }
      : undefined,
  ),
  server("secrets", "asks its host with challenge and password in the place of the digest", (_, event, sound) =>
    event._tag === "UsrRespond" && sound.state._tag === "AwaitVerdict"
      ? {
          ...sound,
          actions: sound.actions.map((action) => {
            if (action._tag !== "Ask" || action.question._tag !== "Verdict") return action
            const digest = Redacted.make(action.question.challenge + WithServer.password)
            return { ...action, question: { ...action.question, digest } } as typeof action
          }),
        }
      : undefined,
  ),
  quoting("UsrRespondMalformed", "tells in an event what stands in the place of the digest"),
  quoting("Foreign", "tells in an event what stands behind a verb without a meaning"),
  server("waits", "closes at INF while its host decides", (state, event) =>
    state._tag === "AwaitAdmission" && event._tag === "Inf" ? silently : undefined,
  ),
  server("waits", "forgets INF while its host decides", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Inf" ? { state, actions: [] } : undefined,
  ),
  server("waits", "drops a verb that means nothing in the login while its host decides", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Foreign" ? { state, actions: [] } : undefined,
  ),
  server("session", "never hands a command over", (state, event) =>
    state._tag === "LoggedIn" && event._tag === "Foreign" ? { state, actions: [] } : undefined,
  ),
  server("session", "hands a command over that means nothing in the login", (state, event, sound) =>
    state._tag === "AwaitUsr" && event._tag === "Foreign"
      ? { ...sound, actions: [{ _tag: "Deliver" }, ...sound.actions] }
      : undefined,
  ),
  server("overdue", "waits for the digest for ever", (state, event) =>
    state._tag === "AwaitDigest" && event._tag === "Overdue" ? { state, actions: [] } : undefined,
  ),
  server("overdue", "has a defect where its host decides too late", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Overdue" ? defect(state, event) : undefined,
  ),
  server("overdue", "says OUT SSD where a login is overdue", (state, event, sound) =>
    state._tag === "AwaitInfOrUsr" && event._tag === "Overdue"
      ? { ...sound, actions: [{ _tag: "Say", command: { _tag: "Out", reason: "ShuttingDown" } }, ...sound.actions] }
      : undefined,
  ),
]

const misbehaved: Step<Client.State, { readonly _tag: "Close" }> = {
  state: { _tag: "Closed", reason: { _tag: "ServerMisbehaved", expected: [], got: "an error" } },
  actions: [{ _tag: "Close" }],
}

/** Clients that random servers find out. */
export const clients: ReadonlyArray<Broken<ClientSide>> = [
  client("lawful", "has a defect where it logs off while its host thinks", (state, event) =>
    state._tag === "AwaitDigest" && event._tag === "LogOff" ? defect(state, event) : undefined,
  ),
  client("once", "responds to a second challenge", (state, event) =>
    state._tag === "AwaitOk" && event._tag === "UsrChallenge"
      ? {
          state: { ...state, _tag: "AwaitDigest" },
          actions: [{ _tag: "Ask", question: { _tag: "Digest", challenge: event.challenge } }],
        }
      : undefined,
  ),
  client("closed", "says OUT where it was referred", (state, event) =>
    state._tag === "Referred" && event._tag === "LogOff"
      ? { state, actions: [{ _tag: "Say", command: { _tag: "Out" } }] }
      : undefined,
  ),
  client("closed", "says OUT at a USR OK that comes late", (state, event) =>
    state._tag === "Closed" && event._tag === "UsrOk"
      ? { state, actions: [{ _tag: "Say", command: { _tag: "Out" } }] }
      : undefined,
  ),
  client("trId", "does not count its TrIDs", (state, event) =>
    state._tag === "AwaitVer" && event._tag === "Ver"
      ? {
          state: { ...pending(state), _tag: "AwaitInf", dialect: event.dialect },
          actions: [{ _tag: "Say", command: { _tag: "Inf", trId: state.trId } }],
        }
      : undefined,
  ),
  {
    breaks: "trId",
    does: "takes INF for an answer whatever TrID it bears",
    breaking: (side) => ({
      ...side,
      classify: (state, heard) =>
        Result.isSuccess(heard) && heard.success._tag === "Inf" && state._tag === "AwaitInf"
          ? { _tag: "Inf" }
          : side.classify(state, heard),
    }),
  },
  client("knowledge", "goes to another server than it was referred to", (_, event, sound) =>
    event._tag === "Xfr" && sound.state._tag === "Referred"
      ? knowing(sound, { to: { host: "10.0.0.6", port: 1863 } })
      : undefined,
  ),
  client("knowledge", "takes 911 for misbehavior where its password is wrong", (state, event) =>
    state._tag === "AwaitOk" && event._tag === "Failure" && event.code === 911 ? misbehaved : undefined,
  ),
  {
    breaks: "secrets",
    does: "tells in an event what stands in a line that answers nothing",
    breaking: (side) => ({
      ...side,
      classify: (state, heard) => {
        const event = side.classify(state, heard)
        return Result.isSuccess(heard) && heard.success._tag === "Foreign" && event._tag === "Aside"
          ? { ...event, words: heard.success.parameters }
          : event
      },
    }),
  },
  client("secrets", "takes the friendly name for a dialect", (_, event, sound) =>
    event._tag === "UsrOk" && sound.state._tag === "LoggedIn"
      ? {
          ...sound,
          actions: [...sound.actions, { _tag: "Postponed", event: { ...event, dialect: event.friendlyName } }],
        }
      : undefined,
  ),
  client("secrets", "keeps the digest", (_, event, sound) =>
    event._tag === "Answer" && sound.state._tag === "AwaitOk" ? knowing(sound, { digest: event.digest }) : undefined,
  ),
  {
    breaks: "waits",
    does: "closes at a line that it cannot read while its host thinks",
    breaking: (side) => ({
      ...side,
      classify: (state, heard) =>
        state._tag === "AwaitDigest" && Result.isFailure(heard)
          ? { _tag: "Stray", got: "nonsense" }
          : side.classify(state, heard),
      transition: (state, event) =>
        state._tag === "AwaitDigest" && event._tag === "Stray" ? misbehaved : side.transition(state, event),
    }),
  },
  client("waits", "drops a line that comes while its host thinks", (state, event) =>
    state._tag === "AwaitDigest" && event._tag === "Early" ? { state, actions: [] } : undefined,
  ),
  client("session", "never hands a command over", (state, event) =>
    state._tag === "LoggedIn" && event._tag === "Further" ? { state, actions: [] } : undefined,
  ),
  client("overdue", "waits for the answer to INF for ever", (state, event) =>
    state._tag === "AwaitInf" && event._tag === "Overdue" ? { state, actions: [] } : undefined,
  ),
]

const pending = ({ account, skipped, trId }: ByTag<Client.State, "AwaitVer">) => ({ account, skipped, trId })

/** Servers that our own client finds out. */
export const partnerServers: ReadonlyArray<Broken<ServerSide>> = [
  server("agreement", "settles on another dialect than it says", (_, event, sound) =>
    event._tag === "Ver" && sound.state._tag === "AwaitInfOrUsr"
      ? knowing(sound, { dialect: event.common.findLast(Dialect.isDialect) })
      : undefined,
  ),
  server("agreement", "turns an account down without a word", (_, event, sound) =>
    event._tag === "Deny" && sound.state._tag === "Closed" ? { ...sound, actions: [{ _tag: "Close" }] } : undefined,
  ),
]

/** Clients that our own server finds out. */
export const partnerClients: ReadonlyArray<Broken<ClientSide>> = [
  client("agreement", "takes 911 for the server's trouble", (_, event, sound) =>
    event._tag === "Failure" && event.code === 911 && sound.state._tag === "Closed"
      ? { ...sound, state: { _tag: "Closed", reason: { _tag: "Unavailable", code: 911 } } }
      : undefined,
  ),
  {
    breaks: "agreement",
    does: "settles on the last dialect that is named, not on the first",
    breaking: (side) => ({
      ...side,
      classify: (state, heard) => {
        const event = side.classify(state, heard)
        const named: ReadonlyArray<string> =
          Result.isSuccess(heard) && heard.success._tag === "Ver" ? heard.success.dialects : []
        const dialect = named.findLast(Dialect.isDialect)
        return dialect !== undefined && ["Ver", "VerSkipInf", "VerPipelined"].includes(event._tag)
          ? { ...event, dialect }
          : event
      },
    }),
  },
]

/** Servers that one client finds out that is heard in several ways. */
export const hearers: ReadonlyArray<Broken<ServerSide>> = [
  server("together", "forgets commands while its host decides", (state, event) =>
    state._tag === "AwaitAdmission" && "trId" in event ? { state, actions: [] } : undefined,
  ),
  server("together", "drops a command that is said together with USR S", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Foreign" ? { state, actions: [] } : undefined,
  ),
  server("together", "hands a command over before its host has decided", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Foreign" ? { state, actions: [{ _tag: "Deliver" }] } : undefined,
  ),
  server("together", "forgets its dialect where a command waits", (state, event, sound) =>
    state._tag === "AwaitVerdict" && state.dialect === "MSNP6" && event._tag === "Foreign"
      ? { ...sound, state: { ...state, dialect: "MSNP5" } }
      : undefined,
  ),
  server("together", "closes at OUT while its host decides", (state, event) =>
    state._tag === "AwaitVerdict" && event._tag === "Out" ? silently : undefined,
  ),
]
