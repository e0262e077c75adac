import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  futimesSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { codeOf, inputError, inStore } from '../files/failures.ts'
import type { FileState } from '../files/read-file.ts'
import { hashFile, sameState } from '../files/read-file.ts'
import type { BlobFiles } from './blob-files.ts'
import { digestOf, isWhole, placeBlob, renewBlob, temporaryPath, writeBlob } from './blob-files.ts'
import { stamped } from './stamp.ts'

/** Larger files are written while they are read; smaller ones only if the store has not got them. */
const piece = Buffer.allocUnsafeSlow(1 << 20)

/**
 * Copies a file that belongs to somebody else into the store, and gives its digest: by a reflink where the file system
 * has them, else it is read once, hashed and written at the same time. Never by a hard link: its owner could write
 * through that.
 * @throws ALM_INPUT_CHANGED where it is not, or does not stay, in the expected state; ALM_STORE_…
 */
export function takeFile(files: BlobFiles, path: string, expected: FileState): Digest {
  const file = opened(path)
  try {
    const state = fstatSync(file, { bigint: true })
    if (!state.isFile() || !sameState(state, expected)) throw changed(path)
    const size = Number(state.size)
    const digest =
      size <= piece.length
        ? takeSmall(files, path, file, size)
        : (cloned(files, path) ?? takeLarge(files, path, file, size))
    if (!sameState(state, fstatSync(file, { bigint: true }))) throw changed(path)
    return digest
  } finally {
    closeSync(file)
  }
}

function opened(path: string): number {
  try {
    // without O_NONBLOCK a pipe that took the file's place would be waited for
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw inputError(error, path)
  }
}

function takeSmall(files: BlobFiles, path: string, file: number, size: number): Digest {
  let read = 0
  while (read < size) {
    const more = readInto(file, path, read, size - read)
    if (more === 0) break
    read += more
  }
  if (read !== size) throw changed(path)
  const bytes = piece.subarray(0, size)
  const digest = digestOf(bytes)
  writeBlob(files, digest, bytes)
  return digest
}

function takeLarge(files: BlobFiles, path: string, file: number, size: number): Digest {
  const temporary = temporaryPath(files)
  const whole = createHash('sha256')
  try {
    const copy = inStore(temporary, () => openSync(temporary, 'wx', 0o600))
    try {
      let all = 0
      for (let read = readInto(file, path, 0, piece.length); read > 0; ) {
        all += read
        if (all > size) throw changed(path)
        const bytes = piece.subarray(0, read)
        whole.update(bytes)
        inStore(temporary, () => writeAll(copy, bytes))
        read = readInto(file, path, 0, piece.length)
      }
      if (all !== size) throw changed(path)
      const digest = whole.digest('hex')
      inStore(temporary, () => {
        fchmodSync(copy, 0o444)
        futimesSync(copy, Date.now() / 1000, stamped(digest, Date.now()))
      })
      return placed(files, temporary, digest, size)
    } finally {
      closeSync(copy)
    }
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Asked once a thread for each place that files come from: its file system shares blocks with the store or not. */
const unshared = new Set<bigint>()

function cloned(files: BlobFiles, path: string): Digest | undefined {
  const from = fstatDevice(path)
  if (unshared.has(from)) return undefined
  const temporary = temporaryPath(files)
  try {
    copyFileSync(path, temporary, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    const { digest, state } = hashFile(temporary)
    const clone = openSync(temporary, 'r')
    try {
      fchmodSync(clone, 0o444)
      futimesSync(clone, Date.now() / 1000, stamped(digest, Date.now()))
    } finally {
      closeSync(clone)
    }
    return inStore(temporary, () => placed(files, temporary, digest, Number(state.size)))
  } catch (error) {
    rmSync(temporary, { force: true })
    if (
      !['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY', 'EPERM', 'EACCES'].includes(
        codeOf(error) ?? '',
      )
    )
      throw inStore(temporary, () => {
        throw error
      })
    unshared.add(from)
    return undefined
  }
}

function fstatDevice(path: string): bigint {
  const file = opened(path)
  try {
    return fstatSync(file, { bigint: true }).dev
  } finally {
    closeSync(file)
  }
}

function placed(files: BlobFiles, temporary: string, digest: Digest, size: number): Digest {
  if (isWhole(files, digest, size) && renewBlob(files, digest)) rmSync(temporary, { force: true })
  else placeBlob(files, temporary, digest)
  return digest
}

function readInto(file: number, path: string, at: number, length: number): number {
  try {
    return readSync(file, piece, at, length, null)
  } catch (error) {
    throw inputError(error, path)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

const changed = (path: string) => new AlmanacError('ALM_INPUT_CHANGED', { path })
