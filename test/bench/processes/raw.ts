/**
 * The load on servers, and what our client is measured against: a client of `node:net` that says what a client says in a
 * login, the digest included, and looks at no more of an answer than its beginning.
 */
import * as Crypto from "node:crypto"
import * as Net from "node:net"
import * as Work from "./Work.ts"

/** A login under way or done. */
interface Login {
  readonly conn: Net.Socket
  /** Once USR OK is there: how long it took, in milliseconds. */
  readonly done: Promise<number>
}

const begin = (host: string, port: number, account: string): Login => {
  const begun = performance.now()
  const conn = Net.connect({ host, port, noDelay: true })
  const done = new Promise<number>((resolve, reject) => {
    const steps: ReadonlyArray<readonly [expected: string, next: (rest: string) => string]> = [
      ["VER 1 MSNP7 CVR0", () => "INF 2\r\n"],
      ["INF 2 MD5", () => `USR 3 MD5 I ${account}\r\n`],
      ["USR 3 MD5 S ", (challenge) => `USR 4 MD5 S ${Crypto.hash("md5", challenge + Work.password)}\r\n`],
    ]
    let step = 0
    let text = ""
    const hear = (bytes: Buffer) => {
      text += bytes.toString("latin1")
      const end = text.indexOf("\r\n")
      if (end < 0) return
      const line = text.slice(0, end)
      text = text.slice(end + 2)
      const [expected = "USR 4 OK ", next] = steps[step++] ?? []
      if (!line.startsWith(expected)) {
        reject(new Error(`${account} was told ${JSON.stringify(line)}, where ${expected}was to come.`))
        conn.destroy()
      } else if (next === undefined) {
        conn.off("data", hear)
        conn.resume()
        resolve(performance.now() - begun)
      } else conn.write(next(line.slice(expected.length)), "latin1")
    }
    conn.on("data", hear)
    conn.on("error", reject)
    conn.on("end", () => reject(new Error(`${account} was cut off, where step ${step + 1} was to come.`)))
    conn.write("VER 1 MSNP7 CVR0\r\n", "latin1")
  })
  return { conn, done }
}

const closed = (conn: Net.Socket): Promise<void> => new Promise((resolve) => conn.once("close", () => resolve()))

/** Logs in, says this, and has the connection closed. */
const logIn =
  (lastWord: string): Work.LogIn =>
  async (host, port, account) => {
    const { conn, done } = begin(host, port, account)
    const millis = await done
    const end = closed(conn)
    conn.end(lastWord, "latin1")
    await end
    return millis
  }

const lastWords = { Out: "OUT\r\n", Silently: "" } as const

/** Those who stay. */
const staying = new Set<Net.Socket>()

const hold = async ({ accounts, first, port }: Extract<Work.Order, { _tag: "Hold" }>): Promise<Work.Done> => {
  const begun = performance.now()
  let nth = 0
  const some = async () => {
    while (nth < accounts) {
      const now = nth++
      const { conn, done } = begin(Work.hostOf(now), port, Work.accountOf(first + now))
      await done
      staying.add(conn)
      conn.once("close", () => staying.delete(conn))
    }
  }
  await Promise.all(Array.from({ length: 64 }, some))
  if (staying.size !== accounts) throw new Error(`${accounts - staying.size} of ${accounts} did not stay.`)
  return { _tag: "Done", logins: accounts, millis: performance.now() - begun, medianMillis: 0 }
}

const release = async (): Promise<Work.Done> => {
  const logins = staying.size
  await Promise.all(
    Array.from(staying, (conn) => {
      const end = closed(conn)
      conn.end()
      return end
    }),
  )
  return { _tag: "Done", logins, millis: 0, medianMillis: 0 }
}

Work.follow((order) => {
  switch (order._tag) {
    case "LogIn":
      return Work.logInAgain(logIn(lastWords[order.leave]), order)
    case "Hold":
      return hold(order)
    case "Release":
      return release()
  }
})
