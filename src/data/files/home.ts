import { join } from 'node:path'
import type { Digest } from '../../model/refs.ts'

/**
 * Where things lie in a project's `.almanac`:
 *
 *   store/<aa>/<digest>          blobs: files and listings, read only
 *   store/trash, store/damaged   what a collection or a failed check moved aside
 *   files/<aa>/<digest>/<name>   a file of the store at a path derived from its content
 *   trees/<aa>/<digest>/…        a directory, likewise
 *   work/<id>.json, work/<id>/   a process: who it is, its temporary files, its attempts
 *   stat-cache/                  what was seen of directories that lie elsewhere
 *   downloads/                   what came from servers: `known/` by name, `parts/` of what is under way
 *   garbage.txt                  what the last collection found unreachable
 */
export interface Home {
  readonly root: string
  readonly store: string
  readonly trash: string
  readonly damaged: string
  readonly files: string
  readonly trees: string
  readonly work: string
  readonly statCache: string
  readonly downloads: string
  readonly garbage: string
}

export function homeOf(root: string): Home {
  const store = join(root, 'store')
  return {
    root,
    store,
    trash: join(store, 'trash'),
    damaged: join(store, 'damaged'),
    files: join(root, 'files'),
    trees: join(root, 'trees'),
    work: join(root, 'work'),
    statCache: join(root, 'stat-cache'),
    downloads: join(root, 'downloads'),
    garbage: join(root, 'garbage.txt'),
  }
}

/** Sharded, so that no directory of ours holds more than a 256th of everything. */
export const shard = (parent: string, digest: Digest): string => `${parent}/${digest.slice(0, 2)}/${digest}`

/** Folders of a sharded directory. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)

export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
