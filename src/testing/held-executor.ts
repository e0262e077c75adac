import { errorRecord } from '../model/errors.ts'
import type { TaskSpec } from '../model/task.ts'
import { taskArguments } from '../model/task-arguments.ts'
import type { Value } from '../model/value.ts'
import type { Attempt, AttemptEnd, AttemptId, Executor, ExecutorListener } from '../ports/executor.ts'

/** What stands for a task of another language: it is given the inputs by name, and where the outputs are to be left. */
export type StandIn = (
  inputs: Readonly<Record<string, Value>>,
  told: { readonly out: Readonly<Record<string, string>> },
) => unknown

/**
 * An executor whose attempts end when the test says so, and how: concurrency is tested without waiting.
 */
export class HeldExecutor implements Executor {
  readonly name = 'held'
  readonly afterCommit: boolean
  readonly open = new Map<AttemptId, Attempt>()
  /** every attempt that was ever submitted, in order */
  readonly submitted: Attempt[] = []
  /** handles of values that were let go of, in order */
  readonly released: number[] = []
  readonly #listener: ExecutorListener
  readonly #accepts: (task: TaskSpec) => boolean
  readonly #tasks: ReadonlyMap<string, StandIn>

  constructor(
    listener: ExecutorListener,
    options: {
      readonly afterCommit?: boolean
      readonly accepts?: (task: TaskSpec) => boolean
      readonly tasks?: Readonly<Record<string, StandIn>>
    } = {},
  ) {
    this.#listener = listener
    this.afterCommit = options.afterCommit ?? false
    this.#accepts = options.accepts ?? (() => true)
    this.#tasks = new Map(Object.entries(options.tasks ?? {}))
  }

  accepts(task: TaskSpec): boolean {
    return this.#accepts(task)
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      this.open.set(attempt.id, attempt)
      this.submitted.push(attempt)
    }
  }

  beginNow(): void {
    // attempts begin and end when the test says so
  }

  start(id: AttemptId): void {
    this.#listener.started(id)
  }

  /** Ends an attempt; a second word about the same one is said too, as a faulty worker would. */
  end(id: AttemptId, end: AttemptEnd): void {
    this.open.delete(id)
    this.#listener.ended(id, end)
  }

  /** Runs the task's own function, or what stands for it, and ends the attempt with what it gives. */
  async run(id: AttemptId): Promise<void> {
    const attempt = this.open.get(id)
    if (attempt === undefined) return
    this.start(id)
    const call = this.#callOf(attempt)
    if (call === undefined) {
      const { name } = attempt.task
      const why = `a world executes functions of TypeScript alone: what stands for ${name}? new World(1, { tasks: { ${JSON.stringify(name)}: (inputs) => … } })`
      this.end(id, {
        kind: 'failed',
        reason: 'error',
        error: errorRecord('ALM_USAGE', { why }),
        retryable: false,
      })
      return
    }
    try {
      const value = (await call()) as Value
      this.end(id, { kind: 'succeeded', values: valuesOf(attempt.task, value) })
    } catch (error) {
      const { name, message } = error as Error
      this.end(id, {
        kind: 'failed',
        reason: 'error',
        error: { code: 'ALM_TASK_FAILED', message, type: name },
        retryable: true,
      })
    }
  }

  #callOf({ task, inputs, outputs, fn }: Attempt): (() => unknown) | undefined {
    if (fn === undefined) {
      const standIn = this.#tasks.get(task.name)
      return standIn && (() => standIn(inputs, { out: outputs }))
    }
    const args = (inputs['args'] ?? []) as readonly Value[]
    const told = { out: outputs, context: inputs['context'] ?? {} }
    const own = fn as unknown as (...args: readonly unknown[]) => unknown
    return () => own(...taskArguments(own, args, told))
  }

  release(handles: readonly number[]): void {
    this.released.push(...handles)
  }

  /** Values die with whoever held them. */
  lose(handles: readonly number[]): void {
    this.#listener.heldLost?.(handles)
  }

  cancel(id: AttemptId): void {
    if (this.open.has(id)) this.end(id, { kind: 'cancelled' })
  }

  close(): Promise<void> {
    this.open.clear()
    return Promise.resolve()
  }
}

/** The one declared value, or an object of several, as every executor takes them. */
function valuesOf({ outputs }: TaskSpec, value: Value): Record<string, Value> {
  if (outputs === undefined) return { '': value }
  const names = Object.keys(outputs).filter((name) => outputs[name] === 'value')
  const [only] = names
  if (only === undefined) return {}
  return names.length === 1 ? { [only]: value } : (value as Record<string, Value>)
}
