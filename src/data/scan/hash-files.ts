import type { BlobFiles } from '../blobs/blob-files.ts'
import { takeFile } from '../blobs/take-file.ts'
import { hashInput } from '../files/read-file.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import { rowState } from './state-rows.ts'

/** Digests of files that are still in the state in which they were seen. */
export interface HashJob {
  readonly kind: 'hash'
  readonly paths: readonly string[]
  readonly rows: BigInt64Array
  /** more than a few megabytes */
  readonly heavy: boolean
  /** where copies of them go as they are read */
  readonly into?: BlobFiles
}

export type HashRunner = JobRunner<HashJob, Uint8Array>

/** 32 bytes a file. @throws ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE, ALM_STORE_… */
export function hashFiles({ paths, rows, into }: HashJob): Uint8Array {
  const digests = Buffer.allocUnsafeSlow(paths.length * 32)
  for (const [i, path] of paths.entries()) {
    const state = rowState(rows, i)
    const digest = into === undefined ? hashInput(path, state).digest : takeFile(into, path, state)
    digests.write(digest, i * 32, 'hex')
  }
  return digests
}
