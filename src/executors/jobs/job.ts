import { dirname } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { valueNames } from '../results.ts'
import { heldIn } from './held-inputs.ts'
import { Interner } from './interner.ts'
import type { JobRun } from './job-runs.ts'
import type { SharedFile } from './shared-file.ts'

/** A function that workers run, as tasks name it: of Python, or of a thread. Owns what its calls have shown of it. */
export class TaskFunction {
  readonly id: number
  readonly file: string
  readonly name: string
  readonly threads: number
  readonly reads: readonly string[]
  /** of a thread's: where it was defined */
  readonly at: readonly string[] | undefined
  /** names of outputs that are values; absent: one unnamed value */
  readonly values: readonly string[] | undefined
  #aloneFor = 0
  /** its results stay in the worker: calls of it are dealt in runs, so that what is made of them lies together */
  holds = false
  /** what its results that are held have alike */
  readonly interner = new Interner()
  /** attempts that have not ended */
  live = 0
  #meanMs: number | undefined
  /** held of each result */
  #meanBytes = 0

  constructor(id: number, task: TaskSpec) {
    const { body } = task
    if (body.kind !== 'python' && body.kind !== 'thread')
      throw new AlmanacError('ALM_BUG', { why: `${task.name} is no task of a worker` })
    this.id = id
    this.at = body.kind === 'thread' ? body.at : undefined
    this.file = body.kind === 'thread' ? (body.at[0] ?? '') : body.file
    this.name = body.kind === 'thread' ? body.name : body.function
    this.threads = Math.max(1, body.threads)
    this.reads = task.reads
    this.values = valueNames(task)
  }

  get directory(): string {
    return dirname(this.file)
  }

  /** Nothing is beside it or waits behind it: one of its calls was long, or with others in a worker that died. */
  get alone(): boolean {
    return this.#aloneFor > 0
  }

  /** Its calls go alone until enough of them have gone well. */
  suspect(): void {
    this.#aloneFor = callsAlone
  }

  /** Bytes that a call of it is expected to leave in its worker. */
  get expects(): number {
    return this.#meanBytes
  }

  took(ms: number, heldBytes: number): void {
    if (heldBytes > 0) this.holds = true
    // a large one may be the first of many
    this.#meanBytes = Math.max(heldBytes, this.#meanBytes * 0.9 + heldBytes * 0.1)
    if (this.#aloneFor > 0) this.#aloneFor -= 1
    const mean = this.#meanMs
    // one that was interrupted by others says little of the next
    this.#meanMs = mean === undefined ? ms : mean * 0.9 + Math.min(ms, 4 * mean + 0.1) * 0.1
  }

  /**
   * How many calls may wait in a worker behind those that run: so much work that the way there and back does not
   * count, and no more; nor so many that what they leave behind piles up before its consumers are there. With threads some calls end at any time, and a few may wait even if they are long.
   */
  get ahead(): number {
    if (this.#meanMs === undefined || this.alone) return 0
    const most = this.holds ? Math.min(runLength, Math.floor((2 * aheadBytes) / this.#meanBytes)) : maxAhead
    const short = Math.min(most, Math.floor(aheadMs / Math.max(this.#meanMs, 0.001)))
    if (this.threads === 1) return short
    const few = this.holds
      ? Math.max(1, Math.min(threadsAhead, (2 * aheadBytes) / this.#meanBytes))
      : threadsAhead
    return Math.max(short, Math.floor(few))
  }

  /** The same where nothing is heard for a while: work for that long, and a run of calls where threads take turns anyway. */
  get aheadUnheard(): number {
    const { ahead } = this
    if (ahead === 0 || this.threads === 1) return ahead
    const most = this.holds ? Math.floor((2 * aheadBytes) / this.#meanBytes) : maxAhead
    const enough = Math.floor((unheardMs * this.threads) / Math.max(this.#meanMs ?? 0, 0.001))
    return Math.max(ahead, Math.min(Math.max(runLength, enough), maxAhead, most))
  }

  /** How many of its calls a process has use for beyond those that run: a power of two, so that it seldom changes. */
  get window(): number {
    const dealt = this.holds && this.threads > 1 ? Math.max(runLength, this.aheadUnheard) : 0
    const ahead = Math.max(this.ahead, dealt)
    // asked at each end, and of most as many as there may be
    return ahead === 0 || ahead === maxAhead ? ahead : 2 ** Math.ceil(Math.log2(ahead))
  }

  /** Its calls are so short that nobody needs to know when each begins. */
  get short(): boolean {
    return this.#meanMs !== undefined && !this.alone && this.#meanMs < aheadMs
  }

  /** What the worker is told of it, once. */
  get message(): readonly unknown[] {
    return ['fn', this.id, this.file, this.name, this.threads, this.reads, this.values ?? null]
  }
}

/** leaves that lie side by side are dealt to one worker in runs of so many */
export const runLength = 64

const aheadMs = 4
/** a function that makes thousands of calls does not let the event loop turn for so long */
const unheardMs = 500
const aheadBytes = 16 * 2 ** 20
const callsAlone = 200
const maxAhead = 256
const threadsAhead = 4

/** The functions of all tasks that were submitted. */
export class TaskFunctions {
  readonly #byTask = new WeakMap<TaskSpec, TaskFunction>()
  readonly #byName = new Map<string, TaskFunction>()

  of(task: TaskSpec): TaskFunction {
    const known = this.#byTask.get(task)
    if (known !== undefined) return known
    const made = new TaskFunction(this.#byName.size + 1, task)
    const name = JSON.stringify([made.message.slice(2), made.at, task.outputs])
    const one = this.#byName.get(name) ?? made
    this.#byName.set(name, one)
    this.#byTask.set(task, one)
    return one
  }

  /** How many more calls a process has use for: as many as bear it least, of those that are here. */
  get window(): number {
    let window: number | undefined
    for (const one of this.#byName.values()) {
      if (one.live > 0) window = Math.min(window ?? one.window, one.window)
    }
    return window ?? 0
  }
}

/** Where it is counted which held values attempts need. */
interface Wants {
  want(handles: readonly number[], change: 1 | -1): void
}

/** An attempt within this executor. */
export class Job {
  readonly seq: number
  readonly live: LiveAttempt<Job>
  readonly function: TaskFunction
  readonly run: JobRun
  readonly held: readonly HeldRef[]
  /** `over`: that it has ended may still have to be told, when its worker is gone */
  phase: 'waiting' | 'moving' | 'sent' | 'over' = 'waiting'
  begun = false
  /** the worker says when it begins: nothing may wait behind it, and it behind nothing */
  announced = false
  /** it waits for nobody in its worker */
  begins = true
  /** its worker was asked for it back */
  recalled = false
  /** nothing may be beside it in its worker */
  alone = false
  /** bytes that it is counted for in `JobRun.expected` */
  expected = 0
  /** shared files that are its own until it has ended */
  blobs: SharedFile[] = noFiles
  /** shared files with held values that it was sent with */
  segments: string[] = noSegments
  /** workers that died while it was in them, begun or not */
  deaths = 0
  /** lines of events that were none */
  refusedLines = 0
  /** bytes resident in the worker when it began, where its memory is bounded */
  residentBefore = 0

  readonly #wants: Wants

  constructor(seq: number, live: LiveAttempt<Job>, fn: TaskFunction, run: JobRun, wants: Wants) {
    this.#wants = wants
    this.seq = seq
    this.live = live
    this.function = fn
    this.run = run
    this.held = heldIn(live.attempt.inputs)
  }

  enter(): void {
    if (this.held.length > 0) this.#wants.want(this.handles, 1)
    this.function.live += 1
    this.run.enter(this.live.attempt.behind === true)
  }

  /** It has ended; of several who say so, the first is right. */
  leave(): void {
    if (this.phase === 'over') return
    this.phase = 'over'
    if (this.held.length > 0) this.#wants.want(this.handles, -1)
    this.function.live -= 1
    this.run.leave()
  }

  /** It ends where all of its run is held back; but an effect, as a person would be asked whether it took place. */
  giveBack(): void {
    if (this.run.held !== 'all' || this.phase !== 'waiting' || this.live.ended) return
    if (this.live.attempt.task.policy.effect) return
    this.leave()
    this.live.end({ kind: 'unbegun' })
  }

  get handles(): number[] {
    return this.held.map((ref) => ref.handle)
  }

  /** It may wait in a worker behind others: nothing depends on when it begins. */
  get patient(): boolean {
    const { timeoutMs, heartbeatMs, memoryBytes, task } = this.live.attempt
    return timeoutMs === undefined && heartbeatMs === undefined && memoryBytes === 0 && !task.policy.effect
  }

  begin(): void {
    if (this.begun) return
    this.begun = true
    this.live.started()
    this.live.watch()
  }
}

const noFiles: SharedFile[] = []
const noSegments: string[] = []

/** Gives back what has not begun of a run, of which all is held back; nothing is told before the caller has returned. */
export const giveBackSoon = (run: JobRun, attempts: Iterable<LiveAttempt<Job>>): void =>
  queueMicrotask(() => {
    for (const { state } of [...attempts]) if (state?.run === run) state.giveBack()
  })
