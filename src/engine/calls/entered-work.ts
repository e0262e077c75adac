import type { Phase } from '../../core/run/call.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { CallInfo } from './call-info.ts'
import { executed, failedError } from './ends.ts'
import { recordOf } from './failure.ts'
import type { Outcomes } from './outcomes.ts'

/** Of a run, what its entered calls end by. */
interface Run {
  readonly outcomes: Outcomes
  isIn(info: CallInfo, phase: Phase): boolean
}

/** Work of calls that were entered, which goes on by itself: what it gives is their outcome. Owns how much is under way. */
export class EnteredWork {
  readonly #run: Run
  readonly #left: Left
  #underWay = 0

  constructor(run: Run, left: Left) {
    this.#run = run
    this.#left = left
  }

  get isBusy(): boolean {
    return this.#underWay > 0
  }

  begin(info: CallInfo, work: Promise<unknown>): void {
    this.#underWay++
    work.then(
      (value) => {
        this.#underWay--
        if (!this.#run.isIn(info, 'entered')) return
        this.#run.outcomes.set(info.id, { value: value as Value })
        this.#left(info, executed)
      },
      (error: unknown) => {
        this.#underWay--
        if (this.#run.isIn(info, 'entered')) this.#left(info, failedError, recordOf(error))
      },
    )
  }
}

/** How a call ends that was entered. */
export type Left = (info: CallInfo, status: typeof executed | typeof failedError, error?: ErrorRecord) => void
