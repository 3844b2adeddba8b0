/**
 * How long it takes to turn somebody down, by why: whoever could tell an account that exists from one that does not
 * would see it here. The accounts are in a file, as `msnp serve` has them.
 *
 *     npm run bench:enumeration
 *
 * The kinds are judged in turns, in another order each time, so that what else the machine does is the same to all of
 * them. What is left between them stands in the last column, and on a network in front of it some hundred times that of
 * noise.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as SqliteDirectory from "../../src/host/SqliteDirectory.ts"
import * as Token from "../../src/host/Token.ts"
import * as Account from "../../src/protocol/Account.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as World from "../support/World.ts"

/** How often each kind is judged, and how many times before that for the compiler's sake. */
const rounds = 20_000
const warmUp = 5000

/** Accounts beside those that are judged, so that the tables are no smaller than real ones. */
const crowd = Array.from({ length: 1000 }, (_, i) => World.entry(`user${i}@example.com`))

const kinds = [
  { kind: "known", account: "known@example.com" },
  { kind: "unknown", account: "nobody@example.com" },
  { kind: "disabled", account: "disabled@example.com" },
  { kind: "unverified", account: "unverified@example.com" },
  { kind: "known, 1 token", account: "token@example.com" },
  { kind: "known, 16 tokens", account: "tokens@example.com" },
].map(({ account, kind }) => ({ kind, account: Account.Account.make(account), micros: new Array<number>() }))

/** What nobody's password makes of the challenge. */
const wrong = Redacted.make(Challenge.Digest.make("0".repeat(32)))

const shuffled = <Value>(values: ReadonlyArray<Value>): ReadonlyArray<Value> =>
  values
    .map((value) => ({ value, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ value }) => value)

const measure = Effect.gen(function* () {
  const directory = yield* Directory.Directory
  const { judge } = yield* Admission.Admission
  yield* directory.create([
    ...crowd,
    World.entry("known@example.com"),
    World.entry("disabled@example.com", { standing: "Disabled" }),
    World.entry("unverified@example.com", { verification: "Unverified" }),
    World.entry("token@example.com"),
    World.entry("tokens@example.com"),
  ])
  const add = (account: string) => directory.addToken(Account.Account.make(account), Token.Label.make("an old laptop"))
  yield* add("token@example.com")
  yield* Effect.replicateEffect(add("tokens@example.com"), Token.maxPerAccount)

  for (let round = -warmUp; round < rounds; round++) {
    for (const { account, micros } of shuffled(kinds)) {
      const before = process.hrtime.bigint()
      const verdict = yield* judge({
        _tag: "Verdict",
        dialect: "MSNP7",
        account,
        challenge: World.challenge,
        digest: wrong,
        remote: { host: "192.0.2.1", port: 49_152 },
        local: { host: "198.51.100.7", port: 1863 },
      })
      const after = process.hrtime.bigint()
      if (verdict._tag !== "Deny" || verdict.code !== 911) throw new Error(`${account} is not told 911`)
      if (round >= 0) micros.push(Number(after - before) / 1000)
    }
  }
})

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-"))
try {
  const accounts = SqliteDirectory.layer({ path: Path.join(folder, "accounts.db"), key: Option.none(), use: "Serve" })
  await Effect.runPromise(
    Effect.provide(measure, Layer.provideMerge(Admission.layerNotification({ unverified: "TurnDown" }), accounts)),
  )
} finally {
  Fs.rmSync(folder, { recursive: true })
}

const quantile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? 0

const medians = kinds.map(({ micros }) =>
  quantile(
    micros.toSorted((a, b) => a - b),
    0.5,
  ),
)
const cells = kinds.map(({ kind, micros }, i) => {
  const sorted = micros.toSorted((a, b) => a - b)
  const apart = (medians[i] ?? 0) - (medians[0] ?? 0)
  return [kind, ...[0.5, 0.9, 0.99].map((share) => quantile(sorted, share).toFixed(1)), apart.toFixed(1)]
})
const rows = [["turned down", "p50 us", "p90", "p99", "p50 apart"], ...cells]
for (const [kind = "", ...figures] of rows) {
  process.stdout.write(`${kind.padEnd(18)}${figures.map((figure) => figure.padStart(10)).join("")}\n`)
}
