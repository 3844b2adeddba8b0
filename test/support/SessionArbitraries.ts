/** Commands of a session, of every kind, for properties: a tag that has no generator here does not compile. */
import * as fc from "fast-check"
import type { ByTag, TagOf } from "../../src/machine/Machine.ts"
import * as Count from "../../src/session/Count.ts"
import type * as Lists from "../../src/session/Lists.ts"
import type * as SessionClientCommand from "../../src/session/SessionClientCommand.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import * as Status from "../../src/session/Status.ts"
import { account, bytes, challenge, digest, friendlyName, trId, word, words } from "./Arbitraries.ts"

type Each<A extends { readonly _tag: string }> = { readonly [tag in TagOf<A>]: fc.Arbitrary<ByTag<A, tag>> }

const count = fc.oneof(fc.constantFrom(0, 1, Count.maximum), fc.integer({ min: 0, max: Count.maximum }))
const status = fc.constantFrom(...Status.Status.literals)
const property = fc.constantFrom(...SessionServerCommand.PhoneProperty.literals)
const value = fc.string({ unit: "binary", maxLength: 20 })
const groups = fc.array(count, { maxLength: 4 })

/** A client's commands, by tag. */
export const clientCommands: Each<SessionClientCommand.SessionClientCommand> = {
  Syn: fc.record({ _tag: fc.constant("Syn"), trId, serial: count }),
  Chg: fc.record({ _tag: fc.constant("Chg"), trId, status }),
  Png: fc.record({ _tag: fc.constant("Png") }),
  Qry: fc.record({ _tag: fc.constant("Qry"), trId, clientId: word, digest }),
  Url: fc.record({ _tag: fc.constant("Url"), trId, place: word, parameters: words }),
  Cvq: fc.record({ _tag: fc.constant("Cvq"), trId, parameters: words }),
}

/** A server's commands, by tag. */
export const serverCommands: Each<SessionServerCommand.SessionServerCommand> = {
  Syn: fc.record({ _tag: fc.constant("Syn"), trId, serial: count }),
  Gtc: fc.record({ _tag: fc.constant("Gtc"), trId, serial: count, policy: fc.constantFrom("A", "N") }),
  Blp: fc.record({ _tag: fc.constant("Blp"), trId, serial: count, policy: fc.constantFrom("AL", "BL") }),
  Prp: fc.record({ _tag: fc.constant("Prp"), trId, serial: count, property, value }),
  Bpr: fc.record({ _tag: fc.constant("Bpr"), serial: count, account, property, value }),
  Lsg: fc.record({
    _tag: fc.constant("Lsg"),
    trId,
    serial: count,
    item: count,
    total: count,
    id: count,
    name: friendlyName,
  }),
  Lst: fc.record({
    _tag: fc.constant("Lst"),
    trId,
    list: fc.constantFrom(...SessionServerCommand.List.literals),
    serial: count,
    item: count,
    total: count,
    account,
    friendlyName,
    groups,
  }),
  LstEmpty: fc.record({
    _tag: fc.constant("LstEmpty"),
    trId,
    list: fc.constantFrom(...SessionServerCommand.List.literals),
    serial: count,
  }),
  Chg: fc.record({ _tag: fc.constant("Chg"), trId, status }),
  Iln: fc.record({ _tag: fc.constant("Iln"), trId, status, account, friendlyName }),
  Nln: fc.record({ _tag: fc.constant("Nln"), status, account, friendlyName }),
  Fln: fc.record({ _tag: fc.constant("Fln"), account }),
  Qng: fc.record({ _tag: fc.constant("Qng") }),
  Chl: fc.record({ _tag: fc.constant("Chl"), trId, challenge }),
  Qry: fc.record({ _tag: fc.constant("Qry"), trId }),
  Url: fc.record({ _tag: fc.constant("Url"), trId, path: word, login: word, site: words }),
  Cvq: fc.record({ _tag: fc.constant("Cvq"), trId, parameters: words }),
  Msg: fc.record({ _tag: fc.constant("Msg"), from: word, friendlyName, payload: bytes }),
}

const person = fc.record({ account, friendlyName })
const phones = fc.uniqueArray(fc.record({ property, value }), { selector: (phone) => phone.property })
const some = <A>(one: fc.Arbitrary<A>): fc.Arbitrary<readonly [A, ...ReadonlyArray<A>]> =>
  fc.tuple(one, fc.array(one, { maxLength: 2 })).map(([first, rest]) => [first, ...rest])

/** Lists of an account that any dialect can tell whole only in part; nobody is on the forward list twice. */
export const lists: fc.Arbitrary<Lists.Lists> = fc.record({
  serial: count,
  addPolicy: fc.constantFrom("A", "N"),
  privacyPolicy: fc.constantFrom("AL", "BL"),
  phones,
  groups: some(fc.record({ id: count, name: friendlyName })),
  forward: fc.uniqueArray(fc.record({ account, friendlyName, groups: some(count), phones }), {
    maxLength: 4,
    selector: (contact) => contact.account.toUpperCase().toLowerCase(),
  }),
  allow: fc.array(person, { maxLength: 4 }),
  block: fc.array(person, { maxLength: 4 }),
  reverse: fc.array(person, { maxLength: 4 }),
})
