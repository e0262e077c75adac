import type { RunId } from '../../model/records.ts'

export interface CalledRunsParts {
  /** those that a living process has */
  readonly taken: (runs: readonly RunId[]) => Promise<readonly RunId[]>
  /** has it neither ended nor been paused by a person? */
  readonly mayGoOn: (run: RunId) => Promise<boolean>
  /** Executes it until it ends or rests. */
  readonly resume: (run: RunId, signal: AbortSignal) => Promise<void>
  readonly pause: (signal: AbortSignal) => Promise<void>
  readonly failed: (error: unknown) => void
}

/** Runs that go on at once; others wait for one of them. */
const most = 4

/**
 * Runs that were called back, and that go on without a person.
 *
 * B1 a run is resumed when no process has it, be it one of ours or another; what that process was told of meanwhile is
 *    not lost, as the run is looked at again when it has ended.
 * B2 no more than a few go on at once.
 * B3 after `close` none does, and what was called stays called: a later resume goes on with it.
 */
export class CalledRuns {
  readonly #parts: CalledRunsParts
  readonly #called = new Set<RunId>()
  readonly #going = new Map<RunId, Promise<void>>()
  readonly #end = new AbortController()
  #looking: Promise<void> | undefined

  constructor(parts: CalledRunsParts) {
    this.#parts = parts
  }

  called(run: RunId): void {
    if (this.#end.signal.aborted) return
    this.#called.add(run)
    this.#looking ??= this.#look()
  }

  async close(): Promise<void> {
    this.#end.abort()
    await this.#looking
    await Promise.all(this.#going.values())
  }

  async #look(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      await this.#begin([...this.#called].filter((run) => !this.#going.has(run))).catch(this.#parts.failed)
      if (this.#called.size === 0) break
      await this.#parts.pause(signal)
    }
    // in the same moment: who is called after it is looked for anew
    this.#looking = undefined
  }

  async #begin(waiting: readonly RunId[]): Promise<void> {
    const taken = new Set(await this.#parts.taken(waiting))
    for (const run of waiting) {
      if (this.#going.size === most || this.#end.signal.aborted) return
      if (taken.has(run)) continue
      this.#called.delete(run)
      this.#going.set(run, this.#goOn(run))
    }
  }

  async #goOn(run: RunId): Promise<void> {
    try {
      if (await this.#parts.mayGoOn(run)) await this.#parts.resume(run, this.#end.signal)
    } catch (error) {
      this.#parts.failed(error)
    } finally {
      this.#going.delete(run)
    }
  }
}
