import * as Fs from "node:fs"
import { describe, expect, it } from "vitest"
import * as Splice from "../../docs/Splice.ts"
import * as Page from "./Page.ts"

describe("the page of performance", () => {
  const parts = Page.partsOf({
    rows: [],
    rounds: 3,
    seconds: 59.6,
    looks: [0],
    profile: {
      functions: [{ name: "step", place: "src/machine/Machine.ts:10", share: 0.125 }],
      modules: [{ name: "", place: "src/machine/Machine.ts", share: 0.25 }],
      calls: [],
    },
  })

  it("has a place for each part that is measured, and no other", () => {
    const page = Fs.readFileSync(Page.path, "utf8")
    expect(Splice.namesOf(page, "measured").toSorted()).toEqual(Object.keys(parts).toSorted())
  })

  it("names the machine, the versions, and how it was run", () => {
    expect(parts["conditions"]).toContain(`Node.js ${process.versions.node}, effect 4.`)
    expect(parts["conditions"]).toContain("3 rounds in 60 s")
    expect(parts["conditions"]).toContain("The machine had nothing else to do")
  })

  it("names what takes the most time", () => {
    expect(parts["self times"]).toContain("| 12.5 % | step | src/machine/Machine.ts:10 |")
    expect(parts["modules"]).toContain("| 25.0 % | src/machine/Machine.ts |")
  })
})
