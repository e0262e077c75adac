import type { Digest } from '../../model/refs.ts'
import type { TreeChange, TreeEntry } from '../../model/tree.ts'
import { diff } from './diff.ts'
import { totals } from './listing.ts'
import type { Finding } from './reading.ts'

/** One entry of a mapped directory that is not carried over from the base. */
export interface MapChange {
  readonly path: string
  readonly change: 'added' | 'changed' | 'removed'
  /** the entry to execute; that of the base where it was removed */
  readonly entry: TreeEntry
}

export interface MapCounts {
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly carried: number
}

/**
 * Which files of a mapped directory are to be executed, and which results of the base go, in order of path.
 * What is carried is only counted: the cost follows the difference. Without a base everything is added.
 * A file counts by path, content and executable bit; empty directories do not count.
 */
export function* planMap(base: Digest | undefined, input: Digest): Finding<MapChange, MapCounts> {
  const counts = { added: 0, changed: 0, removed: 0 }
  const differences = diff(base, input)
  let step = differences.next()
  while (!step.done) {
    const value = step.value
    if (typeof value === 'string') {
      step = differences.next(yield value)
      continue
    }
    const change = mapChange(value)
    if (change !== undefined) {
      counts[change.change]++
      yield change
    }
    // what a find is resumed with is not looked at
    step = differences.next(undefined as never)
  }
  const { files } = totals(yield input)
  return { ...counts, carried: files - counts.added - counts.changed }
}

function mapChange({ path, before, after }: TreeChange): MapChange | undefined {
  const was = before?.kind === 'file' ? before : undefined
  const is = after?.kind === 'file' ? after : undefined
  if (is !== undefined) return { path, change: was === undefined ? 'added' : 'changed', entry: is }
  return was === undefined ? undefined : { path, change: 'removed', entry: was }
}
