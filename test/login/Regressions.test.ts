/** Conversations that once broke an invariant: they stay as they are now, and are judged anew. */
import * as Fs from "node:fs"
import { describe, expect, it } from "vitest"
import * as Regression from "../support/conversation/Regression.ts"
import * as Script from "../support/Script.ts"

const folder = new URL("../transcripts/regressions/", import.meta.url)
const files = Fs.readdirSync(folder).filter((name) => name.endsWith(".txt"))

describe.each(files)("the regression %s", (name) => {
  const path = new URL(name, folder).pathname
  const text = Fs.readFileSync(path, "utf8")

  it("is what the machines say", async () => {
    await expect(Script.replay(text)).toMatchFileSnapshot(path)
  })

  it("keeps every invariant", () => {
    expect(() => Regression.judge(name, text)).not.toThrow()
  })
})
