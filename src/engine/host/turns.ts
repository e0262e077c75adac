import type { Time } from '../../model/records.ts'
import type { Clock } from '../../ports/clock.ts'
import { Heap } from '../../util/heap.ts'
import { Queue } from '../../util/queue.ts'

/** Something to give to the workflow function, at its place in the order. */
export interface Turn {
  readonly order: number
  readonly call: number
  /** when the call ended, or was made: the same in each life of the run */
  readonly at: Time
  /** Does somebody go on with it? Then the function comes to rest before the next. */
  run(call: number, at: Time): boolean
}

/**
 * Gives outcomes back to the workflow function: in their order, the next one when the function has come to rest.
 * So races and first-come loops fall as they fell, however quickly or slowly a replay learns of each outcome.
 *
 * T1 of the turns at hand, the one of the lowest order goes first.
 * T2 after a turn that wakes somebody, nothing is given before all microtasks have run.
 * T3 while `isHeld` (an answer that may have a lower order is still being looked up) nothing is given.
 * T4 a turn that throws ends its run, and not the process, in which others go on.
 */
export class Turns {
  readonly #clock: Clock
  readonly #isHeld: () => boolean
  readonly #threw: (error: unknown) => void
  /** those that came in their order, as most do; and the others */
  readonly #line = new Queue<Turn>()
  readonly #heap = new Heap<Turn>(isBefore)
  /** the last in the line */
  #last: Turn | undefined
  #scheduled = false

  constructor(clock: Clock, isHeld: () => boolean, threw: (error: unknown) => void) {
    this.#clock = clock
    this.#isHeld = isHeld
    this.#threw = threw
  }

  get size(): number {
    return this.#line.size + this.#heap.size
  }

  add(turn: Turn): void {
    if (this.#last === undefined || this.#line.isEmpty || isBefore(this.#last, turn)) {
      this.#line.push(turn)
      this.#last = turn
    } else this.#heap.push(turn)
    this.schedule()
  }

  /** To be called when `isHeld` may have become false. */
  schedule(): void {
    if (this.#scheduled || this.size === 0) return
    this.#scheduled = true
    this.#clock.atRest(this.#giveNow)
  }

  readonly #giveNow = (): void => {
    this.#scheduled = false
    try {
      this.#give()
    } catch (error) {
      this.#threw(error)
    }
  }

  #give(): void {
    while (this.size > 0 && !this.#isHeld()) {
      const turn = this.#next()
      if (turn?.run(turn.call, turn.at) === true) break
    }
    if (!this.#isHeld()) this.schedule()
  }

  #next(): Turn | undefined {
    const inLine = this.#line.peek()
    const inHeap = this.#heap.peek()
    const isFromHeap = inHeap !== undefined && (inLine === undefined || isBefore(inHeap, inLine))
    return isFromHeap ? this.#heap.pop() : this.#line.shift()
  }
}

const isBefore = (a: Turn, b: Turn): boolean => (a.order === b.order ? a.call < b.call : a.order < b.order)
