import type { AttemptEnd, AttemptId, AttemptNote, LogLine } from '../../ports/executor.ts'
import { ChurnMap } from '../../util/churn-map.ts'

/** Whose attempts they are. */
export interface AttemptOwner {
  onStarted(id: AttemptId): void
  onLog(id: AttemptId, lines: readonly LogLine[]): void
  onNote(id: AttemptId, note: AttemptNote): void
  onEnded(id: AttemptId, end: AttemptEnd): void
}

/**
 * Attempts that executors have and have not ended, with whose they are. One for each engine.
 *
 * Z1 an attempt has a number that no other has had in this process: what is said of one that a run has given up, or of one
 *    of an earlier life of it, is never taken for another's.
 */
export class AttemptsUnderWay {
  readonly #owners = new ChurnMap<AttemptId, AttemptOwner>()
  #last = 0

  begin(owner: AttemptOwner): AttemptId {
    const id = ++this.#last
    this.#owners.set(id, owner)
    return id
  }

  of(id: AttemptId): AttemptOwner | undefined {
    return this.#owners.get(id)
  }

  /** Nothing more is said of it. */
  end(id: AttemptId): AttemptOwner | undefined {
    const owner = this.#owners.get(id)
    this.#owners.delete(id)
    return owner
  }
}
