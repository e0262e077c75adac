import { type BigIntStats, chmodSync, linkSync, lstatSync, rmSync, utimesSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { codeOf, inputError, inStore } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import { hashInput, isExecutable, sameState } from '../files/read-file.ts'
import type { Adopted, BlobFiles, LeftFile } from './blob-files.ts'
import { copyBlob, isWhole, placeBlob, renewBlob, seal, temporaryPath } from './blob-files.ts'

/** Nothing can be linked there, or not by us. */
const unlinkable: ReadonlySet<string> = new Set([
  'EXDEV',
  'EPERM',
  'EACCES',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
])

/**
 * Puts a file that its owner gives away into the store and leaves it where it is: a process that dies before its place
 * is on record must not take its name with it. @throws ALM_INPUT_CHANGED, ALM_INPUT_MISSING, ALM_STORE_…
 */
export function linkFile(files: BlobFiles, path: string): Adopted {
  const seen = stateOf(path)
  const { digest, state } = hashInput(path, seen.isFile() ? seen : undefined)
  // what fails from here on is the store
  return inStore(files.store, () => {
    const size = Number(state.size)
    const adopted = { digest, size, executable: isExecutable(state.mode) }
    if (isWhole(files, digest, size) && renewBlob(files, digest))
      return { ...adopted, fresh: false, left: leftOf(seen) }
    const left = linked(files, path, digest, seen)
    if (left !== undefined)
      return { ...adopted, fresh: true, left, linked: { mode: seen.mode, mtimeNs: seen.mtimeNs } }
    copyBlob(files, path, digest)
    return { ...adopted, fresh: true, left: leftOf(seen) }
  })
}

/**
 * Undoes `linkFile`: the file is its owner's alone again, as it was, and the store forgets it. False where it cannot
 * be: it changed since, or is used in a third place.
 */
export function giveBackFile(files: BlobFiles, path: string, { digest, left, linked }: Adopted): boolean {
  if (left === undefined || linked === undefined) return true
  try {
    const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    // what is there now was never taken
    if (now?.ino !== left.ino) return true
    if (now.size !== left.size || now.mtimeNs !== left.mtimeNs || now.nlink > 2n) return false
    const blob = shard(files.store, digest)
    if (lstatSync(blob, { bigint: true, throwIfNoEntry: false })?.ino === now.ino) rmSync(blob)
    utimesSync(path, Number(now.atimeNs) / 1e9, Number(linked.mtimeNs) / 1e9)
    chmodSync(path, Number(linked.mode & 0o7777n))
    return true
  } catch (error) {
    // whoever asked is about to say what went wrong before, and says of this file that it stayed as it is
    if (codeOf(error) === undefined) throw error
    return false
  }
}

function stateOf(path: string): BigIntStats {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    throw inputError(error, path)
  }
}

const leftOf = ({ ino, size, mtimeNs }: BigIntStats): LeftFile => ({ ino, size, mtimeNs })

/** Undefined where it has to be copied: it is a link, has another name already, or lies on another disk. */
function linked(files: BlobFiles, path: string, digest: Digest, seen: BigIntStats): LeftFile | undefined {
  if (!seen.isFile() || seen.nlink !== 1n) return undefined
  const temporary = temporaryPath(files)
  try {
    // what was written since it was read must not bear the stamp of what was read
    if (!sameState(lstatSync(path, { bigint: true }), seen))
      throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    linkSync(path, temporary)
    seal(temporary, digest, seen.mtimeNs)
    const left = leftOf(lstatSync(temporary, { bigint: true }))
    placeBlob(files, temporary, digest)
    return left
  } catch (error) {
    rmSync(temporary, { force: true })
    if (unlinkable.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}
