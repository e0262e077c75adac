import type { Adopting, AdoptJob } from '../blobs/adopt-files.ts'
import { adoptFiles } from '../blobs/adopt-files.ts'
import type { CheckJob, Damage } from '../blobs/check-blobs.ts'
import { checkBlobs } from '../blobs/check-blobs.ts'
import type { Failure } from '../jobs/failure.ts'
import type { HashJob } from '../scan/hash-files.ts'
import { hashFiles } from '../scan/hash-files.ts'
import type { Listed, ListJob } from '../scan/list-directory.ts'
import { listDirectories } from '../scan/list-directory.ts'
import type { CopyJob } from '../staging/copy-files.ts'
import { copyFiles } from '../staging/copy-files.ts'
import type { Staged, StageJob } from '../staging/stage-listings.ts'
import { stageListings } from '../staging/stage-listings.ts'

/** Synchronous work on many files, plain data in and out: done by a thread of the pool, or in place. */
export type Job = ListJob | HashJob | AdoptJob | CheckJob | StageJob | CopyJob

export interface Results {
  readonly list: Listed
  readonly hash: Uint8Array
  readonly adopt: Adopting
  readonly check: readonly Damage[]
  readonly stage: Staged
  readonly copy: undefined
}

export type ResultOf<J extends Job> = Results[J['kind']]

export function runJob(job: Job): Results[Job['kind']] {
  switch (job.kind) {
    case 'list':
      return listDirectories(job)
    case 'hash':
      return hashFiles(job)
    case 'adopt':
      return adoptFiles(job)
    case 'check':
      return checkBlobs(job)
    case 'stage':
      return stageListings(job)
    case 'copy':
      return void copyFiles(job)
  }
}

/** Would the main thread be busy with it for longer than a few milliseconds, or might it? */
export const isHeavy = (job: Job): boolean =>
  job.kind === 'list' || job.kind === 'stage' ? false : job.kind !== 'hash' || job.heavy

/** From a thread to the main one. */
export type Answer =
  | { readonly kind: 'done'; readonly result: Results[Job['kind']] }
  | { readonly kind: 'failed'; readonly failure: Failure }
