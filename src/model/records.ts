import type { DigestOf } from './digest.ts'
import type { Digest } from './refs.ts'
import type { CallState, EndState, FailureReason, RunState } from './states.ts'
import type { Value } from './value.ts'

/**
 * What the journal keeps. Records are only ever appended; a run's commits are a prefix of its records.
 * Text fields called `…Wire` hold values in the form of `codec.ts`.
 */

export type RunId = string

/** Milliseconds since 1970, UTC. */
export type Time = number

/** An error as it is kept: the catalogue's code, the author's own words, and where. */
export interface ErrorRecord {
  /** a code of `errors.ts` */
  readonly code: string
  readonly message: string
  /** what the task's own language called it: `ValueError`, `TypeError`, `exit 3` */
  readonly type?: string
  /** the class of what was raised and those above it: in Python each with its module, `builtins.ValueError` */
  readonly types?: readonly string[]
  /** what an exception group of Python holds, within bounds: `except*` looks into it */
  readonly group?: readonly Pick<ErrorRecord, 'message' | 'type' | 'types' | 'group'>[]
  /** the author's file and line */
  readonly file?: string
  readonly line?: number
  /** the stack or traceback, in the task's own terms */
  readonly stack?: string
  /** what to do next, one sentence */
  readonly hint?: string
  /** the call at which it began, where that is another one */
  readonly call?: number
}

/** A run as it is listed: mutable only through `RunChange` records. */
export interface RunRecord {
  readonly id: RunId
  readonly workflow: string
  /** path of the workflow's file, relative to the project; absent for embedded runs without one */
  readonly file?: string
  readonly environment: string
  readonly state: RunState
  readonly inputWire: string
  /** command line options that a resume needs again, as JSON */
  readonly optionsWire: string
  readonly codeDigest?: Digest
  readonly gitCommit?: string
  readonly name?: string
  readonly tags: readonly string[]
  readonly createdAt: Time
  readonly startedAt?: Time
  readonly endedAt?: Time
  readonly outputWire?: string
  readonly error?: ErrorRecord
  /** ids of calls whose failure reached the run's end uncaught: what a person's `resume` forgets */
  readonly uncaught: readonly number[]
  /** process that owns or last owned it */
  readonly host?: string
  readonly pid?: number
  readonly bootId?: string
  /** calls by state, kept by the journal in the transaction that changes them, never counted by scanning */
  readonly counts: Readonly<Partial<Record<CallState, number>>>
  readonly executed: number
  readonly reused: number
  /** ms of work that the run cache and carried entries of maps saved; absent where they saved none */
  readonly savedMs?: number
  /** what started it, if that was a workflow */
  readonly triggeredBy?: Trigger
}

/** The call that started a run. */
export interface Trigger {
  readonly run: RunId
  readonly call: number
  /** runs above it: 1 for what a person's run started */
  readonly depth: number
}

export type CallKind =
  | 'task'
  | 'map'
  | 'entry'
  | 'child'
  | 'trigger'
  | 'local'
  | 'view'
  | 'sleep'
  | 'timer'
  | 'now'
  | 'random'
  | 'ask'
  | 'receive'
  | 'send'
  | 'callback'
  | 'read'
  | 'publish'
  | 'get'
  | 'put'
  | 'patch'

/** A call was made. Written once per call over the whole life of a run. */
export interface CallMade {
  readonly kind: 'call'
  /** dense within the run, stable over resumes */
  readonly call: number
  readonly key: Digest
  /** the caller's path, e.g. `ingest/child#0` */
  readonly caller: string
  readonly name: string
  readonly call_kind: CallKind
  /** arguments, futures as call ids */
  readonly argsWire: string
  /** the author told it from its equals by a key; entries of maps have their paths for that, and do not say so */
  readonly keyed?: true
  readonly at: Time
}

/** A call has ended. The newest outcome of a call is the one that counts; `forgotten` takes one back. */
export interface Outcome {
  readonly kind: 'outcome'
  readonly call: number
  /** position in the order in which outcomes are given back to the workflow function; unique in the run */
  readonly order: number
  readonly state: EndState
  readonly reason: string
  /** absent where inputs never became known */
  readonly fingerprint?: Digest | undefined
  /** instead of it: whoever keeps the outcome computes it, as the run itself has no use for that of a call that is new */
  readonly fingerprintOf?: DigestOf | undefined
  readonly valueWire?: string | undefined
  /** digest of the value's canonical form, where the run cache keeps it */
  readonly digest?: Digest | undefined
  readonly error?: ErrorRecord
  /** the run and call that did the work, where another did (`cached`, `replayed` from another key) */
  readonly origin?: { readonly run: RunId; readonly call: number }
  readonly attempt: number
  readonly startedAt: Time
  readonly endedAt: Time
  /** work that a reuse saved or an execution cost, ms of wall time */
  readonly costMs: number
  /** entries of a map: how many were executed, carried, removed; `savedMs`: the work that the carried ones once cost */
  readonly map?: {
    readonly executed: number
    readonly carried: number
    readonly removed: number
    readonly savedMs?: number
  }
  /** the message that the call received: given to no other while this outcome stands */
  readonly message?: number
}

/**
 * An attempt began (only where that must be known after a crash: effects), was spent without an outcome, or is to stop
 * because the run was cancelled: whoever takes the run over gives it up as well.
 */
export interface AttemptRecord {
  readonly kind: 'attempt'
  readonly call: number
  readonly attempt: number
  readonly phase: 'started' | 'failed' | 'stopping'
  readonly reason?: FailureReason
  /** false where the failure does not spend one of the author's retries (a lost worker) */
  readonly spent?: boolean
  readonly error?: ErrorRecord
  readonly startedAt: Time
  readonly at: Time
}

/** `warning`: what the author should know, said by the engine, an executor or a host. */
export type NoteType = 'event' | 'metric' | 'artifact' | 'progress' | 'warning'

/** Something a task or the workflow said: shown and kept, of no consequence for replay. */
export interface Note {
  readonly kind: 'note'
  readonly call?: number
  readonly attempt?: number
  readonly type: NoteType | 'stage'
  readonly name: string
  readonly bodyWire: string
  readonly at: Time
}

/**
 * A question to a person was put, or something else from outside is waited for. Put once more (by a process that goes on with the run), it keeps an answer of which
 * nothing is recorded yet.
 */
export interface AskRecord {
  readonly kind: 'ask'
  readonly call: number
  readonly title: string
  /** JSON Schema of the answer, as JSON */
  readonly schemaWire: string
  /** artifacts and values to be judged */
  readonly showWire: string
  readonly to?: string
  /** it waits for no person, but for a message by that name, or for whoever has the URL of a callback */
  readonly of?: 'receive' | 'callback'
  readonly name?: string
  /** SHA-256 of the token in the URL */
  readonly token?: Digest
  /** it is open again: an answer before did not count, or was about something else */
  readonly again?: true
  readonly at: Time
}

/** A run sent a message: out, or to another run of the journal. A call sends one, however often it says so. */
export interface SentRecord {
  readonly kind: 'sent'
  readonly call: number
  readonly name: string
  readonly valueWire: string
  readonly to?: RunId
  readonly at: Time
}

/** A message to the run was set aside: it did not fit what the call wanted, which goes on waiting. */
export interface AsideRecord {
  readonly kind: 'aside'
  readonly call: number
  /** its `seq` */
  readonly message: number
  readonly error: ErrorRecord
  readonly at: Time
}

/** What became of a message that was sent. */
export interface SentMessage {
  readonly seq: number
  /** it had not been sent before */
  readonly isNew: boolean
}

/** A message to a run or from one, as it is kept. */
export interface Message {
  /** its place among all messages of the journal */
  readonly seq: number
  readonly direction: 'in' | 'out'
  readonly name: string
  readonly valueWire: string
  readonly at: Time
  /** who sent it, where that was a person or a program */
  readonly by?: string
  /** what tells deliveries of one message from others */
  readonly id?: string
  /** the call that received it, or sent it */
  readonly call?: number
  /** the run that sent it, or that it was sent to */
  readonly run?: RunId
  /** why it was set aside */
  readonly error?: ErrorRecord
}

/** An entry of the run cache: visible to every run once committed. The first one of a fingerprint that is young enough wins. */
export interface CacheRecord {
  readonly kind: 'cache'
  readonly fingerprint: Digest
  readonly name: string
  readonly call: number
  readonly valueWire: string
  readonly digest: Digest
  /** blobs the value needs: trees and files */
  readonly blobs: readonly Digest[]
  readonly costMs: number
  readonly at: Time
  /** parts of the fingerprint by name, for `why`, as JSON */
  readonly partsWire: string
  /** bytes of the files and the value in it */
  readonly bytes?: number
  /** it takes the place of those of its fingerprint before: a person had it made anew, or their files are gone */
  readonly replaces?: true
  /** its task said that it may vary: another result is no surprise */
  readonly varies?: true
  /** what its task showed besides: a list of `Shown`; whoever takes the result shows that again */
  readonly shownWire?: string
}

/** Something that a task showed, and that belongs to its result: of each name the newest. */
export interface Shown {
  readonly type: 'artifact' | 'metric'
  readonly name: string
  readonly body: Value
  /** the entry of a map that showed it */
  readonly entry?: string
}

/** Two executions of one fingerprint gave different results: its task is not what it says it is. */
export interface VariationRecord {
  readonly kind: 'variation'
  readonly fingerprint: Digest
  readonly name: string
  readonly call: number
  /** of the result that is kept, and of the other one */
  readonly digest: Digest
  readonly other: Digest
  readonly at: Time
}

/** The result of a map by what it was made with: the base of the next one. The newest wins. */
export interface BaseRecord {
  readonly kind: 'base'
  /** digest of code, parameters and other inputs, without the mapped directory */
  readonly base: Digest
  readonly name?: string
  readonly environment: string
  readonly call: number
  /** tree that was mapped */
  readonly input: Digest
  readonly valueWire: string
  readonly at: Time
  /** ms that all of its entries once took */
  readonly costMs?: number
  /** what its entries showed: a list of `Shown` */
  readonly shownWire?: string
}

/** How a call's fingerprint came about, for `why`. Written for calls that were looked up or executed. */
export interface PartsRecord {
  readonly kind: 'parts'
  readonly call: number
  readonly fingerprint: Digest
  /** part name → digest or short text, as JSON */
  readonly partsWire: string
  /**
   * one word: `hit`; `waited` for one that executed the same, or still `waits`; `miss`; `old` and `gone`, an entry that was
   * no use; `off`; `other`, the same of one that this run executed with other inputs before; `unused` and `refresh`, as the
   * run was told
   */
  readonly verdict: string
  /** the parts that it had before an edit, as the journal gives them back */
  readonly beforeWire?: string
}

/**
 * What changed about the run itself. Fields absent stay as they were, but a run that leaves an end loses what told of
 * that end: `endedAt`, `outputWire`, `error`, `uncaught`.
 */
export interface RunChange {
  readonly kind: 'run'
  readonly state: RunState
  readonly at: Time
  readonly outputWire?: string
  readonly error?: ErrorRecord
  readonly uncaught?: readonly number[]
  readonly codeDigest?: Digest
  /** what a person resumed it with: corrected, or scanned again */
  readonly inputWire?: string
}

/** Outcomes that no longer hold: a person's `resume` or `retry` forgets failures, a rebuild forgets a lost array. */
export interface Forgotten {
  readonly kind: 'forgotten'
  readonly calls: readonly number[]
  readonly at: Time
}

/** A call has started a run, which is there when this is durable, and begins after that. */
export interface TriggeredRecord {
  readonly kind: 'triggered'
  readonly call: number
  readonly run: RunRecord
}

export type JournalRecord =
  | CallMade
  | Outcome
  | AttemptRecord
  | Note
  | AskRecord
  | SentRecord
  | AsideRecord
  | CacheRecord
  | VariationRecord
  | BaseRecord
  | PartsRecord
  | RunChange
  | Forgotten
  | TriggeredRecord

/** What is optional may be there without a value. */
type Loose<T> = { readonly [K in keyof T]: Partial<Pick<T, K>> extends Pick<T, K> ? T[K] | undefined : T[K] }

/** The outcome of a call, as it is remembered. */
export type RememberedOutcome = Loose<Omit<Outcome, 'kind' | 'call' | 'fingerprintOf'>>

/** A call that a run remembers, as `Journal.load` gives it back, in order of `call`. */
export interface RememberedCall {
  readonly call: number
  readonly key: Digest
  readonly caller: string
  readonly name: string
  readonly call_kind: CallKind
  /** when it was first made */
  readonly at: Time
  /** its arguments, where the journal knows that the author gave it no key; absent where it does not */
  readonly argsWire?: string | undefined
  readonly outcome?: RememberedOutcome | undefined
  /** attempts spent since the call was last forgotten */
  readonly attempts: readonly Omit<AttemptRecord, 'kind' | 'call'>[]
}
