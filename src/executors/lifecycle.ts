import { AlmanacError } from '../model/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Attempt, AttemptId, ExecutorListener } from '../ports/executor.ts'
import { ChurnMap } from '../util/churn-map.ts'
import type { AttemptLimits } from './limits.ts'
import { defaultLimits } from './limits.ts'
import type { Driver, Surroundings } from './live-attempt.ts'
import { LiveAttempt } from './live-attempt.ts'

/** What every executor is opened with. */
export interface ExecutorOptions {
  readonly clock: Clock
  readonly limits?: Partial<AttemptLimits>
  /** from the request to stop to the end by force, where a timeout or silence is the cause; 5 s unless told */
  readonly killAfterMs?: number
  /** attempts are looked at under a debugger: none is watched for time, silence or memory */
  readonly patient?: boolean
}

/**
 * The attempts of one executor. Owns the table of those that have not ended.
 *
 * L1 an attempt is in the table from `add` until it has ended, and is told of exactly once.
 * L2 once closed, nothing enters: what is added is told as lost.
 */
export class Attempts<S> {
  readonly #live = new ChurnMap<AttemptId, LiveAttempt<S>>()
  readonly #in: Surroundings<S>
  readonly #patient: boolean
  #closed: Promise<void> | undefined
  #empty: (() => void) | undefined

  constructor(options: ExecutorOptions, listener: ExecutorListener, driver: Driver<S>) {
    this.#patient = options.patient === true
    this.#in = {
      clock: options.clock,
      listener,
      limits: { ...defaultLimits, ...options.limits },
      driver,
      killAfterMs: options.killAfterMs ?? 5000,
      ended: (live) => {
        this.#live.delete(live.attempt.id)
        driver.left?.(live)
        if (this.#live.size === 0) this.#empty?.()
      },
    }
  }

  get size(): number {
    return this.#live.size
  }

  get limits(): AttemptLimits {
    return this.#in.limits
  }

  *[Symbol.iterator](): IterableIterator<LiveAttempt<S>> {
    for (const [, live] of this.#live.entries()) yield live
  }

  get(id: AttemptId): LiveAttempt<S> | undefined {
    return this.#live.get(id)
  }

  /** The attempt, live; undefined where the executor is closed: then it ends as lost, after the caller has returned. */
  add(attempt: Attempt): LiveAttempt<S> | undefined {
    if (this.#live.has(attempt.id))
      throw new AlmanacError('ALM_BUG', { why: `attempt ${attempt.id} was submitted twice` })
    const live = new LiveAttempt(this.#patient ? unhurried(attempt) : attempt, this.#in)
    if (this.#closed !== undefined) return lostSoon(live)
    this.#live.set(attempt.id, live)
    return live
  }

  cancel(id: AttemptId, graceMs: number): void {
    this.#live.get(id)?.cancel(graceMs)
  }

  /** Ends all attempts at once, as cancelled; `done` follows when the last one has. */
  close(done: () => void | Promise<void> = () => undefined): Promise<void> {
    this.#closed ??= this.#end().then(done)
    return this.#closed
  }

  async #end(): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve
    })
    for (const live of [...this]) live.cancel(0)
    if (this.#live.size > 0) await empty
  }
}

function lostSoon(live: LiveAttempt<unknown>): undefined {
  queueMicrotask(() => live.lost('the executor is closed'))
}

/** For people. */
export const nameOf = ({ run, call, attempt }: Attempt): string => `${run}/${call}.${attempt}`

/** Nobody is hurried while they look at it. */
export function unhurried(attempt: Attempt): Attempt {
  // one by one: what an engine hands out need not have them as properties of its own
  const { id, run, call, key, task, inputs, outputs, scratch, idempotencyKey, env, logicalTime, fn } = attempt
  const { behind, neededAt, usesUp } = attempt
  const same = { id, run, call, key, task, inputs, outputs, scratch, idempotencyKey, env, logicalTime, fn }
  return { ...same, attempt: attempt.attempt, behind, neededAt, usesUp, memoryBytes: 0 }
}
