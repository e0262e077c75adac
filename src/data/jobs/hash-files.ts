import { hashInput } from '../read-file.ts'
import { rowState } from '../state-rows.ts'

/** Digests of files that are still in the state in which they were seen. */
export interface HashJob {
  readonly kind: 'hash'
  readonly paths: readonly string[]
  readonly rows: BigInt64Array
  /** more than a few megabytes */
  readonly heavy: boolean
}

/** 32 bytes a file. @throws ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE */
export function hashFiles(job: HashJob): Uint8Array {
  const digests = Buffer.allocUnsafeSlow(job.paths.length * 32)
  for (const [i, path] of job.paths.entries()) {
    digests.write(hashInput(path, rowState(job.rows, i)).digest, i * 32, 'hex')
  }
  return digests
}
