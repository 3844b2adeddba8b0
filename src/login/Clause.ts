/**
 * The seed page, sentence by sentence: what this project implements, in words of our own and in the page's order.
 *
 * Rules and refusals of both tables cite these names; what a module keeps besides stands in its docstrings as
 * `@keeps`. A clause that nobody keeps or tests, and a citation of no clause, fail the build. Nothing here is code.
 */

/** A sentence, and who answers for it. */
export type Clause =
  /** A rule, a refusal or a module keeps it. */
  | { readonly _tag: "Kept"; readonly says: string }
  /** Left to whoever logs in; `option` is what takes the advice: the module, the type, the member. */
  | { readonly _tag: "Advice"; readonly says: string; readonly option: string }
  /** Not on the page, which is silent there: `source` says who does speak. */
  | { readonly _tag: "Addition"; readonly says: string; readonly source: string }

const kept = (says: string): Clause => ({ _tag: "Kept", says })
const advice = (option: string, says: string): Clause => ({ _tag: "Advice", says, option })
const addition = (source: string, says: string): Clause => ({ _tag: "Addition", says, source })

/** The page, from its first paragraph to its last; {@link numberOf} counts in this order. */
export const seed = {
  "connect.log-in": kept("A session begins with a login at a notification server."),
  "connect.stored-first": kept("Where the address of a notification server is known from before, connect to it."),
  "connect.dispatch": advice(
    "net/LoginClient Options.server",
    "Where no notification server is known from before, connect to the dispatch server.",
  ),
  "connect.direct": kept("A direct connection goes to port 1863."),
  "connect.socks": kept("A connection by way of a SOCKS proxy goes to the same server and port."),
  "connect.http": kept("A connection over HTTP goes to a host of its own, on port 80."),
  "connect.third-party": advice(
    "net/LoginClient Options.server",
    "Networks that are not Microsoft's have dispatch servers of their own: connect to that one instead.",
  ),
  "connect.fallback": kept(
    "Where the notification server known from before cannot be reached, try the dispatch server.",
  ),
  "connect.unreachable": kept(
    "Where the dispatch server cannot be reached either, the trouble is our connection's or the whole network's.",
  ),

  "login.stage": kept(
    "A new connection is in the login stage: it agrees on a dialect, then authenticates the account.",
  ),
  "login.redirect": kept(
    "A server that has too much to do may send the client on to another one in the midst of the login.",
  ),
  "login.synchronous": kept(
    "The login goes step by step: the client says something, the server answers, the client goes on.",
  ),
  "login.wrong-time": kept(
    "A command at the wrong time, such as VER when the dialect is settled, is answered with 715; then the server closes.",
  ),
  "login.cvr-before-usr": kept("CVR at any time before the initial USR is answered with 731; then the server closes."),
  "login.cvr-after-usr": kept(
    "CVR between the initial and the subsequent USR is answered with 715; then the server closes.",
  ),
  "login.meaningless": kept(
    "At a command that means nothing in the login stage, such as SYN, the server closes at once and says nothing.",
  ),
  "login.stage-only": kept("None of the rules of the login stage holds once the login is done."),

  "ver.offer": kept("VER says which dialects the client speaks: a TrID, then their names."),
  "ver.case": kept("Names of dialects are told apart by letter case."),
  "ver.trid": kept("The server answers VER with VER and the same TrID."),
  "ver.common": kept("A server that speaks at least one dialect of the offer names those of the offer that it speaks."),
  "ver.reply-order": kept("The name that the server puts first is the dialect of this session."),
  "ver.none": kept(
    "A server that speaks none of the offer, which should not happen, names 0 alone and closes at once.",
  ),
  "ver.cvr0": kept("A client may put CVR0 among the names of its dialects."),
  "ver.cvr0-decorative": kept(
    "Up to MSNP7, CVR0 is decoration: it may have been meant to change what becomes of CVR, but makes no difference to what the server does.",
  ),
  "ver.example-common": kept(
    "Of four examples of VER, two go on after an answer with dialects in it, such as `VER 0 MSNP7`.",
  ),
  "ver.example-none": kept("In the third example of VER, the answer is `VER 0 0`, and the server closes."),
  "ver.no-trid": kept("In the fourth example, `VER MSNP7` has no TrID: the server closes and says nothing."),

  "inf.optional": kept("With the dialect settled, the client may send INF, or leave it out."),
  "inf.question": kept("INF has a TrID and nothing else; it asks how accounts are authenticated."),
  "inf.reply": kept("The server answers INF with INF, the same TrID, and the name of the security package."),
  "inf.md5": kept("Up to MSNP7, the security package is always MD5."),
  "inf.emulate": advice(
    "net/LoginClient Options.strategy",
    "Nothing is lost by leaving INF out; whoever wants to do all that the official client does sends it.",
  ),

  "usr.must": kept("After the answer to INF, or to VER where INF is left out, the client must send the initial USR."),
  "usr.trid": kept("The initial USR has a TrID."),
  "usr.package": kept("The first parameter of USR is the security package, always MD5."),
  "usr.initial": kept("The second parameter of the initial USR is the letter I."),
  "usr.account": kept("The third parameter of the initial USR is the account that logs in."),
  "usr.disliked": kept("A server that does not like the initial USR closes and says nothing."),
  "usr.disliked-911": kept(
    "At such a USR it may say 911 before it closes: seen for S in the place of I, and for an account that is none.",
  ),
  "usr.trouble": kept(
    "A server in trouble or under maintenance answers the initial USR with an error, such as 500, 601, 910 or 921.",
  ),
  "usr.answers": kept("Else the server answers the initial USR with XFR, or with a USR of its own."),

  "xfr.dispatch": kept("The dispatch server answers everybody with XFR, and lets nobody in."),
  "xfr.gateway": kept("The host for HTTP connections never answers with XFR."),
  "xfr.rare": kept(
    "A notification server answers with XFR very rarely: it seems, when it is overloaded or about to go down.",
  ),
  "xfr.form": kept("XFR has the TrID of the USR, and two, three or four parameters, by dialect."),
  "xfr.ns": kept("The first parameter of XFR is NS, for notification server."),
  "xfr.address": kept("The second parameter of XFR is where that server is: IP address, colon, port."),
  "xfr.port": kept("The port in XFR seems always to be 1863, on which nobody should rely."),
  "xfr.zero": kept("From MSNP3 on, XFR has a third parameter, always 0."),
  "xfr.self": kept("In MSNP7, XFR has a fourth parameter: address and port of the server that refers."),
  "xfr.example": kept(
    "For example, in MSNP7, `USR 2 MD5 I` with the account is answered with `XFR 2 NS`, an address, 0 and another address.",
  ),
  "xfr.closes": kept("After XFR the server closes."),
  "xfr.again": kept("The client must connect to the server named, and begin the login anew."),
  "xfr.independent": advice(
    "net/LoginClient Options.onReferral",
    "Notification servers tell each other nothing: at the next one, dialects and account may be others.",
  ),

  "usr.challenge": kept(
    "The server's USR has S, for subsequent, in the place of I, and a random string in that of the account.",
  ),
  "usr.challenge-opaque": kept(
    "The random string is in fact the time, on which nobody should rely: take it for any characters, however many.",
  ),
  "usr.digest": kept(
    "The client puts the password after the random string, which is there for that, and takes the MD5 of the whole in hexadecimal digits.",
  ),
  "usr.respond": kept(
    "The client answers the challenge with a USR of its own, the subsequent one: a TrID, MD5, S and the 32 digits.",
  ),
  "usr.ok": kept(
    "Where the password is right, the answer is USR OK with the account and the friendly name, URL-encoded.",
  ),
  "usr.verified": kept(
    "In MSNP7 a last parameter of USR OK says whether the account's address is verified: 1 for yes, 0 for no.",
  ),
  "usr.wrong-password": kept("Where the password is wrong, the server says 911 and closes."),
  "usr.digest-size": kept(
    "Where anything else of the subsequent USR is wrong, such as the number of digits, the server closes and says nothing.",
  ),
  "usr.trouble-again": kept(
    "A server in trouble answers the subsequent USR, too, with an error, such as 500, 601, 910 or 921.",
  ),

  "session.dispatch": kept(
    "The example session begins at the dispatch server, whose name stands for an address: VER, INF, USR, then XFR and the end of the connection.",
  ),
  "session.notification": kept(
    "The example session goes on at the server named, from VER on again, to the challenge, the digest and USR OK.",
  ),

  "next.status": advice("net/SessionClient Options.status", "A client that is logged in can set its first status."),
  "next.sync": advice(
    "net/SessionClient Options.lists",
    "A client that is logged in should synchronize its lists soon.",
  ),
  "next.messages": kept("A client will probably be sent one or more messages (MSG) after USR OK."),
  "next.cvr": advice(
    "net/SessionClient Options.version",
    "A client that is logged in may send CVR to report its version.",
  ),

  "efficiency.together": kept("Several commands may be sent at once, without waiting for the answers."),
  "efficiency.packet": kept("The author had trouble with several commands in one packet, and did not know why."),
  "efficiency.ver-usr": kept("Send VER and USR to the dispatch server together."),
  "efficiency.one-dialect": advice("net/LoginClient Options.strategy", "Offer the one dialect that will be used."),
  "efficiency.any-account": advice(
    "net/LoginClient Options.strategy",
    "To the dispatch server, any account will do: send it a@b.c.",
  ),
  "efficiency.no-inf": advice("net/LoginClient Options.strategy", "Leave INF out."),
  "efficiency.lf": kept("LF may stand for CRLF, to save a byte a line."),

  "logoff.close": kept("The easiest way to log off is to close the connection."),
  "logoff.offline": kept("An account that has logged off is offline for everybody."),
  "logoff.torn": kept(
    "A connection that breaks off without being closed leaves the account online, and deaf, for several minutes.",
  ),
  "logoff.out": kept("The proper way to log off is OUT, which has no TrID and no parameters."),
  "logoff.out-closes": kept("At OUT the server closes at once."),
  "logoff.out-silent": kept("The draft has the server answer OUT with OUT; in fact it never does."),

  "closing.reasons": kept("The server may end a session itself: it goes down, or the account logs in elsewhere."),
  "closing.elsewhere": kept(
    "Where the account logs in elsewhere, the older connection is closed, and the newer one stays.",
  ),
  "closing.oth": kept("Before it closes a connection for a login elsewhere, the server says OUT OTH."),
  "closing.ssd": kept("A server that goes down says OUT SSD."),
  "closing.ssd-closes": kept("The server closes right after OUT SSD."),
  "closing.warning": kept("Often a server sends a message some minutes before it goes down, which says in how many."),
} as const satisfies Record<string, Clause>

/** What both machines do where the page is silent, and who speaks there. */
export const additions = {
  "beyond.verb": addition(
    "draft 5.2",
    "A command begins with three upper-case letters; whoever hears any other line closes, and says nothing.",
  ),
  "beyond.trid": addition(
    "draft 5.6; hypothetic v2.0, commands",
    "A TrID is a number from 0 to 4294967295; whoever hears any other closes, and says nothing.",
  ),
  "beyond.reply-trid": addition(
    "draft 5.6",
    "An answer bears the TrID of its command; a client takes one with another TrID for misbehavior.",
  ),
  "beyond.blanks": addition(
    "draft 5.2",
    "Parameters are separated by one or more spaces or tabs; empty lines and trailing blanks say nothing.",
  ),
  "beyond.order": addition(
    "a choice of this project",
    "A line is judged by its verb and TrID first, then by the time at which it comes, then by its parameters.",
  ),
  "beyond.limit": addition(
    "a choice of this project",
    "At a line longer than the limit, whoever reads it closes and says nothing.",
  ),
  "beyond.overdue": addition("a choice of this project", "A login that is not done in time is closed without a word."),
  "beyond.lost": addition(
    "a choice of this project",
    "Where the connection is lost in a login, whoever logged in is told what was awaited.",
  ),
  "beyond.dismiss": addition(
    "a choice of this project",
    "The application may end a session that it has done with; nothing is said.",
  ),
  "beyond.half-close": addition(
    "a choice of this project",
    "A client that closes its side only is still answered; a last line without a line end is dropped.",
  ),
  "beyond.pending": addition(
    "a choice of this project",
    "While the host decides, what the peer says waits, in order, and is never refused for being early.",
  ),
  "beyond.unknown-account": addition(
    "Escargot",
    "An account that does not exist is challenged like any other, and turned down with 911 at the subsequent USR.",
  ),
  "beyond.account-case": addition(
    "a choice of this project",
    "Letter case does not tell accounts apart; an account is shown as it was created.",
  ),
  "beyond.denials": addition(
    "the wiki, authschemes",
    "A host may turn an account down with 923 (from MSNP4) or 924 (from MSNP5); older dialects are told 911.",
  ),
  "beyond.failure-form": addition(
    "draft 7.11; hypothetic v2.1, commands",
    "An error is its code and the TrID; a client takes one without a TrID, or with more after it.",
  ),
  "beyond.ver-list": addition(
    "draft 7.1; the wiki, VER",
    "A client skips CVR0 in the answer to VER, takes names after 0 for none, and a name that it did not offer for misbehavior.",
  ),
  "beyond.inf-list": addition(
    "draft 7.2; the wiki, MSNP2",
    "A client takes an answer to INF that is a list, separated by commas or spaces, if MD5 is in it.",
  ),
  "beyond.xfr-forms": addition(
    "draft 7.4; hypothetic v1",
    "A client takes a referral with two to four parameters, with a name for an address, and without a port.",
  ),
  "beyond.digest-case": addition("a choice of this project", "Digits of a digest may be of either letter case."),
  "beyond.ok-account": addition(
    "a choice of this project",
    "A client takes USR OK for another account than its own for misbehavior.",
  ),
  "beyond.friendly-name": addition(
    "a choice of this project",
    "A friendly name with broken escapes or broken UTF-8 is kept as it came.",
  ),
  "beyond.asides": addition(
    "a choice of this project",
    "A client passes over MSG and verbs without a meaning here that answer nothing, 64 in a login at most.",
  ),
  "beyond.bare-out": addition(
    "draft 7.10; the wiki, OUT",
    "A client takes OUT without a reason; our server never says it.",
  ),
  "beyond.ver-single": addition(
    "Microsoft's servers from 2008 on",
    "With the quirk verSingle, VER is answered with the chosen dialect alone.",
  ),
  "beyond.dialect-case": addition(
    "draft 7.1",
    "With the quirk dialectCaseInsensitive, names of dialects are taken in either letter case.",
  ),
  "beyond.msnp2-zero": addition(
    "MSN Messenger 1.0, as W3B saw it",
    "With the quirk msnp2ReferralZero, MSNP2 gets the third parameter of XFR, too.",
  ),
  "beyond.msnp6-verified": addition(
    "the wiki; Escargot",
    "With the quirk verifiedFlagFromMsnp6, MSNP6 gets the verified flag, too.",
  ),
  "beyond.profile": addition(
    "hypothetic v2.0, messages",
    "Right behind USR OK, a notification server sends the profile of the account.",
  ),
  "beyond.syn": addition(
    "draft 7.5",
    "SYN is answered with SYN and the serial of the lists; where the client named another, the lists follow.",
  ),
  "beyond.lists": addition(
    "draft 7.6; the wiki, SYN",
    "The lists are told in one order, RL last, and an empty one as 0 of 0: some clients wait for that.",
  ),
  "beyond.chg": addition("draft 7.7", "CHG is answered with the same CHG."),
  "beyond.chg-offline": addition(
    "hypothetic v2.0, errors",
    "CHG FLN is answered with 201, since nobody can be there and offline; the session goes on.",
  ),
  "beyond.chg-unknown": addition(
    "the wiki, CHG",
    "At CHG with a status that there is not, the server closes and says nothing.",
  ),
  "beyond.png": addition("hypothetic v2.0, pings and challenges", "PNG is answered with QNG."),
  "beyond.chl": addition(
    "hypothetic v2.0, pings and challenges",
    "From MSNP6 on, a server challenges the client's program behind its first CHG, and then now and again.",
  ),
  "beyond.qry": addition(
    "hypothetic v2.0, pings and challenges",
    "The answer is QRY with MD5 of challenge and product key; where it is right, the server says QRY.",
  ),
  "beyond.qry-wrong": addition(
    "hypothetic v2.0, errors",
    "Where the answer to CHL is wrong, the server says 540 and closes; one that nobody asked for is wrong, too.",
  ),
  "beyond.qry-overdue": addition(
    "hypothetic v2.0, pings and challenges",
    "Where no answer to CHL comes within about 50 seconds, the server closes; ours says nothing.",
  ),
  "beyond.url": addition(
    "hypothetic v2.0, miscellaneous; the wiki, URL",
    "URL is answered with a path, the page that logs in, and from MSNP3 on a number.",
  ),
  "beyond.cvr-in-session": addition(
    "hypothetic v2.0, miscellaneous; the wiki, CVQ",
    "After the login, CVR and CVQ are answered alike, each under its own verb.",
  ),
  "beyond.cvr-bad": addition(
    "hypothetic v2.0, errors",
    "CVR with too few parameters is answered with 710; the session goes on.",
  ),
  "beyond.usr-again": addition(
    "hypothetic v2.0, errors",
    "USR after the login is answered with 207, whatever stands in it; the session goes on.",
  ),
  "beyond.login-again": addition(
    "a choice of this project",
    "VER and INF after the login are answered with 200; the session goes on.",
  ),
  "beyond.parameters": addition(
    "hypothetic v2.0, errors",
    "A command of the session whose parameters do not fit is answered with 200; the session goes on.",
  ),
  "beyond.msg": addition(
    "hypothetic v2.0, messages",
    "At MSG from a client a notification server closes and says nothing.",
  ),
  "beyond.unserved": addition(
    "hypothetic v2.0, errors",
    "A command that nobody serves is answered with 502; the session goes on.",
  ),
  "beyond.cvr-anytime": addition("Escargot", "With the quirk cvrAnytime, CVR is answered in the login, too."),
  "beyond.hear-lists": addition(
    "draft 7.5; hypothetic v1; the wiki, SYN",
    "A client says SYN with the serial of the lists it keeps: where the server has the same they stand, else the server's follow, RL last, and a hundred thousand lines of them are taken.",
  ),
  "beyond.hear-status": addition(
    "draft 7.7; the wiki, CHG",
    "A client takes a status by CHG, which the server says again; ILN, NLN and FLN tell it of its contacts.",
  ),
  "beyond.hear-messages": addition(
    "hypothetic v2.0, messages",
    "A client reads the profile, and a system message of type 1 as the minutes until the server goes down.",
  ),
  "beyond.hear-challenge": addition(
    "hypothetic v2.0, pings_challenges",
    "A client answers CHL with QRY, whatever its dialect; the server says QRY where the digest was right.",
  ),
  "beyond.say-version": addition(
    "hypothetic v2.0, miscellaneous",
    "A client may report its version by CVR at any time once it is logged in.",
  ),
  "beyond.ping": addition(
    "hypothetic v2.0, pings_challenges; a choice of this project",
    "A client asks by PNG whether the server is there; one that has not said QNG by the next time is taken for gone.",
  ),
  "beyond.stay": addition(
    "a choice of this project",
    "A client that has lost its session may sign in again by itself, but never after a login elsewhere.",
  ),
  "beyond.hear-rest": addition(
    "a choice of this project",
    "Whatever else a server says in a session, a client hands to the application.",
  ),
} as const satisfies Record<string, Clause>

/** All clauses, those of the page first. */
export const all = { ...seed, ...additions }

/** The name of a clause, `chapter.sentence`. */
export type Id = keyof typeof all

/** The names of all clauses, in order. */
export const ids: ReadonlyArray<Id> = Object.keys(all).filter((key): key is Id => Object.hasOwn(all, key))

/** The number of a clause, counted from 1 in the page's order; additions are counted on after it. */
export const numberOf = (id: Id): number => ids.indexOf(id) + 1

/** Whether a text is the name of a clause. */
export const isId = (text: string): text is Id => Object.hasOwn(all, text)
