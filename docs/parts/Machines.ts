/** The machines: their tables at a glance, state by state, and as charts. */
import * as Viz from "@viz-js/viz"
import * as Client from "../../src/login/Client.ts"
import * as Server from "../../src/login/Server.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import * as ClientSession from "../../src/session/ClientSession.ts"
import * as ServerSession from "../../src/session/ServerSession.ts"
import * as Docstrings from "../Docstrings.ts"
import type { Parts } from "../Splice.ts"
import * as Links from "./Links.ts"
import * as Words from "./Words.ts"

interface Machine {
  readonly name: string
  readonly table: Atlas.Table
  readonly words: Atlas.Words
  /** What is known in a state: the names of its fields. */
  readonly known: (state: string) => ReadonlyArray<string>
  /** What an event is. */
  readonly meaning: (event: string) => string
}

/** A word for each tag: a tag without one is an error, and so the documents have no hole. */
const lookUp =
  (words: { readonly [tag: string]: string }) =>
  (tag: string): string => {
    const word = words[tag]
    if (word === undefined) throw new Error(`there is no word for ${tag}`)
    return word
  }

const wordsOf = ({ events, states }: Words.Words<string, string>): Atlas.Words => ({
  state: lookUp(states),
  event: lookUp(events),
  code: (code) => (code === "Silence" ? "silence" : String(code)),
  clause: Links.clause,
})

/** An event is explained where it is declared, or else by the command that it is. */
const meanings = (machine: string, ...commands: ReadonlyArray<string>) => {
  const [own, ...heard] = [machine, ...commands].map((module) => Docstrings.of(`src/${module}.ts`))
  return (event: string): string => {
    const said = own?.get(`Event.${event}`) ?? heard.map((docstrings) => docstrings.get(event)).find(isSaid)
    if (said === undefined) throw new Error(`nothing says what the event ${event} of ${machine} is`)
    return said
  }
}

const isSaid = (docstring: string | undefined): boolean => docstring !== undefined

/** A table with the events of each row in the order in which they are declared. */
const inOrder = (table: Atlas.Table, { events }: Words.Words<string, string>): Atlas.Table => {
  const tags = Object.keys(events)
  const sorted = (row: Atlas.Table[string]) =>
    Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => tags.indexOf(a) - tags.indexOf(b)))
  return Object.fromEntries(Object.entries(table).map(([state, row]) => [state, sorted(row)]))
}

const fieldsOf =
  (cases: { readonly [state: string]: { readonly fields: object } }) =>
  (state: string): ReadonlyArray<string> =>
    Object.keys(cases[state]?.fields ?? {}).filter((name) => name !== "_tag")

/** The server's machine. */
export const server: Machine = {
  name: "server",
  table: inOrder(Server.table, Words.server),
  words: wordsOf(Words.server),
  known: fieldsOf(Server.State.cases),
  meaning: meanings("login/Server", "protocol/ClientCommand"),
}

/** The client's machine. */
const client: Machine = {
  name: "client",
  table: inOrder(Client.table, Words.client),
  words: wordsOf(Words.client),
  known: fieldsOf(Client.State.cases),
  meaning: meanings("login/Client", "protocol/ServerCommand"),
}

/** The server's machine of a session. */
export const serverSession: Machine = {
  name: "server-session",
  table: inOrder(ServerSession.table, Words.serverSession),
  words: wordsOf(Words.serverSession),
  known: fieldsOf(ServerSession.State.cases),
  meaning: meanings("session/ServerSession", "session/SessionClientCommand", "protocol/ClientCommand"),
}

/** The client's machine of a session. */
const clientSession: Machine = {
  name: "client-session",
  table: inOrder(ClientSession.table, Words.clientSession),
  words: wordsOf(Words.clientSession),
  known: fieldsOf(ClientSession.State.cases),
  meaning: meanings("session/ClientSession", "session/SessionServerCommand"),
}

const machines = [server, client, serverSession, clientSession]

const chart = ({ table, words }: Machine): string =>
  `\`\`\`mermaid\n${Atlas.toMermaid(Atlas.chart(table), words)}\n\`\`\``

/** Every cell in a word, the states by their own names. */
const matrix = ({ table, words }: Machine): string => Atlas.matrix(table, { ...words, state: (tag) => tag })

const events = ({ meaning, table, words }: Machine): string => {
  const tags = Array.from(new Set(Atlas.entries(table).map(({ event }) => event)))
  return Atlas.markdown(
    ["event", "called", "what it is"],
    tags.map((tag) => [`\`${tag}\``, words.event(tag), meaning(tag)]),
  )
}

/** A section for each state: what is known in it, and its row of the table. */
const states = ({ known, table, words }: Machine): string =>
  Object.entries(table)
    .map(([state, row]) => {
      const names = known(state).map((name) => `\`${name}\``)
      const title = words.state(state)
      const about = `${title.charAt(0).toUpperCase()}${title.slice(1)}. Known: ${names.length === 0 ? "nothing yet" : Links.and(names)}.`
      const cells = Atlas.isLast(row) ? "Whatever still comes is ignored." : Atlas.row(table, state, words)
      return `### ${state}\n\n${about}\n\n${cells}`
    })
    .join("\n\n")

const partsOf = (machine: Machine): Parts => ({
  [`${machine.name}.mermaid`]: chart(machine),
  [`${machine.name}.matrix`]: matrix(machine),
  [`${machine.name}.events`]: events(machine),
  [`${machine.name}.states`]: states(machine),
})

export const parts: Parts = Object.fromEntries(machines.flatMap((machine) => Object.entries(partsOf(machine))))

/** The charts as pictures, by the name of the file. */
export const pictures = async (): Promise<Parts> => {
  const viz = await Viz.instance()
  const picture = ({ table, words }: Machine) =>
    viz.renderString(Atlas.toDot(Atlas.chart(table), words), { format: "svg" })
  return Object.fromEntries(machines.map((machine) => [`${machine.name}.svg`, picture(machine)]))
}
