/**
 * A bot that signs in and stays: it says what it hears, and signs in again when its session is lost, but never after
 * its account has logged in elsewhere.
 *
 *     MSNP_SERVER=127.0.0.1:1863 MSNP_ACCOUNT=alice@example.com MSNP_PASSWORD=wonderland node bot.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SessionClient from "effect-msnp/net/SessionClient"
import * as Account from "effect-msnp/protocol/Account"
import * as Address from "effect-msnp/protocol/Address"

const settings = Config.all({
  server: Config.schema(Address.FromWire, "MSNP_SERVER"),
  account: Config.schema(Account.Account, "MSNP_ACCOUNT"),
  password: Config.Redacted("MSNP_PASSWORD"),
})

/** What happens, in a line. */
const tell = (event: SessionClient.StayEvent): string => {
  switch (event._tag) {
    case "SignedIn":
      return `Signed in as ${event.session.friendlyName}, with ${event.session.dialect}`
    case "Lost":
      return `${event.error.message} Trying again in ${Duration.format(event.again)}`
    case "Synchronized":
      return `Contacts: ${event.lists.forward.map(({ friendlyName }) => friendlyName).join(", ")}`
    case "ListsRefused":
      return `The server does not give the lists out (${event.code})`
    case "StatusSet":
      return `Shown as ${event.status}`
    case "ContactOnline":
      return `${event.friendlyName} is ${event.status}`
    case "ContactOffline":
      return `${event.account} has gone`
    case "Profile":
      return `Logged in at ${event.fields["LoginTime"]} seconds since 1970`
    case "Maintenance":
      return `The server goes down in ${event.minutes} minutes`
    case "Message":
      return `A message: ${event.body}`
    case "VersionAdvice":
      return `The version to use: ${event.parameters[0]}`
    case "Refused":
      return `The server says ${event.code}`
    case "Command":
      return `The server says something else: ${event.command._tag}`
  }
}

const bot = Effect.gen(function* () {
  const events = SessionClient.stay(yield* settings)
  yield* Stream.runForEach(events, (event) => Console.log(tell(event)))
})

NodeRuntime.runMain(bot)
