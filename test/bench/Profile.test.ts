import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import * as Profile from "./Profile.ts"

const root = pathToFileURL(Path.join(import.meta.dirname, "../..")).href

const node = (id: number, functionName: string, url: string, lineNumber: number) => ({
  id,
  callFrame: { functionName, url, lineNumber },
})

describe("a profile", () => {
  // Lines are counted from 0. One function is there twice, called from two places.
  const profile = Profile.of(
    Profile.decode({
      nodes: [
        node(1, "(idle)", "", -1),
        node(2, "step", `${root}/src/machine/Machine.ts`, 9),
        node(3, "step", `${root}/src/machine/Machine.ts`, 9),
        node(4, "", `${root}/src/machine/Machine.ts`, 19),
        node(5, "runLoop", `${root}/node_modules/effect/dist/internal/effect.js`, 0),
        node(6, "writev", "", -1),
        node(7, "post", "node:inspector", 114),
      ],
      samples: [1, 2, 3, 4, 5, 6, 2, 7],
      timeDeltas: [1000, 20, 20, 10, 20, 20, 10, 500],
    }),
  )

  it("tells what each function takes itself, the most first, without waiting and looking", () => {
    expect(profile.functions.slice(0, 1)).toEqual([{ name: "step", place: "src/machine/Machine.ts:10", share: 0.5 }])
    expect(new Set(profile.functions.slice(1, 3))).toEqual(
      new Set([
        { name: "runLoop", place: "effect/internal/effect.js:1", share: 0.2 },
        { name: "writev", place: "V8 and the system", share: 0.2 },
      ]),
    )
    expect(profile.functions.slice(3)).toEqual([
      { name: "(anonymous)", place: "src/machine/Machine.ts:20", share: 0.1 },
    ])
  })

  it("tells what each module takes", () => {
    expect(profile.modules.slice(0, 1)).toEqual([{ name: "", place: "src/machine/Machine.ts", share: 0.6 }])
    expect(profile.modules.map(({ place }) => place).toSorted()).toEqual([
      "V8 and the system",
      "effect/internal/effect.js",
      "src/machine/Machine.ts",
    ])
  })

  it("tells what each function of ours takes with all that it calls, once though it calls itself", () => {
    const { calls } = Profile.of(
      Profile.decode({
        nodes: [
          { ...node(1, "(root)", "", -1), children: [2] },
          { ...node(2, "step", `${root}/src/machine/Machine.ts`, 9), children: [3, 5] },
          { ...node(3, "feed", `${root}/src/machine/Machine.ts`, 19), children: [4] },
          node(4, "step", `${root}/src/machine/Machine.ts`, 9),
          node(5, "writev", "", -1),
        ],
        samples: [2, 3, 4, 5],
        timeDeltas: [10, 20, 30, 40],
      }),
    )
    expect(calls).toEqual([
      { name: "step", place: "src/machine/Machine.ts:10", share: 1 },
      { name: "feed", place: "src/machine/Machine.ts:20", share: 0.5 },
    ])
  })

  it("is an error where V8 tells none", () => {
    expect(() => Profile.decode({})).toThrow("nodes")
  })
})
