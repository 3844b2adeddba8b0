/** The limits of a server: what each is, its default, and what is done beyond it. */
import * as Duration from "effect/Duration"
import * as Limits from "../../src/host/Limits.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import type { Parts } from "../Splice.ts"

interface About {
  readonly what: string
  readonly beyond: string
}

const silence = "closed without a word"
const busy = "told 910 at the USR that begins the login, and closed"

const atOnce = "closed at once; a session over HTTP, 503"

const about: { readonly [N in Limits.Name]: About } = {
  lineBytes: { what: "the bytes of a line, without its end", beyond: silence },
  lineWords: { what: "the words of a line, with its verb", beyond: silence },
  payloadBytes: { what: "the bytes of a payload, as they are announced", beyond: silence },
  dialects: { what: "the dialects that VER offers", beyond: silence },
  loginBytes: { what: "the bytes that a client says before USR OK, line ends included", beyond: silence },
  loginCommands: { what: "the commands that a client says before USR OK", beyond: silence },
  loginTimeout: { what: "from the connection to USR OK", beyond: silence },
  decisionTimeout: { what: "for a decision of the host", beyond: "told 910, and closed" },
  pendingDecisions: { what: "decisions of the host under way, by server", beyond: "told 910, and closed" },
  connections: { what: "connections at once, of all servers together", beyond: atOnce },
  connectionsPerAddress: { what: "connections at once from one address", beyond: atOnce },
  loginsPerAccount: { what: "logins under way to one account from one address", beyond: busy },
  failuresPerAccount: { what: "failed logins to one account from one address", beyond: busy },
  failuresPerAddress: { what: "failed logins from one address", beyond: busy },
  failureWindow: { what: "how long failed logins count, where there are too many", beyond: "forgotten" },
  writeTimeout: {
    what: "for a client in session to read what it is told; as long again for each further 64 KiB",
    beyond: silence,
  },
  farewellTimeout: { what: "for an application to finish with a session that is over", beyond: "interrupted" },
  gatewayAnswerTimeout: { what: "until a request that carries something is answered", beyond: "answered with nothing" },
  gatewayIdleTimeout: { what: "without a request", beyond: "the session is over; then 400" },
  gatewayFarewellTimeout: { what: "for last words to be fetched", beyond: "they are lost; then 400" },
  gatewayKeepAliveTimeout: { what: "for an HTTP connection without a request", beyond: silence },
  gatewayRequestTimeout: { what: "for a request to arrive", beyond: "408" },
  gatewayRequestBytes: { what: "the bytes that a request carries", beyond: "413" },
  gatewaySessions: { what: "sessions of a gateway at once", beyond: "503" },
}

const spelled = (name: Limits.Name): string => {
  const limit = Limits.defaults[name]
  if (typeof limit === "number") return limit.toLocaleString("en-US")
  return typeof limit === "string" ? limit : Duration.format(Duration.fromInputUnsafe(limit))
}

const table = Atlas.markdown(
  ["name", "default", "what", "beyond it"],
  Object.keys(Limits.defaults)
    .filter(Limits.isName)
    .map((name) => [`\`${name}\``, spelled(name), about[name].what, about[name].beyond]),
)

export const parts: Parts = { limits: table }
