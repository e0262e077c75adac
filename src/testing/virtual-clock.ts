import type { Clock } from '../ports/clock.ts'

/**
 * Time that moves only when told. What waits for rest runs in `settle`, one callback at a time, with all microtasks
 * run between two of them.
 */
export class VirtualClock implements Clock {
  #now: number
  #next = 0
  readonly #timers: { readonly at: number; readonly id: number; readonly wake: () => void }[] = []
  readonly #resting: (() => void)[] = []

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  at(time: number, wake: () => void): () => void {
    const timer = { at: time, id: this.#next++, wake }
    this.#timers.push(timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  atRest(then: () => void): void {
    this.#resting.push(then)
  }

  /** Resolves when nothing happens any more until a timer fires or somebody outside acts. */
  async settle(): Promise<void> {
    await this.quiet()
    while (this.rest()) await this.quiet()
  }

  /** Resolves when all microtasks have run. */
  quiet(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Runs the first of what waits for rest. False if nothing does. */
  rest(): boolean {
    const then = this.#resting.shift()
    then?.()
    return then !== undefined
  }

  /** When the next timer is due; undefined without one. */
  get nextDue(): number | undefined {
    return this.#earliest()?.at
  }

  /** Moves to the next timer and fires it. False without one. */
  fireNext(): boolean {
    const timer = this.#earliest()
    if (timer === undefined) return false
    this.#timers.splice(this.#timers.indexOf(timer), 1)
    this.#now = Math.max(this.#now, timer.at)
    timer.wake()
    return true
  }

  /** Moves time on and fires all that becomes due. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (let timer = this.#earliest(); timer !== undefined && timer.at <= until; timer = this.#earliest()) {
      this.fireNext()
      await this.settle()
    }
    this.#now = until
  }

  #earliest(): { readonly at: number; readonly id: number; readonly wake: () => void } | undefined {
    let first = this.#timers[0]
    for (const timer of this.#timers) {
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.id < first.id))
        first = timer
    }
    return first
  }
}
