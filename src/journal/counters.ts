import type { CallKind, Outcome } from '../model/records.ts'
import type { CallState } from '../model/states.ts'

/** What an outcome adds to its run's `executed` and `reused`. */
export interface Counters {
  readonly executed: number
  readonly reused: number
  /** ms of work that was not done again, as an earlier run had done it */
  readonly savedMs: number
}

/**
 * Counts work, not bookkeeping: tasks and the entries of maps. The map itself only tells of the entries that it
 * carried over, for which no call was made; clocks, sleeps, questions and children count nothing.
 */
export function countersOf(
  kind: CallKind,
  outcome: Pick<Outcome, 'state' | 'reason' | 'map' | 'costMs'>,
): Counters {
  if (kind === 'map')
    return { executed: 0, reused: outcome.map?.carried ?? 0, savedMs: outcome.map?.savedMs ?? 0 }
  if ((kind !== 'task' && kind !== 'entry') || outcome.state !== 'succeeded')
    return { executed: 0, reused: 0, savedMs: 0 }
  if (outcome.reason === 'executed') return { executed: 1, reused: 0, savedMs: 0 }
  return { executed: 0, reused: 1, savedMs: outcome.reason === 'cached' ? outcome.costMs : 0 }
}

/** What a call, with its outcome if it has one, adds to the figures of its task. */
export interface TaskCounters extends Counters {
  readonly state: CallState
  /** in that state; a map stands for the entries that it carried over */
  readonly calls: number
  readonly costMs: number
}

export function taskCountersOf(
  kind: CallKind,
  outcome: Pick<Outcome, 'state' | 'reason' | 'map' | 'costMs'> | undefined,
): TaskCounters {
  if (outcome === undefined) return kind === 'map' ? waitingMap : waiting
  // field by field: this is done three times for each call, and spreading costs more than all else of it
  const { executed, reused, savedMs } = countersOf(kind, outcome)
  if (kind === 'map') return { executed, reused, savedMs, state: 'succeeded', calls: reused, costMs: 0 }
  const costMs = executed > 0 ? outcome.costMs : 0
  return { executed, reused, savedMs, state: outcome.state, calls: 1, costMs }
}

const waiting: TaskCounters = { executed: 0, reused: 0, savedMs: 0, state: 'waiting', calls: 1, costMs: 0 }
const waitingMap: TaskCounters = { ...waiting, calls: 0 }
