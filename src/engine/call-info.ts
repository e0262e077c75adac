import type { ErrorRecord, RememberedCall } from '../model/records.ts'
import type { Digest } from '../model/refs.ts'
import type { CallRequest } from '../ports/caller.ts'
import type { Refused } from './shared-work.ts'

/** What the engine knows of a call besides its state. */
export interface CallInfo {
  readonly id: number
  readonly key: Digest
  /** path of the function that made it */
  readonly caller: string
  /** path of what runs inside of it, if anything does */
  readonly path: string
  readonly request: CallRequest
  /** its record of an earlier life of the run */
  readonly own: RememberedCall | undefined
  readonly madeAt: number
  /** entry of a directory that it works on, if it is one of a map */
  readonly entry: string | undefined
  fingerprint: Digest | undefined
  /** what made the fingerprint, by name, once it was computed */
  parts: (() => Readonly<Record<string, string>>) | undefined
  /** code and surroundings, without the inputs */
  basis: string
  cacheable: boolean
  /** one word for `why`: hit, miss, off, … */
  verdict: string
  startedAt: number
  /** ms of the work, wherever it was done */
  costMs: number
  /** where the outcome comes from, if not from an attempt of this call */
  origin: { readonly run: string; readonly call: number } | undefined
  /** the key that its results bear where they stay in a worker's memory */
  heldKey: Digest | undefined
  /** the call of an earlier life whose outcome this one took */
  takenFrom: number | undefined
  lastError: ErrorRecord | undefined
  /** what it has to do with other calls of its fingerprint; absent where it never began an attempt that others could use */
  sharing: Sharing | undefined
  map: { executed: number; carried: number; removed: number; savedMs?: number } | undefined
}

/** How a call shares its work with others of its fingerprint. */
export interface Sharing {
  /** its attempt is the one that is executed of all of them */
  holds: boolean
  /** who executes the same, while it waits for that */
  waitsFor: Refused | undefined
  /** how often it waited for one that left no result */
  vain: number
}
