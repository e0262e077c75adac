import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Attempt, AttemptEnd, Executor, ExecutorListener } from '../../ports/executor.ts'
import { systemClock } from '../../system/system-clock.ts'
import { taskSpec } from '../task-spec.ts'
import { Recorder } from './recorder.ts'

/** An executor of Python tasks under the real clock, with sources that a test writes. */
export class PythonBench {
  readonly heard = new Recorder()
  /** the first held values that were lost */
  readonly lost: Promise<readonly number[]>
  readonly executor: Executor
  readonly folder: string
  #attempts = 0

  constructor(open: (clock: Clock, listener: ExecutorListener) => Executor) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'python-')))
    const lost = Promise.withResolvers<readonly number[]>()
    this.lost = lost.promise
    this.executor = open(systemClock, Object.assign(this.heard, { heldLost: lost.resolve }))
  }

  /** Writes a source file; the path of it. */
  write(name: string, source: string): string {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, source)
    return path
  }

  task(file: string, name: string, more: Partial<TaskSpec> & { readonly threads?: number } = {}): TaskSpec {
    const { threads = 1, ...rest } = more
    return taskSpec(name, { kind: 'python', file, function: name, threads }, rest)
  }

  attempt(
    task: TaskSpec,
    inputs: Readonly<Record<string, Value>> = {},
    more: Partial<Attempt> = {},
  ): Attempt {
    const call = ++this.#attempts
    const scratch = join(this.folder, `scratch-${call}`)
    mkdirSync(scratch)
    return {
      id: `r1/${call}.1`,
      run: 'r1',
      call,
      attempt: 1,
      key: `key-${call}`,
      task,
      inputs,
      outputs: {},
      scratch,
      idempotencyKey: `once-${call}`,
      memoryBytes: 0,
      env: {},
      logicalTime: Date.UTC(2026, 0, 2),
      ...more,
    }
  }

  /** Submits an attempt and waits for its end. */
  async run(
    task: TaskSpec,
    inputs: Readonly<Record<string, Value>> = {},
    more: Partial<Attempt> = {},
  ): Promise<AttemptEnd> {
    const attempt = this.attempt(task, inputs, more)
    this.executor.submit([attempt])
    return this.heard.end(attempt.id)
  }

  /** The one unnamed value of an attempt that must succeed. */
  async value(
    task: TaskSpec,
    inputs: Readonly<Record<string, Value>> = {},
    more: Partial<Attempt> = {},
  ): Promise<Value> {
    const end = await this.run(task, inputs, more)
    if (end.kind !== 'succeeded') throw new Error(`${task.name}: ${JSON.stringify(end)}`)
    return end.values['']
  }

  /** The message of an attempt that must fail, with its code. */
  async failure(
    task: TaskSpec,
    inputs: Readonly<Record<string, Value>> = {},
    more: Partial<Attempt> = {},
  ): Promise<string> {
    const end = await this.run(task, inputs, more)
    if (end.kind !== 'failed') throw new Error(`${task.name}: ${JSON.stringify(end)}`)
    return `${end.error.code} ${end.error.message}`
  }

  /** Throws where the executor has told of an attempt what none may. */
  async close(): Promise<void> {
    await this.executor.close()
    rmSync(this.folder, { recursive: true, force: true })
    this.heard.close()
  }
}
