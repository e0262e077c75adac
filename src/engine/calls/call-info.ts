import { encode } from '../../model/codec.ts'
import type { DigestOf } from '../../model/digest.ts'
import type { CallMade, ErrorRecord, RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { AttemptId } from '../../ports/executor.ts'
import type { WorkUnderWay } from '../../ports/journal.ts'

/** A call that is made, by the function at the path `caller`. */
export interface NewCall {
  readonly caller: string
  readonly request: CallRequest
  readonly args: Value
  /** tells equal calls apart */
  readonly key?: string | undefined
  /** the map that it is an entry of, and its path in that */
  readonly parent?: number
  readonly entry?: string
}

/** What is the same for all calls of a task in a run. */
export interface TaskIdentity {
  readonly code: string
  readonly codeParts: Readonly<Record<string, string>>
  readonly surroundings: Readonly<Record<string, string>>
  readonly fingerprint: (args: Value) => Digest
  /** the same, left to somebody else */
  readonly fingerprintOf: (args: Value) => DigestOf
  /** code and surroundings without the inputs: what a map's earlier results must agree in */
  readonly basis: string
  /** what makes the fingerprint of a call, by name: put together only where it is kept, which for most calls it is not */
  readonly parts: (args: Value) => Readonly<Record<string, string>>
}

/** What the engine knows of a call besides its state. What few calls have is absent from the others. */
export interface CallInfo {
  readonly id: number
  readonly key: Digest
  /** path of the function that made it */
  readonly caller: string
  /** path of what runs inside of it, if anything does */
  readonly path: string
  readonly request: CallRequest
  readonly args: Value
  /** JSON says all of the arguments (`plainText`): there are no references among them */
  readonly isPlain: boolean
  /** its record of an earlier life of the run */
  readonly own: RememberedCall | undefined
  readonly madeAt: number
  /** entry of a directory that it works on, if it is one of a map */
  entry?: string | undefined
  /** known when something may be remembered under it, at the latest when it begins; but see `isHashedLater` */
  fingerprint: Digest | undefined
  /** what made the fingerprint besides the inputs */
  identity: TaskIdentity | undefined
  cacheable: boolean
  /** one word for `why`: hit, miss, off, … */
  verdict: string
  startedAt: number
  /** the last attempt that an executor was given */
  underWay: AttemptId | undefined
  /** its result as JSON, from when it is known until it is recorded */
  resultWire?: string | undefined
  /** ms of the work, wherever it was done */
  costMs: number
  /** where the outcome comes from, if not from an attempt of this call */
  origin?: { readonly run: string; readonly call: number } | undefined
  /** the key that its results bear where they stay in a worker's memory */
  heldKey?: Digest | undefined
  /** the call of an earlier life whose outcome this one took */
  takenFrom?: number | undefined
  lastError?: ErrorRecord | undefined
  /** its result may be of other code than it was identified with: it is known by no fingerprint */
  drift?: 'edited' | 'unreadable' | undefined
  /** what it has to do with other calls of its fingerprint; absent where it never began an attempt that others could use */
  claim?: WorkClaim | undefined
  /** `seq` of the message that it received */
  message?: number | undefined
  map?: { executed: number; carried: number; removed: number; savedMs?: number } | undefined
}

/** Nobody but the journal needs its fingerprint: that computes it, in its own thread. */
export const isHashedLater = ({ isPlain, own, cacheable }: CallInfo): boolean =>
  isPlain && own === undefined && !cacheable

/** How a call shares its work with others of its fingerprint. */
export interface WorkClaim {
  /** its attempt is the one that is executed of all of them */
  holds: boolean
  /** who executes the same, while it waits for that */
  waitsFor: WorkHolder | undefined
  /** how often it waited for one that left no result */
  vain: number
}

/** Who executes the work that a call needs too. */
export interface WorkHolder extends WorkUnderWay {
  /** in another process */
  readonly elsewhere: boolean
}

/** What is known of a call when it is made. */
export type MadeCallInfo = Pick<
  CallInfo,
  'id' | 'key' | 'caller' | 'path' | 'request' | 'args' | 'isPlain' | 'own' | 'madeAt' | 'entry'
>

/** A call that no table knows. */
export const callInfo = (made: MadeCallInfo): CallInfo => ({
  ...made,
  fingerprint: undefined,
  identity: undefined,
  cacheable: false,
  verdict: '',
  startedAt: made.madeAt,
  underWay: undefined,
  costMs: 0,
})

/** What is recorded of a call that is new; `plain`: its arguments as JSON, where that says all of them. */
export function callRecord(info: CallInfo, plain: string | undefined, hasKey: boolean): CallMade {
  const { id: call, key, caller, request, args, madeAt: at } = info
  const argsWire = plain ?? encode(args)
  const record: CallMade = {
    kind: 'call',
    call,
    key,
    caller,
    name: request.name,
    call_kind: request.kind,
    argsWire,
    at,
  }
  return hasKey && request.kind !== 'entry' ? { ...record, keyed: true } : record
}
