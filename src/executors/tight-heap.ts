import { setFlagsFromString } from 'node:v8'

/**
 * How far this process's own heap may grow before garbage is looked for. Owns that setting of V8.
 *
 * V8 lets a heap double or more first, which is fastest, and costs hundreds of MB where a hundred thousand calls wait
 * for arrays: their rows and texts die old. While arrays take the memory, it looks sooner. T1: the setting is V8's own
 * again when nobody asks for another.
 */
class TightHeap {
  #asked = 0

  /** From now on, until the function that it gives is called. */
  keep(): () => void {
    this.#asked += 1
    if (this.#asked === 1) setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
    let isKept = true
    return () => {
      if (!isKept) return
      isKept = false
      this.#asked -= 1
      if (this.#asked === 0) setFlagsFromString('--heap-growing-percent=0')
    }
  }
}

/** The heap is the process's: there is one. */
export const tightHeap = new TightHeap()

const growingPercent = 12
