import type { CallKind } from '../model/records.ts'
import type { CallRow } from './calls.ts'

/** Work of one task in a run, counted as everywhere: a map counts by its entries, those carried over included. */
export interface TaskFigures {
  readonly kind: CallKind
  calls: number
  readonly counts: Record<string, number>
  executed: number
  reused: number
  /** ms of the attempts */
  costMs: number
}

/** Calls that are shown by task: what is derived from others, clocks and functions inside are not. */
export const isShown = (kind: CallKind): boolean =>
  kind === 'task' ||
  kind === 'entry' ||
  kind === 'map' ||
  kind === 'ask' ||
  kind === 'sleep' ||
  kind === 'child'

/** Adds a call to the figures of its task. */
export function addCall(tasks: Map<string, TaskFigures>, { name, call_kind: kind, outcome }: CallRow): void {
  if (!isShown(kind)) return
  const figures = tasks.get(name) ?? { kind, calls: 0, counts: {}, executed: 0, reused: 0, costMs: 0 }
  tasks.set(name, figures)
  if (kind === 'map') {
    const carried = outcome?.map?.carried ?? 0
    if (carried > 0) count(figures, 'succeeded', carried)
    figures.reused += carried
    return
  }
  count(figures, outcome?.state ?? 'waiting', 1)
  if (outcome?.state !== 'succeeded' || (kind !== 'task' && kind !== 'entry')) return
  if (outcome.reason === 'executed') {
    figures.executed++
    figures.costMs += outcome.costMs
  } else figures.reused++
}

function count(figures: TaskFigures, state: string, by: number): void {
  figures.calls += by
  figures.counts[state] = (figures.counts[state] ?? 0) + by
}
