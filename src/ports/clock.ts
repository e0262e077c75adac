/** Time and chance, as the engine gets them. Virtual in tests. */
export interface Clock {
  /** ms since 1970, UTC */
  now(): number
  /** Calls back once, not before `at`; the returned function takes it back. */
  at(time: number, wake: () => void): () => void
  /** Calls back when all microtasks have come to rest. */
  atRest(then: () => void): void
}

export interface Chance {
  /** 0 ≤ x < 1 */
  number(): number
  /** an id unique in the world, sortable by time */
  id(now: number): string
}
