/**
 * Proves that nothing of the specification can go missing unseen: deletes, one at a time and in a copy of the project,
 * each cell, handler, clause and citation there is, and looks whether a check then fails that names what is gone.
 * Run by `npm run deletions`, with words that a deletion must have in its name if only some are to be tried.
 */
import { spawn, spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import ts from "typescript"

/** Something that can be deleted. */
interface Deletion {
  readonly kind: "cell" | "handler" | "clause" | "citation"
  /** What the check must name. */
  readonly name: string
  readonly file: string
  readonly line: number
  /** The file without it. */
  readonly text: string
}

const root = Path.resolve(import.meta.dirname, "..")

/** Everything that `find` points at in a file, each with the text that is left without it. */
const deletionsIn = (
  file: string,
  find: (node: ts.Node) => readonly [Deletion["kind"], name: string, from: number, to: number] | undefined,
): ReadonlyArray<Deletion> => {
  const text = Fs.readFileSync(Path.join(root, file), "utf8")
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const visit = (node: ts.Node): ReadonlyArray<Deletion> => {
    const found = find(node)
    const below: Array<Deletion> = []
    ts.forEachChild(node, (child) => void below.push(...visit(child)))
    if (found === undefined) return below
    const [kind, name, from, to] = found
    const line = tree.getLineAndCharacterOfPosition(from).line + 1
    return [{ kind, name, file, line, text: text.slice(0, from) + text.slice(to) }, ...below]
  }
  return visit(tree)
}

/** A member of an object or a list, with the comma behind it. */
const withComma = (node: ts.Node): readonly [from: number, to: number] => {
  const text = node.getSourceFile().text
  return [node.getStart(), node.end + (/^\s*,/.exec(text.slice(node.end))?.[0].length ?? 0)]
}

/** The constant at the top of a file in which a node stands. */
const constantOf = (node: ts.Node): string => {
  const statement = ts.findAncestor(node, (above) => ts.isSourceFile(above.parent))
  return statement !== undefined && ts.isVariableStatement(statement)
    ? (statement.declarationList.declarations[0]?.name.getText() ?? "")
    : ""
}

/** The machines. */
const machines = [
  "src/login/Server.ts",
  "src/login/Client.ts",
  "src/session/ServerSession.ts",
  "src/session/ClientSession.ts",
]

/** Their constants that hold cells, and those that hold handlers. */
const ofCells = ["table", "listening", "deciding", "usrInitiate", "handedOver", "unawaited", "over", "serving", "open"]
const ofHandlers = [
  "handlers",
  "ends",
  "endsLogin",
  "endsSession",
  "leave",
  "delivers",
  "serves",
  "always",
  "synchronize",
]

/** Those of them that were there: none must be renamed out of this proof. */
const met = new Set<string>()

const machine = (file: string): ReadonlyArray<Deletion> =>
  deletionsIn(file, (node) => {
    if (!ts.isPropertyAssignment(node) && !ts.isShorthandPropertyAssignment(node)) return undefined
    const name = node.name.getText()
    const constant = constantOf(node)
    if (!/^[A-Z]/.test(name)) return undefined
    met.add(constant)
    if (ofCells.includes(constant)) return ["cell", name, ...withComma(node)]
    return ofHandlers.includes(constant) ? ["handler", name, ...withComma(node)] : undefined
  })

const clauses = deletionsIn("src/login/Clause.ts", (node) =>
  ts.isPropertyAssignment(node) && ["seed", "additions"].includes(constantOf(node)) && ts.isStringLiteral(node.name)
    ? ["clause", node.name.text, ...withComma(node)]
    : undefined,
)

const filesIn = (folder: string): ReadonlyArray<string> =>
  Fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => `${folder}/${file.replaceAll(Path.sep, "/")}`)
    .toSorted()

const isClause = (text: string): boolean => clauses.some(({ name }) => name === text)

/** Names of clauses in tables, in tags, and at tests whose title is the sentence: those go with the whole test. */
const citations = [...machines, ...filesIn("test")].flatMap((file) =>
  deletionsIn(file, (node) => {
    if (!ts.isStringLiteral(node) || !isClause(node.text)) return undefined
    if (ts.isCallExpression(node.parent) && node.parent.expression.getText() === "clause")
      return ["citation", node.text, ...withComma(node.parent.parent)]
    const tag = ts.isArrayLiteralExpression(node.parent) && node.parent.parent.getText().startsWith("tags:")
    const cell = machines.includes(file) && ts.isCallExpression(node.parent)
    return tag || cell ? ["citation", node.text, ...withComma(node)] : undefined
  }),
)

/** Names of clauses behind `@keeps`. */
const keepers = filesIn("src").flatMap((file) => {
  const text = Fs.readFileSync(Path.join(root, file), "utf8")
  return Array.from(text.matchAll(/(?<=@keeps [^\n]*?)[a-z]+\.[a-z0-9-]+/g), (match): Deletion => {
    const line = text.slice(0, match.index).split("\n").length
    const rest = text.slice(0, match.index) + text.slice(match.index + match[0].length)
    return { kind: "citation", name: match[0], file, line, text: rest }
  })
})

const all = [...machines.flatMap(machine), ...clauses, ...citations, ...keepers]
const gone = [...ofCells, ...ofHandlers].filter((constant) => !met.has(constant))
if (gone.length > 0) throw new Error(`No cell or handler stands in ${gone.join(", ")} any more.`)

const wanted = process.argv.slice(2)
const deletions = all.filter(({ file, kind, name }) => wanted.every((word) => `${kind} ${name} ${file}`.includes(word)))

/** A check, and what it says. */
interface Outcome {
  readonly passed: boolean
  readonly said: string
}

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, NO_COLOR: "1" } })
    let said = ""
    child.stdout.on("data", (bytes: Buffer) => void (said += bytes.toString()))
    child.stderr.on("data", (bytes: Buffer) => void (said += bytes.toString()))
    child.on("close", (code) => resolve({ passed: code === 0, said }))
  })

/** The quickest of `npm run check` and `npm test` first; each is part of one of them. */
const checks: ReadonlyArray<readonly [name: string, (copy: string) => Promise<Outcome>]> = [
  ["types", (copy) => run(copy, "node_modules/.bin/tsc", "-p", ".")],
  [
    "tests",
    (copy) =>
      run(
        copy,
        "node_modules/.bin/vitest",
        "run",
        "--config",
        ".config/vitest.ts",
        "login/Clause",
        "login/Laws",
        "session/ServerSession",
        "session/ClientSession",
      ),
  ],
  ["documents", (copy) => run(copy, process.execPath, "docs/build.ts", "--check")],
]

const temporary = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-msnp-deletions-"))

/** A copy of what git knows of, as it is now. */
const copyOf = (index: number): string => {
  const copy = Path.join(temporary, String(index))
  const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  })
  for (const file of stdout.split("\0").filter((name) => name !== "" && Fs.existsSync(Path.join(root, name)))) {
    Fs.cpSync(Path.join(root, file), Path.join(copy, file))
  }
  Fs.symlinkSync(Path.join(root, "node_modules"), Path.join(copy, "node_modules"))
  return copy
}

const nobody = "nobody"

/** Whether a text has a name in it, and not as a part of another. */
const names = (text: string, name: string): boolean =>
  text.split(name).some((before, i, parts) => {
    const behind = parts[i + 1]
    return behind !== undefined && !/[\w.-]$/.test(before) && !/^[\w-]/.test(behind)
  })

/** By which check a deletion is noticed and named: in either command, whichever of its checks fails first. */
const tried = async (copy: string, { file, name, text }: Deletion): Promise<string> => {
  const path = Path.join(copy, file)
  const before = Fs.readFileSync(path, "utf8")
  Fs.writeFileSync(path, text)
  try {
    for (const [check, look] of checks) {
      const { passed, said } = await look(copy)
      if (!passed && names(said, name)) return check
    }
    return nobody
  } finally {
    Fs.writeFileSync(path, before)
  }
}

const counts = new Map<string, number>()
const queue = [...deletions]

const work = async (copy: string): Promise<void> => {
  for (let deletion = queue.shift(); deletion !== undefined; deletion = queue.shift()) {
    const { file, kind, line, name } = deletion
    const by = await tried(copy, deletion)
    counts.set(`${kind}: ${by}`, (counts.get(`${kind}: ${by}`) ?? 0) + 1)
    const done = deletions.length - queue.length
    console.log(`${done}/${deletions.length} ${kind} ${name}, ${file}:${line}: noticed by ${by}`)
  }
}

try {
  const copies = [copyOf(0), copyOf(1)] as const
  for (const [check, look] of checks) {
    const { passed, said } = await look(copies[0])
    if (!passed) throw new Error(`With nothing deleted, ${check} already fails:\n${said}`)
  }
  await Promise.all(copies.map(work))
  console.log(`\n${deletions.length} deletions tried:`)
  for (const [what, count] of counts) console.log(`${count} ${what}`)
  if ([...counts.keys()].some((what) => what.endsWith(nobody))) process.exitCode = 1
} finally {
  Fs.rmSync(temporary, { recursive: true, force: true })
}
