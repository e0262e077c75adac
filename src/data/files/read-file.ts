import { createHash, hash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { inputError } from './failures.ts'

/** Enough that larger ones are no faster, small enough to be kept a thread. */
const buffer = Buffer.allocUnsafeSlow(1 << 20)

/** What a stat says that a change of the file would change. */
export type FileState = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino' | 'mode'>

export const sameState = (a: FileState, b: FileState): boolean =>
  a.size === b.size &&
  a.mtimeNs === b.mtimeNs &&
  a.ctimeNs === b.ctimeNs &&
  a.ino === b.ino &&
  a.mode === b.mode

const isFileMode = (mode: bigint): boolean => (mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFREG)

/** The owner's right to execute: the one bit of the mode that counts. */
export const isExecutable = (mode: bigint): boolean => (mode & 0o100n) !== 0n

/**
 * The digest of a regular file that nobody writes meanwhile: its state is looked at before and after. `expected`: it
 * was looked at before, and is looked at once more only.
 * @throws ALM_INPUT_CHANGED, or the system's error
 */
export function hashFile(
  path: string,
  expected?: FileState,
): { readonly digest: Digest; readonly state: FileState } {
  // without O_NONBLOCK a pipe that took the file's place would be waited for
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const before = expected ?? fstatSync(file, { bigint: true })
    if (!isFileMode(before.mode)) throw changed(path)
    const digest = hashOpen(file, before, path)
    if (!sameState(before, fstatSync(file, { bigint: true }))) throw changed(path)
    return { digest, state: before }
  } finally {
    closeSync(file)
  }
}

/** The same, of a file that others made: each failure has a code. */
export function hashInput(
  path: string,
  expected?: FileState,
): { readonly digest: Digest; readonly state: FileState } {
  try {
    return hashFile(path, expected)
  } catch (error) {
    throw inputError(error, path)
  }
}

function hashOpen(file: number, state: FileState, path: string): Digest {
  try {
    return digestOfOpen(file, Number(state.size), path)
  } catch (error) {
    // what took its place may refuse to be read
    throw sameState(state, fstatSync(file, { bigint: true })) ? error : changed(path)
  }
}

function digestOfOpen(file: number, size: number, path: string): Digest {
  if (size < buffer.length) {
    // one byte more is asked for: the file may have grown
    const read = readFully(file, size + 1)
    if (read !== size) throw changed(path)
    return hash('sha256', buffer.subarray(0, read), 'hex')
  }
  const whole = createHash('sha256')
  let all = 0
  for (let read = readSync(file, buffer, 0, buffer.length, null); read > 0; ) {
    all += read
    if (all > size) throw changed(path)
    whole.update(buffer.subarray(0, read))
    read = readSync(file, buffer, 0, buffer.length, null)
  }
  if (all !== size) throw changed(path)
  return whole.digest('hex')
}

function readFully(file: number, size: number): number {
  let all = 0
  while (all < size) {
    const read = readSync(file, buffer, all, size - all, null)
    if (read === 0) break
    all += read
  }
  return all
}

const changed = (path: string) => new AlmanacError('ALM_INPUT_CHANGED', { path })
