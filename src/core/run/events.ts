import type { CallKind } from '../../model/records.ts'
import type { FailureReason } from '../../model/states.ts'
import type { TaskPolicy } from '../../model/task.ts'
import type { Admitted, DoorChange } from './admissions.ts'
import type { EndStatus } from './call.ts'
import type { Window } from './calls-ahead.ts'

/** The workflow function made a call, or a map made an entry. */
export interface Made {
  readonly kind: 'made'
  readonly call: number
  readonly callKind: CallKind
  readonly inputs: readonly number[]
  readonly policy: TaskPolicy
  readonly parent?: number | undefined
  readonly tolerant?: boolean
  /** of an earlier life: order of its outcome, attempts begun, the author's retries spent */
  readonly order?: number | undefined
  /** … whether that was a failure or a skip: its own, or since an input did not succeed */
  readonly failure?: 'own' | 'upstream' | undefined
  readonly attempts?: number
  readonly spent?: number
  /** an earlier life of the cancelled run gave it up */
  readonly givenUp?: boolean
}

/** What can happen to one call. Time (`at`, ms) and chance (0 to 1) come in as values. */
export type CallEvent =
  /** answers to `identify`: nothing is remembered under what it is known by now … */
  | {
      readonly kind: 'identified'
      readonly call: number
      readonly lookup: boolean
      readonly afterCommit: boolean
      readonly heldInputs?: readonly number[] | undefined
    }
  /** … or something is. `own`: under its own key, so that it need not be recorded again */
  | {
      readonly kind: 'remembered'
      readonly call: number
      readonly status: EndStatus
      /** its place in an earlier life, if it had this outcome there */
      readonly order: number | undefined
      readonly own: boolean
      /** the result lived in a worker that is gone; there is a copy of it */
      readonly lost: boolean
      readonly copied?: boolean
      readonly heldInputs?: readonly number[] | undefined
    }
  /** … or it cannot be said */
  | { readonly kind: 'refused'; readonly call: number }
  /** answers to `lookup` */
  | {
      readonly kind: 'hit'
      readonly call: number
      /** the result lived in a worker of another run; there is a copy of it */
      readonly lost?: boolean
      readonly copied?: boolean
    }
  | { readonly kind: 'missed'; readonly call: number }
  | AttemptEvent
  /** what was entered has ended: a child's function, a map, a view, a sleep, an answer */
  | { readonly kind: 'left'; readonly call: number; readonly status: EndStatus }
  /** a map has made all its entries */
  | { readonly kind: 'expanded'; readonly call: number }
  | { readonly kind: 'woke'; readonly call: number }
  /** a person judged a failure */
  | { readonly kind: 'judged'; readonly call: number; readonly verdict: 'retry' | 'skip' | 'stop' }

/** News of an attempt. News of one that was given up is no news. */
export type AttemptEvent =
  | { readonly kind: 'started'; readonly call: number; readonly attempt: number }
  | {
      readonly kind: 'succeeded'
      readonly call: number
      readonly attempt: number
      readonly held: boolean
      readonly copied?: boolean
    }
  | {
      readonly kind: 'failed'
      readonly call: number
      readonly attempt: number
      readonly reason: FailureReason
      /** what the author's retries may name: error type, catalogue code, `exit 3` */
      readonly names: readonly string[]
      readonly retryable: boolean
      readonly at: number
      readonly chance: number
    }
  | { readonly kind: 'lost'; readonly call: number; readonly attempt: number; readonly at: number }
  /** held inputs of the attempt are gone: it never ran */
  | {
      readonly kind: 'deprived'
      readonly call: number
      readonly attempt: number
      readonly gone: readonly number[]
      /** some of what was gone has been made again since */
      readonly isOver: boolean
    }
  | { readonly kind: 'stopped'; readonly call: number; readonly attempt: number }
  /** it was not begun: somebody executes the same, or has just done so. Its result is looked for again */
  | { readonly kind: 'yielded'; readonly call: number; readonly attempt: number }
  /** it was not begun, as the run is paused */
  | { readonly kind: 'unbegun'; readonly call: number; readonly attempt: number }

export type RunEvent =
  | Made
  | CallEvent
  /** held results are gone */
  | { readonly kind: 'gone'; readonly calls: readonly number[] }
  /** outcomes up to this order are durable */
  | { readonly kind: 'committed'; readonly order: number }
  /** functions were given how the call ended */
  | { readonly kind: 'given'; readonly call: number }
  /** somebody awaits, or has awaited, the call */
  | { readonly kind: 'observed'; readonly call: number }
  /** all outcomes have been given, and no function goes on by itself */
  | { readonly kind: 'rested' }
  /** so many calls may be started ahead */
  | { readonly kind: 'window'; readonly windows: readonly Window[] }
  /** what came of an `admission` that was asked for */
  | ({ readonly kind: 'admitted' } & Admitted)
  | { readonly kind: 'pause' }
  | { readonly kind: 'unpause' }
  | { readonly kind: 'cancel' }
  /** before anything is made: an earlier life of the run was cancelled */
  | { readonly kind: 'was-cancelled' }
  /** the workflow function has returned or thrown */
  | { readonly kind: 'settled'; readonly ok: boolean; readonly failFast: boolean }

/** What the machine wants done. What comes of it comes back as an event. */
export type Effect =
  /** all inputs are known: compute the fingerprint, claim what is remembered */
  | { readonly kind: 'identify'; readonly call: number }
  /** ask the run cache */
  | { readonly kind: 'lookup'; readonly call: number }
  /** begin an attempt */
  | { readonly kind: 'start'; readonly call: number; readonly attempt: number; readonly memoryBytes: number }
  | { readonly kind: 'stop'; readonly call: number; readonly attempt: number }
  /** ask for admissions by limits that are shared with other runs, and give back what is not used */
  | ({ readonly kind: 'admission' } & DoorChange)
  /** begin what is not attempted: child, map, view, sleep, question */
  | { readonly kind: 'enter'; readonly call: number }
  /** all entries of a map have ended */
  | { readonly kind: 'gather'; readonly call: number }
  /** wake the call (`woke`) at a time */
  | { readonly kind: 'wake'; readonly call: number; readonly at: number }
  /** the run was cancelled: these are being stopped, what had not begun has ended */
  | { readonly kind: 'cancelling'; readonly stopped: readonly number[] }
  /** ask a person what to do about a failure (`judged`) */
  | { readonly kind: 'judge'; readonly call: number }
  /** an attempt was spent without an outcome; `counted`: it cost one of the author's retries */
  | {
      readonly kind: 'spent'
      readonly call: number
      readonly attempt: number
      readonly reason: FailureReason
      readonly counted: boolean
    }
  /** the call has ended: give the outcome back, and record it unless it is on record */
  | {
      readonly kind: 'ended'
      readonly call: number
      readonly status: EndStatus
      readonly order: number
      readonly record: boolean
      /** the call that failed when it was to make a lost result again */
      readonly cause?: number | undefined
    }
  /** a lost result is there again */
  | { readonly kind: 'rebuilt'; readonly call: number }
  /** nobody will need the held result */
  | { readonly kind: 'release'; readonly call: number }
  /** every call has ended and the function has settled; `unseen`: failures that nobody awaited */
  | { readonly kind: 'finish'; readonly unseen: readonly number[] }
