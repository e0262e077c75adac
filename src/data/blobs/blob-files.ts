import { hash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { codeOf, inStore, isMissing, storeError } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import { type FileState, hashFile, hashInput, isExecutable, sameState } from '../files/read-file.ts'
import { bearsStamp, stamped } from './stamp.ts'

/**
 * Blobs as files: `store/<aa>/<digest>`, read only. Synchronous, so that worker threads and the main one share it.
 *
 * B1 a blob appears under its name whole, by a rename; a process may be killed at any time.
 * B2 what is found under a name is trusted if its size and stamp agree (`stamp.ts`), else it is put there anew.
 * B3 no file is moved into the store that has another name elsewhere: its owner could write through that one. What a
 *    person moves there keeps its own name until its place is on record (`link-file.ts`); B2 tells if it was written to.
 */
export interface BlobFiles {
  readonly store: string
  readonly trash: string
  /** a directory of this process on the store's file system */
  readonly temporary: string
  /** does the file system keep fractions of a second? */
  readonly stamps: boolean
}

export const digestOf = (bytes: Uint8Array | string): Digest => hash('sha256', bytes, 'hex')

/** Keeps bytes under their digest; false if they were there. */
export function writeBlob(files: BlobFiles, digest: Digest, bytes: Uint8Array): boolean {
  const path = shard(files.store, digest)
  return inStore(path, () => {
    if (isWhole(files, digest, bytes.length) && renewBlob(files, digest)) return false
    const temporary = temporaryPath(files)
    try {
      const file = openSync(temporary, 'wx', 0o600)
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
        fchmodSync(file, 0o444)
        futimesSync(file, Date.now() / 1000, stamped(digest, Date.now()))
      } finally {
        closeSync(file)
      }
      moveInto(temporary, path)
      return true
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  })
}

export interface Adopted {
  readonly digest: Digest
  readonly size: number
  readonly executable: boolean
  /** false: the store had it */
  readonly fresh: boolean
  /** of one that still lies where it was: what tells that nobody changed it since */
  readonly left?: LeftFile
  /** of one that lies there as a second name of the blob: what it was before */
  readonly linked?: Pick<BigIntStats, 'mode' | 'mtimeNs'>
}

/** What a change of a file that was taken would change. */
export type LeftFile = Pick<BigIntStats, 'ino' | 'size' | 'mtimeNs'>

/**
 * Moves a regular file into the store; copies it where it cannot be moved, or is not ours alone.
 * @throws ALM_INPUT_CHANGED where it is still written to
 */
export function adoptFile(files: BlobFiles, path: string): Adopted {
  const { digest, state } = hashInput(path)
  return inStore(path, () => {
    const size = Number(state.size)
    const adopted = { digest, size, executable: isExecutable(state.mode), fresh: true }
    if (isWhole(files, digest, size) && renewBlob(files, digest)) {
      unlinkSync(path)
      return { ...adopted, fresh: false }
    }
    if (!moveFile(files, path, digest, state)) {
      copyBlob(files, path, digest)
      unlinkSync(path)
    }
    return adopted
  })
}

/** Puts a copy of a file under its digest. @throws ALM_INPUT_CHANGED where the copy has another */
export function copyBlob(files: BlobFiles, path: string, digest: Digest): void {
  const temporary = temporaryPath(files)
  try {
    copyFileSync(path, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
    chmodSync(temporary, 0o400)
    const copied = hashFile(temporary)
    if (copied.digest !== digest) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    seal(temporary, digest, copied.state.mtimeNs)
    moveInto(temporary, shard(files.store, digest))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Read only, with the stamp of its digest. */
export function seal(path: string, digest: Digest, mtimeNs: bigint, executable = false): void {
  utimesSync(path, Date.now() / 1000, stamped(digest, Number(mtimeNs / 1_000_000n)))
  chmodSync(path, executable ? 0o555 : 0o444)
}

/** Is it there, whole by size (where that is known) and stamp? */
export function isWhole(files: BlobFiles, digest: Digest, size?: number): boolean {
  const stat = statBlob(files, digest)
  return stat !== undefined && looksWhole(files, digest, stat, size)
}

export const looksWhole = (files: BlobFiles, digest: Digest, stat: BigIntStats, size?: number): boolean =>
  (size === undefined || stat.size === BigInt(size)) && (!files.stamps || bearsStamp(digest, stat))

/** A blob that a collection moved aside is taken back by whoever asks for it. */
export function statBlob(files: BlobFiles, digest: Digest): BigIntStats | undefined {
  const path = shard(files.store, digest)
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  const aside = `${files.trash}/${digest}`
  // looked for first: an exception costs more than both looks
  if (stat !== undefined || lstatSync(aside, { throwIfNoEntry: false }) === undefined) return stat
  try {
    moveInto(aside, path)
  } catch (error) {
    // it is gone, or another process has just taken it back
    if (!isMissing(error)) throw error
  }
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

/** Dates a blob anew, so that no collection takes it soon; false if it is not there. */
export function renewBlob(files: BlobFiles, digest: Digest): boolean {
  try {
    // sets the time of the last change and nothing else
    chmodSync(shard(files.store, digest), 0o444)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

export const temporaryPath = (files: BlobFiles): string => `${files.temporary}/${crypto.randomUUID()}`

function moveFile(files: BlobFiles, path: string, digest: Digest, seen: FileState): boolean {
  const state = lstatSync(path, { bigint: true })
  // a link to a file has one name more than it shows
  if (state.nlink !== 1n || !state.isFile()) return false
  // what was written since it was read must not bear the stamp of what was read
  if (!sameState(state, seen)) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
  try {
    seal(path, digest, state.mtimeNs)
    moveInto(path, shard(files.store, digest))
    return true
  } catch (error) {
    // another file system, or another user's file
    if (codeOf(error) === 'EXDEV' || codeOf(error) === 'EPERM' || codeOf(error) === 'EACCES') return false
    throw storeError(error, path)
  }
}

/** Gives a file that is complete its name in the store. */
export const placeBlob = (files: BlobFiles, path: string, digest: Digest): void =>
  moveInto(path, shard(files.store, digest))

function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    mkdirSync(dirname(to), { recursive: true })
    renameSync(from, to)
  }
}
