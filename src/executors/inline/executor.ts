import { AsyncLocalStorage } from 'node:async_hooks'
import { errorRecord } from '../../model/errors.ts'
import type { RunId } from '../../model/records.ts'
import type { TaskSpec } from '../../model/task.ts'
import { taskArguments } from '../../model/task-arguments.ts'
import type { Value } from '../../model/value.ts'
import { areScalars, ownCopy } from '../../model/value-refs.ts'
import type { Attempt, AttemptId, Executor, ExecutorListener, Held } from '../../ports/executor.ts'
import { consoleCapture, type Seat } from '../functions/console-capture.ts'
import { FunctionContext } from '../functions/function-context.ts'
import { describeThrown } from '../functions/thrown-values.ts'
import type { ExecutorOptions } from '../lifecycle.ts'
import { Attempts, nameOf } from '../lifecycle.ts'
import { durationText } from '../limits.ts'
import type { Driver, LiveAttempt } from '../live-attempt.ts'
import { returnedValues } from '../results.ts'
import { AttemptQueue } from './attempt-queue.ts'

export interface InlineOptions extends ExecutorOptions {
  /** a task that holds the event loop for longer is warned of, once for each task; 100 ms unless told */
  readonly blockedMs?: number
  /** for what a task throws after its attempt has ended; a process warning unless told */
  readonly warn?: (text: string) => void
}

/** Runs function tasks in this very process. */
export const openInlineExecutor = (options: InlineOptions, listener: ExecutorListener): Executor =>
  new InlineExecutor(options, listener)

type Live = LiveAttempt<FunctionContext>
type TaskFunction = (...args: unknown[]) => unknown

/**
 * So long attempts are executed in one go; then timers, cancels and sockets have their turn. What is submitted
 * meanwhile, for what has ended, goes on in the same go: a turn of the event loop for each would cost more than they do.
 */
const sliceMs = 10

/** So much work is submitted ahead at most: in ms, as far as that can be told, and in attempts. */
const aheadMs = 4
const maxAhead = 256

/**
 * Owns when attempts that have not begun do.
 *
 * I1 `submit` returns before anything is executed or told.
 * I2 attempts that have a place begin in the order of submission (see `attempt-queue.ts`).
 * I3 a function runs outside every async context of whoever submitted it: it is not part of the workflow that called.
 */
class InlineExecutor implements Executor, Driver<FunctionContext> {
  readonly name = 'inline'
  readonly afterCommit = false
  readonly #attempts: Attempts<FunctionContext>
  readonly #blockedMs: number
  readonly #warn: (text: string) => void
  readonly #warned = new Set<string>()
  readonly #outside = AsyncLocalStorage.snapshot()
  readonly #drain = (): void => this.#outside(this.#execute)
  readonly #drainAnew = (): void => {
    this.#now = performance.now()
    this.#until = this.#now + sliceMs
    this.#drain()
  }
  /** runs of which all is held back */
  readonly #paused = new Set<RunId>()
  readonly #waiting = new AttemptQueue()
  /** of those that have ended lately; undefined before the first has */
  #meanMs: number | undefined
  #scheduled = false
  /** when the others have their turn */
  #until = 0
  /** when the last function was called, and when it returned */
  #began = 0
  #now = 0

  constructor(options: InlineOptions, listener: ExecutorListener) {
    this.#attempts = new Attempts(options, listener, this)
    this.#blockedMs = options.blockedMs ?? (options.patient === true ? Number.POSITIVE_INFINITY : 100)
    this.#warn = options.warn ?? ((text) => process.emitWarning(text, 'AlmanacWarning'))
    consoleCapture.open()
  }

  accepts(task: TaskSpec): boolean {
    return task.body.kind === 'function'
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const live = this.#attempts.add(attempt)
      if (live !== undefined) this.#waiting.add(live)
    }
    this.#schedule()
    if (this.#paused.size > 0) queueMicrotask(() => this.#giveBack())
  }

  /** In steps, so that it seldom changes. */
  ahead(): number {
    const mean = this.#meanMs
    if (mean === undefined || mean > aheadMs) return 0
    // asked at each end, and most are short
    if (mean * maxAhead <= aheadMs) return maxAhead
    return 2 ** Math.floor(Math.log2(aheadMs / mean))
  }

  holdBack(run: RunId, held: Held): void {
    this.#waiting.hold(run, held !== false)
    this.#schedule()
    if (held !== 'all') this.#paused.delete(run)
    else {
      this.#paused.add(run)
      // nothing is told before the caller has returned
      queueMicrotask(() => this.#giveBack())
    }
  }

  /** Of an effect a person would be asked whether it took place. */
  #giveBack(): void {
    for (const live of [...this.#attempts]) {
      const { run, task } = live.attempt
      if (this.#paused.has(run) && live.state === undefined && !task.policy.effect)
        live.end({ kind: 'unbegun' })
    }
  }

  /** An attempt has ended. */
  left(live: Live): void {
    this.#waiting.left(live)
    this.#schedule()
  }

  cancel(id: AttemptId, graceMs: number): void {
    this.#attempts.cancel(id, graceMs)
  }

  close(): Promise<void> {
    return this.#attempts.close(() => consoleCapture.close())
  }

  /**
   * A function cannot be ended from outside: it is told by its signal, and its attempt ends when it settles or when
   * the grace is over. Nothing is waited for where the function cannot know of a timeout.
   */
  stop(live: Live, force: boolean): void {
    const context = live.state
    if (context === undefined) {
      live.stopped()
      return
    }
    const heeds = FunctionContext.heeds(context)
    consoleCapture.run(live, FunctionContext.abort, context)
    if (force || (live.verdict?.kind === 'failed' && !heeds)) live.stopped()
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.isEmpty) return
    this.#scheduled = true
    if (performance.now() < this.#until) queueMicrotask(this.#drain)
    else setImmediate(this.#drainAnew)
  }

  readonly #execute = (): void => {
    // what comes meanwhile is executed in the same go
    this.#scheduled = true
    do {
      const unfinished = consoleCapture.seat(this.#serve)
      if (unfinished === undefined) break
      this.#follow(unfinished)
    } while (this.#now <= this.#until)
    this.#scheduled = false
    this.#schedule()
  }

  /** Calls functions until one goes on after it has returned: it keeps the seat. */
  readonly #serve = (seat: Seat): Unfinished | undefined => {
    for (let live = this.#waiting.take(); live !== undefined; live = this.#waiting.take()) {
      const returned = this.#begin(live, seat)
      if (isThenable(returned)) {
        live.started()
        return { live, promise: returned, began: this.#began }
      }
      seat.log = undefined
      if (returned !== threw) {
        const tookMs = this.#now - this.#began
        this.#took(tookMs)
        this.#succeed(live, returned, tookMs)
      }
      if (this.#now > this.#until) break
    }
    return undefined
  }

  /** What the function returned, or that it threw. */
  #begin(live: Live, seat: Seat): unknown {
    const { attempt } = live
    const context = new FunctionContext(live)
    live.state = context
    const fn = attempt.fn as TaskFunction
    const args = taskArguments(fn, argumentsOf(attempt), context)
    seat.log = live
    this.#began = performance.now()
    try {
      const returned = fn(...args)
      this.#now = performance.now()
      if (this.#now - this.#began > this.#blockedMs) this.#blocked(live, this.#now - this.#began)
      return returned
    } catch (error) {
      seat.log = undefined
      this.#now = performance.now()
      live.started()
      this.#fail(live, error)
      return threw
    }
  }

  /** One that was interrupted by others says little of the next. */
  #took(ms: number): void {
    const mean = this.#meanMs
    this.#meanMs = mean === undefined ? ms : mean * 0.9 + Math.min(ms, 4 * mean + 0.1) * 0.1
  }

  #follow({ live, promise, began }: Unfinished): void {
    live.watch()
    // of a foreign thenable nothing is trusted, not even that it calls back only once
    const own = promise instanceof Promise ? promise : Promise.resolve(promise)
    own.then(
      (value) => {
        this.#took(performance.now() - began)
        this.#succeed(live, value)
      },
      (error: unknown) => this.#fail(live, error),
    )
  }

  /** `tookMs`: of a function that has returned what it gives. */
  #succeed(live: Live, returned: unknown, tookMs?: number): void {
    if (live.ended) return
    const named = returnedValues(live.attempt.task, returned as Value)
    if ('refused' in named)
      live.fail('outputs', errorRecord('ALM_RESULT_REFUSED', { why: named.refused }), false)
    else if (tookMs === undefined) live.succeed(named.values)
    else live.succeedAtOnce(named.values, tookMs)
  }

  #fail(live: Live, thrown: unknown): void {
    const { error, retryable } = describeThrown(thrown)
    if (live.ended) {
      // it only says that it was stopped
      if (error.type === 'AbortError') return
      const { attempt } = live
      this.#warn(
        `${attempt.task.name} failed after its attempt ${nameOf(attempt)} had ended: ${error.message}`,
      )
    } else {
      live.fail('error', error, retryable)
    }
  }

  #blocked(live: Live, ms: number): void {
    const { name } = live.attempt.task
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    const text = `${name} held the event loop for ${durationText(Math.round(ms))}: nothing else ran meanwhile.`
    live.warn('blocked', text, { ms: Math.round(ms) })
  }
}

/** A function that has returned a promise. */
interface Unfinished {
  readonly live: Live
  readonly promise: PromiseLike<unknown>
  readonly began: number
}

/** Stands for what a function would have returned. */
const threw = Symbol('threw')

/**
 * A task called with positions has them in `args`; one called with names gets them as one object. They are the function's
 * own: other calls may take the same values.
 */
function argumentsOf({ inputs }: Attempt): readonly Value[] {
  const own = areScalars(inputs) ? inputs : (ownCopy(inputs) as Attempt['inputs'])
  const args = own['args']
  return Array.isArray(args) ? args : [own]
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Promise || ('then' in value && typeof value.then === 'function')
}
