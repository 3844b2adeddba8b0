/** The files that docs/operating.md gives to operators: they do what the page says of them. */
import { describe, expect, it, vi } from "vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Endpoint from "../../src/cli/Endpoint.ts"
import * as Certificates from "../support/Certificates.ts"
import * as Msnp from "../support/Msnp.ts"
import { blocksIn, textOf } from "./Blocks.ts"

// Each test starts processes, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const page = "docs/operating.md"
const block = (language: string): string =>
  blocksIn(page, textOf(page)).find((block) => block.language === language)?.text ?? ""

/** The settings of a unit, each on one line. */
const settings = new Map(
  block("ini")
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => {
      const [, name = "", value = ""] = /^([A-Z][A-Za-z]+)=(.*)$/.exec(line) ?? []
      return name === "" ? [] : [[name, value] as const]
    }),
)

describe("the unit for systemd", () => {
  it("starts a server, which ends well when systemd tells it to", async () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-unit-"))
    const [program, ...args] = (settings.get("ExecStart") ?? "").split(/\s+/)
    expect(program).toBe("/usr/bin/msnp")
    const here = args.map((word) => word.replace("/var/lib/msnp", folder).replace(/^0\.0\.0\.0:186[34]/, "127.0.0.1:0"))
    expect(here).not.toEqual(args)
    const server = Msnp.start([...here, "--json"])
    await Msnp.portOf(server, "notification")
    server.kill("SIGTERM")
    expect(await server.ended).toMatchObject({ code: 0, stderr: "" })
    expect(Fs.readdirSync(folder)).toContain("accounts.db")
    Fs.rmSync(folder, { recursive: true })
  })

  it("waits for the notice that the server gives, and for the 15 seconds behind it", () => {
    const notice = /--shutdown-notice (\d+)/.exec(settings.get("ExecStart") ?? "")?.[1]
    const patience = /^(\d+)min$/.exec(settings.get("TimeoutStopSec") ?? "")?.[1]
    expect(Number(patience) * 60).toBeGreaterThan(Number(notice) * 60 + 15)
  })
})

describe("the server over TLS", () => {
  it("serves period clients in clear text, and others over TLS", async () => {
    const { text = "" } = blocksIn(page, textOf(page)).find(({ text }) => text.includes("--tls-cert")) ?? {}
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "msnp-tls-"))
    const [, ...args] = text.replaceAll("\\\n", " ").trim().split(/\s+/)
    const here = args.map((word) =>
      word
        .replace("/var/lib/msnp", folder)
        .replace(/^0\.0\.0\.0:18[67][34]/, "127.0.0.1:0")
        .replace("/etc/msnp/fullchain.pem", Certificates.path("server.pem"))
        .replace("/etc/msnp/privkey.pem", Certificates.path("server.key")),
    )
    const server = Msnp.start([...here, "--json"])
    await server.line((line) => line.includes(`"role":"notification"`) && line.endsWith(`"tls":true}`))
    server.kill("SIGTERM")
    const { code, stdout } = await server.ended
    expect(code).toBe(0)
    expect(stdout.match(/"event":"listening".*[0-9]}/g)).toHaveLength(2)
    Fs.rmSync(folder, { recursive: true })
  })
})

describe("the registry file for a client", () => {
  // What is on record: ESC notes and CONTRIBUTING.md, for 1.0 to 4.7.
  it("sets the value from which Messenger 1.0 to 4.7 takes its server, to an address that it can read", () => {
    const [header, blank, key, value = "", ...more] = block("reg").split("\n")
    expect([header, blank, key, more]).toEqual([
      "REGEDIT4",
      "",
      String.raw`[HKEY_CURRENT_USER\SOFTWARE\Microsoft\MessengerService]`,
      [],
    ])
    const address = /^"Server"="(.*)"$/.exec(value)?.[1] ?? ""
    expect(Endpoint.parseIpv4(address)._tag).toBe("Some")
  })
})
