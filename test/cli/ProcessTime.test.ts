import { describe, expect, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ProcessTime from "../../src/cli/ProcessTime.ts"

describe("the CPU time of a process", () => {
  it("is the sum of two fields of /proc/PID/stat, whatever the program is called (proc(5): utime, stime)", () => {
    const stat = (name: string) =>
      `4242 (${name}) S 1 4242 4242 0 -1 4194304 1234 0 0 0 512 88 7 9 20 0 11 0 123456 1000000 2000 18446744073709551615`
    for (const name of ["node", "a b", "a) S 1 (b", "(1) 2"]) {
      expect(ProcessTime.fromStat(stat(name))).toEqual(Option.some(6))
    }
    expect(ProcessTime.fromStat("")).toEqual(Option.none())
    expect(ProcessTime.fromStat("4242 (node) S 1")).toEqual(Option.none())
  })

  it.each([
    ["0:00.25", 0.25],
    ["  12:34.56\n", 754.56],
    ["00:01:02\n", 62],
    ["10:00:00", 36_000],
    ["2-03:04:05", 183_845],
  ])("is what ps says, as POSIX has it and as BSD has it: %j", (text, seconds) => {
    expect(ProcessTime.fromPs(text)).toEqual(Option.some(seconds))
  })

  it.each(["", "TIME", "-", "1:2:3:4"])("is none where ps says %j", (text) => {
    expect(ProcessTime.fromPs(text)).toEqual(Option.none())
  })

  it("is what the system tells of a process that there is", async () => {
    const own = () => {
      const { system, user } = process.cpuUsage()
      return (system + user) / 1e6
    }
    const until = own() + 0.2
    while (own() < until);
    const before = own()
    const told = Option.getOrThrow(await Effect.runPromise(ProcessTime.of(process.pid)))
    const after = own()
    // The system counts in hundredths.
    expect(told).toBeGreaterThan(before - 0.05)
    expect(told).toBeLessThan(after + 0.05)
  })

  it("is none of a process that there is not", async () => {
    expect(await Effect.runPromise(ProcessTime.of(2 ** 30))).toEqual(Option.none())
  })
})
