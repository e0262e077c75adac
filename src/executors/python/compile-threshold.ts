import { setFlagsFromString } from 'node:v8'

/** So many calls must have come one at a time. */
const enough = 100

/** How often a function is called before V8 compiles it for good; by itself it waits for 3 000 calls. */
const soon = '--invocation-count-for-turbofan=300'

/**
 * How soon V8 compiles what a step goes through. Owns that setting of V8, which holds for all of the process.
 *
 * Where thousands of calls wait together V8's own is soon enough, and compiling takes processors from them. A chain of steps
 * that wait for each other is over by then, and nothing else goes on meanwhile.
 */
export class CompileThreshold {
  readonly #set: (flag: string) => void
  /** calls, each of which had nothing beside it */
  #lone = 0

  constructor(set: (flag: string) => void = setFlagsFromString) {
    this.#set = set
  }

  /** A call is submitted; `isLone`: there is no other that has not ended. */
  submitted(isLone: boolean): void {
    if (this.#lone === enough) return
    this.#lone = isLone ? this.#lone + 1 : 0
    if (this.#lone === enough) this.#set(soon)
  }
}

/** V8 is the process's: there is one. */
export const compileThreshold = new CompileThreshold()
