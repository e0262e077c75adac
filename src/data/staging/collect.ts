import { type BigIntStats, lstatSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { TakenFile } from '../blobs/adoption.ts'
import type { Adopted } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { inputError, inStore, isMissing, refused } from '../files/failures.ts'
import { removeTree } from '../files/remove-tree.ts'
import { kindOf, type ListRunner } from '../scan/list-directory.ts'
import type { Draft } from '../scan/scan-listings.ts'
import { DraftLists } from '../scan/scan-listings.ts'
import type { Scanned } from '../scan/scan-table.ts'
import type { Block } from '../scan/state-rows.ts'
import { isDirectoryMode, rowMode, rowSize, splitNames } from '../scan/state-rows.ts'
import { walkDirectory } from '../scan/walk-directory.ts'

export interface CollectTools {
  readonly pool: ListRunner
  readonly store: LocalBlobStore
  readonly listings: Listings
}

/** Takes a declared output into the store. @throws ALM_OUTPUT_MISSING, ALM_PATH_REFUSED */
export async function collectFile(tools: CollectTools, path: string): Promise<FileRef> {
  const stat = outputAt(path)
  if (!stat.isFile()) throw refused(path, `it is ${kindOf(stat)}, where a file was declared`)
  const { digest, size, executable } = await tools.store.adopt(path)
  return new FileRef(basename(path), digest, size, executable)
}

/** The same of a directory: everything in it counts, nothing is excluded. */
export async function collectDir(tools: CollectTools, path: string): Promise<DirRef> {
  const { dir } = await takeDir(tools, path, outputAt(path), 'move')
  inStore(path, () => removeTree(path))
  return dir
}

/** A directory whose files are in the store, and where they came from. */
export interface TakenDir {
  readonly dir: DirRef
  /** without links in it */
  readonly root: string
  /** those above before those below */
  readonly directories: readonly string[]
  /** its files: absolute, and what came of them */
  readonly taken: readonly TakenFile[]
}

/** Takes the files of a directory into the store. @throws ALM_PATH_REFUSED, ALM_INPUT_CHANGED, ALM_STORE_… */
export async function takeDir(
  tools: CollectTools,
  path: string,
  stat: BigIntStats,
  how: 'move' | 'link',
): Promise<TakenDir> {
  if (!stat.isDirectory())
    throw refused(path, `it is ${stat.isFile() ? 'a file' : kindOf(stat)}, where a directory was declared`)
  const root = realpathSync(path)
  const blocks = await walkDirectory(tools.pool, {
    root,
    globs: { include: [], exclude: [] },
    prefix: '',
    without: [],
  })
  const drafts = [...blocks.values()].map(draftOf)
  // links first: what they lead to is still in its place
  const links = await adoptSome(tools, root, drafts, how, (draft, name) => draft.block.links.includes(name))
  const files = await adoptSome(tools, root, drafts, how, (draft, name) => !draft.block.links.includes(name))
  const taken = [...links, ...files]
  const lists = new DraftLists(tools.listings, new Map(), false)
  const scanned = await lists.all(drafts).catch((error: unknown) => {
    throw tools.store.undone(taken, error)
  })
  const { listing } = scanned.get('') as Scanned
  tools.store.whole.add(listing.digest)
  return {
    dir: new DirRef(listing.digest, listing.files, listing.size),
    root,
    directories: [...blocks.keys()].map((below) => (below === '' ? root : `${root}/${below}`)),
    taken,
  }
}

function outputAt(path: string) {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    if (isMissing(error))
      throw new AlmanacError('ALM_OUTPUT_MISSING', { name: basename(path), path }, { cause: error })
    throw inputError(error, path)
  }
}

function draftOf(block: Block): Draft {
  const names = splitNames(block.names)
  const unknown = names.flatMap((_, i) => (isDirectoryMode(rowMode(block.rows, i)) ? [] : [i]))
  const digests = new Uint8Array(block.count * 32)
  return {
    block,
    known: undefined,
    same: false,
    digests,
    settled: new Uint8Array(block.count),
    names,
    unknown,
  }
}

async function adoptSome(
  tools: CollectTools,
  root: string,
  drafts: readonly Draft[],
  how: 'move' | 'link',
  takes: (draft: Draft, name: string) => boolean,
): Promise<TakenFile[]> {
  const places: {
    readonly draft: Draft
    readonly index: number
    readonly path: string
    readonly size: number
  }[] = []
  for (const draft of drafts) {
    const directory = draft.block.path === '' ? root : `${root}/${draft.block.path}`
    for (const index of draft.unknown) {
      const name = draft.names[index] as string
      if (!takes(draft, name)) continue
      places.push({ draft, index, path: `${directory}/${name}`, size: rowSize(draft.block.rows, index) })
    }
  }
  const adopted = await tools.store.adoptAll(places, how)
  for (const [i, { draft, index }] of places.entries()) {
    Buffer.from(draft.digests.buffer).write((adopted[i] as Adopted).digest, index * 32, 'hex')
  }
  return places.map(({ path }, i) => [path, adopted[i] as Adopted] as const)
}
