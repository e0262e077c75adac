import type { TaskCall } from './task-call.ts'

/**
 * Attempts of a thread that have not begun. Owns their order.
 *
 * Q1 it is that of their coming, but that those which may pass others go first
 */
export class CallQueue {
  readonly #first = new InOrder()
  readonly #others = new InOrder()

  push(call: TaskCall): void {
    if (call.mayPass) this.#first.push(call)
    else this.#others.push(call)
  }

  get next(): TaskCall | undefined {
    return this.#first.next ?? this.#others.next
  }

  /** Takes off what was next. */
  shift(): void {
    if (this.#first.next === undefined) this.#others.shift()
    else this.#first.shift()
  }

  /** Takes those out that have such numbers. */
  drop(seqs: ReadonlySet<number>): void {
    this.#first.drop(seqs)
    this.#others.drop(seqs)
  }
}

class InOrder {
  #calls: TaskCall[] = []
  #at = 0

  get next(): TaskCall | undefined {
    return this.#calls[this.#at]
  }

  push(call: TaskCall): void {
    this.#calls.push(call)
  }

  shift(): void {
    this.#at += 1
    if (this.#at <= this.#calls.length / 2) return
    this.#calls = this.#calls.slice(this.#at)
    this.#at = 0
  }

  drop(seqs: ReadonlySet<number>): void {
    this.#calls = this.#calls.slice(this.#at).filter(({ seq }) => !seqs.has(seq))
    this.#at = 0
  }
}
