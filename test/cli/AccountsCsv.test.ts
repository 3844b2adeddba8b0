import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as AccountsCsv from "../../src/cli/AccountsCsv.ts"
import { inLanguage } from "../docs/Blocks.ts"

const read = (csv: string) =>
  Effect.map(AccountsCsv.decode(csv), (accounts) =>
    accounts.map(({ entry, line }) => ({ line, ...entry, password: Redacted.value(entry.password) })),
  )

describe("a file of accounts", () => {
  it.effect("has one account a record, the line of each known, though there are line breaks in cells", () =>
    Effect.gen(function* () {
      const csv = [
        "\uFEFFaccount,password,friendlyName,verified,enabled\r\n",
        'alice@example.com,"won""der,land\nsecond\r\nthird",Alice,true,FALSE\r\n',
        "bob@example.com,builder,ボブ,False,true",
      ].join("")
      assert.deepStrictEqual(yield* read(csv), [
        {
          line: 2,
          account: "alice@example.com",
          password: 'won"der,land\nsecond\r\nthird',
          friendlyName: "Alice",
          verification: "Verified",
          standing: "Disabled",
        },
        {
          line: 5,
          account: "bob@example.com",
          password: "builder",
          friendlyName: "ボブ",
          verification: "Unverified",
          standing: "Enabled",
        },
      ])
    }),
  )

  it.effect("needs accounts and passwords alone, in any order", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read("password,account\n builder ,bob@example.com\n"), [
        {
          line: 2,
          account: "bob@example.com",
          password: " builder ",
          friendlyName: "bob@example.com",
          verification: "Verified",
          standing: "Enabled",
        },
      ])
    }),
  )

  it.effect("may have a header and no account, and empty lines", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read("account,password\n\n\r\n"), [])
    }),
  )

  it.effect.each(inLanguage("csv"))("is told of in the documents by an example: %s", ([, csv]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read(csv), [
        {
          line: 2,
          account: "alice@example.com",
          password: "wonderland",
          friendlyName: "Liddell, Alice",
          verification: "Verified",
          standing: "Enabled",
        },
      ])
    }),
  )

  const header =
    "The header must name account and password, and of account, password, friendlyName, verified, enabled each once at most, with commas between."
  const address = "An account is an address: one @ with something on both sides, no white space, at most 129 bytes."
  const wrong: ReadonlyArray<readonly [csv: string, line: number, message: string]> = [
    ["", 1, "There is no header."],
    ["a@b,p\n", 1, header],
    ["account,friendlyName\na@b,A\n", 1, header],
    ["account,password,account\na@b,p,a@b\n", 1, header],
    ["account,password,name\na@b,p,A\n", 1, header],
    ["account,password\na@b,p\nbob,p\n", 3, address],
    [`account,password\n${"a".repeat(128)}@b,p\n`, 2, address],
    ["account,password\na@b,p\n\nc@d,p,q\n", 4, "Its cells number 3, and those of the header 2."],
    ["account,password\na@b\n", 2, "Its cells number 1, and those of the header 2."],
    ['account,password\na@b,"p\nq\r\nr\rs"\nc@d,\n', 6, "The password of c@d is empty."],
    [`account,password\na@b,${"ü".repeat(32_769)}\n`, 2, "The password of a@b is longer than 64 KiB."],
    ["account,password,friendlyName\na@b,p,\n", 2, "The friendly name of a@b is empty."],
    [
      `account,password,friendlyName\na@b,p,${"x".repeat(388)}\n`,
      2,
      "The friendly name of a@b takes 388 bytes as it is sent, and 387 is the most.",
    ],
    ["account,password,enabled\na@b,p,maybe\n", 2, "Whether it is verified and enabled is told by true or false."],
    ["account,password,verified\na@b,p,\n", 2, "Whether it is verified and enabled is told by true or false."],
    ["account,password\na@b,p\nc@d,p\nA@B,p\n", 4, "The account A@B is on line 2 already."],
    ['account,password\na@b,p\nbob,p\n"x"y,p\n', 3, address],
  ]

  it.effect.each(wrong)("is refused with the first line that is wrong: %j", ([csv, line, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AccountsCsv.decode(csv))
      assert.deepStrictEqual([error.line, error.message], [line, message])
    }),
  )

  it.effect("is refused where its quotes are not closed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(AccountsCsv.decode('account,password\na@b,p\nc@d,"p\n'))
      assert.strictEqual(error.line, 3)
      assert.match(error.message, /^[A-Z].*\.$/)
    }),
  )
})
