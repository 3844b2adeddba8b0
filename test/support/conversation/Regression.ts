/** Saved conversations, judged anew. */
import type * as Broken from "./Broken.ts"
import * as Duet from "./Duet.ts"
import type { Name } from "./Invariants.ts"
import * as Together from "./Together.ts"
import * as WithClient from "./WithClient.ts"
import * as WithServer from "./WithServer.ts"
import * as Script from "../Script.ts"

/** Machines that may be broken, to see that this is found out. */
export interface Machines {
  readonly server?: Broken.Broken<Broken.ServerSide>["breaking"]
  readonly client?: Broken.Broken<Broken.ClientSide>["breaking"]
}

/** The invariants of several conversations: a file that is called by one of these is judged as a whole, too. */
const wholes: { readonly [name in Name]?: (scripts: ReadonlyArray<Script.Script>, machines: Machines) => void } = {
  agreement: (scripts, { client: breakingClient, server: breaking }) => {
    for (const [i, server] of scripts.entries()) {
      const client = scripts[i - 1]
      if (client?._tag === "Client" && server._tag === "Server") {
        Duet.replay(client, server, { breaking, breakingClient })
      }
    }
  },
  together: (scripts, { server }) =>
    Together.replay(
      scripts.filter((script) => script._tag === "Server"),
      server,
    ),
}

/**
 * Judges the scripts of a file, and throws where an invariant does not hold. What broke agreement is a client's script
 * before a server's; what broke togetherness is several scripts of one client.
 */
export const judge = (name: string, text: string, machines: Machines = {}): void => {
  const scripts = Script.parse(text)
  if (scripts.length === 0) throw new Error(`${name} has no script in it`)
  for (const [invariant, whole] of Object.entries(wholes)) {
    if (name.startsWith(`${invariant}-`)) whole(scripts, machines)
  }
  for (const script of scripts) {
    if (script._tag === "Server") WithServer.replay(script, machines.server)
    else WithClient.replay(script, machines.client)
  }
}
