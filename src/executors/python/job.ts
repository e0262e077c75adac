import { dirname } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { valueNames } from '../results.ts'
import type { SharedFile } from './shared-files.ts'
import { heldIn } from './wire.ts'

/** A Python function as tasks name it. Owns what its calls have shown of it. */
export class TaskFunction {
  readonly id: number
  readonly file: string
  readonly name: string
  readonly threads: number
  readonly reads: readonly string[]
  /** names of outputs that are values; absent: one unnamed value */
  readonly values: readonly string[] | undefined
  /** nothing waits behind it any more: one of its calls was long, or with others in a worker that died */
  alone = false
  #meanMs: number | undefined

  constructor(id: number, task: TaskSpec) {
    if (task.body.kind !== 'python')
      throw new AlmanacError('ALM_BUG', { why: `${task.name} is no Python task` })
    this.id = id
    this.file = task.body.file
    this.name = task.body.function
    this.threads = Math.max(1, task.body.threads)
    this.reads = task.reads
    this.values = valueNames(task)
  }

  get directory(): string {
    return dirname(this.file)
  }

  took(ms: number): void {
    this.#meanMs = this.#meanMs === undefined ? ms : this.#meanMs * 0.8 + ms * 0.2
  }

  /** How many calls may wait in a worker: so much work that the way there and back does not count, and no more. */
  get ahead(): number {
    if (this.#meanMs === undefined || this.alone || this.threads > 1) return 0
    return Math.min(maxAhead, Math.floor(aheadMs / Math.max(this.#meanMs, 0.001)))
  }

  /** What the worker is told of it, once. */
  get message(): readonly unknown[] {
    return ['fn', this.id, this.file, this.name, this.threads, this.reads, this.values ?? null]
  }
}

const aheadMs = 4
const maxAhead = 256

/** The functions of all tasks that were submitted. */
export class TaskFunctions {
  readonly #byTask = new WeakMap<TaskSpec, TaskFunction>()
  readonly #byName = new Map<string, TaskFunction>()

  of(task: TaskSpec): TaskFunction {
    const known = this.#byTask.get(task)
    if (known !== undefined) return known
    const made = new TaskFunction(this.#byName.size + 1, task)
    const name = JSON.stringify(made.message.slice(2))
    const one = this.#byName.get(name) ?? made
    this.#byName.set(name, one)
    this.#byTask.set(task, one)
    return one
  }
}

/** An attempt within this executor. */
export class Job {
  readonly seq: number
  readonly live: LiveAttempt<Job>
  readonly function: TaskFunction
  readonly held: readonly HeldRef[]
  phase: 'waiting' | 'moving' | 'sent' = 'waiting'
  begun = false
  /** the worker says when it begins: nothing may wait behind it, and it behind nothing */
  announced = false
  /** shared files that are its own until it has ended */
  readonly blobs: SharedFile[] = []
  /** shared files with held values that it was sent with */
  segments: string[] = []
  /** lines of events that were none */
  refusedLines = 0
  /** bytes resident in the worker when it began, where its memory is bounded */
  residentBefore = 0

  constructor(seq: number, live: LiveAttempt<Job>, fn: TaskFunction) {
    this.seq = seq
    this.live = live
    this.function = fn
    this.held = heldIn(live.attempt.inputs)
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
