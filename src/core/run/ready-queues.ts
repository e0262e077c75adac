import type { Call } from './call.ts'
import type { Calls } from './calls.ts'
import { ReadyQueue } from './ready-queue.ts'

/** The queue asked for last. */
interface Recent {
  readonly cpu: number
  readonly memoryBytes: number
  readonly limits: string | undefined
  readonly queue: ReadyQueue
}

/** All calls that could start. Those of equal needs share a queue: its head stands for all of them. */
export class ReadyQueues {
  readonly #calls: Calls
  readonly byNeeds = new Map<string, ReadyQueue>()
  /** the same, to be gone through for each call that starts */
  all: readonly ReadyQueue[] = []
  /** most calls need what the one before them needed */
  #recent: Recent | undefined
  /** calls in them */
  size = 0

  constructor(calls: Calls) {
    this.#calls = calls
  }

  add(call: Call): void {
    this.#of(call).push(call)
    this.size++
  }

  remove(call: Call): void {
    this.#of(call).remove(call)
    this.size--
  }

  #of(call: Call): ReadyQueue {
    const { memoryBytes } = call
    const { cpu } = call.policy
    const limits = call.policy.limits?.key
    const recent = this.#recent
    if (recent?.cpu === cpu && recent.memoryBytes === memoryBytes && recent.limits === limits)
      return recent.queue
    const needs = needsOf(call)
    let queue = this.byNeeds.get(needs)
    if (queue === undefined) {
      if (this.byNeeds.size >= maxQueues) this.#dropEmpty()
      queue = new ReadyQueue(this.#calls)
      this.byNeeds.set(needs, queue)
      this.all = [...this.byNeeds.values()]
    }
    this.#recent = { cpu, memoryBytes, limits, queue }
    return queue
  }

  /** Needs that nobody has any more: what is tried again with more memory would leave one each time. */
  #dropEmpty(): void {
    this.#recent = undefined
    for (const [needs, queue] of this.byNeeds) if (queue.size === 0) this.byNeeds.delete(needs)
  }
}

/** From so many queues on the empty ones are dropped. */
const maxQueues = 16

/** Calls of the same needs fit or do not fit alike. */
export const needsOf = (call: Call): string =>
  `${call.policy.cpu} ${call.memoryBytes}${call.policy.limits === undefined ? '' : ` ${call.policy.limits.key}`}`
