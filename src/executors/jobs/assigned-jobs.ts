import type { Job } from './job.ts'
import type { JobRun } from './job-runs.ts'

/**
 * The attempts that are with a worker, in the order in which it has them. Owns that order, how many of them may run
 * at once (`width`), and the rule of how many may wait behind those.
 *
 * A1 with one thread, what is announced (all but calls known to be short) has no other before or behind it
 * A2 some are let wait only while all are of one run; the place of one that ends goes to one that waits
 * A3 `width` counts places of the runs whose attempts are here, and each of those runs counts it as taken
 * A4 nothing waits behind what is known to be long: it would be asked back, and might be sent here again
 * A5 the worker is told the width when it is not what it was told last; that an end leaves a place it knows by itself
 */
export class AssignedJobs {
  readonly #jobs = new Map<number, Job>()
  #width = 0
  #announced = 0
  #alone = 0
  /** those that take what is held */
  #consumers = 0
  /** the least of what the functions bear */
  #threads = 0
  /** the run of all of them, if they are of one */
  #run: JobRun | undefined
  /** at the last look */
  #first: number | undefined
  /** with one thread: what was first at two looks, and goes on */
  #long: Job | undefined
  readonly #tell: (width: number) => void
  #told = -1

  constructor(tell: (width: number) => void) {
    this.#tell = tell
  }

  get size(): number {
    return this.#jobs.size
  }

  get width(): number {
    return this.#width
  }

  get waiting(): number {
    return this.#jobs.size - this.#width
  }

  /** Those that take what is held and must wait for a place: they go before all others here. */
  get consumersWaiting(): number {
    return Math.max(0, this.#consumers - this.#width)
  }

  [Symbol.iterator](): IterableIterator<Job> {
    return this.#jobs.values()
  }

  get(seq: number): Job | undefined {
    return this.#jobs.get(seq)
  }

  has(job: Job): boolean {
    return this.#jobs.has(job.seq)
  }

  /** Could it begin at once, with at most so many at once here? */
  canBegin(job: Job, most: number): boolean {
    if (job.run.free <= 0) return false
    if (this.#jobs.size === 0) return true
    // what waits goes first, but another run is not kept out by it
    if (this.waiting > 0 && this.#run === job.run) return false
    const { threads, alone } = job.function
    if (threads === 1 || this.#threads === 1 || alone || this.#alone > 0) return false
    const share = this.#run === job.run ? most : Number.POSITIVE_INFINITY
    return this.#width < Math.min(threads, this.#threads, share)
  }

  /** Would it begin so soon that waiting here is best? `most`: how many may wait. */
  canWait(job: Job, most: number): boolean {
    if (
      job.run.isHeld ||
      this.waiting >= most ||
      (this.#jobs.size > 0 && this.#run !== job.run) ||
      this.#alone > 0 ||
      this.#long !== undefined
    )
      return false
    const { threads, alone } = job.function
    // where nothing runs, what takes arrays that are here waits for a place to be left to it
    if (this.#width === 0) return job.held.length > 0 && threads > 1 && !alone
    if (alone || (threads === 1) !== (this.#threads === 1)) return false
    return threads > 1 || (this.#announced === 0 && job.patient)
  }

  add(job: Job, begins: boolean): void {
    const { threads, alone, short } = job.function
    this.#run = this.#jobs.size === 0 || this.#run === job.run ? job.run : undefined
    this.#threads = this.#jobs.size === 0 ? threads : Math.min(threads, this.#threads)
    this.#jobs.set(job.seq, job)
    if (begins) this.#widen(job.run, 1)
    job.begins = begins
    job.recalled = false
    job.announced = !job.patient || !short
    if (job.announced) this.#announced += 1
    if (job.held.length > 0) this.#consumers += 1
    else {
      job.expected = job.function.expects
      job.run.expected += job.expected
    }
    job.alone = alone
    if (alone) this.#alone += 1
  }

  /** It is no longer here; `over`: it has left its run too. */
  delete(job: Job, over: boolean): void {
    if (!this.#jobs.delete(job.seq)) return
    if (over) job.leave()
    if (this.#long === job) this.#long = undefined
    if (job.announced) this.#announced -= 1
    if (job.held.length > 0) this.#consumers -= 1
    job.run.expected -= job.expected
    job.expected = 0
    if (job.alone) this.#alone -= 1
    if (this.#run === undefined) this.#run = this.#oneRun()
    if (this.#jobs.size < this.#width) this.#widen(job.run, -1)
    // its run has a place less, and that was its own
    if (job.run.isOver && this.#width > 0) this.#widen(job.run, -1)
  }

  #oneRun(): JobRun | undefined {
    let run: JobRun | undefined
    for (const job of this.#jobs.values()) {
      if (run !== undefined && job.run !== run) return undefined
      run = job.run
    }
    return run
  }

  /** The run of those that wait for a place here, if any do and could have one. */
  get wanting(): JobRun | undefined {
    return this.waiting > 0 && this.#width < this.#threads ? this.#run : undefined
  }

  /** Lets some that wait begin, up to so many at once. */
  grow(most: number): void {
    const run = this.wanting
    if (run !== undefined) {
      const more = Math.min(run.free, this.waiting, Math.min(this.#threads, most) - this.#width)
      if (more > 0) this.#widen(run, more)
    }
    this.tellWidth()
  }

  /** Gives a place back, of more than so many: one that runs goes on, but none follows it. */
  shrink(run: JobRun, least: number): boolean {
    if (this.#run !== run || this.#width <= least) return false
    this.#widen(run, -1)
    this.tellWidth()
    return true
  }

  /** After an attempt that begins: else one that waits there would take its place. */
  tellWidth(): void {
    if (this.#width === this.#told) return
    this.#told = this.#width
    this.#tell(this.#width)
  }

  /** The only one, if it was sent. */
  lone(): Job | undefined {
    if (this.#jobs.size !== 1) return undefined
    const [job] = this.#jobs.values()
    return job?.phase === 'sent' ? job : undefined
  }

  /** What waits behind one that was first already when this was called last. */
  behindLongOne(): Job[] {
    if (this.#threads > 1 || this.#jobs.size < 2) {
      this.#first = this.#jobs.size === 0 ? undefined : this.#jobs.keys().next().value
      return []
    }
    const [first, ...others] = this.#jobs.values()
    const long = first?.seq === this.#first
    this.#first = first?.seq
    if (!long || first === undefined) return []
    this.#long = first
    first.function.suspect()
    return namedOnce(others)
  }

  /** What of the run is not known to have begun. */
  unbegun(run: JobRun): Job[] {
    return namedOnce([...this.#jobs.values()].filter((job) => job.run === run && !job.begun))
  }

  #widen(run: JobRun, by: number): void {
    this.#width += by
    run.taken += by
  }
}

/**
 * Those that may be asked back. Each is named once while it is here: were it recalled twice, the second recall might meet
 * what it was sent as after it had come back.
 */
function namedOnce(jobs: readonly Job[]): Job[] {
  const back = jobs.filter((job) => job.phase === 'sent' && !job.recalled)
  for (const job of back) job.recalled = true
  return back
}
