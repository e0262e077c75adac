import type { RunId } from '../../model/records.ts'
import type { TaskContext } from '../../model/task-context.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { artifactNote, eventNote, metricNote, progressNote } from '../notes.ts'

/**
 * The context of one inline attempt. Most tasks use little or none of it, and there may be a million a second: so every
 * member is a getter that makes what it gives when it is asked for, bound, so that it can be taken out.
 */
export class InlineContext implements TaskContext {
  readonly #live: LiveAttempt<InlineContext>
  #abort: AbortController | undefined

  constructor(live: LiveAttempt<InlineContext>) {
    this.#live = live
  }

  get out(): TaskContext['out'] {
    return this.#live.attempt.outputs
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    return this.#abort.signal
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
  static heeds(context: InlineContext): boolean {
    return context.#abort !== undefined
  }

  /** Tells the task to stop. Static, so that no task finds it on its context. */
  static abort(context: InlineContext): void {
    context.#abort ??= new AbortController()
    context.#abort.abort()
  }
}
