import { type Failure, failureOf } from '../jobs/failure.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { Adopted, BlobFiles } from './blob-files.ts'
import { adoptFile } from './blob-files.ts'
import { linkFile } from './link-file.ts'

/** Moves files into the store, or links them there: they are removed later, by whoever asked. */
export interface AdoptJob {
  readonly kind: 'adopt'
  readonly how: 'move' | 'link'
  readonly files: BlobFiles
  readonly paths: readonly string[]
}

/** The first of the files, up to one that could not be taken. */
export interface Adopting {
  readonly adopted: readonly Adopted[]
  readonly failure?: Failure
}

export type AdoptRunner = JobRunner<AdoptJob, Adopting>

export function adoptFiles({ how, files, paths }: AdoptJob): Adopting {
  const adopted: Adopted[] = []
  try {
    for (const path of paths) adopted.push(how === 'move' ? adoptFile(files, path) : linkFile(files, path))
  } catch (error) {
    return { adopted, failure: failureOf(error) }
  }
  return { adopted }
}
