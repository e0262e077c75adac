import { availableParallelism } from 'node:os'
import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord, RunId } from '../../model/records.ts'
import type { HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Attempt, AttemptId, Executor, ExecutorListener, Held } from '../../ports/executor.ts'
import { isEmpty } from '../../util/empty.ts'
import { ArrayBudget } from '../array-budget.ts'
import type { TaskFunction } from '../jobs/job.ts'
import { giveBackSoon, Job, TaskFunctions } from '../jobs/job.ts'
import { JobRuns } from '../jobs/job-runs.ts'
import type { ExecutorOptions } from '../lifecycle.ts'
import { Attempts, nameOf, unhurried } from '../lifecycle.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { usableMemory } from '../usable-memory.ts'
import { compileThreshold } from './compile-threshold.ts'
import { HeldCopies } from './held-copies.ts'
import { HeldValues } from './held-values.ts'
import { type PythonHome, PythonHomes } from './homes.ts'
import { SharedFiles } from './shared-files.ts'
import { Watchdog } from './watchdog.ts'
import type { Worker, WorkerWorld } from './worker.ts'
import { workerEnvironment } from './worker-environment.ts'
import type { GroupOwner } from './worker-group.ts'
import { WorkerGroup } from './worker-group.ts'

export interface PythonExecutorOptions extends ExecutorOptions {
  /** processes for each interpreter and directory; the machine's cores unless told */
  readonly processes?: number
  /** attempts after which a process is replaced; 500 000 unless told: memory is looked at anyway */
  readonly tasksPerProcess?: number
  /** resident bytes, without held arrays, from which on a process is replaced; its share of 60 % of the memory unless told */
  readonly residentLimit?: number
  /** ms after which processes that rest are looked at; 5000 unless told */
  readonly restMs?: number
  /** of results that processes hold: what is more goes to disk; 60 % of the memory unless told */
  readonly arrays?: ArrayBudget
  /** where values pass between processes, and what takes them when that is full; shared memory and temporary files unless told */
  readonly places?: readonly [string, string]
  /** what tells this machine from others, and from itself before it was started anew; its name unless told */
  readonly machine?: string
  /** runs tasks one at a time, in a process on the terminal under a debugger */
  readonly debug?: 'pdb' | 'debugpy'
  /** where environments are made; the user's cache directory unless told */
  readonly cacheDir?: string
  /** what is said while an environment is made, line by line */
  readonly onProgress?: (line: string) => void
}

/** Opens the executor of Python tasks: warm processes, one task at a time in each unless the task allows threads. */
export const openPythonExecutor = (options: PythonExecutorOptions, listener: ExecutorListener): Executor =>
  new PythonExecutor(options, listener)

/**
 * Owns the groups of workers, the table of held values, the shared files and the watchdog.
 *
 * E1 an attempt waits for its environment, then belongs to one group until it has ended
 * E2 a group is there while something waits in it or a process of it lives: variables may have other values for each call
 * E3 under a debugger one attempt runs at a time, and none is watched for time or memory
 */
class PythonExecutor implements Executor, GroupOwner {
  readonly name = 'python'
  readonly afterCommit = false
  readonly #options: PythonExecutorOptions
  readonly #processes: number
  readonly #attempts: Attempts<Job>
  readonly #functions = new TaskFunctions()
  readonly #files: SharedFiles
  readonly #held: HeldValues
  readonly #copies: HeldCopies
  #watchdog: Watchdog | undefined
  readonly #world: WorkerWorld
  readonly #groups = new Map<string, WorkerGroup>()
  /** group of a function's attempts without variables of their own: what is looked up for each of many */
  #usual = new WeakMap<TaskFunction, { readonly home: PythonHome; readonly group: WorkerGroup }>()
  readonly #workers = new Set<Worker>()
  readonly #homes: PythonHomes
  readonly #stop = new AbortController()
  readonly #runs = new JobRuns()
  #jobs = 0
  #workerIds = 0
  #ticks = 0
  #timer: NodeJS.Timeout | undefined
  #every = 0
  #allExited: (() => void) | undefined

  constructor(options: PythonExecutorOptions, listener: ExecutorListener) {
    this.#options = options
    this.#processes = options.debug === undefined ? (options.processes ?? availableParallelism()) : 1
    const [place, spare] = options.places ?? []
    this.#files = new SharedFiles(place, spare, options.machine)
    this.#held = new HeldValues(this.#files, options.arrays ?? new ArrayBudget(usableMemory()), () => {
      for (const group of this.#groups.values()) queueMicrotask(() => group.dispatch())
    })
    this.#copies = new HeldCopies(this.#held, this.#files, this.#workers)
    this.#homes = new PythonHomes({
      ...(options.cacheDir !== undefined && { cacheDir: options.cacheDir }),
      ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
      signal: this.#stop.signal,
    })
    this.#attempts = new Attempts<Job>(options, listener, {
      stop: (live, force) => this.#stopAttempt(live, force),
      listen: (live) => {
        for (const worker of this.#workers) if (live.state !== undefined) worker.listen(live.state)
      },
    })
    this.#world = {
      files: this.#files,
      held: this.#held,
      limits: this.#attempts.limits,
      tasksPerProcess: options.tasksPerProcess ?? 500_000,
      residentLimit: options.residentLimit ?? usableMemory() / this.#processes,
      heldLost: (handles) => listener.heldLost?.(handles),
    }
  }

  accepts(task: TaskSpec): boolean {
    return task.body.kind === 'python'
  }

  submit(attempts: readonly Attempt[]): void {
    const touched = new Set<WorkerGroup>()
    compileThreshold.submitted(attempts.length === 1 && this.#attempts.size === 0)
    for (const attempt of attempts) {
      const live = this.#attempts.add(this.#options.debug === undefined ? attempt : unhurried(attempt))
      if (live === undefined) continue
      const body = attempt.task.body
      if (body.kind !== 'python') {
        refuseSoon(live)
        continue
      }
      this.#jobs += 1
      const job = new Job(
        this.#jobs,
        live,
        this.#functions.of(attempt.task),
        this.#runs.of(attempt.run),
        this.#held,
      )
      job.enter()
      live.state = job
      if (job.run.held === 'all') queueMicrotask(() => job.giveBack())
      const home = this.#homes.of(body.env)
      if (home instanceof Promise) void this.#addWhenThere(job, home)
      else touched.add(this.#enter(job, home))
    }
    // nothing is told before the caller has returned
    for (const group of touched) queueMicrotask(() => group.dispatch())
    this.#schedule()
  }

  beginNow(): void {
    for (const group of this.#groups.values()) group.beginNow()
  }

  ahead(): number {
    return this.#functions.window * this.#processes * 2
  }

  holdBack(name: RunId, held: Held): void {
    const run = this.#runs.hold(name, held)
    if (run?.held === 'all') {
      for (const worker of this.#workers) worker.askBack(run)
      giveBackSoon(run, this.#attempts)
    }
    if (run?.held === false) for (const group of this.#groups.values()) queueMicrotask(() => group.dispatch())
  }

  cancel(attempt: AttemptId, graceMs: number): void {
    this.#attempts.cancel(attempt, graceMs)
  }

  release(handles: readonly number[]): void {
    this.#held.release(handles)
  }

  persist(handle: number): Promise<Uint8Array | undefined> {
    return this.#copies.persist(handle)
  }

  restore(bytes: Uint8Array, ref: HeldRef): Promise<HeldRef> {
    return Promise.resolve(this.#copies.restore(bytes, ref, this.name))
  }

  close(): Promise<void> {
    this.#stop.abort()
    return this.#attempts.close(() => this.#end())
  }

  nextWorker(): number {
    this.#workerIds += 1
    return this.#workerIds
  }

  started(worker: Worker): void {
    this.#workers.add(worker)
    if (this.#options.debug === undefined) {
      this.#watchdog ??= new Watchdog([`${this.#files.prefix}-`, `${this.#files.spare}-`])
      if (worker.pid !== undefined) this.#watchdog.watch(worker.pid)
    }
    this.#makeRoom()
  }

  exited(worker: Worker): void {
    this.#workers.delete(worker)
    if (worker.pid !== undefined) this.#watchdog?.forget(worker.pid)
    if (this.#workers.size === 0) this.#allExited?.()
    // under a debugger another group may go on
    if (this.#options.debug !== undefined) for (const group of this.#groups.values()) group.dispatch()
  }

  mayBegin(): boolean {
    if (this.#stop.signal.aborted) return false
    return this.#options.debug === undefined || [...this.#workers].every((worker) => worker.idle)
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer)
    const gone = new Promise<void>((resolve) => {
      this.#allExited = resolve
    })
    for (const worker of this.#workers) worker.kill('the executor was closed')
    if (this.#workers.size > 0) await gone
    await this.#watchdog?.close()
    this.#files.close()
  }

  #stopAttempt(live: LiveAttempt<Job>, force: boolean): void {
    const job = live.state
    // what has ended is told of by its worker, which is ended already
    if (job?.phase === 'over') return
    const worker = job && [...this.#workers].find((one) => one.jobs.has(job))
    if (job === undefined || worker === undefined) {
      job?.leave()
      live.stopped()
    } else worker.stopJob(job, force, `attempt ${nameOf(live.attempt)} was ended by force`)
  }

  async #addWhenThere(job: Job, home: Promise<PythonHome>): Promise<void> {
    let found: PythonHome
    try {
      found = await home
    } catch (error) {
      job.leave()
      job.live.fail('error', homeFailure(error), false)
      return
    }
    if (job.live.ended) return
    this.#enter(job, found).dispatch()
    this.#schedule()
  }

  #enter(job: Job, home: PythonHome): WorkerGroup {
    const { env } = job.live.attempt
    const plain = isEmpty(env)
    const usual = plain ? this.#usual.get(job.function) : undefined
    const group = usual?.home === home ? usual.group : this.#groupFor(job, home)
    if (plain) this.#usual.set(job.function, { home, group })
    group.add(job)
    return group
  }

  #groupFor(job: Job, home: PythonHome): WorkerGroup {
    const { env } = job.live.attempt
    const { directory } = job.function
    const name = JSON.stringify([home.python, home.isolated, directory, Object.entries(env).sort()])
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    const start = {
      holder: this.name,
      python: home.python,
      isolated: home.isolated,
      directory,
      ...workerEnvironment(env),
      places: [this.#files.prefix, this.#files.spare],
      limits: this.#attempts.limits,
      ...(this.#options.debug !== undefined && { debug: this.#options.debug }),
    }
    const group = new WorkerGroup(start, this.#processes, this.#world, this)
    this.#groups.set(name, group)
    return group
  }

  /** Many groups would leave many idle processes: those that rested longest go. */
  #makeRoom(): void {
    let over = this.#workers.size - 2 * this.#processes - 2
    if (over <= 0) return
    const idle = [...this.#workers].filter((worker) => worker.idle && !worker.retired)
    idle.sort((a, b) => a.idleSince - b.idleSince)
    for (const worker of idle) {
      if (over <= 0) return
      if (this.#held.bytesIn(worker) > 0) continue
      worker.retire()
      over -= 1
    }
  }

  #schedule(): void {
    const every = this.#attempts.size > 0 ? tickMs : (this.#options.restMs ?? usualRestMs)
    if (this.#timer !== undefined && this.#every <= every) return
    clearTimeout(this.#timer)
    this.#every = every
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#tick(every === tickMs)
      if (this.#attempts.size > 0 || this.#workers.size > 0) this.#schedule()
    }, every)
    this.#timer.unref()
  }

  #tick(busy: boolean): void {
    this.#ticks += 1
    const now = performance.now()
    for (const worker of [...this.#workers]) {
      if (!worker.idle) {
        worker.tick()
        if (this.#options.debug === undefined && this.#ticks % 4 === 0) worker.watchMemory()
      } else if (now - worker.idleSince > leaveAfterMs && this.#held.bytesIn(worker) === 0) {
        worker.retire()
      } else if (!busy) {
        worker.rest()
      }
    }
    this.#dropGroups()
  }

  #dropGroups(): void {
    const { size } = this.#groups
    for (const [name, group] of this.#groups) if (group.isEmpty) this.#groups.delete(name)
    if (this.#groups.size < size) this.#usual = new WeakMap()
  }
}

function refuseSoon(live: LiveAttempt<Job>): void {
  const error = errorRecord('ALM_BUG', { why: `${live.attempt.task.name} is no Python task` })
  queueMicrotask(() => live.fail('error', error, false))
}

const tickMs = 250
const usualRestMs = 5000
const leaveAfterMs = 300_000

function homeFailure(error: unknown): ErrorRecord {
  if (isAlmanacError(error)) return errorRecord(error.code, error.details)
  return errorRecord('ALM_BUG', { why: error instanceof Error ? error.message : String(error) })
}
