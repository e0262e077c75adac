import type { JournalRecord, RunId } from '../model/records.ts'
import type { Clock } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'

/** More batches than that under way: the disk is slower than the work. */
const maxUnderWay = 8
const maxBatch = 2000
/** Records that may be uncommitted before work is held back. */
const maxRecords = maxUnderWay * maxBatch

/**
 * Takes records to the journal, in batches.
 *
 * W1 records are appended in the order they came; `committed` reports in that order.
 * W2 while `maxUnderWay` batches are under way records gather; a full batch goes all the same, and is the journal's: a
 *    function that makes a million calls without waiting keeps none of their records here. `room` says when there is
 *    place for more work.
 * W3 after a failure nothing is appended any more, and the failure is reported once.
 */
export class Recorder {
  readonly #journal: Pick<Journal, 'append' | 'hurry'>
  readonly #run: RunId
  readonly #clock: Clock
  readonly #listener: RecorderListener
  #batch: JournalRecord[] = []
  #thens: (() => void)[] = []
  #order = -1
  #underWay = 0
  /** records of the batches under way */
  #uncommitted = 0
  #scheduled = false
  /** somebody waits for the batch */
  #isUrgent = false
  #failure: { readonly error: unknown } | undefined
  #waiters: (() => void)[] = []

  constructor(
    journal: Pick<Journal, 'append' | 'hurry'>,
    run: RunId,
    clock: Clock,
    listener: RecorderListener,
  ) {
    this.#journal = journal
    this.#run = run
    this.#clock = clock
    this.#listener = listener
  }

  /** `order`: outcomes up to it are durable when this record is. */
  add(record: JournalRecord, order = -1): void {
    // before a call that is made, never between the records of one outcome: those become durable together
    if (this.#batch.length >= maxBatch && record.kind === 'call') this.#send()
    this.#batch.push(record)
    if (order > this.#order) this.#order = order
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.atRest(this.#flushNow)
  }

  readonly #flushNow = (): void => {
    this.#scheduled = false
    this.flush()
  }

  /** Somebody waits until what was added is durable. */
  hurry(): void {
    if (this.#batch.length > 0) this.#isUrgent = true
    this.#journal.hurry?.()
  }

  /** Calls back when all that was added so far is durable; never, if that fails. */
  whenDurable(then: () => void): void {
    this.#thens.push(then)
  }

  get isFull(): boolean {
    return this.#uncommitted + this.#batch.length >= maxRecords
  }

  /** Resolves when the journal keeps up. */
  async room(): Promise<void> {
    while (this.isFull && this.#failure === undefined)
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  /** Resolves when nothing is under way to the journal. */
  async idle(): Promise<void> {
    while (this.#underWay > 0) {
      this.hurry()
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Resolves when all that was added is durable. @throws what the journal throws */
  async durable(): Promise<void> {
    while ((this.#batch.length > 0 || this.#underWay > 0) && this.#failure === undefined) {
      this.flush()
      this.hurry()
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** What was added goes to the journal at once, and not when the function rests, unless too much is under way. */
  flush(): void {
    if (this.#underWay < maxUnderWay) this.#send()
  }

  #send(): void {
    if (this.#batch.length === 0 || this.#failure !== undefined) return
    const batch = this.#batch
    const order = this.#order
    const thens = this.#thens
    this.#batch = []
    this.#thens = []
    this.#underWay++
    // what waits for the end of the batch must not keep its records
    const { length } = batch
    this.#uncommitted += length
    const isPatient = !this.#isUrgent
    this.#isUrgent = false
    this.#journal.append(this.#run, batch, isPatient).then(
      () => {
        this.#underWay--
        this.#uncommitted -= length
        if (this.#failure === undefined) {
          this.#listener.committed(order)
          for (const then of thens) then()
        }
        this.#settled()
      },
      (error: unknown) => {
        this.#underWay--
        this.#uncommitted -= length
        const first = this.#failure === undefined
        this.#failure ??= { error }
        if (first) this.#listener.failed(error)
        this.#settled()
      },
    )
  }

  #settled(): void {
    this.flush()
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}

export interface RecorderListener {
  committed(order: number): void
  failed(error: unknown): void
}
