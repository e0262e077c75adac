import type { Call } from './call.ts'

/**
 * Calls that could start, best first: those that let held inputs go, then by priority, then by the first call
 * that waits for them (depth first), then by age. A binary heap with removal.
 *
 * Q1 `call.heapIndex` is its place in the heap, -1 outside.
 * Q2 no call comes before its better; what decides (`frees`, `rank`) is fixed when the call comes in.
 */
export class ReadyQueue {
  readonly #heap: Call[] = []

  get size(): number {
    return this.#heap.length
  }

  peek(): Call | undefined {
    return this.#heap[0]
  }

  push(call: Call): void {
    call.rank = call.consumers[0] ?? noConsumer
    call.frees = call.heldInputs !== undefined
    call.heapIndex = this.#heap.length
    this.#heap.push(call)
    this.#up(call.heapIndex)
  }

  remove(call: Call): void {
    const index = call.heapIndex
    if (index < 0) return
    call.heapIndex = -1
    const last = this.#heap.pop() as Call
    if (last === call) return
    this.#heap[index] = last
    last.heapIndex = index
    this.#up(index)
    this.#down(last.heapIndex)
  }

  [Symbol.iterator](): IterableIterator<Call> {
    return this.#heap[Symbol.iterator]()
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBetter(this.#heap[index] as Call, this.#heap[above] as Call)) return
      this.#swap(index, above)
      index = above
    }
  }

  #down(start: number): void {
    let index = start
    for (;;) {
      let best = index
      for (let below = 2 * index + 1; below <= 2 * index + 2 && below < this.#heap.length; below++) {
        if (isBetter(this.#heap[below] as Call, this.#heap[best] as Call)) best = below
      }
      if (best === index) return
      this.#swap(index, best)
      index = best
    }
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i] as Call
    const b = this.#heap[j] as Call
    this.#heap[i] = b
    this.#heap[j] = a
    b.heapIndex = i
    a.heapIndex = j
  }
}

/** After all calls that somebody waits for; small enough to be kept without a box. */
const noConsumer = 2 ** 30 - 1

/** The order of execution. */
export function isBetter(a: Call, b: Call): boolean {
  if (a.frees !== b.frees) return a.frees
  if (a.policy.priority !== b.policy.priority) return a.policy.priority > b.policy.priority
  return a.rank === b.rank ? a.id < b.id : a.rank < b.rank
}
