import type { Clock } from '../ports/clock.ts'

/** What one life of a run waits for: no timer of it outlives it and keeps the process, or what the run holds in memory. */
export class RunTimers {
  readonly #clock: Clock
  readonly #open = new Set<() => void>()
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls back once, not before `time`, unless they are closed by then; what it returns takes it back. */
  at(time: number, wake: () => void): () => void {
    if (this.#isClosed) return () => undefined
    const cancel = this.#clock.at(time, () => {
      this.#open.delete(cancel)
      wake()
    })
    this.#open.add(cancel)
    return () => {
      if (this.#open.delete(cancel)) cancel()
    }
  }

  close(): void {
    this.#isClosed = true
    for (const cancel of this.#open) cancel()
    this.#open.clear()
  }
}
