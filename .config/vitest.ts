import { defineConfig } from "vitest/config"
import * as Clause from "../src/login/Clause.ts"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 10_000,
    // A test names the clauses that it shows kept: `--tags-filter usr.wrong-password` runs those of one.
    tags: Clause.ids.map((id) => ({ name: id, description: Clause.all[id].says })),
    // A file that a test expects and that is not there is a failure, never written in passing.
    update: "none",
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reportsDirectory: "coverage",
      reporter: ["text", "html"],
    },
  },
})
