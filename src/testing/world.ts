import { hash as nodeHash } from 'node:crypto'
import { canonical } from '../core/identity/canonical.ts'
import { Engine, type RunHandle } from '../engine/engine.ts'
import type { RunListener } from '../engine/run-life.ts'
import type { RunResult, RunSettings } from '../engine/settings.ts'
import { type Workflow, type WorkflowDefinition, workflowOf } from '../flow/workflow.ts'
import { openMemoryJournal } from '../journal/memory/open.ts'
import { type MemoryStore, memoryStore } from '../journal/memory/store.ts'
import { AlmanacError } from '../model/errors.ts'
import { FileRef } from '../model/refs.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { CodeFingerprint } from '../ports/code.ts'
import type { Attempt, AttemptId, ExecutorListener } from '../ports/executor.ts'
import { nodeAmbient } from '../system/node-ambient.ts'
import { HeldExecutor, type StandIn } from './held-executor.ts'
import { HeldJournal } from './held-journal.ts'

import { type MemoryData, openMemoryData } from './memory/memory-data.ts'

import { MemoryLogs } from './memory/memory-logs.ts'
import { SeededChance } from './seeded-chance.ts'
import { VirtualClock } from './virtual-clock.ts'

const codeOf = ({ name }: TaskSpec): CodeFingerprint => ({
  digest: sha256(`code of ${name}`),
  parts: { [name]: '1' },
  warnings: [],
})

const testSettings: RunSettings = {
  cpu: 16,
  memoryBytes: 2 ** 40,
  limits: [],
  environment: 'main',
  cache: 'on',
  failFast: false,
  dryRun: false,
  depth: 20,
  mapWindow: 3,
  graceMs: 0,
  keptBytes: 2 ** 20,
  sparedCalls: 1000,
  stuckMs: 1000,
}

/** SHA-256, as the engine is given it. */
export const sha256 = (text: string): string => nodeHash('sha256', text, 'hex')

const ambient = nodeAmbient()

/**
 * A small world for the real engine: its journal and data outlive it, its clock and its tasks are in the test's hand.
 * `crash` ends the process it stands for at any moment; what was not durable is gone.
 */
export class World {
  readonly store: MemoryStore = memoryStore()
  readonly data: MemoryData = openMemoryData()
  readonly clock = new VirtualClock()
  readonly chance: SeededChance
  readonly logs = new MemoryLogs()
  /** calls whose function ran, in order, as `name(arguments)` */
  readonly executed: string[] = []
  settings: RunSettings = testSettings
  process!: WorldProcess
  readonly #tasks: Readonly<Record<string, StandIn>>

  constructor(seed = 1, options: WorldOptions = {}) {
    this.chance = new SeededChance(seed)
    this.#tasks = options.tasks ?? {}
    this.open(options)
  }

  /** A process: the engine with its journal and executor. */
  open(options: WorldOptions = {}): void {
    const memory = openMemoryJournal(this.store)
    const journal = new HeldJournal(memory.journal, options.holdCommits === true)
    let executor: HeldExecutor | undefined
    const engine = new Engine({
      journal,
      records: memory.records,
      cache: memory.cache,
      datasets: memory.datasets,
      documents: memory.documents,
      work: memory.work,
      limits: memory.limits,
      callbacks: {
        token: (run, call) => Promise.resolve(sha256(`${run} ${call}`)),
        url: (token) => `http://here/${token}`,
      },
      data: this.data,
      code: {
        fingerprint: (task) => Promise.resolve(codeOf(task)),
        known: (task) => (options.isCodeKnown === true ? codeOf(task) : undefined),
        isStill: () => true,
        load: (file) =>
          Promise.reject(new AlmanacError('ALM_LOAD_FAILED', { file, why: 'there are no files' })),
      },
      surroundings: { of: () => Promise.resolve({}), known: () => ({}) },
      logs: this.logs,
      clock: this.clock,
      chance: this.chance,
      hash: sha256,
      ambient,
      owner: { host: 'world', pid: 1, bootId: 'boot' },
      variable: () => undefined,
      executors: (listener: ExecutorListener) => {
        const tasks = options.tasks ?? this.#tasks
        executor = new HeldExecutor(listener, { afterCommit: options.afterCommit === true, tasks })
        return [executor]
      },
    })
    this.process = {
      engine,
      journal,
      records: memory.records,
      datasets: memory.datasets,
      documents: memory.documents,
      entries: memory.entries,
      executor: executor as HeldExecutor,
    }
  }

  /** Runs a workflow to its end, or until it rests. */
  async run<I, R>(
    workflow: Workflow<I, R>,
    input?: I,
    options: { readonly listener?: RunListener } = {},
  ): Promise<RunResult> {
    return this.finish(await this.start(workflow, input, options))
  }

  start<I, R>(
    workflow: Workflow<I, R>,
    input?: I,
    options: { readonly listener?: RunListener } = {},
  ): Promise<RunHandle> {
    return this.process.engine.start(definitionOf(workflow), {
      input: input as Value,
      settings: this.settings,
      ...options,
    })
  }

  /** Goes on with a run, by a person's `resume` unless told. */
  async resume<I, R>(run: string, workflow: Workflow<I, R>, options: ResumeOptions = {}): Promise<RunResult> {
    return this.finish(await this.startResume(run, workflow, options))
  }

  async startResume<I, R>(
    run: string,
    workflow: Workflow<I, R>,
    options: ResumeOptions = {},
  ): Promise<RunHandle> {
    const record = await this.process.records.run(run)
    if (record === undefined) throw new AlmanacError('ALM_RUN_UNKNOWN', { run })
    const { forget = 'uncaught', ...more } = options
    return this.process.engine.resume(definitionOf(workflow), record, {
      settings: this.settings,
      forget,
      ...more,
    })
  }

  /** Executes whatever wants to be executed until the run has its result. */
  async finish(handle: RunHandle): Promise<RunResult> {
    let result: RunResult | undefined
    let failure: { readonly error: unknown } | undefined
    handle.result.then(
      (value) => {
        result = value
      },
      (error: unknown) => {
        failure = { error }
      },
    )
    for (let steps = 0; result === undefined && failure === undefined; steps++) {
      if (steps > 100_000) throw new AlmanacError('ALM_BUG', { why: 'the run does not end' })
      if (!(await this.step())) await this.clock.settle()
    }
    if (failure !== undefined) throw failure.error
    return result as RunResult
  }

  /** One thing happens: a commit, an attempt's end, or time passes. False if nothing can. */
  async step(): Promise<boolean> {
    await this.clock.settle()
    const { executor, journal } = this.process
    if (journal.commit()) return true
    const next = executor.open.values().next().value
    if (next !== undefined) {
      await this.execute(next.id)
      return true
    }
    return this.clock.fireNext()
  }

  async execute(id: AttemptId): Promise<void> {
    const attempt = this.process.executor.open.get(id) as Attempt
    this.executed.push(label(attempt))
    await this.process.executor.run(id)
  }

  /** Lets so many attempts end, then the process dies. */
  async crashAfter(handle: RunHandle, attempts: number): Promise<void> {
    handle.result.catch(() => {})
    let done = 0
    for (let steps = 0; done < attempts && steps < 10_000; steps++) {
      await this.clock.settle()
      const next = this.process.executor.open.values().next().value
      if (next === undefined) {
        if (!this.process.journal.commit() && !this.clock.fireNext()) break
        continue
      }
      await this.execute(next.id)
      done++
    }
    await this.clock.settle()
    await this.crash()
  }

  /** The process dies: what was not durable is gone, and nobody hears of its attempts any more. */
  async crash(options: WorldOptions = {}): Promise<void> {
    this.process.journal.die()
    await this.process.journal.close()
    this.open(options)
  }

  /** Takes the list of what was executed since the last time. */
  took(): string[] {
    return this.executed.splice(0)
  }
}

/** What the process of a world is like. */
export interface WorldOptions {
  /** records become durable when the test commits */
  readonly holdCommits?: boolean
  /** code is known without being looked up */
  readonly isCodeKnown?: boolean
  /** attempts wait until what they depend on is durable */
  readonly afterCommit?: boolean
  /** by task name, what stands for tasks that are no functions here: in Python, commands, threads */
  readonly tasks?: Readonly<Record<string, StandIn>>
}

/** The process of a world: its engine, and what the test steers it by. */
export interface WorldProcess {
  readonly engine: Engine
  readonly journal: HeldJournal
  readonly records: ReturnType<typeof openMemoryJournal>['records']
  readonly datasets: ReturnType<typeof openMemoryJournal>['datasets']
  readonly documents: ReturnType<typeof openMemoryJournal>['documents']
  readonly entries: ReturnType<typeof openMemoryJournal>['entries']
  readonly executor: HeldExecutor
}

/** How a run goes on in a world. */
export interface ResumeOptions {
  readonly forget?: 'uncaught' | 'caught' | 'none'
  readonly calls?: readonly number[]
  readonly input?: Value
  readonly listener?: RunListener
}

function definitionOf(workflow: unknown): WorkflowDefinition {
  const definition = workflowOf(workflow)
  if (definition === undefined) throw new AlmanacError('ALM_USAGE', { why: 'this is no workflow' })
  return definition
}

const label = ({ task, inputs }: Attempt): string => {
  const args = inputs['args'] ?? Object.values(inputs)
  return `${task.name}(${(args as readonly Value[]).map(shortly).join(', ')})`
}

/** As in a fingerprint, but for files by name. */
const shortly = (value: Value): string =>
  value instanceof FileRef ? value.name : canonical(value, { future: () => 'future' })
