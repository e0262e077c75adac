import type { RunId } from '../../model/records.ts'
import type { Held } from '../../ports/executor.ts'

/**
 * A run that attempts are of. Owns the count of how many may run at once: as many as there are, without those that
 * were submitted ahead. Each attempt that ends leaves its place to one of them.
 */
export class JobRun {
  readonly id: number
  readonly name: RunId
  live = 0
  behind = 0
  /** places that workers have: never more than there are */
  taken = 0
  /** bytes that those with workers which take nothing held are expected to leave behind */
  expected = 0

  constructor(id: number, name: RunId) {
    this.id = id
    this.name = name
  }

  held: Held = false

  /** nothing of it that is not with a worker may begin now */
  get isHeld(): boolean {
    return this.held !== false
  }

  /** how many may run at once */
  get places(): number {
    return this.live - this.behind
  }

  /** Something may always run: nobody else would end and leave its place. */
  get free(): number {
    if (this.isHeld) return 0
    return Math.max(this.live - this.behind, Math.min(this.live, 1)) - this.taken
  }

  /** Workers have more places of it than there are. */
  get isOver(): boolean {
    return this.taken > Math.max(this.live - this.behind, Math.min(this.live, 1))
  }

  enter(behind: boolean): void {
    this.live += 1
    if (behind) this.behind += 1
  }

  leave(): void {
    this.live -= 1
    if (this.behind > 0) this.behind -= 1
  }
}

/** The runs that attempts are of. Owns those that have some, and a few that had. */
export class JobRuns {
  readonly #runs = new Map<RunId, JobRun>()
  #count = 0
  /** the one asked for last */
  #last: JobRun | undefined

  of(name: RunId): JobRun {
    if (this.#last?.name === name) return this.#last
    let run = this.#runs.get(name)
    if (run === undefined) {
      for (const one of this.#runs.values()) if (one.live === 0) this.#runs.delete(one.name)
      this.#count += 1
      run = new JobRun(this.#count, name)
      this.#runs.set(name, run)
    }
    this.#last = run
    return run
  }

  /** The run, where something else was held back of it before. */
  hold(name: RunId, held: Held): JobRun | undefined {
    const run = this.of(name)
    if (run.held === held) return undefined
    run.held = held
    return run
  }
}
