import { AlmanacError, errorRecord } from '../../model/errors.ts'
import { balance } from '../jobs/balance.ts'
import type { Job } from '../jobs/job.ts'
import type { JobRun } from '../jobs/job-runs.ts'
import { WaitingJobs } from '../jobs/waiting-jobs.ts'
import { needDescriptors } from '../programs/descriptors.ts'
import type { WorkerOwner, WorkerWorld } from './worker.ts'
import { Worker } from './worker.ts'
import type { WorkerStart } from './worker-process.ts'

/** Files of its output, two pairs of sockets and a pipe; and those of the watchdog. */
const descriptors = 16
/** Where there is no room for a process, it is tried again after so long, and given up after so long without any. */
const roomMs = 50
const noRoomMs = 10_000

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
 * G3 what adds to held values does not begin while there is too little memory for it, unless nothing else goes on
 * G4 what adds to held values is not given to a worker while what takes some waits for a worker; nor to one that has
 *    places which such in another should have; nor, while much is held, while such waits for a place anywhere. It
 *    waits for places only, which those that run leave: so what is held is bounded by what runs, not by what is late
 * G5 where there is no room for another process (descriptors, EAGAIN, ENOMEM) or for its files, attempts wait for those that are there,
 *    or for a while
 */
export class WorkerGroup implements WorkerOwner {
  readonly #start: GroupStart
  readonly #size: number
  readonly #world: WorkerWorld
  readonly #owner: GroupOwner
  /** by lane */
  readonly #workers: (Worker | undefined)[]
  /** by run, the one that was served last at the end: none waits for another that may not go on */
  readonly #queues = new Map<JobRun, WaitingJobs>()
  /** one that is empty: of calls that follow each other each would need its own */
  #spare: WaitingJobs | undefined

  #isScheduled = false
  /** nothing is heard of workers for a while */
  #isUnheard = false
  /** see G5: nothing is started until this is let go of */
  #roomTimer: NodeJS.Timeout | undefined
  /** nothing could be started since */
  #noRoomSince: number | undefined
  /** workers whose processes have not ended, also such as get no more */
  #living = 0

  constructor(start: GroupStart, size: number, world: WorkerWorld, owner: GroupOwner) {
    this.#start = start
    this.#size = size
    this.#world = world
    this.#owner = owner
    this.#workers = Array.from({ length: size }, () => undefined)
  }

  add(job: Job): void {
    this.#queueOf(job.run).add(job)
  }

  returned(job: Job): void {
    job.phase = 'waiting'
    if (job.run.held === 'all') job.giveBack()
    if (job.live.ended) return
    this.#queueOf(job.run).addFirst(job)
    queueMicrotask(() => this.dispatch())
  }

  refused(jobs: readonly Job[], why: string): void {
    const isGivenUp = this.#awaitRoom()
    for (const job of jobs) {
      if (isGivenUp) lose(job, why)
      else this.returned(job)
    }
  }

  /** Nothing waits here, and nothing goes on. */
  get isEmpty(): boolean {
    if (this.#living > 0 || this.#roomTimer !== undefined) return false
    for (const { size } of this.#queues.values()) if (size > 0) return false
    return true
  }

  /** All that ends in one turn is taken in, and what comes of it submitted, before anything follows. */
  changed(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.dispatch()
    })
  }

  exited(worker: Worker): void {
    this.#living -= 1
    const lane = this.#workers.indexOf(worker)
    if (lane !== -1) this.#workers[lane] = undefined
    this.#owner.exited(worker)
    this.dispatch()
  }

  /** Whoever submits does not let the event loop turn for a while. */
  beginNow(): void {
    this.#isUnheard = true
    this.dispatch()
    this.#isUnheard = false
    for (const worker of this.#workers) worker?.flush()
  }

  /** Gives waiting attempts to workers, as long as there is room. */
  dispatch(): void {
    this.#dropRetired()
    for (const worker of this.#workers) {
      const jobs = worker?.jobs
      if (jobs !== undefined && jobs.consumersWaiting > 0) jobs.grow(jobs.width + jobs.consumersWaiting)
    }
    for (const [run, queue] of [...this.#queues]) {
      const { size } = queue
      this.#serve(queue)
      if (queue.size === size && size > 0) continue
      this.#queues.delete(run)
      if (queue.size > 0) this.#queues.set(run, queue)
      else if (!queue.isDealt) this.#spare = queue
    }
    balance(
      this.#workers.filter((worker) => worker !== undefined),
      this.#size,
    )
  }

  #serve(queue: WaitingJobs): void {
    for (let job = queue.consumer(); job !== undefined; job = queue.consumer()) {
      if (!this.#assign(job, queue)) break
    }
    for (let job = queue.other(); job !== undefined; job = queue.other()) {
      if (!this.#assign(job, queue)) break
    }
    this.#fillLanes(queue)
  }

  #queueOf(run: JobRun): WaitingJobs {
    let queue = this.#queues.get(run)
    if (queue === undefined) {
      queue = this.#spare ?? new WaitingJobs(this.#size)
      this.#spare = undefined
      this.#queues.set(run, queue)
    }
    return queue
  }

  /** In turn, so that none gets all while another has nothing. */
  #fillLanes(queue: WaitingJobs): void {
    for (let goesOn = true; goesOn; ) {
      goesOn = false
      for (let lane = 0; lane < this.#size; lane++) {
        const job = queue.inLane(lane)
        if (job === undefined) return
        if (!this.#owner.mayBegin() || !this.#mayAdd(job)) return
        const worker = this.#workers[lane]
        if (worker !== undefined && this.#owesPlaces(worker, job)) continue
        const room =
          worker === undefined ? job.run.free > 0 : worker.room(job, this.#share(job), this.#isUnheard)
        if (room === false) continue
        const to = worker ?? this.#startWorker(lane, job)
        if (to === undefined) return
        goesOn = true
        queue.delete(job)
        to.assign(job, room === true || room === 'now')
      }
    }
  }

  #assign(job: Job, queue: WaitingJobs): boolean {
    if (!this.#owner.mayBegin() || !this.#mayAdd(job)) return false
    const found = this.#workerFor(job)
    if (found === undefined) return false
    queue.delete(job)
    found.worker.assign(job, found.now)
    return true
  }

  /** Is there memory for what it may leave behind? */
  #mayAdd(job: Job): boolean {
    if (job.held.length > 0 || !job.function.holds) return true
    const { held } = this.#world
    if (held.isFull) return this.#workers.every((worker) => worker === undefined || worker.idle)
    const { run } = job
    if (this.#queues.get(run)?.consumer() !== undefined) return false
    const usual = run.places * job.function.expects
    return (
      !held.isMuch(run.expected, usual) ||
      !this.#workers.some((worker) => worker !== undefined && worker.jobs.consumersWaiting > 0)
    )
  }

  /** Has another worker less than its share of places, though what takes held values waits for one there? */
  #owesPlaces(worker: Worker, job: Job): boolean {
    const share = this.#share(job)
    return this.#workers.some(
      (other) =>
        other !== undefined &&
        other !== worker &&
        other.jobs.consumersWaiting > 0 &&
        other.jobs.wanting === job.run &&
        other.jobs.width < share,
    )
  }

  /** So many of a run may be in one worker, that the others have as many. */
  #share(job: Job): number {
    return Math.ceil(job.run.places / this.#size)
  }

  #workerFor(job: Job): { readonly worker: Worker; readonly now: boolean } | undefined {
    const home = job.held.length === 0 ? undefined : this.#homeOf(job)
    if (home !== undefined) {
      const room = home.room(job, Number.POSITIVE_INFINITY)
      if (room !== false) return { worker: home, now: room === 'now' }
    }
    const most = home === undefined ? this.#share(job) : Number.POSITIVE_INFINITY
    let soon: Worker | undefined
    let best: Worker | undefined
    let vacant: number | undefined
    for (let lane = 0; lane < this.#size; lane++) {
      const worker = this.#workers[lane]
      if (worker === undefined) {
        vacant ??= lane
        continue
      }
      const room = worker.room(job, most, this.#isUnheard)
      if (room === 'now' && (best === undefined || worker.jobs.size < best.jobs.size)) best = worker
      else if (room === 'soon' && (soon === undefined || worker.jobs.size < soon.jobs.size)) soon = worker
    }
    if (best?.idle === true) return { worker: best, now: true }
    const started = vacant !== undefined && job.run.free > 0 ? this.#startWorker(vacant, job) : undefined
    if (started !== undefined) return { worker: started, now: true }
    if (best !== undefined) return { worker: best, now: true }
    // what lies elsewhere is not moved only to wait
    return soon === undefined || home !== undefined ? undefined : { worker: soon, now: false }
  }

  /** Undefined where there are no descriptors for another process, or no room for its files. */
  #startWorker(lane: number, job: Job): Worker | undefined {
    if (this.#roomTimer !== undefined) return undefined
    this.#world.files.sweep()
    let worker: Worker
    try {
      needDescriptors(descriptors)
      worker = new Worker({ ...this.#start, id: this.#owner.nextWorker() }, this.#world, this)
    } catch (error) {
      if (this.#awaitRoom()) giveUp(job, error)
      return undefined
    }
    if (worker.pid !== undefined) this.#noRoomSince = undefined
    this.#living += 1
    this.#workers[lane] = worker
    this.#owner.started(worker)
    return worker
  }

  /** It is tried again soon; true where that was in vain for long, and nothing goes on that would leave room. */
  #awaitRoom(): boolean {
    const now = performance.now()
    this.#noRoomSince ??= now
    this.#roomTimer ??= setTimeout(() => {
      this.#roomTimer = undefined
      this.dispatch()
    }, roomMs)
    return now - this.#noRoomSince >= noRoomMs && this.#workers.every((worker) => worker?.pid === undefined)
  }

  #dropRetired(): void {
    for (const [lane, worker] of this.#workers.entries()) {
      if (worker?.retired !== true) continue
      this.#workers[lane] = undefined
    }
  }

  /** The worker that holds most of what the job is given, if it takes attempts. */
  #homeOf(job: Job): Worker | undefined {
    let home: Worker | undefined
    let most = 0
    for (const worker of this.#workers) {
      if (worker === undefined || worker.retired) continue
      let bytes = 0
      for (const ref of job.held) if (this.#world.held.holderOf(ref.handle) === worker) bytes += ref.size
      if (bytes <= most) continue
      home = worker
      most = bytes
    }
    return home
  }
}

function giveUp(job: Job, error: unknown): void {
  if (!(error instanceof AlmanacError)) {
    lose(job, (error as Error).message)
    return
  }
  job.leave()
  job.live.fail('error', errorRecord(error.code, error.details), true)
}

function lose(job: Job, why: string): void {
  job.leave()
  job.live.lost(`no process could be started: ${why}`)
}
