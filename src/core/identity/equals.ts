import type { Digest } from '../../model/refs.ts'

/**
 * How often each of very many digests was met. Nearly all are met once: for those a slot of an open table of numbers is
 * kept, and the digest itself, which others have as well.
 *
 * E1 a digest stands in the first free slot from the one that its own letters name; none is ever taken out.
 * E2 at most half of the slots are taken.
 */
export class Equals {
  readonly #digests: Digest[] = []
  /** of those that were met again */
  readonly #again = new Map<number, number>()
  /** place among the digests, from 1 */
  #slots = new Int32Array(64)

  /** It is met: how often was it before? */
  met(digest: Digest): number {
    const slot = this.#slotOf(digest)
    const place = this.#slots[slot] as number
    if (place > 0) {
      const count = this.#again.get(place) ?? 1
      this.#again.set(place, count + 1)
      return count
    }
    this.#slots[slot] = this.#digests.push(digest)
    if (this.#digests.length * 2 > this.#slots.length) this.#grow()
    return 0
  }

  /** One that was met counts as met so often. */
  set(digest: Digest, count: number): void {
    this.#again.set(this.#slots[this.#slotOf(digest)] as number, count)
  }

  #slotOf(digest: Digest): number {
    const last = this.#slots.length - 1
    let slot = numberOf(digest) & last
    for (;;) {
      const place = this.#slots[slot] as number
      if (place === 0 || this.#digests[place - 1] === digest) return slot
      slot = (slot + 1) & last
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let i = 0; i < this.#digests.length; i++)
      this.#slots[this.#slotOf(this.#digests[i] as Digest)] = i + 1
  }
}

/** 32 bits of its first eight letters. */
function numberOf(digest: Digest): number {
  let number = 0
  for (let i = 0; i < 8; i++) {
    const letter = digest.charCodeAt(i)
    number = (number << 4) | ((letter & 15) + (letter >> 6) * 9)
  }
  return number
}
