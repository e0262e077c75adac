import type { Blocker, Call } from './call.ts'
import { isBetter, ReadyQueue } from './ready-queue.ts'

/** What may run at once. */
export interface Capacity {
  readonly cpu: number
  readonly memoryBytes: number
}

/** A call that waited while so many worse ones passed it keeps them back until it fits. */
export const maxPassed = 64

/**
 * Gives out processors and memory to ready calls.
 *
 * A1 what is taken never exceeds the capacity, except by a call that runs alone.
 * A2 among calls that fit the best goes first; one that does not fit is passed by worse ones at most `maxPassed` times.
 * A3 what a call took is given back once.
 */
export class Slots {
  readonly capacity: Capacity
  paused = false
  /** calls of equal needs share a queue: its head stands for all of them */
  readonly #queues = new Map<string, ReadyQueue>()
  readonly #taken = new Map<Call, Capacity>()
  #cpu = 0
  #memory = 0

  constructor(capacity: Capacity) {
    this.capacity = capacity
  }

  get running(): number {
    return this.#taken.size
  }

  get used(): Capacity {
    return { cpu: this.#cpu, memoryBytes: this.#memory }
  }

  queue(call: Call): void {
    const needs = needsOf(call)
    let queue = this.#queues.get(needs)
    if (queue === undefined) {
      queue = new ReadyQueue()
      this.#queues.set(needs, queue)
    }
    queue.push(call)
  }

  unqueue(call: Call): void {
    this.#queues.get(needsOf(call))?.remove(call)
  }

  /** Takes the next call that may start, with its slot. */
  next(): Call | undefined {
    if (this.paused) return undefined
    let fitting: Call | undefined
    const waiting: Call[] = []
    for (const [needs, queue] of this.#queues) {
      const head = queue.peek()
      if (head === undefined) this.#queues.delete(needs)
      else if (this.#blocker(head) !== undefined) waiting.push(head)
      else if (fitting === undefined || isBetter(head, fitting)) fitting = head
    }
    if (fitting === undefined) return undefined
    for (const head of waiting) if (head.passed >= maxPassed && isBetter(head, fitting)) return undefined
    for (const head of waiting) if (isBetter(head, fitting)) head.passed++
    this.unqueue(fitting)
    fitting.passed = 0
    this.#take(fitting)
    return fitting
  }

  /** The queues, by what their calls need. */
  get queues(): ReadonlyMap<string, ReadyQueue> {
    return this.#queues
  }

  give(call: Call): void {
    const taken = this.#taken.get(call)
    if (taken === undefined) return
    this.#taken.delete(call)
    this.#cpu -= taken.cpu
    this.#memory -= taken.memoryBytes
  }

  /** What a ready call waits for. */
  blocker(call: Call): Blocker {
    return this.paused ? 'held' : (this.#blocker(call) ?? 'slot')
  }

  /** What each running call took. */
  get taken(): Iterable<Capacity> {
    return this.#taken.values()
  }

  /** Is there room for the call now? */
  fits(call: Call): boolean {
    return this.#blocker(call) === undefined
  }

  isQueued(call: Call): boolean {
    return call.heapIndex >= 0
  }

  /** Does the call have a slot? */
  holds(call: Call): boolean {
    return this.#taken.has(call)
  }

  #take(call: Call): void {
    const taken = { cpu: call.policy.cpu, memoryBytes: call.memoryBytes }
    this.#taken.set(call, taken)
    this.#cpu += taken.cpu
    this.#memory += taken.memoryBytes
  }

  #blocker(call: Call): 'slot' | 'memory' | undefined {
    if (this.#taken.size === 0) return undefined
    if (this.#cpu + call.policy.cpu > this.capacity.cpu) return 'slot'
    return this.#memory + call.memoryBytes > this.capacity.memoryBytes ? 'memory' : undefined
  }
}

/** Calls of the same needs fit or do not fit alike. */
export const needsOf = (call: Call): string => `${call.policy.cpu} ${call.memoryBytes}`
