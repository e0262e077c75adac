import type { LimitRule } from '../model/limits.ts'
import type { Path } from '../model/path.ts'
import type { CallKind, NoteType, RunId, Time } from '../model/records.ts'
import type { SourcePlace, TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { LoadedFile } from './code.ts'

/**
 * A workflow function under way, as the calls that it makes see it. The function of a run, of each child workflow,
 * stage and branch has one of its own, so that equal calls in parallel branches are not equals.
 */
export interface Caller {
  readonly run: RunId
  /** `ingest/qc:2026-01` */
  readonly path: string
  /** when the function was entered, the same in each life of the run */
  readonly enteredAt: Time
  /**
   * Makes a call; its number is known at once, its outcome later. Futures in its arguments are `FutureRef`s; the key
   * tells equal calls apart. @throws ALM_VALUE_REFUSED, ALM_KEY_NEEDED
   */
  call(request: CallRequest, args: Value, key?: string): number
  /**
   * Gives (a field of) the outcome of a call, when it is its turn: see `docs/identity.md`, Replay. `at`: when the call
   * ended, the same in each life of the run.
   */
  outcome(
    call: number,
    path: Path,
    succeed: (value: Value, at: Time) => void,
    fail: (error: unknown, at: Time) => void,
  ): void
  /** Nobody waits for a timer any more: it ends, so that it does not hold the run. */
  withdraw(timer: number): void
  /** What the function is about to throw is there because a timer rang: a resume that forgets the one has the other run anew. */
  becauseOf(timer: number, error: Error): void
  /**
   * Something was thrown that nobody can hear any more: by an async function that nobody awaits, or the failure of a
   * call at one that was given up with the function. It fails the run, unless that has ended.
   */
  unheard(error: unknown): void
  /** For functions that do not live in this process. */
  readonly remote: RemoteHost
  /** Something to show. */
  note(type: NoteType, name: string, body: Value): void
}

/** What the host of a function in another process tells, and is told. */
export interface RemoteHost {
  /** The function was given something: a replay gives nothing more until what this returns is called. */
  atWork(): () => void
  /** Called once, when the run is cancelled: the function is to come to rest. */
  whenCancelled(then: () => void): void
  /** Called once, when the run has ended or rests. */
  whenOver(then: () => void): void
  /** Asked when nothing comes any more that functions wait for: where one of them stands, if that can be told. */
  whenStuck(where: () => Promise<StuckAt | undefined>): void
  /** A file of workflows, in whichever language; a replay gives nothing more until it is there. @throws as `CodeSource.load` */
  load(file: string): Promise<LoadedFile>
  /** Limits of a workflow that was not known when its call was made. */
  declare(limits: readonly LimitRule[]): void
}

/** Where a function stands that waits for what does not come. */
export interface StuckAt {
  /** for people, as the end of a sentence: `: asyncio.Event.wait() in steps()` */
  readonly what: string
  readonly file?: string
  readonly line?: number
  readonly stack?: string
}

/** What is called. Calls of one definition share one: there may be a million of them. */
export interface CallRequest {
  readonly kind: CallKind
  readonly name: string
  readonly task?: TaskSpec
  /** the definition's function: of an inline task, a child, a predicate */
  readonly fn?: ((...args: never[]) => unknown) | undefined
  /** wants its inputs whether they succeeded or not */
  readonly tolerant?: boolean
  /** where it is called, as a stack that nobody has read: of calls of which there are few, and that fail by themselves */
  readonly calledAt?: { readonly stack?: string }
  /** limits that a child declares */
  readonly limits?: readonly LimitRule[]
  /** of what comes from outside, and is no part of what the call is known by: what came stays when these are edited */
  readonly expected?: ExpectedInput
  /** where the author said so, for what is found out later */
  readonly at?: SourcePlace
  /** checks a result before it is recorded: returns what counts, throws ALM_SCHEMA */
  readonly check?: ((value: Value) => Value | Promise<Value>) | undefined
}

/** What a call waits for. */
export interface ExpectedInput {
  readonly title: string
  /** JSON Schema */
  readonly schema: Value
  readonly timeoutMs: number | null
}

/** Which workflow function is running: follows it over every `await`. */
export interface Ambient {
  current(): Caller | undefined
  run<T>(caller: Caller, fn: () => T): T
}
