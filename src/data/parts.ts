import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { LocalBlobStore } from './blobs/blob-store.ts'
import { Listings } from './blobs/listings.ts'
import { inStore } from './files/failures.ts'
import { homeOf } from './files/home.ts'
import { JobPool } from './pool/job-pool.ts'
import { Pins } from './processes/pins.ts'
import { departed, Presence } from './processes/presence.ts'
import { bootId } from './processes/process-identity.ts'
import { Externals } from './scan/externals.ts'
import { StatCache } from './scan/stat-cache.ts'
import { listingFolder } from './shared/layout.ts'
import { LocalBound } from './shared/local-bound.ts'
import { ObjectBlobs } from './shared/object-blobs.ts'
import { Remote } from './shared/remote.ts'
import { TreeTransfer } from './shared/tree-transfer.ts'
import type { LocalParts } from './staging/local-parts.ts'
import { Sources } from './staging/sources.ts'
import { StagedFiles } from './staging/staged-files.ts'
import { StagedTrees } from './staging/staged-trees.ts'

/** What an open data plane is made of. */
export interface Parts extends LocalParts {
  readonly pool: JobPool
  /** a store that is shared with others */
  readonly remote?: Remote
  readonly exchange?: Exchange
  /** of what is had from there, only so much is kept here */
  readonly bound?: LocalBound
}

/** What goes to a shared store, and comes from it, with all that belongs to it. */
export interface Exchange {
  readonly content: TreeTransfer
  /** of directories whose files lie with the user */
  readonly listings: TreeTransfer
}

/** Opens a home, and puts right what processes that are gone left in it. */
export async function openParts(
  root: string,
  threads: number | undefined,
  now: () => number,
  shared?: SharedContent,
): Promise<Parts> {
  const home = inStore(root, () => {
    if (!existsSync(root)) mkdirSync(root, { recursive: true })
    // paths are compared with real ones
    return homeOf(realpathSync(root))
  })
  const pool = new JobPool(threads)
  const presence = new Presence(home)
  const store = new LocalBlobStore(home, presence, pool, now)
  const remote = shared && new Remote(shared.blobs, store)
  const listings = new Listings(store, remote && ((digest) => remote.fetch(digest)))
  const statCache = new StatCache(home)
  const externals = new Externals(home.root, { pool, listings, now }, statCache)
  const sources = new Sources(home.root, store, externals, listings, remote)
  const files = new StagedFiles(home, store, externals, sources)
  const trees = new StagedTrees({ home, pool, store, listings, sources, files })
  const pins = new Pins(home, presence)
  const own = { home, pool, presence, pins, store, listings, statCache, externals, sources, files, trees }
  const parts = {
    ...own,
    ...(remote !== undefined && {
      remote,
      exchange: exchangeOf(remote, store, listings),
      ...(shared?.most !== undefined && { bound: boundOf(own, remote, shared.data, shared.most, now) }),
    }),
  }
  // what is only read is compared with its digest
  if (!presence.isReadOnly) await recover(parts)
  return parts
}

/** A store that is shared with others. */
export interface SharedContent {
  readonly blobs: ObjectBlobs
  /** bytes that are kept here; what is more goes again. All, if absent */
  readonly most?: number
  /** where results are shown */
  readonly data: string
}

function boundOf(
  { home, pins, store, listings }: Parts,
  remote: Remote,
  data: string,
  most: number,
  now: () => number,
) {
  const bound = new LocalBound({ home, store, listings, remote, pins, data, now }, most)
  remote.onFetched = (bytes) => bound.came(bytes)
  return bound
}

function exchangeOf(remote: Remote, store: LocalBlobStore, listings: Listings): Exchange {
  const apart = new ObjectBlobs(remote.blobs.objects, listingFolder)
  return {
    content: new TreeTransfer(remote, listings, 'all'),
    listings: new TreeTransfer(new Remote(apart, store), listings, 'listings'),
  }
}

/** Puts right what processes that are gone left: their blobs first, then who they were. Returns how many. */
export async function recover({ home, store }: Pick<Parts, 'home' | 'store'>): Promise<number> {
  const others = inStore(home.work, () => departed(home))
  await store.recover(others, bootId())
  inStore(home.work, () => {
    for (const other of others) other.remove()
  })
  return others.length
}
