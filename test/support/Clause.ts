/** A test whose title is a sentence of the page, as `Clause.ts` has it. */
import { expect, it } from "vitest"
import * as Clause from "../../src/login/Clause.ts"

/** Shows that a clause is kept; whoever shows nothing fails. */
export const clause = (id: Clause.Id, shows: () => void): void =>
  it(Clause.all[id].says, { tags: [id] }, () => {
    expect.hasAssertions()
    shows()
  })
