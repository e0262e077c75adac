import type { Job } from './job.ts'
import type { WorkerOwner, WorkerWorld } from './worker.ts'
import { Worker } from './worker.ts'
import type { WorkerStart } from './worker-process.ts'

/** What sets workers apart: interpreter, the author's directory, declared environment variables. */
export type GroupStart = Omit<WorkerStart, 'id'>

/** What a group needs from its executor. */
export interface GroupOwner {
  /** number for a new worker */
  nextWorker(): number
  started(worker: Worker): void
  exited(worker: Worker): void
  /** may another attempt begin, in any group? */
  mayBegin(): boolean
}

/**
 * Workers that can stand in for each other, and the attempts that wait for one. Owns both.
 *
 * G1 an attempt that waits while a worker has room for it does not wait after the next call
 * G2 there are never more workers that take attempts than `size`
 */
export class WorkerGroup implements WorkerOwner {
  readonly #start: GroupStart
  readonly #size: number
  readonly #world: WorkerWorld
  readonly #owner: GroupOwner
  readonly #workers = new Set<Worker>()
  #queue: Job[] = []
  #first = 0
  /** left a worker without having begun, in the order of their numbers: they go first */
  readonly #returned: Job[] = []

  constructor(start: GroupStart, size: number, world: WorkerWorld, owner: GroupOwner) {
    this.#start = start
    this.#size = size
    this.#world = world
    this.#owner = owner
  }

  add(job: Job): void {
    this.#queue.push(job)
  }

  returned(job: Job): void {
    job.phase = 'waiting'
    const at = this.#returned.findIndex((other) => other.seq > job.seq)
    this.#returned.splice(at === -1 ? this.#returned.length : at, 0, job)
    queueMicrotask(() => this.dispatch())
  }

  changed(): void {
    this.dispatch()
  }

  exited(worker: Worker): void {
    this.#workers.delete(worker)
    this.#owner.exited(worker)
    this.dispatch()
  }

  /** Gives waiting attempts to workers, as long as there is room. */
  dispatch(): void {
    for (let job = this.#peek(); job !== undefined; job = this.#peek()) {
      if (!this.#owner.mayBegin()) return
      const worker = this.#workerFor(job)
      if (worker === undefined) return
      this.#next()
      worker.assign(job)
    }
  }

  /** The first one that has not ended while it waited. */
  #peek(): Job | undefined {
    for (;;) {
      const job = this.#returned[0] ?? this.#queue[this.#first]
      if (job === undefined || !job.live.ended) return job
      this.#next()
    }
  }

  #next(): void {
    if (this.#returned.length > 0) {
      this.#returned.shift()
      return
    }
    this.#first += 1
    if (this.#first < 1024 || this.#first * 2 < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#first)
    this.#first = 0
  }

  #workerFor(job: Job): Worker | undefined {
    let best: Worker | undefined
    let bestHeld = -1
    let active = 0
    for (const worker of this.#workers) {
      if (worker.retired) continue
      active += 1
      if (!worker.hasRoom(job)) continue
      const held = this.#bytesFor(job, worker)
      // where its inputs are; else a free one; else the one with the fewest before it
      if (held > bestHeld || (held === bestHeld && best !== undefined && worker.load < best.load)) {
        best = worker
        bestHeld = held
      }
    }
    if (best !== undefined && (best.idle || bestHeld > 0 || active >= this.#size)) return best
    if (active >= this.#size) return undefined
    this.#world.files.sweep()
    const worker = new Worker({ ...this.#start, id: this.#owner.nextWorker() }, this.#world, this)
    this.#workers.add(worker)
    this.#owner.started(worker)
    return worker
  }

  #bytesFor(job: Job, worker: Worker): number {
    let bytes = 0
    for (const ref of job.held) if (this.#world.held.holderOf(ref.handle) === worker) bytes += ref.size
    return bytes
  }
}
