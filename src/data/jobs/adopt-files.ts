import type { Adopted, BlobFiles } from '../blob-files.ts'
import { adoptFile } from '../blob-files.ts'

/** Moves files into the store. */
export interface AdoptJob {
  readonly kind: 'adopt'
  readonly files: BlobFiles
  readonly paths: readonly string[]
}

export const adoptFiles = (job: AdoptJob): readonly Adopted[] =>
  job.paths.map((path) => adoptFile(job.files, path))
