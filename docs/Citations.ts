/**
 * Who names which clause, read from the sources and the tests: rules, `@keeps` in docstrings, options, tags of tests.
 *
 * Names are given as they are written, whether there is such a clause or not: the checks compare them.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import ts from "typescript"

/** A place that names a clause. */
export interface Citation {
  readonly clause: string
  /** From the top of the project on, with slashes. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** What stands there: a rule, a declaration, the title of a test. */
  readonly name: string
}

/** A text in which a template has holes, as a person reads it: with `…` for each hole. */
const written = (node: ts.Node): string | undefined => {
  if (ts.isStringLiteralLike(node)) return node.text
  return ts.isTemplateExpression(node)
    ? node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("")
    : undefined
}

const root = Path.join(import.meta.dirname, "..")

/** Each node of the TypeScript files below a folder, with the place that it has. */
const scan = <A>(folder: string, read: (node: ts.Node, at: At) => ReadonlyArray<A>) =>
  Fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
    .toSorted()
    .flatMap((path): ReadonlyArray<A> => {
      const file = `${folder}/${path.replaceAll(Path.sep, "/")}`
      const tree = ts.createSourceFile(
        file,
        Fs.readFileSync(Path.join(root, file), "utf8"),
        ts.ScriptTarget.ESNext,
        true,
      )
      const at = (node: ts.Node): Place => ({
        file,
        line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1,
      })
      const visit = (node: ts.Node): ReadonlyArray<A> => {
        const below: Array<A> = [...read(node, at)]
        ts.forEachChild(node, (child) => void below.push(...visit(child)))
        return below
      }
      return visit(tree)
    })

interface Place {
  readonly file: string
  readonly line: number
}

/** The place of a node. */
type At = (node: ts.Node) => Place

/** How the names of clauses look, of those that there are and of those that there are not. */
const looksLikeOne = /^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/

/** What a cell is called that cites: a rule by its name, a refusal by its code, others by how they are written. */
const cellOf = ({ arguments: [first], expression }: ts.CallExpression): string => {
  const kind = expression.getText()
  const name = first === undefined ? "" : (written(first) ?? first.getText())
  return looksLikeOne.test(name) ? kind : `${kind} ${name}`
}

/** The folders in which machines stand. */
const machines = ["src/login", "src/session"]

/** Each citation in a table. */
export const rules = (): ReadonlyArray<Citation> =>
  machines.flatMap((folder) =>
    scan(folder, (node, at) =>
      ts.isStringLiteral(node) && ts.isCallExpression(node.parent) && looksLikeOne.test(node.text)
        ? [{ clause: node.text, ...at(node), name: cellOf(node.parent) }]
        : [],
    ),
  )

/** Each `@keeps` in a docstring, at the declaration that it stands before. */
export const keepers = (): ReadonlyArray<Citation> =>
  scan("src", (node, at) =>
    ts.getJSDocTags(node).flatMap((tag) =>
      tag.tagName.text === "keeps" && tag.parent.parent === node
        ? (ts.getTextOfJSDocComment(tag.comment) ?? "")
            .split(/[\s,]+/)
            .filter((clause) => clause !== "")
            .map((clause) => ({ clause, ...at(node), name: nameOf(node) }))
        : [],
    ),
  )

/** The name of a declaration, with the interface before it if it is a member. */
const nameOf = (node: ts.Node): string => {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText()).join(", ")
  const name = isNamed(node) ? node.name.getText() : "the module"
  return ts.isInterfaceDeclaration(node.parent) ? `${node.parent.name.text}.${name}` : name
}

const isNamed = (node: ts.Node): node is ts.PropertySignature | ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
  ts.isPropertySignature(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)

/** Whether a test is not run, or is in a group that is not. */
const isSkipped = (node: ts.Node): boolean =>
  ts.findAncestor(node, (above) => ts.isCallExpression(above) && /\.(skip|todo)\b/.test(above.expression.getText())) !==
  undefined

/** Each test that names a clause: by a tag of its own or of its group, or as `clause`, whose title is the sentence. */
export const tests = (): ReadonlyArray<Citation> =>
  scan("test", (node, at) => {
    const found = clauseOf(node, at) ?? tagsOf(node, at)
    return found === undefined || isSkipped(node) ? [] : found
  })

const clauseOf = (node: ts.Node, at: At): ReadonlyArray<Citation> | undefined =>
  ts.isCallExpression(node) && node.expression.getText() === "clause"
    ? named(node.arguments.slice(0, 1), { ...at(node), name: "the sentence itself" })
    : undefined

const tagsOf = (node: ts.Node, at: At): ReadonlyArray<Citation> | undefined => {
  if (!ts.isPropertyAssignment(node) || node.name.getText() !== "tags") return undefined
  const call = node.parent.parent
  if (!ts.isCallExpression(call) || !ts.isArrayLiteralExpression(node.initializer)) return undefined
  const [title] = call.arguments
  return named(node.initializer.elements, { ...at(call), name: title === undefined ? "" : (written(title) ?? "") })
}

/** A citation for each of these that is written out. */
const named = (clauses: ReadonlyArray<ts.Node>, place: Place & { readonly name: string }): ReadonlyArray<Citation> =>
  clauses.flatMap((node) => {
    const clause = written(node)
    return clause === undefined ? [] : [{ clause, ...place }]
  })

/** Where an option stands that is named by its module, type and member, such as `net/LoginClient Options.server`. */
export const option = (named: string): Citation | undefined => {
  const [module = "", path = ""] = named.split(" ")
  return scan(`src/${Path.dirname(module)}`, (node, at) => {
    const place = at(node)
    return ts.isPropertySignature(node) && place.file === `src/${module}.ts` && nameOf(node) === path
      ? [{ clause: named, ...place, name: path }]
      : []
  })[0]
}
