import type { ErrorRecord } from '../../model/records.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { AttemptNote, LogLine } from '../../ports/executor.ts'

/**
 * What host and thread tell each other: lists of orders, or of reports, as one JSON text (which is cheaper than
 * structured clones of many small things), with the shared buffers that the other side does not know yet and large
 * bytes beside it.
 */
export type Message =
  | string
  | {
      readonly text: string
      readonly buffers: readonly (readonly [id: number, buffer: SharedArrayBuffer])[]
      readonly parts: readonly Uint8Array[]
    }

/** What a thread is told. */
export type Order =
  | readonly ['task', id: number, name: string, at: readonly string[], outputs: TaskSpec['outputs'] | null]
  | readonly ['run', seq: number, task: number, inputs: unknown, traits: number, about: AboutAttempt]
  /** so many may run at once */
  | readonly ['width', width: number]
  | readonly ['cancel', seq: number]
  /** after the gate was closed: these go elsewhere, and the gate opens */
  | readonly ['recalled', seqs: readonly number[]]
  /** buffers of its own that nobody uses any more */
  | readonly ['free', ids: readonly number[]]
  /** buffers that are gone */
  | readonly ['forget', ids: readonly number[]]
  /** what `left` said */
  | readonly ['heard', bytes: number]

/** Bits of an order to run: its beginning is told at once; it takes arrays in; it may begin before what came earlier. */
export const traits = { announced: 1, takesArrays: 2, mayPass: 4 } as const

/** What a function may ask its context for. */
export type AboutAttempt = readonly [
  run: string,
  call: number,
  attempt: number,
  idempotencyKey: string,
  logicalTime: number,
  scratch?: string,
  outputs?: Readonly<Record<string, string>>,
  variables?: Readonly<Record<string, string>>,
]

/** What a thread tells. */
export type Report =
  | readonly ['ready']
  | readonly ['begun', seq: number]
  | readonly ['ok', seq: number, values: Readonly<Record<string, unknown>>, ms: number, cpuMs?: number]
  | readonly ['failed', seq: number, failure: Failure, ms: number]
  | readonly ['log', seq: number, stream: LogLine['stream'], lines: readonly string[]]
  | readonly ['note', seq: number, type: AttemptNote['type'], name: string, body: unknown]
  | readonly ['heartbeat', seq: number]
  /** thrown where nobody caught it, by code of this attempt if that is known: the thread ends */
  | readonly ['threw', seq: number, failure: Failure]
  /** free buffers that it does not keep */
  | readonly ['dropped', ids: readonly number[]]
  /** bytes of arrays in all results so far */
  | readonly ['left', bytes: number]

export interface Failure {
  readonly reason: 'error' | 'outputs' | 'memory'
  readonly error: ErrorRecord
  readonly retryable: boolean
}

/**
 * Words of the memory that host and thread share beside messages, which a function that never returns would not read.
 *
 * `begun`: the number of the attempt that was begun last. The host closes the gate by making it negative; the thread
 * begins the next one by replacing the number that it knows, so exactly one of the two succeeds.
 */
export const words = { begun: 0, heeds: 1, count: 2 } as const

export interface ThreadStart {
  readonly almanac: 'thread'
  readonly port: MessagePortLike
  readonly number: number
  readonly control: SharedArrayBuffer
  /** bytes of free buffers that it may keep */
  readonly keeps: number
}

/** What a host's end and a thread's end of their channel have. */
export interface MessagePortLike {
  postMessage(message: Message): void
  on(event: 'message', heard: (message: Message) => void): unknown
}
