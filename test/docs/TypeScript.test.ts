/** The examples in TypeScript, compiled and run as they stand. */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import { promisify } from "node:util"
import ts from "typescript"
import { describe, expect, it, vi } from "vitest"
import { inLanguage, root, runnable } from "./Blocks.ts"

// Each test starts a process or a compiler, which a machine under load takes its time for.
vi.setConfig({ testTimeout: 60_000 })

const examples = inLanguage("ts")

/** The project's own options, with the package's name for its sources. */
const options = (): ts.CompilerOptions => {
  const config = Path.join(root, "tsconfig.json")
  const { config: json, error } = ts.readConfigFile(config, (path) => ts.sys.readFile(path))
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"))
  const { options } = ts.parseJsonConfigFileContent(json, { ...ts.sys, readDirectory: () => [] }, root)
  return { ...options, paths: { "effect-msnp/*": ["./src/*.ts"] }, plugins: [] }
}

/** What the compiler says of some texts, each as a file at the top of the project; all of them at once. */
const compile = (texts: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const names = texts.map((_, index) => Path.join(root, `example-${index}.ts`))
  const virtual = new Map(texts.map((text, index) => [names[index], text]))
  const plain = ts.createCompilerHost(options())
  const host: ts.CompilerHost = {
    ...plain,
    fileExists: (path) => virtual.has(path) || plain.fileExists(path),
    readFile: (path) => virtual.get(path) ?? plain.readFile(path),
    getSourceFile: (path, version, ...others) => {
      const text = virtual.get(path)
      return text === undefined
        ? plain.getSourceFile(path, version, ...others)
        : ts.createSourceFile(path, text, version, true)
    },
  }
  const program = ts.createProgram(names, options(), host)
  return names.map((name) => {
    const source = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) =>
        `line ${source === undefined ? 0 : source.getLineAndCharacterOfPosition(start ?? 0).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    )
  })
}

describe("an example in TypeScript", () => {
  it("compiles, whichever it is", () => {
    const found = compile(examples.map(([, text]) => text))
    expect(found.flatMap((errors, index) => errors.map((error) => `${examples[index]?.[0]} ${error}`))).toEqual([])
  })

  it("would not, if it had a wrong name, a wrong type or something left over", () => {
    const wrong = [
      `import * as Nothing from "effect-msnp/login/Nothing"\nconsole.log(Nothing)`,
      `import * as Server from "effect-msnp/login/Server"\nexport const one: number = Server.initial`,
      `import * as Server from "effect-msnp/login/Server"`,
    ]
    expect(compile(wrong).map((errors) => errors.length)).toEqual([1, 1, 1])
  })

  it.each(examples)("runs: %s", async (_, text) => {
    const run = promisify(ChildProcess.execFile)
    const { stderr, stdout } = await run(
      process.execPath,
      ["--input-type=module-typescript", "--eval", runnable(text)],
      { cwd: root },
    )
    expect(stderr).toBe("")
    expect(stdout).not.toBe("")
  })
})
