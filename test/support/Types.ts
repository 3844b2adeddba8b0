/** Claims about types, which compile or do not. */

/** Whether two types are the same one. */
export type Equals<A, B> = [A, B] extends [B, A] ? true : false

/** Claims that something holds. */
export const holds = <T extends true>(...claim: ReadonlyArray<T>): ReadonlyArray<T> => claim
