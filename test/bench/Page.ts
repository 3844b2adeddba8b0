/** docs/performance.md: prose by hand, around what was measured; and its picture. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Splice from "../../docs/Splice.ts"
import type * as Bench from "./Bench.ts"
import * as Machine from "./Machine.ts"
import type * as Profile from "./Profile.ts"
import * as Server from "./server.ts"
import * as Table from "./Table.ts"

const root = Path.join(import.meta.dirname, "../..")

/** All that a run of all benchmarks has found out. */
export interface Measured {
  readonly rows: ReadonlyArray<Bench.Row>
  readonly rounds: number
  readonly seconds: number
  /** Shares of the processors that were busy with something else. */
  readonly looks: ReadonlyArray<number>
  readonly profile: Profile.Profile
}

/** How many functions, and how many modules, the page names. */
const named = 10

const shareOf = (share: number): string => `${(share * 100).toFixed(1)} %`

/** What takes the most: functions themselves, modules, and functions of ours with what they call. */
export const profileTables = (
  { calls, functions, modules }: Profile.Profile,
  count: number,
): { readonly [table in keyof Profile.Profile]: ReadonlyArray<ReadonlyArray<string>> } => ({
  functions: [
    ["self time", "function", "where"],
    ...functions.slice(0, count).map(({ name, place, share }) => [shareOf(share), name, place]),
  ],
  modules: [["self time", "module"], ...modules.slice(0, count).map(({ place, share }) => [shareOf(share), place])],
  calls: [
    ["with calls", "function", "where"],
    ...calls.slice(0, count).map(({ name, place, share }) => [shareOf(share), name, place]),
  ],
})

const effectVersion = (): string => {
  const manifest: unknown = JSON.parse(Fs.readFileSync(Path.join(root, "node_modules/effect/package.json"), "utf8"))
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown"
}

/** On what a run was, in a sentence or two. */
export const conditions = ({ looks, rounds, seconds }: Omit<Measured, "profile" | "rows">): ReadonlyArray<string> => [
  `${Machine.name()}; Node.js ${process.versions.node}, effect ${effectVersion()}; ${rounds} rounds in ${Math.round(seconds)} s.`,
  Machine.findings(looks),
]

/** What stands on the page between markers. */
export const partsOf = (measured: Measured): Splice.Parts => {
  const { functions, modules } = profileTables(measured.profile, named)
  return {
    conditions: conditions(measured).join("\n\n"),
    figures: Table.markdown(measured.rows),
    "self times": Table.markdownOf(functions),
    modules: Table.markdownOf(modules),
  }
}

/** The page. */
export const path = Path.join(root, "docs/performance.md")

/** Writes the page and its picture anew; the prose stays. */
export const write = (measured: Measured): void => {
  Fs.writeFileSync(path, Splice.splice(Fs.readFileSync(path, "utf8"), partsOf(measured), "measured"))
  Fs.writeFileSync(Path.join(root, "docs/performance.svg"), Server.pictureOf(measured.rows))
}
