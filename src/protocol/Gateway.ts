/**
 * How MSNP goes through HTTP: what a request asks of a gateway, and the session that its answer names.
 *
 * Each request is a POST to {@link path}; it carries bytes for the server, and its answer carries those of the server.
 * Every answer names the session anew, and the next request has to use that name (hypothetic.org 2.0 and 2.1).
 */
import * as Host from "effect/net/Host"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/**
 * The port of gateways.
 *
 * @keeps connect.http
 */
export const defaultPort = 80

/** Where a gateway answers. */
export const path = "/gateway/gateway.dll"

/** What requests and answers carry. */
export const contentType = "application/x-msn-messenger"

/** The header that names the session. */
export const sessionHeader = "X-MSN-Messenger"

/** What is asked of a gateway. */
export type Request =
  /** A session with the notification server of a host. */
  | { readonly _tag: "Open"; readonly host: string }
  /** To pass on what the request carries. */
  | { readonly _tag: "Say"; readonly sessionId: string }
  /** To tell what the server has said meanwhile. */
  | { readonly _tag: "Poll"; readonly sessionId: string }

/** A request as the query of an address. */
export const formatQuery = (request: Request): string => {
  switch (request._tag) {
    case "Open":
      return `Action=open&Server=NS&IP=${request.host}`
    case "Say":
      return `SessionID=${request.sessionId}`
    case "Poll":
      return `Action=poll&SessionID=${request.sessionId}`
  }
}

const isSessionId = (text: string | undefined): text is string => text !== undefined && /^[\w.~{}-]+$/.test(text)

/**
 * Reads the query of an address; none where it asks for nothing that there is here: another kind of server than NS,
 * another action, a name twice. Names that are not known are let pass: later clients send more of them.
 */
export const parseQuery = (query: string): Option.Option<Request> => {
  const pairs = query.split("&").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    return [name, value.join("=")] as const
  })
  const given = new Map(pairs)
  if (given.size < pairs.length) return Option.none()
  const action = given.get("Action")
  if (action === "open") {
    const host = given.get("IP")
    return given.get("Server") === "NS" && host !== undefined ? Option.some({ _tag: "Open", host }) : Option.none()
  }
  const sessionId = given.get("SessionID")
  if (!isSessionId(sessionId)) return Option.none()
  if (action === "poll") return Option.some({ _tag: "Poll", sessionId })
  return action === undefined ? Option.some({ _tag: "Say", sessionId }) : Option.none()
}

/** A session, as an answer names it. */
export interface Session {
  /** For the next request, and for no other. */
  readonly sessionId: string
  /** The host (`GW-IP`) that the next request is for, where it is said. */
  readonly host: Option.Option<string>
}

/** A session as a header: `SessionID=954547325.13160; GW-IP=207.46.110.18`. */
export const formatSession = ({ host, sessionId }: Session): string =>
  [`SessionID=${sessionId}`, ...Option.toArray(host).map((host) => `GW-IP=${host}`)].join("; ")

/** Reads the header; none where it names no session, or a host that can be none. */
export const parseSession = (header: string): Option.Option<Session> => {
  const given = new Map(
    header.split(";").map((pair) => {
      const [name = "", ...value] = pair.split("=")
      return [name.trim(), value.join("=").trim()] as const
    }),
  )
  const sessionId = given.get("SessionID")
  const host = Option.fromUndefinedOr(given.get("GW-IP"))
  if (!isSessionId(sessionId) || Option.exists(host, (host) => Result.isFailure(Host.hostFromString(host)))) {
    return Option.none()
  }
  return Option.some({ sessionId, host })
}
