import type { ErrorRecord, NoteType, RunId, Time } from '../model/records.ts'
import type { HeldRef } from '../model/refs.ts'
import type { FailureReason } from '../model/states.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'

/**
 * Where attempts are executed. An executor never decides policy: no retry, no order, no limit.
 *
 * X1 each submitted attempt ends exactly once: `succeeded`, `failed`, `lost`, `unbegun` or `inputs-gone`, or, if asked, `cancelled`.
 * X2 nothing is reported for an attempt after its end.
 * X3 after `cancel` no process of the attempt is left when its end is reported.
 * X4 `close` ends all attempts and leaves no process, temporary file or shared memory behind.
 * X5 the death of the process that hosts the executor, even by `kill -9`, ends its attempts' processes too.
 */
export interface Executor {
  /** `inline`, `python`, `command`, … */
  readonly name: string
  /** attempts leave this process's control, so they wait until what they depend on is durable */
  readonly afterCommit: boolean
  accepts(task: TaskSpec): boolean
  /** Attempts travel in batches; the listener is the same for the executor's whole life. */
  submit(attempts: readonly Attempt[]): void
  /**
   * The function that makes calls goes on, so that the event loop does not turn for a while, and nothing is heard:
   * what was submitted begins now, and as much as bears it goes to wait where it is executed. Absent where nothing
   * is executed meanwhile.
   */
  beginNow?(): void
  /** How many attempts of a run should be submitted ahead now (`Attempt.behind`), for none to wait for the engine. */
  ahead?(): number
  /** What of the run has not begun does not, until that is taken back. */
  holdBack?(run: RunId, held: Held): void
  cancel(attempt: AttemptId, graceMs: number): void
  /** Lets go of values held for these refs' handles (see `HeldRef`). */
  release?(handles: readonly number[]): void
  /** Writes a held value where it can be kept, or undefined where it is gone. */
  persist?(handle: number): Promise<Uint8Array | undefined>
  /** What `persist` gave, as a held value again: `ref` with a new holder and handle. */
  restore?(bytes: Uint8Array, ref: HeldRef): Promise<HeldRef>
  close(): Promise<void>
}

/**
 * What is held back of a run: nothing; what is `new`, as who decides on it does not keep up, while what waits already
 * where it is executed may begin; or `all`, as the run is paused: what has not begun, and may be begun again, ends as
 * `unbegun`, so that the run comes to rest.
 */
export type Held = false | 'new' | 'all'

/** Unique in a process, for good: to be told from others, and nothing else. */
export type AttemptId = number | string

export interface Attempt {
  readonly id: AttemptId
  readonly run: RunId
  readonly call: number
  /** 1, 2, … */
  readonly attempt: number
  /** what a result that stays in a worker's memory is known by: the call, its code and its inputs */
  readonly key: string
  readonly task: TaskSpec
  /**
   * Arguments by name; files and directories in them have `at`: their staged, read-only path.
   * A function task called with positions gets `{ args: [...] }`.
   */
  readonly inputs: Readonly<Record<string, Value>>
  /** Output name → absolute path to leave it at. The parent directory exists, the path does not. */
  readonly outputs: Readonly<Record<string, string>>
  /** an empty directory of this attempt's own, removed afterwards: working directory of commands */
  readonly scratch: string
  /** stable over attempts of an effect: same run and call, same key */
  readonly idempotencyKey: string
  readonly timeoutMs?: number | undefined
  readonly heartbeatMs?: number | undefined
  readonly memoryBytes: number
  /** declared environment variables with their values */
  readonly env: Readonly<Record<string, string>>
  /**
   * Submitted ahead: of a run's attempts so many fewer may run at once as were submitted like this. The end of any
   * of them leaves its place to one that was.
   */
  readonly behind?: boolean | undefined
  /** How soon its result is needed: lower is sooner. Absent: nobody is known to need it. */
  readonly neededAt?: number | undefined
  /** Nobody else needs the held values among its inputs, as far as is known: they may go when it has succeeded. */
  readonly usesUp?: boolean | undefined
  /** values that the task needs to know: logical time, trace */
  readonly logicalTime: Time
  /** the function of an inline task; absent for all others */
  readonly fn?: ((...args: never[]) => unknown) | undefined
}

/** What an executor says about its attempts. Calls are synchronous and never throw. */
export interface ExecutorListener {
  /** Before anything else that is said of it; left out where the end says how long it took (`AttemptEnd.tookMs`). */
  started(attempt: AttemptId): void
  log(attempt: AttemptId, lines: readonly LogLine[]): void
  /** a sign of life without news */
  heartbeat(attempt: AttemptId): void
  note(attempt: AttemptId, note: AttemptNote): void
  ended(attempt: AttemptId, end: AttemptEnd): void
  /** Held values died with their worker; attempts that were given them end as `inputs-gone`. */
  heldLost?(handles: readonly number[]): void
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr' | 'log'
  readonly text: string
  readonly at: Time
}

export interface AttemptNote {
  readonly type: NoteType
  readonly name: string
  readonly body: Value
}

export type AttemptEnd =
  /** values by output name (`''` for a single unnamed one); declared files and directories are at their paths */
  | {
      readonly kind: 'succeeded'
      readonly values: Readonly<Record<string, Value>>
      readonly usage?: Usage | undefined
      /** the author's code as a process has it loaded: while that is the same, so is this. Looked at by identity only */
      readonly code?: object | undefined
      /** so long ago it began, which nobody was told: it had ended before anything else could happen */
      readonly tookMs?: number | undefined
    }
  | {
      readonly kind: 'failed'
      readonly reason: FailureReason
      readonly error: ErrorRecord
      /** false: trying again cannot help (a type error in the call, a terminal error) */
      readonly retryable: boolean
      readonly usage?: Usage
    }
  /** its worker died; not the author's doing, spends none of the retries */
  | { readonly kind: 'lost'; readonly error: ErrorRecord }
  /** it never began: held values among its inputs died with their worker; rebuild them and submit it again */
  | { readonly kind: 'inputs-gone'; readonly handles: readonly number[] }
  /** all of its run was held back before it began */
  | { readonly kind: 'unbegun' }
  | { readonly kind: 'cancelled' }

export interface Usage {
  readonly cpuMs?: number
  readonly maxRssBytes?: number
}
