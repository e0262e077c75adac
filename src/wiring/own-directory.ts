import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import type { Addition } from '../engine/datasets/add-dataset.ts'
import { AlmanacError } from '../model/errors.ts'

/**
 * Journal and store are no data. Whoever moves a project with its `.almanac` would lose everything (a scan leaves it
 * out), and what is in it goes with the next collection. @throws ALM_PATH_REFUSED
 */
export function refuseOwnDirectory(home: string, { path, how }: Pick<Addition, 'path' | 'how'>): void {
  const own = realOf(home)
  const added = realOf(path)
  if (own === undefined || added === undefined) return
  const why = isWithin(own, added)
    ? `it is part of ${home}, where Almanac keeps its own files; write a copy elsewhere with almanac data get, and add that`
    : how === 'move' && isWithin(added, own)
      ? `it holds ${home}, where Almanac keeps its own files; move a directory in it, or add it with --managed`
      : undefined
  if (why !== undefined) throw new AlmanacError('ALM_PATH_REFUSED', { path, why })
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // what is not there is said by whoever looks for it
    return undefined
  }
}

const isWithin = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
