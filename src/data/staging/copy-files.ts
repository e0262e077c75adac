import { chmodSync, constants, copyFileSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { inStore } from '../files/failures.ts'
import { hashFile } from '../files/read-file.ts'
import type { JobRunner } from '../jobs/job-runner.ts'

/** Copies files to paths of the user's, writable, and reads them again to be sure of them. */
export interface CopyJob {
  readonly kind: 'copy'
  readonly targets: readonly CopyTarget[]
}

export interface CopyTarget {
  readonly from: string
  /** does `from` belong to the user? */
  readonly external: boolean
  readonly digest: Digest
  readonly executable: boolean
  /** free; its directory is there */
  readonly path: string
}

export type CopyRunner = JobRunner<CopyJob, undefined>

export function copyFiles(job: CopyJob): void {
  for (const { from, external, digest, executable, path } of job.targets) {
    inStore(path, () => {
      copyFileSync(from, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
      chmodSync(path, executable ? 0o755 : 0o644)
      if (hashFile(path).digest === digest) return
      if (external) throw new AlmanacError('ALM_INPUT_CHANGED', { path: from })
      throw new AlmanacError('ALM_BLOB_DAMAGED', { digest, why: 'its bytes are others' })
    })
  }
}
