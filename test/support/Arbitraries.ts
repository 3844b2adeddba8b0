/** Commands of every kind for properties: a tag that has no generator here does not compile. */
import * as fc from "fast-check"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ByTag, TagOf } from "../../src/machine/Machine.ts"
import * as Account from "../../src/protocol/Account.ts"
import type * as Address from "../../src/protocol/Address.ts"
import * as Challenge from "../../src/protocol/Challenge.ts"
import * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as Line from "../../src/protocol/Line.ts"
import * as ServerCommand from "../../src/protocol/ServerCommand.ts"
import * as TrId from "../../src/protocol/TrId.ts"

type Each<A extends { readonly _tag: string }> = { readonly [tag in TagOf<A>]: fc.Arbitrary<ByTag<A, tag>> }

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))
const wordByte = byte.filter((char) => !" \t\n\r".includes(char))

/** Any bytes. */
export const bytes = fc.string({ unit: byte, maxLength: 40 })

/** Any bytes that can be said as one parameter. */
export const word = fc.string({ unit: wordByte, minLength: 1, maxLength: 20 })

/** Such parameters, or none. */
export const words = fc.array(word, { maxLength: 8 })

/** Identifiers, those at the ends often. */
export const trId = fc
  .oneof(fc.constantFrom(0, 1, TrId.maximum), fc.integer({ min: 0, max: TrId.maximum }))
  .map((n) => TrId.TrId.make(n))

const part = fc.string({ unit: "binary", minLength: 1, maxLength: 20 })

/** Accounts of any letters. */
export const account: fc.Arbitrary<Account.Account> = fc
  .tuple(part, part)
  .map(([name, domain]) => `${name}@${domain}`)
  .filter(Account.isAccount)

/** Names of any letters. */
export const friendlyName: fc.Arbitrary<FriendlyName.FriendlyName> = fc
  .string({ unit: "binary", minLength: 1, maxLength: 40 })
  .map((text) => FriendlyName.FriendlyName.make(text))

const address: fc.Arbitrary<Address.Address> = fc.record({
  host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
  port: fc.integer({ min: 1, max: 65_535 }),
})

const hex = fc.constantFrom(..."0123456789abcdef")

/** Digests. */
export const digest = fc
  .string({ unit: hex, minLength: 32, maxLength: 32 })
  .map((digits) => Redacted.make(Challenge.Digest.make(digits), { label: "digest" }))

/** Challenges of any bytes. */
export const challenge = word.map((bytes) => Challenge.Challenge.make(bytes))

/** Names as clients and servers write them behind VER, junk among them. */
const dialectName = fc.oneof(fc.constantFrom(...Dialect.all, Dialect.cvr0, "MSNP8", "msnp7"), word)

const letters = fc.string({ unit: fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"), minLength: 3, maxLength: 3 })

const foreign = (commands: object, payloads: Line.Payloads) => {
  const plain = fc.record({
    verb: letters.filter((verb) => !Object.hasOwn(commands, verb) && !Object.hasOwn(payloads, verb)),
    parameters: words,
    payload: fc.constant(""),
  })
  const paid = fc
    .record({
      verb: fc.constantFrom(...Object.keys(payloads)),
      before: fc.array(word, { minLength: 8, maxLength: 8 }),
      payload: bytes,
    })
    .map(({ before, payload, verb }) => ({ verb, parameters: [...before, String(payload.length)], payload }))
  return fc.oneof(plain, paid).map((fields) => ({ _tag: "Foreign" as const, ...fields }))
}

/** A client's commands, by tag. */
export const clientCommands: Each<ClientCommand.ClientCommand> = {
  Ver: fc.record({ _tag: fc.constant("Ver"), trId, dialects: fc.array(dialectName, { maxLength: 8 }) }),
  Inf: fc.record({ _tag: fc.constant("Inf"), trId }),
  UsrInitiate: fc.record({ _tag: fc.constant("UsrInitiate"), trId, account }),
  UsrRespond: fc.record({ _tag: fc.constant("UsrRespond"), trId, digest }),
  Cvr: fc.record({ _tag: fc.constant("Cvr"), trId, parameters: words }),
  Out: fc.record({ _tag: fc.constant("Out") }),
  Foreign: foreign(ClientCommand.commands, Line.clientPayloads),
}

/** A server's commands, by tag. */
export const serverCommands: Each<ServerCommand.ServerCommand> = {
  Ver: fc.record({
    _tag: fc.constant("Ver"),
    trId,
    dialects: fc.tuple(
      dialectName.filter((name) => name !== "0"),
      dialectName,
    ),
  }),
  VerNone: fc.record({ _tag: fc.constant("VerNone"), trId, known: words }),
  Inf: fc.record({
    _tag: fc.constant("Inf"),
    trId,
    packages: fc.tuple(fc.constant("MD5"), fc.constantFrom("CTP", "TWN")),
  }),
  UsrChallenge: fc.record({ _tag: fc.constant("UsrChallenge"), trId, challenge }),
  UsrOk: fc.record({
    _tag: fc.constant("UsrOk"),
    trId,
    account,
    friendlyName,
    verified: fc.option(fc.boolean()).map(Option.fromNullOr),
  }),
  Xfr: fc.record({
    _tag: fc.constant("Xfr"),
    trId,
    to: address,
    trailer: fc.oneof(fc.constant([] as const), fc.constant(["0"] as const), fc.tuple(fc.constant("0"), address)),
  }),
  Cvr: fc.record({ _tag: fc.constant("Cvr"), trId, parameters: words }),
  Out: fc.record({
    _tag: fc.constant("Out"),
    reason: fc.constantFrom(...ServerCommand.OutReason.literals),
  }),
  Failure: fc.record({
    _tag: fc.constant("Failure"),
    code: fc.integer({ min: 100, max: 999 }),
    trId: fc.option(trId).map(Option.fromNullOr),
  }),
  Foreign: foreign(ServerCommand.commands, Line.serverPayloads),
}
