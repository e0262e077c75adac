import type { Digest } from '../../model/refs.ts'

/** Keys of a shared store, below its prefix. `docs/format.md` describes them: others read them too. */

export const blobFolder = 'blobs/'
export const cacheFolder = 'cache/'
export const baseFolder = 'bases/'
export const logFolder = 'logs/'

export const blobKey = (digest: Digest): string => `${blobFolder}${digest.slice(0, 2)}/${digest}`
export const cacheKey = (digest: Digest): string => `${cacheFolder}${digest.slice(0, 2)}/${digest}.json`
