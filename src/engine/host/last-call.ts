import type { SourcePlace } from '../../model/task.ts'
import type { StuckAt } from '../../ports/caller.ts'
import type { Clock } from '../../ports/clock.ts'
import { placeOf } from '../calls/failure.ts'

/** So many calls are noted each; of more, one in a millisecond: a stack costs a microsecond or two. */
const eachUntil = 256

/**
 * Where the functions of this process called last: nothing in JavaScript tells where a function that awaits stands, and
 * that is not far below.
 */
export class LastCall {
  #count = 0
  #at = 0
  #name: string | undefined
  /** becomes a text when somebody reads it */
  readonly #place: { stack?: string } = {}
  #begin: StuckAt | undefined
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `workflow`, and where it is defined: for functions that have not called. */
  begins(workflow: string, definedAt: SourcePlace): void {
    this.#begin = { what: `, in ${workflow}`, ...definedAt }
  }

  made(name: string): void {
    if (++this.#count > eachUntil) {
      const now = this.#clock.now()
      if (now === this.#at) return
      this.#at = now
    }
    this.#name = name
    Error.captureStackTrace(this.#place)
  }

  stuckAt(): StuckAt | undefined {
    const { file, line } = placeOf(this.#place.stack)
    if (this.#name === undefined || file === undefined || line === undefined) return this.#begin
    return { what: `, after its call of ${this.#name}`, file, line }
  }
}
