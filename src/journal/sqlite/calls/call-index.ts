import type { TaskSources } from '../../task-sources.ts'
import type { OpenBlocks } from './open-blocks.ts'

const pageSize = 4096

/** What is known of one call. */
export interface KnownCall {
  /** number of its name */
  readonly name: number
  /** it has an outcome */
  readonly ended: boolean
  /** a question was put for it */
  readonly asked: boolean
}

/**
 * What is known of a run's calls, four bytes a call, so that an outcome costs no query.
 *
 * C1 it only ever lacks calls, it never holds what the database does not: it is dropped after a rollback, and when
 *    the run is claimed or given up, since only the owner of a run writes its calls.
 */
export class CallIndex {
  // pages, because ids are dense as a rule, and a sparse one must not take all memory
  readonly #pages = new Map<number, Int32Array>()
  /** of which tasks take from which, what is kept already */
  readonly edges = new Set<number>()
  sources: TaskSources<number> | undefined
  blocks: OpenBlocks | undefined

  get(call: number): KnownCall | undefined {
    const entry = this.#pages.get(Math.floor(call / pageSize))?.[call % pageSize] ?? 0
    return entry === 0 ? undefined : { name: entry >> 2, ended: (entry & 1) !== 0, asked: (entry & 2) !== 0 }
  }

  set(call: number, { name, ended, asked }: KnownCall): void {
    const number = Math.floor(call / pageSize)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Int32Array(pageSize)
      this.#pages.set(number, page)
    }
    page[call % pageSize] = name * 4 + (asked ? 2 : 0) + (ended ? 1 : 0)
  }
}
