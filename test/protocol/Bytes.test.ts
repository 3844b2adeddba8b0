import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as Bytes from "../../src/protocol/Bytes.ts"

describe("bytes as characters", () => {
  const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)

  it("reads each byte as the character of its number, those that windows-1252 maps elsewhere too", () => {
    expect(Array.from(Bytes.fromUint8Array(every), (char) => char.charCodeAt(0))).toEqual(Array.from(every))
  })

  it("writes back what it has read, however much", () => {
    const many = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)
    expect(Bytes.toUint8Array(Bytes.fromUint8Array(many))).toEqual(many)
  })
})

describe("text as bytes", () => {
  it("leaves ASCII as it is, controls and all", () => {
    const ascii = Bytes.fromUint8Array(Uint8Array.from({ length: 128 }, (_, byte) => byte))
    expect(Bytes.fromText(ascii)).toBe(ascii)
    expect(Bytes.toText(ascii)).toEqual(Option.some(ascii))
  })

  // RFC 3629: the lengths of two, three and four bytes.
  it.each([
    ["é", "\u00c3\u00a9"],
    ["€", "\u00e2\u0082\u00ac"],
    ["😀", "\u00f0\u009f\u0098\u0080"],
  ])("spells %s in UTF-8, and reads it back", (text, bytes) => {
    expect(Bytes.fromText(text)).toBe(bytes)
    expect(Bytes.toText(bytes)).toEqual(Option.some(text))
  })

  it("keeps a byte order mark, which is text like any other here", () => {
    expect(Bytes.toText("\u00ef\u00bb\u00bfa")).toEqual(Option.some("\ufeffa"))
  })

  it.each([
    ["a byte that no UTF-8 holds", "\u00ff"],
    ["a sequence that breaks off", "\u00c3"],
    ["a sequence longer than need be", "\u00c0\u00af"],
    ["half of a surrogate pair", "\u00ed\u00a0\u0080"],
  ])("finds no text in %s", (_, bytes) => {
    expect(Bytes.toText(bytes)).toEqual(Option.none())
  })

  it("writes a lone surrogate as U+FFFD, as the platform does", () => {
    expect(Bytes.fromText("\ud800")).toBe("\u00ef\u00bf\u00bd")
  })
})

describe("a word", () => {
  // draft 5.2: parameters are parted by white space; a lone CR parts nothing (hypothetic v2.1, commands).
  it.each(["a", "\u0000", "\r", "\u0085", "\u00a0", "\u00ff", "a,b:c%20"])("can be the bytes %j", (bytes) => {
    expect(Bytes.isWord(bytes)).toBe(true)
  })

  it.each(["", " ", "a b", "\t", "\n", "a\r\n", "\u0100"])("can not be %j", (bytes) => {
    expect(Bytes.isWord(bytes)).toBe(false)
  })
})

describe("what a person is shown of bytes", () => {
  it.each([
    ["ASCII", "USR 3 OK alice@hotmail.com ~", "USR 3 OK alice@hotmail.com ~"],
    ["nothing", "", ""],
    ["UTF-8", Bytes.fromText("Jürgen €😀"), "Jürgen €😀"],
    ["bytes that are no UTF-8", "J\u00fcrgen", "Jürgen"],
  ])("is %s as it reads", (_, bytes, text) => {
    expect(Bytes.printable(bytes)).toBe(text)
  })

  it.each([
    ["an escape sequence", "\u001b[2J", "\\x1b[2J"],
    ["a null", "\u0000", "\\x00"],
    ["a line end", "a\r\nb\tc", "a\\x0d\\x0ab\\x09c"],
    ["DEL", "\u007f", "\\x7f"],
    ["a C1 control that stands as one byte", "\u009b2J", "\\x9b2J"],
    ["a C1 control in UTF-8", Bytes.fromText("\u009b2J"), "\\x9b2J"],
    ["a soft hyphen", Bytes.fromText("\u00ad"), "\\xad"],
    ["a bidi override", Bytes.fromText("\u202eevil\u202c"), "\\u{202e}evil\\u{202c}"],
    ["a bidi isolate", Bytes.fromText("\u2066a\u2069"), "\\u{2066}a\\u{2069}"],
    ["a byte order mark", Bytes.fromText("\ufeffa"), "\\u{feff}a"],
    ["the line ends of Unicode", Bytes.fromText("\u2028\u2029"), "\\u{2028}\\u{2029}"],
    ["a tag character", Bytes.fromText("\u{e0041}"), "\\u{e0041}"],
  ])("has %s spelled out", (_, bytes, text) => {
    expect(Bytes.printable(bytes)).toBe(text)
  })

  it("is cut to 80 characters, and says so", () => {
    expect(Bytes.printable("x".repeat(80))).toBe("x".repeat(80))
    expect(Bytes.printable("x".repeat(81))).toBe(`${"x".repeat(80)}…`)
    expect(Bytes.printable("x".repeat(60_000))).toHaveLength(81)
    expect(Bytes.printable("\u001b".repeat(60_000))).toHaveLength(81)
  })

  it("is never cut in the midst of a character", () => {
    expect(Bytes.printable(Bytes.fromText(`x${"😀".repeat(60)}`))).toBe(`x${"😀".repeat(39)}…`)
  })
})
