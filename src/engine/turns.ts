import type { Clock } from '../ports/clock.ts'

/** Something to give to the workflow function, at its place in the order. */
export interface Turn {
  readonly order: number
  readonly call: number
  /** Does somebody go on with it? Then the function comes to rest before the next. */
  run(): boolean
}

/**
 * Gives outcomes back to the workflow function: in their order, the next one when the function has come to rest.
 * So races and first-come loops fall as they fell, however quickly or slowly a replay learns of each outcome.
 *
 * T1 of the turns at hand, the one of the lowest order goes first.
 * T2 after a turn that wakes somebody, nothing is given before all microtasks have run.
 * T3 while `isHeld` (an answer that may have a lower order is still being looked up) nothing is given.
 */
export class Turns {
  readonly #clock: Clock
  readonly #isHeld: () => boolean
  /** a heap by order, then call */
  readonly #heap: Turn[] = []
  #scheduled = false
  /** the highest order given so far */
  given = -1

  constructor(clock: Clock, isHeld: () => boolean) {
    this.#clock = clock
    this.#isHeld = isHeld
  }

  get size(): number {
    return this.#heap.length
  }

  add(turn: Turn): void {
    this.#push(turn)
    this.schedule()
  }

  /** To be called when `isHeld` may have become false. */
  schedule(): void {
    if (this.#scheduled || this.#heap.length === 0) return
    this.#scheduled = true
    this.#clock.atRest(() => {
      this.#scheduled = false
      this.#give()
    })
  }

  #give(): void {
    while (this.#heap.length > 0 && !this.#isHeld()) {
      const turn = this.#pop()
      this.given = Math.max(this.given, turn.order)
      if (turn.run()) break
    }
    if (!this.#isHeld()) this.schedule()
  }

  #push(turn: Turn): void {
    const heap = this.#heap
    let index = heap.push(turn) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBefore(turn, heap[above] as Turn)) break
      heap[index] = heap[above] as Turn
      index = above
    }
    heap[index] = turn
  }

  #pop(): Turn {
    const heap = this.#heap
    const first = heap[0] as Turn
    const last = heap.pop() as Turn
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Turn, heap[below] as Turn)) below++
      if (!isBefore(heap[below] as Turn, last)) break
      heap[index] = heap[below] as Turn
      index = below
    }
    heap[index] = last
    return first
  }
}

const isBefore = (a: Turn, b: Turn): boolean => (a.order === b.order ? a.call < b.call : a.order < b.order)
