/**
 * TLS for either side: a server's certificate, which may be renewed while it serves, and whom a client takes for its server.
 *
 * MSNP knows nothing of it, and period clients know nothing but clear text: this is for modern clients, for tunnels, and
 * between servers. It is TLS 1.2 or newer, with the ciphers that Node.js has.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Net from "node:net"
import * as NodeTls from "node:tls"
import * as Url from "node:url"
import type * as Address from "../protocol/Address.ts"

/** What a server shows, and the key that proves it to be the server's own. */
export interface Certificate {
  /** In PEM: its own certificate first, then those that lead to an authority. */
  readonly chain: string
  /** In PEM, and not sealed with a passphrase. */
  readonly key: Redacted.Redacted<string>
}

/** A certificate, a key or an authority cannot be used as such. */
export class CertificateError extends Schema.TaggedError<CertificateError>("effect-msnp/net/CertificateError")(
  "CertificateError",
  { why: Schema.String },
) {
  override get message() {
    return `TLS cannot be spoken: ${this.why}.`
  }
}

/** A server's side. */
export interface Server {
  /** What a connection that begins now is shown. */
  readonly context: () => NodeTls.SecureContext
  /** When the certificate that is shown now runs out. */
  readonly expires: () => Date
}

/** Below TLS 1.2 nothing is safe, whatever Node.js is told to put up with. */
const minVersion = "TLSv1.2"

/** One certificate's side, for as long as it is shown. */
const sideOf = Effect.fnUntraced(function* ({ chain, key }: Certificate): Effect.fn.Return<Server, CertificateError> {
  const certificate = yield* certificateIn(chain, "the certificate")
  const own = yield* Effect.try({
    try: () => Crypto.createPrivateKey(Redacted.value(key)),
    catch: () =>
      new CertificateError({
        // The head of such a key says so, in either of its forms.
        why: Redacted.value(key).includes("ENCRYPTED")
          ? "the key is sealed with a passphrase"
          : "the key is no private key in PEM",
      }),
  })
  if (!certificate.checkPrivateKey(own)) {
    return yield* new CertificateError({ why: "the key is not that of the certificate" })
  }
  const context = yield* Effect.try({
    try: () => NodeTls.createSecureContext({ cert: chain, key: Redacted.value(key), minVersion }),
    catch: (cause) => new CertificateError({ why: `Node.js does not take the certificate (${reasonOf(cause)})` }),
  })
  return { context: () => context, expires: () => new Date(certificate.validTo) }
})

const reasonOf = (cause: unknown): string => (Predicate.isError(cause) ? cause.message : String(cause))

/** The first certificate of a text. */
const certificateIn = (text: string, what: string): Effect.Effect<Crypto.X509Certificate, CertificateError> =>
  Effect.try({
    try: () => new Crypto.X509Certificate(text),
    catch: () => new CertificateError({ why: `${what} is no certificate in PEM` }),
  })

/** A server's side with one certificate for good; fails where the key is not its own, or either cannot be read. */
export const server: (certificate: Certificate) => Effect.Effect<Server, CertificateError> = sideOf

/** Where a certificate and its key are kept. */
export interface Files {
  /** Its own certificate first, then those that lead to an authority. */
  readonly chain: string
  readonly key: string
  /** How often they are looked at; by default every 2 seconds. */
  readonly interval?: Duration.Input
}

/**
 * A server's side with a certificate that is kept in files, and taken up anew when they change, until the scope closes.
 *
 * A pair that was the same twice in a row is taken up: whoever writes two files has a moment in which they do not fit.
 * One that cannot be used, or not be read twice in a row, is told of once, and the one before is shown on. Connections that
 * are open stay as they are.
 */
export const serverFromFiles = Effect.fnUntraced(function* ({
  interval = "2 seconds",
  ...files
}: Files): Effect.fn.Return<
  Server,
  CertificateError | PlatformError.PlatformError,
  Scope.Scope | FileSystem.FileSystem
> {
  const fs = yield* FileSystem.FileSystem
  const read = Effect.map(
    Effect.all({ chain: fs.readFileString(files.chain), key: fs.readFileString(files.key) }),
    ({ chain, key }): Certificate => ({ chain, key: Redacted.make(key, { label: "key" }) }),
  )
  let judged = yield* read
  let seen = judged
  let current = yield* sideOf(judged)
  /** How often in a row they could not be read. */
  let failures = 0

  const renew = Effect.gen(function* () {
    const found = yield* read
    failures = 0
    const isSettled = isSame(found, seen)
    seen = found
    if (!isSettled || isSame(found, judged)) return
    judged = found
    current = yield* sideOf(found)
    yield* Effect.logInfo("A renewed certificate is shown from now on.")
  }).pipe(
    Effect.catchTag("CertificateError", ({ why }) =>
      Effect.logWarning(`The renewed certificate cannot be used, and the one before is shown on: ${why}.`),
    ),
    // Once is nothing: between two files' names being given to others there may be none.
    Effect.catchTag("PlatformError", ({ message }) =>
      Effect.suspend(() =>
        ++failures === 2
          ? Effect.logWarning(`The certificate cannot be read anew, and the one before is shown on: ${message}.`)
          : Effect.void,
      ),
    ),
  )
  yield* Effect.forkScoped(Effect.repeat(Effect.delay(renew, interval), Schedule.forever))
  return { context: () => current.context(), expires: () => current.expires() }
})

const isSame = (one: Certificate, other: Certificate): boolean =>
  one.chain === other.chain && Equal.equals(one.key, other.key)

/** A client's side: whom it takes for its server. */
export interface Client {
  /** The host that a certificate must be for. */
  readonly name: string
  readonly context: NodeTls.SecureContext
}

/** Whom a client takes for its server. */
export interface Trust {
  /** The host as the user named it: for that, or for the very address that is connected to, the certificate must be. */
  readonly name: string
  /**
   * The authorities that are trusted, in PEM; those of Node.js where there is none. A server's own certificate is one for
   * itself.
   */
  readonly authority: Option.Option<string>
}

/** A client's side; fails where the authority cannot be read. */
export const client = Effect.fnUntraced(function* ({
  authority,
  name,
}: Trust): Effect.fn.Return<Client, CertificateError> {
  if (Option.isSome(authority)) yield* certificateIn(authority.value, "the authority")
  const ca = Option.match(authority, { onNone: () => ({}), onSome: (ca) => ({ ca, allowPartialTrustChain: true }) })
  const context = yield* Effect.try({
    try: () => NodeTls.createSecureContext({ ...ca, minVersion }),
    catch: (cause) => new CertificateError({ why: `Node.js does not take the authority (${reasonOf(cause)})` }),
  })
  return { name, context }
})

/** A host as TLS and certificates have it: a name in ASCII, without a dot behind it (RFC 6066). */
const hostname = (host: string): string => (Net.isIP(host) === 0 ? Url.domainToASCII(host).replace(/\.$/, "") : host)

/**
 * What `node:tls` is to be told for a connection of this client's.
 *
 * A referral names a number, and the user named a host: a certificate for either will do, since the number was said over
 * a connection that is secured already.
 */
export const connecting = ({ context, name }: Client, to: Address.Address): NodeTls.ConnectionOptions => ({
  // Only names may be asked for (RFC 6066).
  ...(Net.isIP(name) === 0 ? { servername: hostname(name) } : {}),
  secureContext: context,
  // NODE_TLS_REJECT_UNAUTHORIZED, which is for a whole process, has no say here.
  rejectUnauthorized: true,
  checkServerIdentity: (_, certificate) => {
    const mismatch = NodeTls.checkServerIdentity(hostname(name), certificate)
    return mismatch === undefined || NodeTls.checkServerIdentity(hostname(to.host), certificate) === undefined
      ? undefined
      : mismatch
  },
})
