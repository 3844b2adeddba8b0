/**
 * Which server a client is to go to, as the command line says it.
 */
import * as Option from "effect/Option"
import * as Address from "../protocol/Address.ts"

/** What an address must look like. */
export const expected = "HOST:PORT"

/** A host and a port; 1863 where none is named. */
export const parse = (text: string): Option.Option<Address.Address> =>
  Option.filter(Address.parse(text), ({ port }) => port > 0)
