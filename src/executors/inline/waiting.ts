import type { RunId } from '../../model/records.ts'
import type { FunctionContext } from '../function-context.ts'
import type { LiveAttempt } from '../live-attempt.ts'

type Live = LiveAttempt<FunctionContext>

/**
 * Attempts that have not begun.
 *
 * W1 those that have a place are taken in the order in which they came to it: of two that were submitted with one, or
 *    without, the first goes first.
 * W2 one that was submitted ahead gets the place of another of its run, when that ends.
 * W3 nothing of a run that is held back is taken.
 */
export class Waiting {
  #queue: Live[] = []
  #next = 0
  /** by run: submitted ahead, and without a place so far */
  readonly #ahead = new Map<RunId, Set<Live>>()
  /** by run that is held back: those that have a place */
  readonly #aside = new Map<RunId, Live[]>()

  get isEmpty(): boolean {
    return this.#next === this.#queue.length
  }

  add(live: Live): void {
    const { run, behind } = live.attempt
    if (behind !== true) {
      this.#queue.push(live)
      return
    }
    const ahead = this.#ahead.get(run)
    if (ahead === undefined) this.#ahead.set(run, new Set([live]))
    else ahead.add(live)
  }

  /** The next to begin. */
  take(): Live | undefined {
    while (!this.isEmpty) {
      const live = this.#queue[this.#next++] as Live
      // what has begun is let go in one piece, whenever it is more than half of the queue
      if (this.#next > 64 && this.#next > this.#queue.length / 2) {
        this.#queue = this.#queue.slice(this.#next)
        this.#next = 0
      }
      const aside = this.#aside.size === 0 ? undefined : this.#aside.get(live.attempt.run)
      if (aside !== undefined) aside.push(live)
      else if (!live.ended) return live
    }
    return undefined
  }

  /** It has ended, whether it had begun or not: if it had a place, that is another's now. */
  left(live: Live): void {
    const { run } = live.attempt
    const ahead = this.#ahead.get(run)
    if (ahead === undefined || ahead.delete(live)) return
    const [heir] = ahead
    if (heir === undefined) this.#ahead.delete(run)
    else {
      ahead.delete(heir)
      this.#queue.push(heir)
    }
  }

  hold(run: RunId, held: boolean): void {
    const aside = this.#aside.get(run)
    if (held === (aside !== undefined)) return
    if (aside === undefined) this.#aside.set(run, [])
    else {
      this.#aside.delete(run)
      this.#queue = [...aside, ...this.#queue.slice(this.#next)]
      this.#next = 0
    }
  }
}
