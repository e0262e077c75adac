import type { Digest } from '../../model/refs.ts'
import { isMissing, storeError } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import { hashFile } from '../files/read-file.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { BlobFiles } from './blob-files.ts'
import { statBlob } from './blob-files.ts'
import { bearsStamp } from './stamp.ts'

/** Reads blobs whole and compares them with their names. */
export interface CheckJob {
  readonly kind: 'check'
  readonly files: BlobFiles
  readonly digests: readonly Digest[]
}

export interface Damage {
  readonly digest: Digest
  readonly why: string
}

export type CheckRunner = JobRunner<CheckJob, readonly Damage[]>

/** Those that are not what their name says; one that is gone is no damage. */
export function checkBlobs(job: CheckJob): readonly Damage[] {
  return job.digests.flatMap((digest) => {
    const path = shard(job.files.store, digest)
    try {
      const found = hashFile(path)
      if (found.digest === digest) return []
      const stat = statBlob(job.files, digest)
      const written = job.files.stamps && stat !== undefined && !bearsStamp(digest, stat)
      const how = written ? 'it was written to' : 'its bytes are others'
      return [{ digest, why: `${how}, ${found.state.size} bytes now` }]
    } catch (error) {
      if (isMissing(error)) return []
      return [{ digest, why: storeError(error, path).message }]
    }
  })
}
