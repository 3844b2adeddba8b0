/**
 * A line that goes dead without a word: a client signs in, and from then on hears nothing and says nothing, though its
 * connection is never closed. The session has to be found dead by TCP keep-alive, and to give its place up: after 60
 * seconds of silence, within two minutes in all.
 *
 * The client is a few lines of Perl, whose socket lets no packet in any more once it is signed in (SO_ATTACH_FILTER), so
 * that nothing is acknowledged, as with a cable that was pulled. It needs Linux, and no special rights.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ChildProcess from "node:child_process"
import * as Admission from "../src/host/Admission.ts"
import * as Directory from "../src/host/Directory.ts"
import * as Presence from "../src/host/Presence.ts"
import * as LoginServer from "../src/net/LoginServer.ts"
import * as Account from "../src/protocol/Account.ts"
import * as FriendlyName from "../src/protocol/FriendlyName.ts"

const account = Account.Account.make("alice@example.com")

/** Seconds after the line has gone dead. */
const due = { from: 60, to: 120 }

/** Signs in, attaches the filter `return 0`, says so, and waits for ever. */
const client = `
  use strict; use IO::Socket::INET; use Digest::MD5 'md5_hex';
  my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die $!;
  syswrite $server, "VER 1 MSNP5\\r\\nUSR 2 MD5 I $ARGV[1]\\r\\n";
  my $line = <$server>;
  my ($challenge) = <$server> =~ /MD5 S (\\S+)/ or die;
  syswrite $server, "USR 3 MD5 S " . md5_hex($challenge . "wonderland") . "\\r\\n";
  <$server> =~ /OK/ or die;
  my $filter = pack "SCCL", 6, 0, 0, 0;
  setsockopt $server, 1, 26, pack("S x6 P", 1, $filter) or die $!;
  $| = 1; print "deaf\\n"; sleep;
`

const host = Layer.merge(
  Presence.layerMemory,
  Layer.provide(
    Admission.layerNotification(),
    Directory.layerMemory([
      {
        account,
        password: Redacted.make("wonderland"),
        friendlyName: FriendlyName.FriendlyName.make("Alice"),
        verification: "Verified",
        standing: "Enabled",
      },
    ]),
  ),
)

const trial = Effect.gen(function* () {
  const { list } = yield* Presence.Presence
  const present = Effect.map(list, ({ length }) => length)
  const { address } = yield* LoginServer.make({ listen: { host: "127.0.0.1", port: 0 } }, LoginServer.hearOnly)
  const perl = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn("perl", ["-e", client, String(address.port), account], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ),
    (perl) => Effect.sync(() => perl.kill("SIGKILL")),
  )
  yield* Effect.callback<void>((resume) => {
    perl.stdout.once("data", () => resume(Effect.void))
    perl.once("exit", () => resume(Effect.die(new Error("The client could not sign in."))))
  })
  if ((yield* present) !== 1) return yield* Effect.die(new Error("Nobody is signed in."))

  const start = performance.now()
  const passed = () => (performance.now() - start) / 1000
  while ((yield* present) > 0 && passed() < due.to) yield* Effect.sleep("100 millis")
  const seconds = passed()
  const isFound = (yield* present) === 0 && seconds >= due.from - 1
  const what = (yield* present) === 0 ? "gave its place up" : "was still there"
  process.stdout.write(
    `- a session ${what} ${seconds.toFixed(1)} s after its line went dead (due: ${due.from} to ${due.to} s)\n`,
  )
  process.exitCode = isFound ? 0 : 1
}).pipe(Effect.scoped, Effect.provide(host))

await Effect.runPromise(trial)
