import { balance } from '../jobs/balance.ts'
import type { Job } from '../jobs/job.ts'
import type { JobRun } from '../jobs/job-runs.ts'
import { WaitingJobs } from '../jobs/waiting-jobs.ts'
import type { SharedArrays } from './shared-arrays.ts'
import { type ThreadOwner, ThreadWorker } from './thread-worker.ts'

export interface ThreadPoolOptions {
  readonly size: number
  readonly program: URL
  readonly heapMb: number
  readonly keeps: number
  readonly arrays: SharedArrays
  readonly warn: (text: string) => void
}

/**
 * The threads of an executor, and the attempts that wait for one. Owns both.
 *
 * G1 an attempt that waits while a thread has room for it does not wait after the next call
 * G3 while many bytes of arrays are held, what would only add some waits until the engine has had its turn with what
 *    came; while there is no room for more, until nothing else goes on
 * G2 there are never more threads that take attempts than `size`; the first attempts start them
 */
export class ThreadPool implements ThreadOwner {
  readonly arrays: SharedArrays
  readonly #options: ThreadPoolOptions
  /** by run, the one that was served last at the end: none waits for another that may not go on */
  readonly #queues = new Map<JobRun, WaitingJobs>()
  readonly #workers = new Set<ThreadWorker>()
  #started = 0
  #stopped = false
  #scheduled = false
  #later = false
  /** nothing is heard of threads for a while */
  #isUnheard = false
  #allExited: (() => void) | undefined

  constructor(options: ThreadPoolOptions) {
    this.#options = options
    this.arrays = options.arrays
    this.arrays.roomMade = () => this.dispatchSoon()
  }

  get isEmpty(): boolean {
    return this.#workers.size === 0
  }

  add(job: Job): void {
    this.#queueOf(job.run).add(job)
  }

  returned(job: Job): void {
    job.phase = 'waiting'
    this.#queueOf(job.run).addFirst(job)
    this.dispatchSoon()
  }

  /** All that ends in one turn is taken in, and what comes of it submitted, before anything follows. */
  changed(): void {
    this.dispatchSoon()
  }

  /** There are so many bytes of arrays that those who take some in go before those who would only add some. */
  get #isLaden(): boolean {
    return this.arrays.bytes > ladenBytes
  }

  warn(text: string): void {
    this.#options.warn(text)
  }

  exited(worker: ThreadWorker): void {
    this.#workers.delete(worker)
    if (this.#workers.size === 0) this.#allExited?.()
    this.dispatchSoon()
  }

  /** False where no thread has it. */
  stopJob(job: Job, force: boolean): boolean {
    for (const worker of this.#workers) {
      if (!worker.jobs.has(job)) continue
      worker.stopJob(job, force)
      return true
    }
    return false
  }

  /** Takes in what an attempt has told. */
  listen(job: Job): void {
    for (const worker of this.#workers) if (worker.jobs.has(job)) worker.listen()
  }

  /** No thread is started any more. */
  stop(): void {
    this.#stopped = true
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      this.#allExited = resolve
    })
    for (const worker of this.#workers) worker.kill('the executor was closed')
    if (this.#workers.size > 0) await gone
  }

  tick(): void {
    const now = performance.now()
    for (const worker of this.#workers) {
      if (!worker.idle) worker.tick()
      else if (now - worker.idleSince > leaveAfterMs) worker.kill('it had nothing to do')
    }
  }

  dispatchSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const dispatch = (): void => {
      this.#scheduled = false
      this.dispatch()
    }
    // what threads have to do meanwhile lets all that they have said be heard first: few orders, of many calls each
    if (this.#load > busyLoad) setImmediate(dispatch)
    else queueMicrotask(dispatch)
  }

  /** Attempts that are with threads. */
  get #load(): number {
    let load = 0
    for (const { jobs } of this.#workers) load += jobs.size
    return load
  }

  /** Whoever submits does not let the event loop turn for a while. */
  beginNow(): void {
    this.#isUnheard = true
    this.dispatch()
    this.#isUnheard = false
    for (const worker of this.#workers) worker.flush()
  }

  /** Gives waiting attempts to threads, as long as there is room. */
  dispatch(): void {
    if (this.#stopped) return
    for (const [run, queue] of [...this.#queues]) {
      const { size } = queue
      this.#serve(queue, () => queue.consumer())
      this.#serve(queue, () => queue.other())
      if (!this.#isLaden) this.#serve(queue, () => queue.inLane(0))
      else if (queue.inLane(0) !== undefined) this.#serveLater()
      if (queue.size === size && size > 0) continue
      this.#queues.delete(run)
      if (queue.size > 0) this.#queues.set(run, queue)
    }
    balance(this.#workers, this.#options.size)
  }

  #serve(queue: WaitingJobs, next: () => Job | undefined): void {
    for (let job = next(); job !== undefined; job = next()) if (!this.#assign(job, queue)) return
  }

  /** What takes in the arrays that have just come may be submitted by then. */
  #serveLater(): void {
    if (this.#later) return
    this.#later = true
    setImmediate(() => {
      this.#later = false
      if (this.#stopped) return
      for (const queue of this.#queues.values()) {
        this.#serve(queue, () => queue.consumer())
        this.#serve(queue, () => queue.inLane(0))
      }
      balance(this.#workers, this.#options.size)
    })
  }

  #queueOf(run: JobRun): WaitingJobs {
    let queue = this.#queues.get(run)
    if (queue === undefined) {
      queue = new WaitingJobs(1)
      this.#queues.set(run, queue)
    }
    return queue
  }

  #assign(job: Job, queue: WaitingJobs): boolean {
    const most = Math.ceil(job.run.places / this.#options.size)
    let best: ThreadWorker | undefined
    let soon: ThreadWorker | undefined
    let active = 0
    for (const worker of this.#workers) {
      if (worker.retired) continue
      active += 1
      const room = worker.room(job, most, this.#isUnheard)
      if (room === 'now' && (best === undefined || worker.jobs.size < best.jobs.size)) best = worker
      else if (room === 'soon' && (soon === undefined || worker.jobs.size < soon.jobs.size)) soon = worker
    }
    const adds = job.held.length === 0 && job.function.holds
    if (adds && this.arrays.isFull && [...this.#workers].some((worker) => !worker.idle)) return false
    if (adds && this.#isLaden) soon = undefined
    if (best?.idle !== true && active < this.#options.size && job.run.free > 0) best = this.#start()
    const worker = best ?? soon
    if (worker === undefined) return false
    queue.delete(job)
    worker.assign(job, best !== undefined)
    return true
  }

  #start(): ThreadWorker {
    this.#started += 1
    const { program, heapMb, keeps } = this.#options
    const worker = new ThreadWorker({ number: this.#started, program, heapMb, keeps }, this)
    this.#workers.add(worker)
    return worker
  }
}

const leaveAfterMs = 60_000
const busyLoad = 64
const ladenBytes = 64 * 2 ** 20
