import type { RunId } from '../../model/records.ts'
import type { ArrayType, TaskContext } from '../../model/task-context.ts'
import type { Attempt, AttemptNote, LogLine } from '../../ports/executor.ts'
import { artifactNote, eventNote, metricNote, progressNote } from '../notes.ts'

/** Whose context it is, and where goes what it says. */
export interface ContextOwner {
  readonly attempt: Pick<
    Attempt,
    'outputs' | 'run' | 'call' | 'attempt' | 'idempotencyKey' | 'logicalTime' | 'scratch'
  > &
    Partial<Pick<Attempt, 'inputs'>>
  log(stream: LogLine['stream'], text: string): void
  note(note: AttemptNote): void
  heartbeat(): void
  /** it may heed a request to stop from now on */
  heeds?(): void
  /** memory for an array, where there is some */
  empty?<A>(type: ArrayType<A>, length: number): A
}

/**
 * The context of one attempt of a function. Most tasks use little or none of it, and there may be a million a second: so every
 * member is a getter that makes what it gives when it is asked for, bound, so that it can be taken out.
 */
export class FunctionContext implements TaskContext {
  readonly #live: ContextOwner
  #abort: AbortController | undefined

  constructor(live: ContextOwner) {
    this.#live = live
  }

  get out(): TaskContext['out'] {
    return this.#live.attempt.outputs
  }

  get context(): TaskContext['context'] {
    return (this.#live.attempt.inputs?.['context'] ?? {}) as TaskContext['context']
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      this.#live.heeds?.()
    }
    return this.#abort.signal
  }

  get empty(): TaskContext['empty'] {
    return (type, length) =>
      this.#live.empty?.(type, length) ?? new type(new ArrayBuffer(length * type.BYTES_PER_ELEMENT))
  }

  get run(): RunId {
    return this.#live.attempt.run
  }

  get call(): number {
    return this.#live.attempt.call
  }

  get attempt(): number {
    return this.#live.attempt.attempt
  }

  get idempotencyKey(): string {
    return this.#live.attempt.idempotencyKey
  }

  get logicalTime(): Date {
    return new Date(this.#live.attempt.logicalTime)
  }

  get scratch(): string {
    return this.#live.attempt.scratch
  }

  get log(): TaskContext['log'] {
    return (text) => this.#live.log('log', String(text))
  }

  get event(): TaskContext['event'] {
    return (name, body = {}) => this.#live.note(eventNote(name, body))
  }

  get metric(): TaskContext['metric'] {
    return (name, value, options) => this.#live.note(metricNote(name, value, options?.step))
  }

  get artifact(): TaskContext['artifact'] {
    return (name, artifact) => this.#live.note(artifactNote(name, artifact, this.scratch))
  }

  get progress(): TaskContext['progress'] {
    return (done, total) => this.#live.note(progressNote(done, total))
  }

  get heartbeat(): TaskContext['heartbeat'] {
    return () => this.#live.heartbeat()
  }

  /** The task has asked for its signal: it may heed it. */
  static heeds(context: FunctionContext): boolean {
    return context.#abort !== undefined
  }

  /** Tells the task to stop. Static, so that no task finds it on its context. */
  static abort(context: FunctionContext): void {
    context.#abort ??= new AbortController()
    context.#abort.abort()
  }
}
