import type { RunId } from './records.ts'
import type { FileRef } from './refs.ts'
import type { Value } from './value.ts'

/**
 * What a function task is told, and what it can say, while it runs: its last argument. Every member may be taken
 * out of it (`({ out, log }) => …`).
 */
export interface TaskContext {
  /** Output name → absolute path to leave it at; the parent directory exists. */
  readonly out: Readonly<Record<string, string>>
  /** The documents that the task declares (`context`), by name. */
  readonly context: Readonly<Record<string, unknown>>
  /** Aborted when the attempt shall end: cancelled, out of time, or silent for too long. */
  readonly signal: AbortSignal
  readonly run: RunId
  readonly call: number
  /** 1, 2, … */
  readonly attempt: number
  /** the same for all attempts of this call in this run: for outside systems that act at most once per key */
  readonly idempotencyKey: string
  readonly logicalTime: Date
  /** an empty directory of this attempt's own, removed afterwards */
  readonly scratch: string
  /**
   * A new array that may hold anything: set every element. In a thread it lies in memory that is shared and used again,
   * so that returning it copies nothing.
   */
  readonly empty: <A>(type: ArrayType<A>, length: number) => A
  /** Adds lines to the attempt's log, as `console.log` does. */
  readonly log: (text: string) => void
  /** Reports a named event. @throws ALM_VALUE_REFUSED */
  readonly event: (name: string, body?: Value) => void
  /** Reports a number that runs are compared by. */
  readonly metric: (name: string, value: number, options?: { readonly step?: number }) => void
  /** Shows something to people at once. @throws ALM_VALUE_REFUSED */
  readonly artifact: (name: string, artifact: Artifact) => void
  /** Says how far it is; `total` may be left out where it is not known. */
  readonly progress: (done: number, total?: number) => void
  /** A sign of life, for a task with a heartbeat that has nothing else to say. */
  readonly heartbeat: () => void
}

/** `Float64Array` and its like. */
export interface ArrayType<A> {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, offset?: number, length?: number): A
}

/**
 * Something to be looked at. Files are paths of the attempt's own, absolute or relative to its scratch directory;
 * in a workflow they are files that tasks left. What they hold when the attempt ends is kept with the run.
 */
export type Artifact =
  | { readonly kind: 'markdown'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly Readonly<Record<string, Value>>[] }
  | { readonly kind: 'image'; readonly path: string | FileRef; readonly alt?: string }
  | { readonly kind: 'link'; readonly url: string; readonly title?: string }
  /** a chart as plain data, in the form of Vega-Lite */
  | { readonly kind: 'plot'; readonly spec: Value }
