/**
 * HTTP as bytes on a connection: requests are written as they stand, and answers are kept as they came.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Address from "../../src/protocol/Address.ts"
import * as Peer from "./Peer.ts"

/** An answer, or a request, read to its end. */
export interface Message {
  /** The first line and the headers, without the empty line behind them. */
  readonly head: string
  readonly body: string
}

/** The status of an answer. */
export const statusOf = ({ head }: Message): number => Number(/^HTTP\/1\.[01] ([0-9]{3}) /.exec(head)?.[1])

/** The session that an answer names: its header is looked for as old clients do, by its very letters. */
export const sessionOf = ({ head }: Message): { readonly sessionId: string; readonly host: string } => {
  const [, sessionId = "", host = ""] = /\r\nX-MSN-Messenger: SessionID=([^;]*); GW-IP=([^;\r]*)/.exec(head) ?? []
  return { sessionId, host }
}

/** A connection that speaks HTTP. */
export interface Wire extends Pick<Peer.TcpPeer, "say" | "reset" | "conn"> {
  /** The next message, once it is there to its end. */
  readonly message: Effect.Effect<Message>
}

/** Takes a message off what was heard, where it is whole; its length has to be named. */
const take = (heard: string): readonly [Message, rest: string] | undefined => {
  const end = heard.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const head = heard.slice(0, end)
  const bodyEnd = end + 4 + Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? 0)
  if (heard.length < bodyEnd) return undefined
  return [{ head, body: heard.slice(end + 4, bodyEnd) }, heard.slice(bodyEnd)]
}

/** Speaks HTTP on a connection. */
export const on = ({ conn, reset, say }: Peer.TcpPeer): Wire => {
  let heard = ""
  conn.on("data", (bytes) => (heard += bytes.toString("latin1")))
  const more = Effect.callback<void>((resume) => {
    const done = () => {
      conn.off("data", done).off("close", done)
      resume(Effect.void)
    }
    conn.on("data", done).on("close", done)
    return Effect.sync(() => void conn.off("data", done).off("close", done))
  })
  const message: Effect.Effect<Message> = Effect.suspend(() => {
    const taken = take(heard)
    if (taken !== undefined) {
      heard = taken[1]
      return Effect.succeed(taken[0])
    }
    if (conn.destroyed) throw new Error(`The connection ended without a message: ${heard}`)
    return Effect.andThen(more, message)
  })
  return { conn, say, reset, message }
}

/** Connects to speak HTTP, until the scope closes. */
export const connect = (to: Address.Address): Effect.Effect<Wire, never, Scope.Scope> =>
  Effect.map(Peer.connect(to), on)

/** A request to a gateway; further headers go on lines of their own. */
export const post = (query: string, body = "", headers: ReadonlyArray<string> = []): string =>
  [
    `POST /gateway/gateway.dll?${query} HTTP/1.1`,
    "Host: gateway.messenger.hotmail.com",
    `Content-Length: ${body.length}`,
    ...headers,
    "",
    body,
  ].join("\r\n")

/** The query that opens a session. */
export const open = "Action=open&Server=NS&IP=messenger.hotmail.com"

/** The answer to a request on a connection of its own. */
export const ask = (to: Address.Address, request: string): Effect.Effect<Message> =>
  Effect.scoped(Effect.flatMap(connect(to), ({ message, say }) => Effect.andThen(say(request), message)))

/** A client that asks again and again, by the newest name of its session. */
interface Client {
  readonly say: (body: string) => Effect.Effect<Message>
  readonly poll: Effect.Effect<Message>
  /** Polls until as much has been told; all of it. */
  readonly until: (told: RegExp) => Effect.Effect<string>
  readonly sessionId: () => string
}

/** Opens a session; what the first request carries is answered with `first`. */
export const begin = Effect.fnUntraced(function* (to: Address.Address, body = "") {
  const first = yield* ask(to, post(open, body))
  let { sessionId } = sessionOf(first)
  const request = (query: string, body: string) =>
    Effect.map(ask(to, post(`${query}SessionID=${sessionId}`, body)), (answer) => {
      if (statusOf(answer) === 200) ({ sessionId } = sessionOf(answer))
      return answer
    })
  const poll = Effect.suspend(() => request("Action=poll&", ""))
  const client: Client = {
    say: (body) => request("", body),
    poll,
    until: Effect.fnUntraced(function* (told) {
      let all = ""
      while (!told.test(all)) {
        const answer = yield* poll
        if (statusOf(answer) !== 200) throw new Error(`HTTP ${statusOf(answer)} behind ${all}`)
        all += answer.body
      }
      return all
    }),
    sessionId: () => sessionId,
  }
  return { client, first }
})
