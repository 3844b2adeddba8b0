/**
 * The official clients that speak these dialects, as data: what each offers, how it goes about its login, and what it
 * says of itself behind it. A client that is given these says just what that one said.
 *
 * The lines of 1.0 are a real client's. Of the others the offers and the versions are on record, and the form of CVR;
 * no whole conversation of theirs is. They spoke of the machine that they ran on, which here is one of the samples'.
 */
import * as Schema from "effect/Schema"
import type * as Dialect from "../protocol/Dialect.ts"
import * as TrId from "../protocol/TrId.ts"

/** The official clients, the oldest first. From 5.0 on they speak none of these dialects. */
export const Name = Schema.Literals([
  "MSN1.0",
  "MSN2.0",
  "MSN2.1",
  "MSN2.2",
  "MSN3.0",
  "MSN3.6",
  "MSN4.5",
  "MSN4.6",
  "MSN4.7",
])
export type Name = typeof Name.Type

/** What a client is to be told so that it is an official one; see the options of `SessionClient`. */
export interface Options {
  /** The offer; CVR0 stands behind it. */
  readonly dialects: readonly [Dialect.Dialect, ...Array<Dialect.Dialect>]
  /** One command at a time, INF among them, in every transcript. */
  readonly strategy: "official"
  /**
   * Where the counter begins, which goes on from connection to connection (hypothetic v2.0, example_session). It counts
   * for as long as the program runs: that session begins with 1, and the one of 1.0 that is on record with 139.
   */
  readonly trId: TrId.TrId
  /** The words of CVR, which is said behind SYN and CHG: six up to MSNP3, seven from then on. */
  readonly version: ReadonlyArray<string>
}

const manner = { strategy: "official", trId: TrId.initial } as const

/** The machine of the samples (hypothetic v2.0, miscellaneous), which is Windows 98 in English. */
const windows98 = ["0x0409", "win", "4.10", "i386"] as const

/** The options of each. */
export const options: { readonly [name in Name]: Options } = {
  /** What a real 1.0.0863 said to a server of 2022 (whatwaschat.blogspot.com). */
  "MSN1.0": {
    ...manner,
    dialects: ["MSNP2"],
    version: ["0x0409", "win", "4.0", "i386", "MSMSGS", "1.0.0863"],
  },
  /** Offer and version: msnp-wiki, MSNP3. */
  "MSN2.0": {
    ...manner,
    dialects: ["MSNP3", "MSNP2"],
    version: [...windows98, "MSMSGS", "2.0.0083"],
  },
  /** Offer, version and the seventh word: msnp-wiki, MSNP4. */
  "MSN2.1": {
    ...manner,
    dialects: ["MSNP4", "MSNP3"],
    version: [...windows98, "MSMSGS", "2.1.1047", "MSMSGS"],
  },
  /** Offer: Escargot's notes. Version: msnp-wiki, MSNP4. */
  "MSN2.2": {
    ...manner,
    dialects: ["MSNP4", "MSNP3"],
    version: [...windows98, "MSMSGS", "2.2.1053", "MSMSGS"],
  },
  /** Offer and version: msnp-wiki, MSNP5; the offer in Escargot's notes, too. */
  "MSN3.0": {
    ...manner,
    dialects: ["MSNP5", "MSNP4"],
    version: [...windows98, "MSMSGS", "3.0.0283", "MSMSGS"],
  },
  /** Offer and version: msnp-wiki, MSNP6. 3.6.0025, whose CVR is on record (hypothetic v2.0), offers what 3.0 does. */
  "MSN3.6": {
    ...manner,
    dialects: ["MSNP6", "MSNP5", "MSNP4"],
    version: [...windows98, "MSMSGS", "3.6.0038", "MSMSGS"],
  },
  /** Offer and version: msnp-wiki, MSNP7; the offer in Escargot's notes, too. */
  "MSN4.5": {
    ...manner,
    dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
    version: [...windows98, "MSMSGS", "4.5.0121", "MSMSGS"],
  },
  /** Offer: Escargot's notes. Version: what Microsoft's servers recommended (hypothetic v2.0, miscellaneous). */
  "MSN4.6": {
    ...manner,
    dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
    version: [...windows98, "MSMSGS", "4.6.0083", "MSMSGS"],
  },
  /**
   * Offer: Escargot's notes. It is the least certain one: of the builds before 4.7.2005, which were the last without
   * Passport (wink.messengergeek.com, 3683), no line is on record. The number is what the server PintoMSNPTest
   * recommends; the machine and the last word are those that 4.7.2009 and 4.7.3001 say in MSNP8.
   */
  "MSN4.7": {
    ...manner,
    dialects: ["MSNP7", "MSNP6", "MSNP5", "MSNP4"],
    version: ["0x0409", "winnt", "5.1", "i386", "MSMSGS", "4.7.0105", "WindowsMessenger"],
  },
}
