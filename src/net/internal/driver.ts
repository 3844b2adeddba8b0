/**
 * The one loop that both sides run: a connection's bytes through a login machine and back.
 *
 * Every complete line of a batch of bytes is run through decode, classify, transition and encode on the stack on which the
 * batch came, and what is to be said is written with one write. The loop stops where the machine asks its host, feeds the
 * decision, and goes on; what comes meanwhile waits its turn. Whose login it is, the driver does not know.
 *
 * It is a class, and its owner a few methods: a login by streams, with a fiber for the connection and queues in between,
 * took 8 times the time of a bare `node:net` login, and a quiet session 38 KB.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as Limits from "../../host/Limits.ts"
import type { Postponed, Step, Tagged } from "../../machine/Machine.ts"
import * as Codec from "../../protocol/Codec.ts"
import * as Line from "../../protocol/Line.ts"
import * as Transcript from "../Transcript.ts"
import type * as Channel from "./channel.ts"

/** What the actions of either machine are to the driver. */
export type Action<Out, Question, E> =
  | { readonly _tag: "Say"; readonly command: Out }
  | { readonly _tag: "Ask"; readonly question: Question }
  | { readonly _tag: "Deliver" }
  | { readonly _tag: "Close" }
  | Postponed<E>

/** What one side's machine and codec are made of. */
export interface Kinds {
  readonly State: Tagged
  /** The state in which the login is done. */
  readonly LoggedIn: this["State"]
  /** The states in which the connection is over. */
  readonly Over: this["State"]
  readonly Event: Tagged
  /** What the peer says. */
  readonly In: object
  /** What this side says. */
  readonly Out: object
  readonly Question: object
}

/** A step of one side's machine. */
type StepOf<K extends Kinds> = Step<K["State"], Action<K["Out"], K["Question"], K["Event"]>>

/** One side of a connection: its codec and its machine. */
export interface Side<K extends Kinds> {
  readonly speaker: Transcript.Speaker
  readonly limits: Line.Limits
  /** Which verbs announce a payload, at this point. */
  readonly payloads: (state: K["State"]) => Line.Payloads
  readonly decode: (frame: Line.Frame) => Result.Result<K["In"], Codec.Undecodable>
  readonly encode: (command: K["Out"]) => Result.Result<string, string>
  /** Which limit a command goes beyond, and how: then it is as good as unreadable. */
  readonly excess: (state: K["State"], command: K["In"]) => Option.Option<Excess>
  readonly classify: (state: K["State"], heard: Result.Result<K["In"], Codec.Undecodable>) => K["Event"]
  readonly transition: (state: K["State"], event: K["Event"]) => StepOf<K>
  readonly isLoggedIn: (state: K["State"]) => state is K["LoggedIn"]
  readonly isOver: (state: K["State"]) => state is K["Over"]
  readonly hungUp: K["Event"]
}

/** A limit that a command goes beyond, and what it does, in a sentence. */
export interface Excess {
  readonly limit: keyof Limits.Limits
  readonly why: string
}

/** What a peer is held to, besides what a line may be. */
type Bounds = Pick<Limits.Limits, "loginBytes" | "loginCommands" | "writeTimeout">

/** How a connection is run. */
export interface Options<K extends Kinds> {
  /** Whether what is said at once goes out with one write, as by default, or with a write for each line. */
  readonly writes?: "Together" | "Apart"
  /** By default the peer may say as much before its login is done, and may read as slowly, as it likes. */
  readonly bounds?: Bounds
  /** Has something done after some time, unless what it returns is called before. */
  readonly after: (delay: Duration.Duration, run: () => void) => () => void
  /** Is told of each thing that happens on the wire. */
  readonly observer: Option.Option<Transcript.Observer>
  /** Is told of each step of the machine: from which state, what for, and into which. */
  readonly witness: Option.Option<(from: K["State"], event: K["Event"], to: K["State"]) => void>
}

/** Who runs the connection: is told at once, on the stack of whatever brought it up. */
export interface Owner<K extends Kinds> {
  /** The machine asks: {@link Driver.decide} is to be called once, now or later, unless `unasked` is called before. */
  readonly asked: (question: K["Question"]) => void
  /** Nobody waits for the decision any more; where the peer is gone, `decide` is to be called with that, when it is idle. */
  readonly unasked: () => void
  /** The login is done; what is said now goes out with its last line. */
  readonly loggedIn: (state: K["LoggedIn"]) => void
  /** The login, or the session, is over, and the last words are said. */
  readonly over: (state: K["Over"]) => void
  /** The peer has no more to say in the session, but may listen still. */
  readonly hungUp: () => void
  /** Something of ours has thrown: the connection is of no use any more. */
  readonly failed: (defect: unknown) => void
  /** The peer goes beyond a limit: it is taken for lost, or what it says for unreadable. */
  readonly limited: (limit: keyof Limits.Limits) => void
  /** Whatever the peer was waited for has come, and it is waited for anew. */
  readonly moved: () => void
}

/** How many commands of a peer wait for the application before nothing more is read: a few segments' worth. */
const inboxSize = 64

/** How much is read ahead, in bytes, while the host decides: enough to pipeline a login, and to see the peer vanish. */
const readAhead = 65_536

/** How much a peer has to take in each `writeTimeout`, in bytes: one that reads slowly is told from one that never reads. */
const share = 65_536

/** What the peer says in a session. */
type Heard<K extends Kinds> = K["In"] | Codec.Malformed

/** What a fiber that waits for something is resumed with. */
type Resume<A, E = never> = (effect: Effect.Effect<A, E>) => void

/**
 * A connection at work.
 *
 * @keeps efficiency.packet beyond.half-close
 */
export class Driver<K extends Kinds> implements Channel.Receiver {
  private readonly side: Side<K>
  private readonly channel: Channel.Channel
  private readonly owner: Owner<K>
  private readonly options: Options<K>
  private current: K["State"]
  /** What has come and is not a whole command yet, and how much it takes to look again. */
  private bytes = ""
  private wanted = 1
  /** What is to be said with the next write. */
  private out = ""
  /** What the peer has said before its login is done. */
  private loginBytes = 0
  private loginCommands = 0
  /** Whether the peer may say more, has no more to say, or is gone altogether. */
  private hearing: "Open" | "Ended" | "Lost" = "Open"
  /** Whether the machine waits for its host, and for what the peer is gone meanwhile. */
  private asking: "Nothing" | "Decision" | "Silence" = "Nothing"
  /** Whether the loop is running, farther up on this stack. */
  private isTurning = false
  /** Whether the owner has been told of the end, or has let go: nobody waits for anything any more. */
  private isDone = false
  /** What has been said in the session, and waits for the peer to take it, in bytes. */
  private untaken = 0
  private giveUp = nothing
  private isGivenUp = false
  /** Whether the peer does not take the answers to what it says: then nothing more of it is heard. */
  private isHeldBack = false
  private senders: ReadonlyArray<() => void> = []
  private listener: ((command: Heard<K>) => void) | undefined
  private inbox: Array<Heard<K>> = []
  private taker: Resume<readonly [Heard<K>, ...Array<Heard<K>>], Cause.Done> | undefined
  private onSilence = nothing
  private isClosing = false

  constructor(side: Side<K>, channel: Channel.Channel, owner: Owner<K>, first: StepOf<K>, options: Options<K>) {
    this.side = side
    this.channel = channel
    this.owner = owner
    this.options = options
    this.current = first.state
    this.carryOut(first)
  }

  /** Says what is to be said first, and hears the peer from then on. */
  begin(): void {
    this.turn(() => this.channel.open(this))
  }

  /** The state, as it is now. */
  state(): K["State"] {
    return this.current
  }

  /** Whether the peer may say more. */
  isOpen(): boolean {
    return this.hearing === "Open"
  }

  /** Whether nothing is heard or decided any more. */
  private isOver(): boolean {
    return this.isDone || this.side.isOver(this.current)
  }

  /** Whether something may be said to the peer by whoever has the session. */
  private isInSession(): boolean {
    return !this.isDone && this.side.isLoggedIn(this.current)
  }

  hear(bytes: string): void {
    if (this.isOver()) return
    this.bytes = this.bytes === "" ? bytes : this.bytes + bytes
    this.turn()
  }

  ended(): void {
    this.silenced("Ended")
  }

  lost(): void {
    this.silenced("Lost")
  }

  drained(): void {
    this.untaken = 0
    this.isHeldBack = false
    this.stopGivingUp()
    this.goOn()
    this.turn()
  }

  /** Lets go of the connection: nothing is heard any more. */
  release(): void {
    // Of a login that is broken off, nothing is left to be said.
    const isBrokenOff = !this.isOver() && !this.side.isLoggedIn(this.current)
    this.finish()
    this.hearing = "Lost"
    this.channel.release(this.isGivenUp || isBrokenOff ? "GivenUp" : "Awaited")
    this.stopListening()
  }

  private stopListening(): void {
    const { onSilence } = this
    this.onSilence = nothing
    onSilence()
  }

  private stopGivingUp(): void {
    this.giveUp()
    this.giveUp = nothing
  }

  private silenced(hearing: "Ended" | "Lost"): void {
    const wasOpen = this.isOpen()
    this.hearing = hearing
    this.turn(() => {
      // One that has said that it says no more may be lost besides.
      if (wasOpen) this.observe({ _tag: "Closed", by: this.peer() })
      this.stopListening()
    })
  }

  /** Feeds what the host has decided. */
  decide(event: K["Event"]): void {
    this.turn(() => {
      const { asking } = this
      this.asking = "Nothing"
      // Where the peer is gone, nobody is left to tell the decision to.
      if (!this.isOver()) this.feed(asking === "Silence" ? this.side.hungUp : event)
    })
  }

  /** Feeds an event that ends the connection, and says what the machine says of it. */
  end(event: K["Event"]): void {
    if (!this.isOver()) this.turn(() => this.feed(event))
  }

  /** Who is at the other end. */
  private peer(): Transcript.Speaker {
    return this.side.speaker === "Client" ? "Server" : "Client"
  }

  private observe(entry: Transcript.Entry): void {
    if (Option.isSome(this.options.observer)) this.options.observer.value(entry)
  }

  private say(command: K["Out"]): void {
    const line = Result.getOrThrowWith(this.side.encode(command), (why) => new Error(why))
    if (Option.isSome(this.options.observer)) this.observe(Transcript.said(this.side.speaker, words(line)))
    this.out += line
  }

  private feed(event: K["Event"], heard?: Heard<K>): void {
    const step = this.side.transition(this.current, event)
    // Told first: whoever waits for the end goes on while the step is being carried out.
    if (Option.isSome(this.options.witness)) this.options.witness.value(this.current, event, step.state)
    this.carryOut(step, heard)
  }

  private carryOut({ actions, state }: StepOf<K>, heard?: Heard<K>): void {
    const before = this.current
    this.current = state
    for (const action of actions) {
      switch (action._tag) {
        case "Say":
          this.say(action.command)
          break
        case "Ask":
          this.asking = "Decision"
          this.owner.asked(action.question)
          break
        case "Deliver":
          if (heard !== undefined) this.deliver(heard)
          break
        case "Close":
          // The turn comes to its end, and tells the owner.
          break
        case "Postponed":
          // No line is taken while the host decides, so that no event can come too early.
          throw new Error(`${action.event._tag} was fed while the host decides`)
      }
    }
    if (this.side.isLoggedIn(state) && !this.side.isLoggedIn(before)) this.owner.loggedIn(state)
  }

  /**
   * Does something, and then whatever can be done: runs the complete lines at hand until the host is asked, says what is to
   * be said, and tells what has come of it. Where that is being done already, farther up on this stack, it goes on from
   * there. What throws does so by a mistake of ours, or of whoever is told, and nobody else would catch it.
   */
  private turn(first: () => void = nothing): void {
    if (this.isTurning) {
      first()
      return
    }
    try {
      this.loop(first)
    } catch (defect) {
      this.finish()
      this.owner.failed(defect)
    }
  }

  private loop(first: () => void): void {
    this.isTurning = true
    const { _tag } = this.current
    try {
      first()
      this.advance()
    } finally {
      this.isTurning = false
    }
    const hasMoved = this.out !== "" || this.current._tag !== _tag
    this.answer()
    if (this.side.isOver(this.current)) {
      this.tellOver(this.current)
      return
    }
    this.wake()
    this.breathe()
    if (this.hearing === "Ended" && this.isInSession() && !this.isAtHand()) this.owner.hungUp()
    if (hasMoved) this.owner.moved()
  }

  private advance(): void {
    const { side } = this
    while (this.asking === "Nothing" && !this.isOver()) {
      if (!this.isAtHand()) {
        if (this.hearing === "Open") return
        // One that only says no more may listen to an application still.
        if (this.hearing === "Lost" || !side.isLoggedIn(this.current)) this.feed(side.hungUp)
        return
      }
      const taken = this.take()
      switch (taken._tag) {
        case "NotYet":
          this.bytes = taken.rest
          this.wanted = taken.wanted
          break
        case "Never":
          this.bytes = ""
          this.wanted = 1
          if (Option.isSome(taken.beyond)) this.owner.limited(taken.beyond.value)
          this.feed(side.classify(this.current, Result.fail(Codec.unreadable(taken.why))))
          break
        case "Whole": {
          this.bytes = taken.rest
          this.wanted = 1
          if (Option.isSome(this.options.observer)) {
            this.observe(Transcript.said(this.peer(), taken.frame.words))
          }
          const heard = this.within(side.decode(taken.frame))
          this.feed(side.classify(this.current, heard), whatWasHeard(heard))
        }
      }
      // A few short lines may have long answers: no more than a share of them waits for a peer that does not read.
      if (this.out.length >= share) this.answer()
      if (this.isHeldBack && this.untaken >= share && this.hearing !== "Lost") return
    }
    if (this.hearing === "Lost" && this.asking === "Decision") {
      this.asking = "Silence"
      this.owner.unasked()
    }
  }

  /** Whether there is more to be looked at of what has come. */
  private isAtHand(): boolean {
    return this.bytes.length >= this.wanted
  }

  /** The first command at hand, if the login may go on with it. */
  private take(): Taken {
    const { side } = this
    const { bounds } = this.options
    const taken = Line.take(this.bytes, side.payloads(this.current), side.limits)
    if (taken._tag === "Never" || bounds === undefined || side.isLoggedIn(this.current)) return taken
    this.loginBytes += this.bytes.length - taken.rest.length
    if (taken._tag === "Whole") this.loginCommands++
    if (this.loginBytes > bounds.loginBytes) return tooMuch("loginBytes", bounds.loginBytes)
    if (this.loginCommands > bounds.loginCommands) return tooMuch("loginCommands", bounds.loginCommands)
    return taken
  }

  private within(heard: Result.Result<K["In"], Codec.Undecodable>): typeof heard {
    if (Result.isFailure(heard)) return heard
    const excess = this.side.excess(this.current, heard.success)
    if (Option.isNone(excess)) return heard
    this.owner.limited(excess.value.limit)
    return Result.fail(Codec.unreadable(excess.value.why))
  }

  /** Reads on where there is room for more. */
  private breathe(): void {
    if (this.isDone) return
    const isFull = this.asking === "Nothing" ? this.inbox.length >= inboxSize : this.bytes.length >= readAhead
    if (isFull || this.isHeldBack) this.channel.pause()
    else this.channel.resume()
  }

  /** Says what answers the peer; an application that says something is itself held back where the peer does not read. */
  private answer(): void {
    if (this.out === "") return
    this.flush()
    if (this.untaken > 0) this.isHeldBack = true
  }

  private flush(): void {
    const { out } = this
    if (out === "") return
    this.out = ""
    if (this.options.writes === "Apart") for (const line of out.split(/(?<=\n)/)) this.write(line)
    else this.write(out)
  }

  private write(bytes: string): void {
    if (this.channel.write(bytes) !== "Waits") return
    const isFirst = this.untaken === 0
    this.untaken += bytes.length
    if (isFirst) this.awaitTaken(1)
  }

  /** In a session nothing else ends a connection whose peer never reads. */
  private awaitTaken(shares: number, passed = 0): void {
    const { after, bounds } = this.options
    if (bounds === undefined) return
    const writeTimeout = Duration.fromInputUnsafe(bounds.writeTimeout)
    this.giveUp = after(Duration.times(writeTimeout, shares - passed), () => {
      const due = Math.max(1, Math.floor(this.untaken / share))
      // A login has a time of its own.
      if (due > shares || !this.side.isLoggedIn(this.current)) {
        this.awaitTaken(Math.max(due, shares + 1), shares)
        return
      }
      this.isGivenUp = true
      this.owner.limited("writeTimeout")
      this.end(this.side.hungUp)
    })
  }

  private tellOver(state: K["Over"]): void {
    if (this.isDone) return
    this.finish()
    if (this.asking !== "Nothing") this.owner.unasked()
    this.owner.over(state)
  }

  private finish(): void {
    this.isDone = true
    this.stopGivingUp()
    this.wake()
    this.goOn()
  }

  private deliver(heard: Heard<K>): void {
    if (this.listener === undefined) this.inbox.push(heard)
    else this.listener(heard)
  }

  /** Has this told of what the peer says in the session, on the stack on which it came, in place of {@link commands}. */
  listen(listener: (command: Heard<K>) => void): void {
    this.listener = listener
    const waiting = this.inbox
    this.inbox = []
    for (const command of waiting) listener(command)
  }

  /** Hands what has been heard to whoever waits for it, or tells that there will be no more. */
  private wake(): void {
    const resume = this.taker
    if (resume === undefined) return
    const [first, ...others] = this.inbox
    if (first !== undefined) {
      this.inbox = []
      this.taker = undefined
      resume(Effect.succeed([first, ...others]))
    } else if (this.isOver() || (this.hearing !== "Open" && !this.isTurning && !this.isAtHand())) {
      // While the loop is running, lines of a peer that says no more may still be at hand.
      this.taker = undefined
      resume(Cause.done())
    }
  }

  /** What the peer says once it is logged in; ends when the session is over. For one consumer. */
  get commands(): Stream.Stream<Heard<K>> {
    const pull = Effect.callback<readonly [Heard<K>, ...Array<Heard<K>>], Cause.Done>((resume) => {
      this.taker = resume
      this.wake()
      this.breathe()
      return Effect.sync(() => (this.taker = undefined))
    })
    return Stream.fromPull(Effect.succeed(pull))
  }

  /** Has those say what they want to say that wait for the peer to take what was said before. */
  private goOn(): void {
    const { senders } = this
    this.senders = []
    for (const go of senders) go()
  }

  /** Waits until the peer has taken what was said; at once where it is lost. */
  taken(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.flush()
      if (this.untaken === 0 || this.hearing === "Lost" || this.isDone) {
        resume(Effect.void)
        return
      }
      const go = () => resume(Effect.void)
      this.senders = [...this.senders, go]
      return Effect.sync(() => (this.senders = this.senders.filter((other) => other !== go)))
    })
  }

  /** Says something once logged in, with what else is to be said; nothing where the session is over. Does not wait. */
  tell(commands: ReadonlyArray<K["Out"]>): void {
    if (!this.isInSession()) return
    this.turn(() => {
      for (const command of commands) this.say(command)
    })
  }

  /**
   * Says something once logged in, with one write; false where the session is over. Waits while the peer does not
   * read. A command that cannot be encoded is a defect.
   */
  send(commands: ReadonlyArray<K["Out"]>): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (!this.isInSession()) return Effect.succeed(false)
      if (this.untaken > 0) return Effect.andThen(this.taken(), this.send(commands))
      for (const command of commands) this.say(command)
      this.flush()
      if (this.untaken === 0) return Effect.succeed(true)
      return Effect.map(this.taken(), () => this.isInSession())
    })
  }

  /** Says that this side has no more to say, and waits until the peer has closed, or the time for it has passed. */
  closing(within: Duration.Input): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.isOpen()) return Effect.void
      const silence = Effect.callback<void>((resume) => {
        const { onSilence } = this
        this.onSilence = () => {
          onSilence()
          resume(Effect.void)
        }
        if (this.isClosing) return
        this.isClosing = true
        this.channel.end()
        this.channel.resume()
      })
      return Effect.map(Effect.timeoutOption(silence, within), () => {
        if (!this.isOpen()) return
        this.hearing = "Lost"
        this.observe({ _tag: "Closed", by: this.side.speaker })
      })
    })
  }
}

const nothing = () => {}

/** What the bytes at hand are, within the bounds of a login. */
type Taken = Exclude<Line.Taken, { readonly _tag: "Never" }> | Never

interface Never extends Omit<Extract<Line.Taken, { readonly _tag: "Never" }>, "beyond"> {
  readonly beyond: Option.Option<keyof Limits.Limits>
}

const tooMuch = (limit: "loginBytes" | "loginCommands", most: number): Never => ({
  _tag: "Never",
  why: `a login is of more than ${most} ${limit === "loginBytes" ? "bytes" : "commands"}`,
  beyond: Option.some(limit),
})

const whatWasHeard = <In>(heard: Result.Result<In, Codec.Undecodable>): In | Codec.Malformed | undefined => {
  if (Result.isSuccess(heard)) return heard.success
  return heard.failure._tag === "Malformed" ? heard.failure : undefined
}

/** The words of a line that we say ourselves. */
const words = (line: string): Line.Frame["words"] => {
  const [verb = "", ...parameters] = line.slice(0, line.search(/\r?\n/)).split(" ")
  return [verb, ...parameters]
}
