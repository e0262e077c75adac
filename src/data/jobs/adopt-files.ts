import type { Adopted, BlobFiles } from '../blob-files.ts'
import { adoptFile } from '../blob-files.ts'
import { linkFile } from '../link-file.ts'

/** Moves files into the store, or links them there: they are removed later, by whoever asked. */
export interface AdoptJob {
  readonly kind: 'adopt'
  readonly how: 'move' | 'link'
  readonly files: BlobFiles
  readonly paths: readonly string[]
}

export const adoptFiles = ({ how, files, paths }: AdoptJob): readonly Adopted[] =>
  paths.map((path) => (how === 'move' ? adoptFile(files, path) : linkFile(files, path)))
