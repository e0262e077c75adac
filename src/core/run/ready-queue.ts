import type { Call } from './call.ts'
import type { Calls } from './calls.ts'

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
  readonly #calls: Calls
  readonly #heap: number[] = []
  /** from `#first` on; `none` where one was removed from between, neither first nor last */
  #line: number[] = []
  #first = 0
  /** calls that have left the line at its front for good */
  #gone = 0
  #size = 0
  /** the best, once it has been asked for */
  #head: Call | undefined

  constructor(calls: Calls) {
    this.#calls = calls
  }

  get size(): number {
    return this.#size
  }

  peek(): Call | undefined {
    this.#head ??= this.#best()
    return this.#head
  }

  #best(): Call | undefined {
    const inLine = this.#call(this.#line[this.#first])
    const inHeap = this.#call(this.#heap[0])
    if (inLine === undefined || inHeap === undefined) return inLine ?? inHeap
    return isBetter(inHeap, inLine) ? inHeap : inLine
  }

  push(call: Call): void {
    call.rank = call.consumer ?? noConsumer
    call.frees = call.heldInputs !== undefined
    this.#size++
    this.#head = undefined
    const last = this.#call(this.#line.at(-1))
    if (last === undefined || isBetter(last, call)) {
      call.heapIndex = lineFrom + this.#gone + this.#line.length
      this.#line.push(call.id)
      return
    }
    call.heapIndex = this.#heap.length
    this.#heap.push(call.id)
    this.#up(call.heapIndex)
  }

  remove(call: Call): void {
    const index = call.heapIndex
    if (index < 0) return
    call.heapIndex = -1
    this.#size--
    this.#head = undefined
    if (index >= lineFrom) return this.#leaveLine(index - lineFrom - this.#gone)
    const last = this.#heapAt(this.#heap.length - 1)
    this.#heap.pop()
    if (last.id === call.id) return
    this.#heap[index] = last.id
    last.heapIndex = index
    this.#up(index)
    this.#down(last.heapIndex)
  }

  /** What is in the heap and what is in the line, each at its place: for checks. */
  get heap(): ReadonlyMap<number, Call> {
    return new Map(this.#heap.map((_, index) => [index, this.#heapAt(index)]))
  }

  get line(): ReadonlyMap<number, Call> {
    const line = new Map<number, Call>()
    for (const [index, id] of this.#line.entries()) {
      const call = this.#call(id)
      if (call !== undefined) line.set(lineFrom + this.#gone + index, call)
    }
    return line
  }

  #leaveLine(index: number): void {
    const line = this.#line
    line[index] = none
    while (line.length > this.#first && line.at(-1) === none) line.pop()
    while (this.#first < line.length && line[this.#first] === none) this.#first++
    if (this.#first < 64 || this.#first < line.length / 2) return
    this.#line = line.slice(this.#first)
    this.#gone += this.#first
    this.#first = 0
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBetter(this.#heapAt(index), this.#heapAt(above))) return
      this.#swap(index, above)
      index = above
    }
  }

  #down(start: number): void {
    let index = start
    for (;;) {
      let best = index
      for (let below = 2 * index + 1; below <= 2 * index + 2 && below < this.#heap.length; below++) {
        if (isBetter(this.#heapAt(below), this.#heapAt(best))) best = below
      }
      if (best === index) return
      this.#swap(index, best)
      index = best
    }
  }

  #swap(i: number, j: number): void {
    const a = this.#heapAt(i)
    const b = this.#heapAt(j)
    this.#heap[i] = b.id
    this.#heap[j] = a.id
    b.heapIndex = i
    a.heapIndex = j
  }

  #heapAt(index: number): Call {
    return this.#calls.find(this.#heap[index] as number) as Call
  }

  #call(id: number | undefined): Call | undefined {
    return id === undefined || id === none ? undefined : this.#calls.find(id)
  }
}

const none = -1

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
