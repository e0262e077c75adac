import { mkdirSync, readFileSync } from 'node:fs'
import { isIndex, parseListing } from '../../core/tree/listing.ts'
import { checkReach } from '../../core/tree/name.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { BlobFiles } from '../blobs/blob-files.ts'
import { digestOf, isWhole } from '../blobs/blob-files.ts'
import { inStore } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import { stageFile } from './stage-file.ts'

/**
 * Puts files of the store where listings say. The thread reads the listings by itself: to send it a path and a digest
 * a file would cost more than a link.
 */
export interface StageJob {
  readonly kind: 'stage'
  readonly files: BlobFiles
  /** directory under which everything goes; there */
  readonly target: string
  readonly listings: readonly StagedListing[]
  /** the tree was looked at: its blobs are not, each by itself */
  readonly whole: boolean
}

/** A listing, and the directory that it lists: `''`, or a path with `/` at its end. */
export interface StagedListing {
  readonly digest: Digest
  readonly prefix: string
  /** files at and below it */
  readonly files: number
}

export interface Staged {
  /** directories that were made, and parts of large ones, to go on with */
  readonly next: readonly StagedListing[]
  readonly directories: readonly string[]
  /** not in the store, or not as they were put there */
  readonly absent: readonly AbsentFile[]
  readonly unread: readonly StagedListing[]
}

export interface AbsentFile {
  readonly path: string
  readonly name: string
  readonly digest: Digest
  readonly size: number
  readonly executable: boolean
}

export type StageRunner = JobRunner<StageJob, Staged>

/** @throws ALM_PATH_REFUSED, ALM_STORE_… */
export function stageListings(job: StageJob): Staged {
  const staged = { next: [], directories: [], absent: [], unread: [] }
  for (const listing of job.listings) stageListing(job, listing, staged)
  return staged
}

function stageListing(
  job: StageJob,
  { digest, prefix, files }: StagedListing,
  staged: { [K in keyof Staged]: Staged[K][number][] },
): void {
  checkReach(prefix)
  const text = textOf(job.files, digest)
  if (text === undefined) return void staged.unread.push({ digest, prefix, files })
  const listing = parseListing(digest, text)
  if (isIndex(listing)) {
    for (const node of listing.nodes) staged.next.push({ digest: node.digest, prefix, files: node.files })
    return
  }
  for (const { name, kind, digest: content, size, executable, files: below } of listing.entries) {
    const path = prefix + name
    const full = `${job.target}/${path}`
    if (kind === 'dir') {
      inStore(full, () => mkdirSync(full))
      staged.directories.push(path)
      staged.next.push({ digest: content, prefix: `${path}/`, files: below })
    } else if (!put(job, content, size, executable, full)) {
      staged.absent.push({ path, name, digest: content, size, executable })
    }
  }
}

function put(job: StageJob, digest: Digest, size: number, executable: boolean, path: string): boolean {
  if (!job.whole && !isWhole(job.files, digest, size)) return false
  try {
    stageFile(job.files, digest, executable, path, true)
    return true
  } catch (error) {
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return false
    throw error
  }
}

/** Undefined where it is not there, or is damaged: whoever reads it next finds out. */
function textOf(files: BlobFiles, digest: Digest): string | undefined {
  if (!inStore(files.store, () => isWhole(files, digest))) return undefined
  const path = shard(files.store, digest)
  const bytes = inStore(path, () => readFileSync(path))
  return digestOf(bytes) === digest ? bytes.toString('utf8') : undefined
}
