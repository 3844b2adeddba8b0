import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Crypto from "node:crypto"
import * as Admission from "../../src/host/Admission.ts"
import * as Directory from "../../src/host/Directory.ts"
import * as Limits from "../../src/host/Limits.ts"
import * as Md5 from "../../src/host/Md5.ts"
import * as Referrals from "../../src/host/Referrals.ts"
import * as Token from "../../src/host/Token.ts"
import type * as Server from "../../src/login/Server.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as World from "../support/World.ts"

const ends: Admission.Ends = {
  remote: { host: "192.0.2.1", port: 49_152 },
  local: { host: "198.51.100.7", port: 1863 },
}

const asks = (account: string, dialect: Dialect.Dialect = "MSNP7"): Admission.AdmissionQuestion => ({
  _tag: "Admission",
  dialect,
  account: Account.Account.make(account),
  ...ends,
})

const answers = (account: string, digest: string = World.digest): Admission.VerdictQuestion => ({
  _tag: "Verdict",
  dialect: "MSNP7",
  account: Account.Account.make(account),
  challenge: World.challenge,
  digest: Redacted.make(Challenge.Digest.make(digest), { label: "digest" }),
  ...ends,
})

const wrong = "d1713d0f1d2e8fae230328d8fd59de01"

const admit = (question: Admission.AdmissionQuestion) =>
  Effect.flatMap(Admission.Admission, (admission) => admission.admit(question))

/** The decision to turn a login down. */
const denied = <Code extends number>(code: Code) => ({ _tag: "Deny", code }) as const

const judge = (question: Admission.VerdictQuestion) =>
  Effect.flatMap(Admission.Admission, (admission) => admission.judge(question))

const notification = (
  entries: ReadonlyArray<Directory.Entry>,
  options?: { readonly unverified: Admission.Unverified },
): Layer.Layer<Admission.Admission> =>
  Layer.provide(Admission.layerNotification(options), Directory.layerMemory(entries))

describe("a notification server's decision about an account", () => {
  it.effect("is a challenge that looks like `<unix seconds>.<at least 18 digits>`", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_013_928_519_693)
      const decision = yield* admit(asks("alice@hotmail.com"))
      assert.strictEqual(decision._tag, "Challenge")
      if (decision._tag === "Challenge") assert.match(decision.challenge, /^1013928519\.[0-9]{18,}$/)
    }).pipe(Effect.provide(notification([World.alice]))),
  )

  it.effect("is another challenge each time, within the same second too", () =>
    Effect.gen(function* () {
      const decisions = yield* Effect.replicateEffect(admit(asks("alice@hotmail.com")), 1000)
      const challenges = decisions.map((decision) => (decision._tag === "Challenge" ? decision.challenge : ""))
      assert.strictEqual(new Set(challenges).size, 1000)
      assert.isTrue(challenges.every((challenge) => /^0\.[0-9]{18,}$/.test(challenge)))
    }).pipe(Effect.provide(notification([World.alice]))),
  )

  it.effect(
    "is a challenge for an account that does not exist or is disabled, too: nobody can list accounts",
    () =>
      Effect.gen(function* () {
        for (const account of ["nobody@hotmail.com", "disabled@hotmail.com"]) {
          const decision = yield* admit(asks(account))
          assert.strictEqual(decision._tag, "Challenge", account)
        }
      }).pipe(Effect.provide(notification([World.entry("disabled@hotmail.com", { standing: "Disabled" })]))),
    { tags: ["beyond.unknown-account"] },
  )
})

describe("a notification server's decision about an answer", () => {
  it.effect("lets the right one in (page on MD5: 1013928519.693957190 and mypassword)", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* judge(answers("alice@hotmail.com")), {
        _tag: "Accept",
        account: World.alice.account,
        friendlyName: World.alice.friendlyName,
        verified: true,
      })
    }).pipe(Effect.provide(notification([World.alice]))),
  )

  it.effect(
    "takes the account in any letter case, and names it as it was created",
    () =>
      Effect.gen(function* () {
        const decision = yield* judge(answers("aLICE@HOTMAIL.com"))
        assert.strictEqual(decision._tag, "Accept")
        if (decision._tag === "Accept") assert.strictEqual(decision.account, "Alice@Hotmail.com")
      }).pipe(Effect.provide(notification([World.entry("Alice@Hotmail.com")]))),
    { tags: ["beyond.account-case"] },
  )

  it.effect(
    "is 911 for a wrong one, and for the right one of no or a disabled account",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* judge(answers("alice@hotmail.com", wrong)), denied(911))
        assert.deepStrictEqual(yield* judge(answers("nobody@hotmail.com")), denied(911))
        assert.deepStrictEqual(yield* judge(answers("disabled@hotmail.com")), denied(911))
        assert.deepStrictEqual(yield* judge(answers("disabled@hotmail.com", wrong)), denied(911))
      }).pipe(
        Effect.provide(notification([World.alice, World.entry("disabled@hotmail.com", { standing: "Disabled" })])),
      ),
    { tags: ["usr.wrong-password", "beyond.unknown-account"] },
  )

  const unverified = World.entry("alice@hotmail.com", { verification: "Unverified" })

  it.effect("lets an account in that is not verified, and says so", () =>
    Effect.gen(function* () {
      for (const layer of [notification([unverified]), notification([unverified], { unverified: "LetIn" })]) {
        const decision = yield* Effect.provide(judge(answers("alice@hotmail.com")), layer)
        assert.strictEqual(decision._tag, "Accept")
        if (decision._tag === "Accept") assert.isFalse(decision.verified)
      }
    }),
  )

  it.effect("is 924 for an account that is not verified, where it is so decided", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* judge(answers("alice@hotmail.com")), denied(924))
      assert.deepStrictEqual(yield* judge(answers("alice@hotmail.com", wrong)), denied(911))
    }).pipe(Effect.provide(notification([unverified], { unverified: "TurnDown" }))),
  )

  it.effect("lets a verified account in, where those that are not verified are turned down", () =>
    Effect.gen(function* () {
      const decision = yield* judge(answers("alice@hotmail.com"))
      assert.strictEqual(decision._tag, "Accept")
    }).pipe(Effect.provide(notification([World.alice], { unverified: "TurnDown" }))),
  )
})

describe("a notification server's decision about an answer by a token", () => {
  const label = Token.Label.make("an old laptop")

  /** The answer to a challenge by a secret (usr.digest: MD5 of the challenge with the secret behind it). */
  const answering = (account: string, secret: Redacted.Redacted<string>) =>
    answers(account, Crypto.hash("md5", World.challenge + Redacted.value(secret)))

  /** Does something at a server that has these accounts, with its directory at hand. */
  const at = <A, E>(
    entries: ReadonlyArray<Directory.Entry>,
    use: (directory: Directory.Directory["Service"]) => Effect.Effect<A, E, Admission.Admission>,
    options?: { readonly unverified: Admission.Unverified },
  ) =>
    Effect.flatMap(Directory.Directory, use).pipe(
      Effect.provide(Layer.provideMerge(Admission.layerNotification(options), Directory.layerMemory(entries))),
    )

  it.effect("lets each of the account's tokens in, and its password still", () =>
    at([World.alice], (directory) =>
      Effect.gen(function* () {
        const { account } = World.alice
        const tokens = [yield* directory.addToken(account, label), yield* directory.addToken(account, label)]
        for (const secret of [...tokens.map(({ secret }) => secret), World.alice.password]) {
          assert.deepStrictEqual(yield* judge(answering("ALICE@hotmail.com", secret)), {
            _tag: "Accept",
            account,
            friendlyName: World.alice.friendlyName,
            verified: true,
          })
        }
      }),
    ),
  )

  it.effect("is 911 for one that is revoked, of another account, or of an account that is disabled or removed", () =>
    at([World.alice, World.entry("bob@hotmail.com")], (directory) =>
      Effect.gen(function* () {
        const { account } = World.alice
        const token = yield* directory.addToken(account, label)
        const other = yield* directory.addToken(account, label)
        assert.deepStrictEqual(yield* judge(answering("bob@hotmail.com", token.secret)), denied(911))
        yield* directory.revokeToken(account, token.id)
        assert.deepStrictEqual(yield* judge(answering(account, token.secret)), denied(911))
        assert.strictEqual((yield* judge(answering(account, other.secret)))._tag, "Accept")
        yield* directory.setStanding(account, "Disabled")
        assert.deepStrictEqual(yield* judge(answering(account, other.secret)), denied(911))
        yield* directory.remove(account)
        yield* directory.create([World.alice])
        assert.deepStrictEqual(yield* judge(answering(account, other.secret)), denied(911))
      }),
    ),
  )

  it.effect(
    "is 924, too, for an account that is not verified, where it is so decided; its token is not used then",
    () =>
      at(
        [World.entry("alice@hotmail.com", { verification: "Unverified" })],
        (directory) =>
          Effect.gen(function* () {
            const { secret } = yield* directory.addToken(World.alice.account, label)
            assert.deepStrictEqual(yield* judge(answering("alice@hotmail.com", secret)), denied(924))
            yield* TestClock.adjust("1 second")
            const [token] = yield* directory.tokens(World.alice.account)
            assert.deepStrictEqual(token?.lastUsed, Option.none())
          }),
        { unverified: "TurnDown" },
      ),
  )

  it.effect("keeps when a token was used, of that one alone", () =>
    at([World.alice], (directory) =>
      Effect.gen(function* () {
        const { account } = World.alice
        const token = yield* directory.addToken(account, label)
        yield* directory.addToken(account, label)
        yield* TestClock.setTime(1_013_928_519_693)
        yield* judge(answering(account, token.secret))
        // The one who keeps it is another fiber.
        yield* TestClock.adjust(1)
        const used = yield* directory.tokens(account)
        assert.deepStrictEqual(
          used.filter(({ lastUsed }) => Option.isSome(lastUsed)).map(({ id, lastUsed }) => [id, lastUsed]),
          [[token.id, Option.some(1_013_928_519_693)]],
        )
      }),
    ),
  )

  it.effect("has it kept once a minute, and asks the directory for nothing in between", () =>
    Effect.gen(function* () {
      const kept: Array<number> = []
      const counting = Layer.effect(
        Directory.Directory,
        Effect.map(Directory.Directory, (directory) => ({
          ...directory,
          used: (uses: ReadonlyArray<Directory.TokenUse>) => {
            kept.push(...uses.map(({ at }) => at))
            return directory.used(uses)
          },
        })),
      ).pipe(Layer.provide(Directory.layerMemory([World.alice])))
      yield* Effect.gen(function* () {
        const directory = yield* Directory.Directory
        const { secret } = yield* directory.addToken(World.alice.account, label)
        for (const at of [1_000_000, 1_000_001, 1_059_999, 1_060_000, 1_119_999, 1_200_000]) {
          yield* TestClock.setTime(at)
          assert.strictEqual((yield* judge(answering("alice@hotmail.com", secret)))._tag, "Accept")
          yield* TestClock.adjust(0)
        }
        assert.deepStrictEqual(kept, [1_000_000, 1_060_000, 1_200_000])
      }).pipe(Effect.provide(Layer.provideMerge(Admission.layerNotification(), counting)))
    }),
  )

  it.effect("does not wait until that is kept, and does not fail with it; later uses are kept together", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const kept: Array<number> = []
      const slow = Layer.effect(
        Directory.Directory,
        Effect.map(Directory.Directory, (directory) => ({
          ...directory,
          used: (uses: ReadonlyArray<Directory.TokenUse>) => {
            kept.push(uses.length)
            return Effect.andThen(Deferred.await(gate), new Directory.DirectoryError({ message: "the disk is full" }))
          },
        })),
      ).pipe(Layer.provide(Directory.layerMemory([World.alice])))
      const logs: Array<string> = []
      const logger = Logger.make(({ cause, message }) => void logs.push(`${String(message)} ${String(cause)}`))
      yield* Effect.gen(function* () {
        const directory = yield* Directory.Directory
        const { secret } = yield* directory.addToken(World.alice.account, label)
        const login = Effect.andThen(judge(answering("alice@hotmail.com", secret)), TestClock.adjust(1))
        yield* login
        yield* Effect.replicateEffect(login, 5)
        assert.deepStrictEqual(kept, [1])
        yield* Deferred.succeed(gate, undefined)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(kept, [1, 5])
        assert.lengthOf(logs, 2)
        assert.include(logs[0], "When tokens were used last is not kept")
        assert.include(logs[0], "the disk is full")
      }).pipe(
        Effect.provide(Layer.provideMerge(Admission.layerNotification(), Layer.merge(slow, Logger.layer([logger])))),
      )
    }),
  )
})

describe("whoever is turned down by a notification server", () => {
  it.effect(
    "costs one question and one digest, whether there is such an account or not: time tells nobody",
    () =>
      Effect.gen(function* () {
        let questions = 0
        let digests = 0
        const counting = Layer.effect(
          Directory.Directory,
          Effect.map(Directory.Directory, (directory) => {
            const counted = new Proxy(directory, {
              get: (target, name, receiver) => {
                questions++
                return Reflect.get(target, name, receiver)
              },
            })
            return counted
          }),
        ).pipe(
          Layer.provide(
            Directory.layerMemory([
              World.alice,
              World.entry("disabled@hotmail.com", { standing: "Disabled" }),
              World.entry("unverified@hotmail.com", { verification: "Unverified" }),
            ]),
          ),
        )
        const md5: Challenge.Md5 = (bytes) => {
          digests++
          return Challenge.md5(bytes)
        }
        yield* Effect.gen(function* () {
          for (const [account, digest] of [
            ["alice@hotmail.com", wrong],
            ["nobody@hotmail.com", wrong],
            ["nobody@hotmail.com", World.digest],
            ["disabled@hotmail.com", wrong],
            ["disabled@hotmail.com", World.digest],
            ["unverified@hotmail.com", wrong],
          ] as const) {
            questions = 0
            digests = 0
            assert.deepStrictEqual(yield* judge(answers(account, digest)), denied(911), account)
            assert.deepStrictEqual({ questions, digests }, { questions: 1, digests: 1 }, account)
          }
        }).pipe(
          Effect.provide(
            Layer.provide(Admission.layerNotification({ unverified: "TurnDown" }), counting).pipe(
              Layer.provide(Layer.succeed(Md5.Md5, md5)),
            ),
          ),
        )
      }),
    { tags: ["beyond.unknown-account"] },
  )
})

describe("a dispatch server's decision", () => {
  const self: Referrals.Server = Referrals.elsewhere({ host: "10.0.0.1", port: 1863 })
  const at = (host: string, port = 1863): Referrals.Server => Referrals.elsewhere({ host, port })
  const dispatch = (servers: ReadonlyArray<Referrals.Server>, me = self) =>
    Admission.layerDispatch({ self: me, servers })
  const hosts = (decisions: ReadonlyArray<Admission.Admit>) =>
    decisions.map((decision) => (decision._tag === "Refer" ? decision.to.host : decision._tag))

  it.effect(
    "refers to the notification server, and says by whom (WIKI: 10.0.0.5:1863 0 10.0.0.1:1863)",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* admit(asks("alice@hotmail.com")), {
          _tag: "Refer",
          to: { host: "10.0.0.5", port: 1863 },
          from: { host: "10.0.0.1", port: 1863 },
        })
      }).pipe(Effect.provide(dispatch([at("10.0.0.5")]))),
    { tags: ["xfr.dispatch", "xfr.self"] },
  )

  it.effect(
    "refers to several servers in turn",
    () =>
      Effect.gen(function* () {
        const decisions = yield* Effect.replicateEffect(admit(asks("alice@hotmail.com")), 5)
        assert.deepStrictEqual(hosts(decisions), ["10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.5", "10.0.0.6"])
      }).pipe(Effect.provide(dispatch([at("10.0.0.5"), at("10.0.0.6"), at("10.0.0.7")]))),
    { tags: ["xfr.dispatch"] },
  )

  it.effect("passes over a server that cannot be named to this client", () =>
    Effect.gen(function* () {
      const decisions = yield* Effect.replicateEffect(admit(asks("alice@hotmail.com")), 4)
      assert.deepStrictEqual(hosts(decisions), ["10.0.0.5", "10.0.0.6", "10.0.0.5", "10.0.0.6"])
    }).pipe(Effect.provide(dispatch([at("10.0.0.5"), at("::1"), at("10.0.0.6")]))),
  )

  it.effect("names the host that this client has reached, where either server is bound to all addresses", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* admit(asks("alice@hotmail.com")), {
        _tag: "Refer",
        to: { host: "198.51.100.7", port: 1864 },
        from: { host: "198.51.100.7", port: 1863 },
      })
    }).pipe(Effect.provide(dispatch([at("::", 1864)], at("0.0.0.0")))),
  )

  it.effect("is 601 where there is nobody to refer to, or nobody whom a client could be told of", () =>
    Effect.gen(function* () {
      for (const servers of [[], [at("::1")], [at("ns.example.com"), at("::1")]]) {
        for (const dialect of Dialect.all) {
          const decision = yield* Effect.provide(admit(asks("alice@hotmail.com", dialect)), dispatch(servers))
          assert.deepStrictEqual(decision, denied(601))
        }
      }
    }),
  )

  it.effect("is 601 for MSNP7, whose fourth parameter is the server's own address, where that cannot be named", () =>
    Effect.gen(function* () {
      for (const dialect of Dialect.all) {
        const decision = yield* admit(asks("alice@hotmail.com", dialect))
        assert.strictEqual(decision._tag, dialect === "MSNP7" ? "Deny" : "Refer", dialect)
      }
    }).pipe(Effect.provide(dispatch([at("10.0.0.5")], at("::1")))),
  )

  it.effect("says its advertised address in MSNP7's fourth parameter", () =>
    Effect.gen(function* () {
      const decision = yield* admit(asks("alice@hotmail.com"))
      assert.strictEqual(decision._tag, "Refer")
      if (decision._tag === "Refer") assert.deepStrictEqual(decision.from, { host: "203.0.113.7", port: 1863 })
    }).pipe(
      Effect.provide(
        dispatch([at("10.0.0.5")], {
          bound: { host: "::", port: 1864 },
          advertise: Option.some({ host: "203.0.113.7", port: 1863 }),
        }),
      ),
    ),
  )

  it.effect(
    "lets nobody in",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* judge(answers("alice@hotmail.com")), denied(601))
      }).pipe(Effect.provide(dispatch([at("10.0.0.5")]))),
    { tags: ["xfr.dispatch"] },
  )
})

describe("a server under maintenance", () => {
  it.effect(
    "says the code that it is told to, to everybody",
    () =>
      Effect.gen(function* () {
        for (const code of [601, 910, 921] as const) {
          const layer = Admission.layerMaintenance(code)
          assert.deepStrictEqual(yield* Effect.provide(admit(asks("alice@hotmail.com")), layer), denied(code))
          assert.deepStrictEqual(yield* Effect.provide(judge(answers("alice@hotmail.com")), layer), denied(code))
        }
      }),
    { tags: ["usr.trouble", "usr.trouble-again"] },
  )
})

describe("a guarded decision", () => {
  type Find = Parameters<typeof Directory.layerElsewhere>[0]
  const question: Server.Question = answers("alice@hotmail.com")
  const asker: Admission.Asker = { ...ends, enter: () => Effect.void, limited: () => {} }

  /** Guarded decisions over a directory that finds in this way. */
  const over = (find: Find, limits = Limits.defaults) =>
    Effect.map(Admission.Admission, (admission) => Admission.guarded(admission, limits)).pipe(
      Effect.provide(Layer.provide(Admission.layerNotification(), Directory.layerElsewhere(find))),
    )

  /** Runs it, and collects what is logged on the way. */
  const withLogs = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const logs: Array<string> = []
      const logger = Logger.make(({ cause, message }) => void logs.push(`${String(message)} ${String(cause)}`))
      return Effect.map(Effect.provide(effect, Logger.layer([logger])), (result) => ({ result, logs }))
    })

  it.effect("is the host's own where it comes in time", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => Effect.succeed(Option.some(World.alice)))
      const verdict = yield* decide(question, asker)
      const admission = yield* decide(asks("alice@hotmail.com"), asker)
      assert.strictEqual(verdict._tag, "Accept")
      assert.strictEqual(admission._tag, "Challenge")
    }),
  )

  it.effect("is given both ends of the connection", () =>
    Effect.gen(function* () {
      const seen: Array<Address.Address> = []
      const admission: Admission.Admission["Service"] = {
        admit: ({ local, remote }) => {
          seen.push(local, remote)
          return Effect.succeed(denied(601))
        },
        judge: () => Effect.succeed(denied(911)),
      }
      const decide = Admission.guarded(admission, Limits.defaults)
      yield* decide({ _tag: "Admission", dialect: "MSNP7", account: World.alice.account }, asker)
      assert.deepStrictEqual(seen, [ends.local, ends.remote])
    }),
  )

  it.effect("is 500 where the directory fails, and the failure is logged", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => new Directory.DirectoryError({ message: "the disk is full" }))
      const { logs, result } = yield* withLogs(decide(question, asker))
      assert.deepStrictEqual(result, denied(500))
      assert.strictEqual(logs.length, 1)
      assert.include(logs[0], "the disk is full")
    }),
  )

  it.effect("is 500 each time, but the log says so every ten seconds at most, with how many there were", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => new Directory.DirectoryError({ message: "the database is gone" }))
      const deciding = Effect.map(decide(question, asker), (result) => {
        assert.deepStrictEqual(result, denied(500))
      })
      const { logs } = yield* withLogs(
        Effect.gen(function* () {
          yield* Effect.replicateEffect(deciding, 100)
          yield* TestClock.adjust("10 seconds")
          yield* deciding
        }),
      )
      assert.lengthOf(logs, 2)
      assert.match(logs[0] ?? "", /^A login could not be decided .*the database is gone/)
      assert.match(
        logs[1] ?? "",
        /^100 logins could not be decided, the last of them for this reason .*the database is gone/,
      )
    }),
  )

  it.effect("is 500 where the directory has a defect", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => Effect.die(new Error("a bug of the host")))
      const { logs, result } = yield* withLogs(decide(question, asker))
      assert.deepStrictEqual(result, denied(500))
      assert.strictEqual(logs.length, 1)
    }),
  )

  it.effect("is 500 where the host throws before it answers", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => {
        throw new Error("a bug of the host")
      })
      const { result } = yield* withLogs(decide(question, asker))
      assert.deepStrictEqual(result, denied(500))
    }),
  )

  it.effect("is 500 where the host's own work was interrupted: no client is left without an answer", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => Effect.interrupt)
      const { result } = yield* withLogs(decide(question, asker))
      assert.deepStrictEqual(result, denied(500))
    }),
  )

  it.effect("ends without a word where the connection itself is given up", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => Effect.never)
      const { logs } = yield* withLogs(
        Effect.gen(function* () {
          const deciding = yield* Effect.forkChild(decide(question, asker), {
            startImmediately: true,
          })
          yield* Fiber.interrupt(deciding)
        }),
      )
      assert.deepStrictEqual(logs, [])
    }),
  )

  it.effect("is 910 where the directory is too slow, and not a moment earlier", () =>
    Effect.gen(function* () {
      const decide = yield* over(() => Effect.never)
      const deciding = yield* Effect.forkChild(decide(question, asker), { startImmediately: true })
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(deciding.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(deciding), denied(910))
    }),
  )

  it.effect("is 910 at once where too many are waited for, until one of them is made", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const decide = yield* over(() => Effect.as(Deferred.await(gate), Option.some(World.alice)), {
        ...Limits.defaults,
        pendingDecisions: 2,
      })
      const waiting = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(decide(question, asker), { startImmediately: true }),
      )
      assert.deepStrictEqual(yield* decide(question, asker), denied(910))
      yield* Deferred.succeed(gate, undefined)
      const decided = yield* Fiber.joinAll(waiting)
      assert.deepStrictEqual(
        decided.map(({ _tag }) => _tag),
        ["Accept", "Accept"],
      )
      const later = yield* decide(question, asker)
      assert.strictEqual(later._tag, "Accept")
    }),
  )

  it.effect("frees the place of one that was too slow, failed, or was given up", () =>
    Effect.gen(function* () {
      const limits = { ...Limits.defaults, pendingDecisions: 1 }
      let find: Find = () => Effect.never
      const decide = yield* over((account) => find(account), limits)

      const slow = yield* Effect.forkChild(decide(question, asker), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(slow)
      const abandoned = yield* Effect.forkChild(decide(question, asker), { startImmediately: true })
      yield* Fiber.interrupt(abandoned)
      find = () => new Directory.DirectoryError({ message: "the disk is full" })
      assert.deepStrictEqual((yield* withLogs(decide(question, asker))).result, denied(500))
      find = () => Effect.succeed(Option.some(World.alice))
      const last = yield* decide(question, asker)
      assert.strictEqual(last._tag, "Accept")
    }),
  )
})
