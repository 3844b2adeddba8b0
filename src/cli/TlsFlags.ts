/**
 * TLS, as the command line says it: a server's certificate and its key, and whom a client trusts.
 */
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as LoginError from "../net/LoginError.ts"
import type * as Network from "../net/Network.ts"
import type * as Proxy from "../net/Proxy.ts"
import * as Tls from "../net/Tls.ts"
import * as Address from "../protocol/Address.ts"
import * as Failure from "./Failure.ts"
import * as Files from "./Files.ts"

const file = (name: string) => Flag.String(name).pipe(Flag.withMetavar("FILE"))

/** The flag `--tls-cert`. */
export const cert = file("tls-cert").pipe(
  Flag.withDescription(
    "Speak TLS with the certificate in this file (PEM, with those that lead to its authority), at each place that is not marked ,plain; a renewed one is taken up (default clear text)",
  ),
  Flag.optional,
)

/** The flag `--tls-key`. */
export const key = file("tls-key").pipe(
  Flag.withDescription("The private key of that certificate (PEM, without a passphrase)"),
  Flag.optional,
)

/** The flag `--tls`. */
export const tls = Flag.Boolean("tls").pipe(
  Flag.withDescription(
    "Speak TLS with the server, whose certificate must be for the host as it is named here; --no-tls for clear text (default MSNP_TLS, else clear text)",
  ),
  Flag.optional,
)

/** The flag `--tls-ca`. */
export const authority = file("tls-ca").pipe(
  Flag.withDescription(
    "Trust the authorities in this file (PEM), or the server's own certificate, and nobody else (default MSNP_TLS_CA, else those of Node.js)",
  ),
  Flag.optional,
)

/** What a file cannot be read for, in a sentence. */
const unreadable = (path: string) => (error: Parameters<typeof Files.whyNot>[1]) =>
  Failure.badInput(`${path} cannot be read: ${Files.whyNot("Read", error)}.`)

/** What is in a file; why it cannot be read is told in a sentence. */
export const read = (path: string): Effect.Effect<string, Failure.Failure, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.mapError(fs.readFileString(path), unreadable(path)))

/** A server's side, where it has both files; what is wrong with them is told in a sentence. */
export const serverOf = Effect.fnUntraced(function* (flags: {
  readonly cert: Option.Option<string>
  readonly key: Option.Option<string>
}): Effect.fn.Return<Option.Option<Tls.Server>, Failure.Failure, Scope.Scope | FileSystem.FileSystem> {
  if (Option.isNone(flags.cert) && Option.isNone(flags.key)) return Option.none()
  if (Option.isNone(flags.cert) || Option.isNone(flags.key)) {
    return yield* Failure.badInput("--tls-cert and --tls-key go together: a certificate is of no use without its key.")
  }
  const [chain, key] = [flags.cert.value, flags.key.value]
  // Each by itself, so that it is known which of them cannot be read.
  yield* Effect.forEach([chain, key], read)
  const server = yield* Tls.serverFromFiles({ chain, key }).pipe(
    Effect.catchTags({
      CertificateError: ({ why }) => Effect.fail(Failure.badInput(`${chain} and ${key} cannot be used: ${why}.`)),
      PlatformError: (error) => Effect.fail(unreadable(chain)(error)),
    }),
  )
  return Option.some(server)
})

/** What is to be said of a certificate that has run out. */
export const expiryOf = (server: Tls.Server): Effect.Effect<Option.Option<string>> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const expires = server.expires()
    return expires.getTime() > now
      ? Option.none()
      : Option.some(`The certificate has expired, on ${expires.toISOString().slice(0, 10)}: clients will not come in.`)
  })

/** What may be behind it that a server closes on who comes in clear text, and says no word: those that speak TLS alone do. */
export const silenceHint = (tls: Proxy.Way["tls"]): string =>
  Option.isNone(tls) ? " If it speaks TLS alone, try --tls." : ""

/** What may be behind a login that failed. */
export const hintOf = (error: LoginError.LoginError, tls: Proxy.Way["tls"]): string =>
  error._tag === "Disconnected" && error.awaiting.includes("VER 0") ? silenceHint(tls) : ""

/** What is to be said of servers that speak in clear text to other machines. */
export const exposureOf = (servers: ReadonlyArray<Network.Listening>): Option.Option<string> => {
  const exposed = servers.filter(
    ({ bound, transport }) => transport === "ClearText" && !Address.isLoopbackHost(bound.host),
  )
  if (exposed.length === 0) return Option.none()
  const places = exposed.map(({ bound }) => Address.format(bound)).join(", ")
  return Option.some(
    `${places} can be reached from other machines in clear text, which whoever is on the way reads and can change: period clients know nothing else, others can have TLS (--tls-cert).`,
  )
}
