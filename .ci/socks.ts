/**
 * Whole logins, by way of a dispatch server, through SOCKS proxies that are not ours: OpenSSH (versions 4, 4a and 5) and
 * microsocks (version 5, with a password and without).
 *
 * A program that is not installed is told, and fails the run, unless it is run with `--installed`: then it is left out. On
 * Debian: `apt-get install openssh-client openssh-server microsocks`.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Connector from "../src/net/Connector.ts"
import * as LoginClient from "../src/net/LoginClient.ts"
import * as Proxy from "../src/net/Proxy.ts"
import * as Address from "../src/protocol/Address.ts"
import * as World from "../test/support/World.ts"

const missing = process.argv.includes("--installed") ? "LeftOut" : "Fails"

/** Where a program is: those of a system's administrator are not always on the path. */
const find = (program: string): Option.Option<string> =>
  Option.fromUndefinedOr(
    [...(process.env["PATH"] ?? "").split(Path.delimiter), "/usr/sbin", "/usr/local/sbin"]
      .map((folder) => Path.join(folder, program))
      .find((path) => Fs.existsSync(path)),
  )

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-socks-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true })),
)

const freePort = Effect.callback<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const bound = server.address()
    server.close(() => resume(Effect.succeed(typeof bound === "object" && bound !== null ? bound.port : 0)))
  })
})

/** Runs a program until the scope closes, and waits until it listens on a port. */
const run = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>, port: number) {
  yield* Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(program, args, { stdio: "ignore" })),
    (child) =>
      Effect.callback<void>((resume) => {
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      }),
  )
  yield* Effect.scoped(Connector.direct.connect({ host: "127.0.0.1", port })).pipe(
    Effect.retry(Schedule.spaced("50 millis")),
    Effect.timeout("10 seconds"),
    Effect.orDie,
  )
})

/** A proxy, with the programs that it takes, and what starts it and tells by which URLs it is used. */
interface Software {
  readonly name: string
  readonly programs: ReadonlyArray<string>
  readonly start: (programs: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, never, Scope.Scope>
}

const openSsh: Software = {
  name: "OpenSSH",
  programs: ["ssh", "sshd", "ssh-keygen"],
  start: Effect.fnUntraced(function* ([ssh = "", sshd = "", keygen = ""]) {
    const home = yield* folder
    const key = Path.join(home, "key")
    ChildProcess.execFileSync(keygen, ["-q", "-t", "ed25519", "-N", "", "-f", key])
    // A server that runs as root wants this, which a system makes when it starts.
    if (process.getuid?.() === 0) Fs.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 })
    const [port, serverPort] = [yield* freePort, yield* freePort]
    const config = Path.join(home, "config")
    const settings = [
      `Port ${serverPort}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${key}`,
      `AuthorizedKeysFile ${key}.pub`,
      "PidFile none",
      "StrictModes no",
    ]
    Fs.writeFileSync(config, `${settings.join("\n")}\n`)
    yield* run(sshd, ["-D", "-f", config], serverPort)
    const trusting = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    const through = ["-N", "-i", key, "-D", `127.0.0.1:${port}`, "-p", String(serverPort), "127.0.0.1"]
    yield* run(ssh, [...trusting, "-o", "BatchMode=yes", ...through], port)
    return ["socks4", "socks4a", "socks5"].map((scheme) => `${scheme}://127.0.0.1:${port}`)
  }),
}

const microsocks: Software = {
  name: "microsocks",
  programs: ["microsocks"],
  start: Effect.fnUntraced(function* ([program = ""]) {
    const [open, closed] = [yield* freePort, yield* freePort]
    yield* run(program, ["-i", "127.0.0.1", "-p", String(open)], open)
    yield* run(program, ["-i", "127.0.0.1", "-p", String(closed), "-u", "alice", "-P", "secret"], closed)
    return [`socks5://127.0.0.1:${open}`, `socks5://alice:secret@127.0.0.1:${closed}`]
  }),
}

/** Logs in through it, at a dispatch server that is told by its name. */
const logIn = Effect.fnUntraced(function* (name: string, url: string) {
  const { dispatch, notification } = yield* World.serveBoth()
  const proxy = Option.getOrThrow(Proxy.parse(url))
  const [took, session] = yield* Effect.timed(
    Effect.provideService(
      LoginClient.login(World.aliceAt({ host: "localhost", port: dispatch.port })),
      Connector.Connector,
      Proxy.connector(proxy),
    ),
  )
  if (Address.format(session.server) !== Address.format(notification)) {
    return yield* Effect.die(new Error(`Signed in at ${Address.format(session.server)}`))
  }
  yield* session.logOff
  const millis = Duration.toMillis(took).toFixed(0)
  process.stdout.write(`- ${name}: signed in by way of ${Proxy.format(proxy)}, in ${millis} ms\n`)
})

const trial = ({ name, programs, start }: Software) =>
  Effect.gen(function* () {
    const found = Option.all(programs.map(find))
    if (Option.isNone(found)) {
      process.stdout.write(`- ${name}: left out, for it is not installed\n`)
      if (missing === "Fails") process.exitCode = 1
      return
    }
    for (const url of yield* start(found.value)) yield* Effect.scoped(logIn(name, url))
  }).pipe(Effect.scoped)

await Effect.runPromise(Effect.forEach([openSsh, microsocks], trial, { discard: true }))
