import type { RunId } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'

/** Keys of a shared store, below its prefix. `docs/format.md` describes them: others read them too. */

export const blobFolder = 'blobs/'
export const cacheFolder = 'cache/'
export const baseFolder = 'bases/'
/** listings without the files that they name */
export const listingFolder = 'listings/'
export const versionFolder = 'versions/'
/** results of runs that are not in the run cache */
export const resultFolder = 'results/'
/** which journal a run is of, by journal */
export const runFolder = 'runs/'
/** what a collection has found unreachable, for all to see */
export const garbageKey = 'garbage.txt'
/** what collections are deleting at the moment, a text each */
export const deletingFolder = 'deleting/'
/** datasets as plain files */
export const plainFolder = 'plain/'
export const logFolder = 'logs/'

export const blobKey = (digest: Digest, folder = blobFolder): string =>
  `${folder}${digest.slice(0, 2)}/${digest}`
export const runKey = (journal: string, run: RunId): string => `${runFolder}${journal}/${run}.json`
export const baseKey = (environment: string, base: Digest): string =>
  `${baseFolder}${encodeURIComponent(environment)}/${base.slice(0, 2)}/${base}.json`
export const cacheKey = (digest: Digest): string => `${cacheFolder}${digest.slice(0, 2)}/${digest}.json`
