import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { AttemptNote } from '../../ports/executor.ts'
import { AssignedJobs } from '../jobs/assigned-jobs.ts'
import type { Job } from '../jobs/job.ts'
import { nameOf } from '../lifecycle.ts'
import { tellDeath } from './ends.ts'
import { type AboutAttempt, type Failure, type Report, traits } from './messages.ts'
import type { BufferHolder, SharedArrays } from './shared-arrays.ts'
import { Thread, type ThreadExit, type ThreadOptions } from './thread.ts'
import { pack, type Unpacking, unpack } from './values.ts'

/** What a thread's executor hears of it. */
export interface ThreadOwner {
  readonly arrays: SharedArrays
  /** it has room for more, or is to get no more */
  changed(): void
  /** an attempt that never began here and must go elsewhere */
  returned(job: Job): void
  exited(worker: ThreadWorker): void
  /** something was thrown after its attempt had ended */
  warn(text: string): void
}

/**
 * A thread as the host sees it. Owns the attempts that were assigned to it, in the order in which it has them.
 *
 * W1 an attempt is with one thread until it has ended or was returned
 * W2 the buffers that an attempt was given are used until it has ended
 */
export class ThreadWorker implements BufferHolder {
  readonly jobs = new AssignedJobs((width) => this.#thread.tell(['width', width]))
  readonly #owner: ThreadOwner
  readonly #thread: Thread
  readonly #heapMb: number
  readonly #tasks = new Set<number>()
  readonly #used = new Map<Job, number[]>()
  #retired = false
  #ready = false
  /** of an attempt that threw where nobody caught it */
  #threw: { readonly seq: number; readonly failure: Failure } | undefined
  idleSince = performance.now()

  constructor(options: ThreadOptions, owner: ThreadOwner) {
    this.#owner = owner
    this.#heapMb = options.heapMb
    this.#thread = new Thread(options, {
      report: (report, parts) => this.#hear(report, parts),
      buffer: (id, buffer) => owner.arrays.learn(id, buffer, this),
      exited: (exit) => this.#exited(exit),
    })
  }

  get retired(): boolean {
    return this.#retired
  }

  get idle(): boolean {
    return this.jobs.size === 0
  }

  /** Would it begin with the job `now`, or `soon`: so soon that waiting here is best? */
  room(job: Job, most: number, unheard = false): 'now' | 'soon' | false {
    if (this.#retired) return false
    if (this.jobs.canBegin(job, most)) return 'now'
    const { ahead, aheadUnheard, alone } = job.function
    const few = alone ? 0 : unheard ? aheadUnheard : ahead
    return this.jobs.canWait(job, few + (mayPass(job) ? this.#passed : 0)) && 'soon'
  }

  /** Those that wait and are passed by what frees memory: of leaves that turned out to be large there may be many. */
  get #passed(): number {
    return Math.max(0, this.jobs.waiting - this.jobs.consumersWaiting)
  }

  /** What it was told goes off at once. */
  flush(): void {
    this.#thread.flush()
  }

  /** `begins`: it takes a place of its run, and does not wait for that of another attempt. */
  assign(job: Job, begins: boolean): void {
    if (this.idle) this.#thread.hold(true)
    this.jobs.add(job, begins)
    const away = this.#owner.arrays.away(job.handles)
    if (away.length === 0) return this.#give(job, undefined)
    job.phase = 'moving'
    let missing = away.length
    let why: string | undefined
    for (const handle of away) {
      this.#owner.arrays.fetch(handle, (problem) => {
        why ??= problem
        missing -= 1
        if (missing === 0 && this.jobs.has(job)) this.#give(job, why)
      })
    }
  }

  /** All that is held of its inputs is in memory, or gone. `problem`: why something could not be brought back. */
  #give(job: Job, problem: string | undefined): void {
    const handles = job.handles.filter((handle) => !this.#owner.arrays.has(handle))
    if (handles.length > 0) return this.#refuse(job, () => job.live.end({ kind: 'inputs-gone', handles }))
    if (problem !== undefined) {
      const error = errorRecord('ALM_STORE_FAILED', { path: 'arrays on disk', why: problem })
      return this.#refuse(job, () => job.live.fail('error', error, true))
    }
    try {
      this.#send(job)
    } catch (error) {
      if (!isAlmanacError(error)) throw error
      const record = errorRecord(error.code, error.details)
      this.#refuse(job, () => job.live.fail('error', record, false))
    }
  }

  #refuse(job: Job, tell: () => void): void {
    this.#take(job, true)
    // nothing is told while attempts are given out
    queueMicrotask(() => {
      tell()
      this.#owner.changed()
    })
  }

  /** Makes a job end that is with this thread. */
  stopJob(job: Job, force: boolean): void {
    if (job.phase === 'moving') return this.#refuse(job, () => job.live.stopped())
    const isAlone = this.jobs.size === 1
    const isDeaf = job.live.verdict?.kind === 'failed' && isAlone && !this.#thread.heeds
    if (force || isDeaf) this.kill(`attempt ${nameOf(job.live.attempt)} in it was ended by force`)
    else this.#thread.tell(['cancel', job.seq])
  }

  listen(): void {
    this.#thread.listen()
  }

  free(ids: readonly number[]): void {
    this.#thread.tell(['free', ids])
  }

  forget(ids: readonly number[]): void {
    this.#thread.tell(['forget', ids])
  }

  kill(why: string): void {
    this.#retired = true
    this.#thread.kill(why)
  }

  /** Several times a second: what waits behind an attempt that turns out to be long goes elsewhere. */
  tick(): void {
    if (this.jobs.behindLongOne().length === 0) return
    const begun = this.#thread.close()
    const jobs = [...this.jobs]
    const at = jobs.findIndex(({ seq }) => seq === begun)
    const recalled = jobs.slice(at + 1).filter((job) => !job.begun)
    this.#thread.tell(['recalled', recalled.map(({ seq }) => seq)])
    for (const job of recalled) this.#return(job)
  }

  #return(job: Job): void {
    // what was to stop meanwhile is not begun elsewhere
    const stopped = job.live.verdict !== undefined
    this.#take(job, stopped)
    if (stopped) job.live.stopped()
    else this.#owner.returned(job)
  }

  #send(job: Job): void {
    const { attempt } = job.live
    const { arrays } = this.#owner
    const used: number[] = []
    this.#used.set(job, used)
    const array = (value: object): unknown => {
      if (!(value instanceof HeldRef)) return undefined
      const found = arrays.use(value.handle, this)
      if (found === undefined) return undefined
      used.push(found.wire.id)
      if (found.buffer !== undefined) this.#thread.give(found.wire.id, found.buffer)
      return found.wire
    }
    const inputs = pack(attempt.inputs, this.#thread.parts, array)
    const { id, name, at } = job.function
    if (!this.#tasks.has(id)) {
      this.#tasks.add(id)
      this.#thread.tell(['task', id, name, at ?? [], attempt.task.outputs ?? null])
    }
    job.phase = 'sent'
    this.#thread.tell(['run', job.seq, id, inputs, traitsOf(job), about(job)])
    this.jobs.tellWidth()
  }

  #hear(report: Report, parts: readonly Uint8Array[]): void {
    switch (report[0]) {
      case 'ready':
        this.#ready = true
        return
      case 'begun':
        return this.jobs.get(report[1])?.begin()
      case 'ok':
        return this.#ok(report, parts)
      case 'failed':
        return this.#failed(report)
      case 'threw':
        this.#threw = { seq: report[1], failure: report[2] }
        return
      case 'dropped':
        return this.#owner.arrays.dropped(report[1], this)
      case 'left':
        return this.#thread.tell(['heard', report[1]])
      default:
        return this.#said(report)
    }
  }

  #said(report: Extract<Report, readonly ['log' | 'note' | 'heartbeat', ...unknown[]]>): void {
    const job = this.jobs.get(report[1])
    if (job === undefined) return
    job.begin()
    if (report[0] === 'log') job.live.lines(report[2], report[3])
    else if (report[0] === 'heartbeat') job.live.heartbeat()
    else {
      const [, , type, name, body] = report
      job.live.note({ type, name, body: plain(body) } as AttemptNote)
    }
  }

  #ok(report: Extract<Report, readonly ['ok', ...unknown[]]>, parts: readonly Uint8Array[]): void {
    const [, seq, wires, ms, cpuMs] = report
    const job = this.jobs.get(seq)
    if (job === undefined) return
    job.begin()
    const { key, neededAt } = job.live.attempt
    const held: HeldRef[] = []
    const how: Unpacking = {
      parts,
      array: (wire, path) => {
        const ref = this.#owner.arrays.hold(wire, key, path, neededAt)
        if (ref !== undefined) held.push(ref)
        return ref
      },
      other: (value) => value,
    }
    const values: Record<string, Value> = {}
    for (const name of Object.keys(wires)) values[name] = unpack(wires[name], how, pathOf(name))
    this.#take(job, true)
    job.function.took(ms, held.length === 0 ? 0 : held.reduce((sum, { size }) => sum + size, 0))
    if (job.live.attempt.usesUp === true) this.#owner.arrays.release(job.handles)
    // nobody will release the results of an attempt that was given up
    if (job.live.verdict !== undefined) this.#owner.arrays.release(held.map(({ handle }) => handle))
    job.live.succeed(values, cpuMs === undefined ? undefined : { cpuMs })
    this.#owner.changed()
  }

  #failed([, seq, { reason, error, retryable }, ms]: Extract<
    Report,
    readonly ['failed', ...unknown[]]
  >): void {
    const job = this.jobs.get(seq)
    if (job === undefined) return
    job.begin()
    this.#take(job, true)
    job.function.took(ms, 0)
    job.live.fail(reason, error, retryable)
    this.#owner.changed()
  }

  /** The job is no longer with this thread: what it used is free. */
  #take(job: Job, over: boolean): void {
    this.jobs.delete(job, over)
    const used = this.#used.get(job)
    if (used !== undefined) {
      this.#used.delete(job)
      for (const id of used) this.#owner.arrays.unuse(id)
    }
    if (this.jobs.size > 0) return
    this.idleSince = performance.now()
    this.#thread.hold(false)
  }

  #exited(exit: ThreadExit): void {
    this.#retired = true
    const last = this.jobs.get(this.#thread.begun)
    last?.begin()
    const jobs = [...this.jobs]
    const begun = jobs.filter((job) => job.begun)
    for (const job of jobs) this.#take(job, begun.includes(job) || !this.#ready)
    this.#owner.arrays.ownerGone(this)
    const threw = this.#threw
    const thrower = threw && jobs.find(({ seq }) => seq === threw.seq)
    // of several nobody knows which one ended it: they are tried again one by one
    if (begun.length > 1 && exit.doom === undefined && thrower === undefined)
      for (const job of begun) job.function.suspect()
    if (threw !== undefined && thrower === undefined && begun.length !== 1)
      this.#owner.warn(`A thread ended by what a task threw after its end: ${threw.failure.error.message}`)
    for (const job of jobs) {
      if (!begun.includes(job) && this.#ready) {
        if (job.live.verdict === undefined) this.#owner.returned(job)
        else {
          job.leave()
          job.live.stopped()
        }
        continue
      }
      const isGuilty = thrower === undefined ? begun.length <= 1 : thrower === job
      tellDeath(job, { exit, threw: threw?.failure, heapMb: this.#heapMb, wasReady: this.#ready }, isGuilty)
    }
    this.#owner.exited(this)
  }
}

/** What frees memory goes first; but not where calls that wait behind a long one come back by the order of their coming. */
const mayPass = ({ held, function: { threads } }: Job): boolean => held.length > 0 && threads > 1

const traitsOf = (job: Job): number =>
  (job.announced ? traits.announced : 0) +
  (job.held.length > 0 ? traits.takesArrays : 0) +
  (mayPass(job) ? traits.mayPass : 0)

function about(job: Job): AboutAttempt {
  const { run, call, attempt, idempotencyKey, logicalTime, scratch, outputs, env } = job.live.attempt
  const first = [run, call, attempt, idempotencyKey, logicalTime] as const
  const hasEnv = Object.keys(env).length > 0
  if (scratch === '' && Object.keys(outputs).length === 0 && !hasEnv) return first
  return hasEnv ? [...first, scratch, outputs, env] : [...first, scratch, outputs]
}

const pathOf = (name: string): Path => (name === '' ? [] : [name])

const plain = (body: unknown): Value =>
  unpack(body, { parts: [], array: () => undefined, other: (value) => value })
