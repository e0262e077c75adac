import { chmodSync, mkdirSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { Semaphore } from '../../util/semaphore.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { fullBatches } from '../files/batches.ts'
import { inStore } from '../files/failures.ts'
import type { Sources } from './sources.ts'
import { stageFile, stageLink } from './stage-file.ts'
import type { AbsentFile, Staged, StagedListing, StageJob, StageRunner } from './stage-listings.ts'

/** Fewer files are put in place without a thread. */
const fewFiles = 1024
/** Files that are not in the store and are asked for at once. */
const atOnce = 32
/** Listings that one job takes: together not many files. */
const full = { items: Number.POSITIVE_INFINITY, weight: 1024 }

interface Tools {
  readonly pool: StageRunner
  readonly store: LocalBlobStore
  readonly listings: Listings
  readonly sources: Sources
}

/**
 * A tree as read-only files and directories in a new directory; what lies with the user is linked to.
 * `near`: where the tree lay with the user.
 */
export async function stageTree(tools: Tools, root: Digest, target: string, near?: string): Promise<void> {
  const { store } = tools
  inStore(target, () => mkdirSync(target))
  const directories = ['']
  const whole = store.whole.has(root)
  const semaphore = new Semaphore(atOnce)
  let open: readonly StagedListing[] = [{ digest: root, prefix: '', files: 0 }]
  while (open.length > 0) {
    const next: StagedListing[] = []
    const take = async (staged: Staged) => {
      next.push(...staged.next)
      for (const path of staged.directories) directories.push(path)
      await Promise.all(
        staged.absent.map((file) => semaphore.run(() => stageAbsent(tools, target, file, near))),
      )
      for (const listing of staged.unread) {
        await bring(tools, listing.digest)
        next.push(listing)
      }
    }
    await stageAll(tools, { kind: 'stage', files: store.files, target, whole, listings: open }, take)
    open = next
  }
  // the deepest first: in a closed directory nothing can be closed
  for (const path of directories.reverse()) close(path === '' ? target : `${target}/${path}`)
}

async function stageAll(
  { pool }: Tools,
  job: StageJob,
  take: (staged: Staged) => Promise<void>,
): Promise<void> {
  const batches = [...fullBatches(job.listings, ({ files }) => files + 1, full)]
  const jobs = batches.map((listings) => ({ ...job, listings }))
  const files = job.listings.reduce((sum, listing) => sum + listing.files, 0)
  const done: Staged[] = []
  if (files <= fewFiles) for (const one of jobs) done.push(pool.runHere(one))
  else
    await pool.runEach(
      jobs,
      (one) => one,
      (staged) => void done.push(staged),
    )
  for (const staged of done) await take(staged)
}

/** Not in the store: with the user, or on its way from elsewhere. */
async function stageAbsent(
  { sources, store }: Tools,
  target: string,
  file: AbsentFile,
  near: string | undefined,
): Promise<void> {
  const source = await sources.of(file, near && `${near}/${file.path}`)
  const path = `${target}/${file.path}`
  if (source.external) stageLink(source.path, path)
  else stageFile(store.files, file.digest, file.executable, path)
}

/** A listing that could not be read is had from elsewhere, or what is wrong with it is said. */
async function bring({ listings, store }: Tools, digest: Digest): Promise<void> {
  await listings.bring(digest)
  // it may be known by heart and gone all the same
  if (!store.hasNow(digest)) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
  listings.read(digest)
}

const close = (path: string): void => inStore(path, () => chmodSync(path, 0o555))
