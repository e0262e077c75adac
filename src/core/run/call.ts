import { awaitedBy } from '../../model/call-kinds.ts'
import type { CallKind } from '../../model/records.ts'
import type { CallStatus, EndState } from '../../model/states.ts'
import type { TaskPolicy } from '../../model/task.ts'

/**
 * What a call is doing. A phase says more than a state: it names the one thing that must happen next.
 *
 *   inputs ──▶ identify ──▶ lookup ──▶ gate ──▶ ready ──▶ start ──▶ execute ──▶ ended
 *     │           │            │                  ▲          │         │
 *     │           └────────────┴── remembered, cached ───────┼─────────┼──▶ ended
 *     │                                           └── retry ◀┴─────────┤
 *     ├──▶ entered ──▶ ended    children, maps, views, sleeps, questions: nothing is attempted
 *     └──▶ ended                an input failed, or the run was cancelled
 *
 * `execute ──▶ judge ──▶ ready | ended`: a person decides on a failure. `execute ──▶ stop ──▶ ended`: cancelled.
 * `ended ──▶ rebuild | ready ──▶ … ──▶ ended`: a held result was lost and is still needed.
 */
export type Phase = (typeof phases)[number]

export const phases = [
  'inputs',
  'identify',
  'lookup',
  'gate',
  'ready',
  'start',
  'execute',
  'retry',
  'judge',
  'stop',
  'entered',
  'rebuild',
  'ended',
] as const

/** Places of phases in that list. */
export const phaseCodes = Object.fromEntries(phases.map((phase, code) => [phase, code])) as Readonly<
  Record<Phase, number>
>

/** Why a call in phase `ready` is not started. */
export type Blocker = 'slot' | 'memory' | 'limit' | 'held'

/** What a call is when it is made. All else of it is as in any other, and changes. */
export interface NewCall {
  readonly id: number
  readonly kind: CallKind
  readonly policy: TaskPolicy
  readonly inputs: readonly number[]
}

/** What is known of a call between two events. Where it is kept: `calls.ts`. */
export interface Call extends NewCall {
  /** the map that this is an entry of */
  parent: number | undefined
  /** gets its inputs whether they succeeded or not */
  tolerant: boolean
  /** the highest order that had been given to functions when it was made, and how many outcomes had been */
  after: number
  givenBefore: number
  /** the order of its own remembered outcome: kept where the outcome is derived, not executed */
  rememberedOrder: number | undefined
  /** its remembered outcome is a failure or a skip, and nothing that it comes of is known to be new */
  failsAgain: boolean
  phase: Phase
  /** the same as a number: looking up by it is quick */
  phaseCode: number
  /** what has not ended: inputs; in phase `rebuild` lost results; in an entered map its entries */
  pending: number
  /** the first call that waits for this one's outcome, or needs it to be made again; and the others that wait */
  consumer: number | undefined
  moreConsumers: number[] | undefined
  /** calls that wait until this one is rebuilt */
  waiters: number[] | undefined
  /** calls whose held results are among the inputs */
  heldInputs: readonly number[] | undefined
  /** attempts begun since the call was last forgotten; the author's retries spent; workers lost in a row */
  attempt: number
  spent: number
  losses: number
  end: EndStatus | undefined
  /** position among outcomes; -1 before */
  order: number
  /** its attempts wait until what they depend on is durable */
  afterCommit: boolean
  /** the result lives in a worker's memory; it is not there any more */
  held: boolean
  lost: boolean
  /** there is a copy of the lost result, from which it can be had without an attempt */
  copied: boolean
  /** someone has been given how it ended */
  observed: boolean
  /** calls that take its outcome and have not ended, or make their results again */
  users: number
  /** its result may be used in ways that nobody counts: a function was given it, or a view shows it */
  kept: boolean
  /** of the next attempt */
  memoryBytes: number
  /** how often worse calls went before it, for want of place */
  passed: number
  /** place in the ready queue, and what it is ordered by */
  heapIndex: number
  rank: number
  frees: boolean
  /** its place among those that were started ahead; 0 if it is none of them */
  ahead: number
}

export type EndStatus = Extract<CallStatus, { state: EndState }>

/** The state and reason that people see. `blocker` is what a ready call waits for. */
export function statusOf(call: Call, blocker: Blocker = 'slot'): CallStatus {
  switch (call.phase) {
    case 'inputs':
    case 'identify':
    case 'lookup':
    case 'gate':
    case 'rebuild':
      return { state: 'waiting', reason: 'inputs' }
    case 'ready':
      return { state: 'waiting', reason: blocker }
    case 'retry':
      return { state: 'waiting', reason: 'retry' }
    case 'judge':
      return { state: 'waiting', reason: 'person' }
    case 'start':
      return { state: 'running', reason: 'starting' }
    case 'execute':
      return {
        state: 'running',
        reason: call.lost ? 'rebuilding' : call.attempt > 1 ? 'retrying' : 'executing',
      }
    case 'stop':
      return { state: 'running', reason: 'cancelling' }
    case 'entered': {
      const reason = awaitedBy[call.kind]
      return reason === undefined ? { state: 'running', reason: 'executing' } : { state: 'waiting', reason }
    }
    case 'ended':
      return call.end as EndStatus
  }
}
