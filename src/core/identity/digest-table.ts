import type { Digest } from '../../model/refs.ts'

/**
 * The places of very many digests, by digest. The digests themselves are elsewhere already: a slot is two numbers, so that
 * a million take 16 to 32 MB, where a map of their texts would take a hundred, and half a second.
 *
 * D1 a place stands in the first free slot from the one that the digest's first characters name; none is ever taken out.
 * D2 at most half of the slots are taken.
 * D3 beside a place stand the bits that its digest was entered by: no other digest is looked at, as it lies elsewhere in
 *    memory, but one that has the same, and none at all when the table grows.
 */
export class DigestTable {
  readonly #digestAt: (place: number) => Digest
  /** by slot a place, from 1 on (0: the slot is free), and bits of its digest */
  #slots: Int32Array
  #size = 0

  constructor(digestAt: (place: number) => Digest, expected = 32) {
    this.#digestAt = digestAt
    this.#slots = new Int32Array(2 * 2 ** Math.ceil(Math.log2(Math.max(2, expected * 2))))
  }

  find(digest: Digest): number | undefined {
    const kept = this.#slots[this.#slotOf(digest, startOf(digest))] as number
    return kept === 0 ? undefined : kept - 1
  }

  /** Enters a digest, unless it is there: then gives its place. */
  enter(digest: Digest, place: number): number | undefined {
    const bits = startOf(digest)
    let slot = this.#slotOf(digest, bits)
    const kept = this.#slots[slot] as number
    if (kept !== 0) return kept - 1
    if ((this.#size + 1) * 4 > this.#slots.length) {
      this.#grow()
      slot = this.#slotOf(digest, bits)
    }
    this.#slots[slot] = place + 1
    this.#slots[slot + 1] = bits
    this.#size++
    return undefined
  }

  /** Where the digest stands, or would. */
  #slotOf(digest: Digest, bits: number): number {
    const slots = this.#slots
    const last = slots.length - 2
    let slot = (bits << 1) & last
    for (;;) {
      const kept = slots[slot] as number
      if (kept === 0 || (slots[slot + 1] === bits && this.#digestAt(kept - 1) === digest)) return slot
      slot = (slot + 2) & last
    }
  }

  #grow(): void {
    const before = this.#slots
    const slots = new Int32Array(before.length * 2)
    const last = slots.length - 2
    for (let at = 0; at < before.length; at += 2) {
      const kept = before[at] as number
      if (kept === 0) continue
      const bits = before[at + 1] as number
      let slot = (bits << 1) & last
      while (slots[slot] !== 0) slot = (slot + 2) & last
      slots[slot] = kept
      slots[slot + 1] = bits
    }
    this.#slots = slots
  }
}

/** 32 bits of what is random in a digest; of any other text as well as it goes. */
function startOf(digest: Digest): number {
  let bits = 0
  for (let i = 0; i < 8; i++) {
    const character = digest.charCodeAt(i)
    // digits, and lower-case letters from 97
    bits = (bits << 4) | (character < 58 ? character & 15 : (character - 87) & 15)
  }
  return bits
}
