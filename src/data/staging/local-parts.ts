import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import type { Home } from '../files/home.ts'
import type { Pins } from '../processes/pins.ts'
import type { Presence } from '../processes/presence.ts'
import type { Externals } from '../scan/externals.ts'
import type { StatCache } from '../scan/stat-cache.ts'
import type { Sources } from './sources.ts'
import type { StagedFiles } from './staged-files.ts'
import type { StagedTrees } from './staged-trees.ts'

/** What lies on this machine: the part of a data plane that knows nothing of a store that is shared. */
export interface LocalParts {
  readonly home: Home
  readonly presence: Presence
  readonly pins: Pins
  readonly store: LocalBlobStore
  readonly listings: Listings
  readonly statCache: StatCache
  readonly externals: Externals
  readonly sources: Sources
  readonly files: StagedFiles
  readonly trees: StagedTrees
  /** present where room is short, and what is had from elsewhere goes again */
  readonly bound?: object
}
