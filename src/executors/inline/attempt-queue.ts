import type { RunId } from '../../model/records.ts'
import { Queue } from '../../util/queue.ts'
import type { FunctionContext } from '../functions/function-context.ts'
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
export class AttemptQueue {
  #queue = new Queue<Live>()
  /** by run: submitted ahead, those that have ended without a place among them */
  readonly #ahead = new Map<RunId, Queue<Live>>()
  /** by run that is held back: those that have a place */
  readonly #aside = new Map<RunId, Live[]>()

  get isEmpty(): boolean {
    return this.#queue.isEmpty
  }

  add(live: Live): void {
    const { run, behind } = live.attempt
    if (behind !== true) {
      this.#queue.push(live)
      return
    }
    live.isAhead = true
    let ahead = this.#ahead.get(run)
    if (ahead === undefined) {
      ahead = new Queue()
      this.#ahead.set(run, ahead)
    }
    ahead.push(live)
  }

  /** The next to begin. */
  take(): Live | undefined {
    for (let live = this.#queue.shift(); live !== undefined; live = this.#queue.shift()) {
      const aside = this.#aside.size === 0 ? undefined : this.#aside.get(live.attempt.run)
      if (aside !== undefined) aside.push(live)
      else if (!live.ended) return live
    }
    return undefined
  }

  /** It has ended, whether it had begun or not: if it had a place, that is another's now. */
  left(live: Live): void {
    if (live.isAhead) return
    const { run } = live.attempt
    const ahead = this.#ahead.get(run)
    if (ahead === undefined) return
    let heir = ahead.shift()
    while (heir?.ended) heir = ahead.shift()
    if (heir === undefined) this.#ahead.delete(run)
    else {
      heir.isAhead = false
      this.#queue.push(heir)
    }
  }

  hold(run: RunId, held: boolean): void {
    const aside = this.#aside.get(run)
    if (held === (aside !== undefined)) return
    if (aside === undefined) this.#aside.set(run, [])
    else {
      this.#aside.delete(run)
      this.#queue = new Queue([...aside, ...this.#queue])
    }
  }
}
