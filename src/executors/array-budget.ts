/**
 * Bytes of arrays that executors hold in memory together, and how many they may. Who adds some while there are too many
 * has what it can of its own written to disk.
 */
export class ArrayBudget {
  readonly limit: number
  #bytes = 0
  #leaving = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** So many more bytes (or fewer) are in memory. */
  hold(change: number): void {
    this.#bytes += change
  }

  /** So many more of them (or fewer) are on their way to disk. */
  leave(change: number): void {
    this.#leaving += change
  }

  /** There is too little memory for more. */
  get isFull(): boolean {
    return this.#bytes > this.limit
  }

  /** It will be so when all has gone that is on its way. */
  get isOver(): boolean {
    return this.#bytes - this.#leaving > this.limit
  }
}
