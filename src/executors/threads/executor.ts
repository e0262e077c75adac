import { availableParallelism } from 'node:os'
import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { RunId } from '../../model/records.ts'
import { HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Attempt, AttemptId, Executor, ExecutorListener, Held } from '../../ports/executor.ts'
import { ArrayBudget } from '../array-budget.ts'
import { giveBackSoon, Job, TaskFunctions } from '../jobs/job.ts'
import { JobRuns } from '../jobs/job-runs.ts'
import type { ExecutorOptions } from '../lifecycle.ts'
import { Attempts } from '../lifecycle.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { usableMemory } from '../usable-memory.ts'
import { SharedArrays } from './shared-arrays.ts'
import { ThreadPool } from './thread-pool.ts'

export interface ThreadExecutorOptions extends ExecutorOptions {
  /** the program that threads run, by URL: it makes a `TaskThread` */
  readonly program: URL | string
  /** the machine's cores unless told */
  readonly threads?: number
  /** bytes that the tasks of a run may use; 60 % of the machine's unless told */
  readonly memoryBytes?: number
  /** MiB of objects (not of arrays) that a thread may hold; its share of the memory unless told */
  readonly heapMb?: number
  /** of arrays that are held in memory: what is more goes to disk; all of the memory unless told */
  readonly arrays?: ArrayBudget
  /** bytes of free memory that a thread keeps for further arrays; a quarter of its share of the memory unless told */
  readonly keeps?: number
  /** for what a task throws after its attempt has ended; a process warning unless told */
  readonly warn?: (text: string) => void
}

/** Opens the executor of functions in threads: one call at a time in each unless the task allows more. */
export const openThreadExecutor = (options: ThreadExecutorOptions, listener: ExecutorListener): Executor =>
  new ThreadExecutor(options, listener)

/**
 * Owns the threads, and the arrays of their results.
 *
 * E1 nothing is told of an attempt before the caller of `submit` has returned
 */
class ThreadExecutor implements Executor {
  readonly name = 'threads'
  readonly afterCommit = false
  readonly #size: number
  readonly #attempts: Attempts<Job>
  readonly #functions = new TaskFunctions()
  readonly #arrays: SharedArrays
  readonly #pool: ThreadPool
  readonly #runs = new JobRuns()
  #jobs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: ThreadExecutorOptions, listener: ExecutorListener) {
    this.#size = options.threads ?? availableParallelism()
    const memory = options.memoryBytes ?? usableMemory()
    this.#arrays = new SharedArrays(this.name, options.arrays ?? new ArrayBudget(memory))
    this.#attempts = new Attempts<Job>(options, listener, {
      stop: (live, force) => this.#stop(live, force),
      listen: ({ state }) => state && this.#pool.listen(state),
    })
    this.#pool = new ThreadPool({
      size: this.#size,
      program: new URL(options.program),
      heapMb: options.heapMb ?? heapMbOf(memory, this.#size),
      keeps: options.keeps ?? memory / this.#size / 4,
      arrays: this.#arrays,
      warn: options.warn ?? ((text) => process.emitWarning(text, 'AlmanacWarning')),
    })
  }

  accepts(task: TaskSpec): boolean {
    return task.body.kind === 'thread'
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const live = this.#attempts.add(attempt)
      if (live === undefined) continue
      if (!this.accepts(attempt.task)) {
        const error = errorRecord('ALM_BUG', { why: `${attempt.task.name} is no task of a thread` })
        queueMicrotask(() => live.fail('error', error, false))
        continue
      }
      this.#jobs += 1
      const fn = this.#functions.of(attempt.task)
      const job = new Job(this.#jobs, live, fn, this.#runs.of(attempt.run), this.#arrays)
      job.enter()
      live.state = job
      if (job.run.held === 'all') queueMicrotask(() => job.giveBack())
      this.#pool.add(job)
    }
    this.#pool.dispatchSoon()
    this.#schedule()
  }

  beginNow(): void {
    this.#pool.beginNow()
  }

  ahead(): number {
    return this.#functions.window * this.#size * 2
  }

  /** Threads have work for half a second at most, by what such calls took before: none of it is asked for. */
  holdBack(name: RunId, held: Held): void {
    const run = this.#runs.hold(name, held)
    if (run?.held === 'all') giveBackSoon(run, this.#attempts)
    if (run?.held === false) this.#pool.dispatchSoon()
  }

  cancel(attempt: AttemptId, graceMs: number): void {
    this.#attempts.cancel(attempt, graceMs)
  }

  release(handles: readonly number[]): void {
    this.#arrays.release(handles)
  }

  persist(handle: number): Promise<Uint8Array | undefined> {
    return this.#arrays.file(handle)
  }

  async restore(bytes: Uint8Array, ref: HeldRef): Promise<HeldRef> {
    const handle = this.#arrays.fromFile(bytes, ref.type)
    if (typeof handle === 'string')
      throw new AlmanacError('ALM_VALUE_REFUSED', { path: ref.type, why: handle })
    return Promise.resolve(new HeldRef(ref.key, ref.path, ref.type, ref.size, this.name, handle))
  }

  close(): Promise<void> {
    this.#pool.stop()
    return this.#attempts.close(async () => {
      clearTimeout(this.#timer)
      await this.#pool.close()
      await this.#arrays.close()
    })
  }

  #stop(live: LiveAttempt<Job>, force: boolean): void {
    const job = live.state
    if (job !== undefined && this.#pool.stopJob(job, force)) return
    job?.leave()
    live.stopped()
  }

  #schedule(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#pool.tick()
      if (this.#attempts.size > 0 || !this.#pool.isEmpty) this.#schedule()
    }, tickMs)
    this.#timer.unref()
  }
}

const tickMs = 250

/** A share of the memory, but not so little that hardly a task could do with it; never more than there is. */
const heapMbOf = (memory: number, threads: number): number =>
  Math.max(leastHeapMb, Math.floor(Math.max(memory / threads, Math.min(memory, usualHeap)) / 2 ** 20))

const usualHeap = 256 * 2 ** 20
/** a thread does not even begin with less */
const leastHeapMb = 40
