/** TLS on the command line, with servers and clients in processes of their own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as NodeTls from "node:tls"
import { vi } from "vitest"
import * as Certificates from "../support/Certificates.ts"
import * as Folder from "../support/Folder.ts"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const authority = Certificates.path("authority.pem")

const withCertificate = (name = "server", key = "server") => [
  "--tls-cert",
  Certificates.path(`${name}.pem`),
  "--tls-key",
  Certificates.path(`${key}.key`),
]

const free = "127.0.0.1:0"

/** Serves the demo accounts until the scope closes. */
const serve = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => Msnp.start(["serve", "--demo", ...args])),
    ({ stop }) => Effect.promise(stop),
  )

/** The port of a server, once it listens. */
const portOf = (running: Msnp.Running, role: "dispatch" | "notification" | "gateway") =>
  Effect.promise(() => Msnp.portOf(running, role))

const run = (...args: ReadonlyArray<string>) => Effect.promise(() => Msnp.run(args, "wonderland\n"))

const logIn = (...args: ReadonlyArray<string>) => run("login", "alice@example.com", ...args)

describe("msnp over TLS", () => {
  it.live("logs in by way of a dispatch server, and beside it in clear text", () =>
    Effect.gen(function* () {
      const places = ["--dispatch", free, "--notification", free, "--notification", `${free},plain`]
      const server = yield* serve("--json", ...places, ...withCertificate())
      const dispatch = yield* portOf(server, "dispatch")
      const plain = yield* Effect.promise(() => server.line((line) => /"notification".*"port":[0-9]+}$/.test(line)))
      const { port }: { readonly port: number } = JSON.parse(plain)
      const overTls = yield* logIn("--server", `127.0.0.1:${dispatch}`, "--tls", "--tls-ca", authority)
      assert.deepStrictEqual(
        [overTls.code, overTls.stdout.match(/^Signed in at 127\.0\.0\.1:[0-9]+ as/)?.length],
        [0, 1],
      )
      const inClearText = yield* logIn("--server", `127.0.0.1:${port}`)
      assert.strictEqual(inClearText.code, 0)
      const probe = yield* run("probe", `127.0.0.1:${dispatch}`, "--tls", "--tls-ca", authority)
      assert.include(probe.stdout, "speaks MSNP7, MSNP6, MSNP5, MSNP4, MSNP3, MSNP2.")
    }),
  )

  it.live("is told to by the environment, too, and remembers servers apart from those in clear text", () =>
    Effect.gen(function* () {
      const server = yield* serve("--json", "--dispatch", free, "--notification", free, ...withCertificate())
      const dispatch = yield* portOf(server, "dispatch")
      const notification = yield* portOf(server, "notification")
      const folder = yield* Folder.fresh
      const environment = {
        MSNP_SERVER: `127.0.0.1:${dispatch}`,
        MSNP_TLS: "true",
        MSNP_TLS_CA: authority,
        MSNP_MEMORY: folder,
      }
      const { code, stdout } = yield* Effect.promise(
        () => Msnp.start(["login", "alice@example.com"], "wonderland\n", "ends", environment).ended,
      )
      assert.strictEqual(code, 0)
      assert.include(stdout, `Signed in at 127.0.0.1:${notification} as`)
      assert.deepStrictEqual(Fs.readdirSync(folder), ["tls"])
      assert.lengthOf(Fs.readdirSync(Path.join(folder, "tls")), 1)
    }),
  )

  it.live("says in a sentence why there is no secure connection, with exit code 5", () =>
    Effect.gen(function* () {
      const places = ["--dispatch", `${free},plain`, "--notification", free]
      const server = yield* serve("--json", ...places, ...withCertificate("expired"))
      const plain = `127.0.0.1:${yield* portOf(server, "dispatch")}`
      const expired = `127.0.0.1:${yield* portOf(server, "notification")}`
      const other = yield* serve("--json", "--dispatch", "none", "--notification", free, ...withCertificate())
      const secured = `127.0.0.1:${yield* portOf(other, "notification")}`
      const ofAuthority = ["--tls", "--tls-ca", authority]
      for (const [args, why] of [
        [["--server", expired, ...ofAuthority], "its certificate has expired"],
        [["--server", secured, "--tls"], "nobody whom we trust vouches for its certificate"],
        [["--server", plain, ...ofAuthority], "it speaks no TLS"],
      ] as const) {
        const { code, stderr } = yield* logIn(...args)
        assert.strictEqual(code, 5)
        assert.strictEqual(
          stderr,
          `msnp: No server could be reached; tried ${args[1]} (${why}). The server is there, but not as we were to find it: see to its TLS, or to ours.\n`,
        )
      }
      const inClearText = yield* logIn("--server", secured)
      assert.strictEqual(inClearText.code, 6)
      assert.include(inClearText.stderr, "closed the connection where it was to say VER")
      assert.include(inClearText.stderr, "If it speaks TLS alone, try --tls.")
    }),
  )

  it.live("trusts nobody whom it does not know, though Node.js be told to", () =>
    Effect.gen(function* () {
      const server = yield* serve("--json", "--dispatch", "none", "--notification", free, ...withCertificate())
      const to = `127.0.0.1:${yield* portOf(server, "notification")}`
      const { code, stderr } = yield* Effect.promise(
        () =>
          Msnp.start(["login", "alice@example.com", "--server", to, "--tls"], "wonderland\n", "ends", {
            NODE_TLS_REJECT_UNAUTHORIZED: "0",
          }).ended,
      )
      assert.strictEqual(code, 5)
      assert.include(stderr, "nobody whom we trust vouches for its certificate")
    }),
  )

  it.live("is spoken no more than the flag says, whatever the environment does", () =>
    Effect.gen(function* () {
      const server = yield* serve("--json", "--dispatch", "none", "--notification", free)
      const to = `127.0.0.1:${yield* portOf(server, "notification")}`
      for (const [flag, expected] of [
        ["--no-tls", 0],
        ["--tls", 5],
      ] as const) {
        const { code } = yield* Effect.promise(
          () =>
            Msnp.start(["login", "alice@example.com", "--server", to, flag], "wonderland\n", "ends", {
              MSNP_TLS: flag === "--tls" ? "false" : "true",
            }).ended,
        )
        assert.strictEqual(code, expected, flag)
      }
    }),
  )

  it.live("takes up a certificate that is renewed", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.fresh
      const put = (name: string) => {
        Fs.copyFileSync(Certificates.path(`${name}.pem`), Path.join(folder, "chain.pem"))
        Fs.copyFileSync(Certificates.path(`${name}.key`), Path.join(folder, "own.key"))
      }
      put("server")
      const files = ["--tls-cert", Path.join(folder, "chain.pem"), "--tls-key", Path.join(folder, "own.key")]
      const server = yield* serve("--json", "--dispatch", "none", "--notification", free, ...files)
      const port = yield* portOf(server, "notification")
      const shown = Effect.callback<string>((resume) => {
        const conn = NodeTls.connect({ port, host: "127.0.0.1", ca: Fs.readFileSync(authority) }, () => {
          resume(Effect.succeed(String(conn.getPeerCertificate().subject.CN)))
          conn.destroy()
        })
      })
      assert.strictEqual(yield* shown, "effect-msnp test server")
      put("renewed")
      yield* Effect.repeat(Effect.delay(shown, "100 millis"), { until: (name) => name === "effect-msnp test renewed" })
    }),
  )
})

describe("msnp serve", () => {
  it.live("says at its start what is in clear text beyond this machine, and what else there is to know", () =>
    Effect.gen(function* () {
      const places = ["--dispatch", "0.0.0.0:0,plain", "--notification", free, "--gateway", `${free},plain`]
      const server = yield* serve(...places, ...withCertificate("expired"))
      yield* Effect.promise(() => server.line((line) => line.includes("has expired")))
      server.kill("SIGTERM")
      const { code, stdout } = yield* Effect.promise(() => server.ended)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        stdout
          .replaceAll(/:[0-9]{2,5}/g, ":PORT")
          .trimEnd()
          .split("\n"),
        [
          "Dispatch server on 0.0.0.0:PORT",
          "Notification server on 127.0.0.1:PORT, over TLS",
          "HTTP gateway on 127.0.0.1:PORT",
          "Note: The dispatch server speaks in clear text, and no notification server does: clients are told 601.",
          "Note: 0.0.0.0:PORT can be reached from other machines in clear text, which whoever is on the way reads and can change: period clients know nothing else, others can have TLS (--tls-cert).",
          "Note: The certificate has expired, on 2001-01-01: clients will not come in.",
        ],
      )
    }),
  )

  it.live("says in one line why it cannot speak TLS", () =>
    Effect.gen(function* () {
      const [chain, key] = ["server.pem", "encrypted.key"].map(Certificates.path)
      for (const [args, expected] of [
        [
          ["--tls-cert", authority],
          "--tls-cert and --tls-key go together: a certificate is of no use without its key.",
        ],
        [withCertificate("nowhere"), `${Certificates.path("nowhere.pem")} cannot be read: it is not there.`],
        [withCertificate("server", "nowhere"), `${Certificates.path("nowhere.key")} cannot be read: it is not there.`],
        [
          withCertificate("server", "encrypted"),
          `${chain} and ${key} cannot be used: the key is sealed with a passphrase.`,
        ],
        [
          withCertificate("server", "renewed"),
          `${chain} and ${Certificates.path("renewed.key")} cannot be used: the key is not that of the certificate.`,
        ],
      ] as const) {
        const { code, stderr } = yield* run("serve", "--demo", "--dispatch", free, "--notification", free, ...args)
        assert.deepStrictEqual([code, stderr], [1, `msnp: ${expected}\n`])
      }
    }),
  )
})

describe("msnp login", () => {
  it.live("says in one line what it is not told rightly of TLS", () =>
    Effect.gen(function* () {
      for (const [args, expected] of [
        [["--tls-ca", authority], "--tls-ca goes with --tls: nobody is trusted in clear text."],
        [["--tls", "--tls-ca", "nowhere.pem"], "nowhere.pem cannot be read: it is not there."],
        [
          ["--tls", "--tls-ca", Certificates.path("server.key")],
          "TLS cannot be spoken: the authority is no certificate in PEM.",
        ],
      ] as const) {
        const { code, stderr } = yield* logIn(...args)
        assert.deepStrictEqual([code, stderr], [1, `msnp: ${expected}\n`])
      }
    }),
  )
})
