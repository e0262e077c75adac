import type { Job } from './job.ts'

/**
 * The attempts that are with a worker, in the order in which it has them. Owns that order and the rule of how many
 * may be there at once.
 *
 * A1 what is announced (all but calls known to be short) has no other before or behind it, unless threads allow it
 */
export class AssignedJobs {
  readonly #jobs = new Map<number, Job>()
  #announced = 0
  /** at the last look */
  #first: number | undefined

  get size(): number {
    return this.#jobs.size
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

  add(job: Job): void {
    this.#jobs.set(job.seq, job)
    job.announced = !job.patient || job.function.ahead === 0
    if (job.announced) this.#announced += 1
  }

  delete(job: Job): void {
    if (this.#jobs.delete(job.seq) && job.announced) this.#announced -= 1
  }

  /** It would begin at once, or so soon that waiting here is best. */
  haveRoom(job: Job): boolean {
    const { size } = this.#jobs
    if (size === 0) return true
    const { threads, alone, ahead } = job.function
    if (threads === 1) return this.#announced === 0 && job.patient && size <= ahead
    for (const other of this.#jobs.values()) {
      if (other.function.threads <= size || other.function.alone) return false
    }
    return !alone && size < threads
  }

  /** The only one, if it was sent. */
  lone(): Job | undefined {
    if (this.#jobs.size !== 1) return undefined
    const [job] = this.#jobs.values()
    return job?.phase === 'sent' ? job : undefined
  }

  /** What waits behind one that was first already when this was called last. */
  behindLongOne(): Job[] {
    const [first, ...others] = this.#jobs.values()
    const long = first?.seq === this.#first && first?.function.threads === 1 && others.length > 0
    this.#first = first?.seq
    if (!long || first === undefined) return []
    first.function.alone = true
    return others.filter((job) => job.phase === 'sent')
  }
}
