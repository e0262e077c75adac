import type { WorkflowDefinition } from '../../flow/workflow.ts'
import type { RunId, RunRecord } from '../../model/records.ts'
import { Queue } from '../../util/queue.ts'
import type { RunResult } from '../settings.ts'

/** A run that is in the journal, and the workflow to execute it by. */
export interface NewTriggered {
  readonly record: RunRecord
  readonly definition: WorkflowDefinition
}

/** What is told of runs that were triggered. */
export interface TriggeredListener {
  triggered?(run: RunRecord): void
  /** How it ended or where it rests; `error`: this process cannot go on with it. */
  triggeredEnded?(run: RunRecord, end: { readonly result?: RunResult; readonly error?: unknown }): void
}

/** A run that this process executes, or will. */
interface Waiting {
  readonly record: RunRecord
  readonly start: () => Promise<{ readonly result: Promise<RunResult> }>
  readonly listener: TriggeredListener
}

/** That many at once: each takes processors and memory for itself. */
const atOnce = 4

/**
 * Runs that workflows in this process have triggered. The process that triggers a run executes it, beside the run that did:
 * there is nobody else who would.
 *
 * Y1 at most `atOnce` are under way; the others wait, in the order in which they came.
 * Y2 a run is here once.
 * Y3 after `leave` none is begun, and those that wait stay as they are in the journal.
 */
export class TriggeredRuns {
  readonly #isHad: (error: unknown) => boolean
  readonly #leaveRun: (run: RunId) => void
  readonly #here = new Map<RunId, RunRecord>()
  #waiting = new Queue<Waiting>()
  #underWay = 0
  #finding = 0
  #isLeft = false
  #waiters: (() => void)[] = []

  /** `isHad`: does it say that another process has the run, or had it? */
  constructor(isHad: (error: unknown) => boolean, leaveRun: (run: RunId) => void) {
    this.#isHad = isHad
    this.#leaveRun = leaveRun
  }

  add(waiting: Waiting): void {
    const { record, listener } = waiting
    if (this.#here.has(record.id)) return
    listener.triggered?.(record)
    if (this.#isLeft) return
    this.#here.set(record.id, record)
    this.#waiting.push(waiting)
    this.#next()
  }

  /** Earlier ones are looked for: they may be added when that has ended. */
  find(work: Promise<void>): void {
    this.#finding++
    void work.finally(() => {
      this.#finding--
      this.#changed()
    })
  }

  /** Those that this process executes or will, in the order in which they came. */
  get open(): readonly RunRecord[] {
    return [...this.#here.values()]
  }

  get isIdle(): boolean {
    return this.#here.size === 0 && this.#finding === 0
  }

  /** Resolves when none is looked for. */
  async found(): Promise<void> {
    while (this.#finding > 0) await this.#change()
  }

  /** Resolves when it has none, and none is looked for. */
  async idle(): Promise<void> {
    while (!this.isIdle) await this.#change()
  }

  /** Whoever resumes them goes on with them. */
  leave(): void {
    this.#isLeft = true
    for (const { record } of this.#waiting) this.#here.delete(record.id)
    this.#waiting = new Queue()
    for (const run of this.#here.keys()) this.#leaveRun(run)
    this.#changed()
  }

  #next(): void {
    while (this.#underWay < atOnce && !this.#waiting.isEmpty) {
      this.#underWay++
      void this.#execute(this.#waiting.shift() as Waiting)
    }
  }

  async #execute({ record, start, listener }: Waiting): Promise<void> {
    try {
      const { result } = await start()
      if (this.#isLeft) this.#leaveRun(record.id)
      const ended = await result
      listener.triggeredEnded?.(record, { result: ended })
    } catch (error) {
      if (!this.#isLeft && !this.#isHad(error)) listener.triggeredEnded?.(record, { error })
    }
    this.#underWay--
    this.#here.delete(record.id)
    this.#next()
    this.#changed()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  #changed(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
