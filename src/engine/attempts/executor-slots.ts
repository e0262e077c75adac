import type { Executor } from '../../ports/executor.ts'

/**
 * How many attempts of a run each executor lets run at once, by what it was told. Owns that count.
 *
 * N1 it is as the executor counts (`Attempt.behind`): a slot is left to one that was submitted ahead when an attempt
 *    ends there, not when its call has ended: inputs are staged before an attempt, and outputs collected after it.
 * N2 an executor that lets none run is submitted none ahead: nobody would leave it a slot.
 */
export class ExecutorSlots {
  readonly #counts = new Map<Executor, { live: number; behind: number }>()

  /** An attempt is submitted, where calls have so many slots: is it ahead of those that have one? */
  enter(executor: Executor, slots: number): boolean {
    const counts = this.#counts.get(executor) ?? { live: 0, behind: 0 }
    if (counts.live === 0) this.#counts.set(executor, counts)
    const behind = counts.live - counts.behind >= Math.max(1, slots)
    counts.live++
    if (behind) counts.behind++
    return behind
  }

  /** An attempt has ended there. */
  leave(executor: Executor): void {
    const counts = this.#counts.get(executor)
    if (counts === undefined) return
    counts.live--
    if (counts.behind > 0) counts.behind--
  }
}
