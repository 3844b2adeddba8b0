/** What docs/connecting.md says of settings, clients and limits is what there is. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as LoginClient from "../../src/net/LoginClient.ts"
import * as Proxy from "../../src/net/Proxy.ts"
import * as Address from "../../src/protocol/Address.ts"
import * as OfficialClient from "../../src/session/OfficialClient.ts"
import * as Folder from "../support/Folder.ts"
import * as Msnp from "../support/Msnp.ts"
import * as Socks from "../support/Socks.ts"
import { blocksIn, textOf } from "./Blocks.ts"

const page = "docs/connecting.md"
const text = textOf(page)

/** The cells of each row of a table that begins with a word in code, without the marks of code. */
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))

describe("the file of settings", () => {
  it.live(
    "leads msnp login to the server that it names, through the proxy that it names",
    () =>
      Effect.gen(function* () {
        const folder = yield* Folder.fresh
        const proxy = yield* Socks.serve5({
          user: "alice",
          password: "secret",
          hosts: { "messenger.example.net": "127.0.0.1" },
        })
        const server = yield* Effect.acquireRelease(
          Effect.sync(() =>
            Msnp.start(["serve", "--json", "--demo", "--dispatch", "none", "--notification", "127.0.0.1:0"]),
          ),
          (server) =>
            Effect.promise(() => {
              server.kill("SIGTERM")
              return server.ended
            }),
        )
        const port = yield* Effect.promise(() => Msnp.portOf(server, "notification"))
        const block = blocksIn(page, text).find(({ language }) => language === "ini")?.text ?? ""
        const settings = block
          .replace("=messenger.example.net", `=messenger.example.net:${port}`)
          .replace("proxy.example.net:1080", Address.format(proxy.address))
        Fs.mkdirSync(Path.join(folder, "msnp"))
        Fs.writeFileSync(Path.join(folder, "msnp", "msnp.env"), settings)
        const login = yield* Effect.promise(() =>
          Msnp.run(["login", "alice@example.com"], "wonderland\n", {
            XDG_CONFIG_HOME: folder,
            XDG_STATE_HOME: folder,
          }),
        )
        assert.include(login.stdout, `Signed in at messenger.example.net:${port} as alice@example.com`)
        assert.deepStrictEqual(proxy.requests, [{ host: "messenger.example.net", port, user: "alice" }])
        assert.deepStrictEqual(Fs.readdirSync(Path.join(folder, "msnp")), ["msnp.env"])
      }),
    { timeout: 60_000 },
  )
})

describe("the tables", () => {
  it("have the official clients that there are, with their offers and their versions", () => {
    assert.deepStrictEqual(
      rows.filter(([, name = ""]) => name.startsWith("MSN")).map(([, name, offer, version]) => [name, offer, version]),
      OfficialClient.Name.literals.map((name) => {
        const { dialects, version } = OfficialClient.options[name]
        return [name, `${dialects.join(" ")} CVR0`, version[5]]
      }),
    )
  })

  it("have the limits that hold where none are named", () => {
    const { answerTimeout, connectTimeout, loginTimeout } = LoginClient.defaultLimits
    const named = { connectTimeout, answerTimeout, loginTimeout }
    assert.deepStrictEqual(
      rows.filter(([, name = ""]) => name.endsWith("Timeout")).map(([, name, value]) => [name, value]),
      Object.entries(named).map(([name, limit]) => [
        name,
        Duration.toSeconds(limit) === 60 ? "1 minute" : `${Duration.toSeconds(limit)} seconds`,
      ]),
    )
  })

  it("have the forms in which a proxy is written, and the strategies", () => {
    const first = rows.map(([, name = ""]) => name)
    assert.deepStrictEqual(
      first.filter((name) => name.includes("://")),
      [...Proxy.forms],
    )
    assert.deepStrictEqual(
      first.filter((name) => ["official", "no-inf", "fast"].includes(name)),
      [...LoginClient.Strategy.literals],
    )
  })
})
