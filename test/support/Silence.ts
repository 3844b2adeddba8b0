/**
 * An address of this machine that does not answer, as one behind a firewall that drops what it does not like.
 *
 * A stopped process listens there, and as many wait for it as the system keeps waiting: whoever else comes hears nothing.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as Net from "node:net"
import type * as Address from "../../src/protocol/Address.ts"

const listening = (host: string, port: number) => `
  const server = require("node:net").createServer()
  server.listen({ host: ${JSON.stringify(host)}, port: ${port}, backlog: 1 }, () => console.log(server.address().port))
`

/** Keeps an address silent until the scope closes. */
export const at = ({ host, port }: Address.Address): Effect.Effect<Address.Address, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ChildProcess.spawn(process.execPath, ["-e", listening(host, port)], { stdio: ["ignore", "pipe", "inherit"] }),
      ),
      (child) =>
        Effect.callback<void>((resume) => {
          child.on("close", () => resume(Effect.void))
          child.kill("SIGKILL")
        }),
    )
    const bound = yield* Effect.callback<number>((resume) => {
      child.stdout.once("data", (line) => resume(Effect.succeed(Number(String(line)))))
      child.once("exit", () => resume(Effect.die(new Error(`Nobody can listen on ${host}:${port}.`))))
    })
    child.kill("SIGSTOP")
    const waiting = yield* Effect.acquireRelease(
      Effect.sync(() => Array.from({ length: 8 }, () => Net.connect({ host, port: bound }).on("error", () => {}))),
      (waiting) => Effect.sync(() => waiting.forEach((conn) => conn.destroy())),
    )
    yield* Effect.callback<void>((resume) => waiting.forEach((conn) => conn.once("connect", () => resume(Effect.void))))
    return { host, port: bound }
  })
