/**
 * Which MD5 an answer to a challenge is reckoned with, where there is a system that has one.
 */
import * as Context from "effect/Context"
import * as Crypto from "node:crypto"
import * as Challenge from "../protocol/Challenge.ts"

const node: Challenge.Md5 = (bytes) => Crypto.hash("md5", Buffer.from(bytes, "latin1"))

/** Whether Node's OpenSSL lets anybody use MD5: one that keeps to FIPS 140 does not. */
const isAllowed = (): boolean => {
  try {
    return node("") !== ""
  } catch {
    return false
  }
}

/** Node's MD5, which takes 0.5 us for a password where that of effect takes 3; or that of effect, where Node has none. */
export const fastest: Challenge.Md5 = isAllowed() ? node : Challenge.md5

/** The MD5 of a server: {@link fastest}, where nothing else is provided. */
export const Md5 = Context.Reference<Challenge.Md5>("effect-msnp/host/Md5", { defaultValue: () => fastest })
