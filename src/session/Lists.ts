/**
 * The lists of an account: whom it knows, in groups, who may see it, and who knows it; with a few settings.
 *
 * {@link toCommands} is what a server says of them behind SYN; {@link gather} puts such lines together again, once
 * {@link isLast} says that nothing more follows.
 */
import * as Arr from "effect/Array"
import * as Schema from "effect/Schema"
import * as Account from "../protocol/Account.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"
import type * as TrId from "../protocol/TrId.ts"
import * as Count from "./Count.ts"
import { rules } from "./SessionRules.ts"
import * as SessionServerCommand from "./SessionServerCommand.ts"

/** A group of contacts. */
export const Group = Schema.Struct({ id: Count.Count, name: FriendlyName.FriendlyName })
export type Group = typeof Group.Type

/** A phone property, with its value; an empty text where it has none. */
export const Phone = Schema.Struct({ property: SessionServerCommand.PhoneProperty, value: Schema.String })
export type Phone = typeof Phone.Type

/** Somebody on a list. */
export const Person = Schema.Struct({ account: Account.Account, friendlyName: FriendlyName.FriendlyName })
export type Person = typeof Person.Type

/** Somebody whom the user wants to see: in some groups, and with some phones. */
export const Contact = Schema.Struct({
  ...Person.fields,
  groups: Schema.NonEmptyArray(Count.Count),
  phones: Schema.Array(Phone),
})
export type Contact = typeof Contact.Type

/** The lists of an account, with the settings that SYN brings. */
export const Lists = Schema.Struct({
  /** Rises with each change; a client that names it has the lists already. */
  serial: Count.Count,
  addPolicy: SessionServerCommand.AddPolicy,
  privacyPolicy: SessionServerCommand.PrivacyPolicy,
  phones: Schema.Array(Phone),
  groups: Schema.NonEmptyArray(Group),
  /** FL: whom the user wants to see. */
  forward: Schema.Array(Contact),
  /** AL: who may see the user. */
  allow: Schema.Array(Person),
  /** BL: who may not. */
  block: Schema.Array(Person),
  /** RL: who has the user on a forward list. */
  reverse: Schema.Array(Person),
})
export type Lists = typeof Lists.Type

/** The group that every account has. */
export const defaultGroup: Group = { id: 0, name: FriendlyName.FriendlyName.make("~") }

/** A contact in the default group, without phones. */
export const contact = (account: Account.Account, friendlyName: FriendlyName.FriendlyName): Contact => ({
  account,
  friendlyName,
  groups: [defaultGroup.id],
  phones: [],
})

/** The first serial of our server's: clients that know nothing say 0, and are to be told everything. */
export const firstSerial = 1

/** Nobody on any list, and the draft's settings (draft 7.6). */
export const empty: Lists = {
  serial: firstSerial,
  addPolicy: "A",
  privacyPolicy: "AL",
  phones: [],
  groups: [defaultGroup],
  forward: [],
  allow: [],
  block: [],
  reverse: [],
}

/** The commands that tell the lists, in their order: settings, groups, then FL, AL, BL and last RL. */
export const toCommands = (
  { addPolicy, allow, block, forward, groups, phones, privacyPolicy, reverse, serial }: Lists,
  dialect: Dialect.Dialect,
  trId: TrId.TrId,
): ReadonlyArray<Line> => {
  const has = rules[dialect]
  const ofPhones = (phones: ReadonlyArray<Phone>) => (has.phones === "Present" ? phones : [])

  const list = (list: SessionServerCommand.List, people: ReadonlyArray<Person | Contact>) =>
    Arr.match(people, {
      onEmpty: () => [{ _tag: "LstEmpty", trId, list, serial } as const],
      onNonEmpty: (people) =>
        people.flatMap((person, i) => [
          {
            _tag: "Lst",
            trId,
            list,
            serial,
            item: i + 1,
            total: people.length,
            account: person.account,
            friendlyName: person.friendlyName,
            groups: "groups" in person && has.groups === "Present" ? person.groups : [],
          } as const,
          ...ofPhones("phones" in person ? person.phones : []).map(
            (phone) => ({ _tag: "Bpr", serial, account: person.account, ...phone }) as const,
          ),
        ]),
    })

  return [
    { _tag: "Gtc", trId, serial, policy: addPolicy },
    { _tag: "Blp", trId, serial, policy: privacyPolicy },
    ...ofPhones(phones).map((phone) => ({ _tag: "Prp", trId, serial, ...phone }) as const),
    ...(has.groups === "Present" ? groups : []).map(
      (group, i) => ({ _tag: "Lsg", trId, serial, item: i + 1, total: groups.length, ...group }) as const,
    ),
    ...list("FL", forward),
    ...list("AL", allow),
    ...list("BL", block),
    ...list("RL", reverse),
  ]
}

/** What a server says of lists, behind its answer to SYN. */
export const Line = Schema.Union([
  SessionServerCommand.Gtc.type,
  SessionServerCommand.Blp.type,
  SessionServerCommand.Prp.type,
  SessionServerCommand.Lsg.type,
  SessionServerCommand.Lst.type,
  SessionServerCommand.LstEmpty.type,
  SessionServerCommand.Bpr.type,
])
export type Line = typeof Line.Type

/** The lists that lines tell, in any order, under the serial that SYN has told. What they do not tell is as in {@link empty}. */
export const gather = (serial: number, lines: Iterable<Line>): Lists => {
  let { addPolicy, privacyPolicy } = empty
  const own: Array<Phone> = []
  const groups: Array<Group> = []
  const entries = { FL: new Array<Entry>(), AL: new Array<Entry>(), BL: new Array<Entry>(), RL: new Array<Entry>() }
  const ofContacts: Array<typeof SessionServerCommand.Bpr.type.Type> = []
  for (const line of lines) {
    switch (line._tag) {
      case "Gtc":
        addPolicy = line.policy
        break
      case "Blp":
        privacyPolicy = line.policy
        break
      case "Prp":
        own.push(phone(line))
        break
      case "Lsg":
        groups.push({ id: line.id, name: line.name })
        break
      case "Lst":
        entries[line.list].push(line)
        break
      case "Bpr":
        ofContacts.push(line)
        break
      case "LstEmpty":
        break
    }
  }
  const phones = Map.groupBy(ofContacts, ({ account }) => Account.fold(account))
  return {
    serial,
    addPolicy,
    privacyPolicy,
    phones: own,
    groups: Arr.isArrayNonEmpty(groups) ? groups : empty.groups,
    forward: entries.FL.map(({ account, friendlyName, groups }) => {
      const known = { ...contact(account, friendlyName), phones: (phones.get(Account.fold(account)) ?? []).map(phone) }
      return Arr.isReadonlyArrayNonEmpty(groups) ? { ...known, groups } : known
    }),
    allow: entries.AL.map(person),
    block: entries.BL.map(person),
    reverse: entries.RL.map(person),
  }
}

type Entry = typeof SessionServerCommand.Lst.type.Type

const phone = ({ property, value }: Phone): Phone => ({ property, value })
const person = ({ account, friendlyName }: Person): Person => ({ account, friendlyName })

/** Whether the lists are whole with this line: it is RL's last, or says that RL is empty. */
export const isLast = (line: Line): boolean =>
  (line._tag === "LstEmpty" && line.list === "RL") ||
  (line._tag === "Lst" && line.list === "RL" && line.item === line.total)
