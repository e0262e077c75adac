import type { Job } from './job.ts'
import { runLength } from './job.ts'

/**
 * Attempts of a run that wait for a worker. Owns their order.
 *
 * Q1 what takes held values goes before what would only add some; else the order is that of their coming
 * Q2 calls of functions whose results are held are dealt to lanes, one for each worker, in runs: what is made of
 *    neighbours then finds them in one place. A run goes to the shortest lane; one that is empty takes from the end of
 *    the longest
 */
export class WaitingJobs {
  readonly #consumers = new Fifo()
  readonly #others = new Fifo()
  readonly #lanes: readonly Fifo[]
  /** of the run that is being dealt: its lane, and how many more are in it */
  #lane = -1
  #left = 0

  constructor(lanes: number) {
    this.#lanes = Array.from({ length: lanes }, () => new Fifo())
  }

  /** Those that have ended meanwhile are counted until they are met. */
  get size(): number {
    let size = this.#consumers.size + this.#others.size
    for (const lane of this.#lanes) size += lane.size
    return size
  }

  /** Something has been dealt to lanes. */
  get isDealt(): boolean {
    return this.#lane >= 0
  }

  add(job: Job): void {
    if (job.held.length > 0) this.#consumers.push(job)
    else if (!job.function.holds) this.#others.push(job)
    else {
      if (this.#left === 0) this.#nextLane()
      this.#left -= 1
      this.#lanes[this.#lane]?.push(job)
    }
  }

  #nextLane(): void {
    this.#left = runLength
    const after = (this.#lane + 1) % this.#lanes.length
    this.#lane = after
    for (const [lane, { size }] of this.#lanes.entries()) {
      if (size < (this.#lanes[this.#lane]?.size ?? 0)) this.#lane = lane
    }
  }

  /** It goes before all others of its kind. */
  addFirst(job: Job): void {
    if (job.held.length > 0) this.#consumers.unshift(job)
    else this.#others.unshift(job)
  }

  consumer(): Job | undefined {
    return this.#consumers.peek()
  }

  /** The next one that takes nothing held and has no lane. */
  other(): Job | undefined {
    return this.#others.peek()
  }

  /** The next one for a lane. */
  inLane(lane: number): Job | undefined {
    const own = this.#lanes[lane]?.peek()
    if (own !== undefined) return own
    let longest: Fifo | undefined
    for (const one of this.#lanes) if (one.size > (longest?.size ?? 0)) longest = one
    return longest?.peekLast()
  }

  /** It was one of those that were given last. */
  delete(job: Job): void {
    if (this.#others.take(job) || this.#consumers.take(job)) return
    for (const lane of this.#lanes) if (lane.take(job)) return
  }
}

/** A queue, both of whose ends may be taken off. */
class Fifo {
  #jobs: (Job | undefined)[] = []
  #first = 0

  get size(): number {
    return this.#jobs.length - this.#first
  }

  push(job: Job): void {
    this.#jobs.push(job)
  }

  unshift(job: Job): void {
    if (this.#first > 0) {
      this.#first -= 1
      this.#jobs[this.#first] = job
    } else this.#jobs.unshift(job)
  }

  /** The first one that has not ended while it waited. */
  peek(): Job | undefined {
    for (let job = this.#jobs[this.#first]; job !== undefined; job = this.#jobs[this.#first]) {
      if (!job.live.ended) return job
      this.#shift()
    }
    return undefined
  }

  peekLast(): Job | undefined {
    while (this.size > 0) {
      const job = this.#jobs.at(-1)
      if (job?.live.ended === false) return job
      this.#jobs.pop()
    }
    return undefined
  }

  /** Takes it off, if it is at one of the ends. */
  take(job: Job): boolean {
    if (this.size === 0) return false
    if (this.#jobs[this.#first] === job) this.#shift()
    else if (this.#jobs.at(-1) === job) this.#jobs.pop()
    else return false
    return true
  }

  #shift(): void {
    this.#jobs[this.#first] = undefined
    this.#first += 1
    if (this.#first < 1024 || this.#first * 2 < this.#jobs.length) return
    this.#jobs = this.#jobs.slice(this.#first)
    this.#first = 0
  }
}
