import type { Digest } from '../../model/refs.ts'

/**
 * The places of very many digests, by digest. The digests themselves are elsewhere already: a slot is a number, so that a
 * million take 8 to 16 MB, where a map of their texts would take a hundred, and half a second.
 *
 * D1 a place stands in the first free slot from the one that the digest's first letters name; none is ever taken out.
 * D2 at most half of the slots are taken.
 */
export class DigestTable {
  readonly #digestAt: (place: number) => Digest
  /** places from 1; 0 is a free slot */
  #slots: Int32Array
  #size = 0

  constructor(digestAt: (place: number) => Digest, expected = 32) {
    this.#digestAt = digestAt
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, expected * 2))))
  }

  find(digest: Digest): number | undefined {
    const kept = this.#slots[this.#slotOf(digest)] as number
    return kept === 0 ? undefined : kept - 1
  }

  /** Enters a digest, unless it is there: then gives its place. */
  enter(digest: Digest, place: number): number | undefined {
    let slot = this.#slotOf(digest)
    const kept = this.#slots[slot] as number
    if (kept !== 0) return kept - 1
    if ((this.#size + 1) * 2 > this.#slots.length) {
      this.#grow()
      slot = this.#slotOf(digest)
    }
    this.#slots[slot] = place + 1
    this.#size++
    return undefined
  }

  #slotOf(digest: Digest): number {
    const last = this.#slots.length - 1
    let slot = startOf(digest) & last
    for (;;) {
      const kept = this.#slots[slot] as number
      if (kept === 0 || this.#digestAt(kept - 1) === digest) return slot
      slot = (slot + 1) & last
    }
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(before.length * 2)
    for (const kept of before) if (kept !== 0) this.#slots[this.#slotOf(this.#digestAt(kept - 1))] = kept
  }
}

/** 32 bits of what is random in a digest; of any other text as well as it goes. */
function startOf(digest: Digest): number {
  let bits = 0
  for (let i = 0; i < 8; i++) {
    const letter = digest.charCodeAt(i)
    // digits, and small letters from 97
    bits = (bits << 4) | (letter < 58 ? letter & 15 : (letter - 87) & 15)
  }
  return bits
}
