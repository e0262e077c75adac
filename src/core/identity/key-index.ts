import type { Digest } from '../../model/refs.ts'

/**
 * Finds calls by their keys: twelve bytes a call, where a map of a million texts would take a hundred and half a second.
 *
 * X1 a digest's first letters say where to look; keys are compared as a whole.
 */
export class KeyIndex {
  readonly #slots: Int32Array
  readonly #mask: number
  readonly #keyAt: (place: number) => Digest

  constructor(count: number, keyAt: (place: number) => Digest) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, count * 1.5)))
    this.#slots = new Int32Array(size)
    this.#mask = size - 1
    this.#keyAt = keyAt
    for (let place = 0; place < count; place++) this.#add(place)
  }

  /** The place of the last call with this key. */
  find(key: Digest): number | undefined {
    let slot = startOf(key) & this.#mask
    for (let kept = this.#slots[slot] as number; kept !== 0; kept = this.#slots[slot] as number) {
      if (this.#keyAt(kept - 1) === key) return kept - 1
      slot = (slot + 1) & this.#mask
    }
    return undefined
  }

  #add(place: number): void {
    const key = this.#keyAt(place)
    let slot = startOf(key) & this.#mask
    for (let kept = this.#slots[slot] as number; kept !== 0; kept = this.#slots[slot] as number) {
      // only a journal that was forged has a key twice
      if (this.#keyAt(kept - 1) === key) break
      slot = (slot + 1) & this.#mask
    }
    this.#slots[slot] = place + 1
  }
}

/** 32 bits of what is random in a digest; of any other text as well as it goes. */
function startOf(key: Digest): number {
  let bits = 0
  for (let i = 0; i < 8; i++) {
    const letter = key.charCodeAt(i)
    // digits, and small letters from 97
    bits = (bits << 4) | (letter < 58 ? letter & 15 : (letter - 87) & 15)
  }
  return bits
}
