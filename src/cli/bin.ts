#!/usr/bin/env node
/**
 * The executable `msnp`. It imports nothing before it has seen that Node is new enough, so that an old one is answered
 * with a sentence; for the same reason no syntax stands here that an old one cannot parse, such as a top-level `await`.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) {
  void import("./main.ts")
} else {
  process.stderr.write(`msnp needs Node.js 22.19 or newer; this is ${process.versions.node}.\n`)
  process.exitCode = 1
}
