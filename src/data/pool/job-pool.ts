import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { AlmanacError } from '../../model/errors.ts'
import { errorOf } from '../jobs/failure.ts'
import type { Answer, Job, ResultOf, Results } from './job.ts'
import { isHeavy, runJob } from './job.ts'

/**
 * Threads that work on files. Owns them and the jobs that wait for one.
 *
 * P1 threads are started when the work is worth it, and keep no process alive.
 * P2 each job ends once: with its result, with its error, or with the pool.
 * P3 no more jobs travel at once than there are threads: the rest wait here, where closing ends them.
 */
export class JobPool {
  readonly #size: number
  readonly #threads = new Set<Thread>()
  readonly #waiting: Task[] = []
  #closed = false

  /** The main thread works too, so that one thread fewer is started than there are cores. */
  constructor(threads: number = Math.min(4, availableParallelism()) - 1) {
    this.#size = Math.max(1, threads)
  }

  /** Runs a job in place: for little work, which would be done before a thread has started. */
  runHere<J extends Job>(job: J): ResultOf<J> {
    return runJob(job) as ResultOf<J>
  }

  run<J extends Job>(job: J): Promise<ResultOf<J>> {
    if (this.#closed) return Promise.reject(closed())
    return new Promise<Results[Job['kind']]>((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      this.#deal()
    }) as Promise<ResultOf<J>>
  }

  /** All of them, several at once; the first error ends the waiting, the others' results are dropped. */
  async runAll<J extends Job>(jobs: readonly J[]): Promise<readonly ResultOf<J>[]> {
    const results: ResultOf<J>[] = []
    const numbered = [...jobs.entries()].map(([index, job]) => ({ index, job }))
    await this.runEach(
      numbered,
      ({ job }) => job,
      (result, { index }) => {
        results[index] = result
      },
    )
    return results
  }

  /** Jobs that are made when there is a thread for them; results in any order. */
  async runEach<T, J extends Job>(
    items: Iterable<T>,
    jobOf: (item: T) => J,
    use: (result: ResultOf<J>, item: T) => void,
  ): Promise<void> {
    const iterator = items[Symbol.iterator]()
    const lane = async (run: (job: J) => Promise<ResultOf<J>>) => {
      for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
        use(await run(jobOf(next.value)), next.value)
      }
    }
    // one job waits for each thread, so that none is idle while an answer is dealt with
    const lanes = Array.from({ length: this.#size * 2 }, () => lane((job) => this.run(job)))
    await Promise.all([...lanes, lane((job) => this.#runBeside(job))])
  }

  /** In place, in small pieces: other work of the main thread has its turn in between. */
  async #runBeside<J extends Job>(job: J): Promise<ResultOf<J>> {
    if (isHeavy(job)) return await this.run(job)
    await new Promise(setImmediate)
    if (this.#closed) throw closed()
    return this.runHere(job)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const task of this.#waiting.splice(0)) task.reject(closed())
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()))
  }

  #deal(): void {
    while (this.#waiting.length > 0) {
      const idle = [...this.#threads].find((thread) => thread.task === undefined)
      // with heavy work the main thread only waits: its core is free for one more
      const size = this.#size + (isHeavy((this.#waiting[0] as Task).job) ? 1 : 0)
      const thread = idle ?? (this.#threads.size < size ? this.#start() : undefined)
      if (thread === undefined) return
      const task = this.#waiting.shift() as Task
      thread.task = task
      thread.worker.ref()
      thread.worker.postMessage(task.job)
    }
  }

  #start(): Thread {
    // what node was started with (`--input-type`, `--inspect-brk`, …) is not meant for us
    const worker = new Worker(new URL('./job-thread.ts', import.meta.url), { execArgv: [] })
    const thread: Thread = { worker, task: undefined }
    this.#threads.add(thread)
    worker.on('message', (answer: Answer) => this.#answered(thread, answer))
    worker.on('error', (error) => this.#died(thread, error))
    worker.on('exit', () => this.#died(thread, new Error('the thread ended')))
    return thread
  }

  #answered(thread: Thread, answer: Answer): void {
    const { task } = thread
    thread.task = undefined
    thread.worker.unref()
    if (answer.kind === 'done') task?.resolve(answer.result)
    else task?.reject(errorOf(answer.failure))
    this.#deal()
  }

  #died(thread: Thread, error: unknown): void {
    this.#threads.delete(thread)
    const why = error instanceof Error ? error.message : String(error)
    thread.task?.reject(this.#closed ? closed() : new AlmanacError('ALM_BUG', { why }, { cause: error }))
    thread.task = undefined
    if (!this.#closed) this.#deal()
  }
}

interface Thread {
  readonly worker: Worker
  task: Task | undefined
}

interface Task {
  readonly job: Job
  readonly resolve: (result: Results[Job['kind']]) => void
  readonly reject: (error: Error) => void
}

const closed = () => new AlmanacError('ALM_CANCELLED', { by: ': the store was closed' })
