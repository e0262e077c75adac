import { join } from 'node:path'
import { LogFiles } from '../data/log-files.ts'
import { openDataPlane } from '../data/open.ts'
import { clearResults, resultsOf } from '../data/shared/clear-results.ts'
import { joinShared, type OwnParts, type SharedStore } from '../data/shared/joined-parts.ts'
import { ObjectBlobs } from '../data/shared/object-blobs.ts'
import { openObjects } from '../data/shared/open.ts'
import type { AlmanacConfig } from '../flow/config.ts'
import { sizeBytes } from '../flow/options.ts'
import type { SharedEntries } from '../workbench.ts'

/** Where it is kept, and how the project wants it. */
export interface StorageOptions {
  readonly home: string
  readonly project: string
  readonly config: AlmanacConfig
  readonly say: (text: string) => void
}

/** What is kept on this machine, and in the store that it shares. @throws ALM_CONFIG */
export function openStorage(
  { home, project, config, say }: StorageOptions,
  { journal, cache, datasets }: Pick<OwnParts, 'journal' | 'cache' | 'datasets'>,
) {
  const shared = openStore(config)
  const data = openDataPlane({
    home,
    data: join(project, 'data'),
    ...(shared !== undefined && { shared: new ObjectBlobs(shared.objects) }),
    ...(shared?.localBytes !== undefined && { localBytes: shared.localBytes }),
  })
  const logs = new LogFiles(home, (error) => say(`A log could not be written: ${(error as Error).message}`))
  const own = { journal, cache, datasets, logs, home, data, onMessage: say }
  return { ...joinShared(own, shared), data, objects: shared?.objects, sharedEntries: entriesOf(shared) }
}

function entriesOf(shared: SharedStore | undefined): SharedEntries | undefined {
  if (shared === undefined || shared.results === 'off') return undefined
  const { objects, results } = shared
  return {
    url: objects.url,
    isWritable: results === 'share',
    find: (prefix) => resultsOf(objects, prefix, 10),
    clear: ({ dryRun, ...choice }) => clearResults(objects, choice, dryRun),
  }
}

/** The store that machines share, if there is one. @throws ALM_CONFIG */
function openStore({ store }: AlmanacConfig): SharedStore | undefined {
  const given = typeof store === 'string' ? { url: store } : store
  const url = process.env['ALMANAC_STORE'] ?? given?.url
  if (url === undefined || url === '' || url === 'off') return undefined
  const { url: _, local, ...options } = { url, ...given }
  const localBytes = local === undefined ? undefined : sizeBytes(local)
  return {
    objects: openObjects(url, options),
    results: options.results ?? 'share',
    logs: options.logs ?? true,
    plain: options.plain ?? false,
    ...(localBytes !== undefined && { localBytes }),
  }
}
