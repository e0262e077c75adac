import type { Call } from './call.ts'

/**
 * Calls that could start, best first: those that let held inputs go, then by priority, then by the first call
 * that waits for them (depth first), then by age.
 *
 * Most come after all that are there: they stand in a line, and cost nothing but that. The others are in a binary heap
 * with removal.
 *
 * Q1 `call.heapIndex` is its place in the heap or, from `lineFrom` on, in the line; -1 outside.
 * Q2 no call comes before its better; what decides (`frees`, `rank`) is fixed when the call comes in.
 */
export class ReadyQueue {
  readonly #heap: Call[] = []
  /** from `#first` on; holes where one was removed from between, neither first nor last */
  #line: (Call | undefined)[] = []
  #first = 0
  /** calls that have left the line at its front for good */
  #gone = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  peek(): Call | undefined {
    const inLine = this.#line[this.#first]
    const inHeap = this.#heap[0]
    if (inLine === undefined || inHeap === undefined) return inLine ?? inHeap
    return isBetter(inHeap, inLine) ? inHeap : inLine
  }

  push(call: Call): void {
    call.rank = call.consumers[0] ?? noConsumer
    call.frees = call.heldInputs !== undefined
    this.#size++
    const last = this.#line.at(-1)
    if (last === undefined || isBetter(last, call)) {
      call.heapIndex = lineFrom + this.#gone + this.#line.length
      this.#line.push(call)
      return
    }
    call.heapIndex = this.#heap.length
    this.#heap.push(call)
    this.#up(call.heapIndex)
  }

  remove(call: Call): void {
    const index = call.heapIndex
    if (index < 0) return
    call.heapIndex = -1
    this.#size--
    if (index >= lineFrom) return this.#leaveLine(index - lineFrom - this.#gone)
    const last = this.#heap.pop() as Call
    if (last === call) return
    this.#heap[index] = last
    last.heapIndex = index
    this.#up(index)
    this.#down(last.heapIndex)
  }

  /** What is in the heap and what is in the line, each at its place: for checks. */
  get heap(): ReadonlyMap<number, Call> {
    return new Map(this.#heap.entries())
  }

  get line(): ReadonlyMap<number, Call> {
    const line = new Map<number, Call>()
    for (const [index, call] of this.#line.entries())
      if (call !== undefined) line.set(lineFrom + this.#gone + index, call)
    return line
  }

  #leaveLine(index: number): void {
    const line = this.#line
    line[index] = undefined
    while (line.length > this.#first && line.at(-1) === undefined) line.pop()
    while (this.#first < line.length && line[this.#first] === undefined) this.#first++
    if (this.#first < 64 || this.#first < line.length / 2) return
    this.#line = line.slice(this.#first)
    this.#gone += this.#first
    this.#first = 0
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

/** Places in the line are told from those in the heap by this; small enough to be kept without a box. */
export const lineFrom = 2 ** 28

/** After all calls that somebody waits for; small enough to be kept without a box. */
const noConsumer = 2 ** 30 - 1

/** The order of execution. */
export function isBetter(a: Call, b: Call): boolean {
  if (a.frees !== b.frees) return a.frees
  if (a.policy.priority !== b.policy.priority) return a.policy.priority > b.policy.priority
  return a.rank === b.rank ? a.id < b.id : a.rank < b.rank
}
