import type { Made } from '../../core/tree/chunk.ts'
import { compareNames } from '../../core/tree/name.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { fullBatches } from '../files/batches.ts'
import type { HashJob, HashRunner } from './hash-files.ts'
import type { ListRunner } from './list-directory.ts'
import type { Draft } from './scan-listings.ts'
import { DraftLists } from './scan-listings.ts'
import type { Scanned, ScanTable } from './scan-table.ts'
import { digestAt } from './scan-table.ts'
import type { Block } from './state-rows.ts'
import {
  copyRow,
  differingRows,
  isDirectoryMode,
  isSettledRow,
  namesAt,
  newRows,
  rowMode,
  rowSize,
  sameBlock,
  sameNames,
  sameRow,
  settledUntil,
  splitNames,
} from './state-rows.ts'
import type { Walk } from './walk-directory.ts'
import { walkDirectory } from './walk-directory.ts'

/**
 * A directory that lies elsewhere, as a tree. Reads only files whose state differs from what was seen of them, or
 * was too fresh to tell; rewrites only listings of directories in which something differs.
 */
export interface ScanTools {
  readonly pool: ListRunner & HashRunner
  readonly listings: Listings
  readonly now: () => number
  /** where copies of the files go as they are read */
  readonly into?: BlobsInto
}

/** Where copies go: it is told of each. */
export type BlobsInto = Pick<LocalBlobStore, 'files' | 'taken'>

export interface ScanResult {
  readonly made: Made
  readonly table: ScanTable
  /** is there anything in it that the earlier table did not know? */
  readonly changed: boolean
}

/** @throws ALM_PATH_REFUSED, ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE, naming the file */
export async function scanDirectory(
  tools: ScanTools,
  walk: Walk,
  known: ScanTable | undefined,
): Promise<ScanResult> {
  const startedAt = tools.now()
  const blocks = await walkDirectory(tools.pool, walk)
  const drafts = [...blocks.values()].map((block) => draftOf(block, known?.blocks.get(block.path)))
  const lists = new DraftLists(tools.listings, known?.blocks ?? new Map(), walk.globs.include.length > 0)
  await hashDrafts(tools, walk.root, drafts, startedAt, (draft) => lists.begin(draft))
  const scanned = await lists.all(drafts)
  const changed =
    known === undefined ||
    known.blocks.size !== scanned.size ||
    drafts.some((draft) => scanned.get(draft.block.path) !== draft.known)
  return {
    made: (scanned.get('') as Scanned).listing,
    table: { root: walk.root, globs: walk.globs, blocks: scanned },
    changed,
  }
}

function draftOf(block: Block, known: Scanned | undefined): Draft {
  if (known !== undefined && sameBlock(block, known) && !known.settled.includes(0)) {
    return {
      block,
      known,
      same: true,
      digests: known.digests,
      settled: known.settled,
      names: [],
      unknown: [],
    }
  }
  if (known !== undefined && sameNames(block, known)) return draftInPlace(block, known)
  const names = splitNames(block.names)
  const digests = new Uint8Array(block.count * 32)
  const settled = new Uint8Array(block.count)
  const unknown: number[] = []
  const old = known === undefined ? [] : splitNames(known.names)
  let at = 0
  for (const [i, name] of names.entries()) {
    while (at < old.length && compareNames(old[at] as string, name) < 0) at++
    if (isDirectoryMode(rowMode(block.rows, i))) settled[i] = 1
    else if (
      known !== undefined &&
      old[at] === name &&
      known.settled[at] === 1 &&
      sameRow(block.rows, i, known.rows, at)
    ) {
      digests.set(known.digests.subarray(at * 32, at * 32 + 32), i * 32)
      settled[i] = 1
    } else unknown.push(i)
  }
  return { block, known, same: false, digests, settled, names, unknown }
}

/** No name came or went: only what differs is looked at, as a directory may have a million of them. */
function draftInPlace(block: Block, known: Scanned): Draft {
  // not `slice`: of a buffer it would be a view, and the table as it was must stay
  const digests = new Uint8Array(known.digests)
  const settled = new Uint8Array(known.settled)
  const touched = new Set(differingRows(block.rows, known.rows))
  for (let i = settled.indexOf(0); i >= 0; i = settled.indexOf(0, i + 1)) touched.add(i)
  const inPlace = [...touched].sort((a, b) => a - b)
  const unknown: number[] = []
  for (const i of inPlace) {
    const isDirectory = isDirectoryMode(rowMode(block.rows, i))
    digests.fill(0, i * 32, i * 32 + 32)
    settled[i] = isDirectory ? 1 : 0
    if (!isDirectory) unknown.push(i)
  }
  const names = namesAt(block.names, inPlace)
  return { block, known, same: false, digests, settled, names, unknown, inPlace }
}

/** So many files and bytes are hashed before a thread has started. */
const fewFiles = 2000
const fewBytes = 16 << 20
/** Files that one job hashes. */
const full = { items: 256, weight: 32 << 20 }
/** More is read beside the main thread. */
const heavyBytes = 4 << 20

async function hashDrafts(
  { pool, into }: ScanTools,
  root: string,
  drafts: readonly Draft[],
  startedAt: number,
  /** all of its digests are known */
  done: (draft: Draft) => void,
): Promise<void> {
  const limit = settledUntil(startedAt)
  const open = new Map(drafts.map((draft) => [draft, draft.unknown.length]))
  const take = (digests: Uint8Array, { places }: PlacedJob) => {
    let last: Draft | undefined
    let taken = 0
    const count = (draft: Draft): void => {
      const left = (open.get(draft) as number) - taken
      open.set(draft, left)
      taken = 0
      if (left === 0) done(draft)
    }
    for (const [i, { draft, index }] of places.entries()) {
      if (draft !== last && last !== undefined) count(last)
      last = draft
      taken++
      draft.digests.set(digests.subarray(i * 32, i * 32 + 32), index * 32)
      draft.settled[index] = isSettledRow(draft.block.rows, index, limit) ? 1 : 0
      into?.taken(digestAt(digests, i), rowSize(draft.block.rows, index))
    }
    if (last !== undefined) count(last)
  }
  const files = drafts.reduce((sum, draft) => sum + draft.unknown.length, 0)
  const few = files <= fewFiles && bytesToRead(drafts) <= fewBytes
  if (few) {
    for (const job of hashJobs(root, drafts, into?.files)) {
      take(pool.runHere(job.job), job)
      await new Promise(setImmediate)
    }
  } else await pool.runEach(hashJobs(root, drafts, into?.files), ({ job }) => job, take)
}

const bytesToRead = (drafts: readonly Draft[]): number => {
  let bytes = 0
  for (const place of unknownFiles(drafts)) bytes += sizeAt(place)
  return bytes
}

/** A file among those of a directory. */
interface Place {
  readonly draft: Draft
  readonly index: number
}

/** A job, and where its results belong: that part stays here. */
interface PlacedJob {
  readonly job: HashJob
  readonly places: readonly Place[]
}

function* hashJobs(root: string, drafts: readonly Draft[], into: HashJob['into']): Generator<PlacedJob> {
  for (const places of fullBatches(unknownFiles(drafts), sizeAt, full)) yield placedJob(root, places, into)
}

function* unknownFiles(drafts: readonly Draft[]): Generator<Place, void, void> {
  for (const draft of drafts) for (const index of draft.unknown) yield { draft, index }
}

const sizeAt = ({ draft, index }: Place): number => rowSize(draft.block.rows, index)

function placedJob(root: string, places: PlacedJob['places'], into: HashJob['into']): PlacedJob {
  const rows = newRows(places.length)
  const paths = places.map(({ draft, index }, i) => {
    copyRow(draft.block.rows, index, rows, i)
    const { path } = draft.block
    return `${root}/${path}${path === '' ? '' : '/'}${draft.names[index]}`
  })
  const heavy = places.reduce((sum, place) => sum + sizeAt(place), 0) > heavyBytes
  return { job: { kind: 'hash', paths, rows, heavy, ...(into !== undefined && { into }) }, places }
}
