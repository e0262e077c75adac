import { AssignedJobs } from '../jobs/assigned-jobs.ts'
import type { Job } from '../jobs/job.ts'
import type { JobRun } from '../jobs/job-runs.ts'
import type { SharedFile } from '../jobs/shared-file.ts'
import type { AttemptLimits } from '../limits.ts'
import { CopyRequests } from './copy-requests.ts'
import { deliver } from './delivery.ts'
import { tellEnd } from './ends.ts'
import type { HeldValues, Holder } from './held-values.ts'
import type { EndBody, PlainValue, WorkerMessage } from './messages.ts'
import { misspoken } from './messages.ts'
import { Registrations } from './registrations.ts'
import type { SharedFiles } from './shared-files.ts'
import type { HeldPlace } from './wire.ts'
import { speakerOf, WorkerDeath } from './worker-death.ts'
import type { MemoryOf } from './worker-memory.ts'
import { WorkerMemory } from './worker-memory.ts'
import { tellEvent, WorkerOutput } from './worker-output.ts'
import type { WorkerExit, WorkerStart } from './worker-process.ts'
import { WorkerProcess } from './worker-process.ts'

/** What all workers of an executor share. */
export interface WorkerWorld {
  readonly files: SharedFiles
  readonly held: HeldValues
  readonly limits: AttemptLimits
  /** after so many attempts a worker is replaced */
  readonly tasksPerProcess: number
  /** resident bytes, without held values, from which on a worker is replaced */
  readonly residentLimit: number
  heldLost(handles: readonly number[]): void
}

/** What a worker's group hears of it. */
export interface WorkerOwner {
  /** it has room for more, or is to get no more */
  changed(worker: Worker): void
  /** an attempt that never began here and must go elsewhere */
  returned(job: Job): void
  /** there was no room for its process, and so none of these began */
  refused(jobs: readonly Job[], why: string): void
  exited(worker: Worker): void
}

/**
 * A Python process as the host sees it. Owns the attempts that were assigned to it, in the order in which it has them.
 *
 * W1 an attempt is with one worker until it has ended or was returned
 * W2 a worker that is retired gets no more, and ends when it has nothing to do and holds nothing
 * W3 a program waits for a worker until that has rested with nothing to do, and again as soon as it is asked for something
 */
export class Worker implements Holder, MemoryOf {
  readonly id: number
  readonly jobs = new AssignedJobs((width) => this.send(['width', width]))
  readonly #world: WorkerWorld
  readonly #owner: WorkerOwner
  readonly #process: WorkerProcess
  /** absent under a debugger, where the terminal has it all */
  readonly #output: WorkerOutput | undefined
  readonly #registrations = new Registrations()
  readonly #copies: CopyRequests
  /** stands for what it has loaded */
  #code: object = {}
  #retired = false
  #stopping = false
  #ready = false
  #heard = false
  readonly #memory: WorkerMemory
  #done = 0
  #afterExit: (() => void) | undefined
  idleSince = performance.now()

  /** @throws ALM_STORE_FAILED where there is no room for the files of its output */
  constructor(start: WorkerStart, world: WorkerWorld, owner: WorkerOwner) {
    this.id = start.id
    this.#world = world
    this.#owner = owner
    this.#memory = new WorkerMemory(this, world.residentLimit)
    if (start.debug === undefined)
      this.#output = new WorkerOutput(world.files, `w${start.id}-f`, world.limits)
    this.#process = new WorkerProcess(start, this.#output?.capture, {
      message: (message) => this.#hear(message),
      exited: (exit) => this.#exited(exit),
    })
    this.#copies = new CopyRequests(this.#process, world.held, world.files)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get heldBytes(): number {
    return this.#world.held.bytesIn(this)
  }

  get retired(): boolean {
    return this.#retired
  }

  get idle(): boolean {
    return this.jobs.size === 0
  }

  /**
   * Would it begin with the job `now`, or `soon`: so soon that waiting here is best? `most`: how many may run here at
   * once. `unheard`: nothing is heard for a while.
   */
  room(job: Job, most: number, unheard = false): 'now' | 'soon' | false {
    if (this.#retired) return false
    if (this.jobs.canBegin(job, most)) return 'now'
    const { ahead, aheadUnheard, alone, threads } = job.function
    if (job.held.length === 0) return this.jobs.canWait(job, unheard ? aheadUnheard : ahead) && 'soon'
    if (!this.#allHere(job) && threads === 1) return false
    // what frees memory goes first in the worker, and none of it may stand before what another worker could do
    return this.jobs.canWait(job, alone ? 0 : threads > 1 ? Number.POSITIVE_INFINITY : ahead) && 'soon'
  }

  /** `begins`: it takes a place of its run, and does not wait for that of another attempt. */
  assign(job: Job, begins: boolean): void {
    this.#process.hold(true)
    this.jobs.add(job, begins)
    job.phase = 'moving'
    if (job.held.length === 0) this.#send(job, undefined)
    else this.#sendWithHeld(job)
  }

  /** What it takes that others hold comes first. */
  #sendWithHeld(job: Job): void {
    let missing = 1
    let why: string | undefined
    const arrived = (problem?: string) => {
      why ??= problem
      missing -= 1
      if (missing > 0 || !this.jobs.has(job)) return
      if (job.run.held === 'all') this.#return(job.seq)
      else this.#send(job, why)
    }
    for (const handle of job.handles) {
      if (this.#holds(handle)) continue
      missing += 1
      this.#world.held.fetch(handle, arrived)
    }
    arrived()
  }

  /** Makes a job end that is with this worker. */
  stopJob(job: Job, force: boolean, why: string): void {
    if (job.phase === 'moving') {
      this.#take(job, true)
      job.live.stopped()
      this.#owner.changed(this)
    } else if (force) {
      this.kill(why)
    } else {
      this.#process.tell(['cancel', job.seq])
    }
  }

  export(handle: number, file: SharedFile): void {
    this.#copies.export(handle, file)
  }

  free(handles: readonly number[]): void {
    this.#memory.stirs()
    this.#process.send(['free', handles])
    this.#leaveIfDone()
  }

  /** Has a value written to be kept that it holds, or that one wrote to a file; the path of what is kept, if it is there. */
  persist(handle: number, file: SharedFile, exported?: HeldPlace): Promise<string | undefined> {
    return this.#copies.persist(handle, file, exported)
  }

  retire(): void {
    this.#retired = true
    this.#leaveIfDone()
  }

  kill(why: string): void {
    this.#process.hold(true)
    this.#retired = true
    this.#process.kill(why)
  }

  /** What it was sent goes off at once. */
  flush(): void {
    this.#process.flush()
  }

  /** For between attempts. */
  send(message: readonly unknown[]): void {
    this.#process.send(message)
  }

  /** Several times a second while it has work: takes in what long tasks say. */
  tick(): void {
    const job = this.jobs.lone()
    if (job?.begun) this.#output?.read(job)
    if (this.jobs.size > 0 && this.#ready && !this.#heard) this.#process.tell(['poke'])
    this.#heard = false
    // what waits behind an attempt that turns out to be long goes elsewhere
    this.#recall(this.jobs.behindLongOne())
  }

  /** Asks for what of the run has not begun. */
  askBack(run: JobRun): void {
    this.#recall(this.jobs.unbegun(run))
  }

  #recall(jobs: readonly Job[]): void {
    if (jobs.length > 0) this.#process.tell(['recall', jobs.map((one) => one.seq)])
  }

  /** Takes in what a job has written, where it can be told apart. */
  listen(job: Job): void {
    if (this.jobs.lone() === job) this.#output?.read(job)
  }

  /** About once a second: ends attempts that use more memory than they may. */
  watchMemory(): void {
    this.#memory.watch(this.jobs)
  }

  /** It has had nothing to do for a while: gives back what it does not need. */
  rest(): void {
    if (!this.idle) return
    this.#output?.capture.shrink(false)
    this.#memory.rest()
    if (this.#copies.size === 0) this.#process.hold(false)
  }

  #send(job: Job, problem: string | undefined): void {
    const { held, files } = this.#world
    const delivery = deliver(job, problem, held, files, this)
    if ('refuse' in delivery) {
      this.#take(job, true)
      delivery.refuse(job.live)
      this.#owner.changed(this)
      return
    }
    this.#memory.stirs()
    if (job.live.attempt.memoryBytes > 0) this.#memory.before(job)
    for (const message of this.#registrations.of(job)) this.send(message)
    job.phase = 'sent'
    this.#process.sendRun(job, delivery.inputs)
    this.jobs.tellWidth()
  }

  #hear(message: WorkerMessage): void {
    this.#heard = true
    switch (message.kind) {
      case 'ready':
        this.#ready = true
        return
      case 'begun':
        this.jobs.get(message.seq)?.begin()
        return
      case 'log':
        this.#log(message.seq, message.lines)
        return
      case 'note': {
        const job = this.jobs.get(message.seq)
        if (job !== undefined) tellEvent(job, message.line)
        return
      }
      case 'said':
        this.#output?.said(message.sizes)
        return
      case 'rss':
        if (this.#memory.weigh(message.resident, this.jobs)) this.retire()
        return
      case 'spoilt':
        this.#retired = true
        return
      case 'loaded':
        this.#code = {}
        return
      case 'stale':
        this.#stale(message.seq)
        return
      case 'recalled':
        // each goes before those that wait: the first of them at last
        for (const seq of message.seqs.toReversed()) this.#return(seq)
        return
      case 'end':
        this.#end(message.seq, message.body)
        return
      case 'ok':
        this.#ok(message)
        return
      case 'unmapped':
        this.#world.held.use(message.segment, this.id, -1)
        return
      case 'exported':
        this.#copies.exported(message)
        return
      case 'persisted':
        this.#copies.persisted(message)
    }
  }

  #log(seq: number, lines: readonly (readonly [string, string, number])[]): void {
    const job = this.jobs.get(seq)
    if (job === undefined) return
    job.begin()
    // what was printed before comes first
    this.listen(job)
    for (const [stream, text] of lines) {
      job.live.log(stream === 'stdout' || stream === 'stderr' ? stream : 'log', text)
    }
  }

  /** How most attempts end. */
  #ok({ seqs, us, cpuUs, values }: Extract<WorkerMessage, { kind: 'ok' }>): void {
    for (let at = 0; at < seqs.length; at++) {
      const seq = seqs[at] as number
      const job = this.jobs.get(seq)
      if (job === undefined) throw misspoken(`the end of an attempt that it does not have: ${seq}`)
      const value = values[at] as PlainValue
      this.#okOf(job, value, (us[at] ?? 0) / 1000, (cpuUs[at] ?? 0) / 1000)
    }
    this.#goOn()
  }

  #okOf(job: Job, value: PlainValue, ms: number, cpuMs: number): void {
    const values = { [job.function.values?.[0] ?? '']: value }
    if (job.live.verdict !== undefined) {
      this.#end(job.seq, { ...nothingElse, values, ms, cpuMs })
      return
    }
    // that it began need not be told, as it has ended
    job.begun = true
    this.#output?.end(job)
    this.#take(job, true)
    job.function.took(ms, 0)
    this.#done += 1
    job.live.succeedAtOnce(values, ms, { usage: { cpuMs }, code: this.#code })
  }

  #goOn(): void {
    if (this.#done >= this.#world.tasksPerProcess) this.#retired = true
    this.#leaveIfDone()
    this.#owner.changed(this)
  }

  #end(seq: number, body: EndBody): void {
    const job = this.jobs.get(seq)
    if (job === undefined) throw misspoken(`the end of an attempt that it does not have: ${seq}`)
    for (const [handle, size] of body.held) {
      if (Math.floor(handle / 2 ** 32) !== this.id) throw misspoken('a held value that is not its own')
      this.#world.held.add(handle, size, this, job.live.attempt.neededAt)
    }
    const left = body.held.reduce((sum, [, size]) => sum + size, 0)
    this.#memory.heard(left)
    if (body.usedUp.length > 0) this.#world.held.release(body.usedUp.filter((handle) => this.#holds(handle)))
    for (const segment of body.mapped) this.#world.held.use(segment, this.id, 1)
    const isGiven = body.failure === undefined && !body.cancelled && job.live.verdict === undefined
    // as with those that end at once: how long it took is known, and not when
    if (isGiven) job.begun = true
    else job.begin()
    this.#output?.end(job)
    this.#take(job, true)
    job.function.took(body.ms, left)
    this.#done += 1
    if (job.live.verdict !== undefined) {
      // nobody will release the results of an attempt that was given up
      this.#world.held.release(body.held.map(([handle]) => handle))
      if (this.#endsWith(() => tellEnd(job, body, this.#world.files, this.#code))) return
    }
    tellEnd(job, body, this.#world.files, this.#code)
    this.#goOn()
  }

  /**
   * An attempt that was interrupted may leave anything behind: children, half a library's state. If nothing else is
   * lost by it the process ends before the attempt's end is told.
   */
  #endsWith(then: () => void): boolean {
    this.#retired = true
    if (this.jobs.size > 0 || this.heldBytes > 0) return false
    this.#afterExit = then
    this.kill('an attempt in it was interrupted')
    return true
  }

  #stale(seq: number): void {
    this.#retired = true
    this.#return(seq)
    this.#leaveIfDone()
  }

  #return(seq: number): void {
    const job = this.jobs.get(seq)
    if (job === undefined) return
    // what was to stop meanwhile is not begun elsewhere
    const stopped = job.live.verdict !== undefined
    this.#take(job, stopped)
    if (stopped) job.live.stopped()
    else this.#owner.returned(job)
  }

  /** The job is no longer with this worker: what it used is free. */
  #take(job: Job, over: boolean): void {
    this.jobs.delete(job, over)
    for (const segment of job.segments) this.#world.held.use(segment, this.id, -1)
    for (const file of job.blobs) this.#world.files.give(file)
    if (job.segments.length > 0) job.segments = []
    if (job.blobs.length > 0) job.blobs = []
    if (this.jobs.size === 0) this.idleSince = performance.now()
  }

  #leaveIfDone(): void {
    if (!this.#retired || this.#stopping || this.jobs.size > 0 || this.heldBytes > 0) return
    this.#stopping = true
    this.#process.stop()
  }

  #holds(handle: number): boolean {
    return this.#world.held.holderOf(handle) === this
  }

  #allHere(job: Job): boolean {
    return job.held.every((ref) => this.#holds(ref.handle))
  }

  #exited(exit: WorkerExit): void {
    this.#retired = true
    const jobs = [...this.jobs]
    const speaker = speakerOf(jobs, exit)
    if (speaker?.announced === false || !this.#ready) speaker?.begin()
    this.#output?.close(speaker)
    this.#world.files.remove(`w${this.id}-`)
    this.#copies.close()
    const death = new WorkerDeath(jobs, {
      exit,
      wasReady: this.#ready,
      outOfMemory: exit.signal === 'SIGKILL' && exit.doom === undefined && this.#memory.ranOut,
      lastWords: this.#output?.lastWords ?? [],
    })
    for (const job of jobs) this.#take(job, !death.unbegun.includes(job))
    const lost = this.#world.held.holderGone(this)
    if (lost.length > 0) this.#world.heldLost(lost)
    death.suspect()
    this.#afterExit?.()
    death.tell()
    if (exit.noRoom === true) this.#owner.refused(death.unbegun, exit.doom ?? '')
    else for (const job of death.unbegun) this.#owner.returned(job)
    this.#owner.exited(this)
  }
}

/** of an attempt that ended with a plain value */
const nothingElse = { blobs: false, held: [], usedUp: [], mapped: [], cancelled: false, peak: 0 }
