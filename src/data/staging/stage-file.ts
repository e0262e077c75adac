import { constants, copyFileSync, linkSync, lstatSync, rmSync, symlinkSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { BlobFiles } from '../blobs/blob-files.ts'
import { isWhole, seal } from '../blobs/blob-files.ts'
import { codeOf, inStore, isMissing } from '../files/failures.ts'
import { shard } from '../files/home.ts'

/**
 * Puts a blob at a path as a read-only file: by a reflink, which nobody can write through; else by a hard link, or
 * by a copy where the file must be executable (a link shares the mode) or has too many links.
 * `looked`: the caller knows that the blob is there and whole.
 * @throws ALM_BLOB_MISSING, ALM_STORE_…
 */
export function stageFile(
  files: BlobFiles,
  digest: Digest,
  executable: boolean,
  path: string,
  looked = false,
): void {
  const blob = shard(files.store, digest)
  inStore(path, () => {
    if (!looked && !isWhole(files, digest)) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    try {
      if (executable) copySealed(blob, path, digest, 0, executable)
      else if (!reflink(blob, path, digest)) linkSync(blob, path)
    } catch (error) {
      if (isMissing(error)) throw new AlmanacError('ALM_BLOB_MISSING', { digest }, { cause: error })
      // too many links, or a file system without any
      if (!['EMLINK', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EXDEV'].includes(codeOf(error) ?? '')) throw error
      copySealed(blob, path, digest, 0, executable)
    }
  })
}

/** Puts a link to a file that lies elsewhere at a path. */
export const stageLink = (target: string, path: string): void =>
  inStore(path, () => symlinkSync(target, path))

function copySealed(blob: string, path: string, digest: Digest, mode: number, executable: boolean): void {
  try {
    copyFileSync(blob, path, mode | constants.COPYFILE_EXCL)
    seal(path, digest, lstatSync(blob, { bigint: true }).mtimeNs, executable)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') rmSync(path, { force: true })
    throw error
  }
}

/** Asked once a thread: a file system has them or not. */
let reflinks = true

function reflink(blob: string, path: string, digest: Digest): boolean {
  if (!reflinks) return false
  try {
    copySealed(blob, path, digest, constants.COPYFILE_FICLONE_FORCE, false)
    return true
  } catch (error) {
    if (!['ENOTSUP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY'].includes(codeOf(error) ?? '')) throw error
    reflinks = false
    return false
  }
}
