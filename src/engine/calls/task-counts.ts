import type { CallState } from '../../model/states.ts'

/** How far a task is: its calls by how they have ended, and of how many. */
export interface TaskCount {
  /** null: of all other tasks together */
  readonly name: string | null
  readonly total: number
  readonly counts: Partial<Readonly<Record<CallState, number>>>
}

interface Row {
  made: number
  over: number
  readonly counts: Partial<Record<CallState, number>>
}

/** Names may be as many as calls: what comes after the first is one row. */
const mostRows = 15

/** Owns the counts of a run's calls by task, in the order of their first calls. */
export class TaskCounts {
  readonly #rows = new Map<string | null, Row>()

  made(name: string): void {
    this.#row(name).made++
  }

  ended(name: string, state: CallState, calls = 1): void {
    const row = this.#row(name)
    row.over += calls
    row.counts[state] = (row.counts[state] ?? 0) + calls
  }

  /** `unmade`: calls that are known to come. */
  list(unmade: ReadonlyMap<string, number>): readonly TaskCount[] {
    for (const name of unmade.keys()) this.#row(name)
    const coming = new Map<string | null, number>()
    for (const [name, count] of unmade) {
      const key = this.#rows.has(name) ? name : null
      coming.set(key, (coming.get(key) ?? 0) + count)
    }
    // entries that hold with their map are no calls of this life
    return [...this.#rows].map(([name, { made, over, counts }]) => ({
      name,
      total: Math.max(made, over) + (coming.get(name) ?? 0),
      counts: { ...counts },
    }))
  }

  #row(name: string): Row {
    const known = this.#rows.get(name)
    if (known !== undefined) return known
    const key = this.#rows.size < mostRows ? name : null
    const row = this.#rows.get(key) ?? { made: 0, over: 0, counts: {} }
    this.#rows.set(key, row)
    return row
  }
}
