import type { Almanac, OpenOptions } from './almanac.ts'
import { AlmanacError } from './model/errors.ts'

/**
 * Opens an Almanac in this process: a journal, a store, executors. Close it when you are done.
 *
 * @throws ALM_NODE_OLD, ALM_OPTION_REFUSED, ALM_CONFIG, ALM_JOURNAL_NEWER, ALM_JOURNAL_DAMAGED, ALM_JOURNAL_NETWORK, ALM_JOURNAL_READ_ONLY
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises'
 * import { open, task, workflow } from 'almanac'
 *
 * const square = task('square', (n: number) => n * n)
 * const squares = workflow('squares', async () => square(7))
 *
 * const almanac = await open({ project: await mkdtemp('/tmp/almanac-'), journal: 'memory' })
 * console.assert((await almanac.run(squares)) === 49)
 * await almanac.close()
 * ```
 */
export async function open(options: OpenOptions = {}): Promise<Almanac> {
  const { node: version } = process.versions
  if (Number.parseInt(version, 10) < 24) throw new AlmanacError('ALM_NODE_OLD', { version })
  // everything that has side effects or costs time to load is behind this import
  const { openAlmanac } = await import('./main.ts')
  return openAlmanac(options)
}
