/** What stands on the wire, in the short forms that tests are written in. */
import type * as Result from "effect/Result"
import * as Bytes from "../../src/protocol/Bytes.ts"
import type * as ClientCommand from "../../src/protocol/ClientCommand.ts"
import * as Codec from "../../src/protocol/Codec.ts"
import type * as Line from "../../src/protocol/Line.ts"
import type * as ServerCommand from "../../src/protocol/ServerCommand.ts"

/** The frame of a line that is written as it is printed, with one space between words; text becomes UTF-8. */
export const frame = (text: string, payload = ""): Line.Frame => {
  const [verb = "", ...parameters] = Bytes.fromText(text).split(" ")
  return { words: [verb, ...parameters], payload }
}

/** What a client's line is decoded to. */
export const fromClient = (text: string): Result.Result<ClientCommand.ClientCommand, Codec.Undecodable> =>
  Codec.decodeClient(frame(text))

/** What a server's line is decoded to. */
export const fromServer = (text: string): Result.Result<ServerCommand.ServerCommand, Codec.Undecodable> =>
  Codec.decodeServer(frame(text))

/** Lines as bytes, each with its CRLF. */
export const crlf = (...lines: ReadonlyArray<string>): string =>
  lines.map((line) => `${Bytes.fromText(line)}\r\n`).join("")

/** Bytes as lines; throws where a line does not end in CRLF, as each that we write must. */
export const lines = (bytes: string): ReadonlyArray<string> => {
  const parts = bytes.split("\r\n")
  if (parts.pop() !== "" || parts.some((line) => line.includes("\n"))) {
    throw new Error(`These lines do not all end in CRLF: ${JSON.stringify(bytes)}`)
  }
  return parts
}
