/**
 * Those who are there, in the order in which they came: a list that each leaves by its own place.
 *
 * A Set has each of them kept for longer: where it outgrows its table, the old table leads to the new one and to all that
 * were in it then, and the collector of young objects takes what an old one leads to for alive. Nearly every connection was
 * moved to old memory so once it was over: 4 KB a login until the next whole collection, and a third of the time for it.
 */

/** Somebody's place. */
class Place<out A> {
  readonly who: A
  before: Place<A> | undefined
  after: Place<A> | undefined

  constructor(who: A, before: Place<A> | undefined) {
    this.who = who
    this.before = before
    this.after = undefined
  }
}

/** A crowd. */
export interface Crowd<A> {
  readonly isEmpty: () => boolean
  readonly enter: (who: A) => Place<A>
  /** Once for each place. */
  readonly leave: (place: Place<A>) => void
  /** Who came first of those who are there. */
  readonly first: () => Place<A> | undefined
  /** Those who are there now. */
  readonly all: () => ReadonlyArray<A>
}

/** Nobody, as yet. */
export const make = <A>(): Crowd<A> => {
  let first: Place<A> | undefined
  let last: Place<A> | undefined
  return {
    isEmpty: () => first === undefined,
    enter: (who) => {
      const place = new Place(who, last)
      if (last === undefined) first = place
      else last.after = place
      last = place
      return place
    },
    leave: (place) => {
      const { after, before } = place
      if (before === undefined) first = after
      else before.after = after
      if (after === undefined) last = before
      else after.before = before
      // Whoever has left leads to nobody.
      place.before = undefined
      place.after = undefined
    },
    first: () => first,
    all: () => {
      const all: Array<A> = []
      for (let place = first; place !== undefined; place = place.after) all.push(place.who)
      return all
    },
  }
}
