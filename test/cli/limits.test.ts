/** The limits of `msnp serve`, in a process of its own. */
import * as Net from "node:net"
import { afterEach, describe, expect, it, vi } from "vitest"
import * as Msnp from "../support/Msnp.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** Serves the demo accounts until the test is over. */
const serve = async (...args: ReadonlyArray<string>) => {
  const running = Msnp.start([
    "serve",
    "--demo",
    "--json",
    "--dispatch",
    "none",
    "--notification",
    "127.0.0.1:0",
    ...args,
  ])
  cleanups.push(running.stop)
  return { ...running, port: await Msnp.portOf(running, "notification") }
}

/** Connects, says nothing, and waits until the other side closes. */
const silence = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.resume()
    socket.on("end", resolve)
    socket.on("error", reject)
  })

const ver = (length: number) => `${"VER 1 MSNP7".padEnd(length)}\r\n`

describe("msnp serve --limit", () => {
  it("sets limits, as many as are named, and leaves the others as they are", async () => {
    const { port } = await serve("--limit", "lineBytes=20", "--limit", "dialects=1", "--limit", "lineBytes=40")
    expect(await Msnp.tell(port, ver(40))).toBe("VER 1 MSNP7\r\n")
    expect(await Msnp.tell(port, ver(41))).toBe("")
    expect(await Msnp.tell(port, "VER 1 MSNP7 MSNP6\r\n")).toBe("")
  })

  it("takes times with their units", async () => {
    const { port } = await serve("--limit", "loginTimeout=500 millis")
    const begun = performance.now()
    await silence(port)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(490)
    // Else it would be half a minute.
    expect(performance.now() - begun).toBeLessThan(20_000)
  })

  it.each([
    [
      "conections=3",
      /^msnp: .*"conections=3".* Expected: NAME=VALUE with a limit's name: lineBytes, .*, gatewaySessions\./,
    ],
    ["connections", /Expected: connections=VALUE with a whole number from 1 to 1000000000\./],
    ["connections=0", /Expected: connections=VALUE with a whole number/],
    ["connections=1.5", /Expected: connections=VALUE with a whole number/],
    ["connections=1e3", /Expected: connections=VALUE with a whole number/],
    ["connections=1000000001", /Expected: connections=VALUE with a whole number/],
    [
      "loginTimeout=30",
      /Expected: loginTimeout=VALUE with a time up to "1 day", such as "30 seconds" or "500 millis"\./,
    ],
    ["loginTimeout=0 seconds", /Expected: loginTimeout=VALUE with a time/],
    ["loginTimeout=25 hours", /Expected: loginTimeout=VALUE with a time/],
    ["loginTimeout=-1 seconds", /Expected: loginTimeout=VALUE with a time/],
  ])("says in a line what is expected instead of %j", async (setting, expected) => {
    const { code, stderr, stdout } = await Msnp.run(["serve", "--demo", "--limit", setting])
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(expected)
    expect(stderr.trimEnd()).not.toContain("\n")
  })
})

describe("msnp serve --exempt", () => {
  it("says in a line what a network looks like", async () => {
    const { code, stderr } = await Msnp.run(["serve", "--demo", "--exempt", "10.0.0.0/33"])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^msnp: .*--exempt.*"10\.0\.0\.0\/33".* Expected: a network such as 10\.0\.0\.0\/8/)
  })
})
