import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * How far this process's own heap may grow before garbage is looked for. Owns that setting of V8.
 *
 * V8 lets a heap double or more first, which is fastest, and costs hundreds of MB where a hundred thousand calls wait
 * for arrays: their rows and texts die old. While arrays take the memory, it looks sooner.
 *
 * T1 the setting is V8's own again when nobody asks for another.
 * T2 what has died by then is looked for at once: V8 reckons how far the heap may grow when it has collected all of it, and
 *    what it reckoned before may be met minutes later, or never.
 */
class HeapGrowth {
  #asked = 0

  /** From now on, until the function that it gives is called. */
  keep(): () => void {
    this.#asked += 1
    if (this.#asked === 1) {
      setFlagsFromString(`--heap-growing-percent=${growingPercent}`)
      if (getHeapStatistics().used_heap_size > enough) collect()
    }
    let isKept = true
    return () => {
      if (!isKept) return
      isKept = false
      this.#asked -= 1
      if (this.#asked === 0) setFlagsFromString('--heap-growing-percent=0')
    }
  }
}

/** In a turn of its own. V8 gives the function to contexts that are made while the flag is set, and Node has no other way. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: {
    readonly type: 'major'
    readonly execution: 'async'
  }) => unknown
  setFlagsFromString('--no-expose-gc')
  void gc({ type: 'major', execution: 'async' })
}

/** The heap is the process's: there is one. */
export const heapGrowth = new HeapGrowth()

const growingPercent = 12

/** bytes of a heap from which on it is worth the pause that collecting all of it is: some 2 ms a MB */
const enough = 64 * 2 ** 20
