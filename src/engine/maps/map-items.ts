import type { DirRef, FileRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'

/** An entry that a map may run: a file by its path, or a directory at the top by its name. */
export interface MapItem {
  readonly path: string
  /** undefined: it is no longer there */
  readonly item: FileRef | DirRef | undefined
  /** the directory that it is compared with has none of this path */
  readonly isNew: boolean
}

interface Over {
  readonly each: 'file' | 'dir'
}

/** All entries, in order of path. */
export async function* itemsOf(over: DirRef, { each }: Over, data: DataPlane): AsyncIterable<MapItem> {
  if (each === 'dir') return yield* directories(topsOf(data.entries(over)), over, undefined, data)
  for await (const { path, kind } of data.entries(over)) {
    if (kind === 'file') yield { path, item: await data.fileAt(over, path), isNew: true }
  }
}

/** Entries that are not as they were, in order of path: found by what differs, so the cost follows the change. */
export async function* changedItems(
  before: DirRef,
  over: DirRef,
  { each }: Over,
  data: DataPlane,
): AsyncIterable<MapItem> {
  const changes = data.diff(before, over)
  if (each === 'dir') return yield* directories(topsOf(changes), over, before, data)
  for await (const change of changes) {
    const isNew = change.before?.kind !== 'file'
    if (change.after?.kind === 'file')
      yield { path: change.path, item: await data.fileAt(over, change.path), isNew }
    else if (!isNew) yield { path: change.path, item: undefined, isNew }
  }
}

async function* directories(
  names: AsyncIterable<string>,
  over: DirRef,
  before: DirRef | undefined,
  data: DataPlane,
): AsyncIterable<MapItem> {
  for await (const name of names) {
    const was = before === undefined ? undefined : await data.dirAt(before, name)
    yield { path: name, item: await data.dirAt(over, name), isNew: was === undefined }
  }
}

/** First names of paths that come in order, each once. */
async function* topsOf(paths: AsyncIterable<{ readonly path: string }>): AsyncIterable<string> {
  let last: string | undefined
  for await (const { path } of paths) {
    const [top] = path.split('/', 1) as [string]
    if (top !== last) yield top
    last = top
  }
}
