import type { LimitNeed, LimitRule } from '../model/limits.ts'
import type { RunId } from '../model/records.ts'

/**
 * Limits that the runs of a project share, over its processes. A run asks to be admitted so many times with the same
 * needs, and holds what it was admitted for until it gives it back.
 *
 * L1 units held of a limit never exceed its capacity as the last one who asked knows it, nor units taken its rate.
 * L2 all needs of an admission are taken at once or not at all, so nobody waits in a circle.
 * L3 who waits longer goes first; each admission puts its run behind those that wait. Who has not asked for
 *    `absentMs` loses its turn until it asks again. Where a place is free for nobody before it, who asks gets it.
 * L4 what is held or waited for ends with `leave`, and with the process, however that ends.
 * L5 `watch` calls back, sooner or later, when something was given back that somebody waits for, or somebody waits for
 *    what this process holds. It may be missed: whoever waits or holds asks again now and then.
 */
export interface Limits {
  ask(asks: readonly LimitAsk[]): Promise<readonly LimitAnswer[]>
  leave(run: RunId): Promise<void>
  list(now: number): Promise<readonly LimitState[]>
  watch(changed: () => void): () => void
}

/** Who waits is passed over when it has not asked for so many ms: its process may be stopped. */
export const absentMs = 5000

export interface LimitAsk {
  readonly run: RunId
  /** of needs that are the same */
  readonly key: string
  readonly needs: readonly LimitNeed[]
  /** what is known of the limits that are named */
  readonly rules: readonly LimitRule[]
  /** admissions given back: used ones, and ones that nothing was begun with */
  readonly back: number
  readonly unused: number
  /** admissions that would be used at once, beside those that are held */
  readonly wanted: number
  readonly now: number
}

export interface LimitAnswer {
  readonly granted: number
  /** others wait for what this holds, or there is a rate: an admission serves one call, and goes back */
  readonly isShared: boolean
  /** the limit that is short, where not all was granted */
  readonly blockedBy?: string
  /** when a rate allows the next */
  readonly retryAt?: number
}

/** A limit as people see it. */
export interface LimitState {
  readonly name: string
  readonly capacity?: number
  readonly rate?: LimitRule['rate']
  /** units */
  readonly held: number
  readonly users: readonly LimitUser[]
}

export interface LimitUser {
  readonly run: RunId
  /** of an admission, in this limit */
  readonly units: number
  /** admissions */
  readonly held: number
  readonly waiting: number
  /** what it waits for, which may be another limit that it needs too */
  readonly blockedBy?: string
  /** since when it waits, ms */
  readonly since?: number
}
