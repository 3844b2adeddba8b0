/** Where the time goes, from a profile of V8's: what each function takes itself, and each module. */
import * as Schema from "effect/Schema"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

const V8 = Schema.Struct({
  nodes: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      callFrame: Schema.Struct({ functionName: Schema.String, url: Schema.String, lineNumber: Schema.Int }),
      children: Schema.optionalKey(Schema.Array(Schema.Int)),
    }),
  ),
  samples: Schema.Array(Schema.Int),
  timeDeltas: Schema.Array(Schema.Int),
})
type V8 = typeof V8.Type

/** A profile as V8 tells it; what is none is an error. */
export const decode: (told: unknown) => V8 = Schema.decodeUnknownSync(V8)

/** A share of the time, from 0 to 1. */
interface Share {
  readonly name: string
  /** The file and its line, or the module. */
  readonly place: string
  readonly share: number
}

export interface Profile {
  /** What each function takes, without what it calls; the most first. */
  readonly functions: ReadonlyArray<Share>
  /** The same for all functions of a module together. */
  readonly modules: ReadonlyArray<Share>
  /** What each function of ours takes, with all that it calls; the most first. */
  readonly calls: ReadonlyArray<Share>
}

const root = Path.join(import.meta.dirname, "../..")

/** A file by a name that is the same on each machine. */
const moduleOf = (url: string): string => {
  if (!url.startsWith("file:")) return url === "" ? "V8 and the system" : url
  const path = Path.relative(root, fileURLToPath(url)).replaceAll(Path.sep, "/")
  return path.replace(/^.*node_modules\//, "").replace(/^effect\/dist\//, "effect/")
}

/** Sums up, the most first. */
const summed = (parts: Iterable<Share>): ReadonlyArray<Share> => {
  const sums = new Map<string, Share>()
  for (const part of parts) {
    const key = `${part.name} ${part.place}`
    sums.set(key, { ...part, share: part.share + (sums.get(key)?.share ?? 0) })
  }
  return Array.from(sums.values()).toSorted((a, b) => b.share - a.share)
}

type Node = V8["nodes"][number]

const nameOf = ({ callFrame: { functionName, lineNumber, url } }: Node): Omit<Share, "share"> => ({
  name: functionName === "" ? "(anonymous)" : functionName,
  place: url === "" ? moduleOf(url) : `${moduleOf(url)}:${lineNumber + 1}`,
})

/** What a profile says of the time in which something was done; looking does not count. */
export const of = ({ nodes, samples, timeDeltas }: V8): Profile => {
  const micros = new Map<number, number>()
  samples.forEach((id, i) => micros.set(id, (micros.get(id) ?? 0) + (timeDeltas[i] ?? 0)))
  const working = nodes.filter(
    ({ callFrame: { functionName, url } }) => functionName !== "(idle)" && url !== "node:inspector",
  )
  const all = working.reduce((sum, { id }) => sum + (micros.get(id) ?? 0), 0)
  const selfOf = ({ id }: Node): number => (micros.get(id) ?? 0) / all

  const callers = new Map(nodes.flatMap((node) => node.children?.map((child) => [child, node] as const) ?? []))
  /** A function and those that it was called by, each once though it may call itself. */
  const stackOf = (node: Node): ReadonlyArray<Omit<Share, "share">> => {
    const stack = new Map<string, Omit<Share, "share">>()
    for (let at: Node | undefined = node; at !== undefined; at = callers.get(at.id)) {
      const named = nameOf(at)
      stack.set(`${named.name} ${named.place}`, named)
    }
    return Array.from(stack.values())
  }

  const functions = summed(working.map((node) => ({ ...nameOf(node), share: selfOf(node) })))
  return {
    functions,
    modules: summed(functions.map(({ place, share }) => ({ name: "", place: place.replace(/:\d+$/, ""), share }))),
    calls: summed(working.flatMap((node) => stackOf(node).map((named) => ({ ...named, share: selfOf(node) })))).filter(
      ({ place }) => place.startsWith("src/"),
    ),
  }
}
