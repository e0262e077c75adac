import type { TaskSpec } from '../../model/task.ts'
import type { ArrayType } from '../../model/task-context.ts'
import type { AttemptNote, LogLine } from '../../ports/executor.ts'
import type { TaskLog } from '../functions/console-capture.ts'
import { type ContextOwner, FunctionContext } from '../functions/function-context.ts'
import { type AboutAttempt, type Failure, traits } from './messages.ts'
import type { ThreadMemory } from './thread-memory.ts'
import type { TaskFunction } from './thread-tasks.ts'

/** A task as its thread knows it: being found, found, or why it is not. */
export interface ThreadTask extends Pick<TaskSpec, 'outputs'> {
  found: TaskFunction | Failure | undefined
}

/** What a call tells while it runs. */
export interface CallVoice {
  log(seq: number, stream: LogLine['stream'], lines: readonly string[]): void
  note(seq: number, note: AttemptNote): void
  heartbeat(seq: number): void
  heeds(): void
}

/** One attempt in its thread. Owns the memory that it has taken. */
export class TaskCall implements TaskLog, ContextOwner {
  readonly seq: number
  readonly task: ThreadTask
  readonly inputs: unknown
  readonly announced: boolean
  readonly takesArrays: boolean
  readonly mayPass: boolean
  attempt: ContextOwner['attempt']
  readonly variables: Readonly<Record<string, string>> | undefined
  readonly parts: readonly Uint8Array[]
  readonly context: FunctionContext
  /** buffers taken for arrays that may become results */
  readonly taken: number[] = []
  ended = false
  begunAt = 0
  cpu: NodeJS.CpuUsage | undefined
  readonly #voice: CallVoice
  readonly #memory: ThreadMemory

  constructor(
    order: readonly [seq: number, task: ThreadTask, inputs: unknown, traits: number, about: AboutAttempt],
    parts: readonly Uint8Array[],
    voice: CallVoice,
    memory: ThreadMemory,
  ) {
    const [seq, task, inputs, has, about] = order
    const [run, call, attempt, idempotencyKey, logicalTime, scratch = '', outputs = {}, variables] = about
    this.seq = seq
    this.task = task
    this.inputs = inputs
    this.announced = (has & traits.announced) !== 0
    this.takesArrays = (has & traits.takesArrays) !== 0
    this.mayPass = (has & traits.mayPass) !== 0
    this.attempt = { run, call, attempt, idempotencyKey, logicalTime, scratch, outputs }
    this.variables = variables
    this.parts = parts
    this.#voice = voice
    this.#memory = memory
    this.context = new FunctionContext(this)
  }

  lines(stream: LogLine['stream'], texts: readonly string[]): void {
    if (!this.ended && texts.length > 0) this.#voice.log(this.seq, stream, texts)
  }

  log(stream: LogLine['stream'], text: string): void {
    this.lines(stream, [text])
  }

  note(note: AttemptNote): void {
    if (!this.ended) this.#voice.note(this.seq, note)
  }

  heartbeat(): void {
    if (!this.ended) this.#voice.heartbeat(this.seq)
  }

  heeds(): void {
    this.#voice.heeds()
  }

  empty<A>(type: ArrayType<A>, length: number): A {
    const { id, array } = this.#memory.empty(type, length)
    this.taken.push(id)
    return array
  }
}
