/**
 * What a server is measured against: one of `node:net` that answers the nth line with the nth canned answer, whatever the
 * line says. It looks for LF and for nothing else, and says the very bytes that ours says in a login, the profile behind
 * USR OK among them.
 */
import * as Net from "node:net"

const profile = [
  "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\n",
  "LoginTime: 1795469987\r\nEmailEnabled: 0\r\nMemberIdHigh: 0\r\nMemberIdLow: 0\r\nlang_preference: 1033\r\n",
  "preferredEmail: user00000@example.com\r\ncountry: \r\nPostalCode: \r\nGender: \r\nKid: 0\r\nAge: \r\n",
  "BDayPre: \r\nBirthday: \r\nWallet: 0\r\nFlags: 1027\r\nsid: 507\r\nkv: 4\r\nMSPAuth: \r\n\r\n",
].join("")

const answers = [
  "VER 1 MSNP7 CVR0\r\n",
  "INF 2 MD5\r\n",
  "USR 3 MD5 S 1795469987.216607676382959465\r\n",
  `USR 4 OK user00000@example.com User%2000000 1\r\nMSG Hotmail Hotmail ${profile.length}\r\n${profile}`,
]

const lf = 10

/** As many as wait for ours. Nothing of ours is imported here: it would be in the way of the garbage collector. */
const backlog = 4096

const server = Net.createServer({ noDelay: true, allowHalfOpen: true }, (conn) => {
  let said = 0
  conn.on("data", (bytes) => {
    for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) {
      const answer = answers[said++]
      if (answer !== undefined) conn.write(answer, "latin1")
    }
  })
  conn.on("end", () => conn.end())
  conn.on("error", () => conn.destroy())
})
server.listen({ host: "0.0.0.0", port: 0, backlog }, () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`)
})
