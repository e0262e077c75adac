/**
 * Bytes of arrays that a thread has made and the host has not heard of. Owns both counts.
 *
 * N1 while they are many, nothing begins that would only add some: a host that is late, or is to make a hundred thousand
 *    calls first, gives no consumers, and what nobody takes in would pile up
 */
export class UnreportedBytes {
  #left = 0
  #heard = 0
  #said = 0
  #largest = 0

  get areMany(): boolean {
    return this.#left - this.#heard > Math.max(manyBytes, 4 * this.#largest)
  }

  /** A result leaves so many behind; gives what the host is to be told, where it is worth a word. */
  leave(bytes: number): number | undefined {
    this.#left += bytes
    this.#largest = Math.max(this.#largest, bytes)
    if (this.#left - this.#said < worthSaying) return undefined
    this.#said = this.#left
    return this.#left
  }

  /** The host has heard of so many in all. */
  hear(bytes: number): void {
    this.#heard = bytes
  }
}

const manyBytes = 32 * 2 ** 20
const worthSaying = 8 * 2 ** 20
