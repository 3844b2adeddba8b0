/** A test is tagged with the clauses that it shows kept: with names of clauses, and with nothing else. */
import type * as Clause from "../../src/login/Clause.ts"

declare module "vitest" {
  interface TestTags {
    readonly clause: Clause.Id
  }
}
