import { Line } from '../../util/line.ts'
import type { TaskCall } from './task-call.ts'

/**
 * Attempts of a thread that have not begun. Owns their order.
 *
 * Q1 it is that of their coming, but that those which may pass others go first
 */
export class CallQueue {
  #first = new Line<TaskCall>()
  #others = new Line<TaskCall>()

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
    this.#first = new Line([...this.#first].filter(stays))
    this.#others = new Line([...this.#others].filter(stays))
  }
}
