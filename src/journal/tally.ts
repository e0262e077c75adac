import type { CallKind, Outcome } from '../model/records.ts'

/** What an outcome adds to its run's `executed` and `reused`. */
export interface Tally {
  readonly executed: number
  readonly reused: number
}

/**
 * Counts work, not bookkeeping: tasks and the entries of maps. The map itself only tells of the entries that it
 * carried over, for which no call was made; clocks, sleeps, questions and children count nothing.
 */
export function tallyOf(kind: CallKind, outcome: Pick<Outcome, 'state' | 'reason' | 'map'>): Tally {
  if (kind === 'map') return { executed: 0, reused: outcome.map?.carried ?? 0 }
  if ((kind !== 'task' && kind !== 'entry') || outcome.state !== 'succeeded')
    return { executed: 0, reused: 0 }
  return outcome.reason === 'executed' ? { executed: 1, reused: 0 } : { executed: 0, reused: 1 }
}
