import type { DirRef } from '../../model/refs.ts'
import type { Datasets } from '../../ports/datasets.ts'
import type { Journal, RunCache } from '../../ports/journal.ts'
import type { LogStore } from '../../ports/logs.ts'
import type { Objects } from '../../ports/objects.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import type { LogFiles } from '../log-files.ts'
import { withVersionFiles } from '../version-files.ts'
import { PendingUploads } from './pending-uploads.ts'
import { RunMarks } from './run-marks.ts'
import { SharedCache } from './shared-cache.ts'
import { SharedLogs } from './shared-logs.ts'
import { sharingJournal } from './sharing-journal.ts'

/** A shared store, and what of it is used. */
export interface SharedStore {
  readonly objects: Objects
  /** results: read and written, only read, or neither */
  readonly results: 'share' | 'read' | 'off'
  /** logs go there too */
  readonly logs: boolean
  /** datasets are shown at plain keys too */
  readonly plain?: boolean
  /** bytes of content that are kept on this machine */
  readonly localBytes?: number
}

export interface OwnParts {
  readonly journal: Journal
  readonly cache: RunCache
  readonly datasets: Datasets
  readonly logs: LogFiles
  /** of this machine */
  readonly home: string
  readonly data: Pick<LocalDataPlane, 'push' | 'pushListings' | 'pullListings' | 'showObjects' | 'trim'>
  readonly onMessage: (text: string) => void
}

/** The parts of this machine, joined with the store that it shares. */
export interface JoinedParts {
  readonly journal: Journal
  readonly cache: RunCache
  readonly datasets: Datasets
  readonly logs: LogStore
  /** what was begun has been sent, or it was said why not */
  settled(): Promise<void>
}

export function joinShared(own: OwnParts, shared: SharedStore | undefined): JoinedParts {
  if (shared === undefined || shared.results === 'off')
    return {
      ...own,
      datasets: withVersionFiles(own.datasets, own.home, undefined),
      settled: () => Promise.resolve(),
    }
  const { objects } = shared
  const { data, onMessage } = own
  const readOnly = shared.results === 'read'
  const marks = new RunMarks(objects, own.home)
  const cache = new SharedCache(own.cache, {
    objects,
    data,
    pendingUploads: new PendingUploads(own.home),
    marks,
    readOnly,
    onMessage,
  })
  const inBackground = (work: () => Promise<void>) => cache.shareMore(work)
  const logs = new SharedLogs(own.logs, { objects, marks, readOnly, inBackground })
  const push = (dirs: readonly DirRef[]) => data.push(dirs)
  return {
    cache,
    datasets: withVersionFiles(own.datasets, own.home, {
      objects,
      push,
      inBackground,
      ...(shared.plain === true && {
        show: (...what: Parameters<typeof data.showObjects>) => data.showObjects(...what),
      }),
    }),
    journal: sharingJournal(own.journal, cache, shared.logs ? logs : undefined),
    logs,
    async settled() {
      const timer = setTimeout(() => {
        if (cache.underWay > 0) onMessage(`Storing results in ${objects.url} …`)
      }, 2000)
      try {
        await cache.settled()
        await data.trim()
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
