import type { JournalRecord, RunId } from '../model/records.ts'
import type { Journal } from '../ports/journal.ts'

/**
 * A journal whose appends become durable, or are refused, when the test says so, in their order; those that were not
 * when the process died never do.
 */
export class HeldJournal implements Journal {
  readonly #journal: Journal
  readonly #hold: boolean
  #waiting: {
    readonly run: RunId
    readonly records: readonly JournalRecord[]
    done(): void
    failed(error: unknown): void
  }[] = []
  #dead = false
  /** runs of which an append was refused: later ones are refused alike until the run is claimed anew */
  readonly #broken = new Map<RunId, unknown>()

  constructor(journal: Journal, hold: boolean) {
    this.#journal = journal
    this.#hold = hold
  }

  /** Makes the oldest append durable. False if there is none. */
  commit(): boolean {
    const next = this.#waiting.shift()
    if (next === undefined) return false
    if (this.#broken.has(next.run)) next.failed(this.#broken.get(next.run))
    else this.#journal.append(next.run, next.records).then(next.done, next.failed)
    return true
  }

  /** Refuses the oldest append, as a full disk does. False if there is none. */
  refuse(error: unknown): boolean {
    const run = this.#waiting[0]?.run
    if (run === undefined) return false
    this.#broken.set(run, error)
    return this.commit()
  }

  /** How many appends are not durable yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The process is gone: nothing it wanted to write will be written. */
  die(): void {
    this.#dead = true
    this.#waiting = []
  }

  append(run: RunId, records: readonly JournalRecord[]): Promise<void> {
    if (this.#dead) return new Promise(() => {})
    if (!this.#hold) return this.#journal.append(run, records)
    return new Promise((done, failed) => this.#waiting.push({ run, records, done, failed }))
  }

  create(...args: Parameters<Journal['create']>): Promise<void> {
    return this.#dead ? new Promise(() => {}) : this.#journal.create(...args)
  }

  claim(...args: Parameters<Journal['claim']>): ReturnType<Journal['claim']> {
    if (this.#dead) return new Promise(() => {})
    this.#broken.delete(args[0])
    return this.#journal.claim(...args)
  }

  load(run: RunId): ReturnType<Journal['load']> {
    return this.#journal.load(run)
  }

  answer(...args: Parameters<Journal['answer']>): Promise<void> {
    return this.#journal.answer(...args)
  }

  request(...args: Parameters<Journal['request']>): Promise<void> {
    return this.#journal.request(...args)
  }

  take(run: RunId): ReturnType<Journal['take']> {
    return this.#dead ? new Promise(() => {}) : this.#journal.take(run)
  }

  send(...args: Parameters<Journal['send']>): ReturnType<Journal['send']> {
    return this.#journal.send(...args)
  }

  incoming(...args: Parameters<Journal['incoming']>): ReturnType<Journal['incoming']> {
    return this.#dead ? new Promise(() => {}) : this.#journal.incoming(...args)
  }

  close(): Promise<void> {
    return this.#journal.close()
  }
}
