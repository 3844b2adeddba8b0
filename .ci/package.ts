/**
 * Proves the package as its users get it: packs it, looks at the tarball, installs that into an empty project together
 * with its peers, and uses it there. Run by `npm run check:package`.
 */
import { execFileSync, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Process from "node:process"

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
  readonly devDependencies: { readonly [name: string]: string }
  readonly peerDependencies: { readonly [name: string]: string }
}

const root = Path.resolve(import.meta.dirname, "..")
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is this project's own
const manifest = JSON.parse(Fs.readFileSync(Path.join(root, "package.json"), "utf8")) as Manifest
const temporary = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-msnp-package-"))
const project = Path.join(temporary, "project")

const fail = (problem: string): never => {
  throw new Error(problem)
}

/** Says what is looked at, looks, and says what was found. */
const step = <A>(name: string, look: () => A): A => {
  console.log(`- ${name}`)
  return look()
}

/** What a command prints, which must succeed. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8", stdio: "pipe" })
  if (error !== undefined) throw error
  return status === 0 ? stdout : fail(`${[command, ...args].join(" ")} exits ${status}:\n${stdout}${stderr}`)
}

/** A development tool of this project. */
const tool = (name: string): string => Path.join(root, "node_modules", ".bin", name)

/** What users import, by the file in `src` that it is built from; the closed ones are refused. */
const modules = Fs.readdirSync(Path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replaceAll(Path.sep, "/").replace(/\.ts$/, ""))
  .toSorted()
const isClosed = (module: string): boolean => module === "index" || /(^cli|(^|\/)internal)\//.test(module)
const open = modules.filter((module) => !isClosed(module))
const closed = modules.filter(isClosed)

const pack = (): string => {
  run(root, "npm", "pack", "--pack-destination", temporary)
  const tarball = Fs.readdirSync(temporary).find((file) => file.endsWith(".tgz")) ?? fail("npm pack made no tarball")
  return Path.join(temporary, tarball)
}

const lookAt = (tarball: string): void => {
  run(root, tool("publint"), "run", tarball, "--strict")
  const entries = [".", ...open]
  run(root, tool("attw"), tarball, "--profile", "esm-only", "--no-definitely-typed", "--entrypoints", ...entries)
}

const install = (tarball: string): void => {
  Fs.mkdirSync(project)
  Fs.writeFileSync(Path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const beside = [...Object.keys(manifest.peerDependencies), "@types/node"]
  const pinned = beside.map((name) => `${name}@${manifest.devDependencies[name] ?? fail(`${name} is not pinned`)}`)
  run(project, "npm", "install", "--no-audit", "--no-fund", tarball, ...pinned)
}

const importAll = (): void => {
  Fs.writeFileSync(
    Path.join(project, "imports.js"),
    `
    import assert from "node:assert"
    const { Dialect } = await import("${manifest.name}")
    assert.equal(Dialect.isDialect("MSNP7"), true)
    for (const module of ${JSON.stringify(open)}) {
      await import("${manifest.name}/" + module)
    }
    for (const module of ${JSON.stringify(closed)}) {
      await assert.rejects(import("${manifest.name}/" + module), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" }, module)
    }`,
  )
  run(project, "node", "imports.js")
}

const typeCheck = (): void => {
  Fs.writeFileSync(
    Path.join(project, "types.ts"),
    `
    import { Dialect } from "${manifest.name}"
    import * as Deep from "${manifest.name}/protocol/Dialect"
    export const known: Deep.Dialect = Dialect.all[0]
    // @ts-expect-error: there is no such dialect
    export const unknown: Dialect.Dialect = "MSNP99"
    ${open.map((module, index) => `export type * as M${index} from "${manifest.name}/${module}"`).join("\n    ")}`,
  )
  const options = { module: "NodeNext", target: "ES2024", strict: true, exactOptionalPropertyTypes: true, noEmit: true }
  Fs.writeFileSync(
    Path.join(project, "tsconfig.json"),
    JSON.stringify({ files: ["types.ts"], compilerOptions: { ...options, types: ["node"], skipLibCheck: true } }),
  )
  for (const compiler of ["tsc", "tsc6"]) run(project, tool(compiler), "-p", project)
}

const useCommand = (): void => {
  const printed = run(project, "npx", "--no", "--", "msnp", "--version")
  if (!printed.includes(manifest.version)) fail(`msnp --version prints ${printed}`)
  run(project, "npx", "--no", "--", "msnp", "demo")
}

/** The machine's own Node: the first on the path that npm did not put there. */
const machineNode = (): string | undefined =>
  (Process.env["PATH"] ?? "")
    .split(Path.delimiter)
    .filter((folder) => !folder.split(Path.sep).includes("node_modules"))
    .map((folder) => Path.join(folder, "node"))
    .find((path) => Fs.existsSync(path))

const useOldNode = (): void => {
  const needed = /^>=(\d+\.\d+)\.0$/.exec(manifest.engines.node)?.[1] ?? fail("engines.node is no plain minimum")
  const node = machineNode()
  const version =
    node === undefined ? "none" : execFileSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).trim()
  if (node === undefined || version.localeCompare(needed, "en", { numeric: true }) >= 0) {
    console.log(`  skipped: the machine's own Node (${version}) is not older than ${needed}`)
    return
  }
  const bin = Path.join(project, "node_modules", manifest.name, "dist", "cli", "bin.js")
  const { status, stderr, stdout } = spawnSync(node, [bin, "--version"], { encoding: "utf8" })
  const sentence = `msnp needs Node.js ${needed} or newer; this is ${version}.\n`
  if (status !== 1 || stdout !== "" || stderr !== sentence) fail(`it exits ${status} and says: ${stdout}${stderr}`)
}

try {
  const tarball = step("npm pack", pack)
  step("publint and attw on the tarball", () => lookAt(tarball))
  step("npm install into an empty project", () => install(tarball))
  step(`import of the ${open.length} open modules; refusal of the ${closed.length} closed ones`, importAll)
  step("type check of a user's program under TypeScript 7 and 6", typeCheck)
  step("npx msnp --version, npx msnp demo", useCommand)
  step("msnp under a Node that is too old", useOldNode)
  console.log("The package is in order.")
} finally {
  Fs.rmSync(temporary, { recursive: true, force: true })
}
