/** The certificates of the tests, which `tls/make.sh` makes: each is for messenger.test, and all but `named` for 127.0.0.1. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import * as Tls from "../../src/net/Tls.ts"

/** Where one of their files is. */
export const path = (file: string): string => fileURLToPath(new URL(`tls/${file}`, import.meta.url))

export const read = (file: string): string => Fs.readFileSync(path(file), "utf8")

/** Those that there are, with the key of each. */
const keys = {
  server: "server.key",
  named: "server.key",
  expired: "server.key",
  renewed: "renewed.key",
  alone: "alone.key",
} as const

/** The name that all of them are for; no resolver knows it. */
export const host = "messenger.test"

/** A certificate: `alone` is signed by itself, the others by the authority. */
export const certificate = (name: keyof typeof keys): Tls.Certificate => ({
  chain: read(`${name}.pem`),
  key: Redacted.make(read(keys[name])),
})

/** A server's side with it. */
export const server = (name: keyof typeof keys): Effect.Effect<Tls.Server> =>
  Effect.orDie(Tls.server(certificate(name)))

/** A client's side that trusts the tests' authority, or one certificate alone, for a host. */
export const client = (name: string = host, authority = "authority.pem"): Effect.Effect<Tls.Client> =>
  Effect.orDie(Tls.client({ name, authority: Option.some(read(authority)) }))
