import type { CallKind } from './records.ts'

/** Calls that nothing is executed for: what they wait for. */
export const awaitedBy: { readonly [K in CallKind]?: 'person' | 'time' | 'signal' } = {
  ask: 'person',
  sleep: 'time',
  timer: 'time',
  receive: 'signal',
  callback: 'signal',
}

/**
 * Calls that counts by state tell of: tasks and entries of maps, which are executed, and questions, messages,
 * callbacks and sleeps, which are waited for. A map counts by its entries; what is derived or only enters a function counts by
 * what is in it. Timers bound what counts: most of them are withdrawn.
 */
export const isCounted = (kind: CallKind): boolean =>
  kind === 'task' || kind === 'entry' || (awaitedBy[kind] !== undefined && kind !== 'timer')

/** Calls that are shown by task: what is derived from others, clocks and the like are not. */
export const isShown = (kind: CallKind): boolean =>
  isCounted(kind) || kind === 'map' || kind === 'child' || kind === 'trigger'
