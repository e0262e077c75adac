import type { TreeChange, TreeEntry } from '../../model/tree.ts'

/** One entry of a mapped directory that is not carried over from the base. */
export interface MapChange {
  readonly path: string
  readonly change: 'added' | 'changed' | 'removed'
  /** the entry to execute; that of the base where it was removed */
  readonly entry: TreeEntry
}

/**
 * What a difference between the base and the input of a map means for it. A file counts by path, content and
 * executable bit; empty directories do not count. All files without a difference are carried: as many as the input
 * has, less those added and changed.
 */
export function mapChange({ path, before, after }: TreeChange): MapChange | undefined {
  const was = before?.kind === 'file' ? before : undefined
  const is = after?.kind === 'file' ? after : undefined
  if (is !== undefined) return { path, change: was === undefined ? 'added' : 'changed', entry: is }
  return was === undefined ? undefined : { path, change: 'removed', entry: was }
}
