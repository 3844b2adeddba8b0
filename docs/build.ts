/**
 * Writes the generated parts of the documents, and the pictures; with `--check` it writes nothing, names what is stale
 * and fails. Either way it says which clauses await a part of the project that is not there yet.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Commands from "./parts/Commands.ts"
import * as Errors from "./parts/Errors.ts"
import * as Limits from "./parts/Limits.ts"
import * as Machines from "./parts/Machines.ts"
import * as Session from "./parts/Session.ts"
import * as Source from "./parts/Source.ts"
import * as Splice from "./Splice.ts"

const parts: Splice.Parts = {
  ...Machines.parts,
  ...Commands.parts,
  ...Errors.parts,
  ...Limits.parts,
  ...Session.parts,
  ...Source.parts,
}

const folder = import.meta.dirname
const read = (name: string): string => {
  const path = Path.join(folder, name)
  return Fs.existsSync(path) ? Fs.readFileSync(path, "utf8") : ""
}

const documents = Fs.readdirSync(folder)
  .filter((name) => name.endsWith(".md"))
  .toSorted()

const unused = Object.keys(parts).filter((part) => !documents.some((name) => Splice.namesOf(read(name)).includes(part)))
if (unused.length > 0) throw new Error(`no document has the generated parts ${unused.join(", ")}`)

const written = (name: string): string => {
  try {
    return Splice.splice(read(name), parts)
  } catch (error) {
    throw new Error(`docs/${name} cannot be generated`, { cause: error })
  }
}

const files = { ...Object.fromEntries(documents.map((name) => [name, written(name)])), ...(await Machines.pictures()) }

const stale = Object.entries(files).filter(([name, text]) => read(name) !== text)

/** What to say of a stale file; the numbers in a picture tell a reader nothing. */
const differences = (name: string, text: string): ReadonlyArray<string> =>
  name.endsWith(".svg") ? ["it is another picture"] : Splice.differences(read(name), text)

if (process.argv.includes("--check")) {
  for (const [name, text] of stale) {
    const lines = differences(name, text).map((line) => `  ${line}\n`)
    process.stderr.write(`docs/${name} is stale: run \`npm run docs\`.\n${lines.join("")}`)
    process.exitCode = 1
  }
} else {
  for (const [name, text] of stale) Fs.writeFileSync(Path.join(folder, name), text)
}
