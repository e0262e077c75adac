import type { EndStatus } from '../core/run/call.ts'
import type { Effect, Made, RunEvent } from '../core/run/events.ts'
import { Invariants } from '../core/run/invariants.ts'
import { RunMachine } from '../core/run/machine.ts'
import type { Capacity } from '../core/run/slots.ts'
import type { CallKind } from '../model/records.ts'
import type { RetryPolicy, TaskPolicy } from '../model/task.ts'

/** What a call in a test says of itself, besides its number. */
export interface Making extends Partial<Omit<TaskPolicy, 'retries'>> {
  readonly kind?: CallKind
  readonly inputs?: readonly number[]
  readonly parent?: number
  readonly tolerant?: boolean
  /** of an earlier life */
  readonly order?: number
  readonly failure?: 'own' | 'upstream'
  readonly attempts?: number
  readonly spent?: number
  readonly retries?: Partial<RetryPolicy>
}

/**
 * A run's machine whose events and effects are short enough to be read: for tests that tell a story. Invariants are
 * checked after each event.
 */
export class MachineBench {
  readonly machine: RunMachine
  readonly #invariants: Invariants

  constructor(capacity: Partial<Capacity> = {}, nextOrder = 0) {
    this.machine = new RunMachine({ cpu: 4, memoryBytes: 1000, ...capacity }, nextOrder)
    this.#invariants = new Invariants(this.machine)
  }

  /** Applies events in turn; gives all effects, as text. */
  do(...events: readonly RunEvent[]): string[] {
    const effects: string[] = []
    for (const event of events) {
      this.machine.apply(event)
      this.#invariants.check()
      effects.push(...this.machine.drain().map(effectText))
    }
    return effects
  }

  /** State and reason of a call. */
  status(call: number): string {
    const { state, reason } = this.machine.status(call)
    return `${state}/${reason}`
  }
}

/** `start 3.1`, `ended 3 succeeded/executed as 5`: what a test expects. */
function effectText(effect: Effect): string {
  switch (effect.kind) {
    case 'start':
      return `start ${effect.call}.${effect.attempt}${effect.memoryBytes > 0 ? ` with ${effect.memoryBytes}` : ''}`
    case 'stop':
      return `stop ${effect.call}.${effect.attempt}`
    case 'wake':
      return `wake ${effect.call} at ${effect.at}`
    case 'spent':
      return `spent ${effect.call}.${effect.attempt} ${effect.reason}${effect.counted ? '' : ', not counted'}`
    case 'ended': {
      const { call, status, order, record, cause } = effect
      const more = `${record ? '' : ', on record'}${cause === undefined ? '' : ` because of ${cause}`}`
      return `ended ${call} ${status.state}/${status.reason} as ${order}${more}`
    }
    case 'cancelling':
      return ['cancelling', ...effect.stopped].join(' ')
    case 'finish':
      return `finish${effect.unseen.length === 0 ? '' : ` unseen ${effect.unseen.join(', ')}`}`
    case 'admission': {
      const { needs, back, unused, wanted } = effect
      return `admission ${needs.key} back ${back} unused ${unused} wanted ${wanted}`
    }
    default:
      return `${effect.kind} ${effect.call}`
  }
}

export function made(call: number, making: Making = {}): Made {
  const {
    kind = 'task',
    inputs = [],
    parent,
    tolerant,
    order,
    failure,
    attempts,
    spent,
    retries,
    ...policy
  } = making
  return {
    kind: 'made',
    call,
    callKind: kind,
    inputs,
    parent,
    order,
    ...(failure !== undefined && { failure }),
    ...(tolerant !== undefined && { tolerant }),
    ...(attempts !== undefined && { attempts }),
    ...(spent !== undefined && { spent }),
    policy: {
      retries: {
        count: 0,
        delayMs: 1000,
        backoff: 2,
        maxDelayMs: 60_000,
        jitter: 0,
        memoryFactor: 1,
        ...retries,
      },
      effect: false,
      random: false,
      location: false,
      cpu: 1,
      memoryBytes: 0,
      priority: 0,
      onFailure: 'fail',
      ...policy,
    },
  }
}

/** Nothing is remembered of the call. */
export const identified = (
  call: number,
  more: {
    readonly lookup?: boolean
    readonly afterCommit?: boolean
    readonly heldInputs?: readonly number[]
  } = {},
): RunEvent => ({ kind: 'identified', call, lookup: false, afterCommit: false, ...more })

/** Something is, under its own key unless told. */
export const remembered = (
  call: number,
  order: number | undefined,
  more: {
    readonly status?: EndStatus
    readonly own?: boolean
    readonly lost?: boolean
    readonly copied?: boolean
    readonly heldInputs?: readonly number[]
  } = {},
): RunEvent => ({
  kind: 'remembered',
  call,
  order,
  status: { state: 'succeeded', reason: 'executed' },
  own: true,
  lost: false,
  ...more,
})

export const started = (call: number, attempt = 1): RunEvent => ({ kind: 'started', call, attempt })

export const succeeded = (call: number, attempt = 1, held = false): RunEvent => ({
  kind: 'succeeded',
  call,
  attempt,
  held,
})

export const failed = (
  call: number,
  attempt = 1,
  more: Partial<Extract<RunEvent, { kind: 'failed' }>> = {},
): RunEvent => ({
  kind: 'failed',
  call,
  attempt,
  reason: 'error',
  names: ['Error'],
  retryable: true,
  at: 0,
  chance: 0.5,
  ...more,
})

export const lost = (call: number, attempt = 1): RunEvent => ({ kind: 'lost', call, attempt, at: 0 })

export const deprived = (
  call: number,
  attempt: number,
  gone: readonly number[],
  isOver = false,
): RunEvent => ({
  kind: 'deprived',
  call,
  attempt,
  gone,
  isOver,
})

export const stopped = (call: number, attempt = 1): RunEvent => ({ kind: 'stopped', call, attempt })

export const left = (call: number, state: 'succeeded' | 'failed' = 'succeeded'): RunEvent => ({
  kind: 'left',
  call,
  status: state === 'succeeded' ? { state, reason: 'executed' } : { state, reason: 'error' },
})

export const given = (call: number): RunEvent => ({ kind: 'given', call })
export const observed = (call: number): RunEvent => ({ kind: 'observed', call })
export const committed = (order: number): RunEvent => ({ kind: 'committed', order })
export const judged = (call: number, verdict: 'retry' | 'skip' | 'stop'): RunEvent => ({
  kind: 'judged',
  call,
  verdict,
})
export const settled = (ok = true, failFast = false): RunEvent => ({ kind: 'settled', ok, failFast })
export const rested: RunEvent = { kind: 'rested' }

/** From the making of a call to its success, with nothing between. */
export const done = (call: number, making: Making = {}): readonly RunEvent[] => [
  made(call, making),
  identified(call),
  succeeded(call),
]
