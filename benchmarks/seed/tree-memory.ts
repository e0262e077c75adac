import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { read } from './process-tree.ts'

/** Memory of a tree of processes, what is shared counted once: also files in memory that none of them maps at the moment. */
export class TreeMemory {
  readonly #shared: string
  readonly #proc: string
  readonly #others: ReadonlySet<string>

  /** Files that are in `shared` by now are none of the tree's. */
  constructor(shared = '/dev/shm', proc = '/proc') {
    this.#shared = shared
    this.#proc = proc
    this.#others = new Set(namesIn(shared))
  }

  bytes(pids: readonly number[]): number {
    const rollups = pids.map((pid) => read(`${this.#proc}/${pid}/smaps_rollup`))
    const sum = (field: string): number =>
      rollups.reduce((total, text) => total + kilobytes(text, field), 0) * 1024
    return sum('Pss') + Math.max(0, this.#segmentBytes(pids) - sum('Pss_Shmem'))
  }

  #segmentBytes(pids: readonly number[]): number {
    let bytes = 0
    for (const name of namesIn(this.#shared)) {
      if (this.#others.has(name) || isOfAnotherHost(name, pids)) continue
      const stat = statSync(join(this.#shared, name), { throwIfNoEntry: false })
      if (stat?.isFile()) bytes += stat.blocks * 512
    }
    return bytes
  }
}

/** Almanac's segments carry the number of the process that made them: other runs on the machine have theirs. */
const isOfAnotherHost = (name: string, pids: readonly number[]): boolean =>
  name.startsWith('almanac-') && !pids.some((pid) => name.includes(`-${pid}-`))

const kilobytes = (rollup: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0)

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
