import type { Elsewhere } from '../ports/caller.ts'

/** Functions of a run that live in other processes: how many go on with what they were given. */
export class FunctionsElsewhere implements Elsewhere {
  readonly #over: Promise<unknown>
  readonly #rested: () => void
  readonly #whenCancelled: (() => void)[] = []
  #atWork = 0

  /** `rested`: one has come to rest. */
  constructor(over: Promise<unknown>, rested: () => void) {
    this.#over = over
    this.#rested = rested
  }

  get areAtWork(): boolean {
    return this.#atWork > 0
  }

  atWork(): () => void {
    this.#atWork++
    return () => {
      this.#atWork--
      this.#rested()
    }
  }

  whenCancelled(then: () => void): void {
    this.#whenCancelled.push(then)
  }

  cancelled(): void {
    for (const then of this.#whenCancelled.splice(0)) then()
  }

  whenOver(then: () => void): void {
    this.#over.then(then, then)
  }
}
