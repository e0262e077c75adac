import { Queue } from '../../util/queue.ts'
import type { TaskCall } from './task-call.ts'

/**
 * Attempts of a thread that have not begun. Owns their order.
 *
 * Q1 it is that of their coming, but that those which may pass others go first
 */
export class CallQueue {
  #first = new Queue<TaskCall>()
  #others = new Queue<TaskCall>()

  push(call: TaskCall): void {
    if (call.mayPass) this.#first.push(call)
    else this.#others.push(call)
  }

  get next(): TaskCall | undefined {
    return this.#first.peek() ?? this.#others.peek()
  }

  /** Takes off what was next. */
  shift(): void {
    if (this.#first.isEmpty) this.#others.shift()
    else this.#first.shift()
  }

  /** Takes those out that have such numbers. */
  drop(seqs: ReadonlySet<number>): void {
    const stays = ({ seq }: TaskCall): boolean => !seqs.has(seq)
    this.#first = new Queue([...this.#first].filter(stays))
    this.#others = new Queue([...this.#others].filter(stays))
  }
}
