import { describe, expect, it } from "vitest"
import * as Progress from "../../src/cli/Progress.ts"

describe("a bar", () => {
  it("fills as things are done", () => {
    expect(Progress.bar("Importing", 0, 10, 80)).toBe("Importing [------------------------------] 0 of 10")
    expect(Progress.bar("Importing", 5, 10, 80)).toBe("Importing [###############---------------] 5 of 10")
    expect(Progress.bar("Importing", 10, 10, 80)).toBe("Importing [##############################] 10 of 10")
  })

  it("is so short that a narrow terminal shows it on one line, and else leaves the figures alone", () => {
    expect(Progress.bar("Importing", 1000, 2000, 40)).toBe("Importing [#######-------] 1000 of 2000")
    expect(Progress.bar("Importing", 1000, 2000, 28)).toBe("Importing [#-] 1000 of 2000")
    expect(Progress.bar("Importing", 1000, 2000, 26)).toBe("1000 of 2000")
  })
})
