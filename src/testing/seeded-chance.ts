import type { Chance } from '../ports/clock.ts'

/** Chance that a seed reproduces (mulberry32). */
export class SeededChance implements Chance {
  #state: number
  #ids = 0

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  number(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  id(): string {
    return `run-${++this.#ids}`
  }

  /** An integer from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.number() * n)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
}
