/** Our client as an application has it: `LoginClient`, with its defaults. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LoginClient from "../../../src/net/LoginClient.ts"
import * as Account from "../../../src/protocol/Account.ts"
import * as Work from "./Work.ts"

const password = Redacted.make(Work.password)

const logIn: Work.LogIn = (host, port, account) => {
  const begun = performance.now()
  return LoginClient.login({ server: { host, port }, account: Account.Account.make(account), password }).pipe(
    Effect.map(() => performance.now() - begun),
    Effect.scoped,
    Effect.runPromise,
  )
}

Work.follow((order) => {
  switch (order._tag) {
    case "LogIn":
      return Work.logInAgain(logIn, order)
    case "Hold":
    case "Release":
      return Promise.reject(new Error(`This client does not ${order._tag.toLowerCase()}.`))
  }
})
