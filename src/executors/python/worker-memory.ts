import type { Job } from '../jobs/job.ts'
import { outOfMemoryKills, overLimit, residentOf } from './memory.ts'

/** The worker whose memory it is. */
export interface MemoryOf {
  readonly pid: number | undefined
  /** of values that it holds */
  readonly heldBytes: number
  send(message: readonly unknown[]): void
}

/**
 * What a worker has of the machine's memory besides the values that it holds. Owns when it is asked to give some back.
 *
 * M1 what earlier attempts left behind does not count for one whose memory is bounded
 * M2 a worker that keeps too much even after it gave back what it could is to be replaced
 * M3 one that has nothing to do is asked once, however long it has not
 */
export class WorkerMemory {
  readonly #of: MemoryOf
  /** resident bytes from which on it is too much */
  readonly #limit: number
  #trimmed = false
  /** it has nothing to do, and has given back what it did not need */
  #rests = false
  /** what the allocator kept when it was last asked to give it back, and when it may be asked again */
  #squeezed: number | undefined
  #squeezeMs = squeezeMs
  #squeezeAt = 0
  /** bytes of results that were heard of, and when it was told last */
  #heardBytes = 0
  #toldBytes = 0
  /** the least that was resident before an attempt whose memory is bounded */
  #leanest = Number.POSITIVE_INFINITY
  /** of processes by the kernel, when that was looked at last */
  #kills = outOfMemoryKills()

  constructor(of: MemoryOf, limit: number) {
    this.#of = of
    this.#limit = limit
  }

  /**
   * What it has resident, as it says between its attempts. What the allocator keeps of arrays that are gone is given back now
   * and then; true: it keeps too much for good.
   */
  weigh(resident: number, jobs: Iterable<Job>): boolean {
    for (const job of jobs) if (!job.begun) job.residentBefore = Math.min(job.residentBefore, resident)
    const kept = resident - this.#of.heldBytes
    this.#squeeze(kept)
    if (kept <= this.#limit) this.#trimmed = false
    else if (this.#trimmed) return true
    else this.#trim()
    return false
  }

  /** What earlier attempts left counts for none; so much of it that it would hide what this one takes is given back. */
  before(job: Job): void {
    job.residentBefore = residentOf(this.#of.pid)
    const left = job.residentBefore - this.#of.heldBytes
    this.#leanest = Math.min(this.#leanest, left)
    if (left > this.#leanest + leftAtMost) this.#trim()
  }

  /** Now and then: ends the attempt that uses more memory than it may. */
  watch(jobs: Iterable<Job>): void {
    this.#kills = outOfMemoryKills()
    const over = overLimit(jobs, this.#of.pid, this.#of.heldBytes)
    over?.live.stop({ kind: 'failed', reason: 'memory', error: over.error, retryable: true }, 0)
  }

  /** Has the kernel ended a process for want of memory since? */
  get ranOut(): boolean {
    return outOfMemoryKills() > this.#kills
  }

  /** There is nothing to do: what it does not need may go. */
  rest(): void {
    if (this.#rests) return
    this.#rests = true
    if (!this.#trimmed) this.#trim()
  }

  /** It has something to do, or holds less. */
  stirs(): void {
    this.#rests = false
  }

  /** It was heard of results of so many bytes: what a worker leaves behind unheard of is bounded. */
  heard(bytes: number): void {
    this.#heardBytes += bytes
    if (this.#heardBytes - this.#toldBytes < toldBytes) return
    this.#toldBytes = this.#heardBytes
    this.#of.send(['heard', this.#heardBytes])
  }

  #trim(): void {
    this.#trimmed = true
    this.#of.send(['trim'])
  }

  /** Less often where that gives little. */
  #squeeze(waste: number): void {
    const now = performance.now()
    if (this.#squeezed !== undefined) {
      this.#squeezeMs =
        waste > 0.75 * this.#squeezed ? Math.min(2 * this.#squeezeMs, maxSqueezeMs) : squeezeMs
      this.#squeezed = undefined
    }
    if (waste < wasteBytes || now < this.#squeezeAt) return
    this.#squeezeAt = now + this.#squeezeMs
    this.#squeezed = waste
    this.#of.send(['squeeze'])
  }
}

/** after so many more bytes of results a worker is told that they were heard of; it waits at four times as many */
const toldBytes = 8 * 2 ** 20

/** resident bytes beyond what is held that are worth giving back, and how often that is tried */
const wasteBytes = 96 * 2 ** 20
const squeezeMs = 2000
const maxSqueezeMs = 300_000

/** bytes of earlier attempts that are not given back before one whose memory is bounded */
const leftAtMost = 32 * 2 ** 20
