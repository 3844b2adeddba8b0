/** The rules of the house: floors, imports, and a few words that no source file may hold. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = Path.join(import.meta.dirname, "..", "src")

interface Source {
  /** Where it is, from src on, with slashes. */
  readonly path: string
  readonly tree: ts.SourceFile
}

const read = (path: string): Source => ({
  path: path.replaceAll(Path.sep, "/"),
  tree: ts.createSourceFile(path, Fs.readFileSync(Path.join(root, path), "utf8"), ts.ScriptTarget.ESNext, true),
})

const sources = Fs.readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map(read)

/** Each node of a source. */
const nodes = (node: ts.Node): ReadonlyArray<ts.Node> => {
  const all: Array<ts.Node> = []
  const visit = (node: ts.Node): void => {
    all.push(node)
    ts.forEachChild(node, visit)
  }
  visit(node)
  return all
}

/** Where an offence is, and what it is. */
const offence = ({ path, tree }: Source, node: ts.Node, what: string): string => {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
  return `src/${path}:${line + 1} ${what}`
}

interface Import {
  readonly source: Source
  readonly node: ts.Node
  /** What stands between the quotes. */
  readonly name: string
  /** Whether it is a module of effect that is taken apart, where it should be a namespace. */
  readonly apart: boolean
}

/** Each import and each re-export, those of types and those in expressions too. */
const importsOf = (source: Source): ReadonlyArray<Import> =>
  nodes(source.tree).flatMap((node) => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return []
    const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : undefined
    return [{ source, node, name: specifier.text, apart: bindings !== undefined && !ts.isNamespaceImport(bindings) }]
  })

const imports = sources.flatMap(importsOf)

const floorOf = (path: string): string => (path.includes("/") ? path.slice(0, path.indexOf("/")) : path)

/** The file that a relative import names, from src on. */
const target = ({ name, source }: Import): string => Path.posix.join(Path.posix.dirname(source.path), name)

const own = imports.filter(({ name }) => name.startsWith("."))
const foreign = imports.filter(({ name }) => !name.startsWith("."))

/** Each floor, with those that it stands on; a floor may use itself. */
const floors: { readonly [floor: string]: ReadonlyArray<string> } = {
  machine: [],
  protocol: [],
  login: ["machine", "protocol"],
  session: ["machine", "protocol", "login"],
  host: ["machine", "protocol", "login"],
  net: ["machine", "protocol", "login", "session", "host"],
  cli: ["machine", "protocol", "login", "session", "host", "net"],
}

const core = ["machine", "protocol", "login", "session"]

/** The modules of effect that are data and pure functions: all that the core may use. */
const pure = [
  "effect/Array",
  "effect/Chunk",
  "effect/Graph",
  "effect/Option",
  "effect/Redacted",
  "effect/Result",
  "effect/Schema",
  "effect/SchemaTransformation",
  "effect/crypto/Digest",
  "effect/encoding/Hex",
  "effect/net/Host",
  "effect/net/NetAddress",
]

describe("the house", () => {
  it("has floors that are known here, and an index", () => {
    const known = [...Object.keys(floors), "index.ts"]
    expect(sources.filter(({ path }) => !known.includes(floorOf(path))).map(({ path }) => `src/${path}`)).toEqual([])
    expect(new Set(sources.map(({ path }) => floorOf(path)))).toEqual(new Set(known))
  })

  it("has imports that go down only", () => {
    const up = own
      .filter(({ source }) => source.path !== "index.ts")
      .filter((one) => {
        const from = floorOf(one.source.path)
        const to = floorOf(target(one))
        return to !== from && floors[from]?.includes(to) !== true
      })
      .map((one) => offence(one.source, one.node, `imports src/${target(one)}, which is no floor below it`))
    expect(up).toEqual([])
  })

  it("has imports by the names of files that there are", () => {
    const paths = new Set(sources.map(({ path }) => path))
    const lost = own
      .filter((one) => !paths.has(target(one)))
      .map((one) => offence(one.source, one.node, `imports src/${target(one)}, which there is not`))
    expect(lost).toEqual([])
  })

  it("has what is internal imported by its own floor only", () => {
    const intrusions = own
      .filter((one) => target(one).includes("/internal/") && floorOf(target(one)) !== floorOf(one.source.path))
      .map((one) => offence(one.source, one.node, `imports src/${target(one)}, which is internal to another floor`))
    expect(intrusions).toEqual([])
  })
})

describe("the core", () => {
  it("uses what is pure only: no effects, no streams, no clock, no Node", () => {
    const impure = foreign
      .filter(({ name, source }) => core.includes(floorOf(source.path)) && !pure.includes(name))
      .map((one) => offence(one.source, one.node, `imports ${one.name}, which is not among the pure modules`))
    expect(impure).toEqual([])
  })

  it("reads no clock and draws no random number", () => {
    const reading = sources
      .filter(({ path }) => core.includes(floorOf(path)))
      .flatMap((source) =>
        nodes(source.tree)
          .filter(
            (node) =>
              ts.isIdentifier(node) &&
              ["Date", "Math", "crypto", "performance", "process", "globalThis"].includes(node.text),
          )
          .map((node) => offence(source, node, `names ${node.getText(source.tree)}`)),
      )
    expect(reading).toEqual([])
  })
})

describe("the library", () => {
  const library = foreign.filter(({ source }) => floorOf(source.path) !== "cli")

  it("imports modules, never a barrel", () => {
    const barrels = foreign
      .filter(({ name }) => /^(effect|@effect\/[a-z-]+)$/.test(name))
      .map((one) => offence(one.source, one.node, `imports the barrel ${one.name}`))
    expect(barrels).toEqual([])
  })

  it("imports the modules of effect as namespaces", () => {
    const apart = library
      .filter((one) => one.apart && /^@?effect\//.test(one.name))
      .map((one) => offence(one.source, one.node, `takes ${one.name} apart`))
    expect(apart).toEqual([])
  })

  it("depends on effect and on Node, and on what is asked for by one module: PostgreSQL's client, and SOCKS", () => {
    const isAskedFor = ({ name, source }: Import) =>
      (name === "@effect/sql-pg/PgClient" && source.path === "host/PostgresDirectory.ts") ||
      (name === "socks" && source.path === "net/SocksConnector.ts")
    const others = foreign
      .filter((one) => !/^(effect\/|@effect\/platform-node\/|node:)/.test(one.name) && !isAskedFor(one))
      .map((one) => offence(one.source, one.node, `imports ${one.name}`))
    expect(others).toEqual([])
  })

  it("exports each module under its own name, and nothing else", () => {
    const modules = sources
      .map(({ path }) => path)
      .filter((path) => path !== "index.ts" && floorOf(path) !== "cli" && !path.includes("/internal/"))
      .map((path) => `export * as ${Path.posix.basename(path, ".ts")} from "./${path}"`)
    const index = sources.find(({ path }) => path === "index.ts")
    const exported = index?.tree.statements.map((statement) => statement.getText(index.tree).replace(/;$/, "")) ?? []
    expect(exported.toSorted()).toEqual(modules.toSorted())
  })

  it("has no two modules of one name", () => {
    const names = sources
      .filter(({ path }) => floorOf(path) !== "cli")
      .map(({ path }) => Path.posix.basename(path, ".ts").toLowerCase())
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })
})

describe("a source", () => {
  /** Each node that is of a kind, in the sources under some floors. */
  const found = (what: string, is: (node: ts.Node) => boolean, where: ReadonlyArray<string> = Object.keys(floors)) =>
    sources
      .filter(({ path }) => where.includes(floorOf(path)))
      .flatMap((source) =>
        nodes(source.tree)
          .filter(is)
          .map((node) => offence(source, node, what)),
      )

  it("never says any", () => {
    expect(found("says any", (node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([])
  })

  it("never swears that a value is there", () => {
    expect(found("has a non-null !", ts.isNonNullExpression)).toEqual([])
  })

  it("of a machine has no wildcard arm, so that a new tag does not pass unseen", () => {
    expect(found("has a default arm", ts.isDefaultClause, ["machine", "login", "session"])).toEqual([])
  })

  it("has no default export", () => {
    expect(found("exports a default", ts.isExportAssignment)).toEqual([])
  })
})

describe("the command line", () => {
  /** Whether an import is carried out before anything else is: none of types alone, and none that is an expression. */
  const isAtOnce = ({ node }: Import): boolean =>
    ts.isImportDeclaration(node) && node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword

  /** The files that come with a file. */
  const comingWith = (path: string, met = new Set<string>()): ReadonlySet<string> => {
    if (met.has(path)) return met
    met.add(path)
    for (const one of own) if (one.source.path === path && isAtOnce(one)) comingWith(target(one), met)
    return met
  }

  // Each of them takes a tenth of the time to start, or more; `msnp serve` needs none of them by default.
  const dear = /^(effect\/(http|rpc|sql|observability)\/|@effect\/platform-node\/NodeHttp|@effect\/sql-pg|socks$)/

  it.each(["cli/main.ts", "cli/serve.ts", "net/Control.ts"])("starts without what few ask for: %s", (path) => {
    const files = comingWith(path)
    const found = foreign
      .filter((one) => files.has(one.source.path) && isAtOnce(one) && dear.test(one.name))
      .map((one) => offence(one.source, one.node, `imports ${one.name}`))
    expect(files.size).toBeGreaterThan(3)
    expect(found).toEqual([])
  })

  it("starts without a client where it serves, and without a server where it logs in", () => {
    expect(comingWith("cli/serve.ts")).not.toContain("net/LoginClient.ts")
    expect(comingWith("cli/login.ts")).not.toContain("net/LoginServer.ts")
    expect(comingWith("cli/main.ts")).not.toContain("cli/serve.ts")
    expect(comingWith("cli/main.ts")).not.toContain("cli/login.ts")
  })
})
