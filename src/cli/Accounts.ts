/**
 * The accounts with which one can try things out; they are kept in memory.
 */
import * as Redacted from "effect/Redacted"
import type * as Directory from "../host/Directory.ts"
import * as Account from "../protocol/Account.ts"
import * as FriendlyName from "../protocol/FriendlyName.ts"

const entry = (account: string, password: string, friendlyName: string): Directory.Entry => ({
  account: Account.Account.make(account),
  password: Redacted.make(password, { label: "password" }),
  friendlyName: FriendlyName.FriendlyName.make(friendlyName),
  verification: "Verified",
  standing: "Enabled",
})

/** The password of the first demo account, which people are told. */
export const alicesPassword = "wonderland"

/** The account that the demo logs in with. */
export const alice = entry("alice@example.com", alicesPassword, "Alice Liddell")

/** The demo accounts. */
export const demo: ReadonlyArray<Directory.Entry> = [alice, entry("bob@example.com", "builder", "Bob")]

/** The most accounts of a crowd: as many as five digits can number. */
export const maxCrowd = 100_000

/** Many accounts, for trying out load: `user00000@example.com` and on, each with the password `password`. */
export const crowd = (size: number): ReadonlyArray<Directory.Entry> =>
  Array.from({ length: size }, (_, index) => {
    const number = String(index).padStart(5, "0")
    return entry(`user${number}@example.com`, "password", `User ${number}`)
  })
