import type { Digest } from '../../model/refs.ts'
import type { BlobFiles } from '../blob-files.ts'
import { stageFile } from '../stage-file.ts'

/** Puts files of the store at paths. */
export interface StageJob {
  readonly kind: 'stage'
  readonly files: BlobFiles
  readonly targets: readonly StageTarget[]
}

export interface StageTarget {
  readonly digest: Digest
  readonly executable: boolean
  /** free; its directory is there */
  readonly path: string
}

export function stageFiles(job: StageJob): void {
  for (const { digest, executable, path } of job.targets) stageFile(job.files, digest, executable, path)
}
