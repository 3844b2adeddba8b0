/** The clauses: what each says, where it is kept, and which tests show it; and the quirks that bend some. */
import * as Clause from "../../src/login/Clause.ts"
import * as Atlas from "../../src/machine/Atlas.ts"
import * as Quirk from "../../src/protocol/Quirk.ts"
import * as Citations from "../Citations.ts"
import type { Parts } from "../Splice.ts"
import * as Links from "./Links.ts"

const rules = Citations.rules()
const keepers = Citations.keepers()
const tests = Citations.tests()

const fileOf = ({ file }: Citations.Citation): string => file.slice(file.lastIndexOf("/") + 1)

/** Where a citation stands, by the name of its file. */
const there = (citation: Citations.Citation): string => Links.place(citation, fileOf(citation))

const answerable = (id: Clause.Id): ReadonlyArray<string> => {
  const clause: Clause.Clause = Clause.all[id]
  switch (clause._tag) {
    case "Kept":
      return []
    case "Addition":
      return [`Not on the page; so says ${clause.source}.`]
    case "Advice": {
      const option = Citations.option(clause.option)
      return [`Advice: taken by ${option === undefined ? clause.option : Links.place(option, clause.option)}.`]
    }
  }
}

/** One clause: its number, its sentence, who answers for it, who keeps it, which tests show it. */
const section = (id: Clause.Id): string => {
  const names = (citations: ReadonlyArray<Citations.Citation>) => citations.filter(({ clause }) => clause === id)
  const places = [
    ...names(rules).map((rule) => `kept by \`${rule.name}\` in ${there(rule)}`),
    ...names(keepers).map((keeper) => `kept by \`${keeper.name}\` in ${there(keeper)}`),
    ...names(tests).map((test) => `shown by ${Links.place(test, `${fileOf(test)}: ${test.name}`)}`),
  ]
  const paragraph = [`*${Clause.numberOf(id)}.* ${Clause.all[id].says}`, ...answerable(id)].join(" ")
  return [`### ${id}`, paragraph, ...(places.length === 0 ? [] : [Links.list(places)])].join("\n\n")
}

const titles = {
  connect: "Where to connect",
  login: "The login stage",
  ver: "VER",
  inf: "INF",
  usr: "USR",
  xfr: "XFR",
  session: "The example session",
  next: "What comes next",
  efficiency: "Efficiency",
  logoff: "Logging off",
  closing: "The end of a session",
  beyond: "Beyond the page",
} as const

const chapterOf = (id: Clause.Id): string => id.slice(0, id.indexOf("."))

const inChapter = (chapter: string): ReadonlyArray<Clause.Id> => Clause.ids.filter((id) => chapterOf(id) === chapter)

/** The chapters in the order of the page; USR and XFR go back and forth on it, and are told one after the other. */
const chapters = Object.entries(titles)

const untitled = Clause.ids.filter((id) => !Object.hasOwn(titles, chapterOf(id)))
if (untitled.length > 0) throw new Error(`no chapter of the documents has the clauses ${untitled.join(", ")}`)

const sections = chapters
  .map(([chapter, title]) => [`## ${title}`, ...inChapter(chapter).map(section)].join("\n\n"))
  .join("\n\n")

/** The sentences of a chapter. */
const sentences = (chapter: string): string =>
  Links.list(inChapter(chapter).map((id) => `${Clause.all[id].says} (${Links.clause(id)}${standing(Clause.all[id])})`))

/** What is to be said of a sentence that nothing here keeps. */
const standing = ({ _tag }: Clause.Clause): string => {
  switch (_tag) {
    case "Advice":
      return "; advice"
    case "Kept":
    case "Addition":
      return ""
  }
}

/** How many clauses there are of each kind. */
const kinds: { readonly [kind in Clause.Clause["_tag"]]: string } = {
  Kept: "kept by a rule, a refusal or a module",
  Advice: "advice, with an option that takes it",
  Addition: "not on the page: what is done where it is silent",
}

const summary = Atlas.markdown(
  ["clauses", "which"],
  Object.entries(kinds).map(([kind, what]) => [
    String(Clause.ids.filter((id) => Clause.all[id]._tag === kind).length),
    what,
  ]),
)

/** The addition that a quirk is, and the clauses of the page that it bends. */
const bends: { readonly [quirk in Quirk.Quirk]: readonly [addition: Clause.Id, ...bent: ReadonlyArray<Clause.Id>] } = {
  verSingle: ["beyond.ver-single", "ver.common"],
  dialectCaseInsensitive: ["beyond.dialect-case", "ver.case"],
  msnp2ReferralZero: ["beyond.msnp2-zero", "xfr.zero"],
  verifiedFlagFromMsnp6: ["beyond.msnp6-verified", "usr.verified"],
  cvrAnytime: ["beyond.cvr-anytime", "login.cvr-before-usr", "login.cvr-after-usr"],
}

const quirks = Atlas.markdown(
  ["quirk", "what it does", "is", "bends"],
  Quirk.all.map((quirk) => {
    const [addition, ...bent] = bends[quirk]
    return [`\`${quirk}\``, Quirk.sentences[quirk], Links.clause(addition), bent.map(Links.clause).join(", ")]
  }),
)

export const parts: Parts = {
  "source.summary": summary,
  "source.clauses": sections,
  quirks,
  ...Object.fromEntries(
    chapters.flatMap(([chapter]) => (chapter === "beyond" ? [] : [[`clauses.${chapter}`, sentences(chapter)]])),
  ),
}
