/** What the sources say of their own declarations: the documents tell it in the same words. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import ts from "typescript"

/** The docstrings of a file, by declaration; a property of an object has the object's name and a point before its own. */
export type Docstrings = ReadonlyMap<string, string>

/** Reads the docstrings of a file, named from the top of the project on. */
export const of = (file: string): Docstrings => {
  const text = Fs.readFileSync(Path.join(import.meta.dirname, "..", file), "utf8")
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const found = new Map<string, string>()
  const visit = (node: ts.Node, within: string): void => {
    const name =
      ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)
        ? `${within}${within === "" ? "" : "."}${node.name.getText(tree)}`
        : within
    const said = name === within ? undefined : docstring(node)
    if (said !== undefined) found.set(name, said)
    ts.forEachChild(node, (child) => visit(child, name))
  }
  visit(tree, "")
  return found
}

/** The text of a docstring on one line, without its tags; what it links to stands as code. */
const docstring = (node: ts.Node): string | undefined => {
  const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  const text = ts.getTextOfJSDocComment(comments.at(-1)?.comment)
  return text?.replaceAll(/\{@link (\S+)\}/g, "`$1`").replaceAll(/\s+/g, " ")
}
