/**
 * Writes the generated documents; with `--check` it writes nothing and fails where one is stale.
 */
import * as Fs from "node:fs"
import * as Quirk from "../src/protocol/Quirk.ts"

const deviations = `# Deviations

What a server can be told to tolerate. Each quirk has a name and is off unless turned on: \`msnp serve --quirk NAME\`,
or \`quirks: Quirk.only("NAME")\` in an application.

| quirk | what it does | default |
| --- | --- | --- |
${Quirk.all.map((quirk) => `| \`${quirk}\` | ${Quirk.sentences[quirk]} | off |`).join("\n")}

Generated from [Quirk.ts](../src/protocol/Quirk.ts) by [build.ts](build.ts).
`

const file = new URL("deviations.md", import.meta.url)

if (process.argv.includes("--check")) {
  if (!Fs.existsSync(file) || Fs.readFileSync(file, "utf8") !== deviations) {
    process.stderr.write("docs/deviations.md is stale: run `npm run docs`.\n")
    process.exitCode = 1
  }
} else {
  Fs.writeFileSync(file, deviations)
}
