/**
 * A map of few entries at a time that come and go by the million.
 *
 * JavaScript's own Map makes a new table whenever removed entries have filled the one that it has, and each table leads
 * to the next: once one of them is old, all that follow it grow old with what is in them, though nobody needs it any
 * more, and wait for the next full collection. This one keeps its table.
 *
 * M1 a key stands in the first free slot from the one that it names; removing one moves up those that it kept away.
 * M2 at most half of the slots are taken.
 */
export class ChurnMap<K extends number | string, V> {
  #keys: (K | undefined)[] = new Array(16).fill(undefined)
  #values: (V | undefined)[] = new Array(16).fill(undefined)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(key: K): boolean {
    return this.#keys[this.#slotOf(key)] !== undefined
  }

  get(key: K): V | undefined {
    return this.#values[this.#slotOf(key)]
  }

  set(key: K, value: V): void {
    const slot = this.#slotOf(key)
    this.#values[slot] = value
    if (this.#keys[slot] !== undefined) return
    this.#keys[slot] = key
    this.#size++
    if (this.#size * 2 > this.#keys.length) this.#grow()
  }

  delete(key: K): boolean {
    const last = this.#keys.length - 1
    let free = this.#slotOf(key)
    if (this.#keys[free] === undefined) return false
    this.#size--
    for (let slot = (free + 1) & last; ; slot = (slot + 1) & last) {
      const next = this.#keys[slot]
      if (next === undefined) break
      // may it stand in the free slot, or is its own place behind that?
      if (((slot - hash(next)) & last) < ((slot - free) & last)) continue
      this.#keys[free] = next
      this.#values[free] = this.#values[slot]
      free = slot
    }
    this.#keys[free] = undefined
    this.#values[free] = undefined
    return true
  }

  /** In no order. What is removed meanwhile is left out, what is added meanwhile too. */
  *entries(): IterableIterator<readonly [K, V]> {
    for (const key of [...this.#keys]) if (key !== undefined && this.has(key)) yield [key, this.get(key) as V]
  }

  #slotOf(key: K): number {
    const last = this.#keys.length - 1
    let slot = hash(key) & last
    for (;;) {
      const there = this.#keys[slot]
      if (there === undefined || there === key) return slot
      slot = (slot + 1) & last
    }
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    this.#keys = new Array(keys.length * 2).fill(undefined)
    this.#values = new Array(keys.length * 2).fill(undefined)
    for (const [place, key] of keys.entries()) {
      if (key === undefined) continue
      const slot = this.#slotOf(key)
      this.#keys[slot] = key
      this.#values[slot] = values[place]
    }
  }
}

/** Numbers mostly follow one another: they are scattered, as removing from a long row of them goes along all of it. */
function hash(key: number | string): number {
  if (typeof key === 'number') {
    const scattered = Math.imul(key, 0x9e37_79b1)
    return scattered ^ (scattered >>> 16)
  }
  let number = 0
  for (let i = 0; i < key.length; i++) number = (Math.imul(number, 31) + key.charCodeAt(i)) | 0
  return number
}
