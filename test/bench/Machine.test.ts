import { describe, expect, it } from "vitest"
import * as Machine from "./Machine.ts"

describe("what the looks at a machine found", () => {
  it("is that it had nothing else to do, where that is so", () => {
    expect(Machine.findings([0, 0.1, 0.05])).toMatch(/^The machine had nothing else to do: each of 3 looks /)
  })

  it("is other work, how often and how much, where there was some", () => {
    expect(Machine.findings([0.04, 0.11, 0.5])).toBe(
      "These figures are from a machine with other work on it: 2 of 3 looks between rounds found up to 50 % of its processors busy with something else.",
    )
  })
})

describe("a look at the machine", () => {
  it("sees a processor that is busy", async () => {
    const look = Machine.busy()
    // On one of them, this keeps it so until the look is over.
    const begun = performance.now()
    while (performance.now() - begun < 300) Math.sqrt(begun)
    expect(await look).toBeGreaterThan(0)
  })
})

describe("connections", () => {
  it("are as many as are wanted, where the system allows so many files", () => {
    expect(Machine.connectionsUpTo(10)).toBe(10)
  })
})
