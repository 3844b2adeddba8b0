import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Account from "../../src/protocol/Account.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import * as Dialect from "../../src/protocol/Dialect.ts"
import * as FriendlyName from "../../src/protocol/FriendlyName.ts"
import * as TrId from "../../src/protocol/TrId.ts"
import * as Lists from "../../src/session/Lists.ts"
import * as SessionServerCommand from "../../src/session/SessionServerCommand.ts"
import { lists } from "../support/SessionArbitraries.ts"

const trId = TrId.TrId.make(7)

/** The lines that tell some lists in a dialect. */
const lines = (lists: Lists.Lists, dialect: Dialect.Dialect) =>
  Lists.toCommands(lists, dialect, trId).map((command) =>
    Result.getOrThrow(Result.flatMap(SessionServerCommand.encode(command), Codec.encodeServer)).replace(/\r\n$/, ""),
  )

const person = (account: string, name: string) => ({
  account: Account.Account.make(account),
  friendlyName: FriendlyName.FriendlyName.make(name),
})
const bob = person("bob@hotmail.com", "Bob")
const carol = person("carol@hotmail.com", "Carol C")

const known: Lists.Lists = {
  serial: 12,
  addPolicy: "N",
  privacyPolicy: "BL",
  phones: [
    { property: "PHH", value: "555 555-0690" },
    { property: "PHW", value: "" },
  ],
  groups: [Lists.defaultGroup, { id: 3, name: FriendlyName.FriendlyName.make("Co workers") }],
  forward: [
    { ...bob, groups: [0, 3], phones: [{ property: "MOB", value: "Y" }] },
    { ...carol, groups: [0], phones: [] },
  ],
  allow: [bob],
  block: [],
  reverse: [bob, carol],
}

/** What stands in every dialect, by draft 7.5 and 7.6. */
const settings = ["GTC 7 12 N", "BLP 7 12 BL"]
const others = [
  "LST 7 AL 12 1 1 bob@hotmail.com Bob",
  "LST 7 BL 12 0 0",
  "LST 7 RL 12 1 2 bob@hotmail.com Bob",
  "LST 7 RL 12 2 2 carol@hotmail.com Carol%20C",
]
const plain = ["LST 7 FL 12 1 2 bob@hotmail.com Bob", "LST 7 FL 12 2 2 carol@hotmail.com Carol%20C"]
/** From MSNP5 on, by the wiki. */
const withPhones = [
  ...settings,
  "PRP 7 12 PHH 555%20555-0690",
  "PRP 7 12 PHW",
  "LST 7 FL 12 1 2 bob@hotmail.com Bob",
  "BPR 12 bob@hotmail.com MOB Y",
  "LST 7 FL 12 2 2 carol@hotmail.com Carol%20C",
  ...others,
]

describe("the lists of an account", () => {
  it.each([
    ["MSNP2", [...settings, ...plain, ...others]],
    ["MSNP3", [...settings, ...plain, ...others]],
    ["MSNP4", [...settings, ...plain, ...others]],
    ["MSNP5", withPhones],
    ["MSNP6", withPhones],
    [
      "MSNP7",
      [
        ...settings,
        "PRP 7 12 PHH 555%20555-0690",
        "PRP 7 12 PHW",
        "LSG 7 12 1 2 0 ~ 0",
        "LSG 7 12 2 2 3 Co%20workers 0",
        "LST 7 FL 12 1 2 bob@hotmail.com Bob 0,3",
        "BPR 12 bob@hotmail.com MOB Y",
        "LST 7 FL 12 2 2 carol@hotmail.com Carol%20C 0",
        ...others,
      ],
    ],
  ] as const)("are told in %s as its clients expect them, RL last", { tags: ["beyond.lists"] }, (dialect, told) => {
    expect(lines(known, dialect)).toEqual(told)
  })

  const none = ["GTC 7 1 A", "BLP 7 1 AL", "LST 7 FL 1 0 0", "LST 7 AL 1 0 0", "LST 7 BL 1 0 0", "LST 7 RL 1 0 0"]

  it.each(["MSNP2", "MSNP3", "MSNP4", "MSNP5", "MSNP6"] as const)(
    "are told as empty where nobody is on them, in %s",
    { tags: ["beyond.lists"] },
    (dialect) => {
      expect(lines(Lists.empty, dialect)).toEqual(none)
    },
  )

  it("have a group even then, in MSNP7 (the wiki)", () => {
    expect(lines(Lists.empty, "MSNP7")).toEqual([...none.slice(0, 2), "LSG 7 1 1 1 0 ~ 0", ...none.slice(2)])
  })

  /** What a dialect can tell of some lists. */
  const told: { readonly [dialect in Dialect.Dialect]: (lists: Lists.Lists) => Lists.Lists } = (() => {
    const ungrouped = (lists: Lists.Lists): Lists.Lists => ({
      ...lists,
      groups: [Lists.defaultGroup],
      forward: lists.forward.map((contact) => ({ ...contact, groups: [0] })),
    })
    const unphoned = (lists: Lists.Lists): Lists.Lists => ({
      ...ungrouped(lists),
      phones: [],
      forward: ungrouped(lists).forward.map((contact) => ({ ...contact, phones: [] })),
    })
    return {
      MSNP2: unphoned,
      MSNP3: unphoned,
      MSNP4: unphoned,
      MSNP5: ungrouped,
      MSNP6: ungrouped,
      MSNP7: (lists) => lists,
    }
  })()

  it.each(Dialect.all)(
    "come together again from what is told of them, and are whole with the last, in %s",
    (dialect) => {
      fc.assert(
        fc.property(lists, (lists) => {
          const commands = Lists.toCommands(lists, dialect, trId)
          expect(Lists.gather(lists.serial, commands)).toEqual(told[dialect](lists))
          expect(commands.map(Lists.isLast)).toEqual(commands.map((_, i) => i === commands.length - 1))
        }),
      )
    },
  )

  it("come together in whatever order they are told, each with its phones; what nobody tells is as by default", () => {
    const told = Lists.toCommands(known, "MSNP7", trId)
    const phones = told.filter(({ _tag }) => _tag === "Bpr")
    const people = told.filter(({ _tag }) => _tag === "Lst" || _tag === "LstEmpty")
    const settings = told.filter((line) => !phones.includes(line) && !people.includes(line))
    expect(Lists.gather(12, [...phones, ...people, ...settings])).toEqual(known)
    expect(Lists.gather(1, [])).toEqual(Lists.empty)
    // A phone of somebody who is on no forward list has no place.
    expect(Lists.gather(1, phones)).toEqual(Lists.empty)
  })
})
