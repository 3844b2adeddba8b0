/** A test whose title is a sentence of the page, as `Clause.ts` has it. */
import { it } from "vitest"
import * as Clause from "../../src/login/Clause.ts"

/** Shows that a clause is kept. */
export const clause = (id: Clause.Id, shows: () => void): void => it(Clause.all[id].says, { tags: [id] }, shows)
