import { existsSync, readFileSync, type Stats, statSync } from 'node:fs'
import type { Digest } from '../model/refs.ts'
import { sha256 } from './sha256.ts'

/**
 * Files as they were when something was made from them, so that it need not be made again.
 *
 * T1 a stamp holds only if the file has the same content: equal size, times and inode stand for equal content only
 *    if the file had been at rest when it was read (a write within the clock's grain leaves the times as they are).
 * T2 files whose coming would change what was made are listed too, as absent.
 */
export interface Stamp {
  readonly path: string
  readonly digest: Digest
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  /** it had been at rest when the stamp was taken */
  readonly rested: boolean
}

/** Coarsest grain of a file system's times that is allowed for. */
const restMs = 2_000

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

const readOf = (path: string): Uint8Array | undefined => {
  try {
    return readFileSync(path)
  } catch (error) {
    // it went, or became a directory, between two looks at it
    if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code)))
      return undefined
    throw error
  }
}

/** Stamp of a file; undefined if it is not there, or no longer has the content it was `read` with. */
export function stampOf(path: string, now: number, read?: Digest): Stamp | undefined {
  const stats = statOf(path)
  if (stats === undefined) return undefined
  const bytes = readOf(path)
  if (bytes === undefined) return undefined
  const digest = sha256(bytes)
  if (read !== undefined && read !== digest) return undefined
  const { size, mtimeMs, ctimeMs, ino } = stats
  return { path, digest, size, mtimeMs, ctimeMs, ino, rested: Math.max(mtimeMs, ctimeMs) < now - restMs }
}

/** What became of files that something was made from. */
export interface StampCheck {
  readonly holds: boolean
  /** some were read again: these stamps are cheaper to check than the old ones */
  readonly fresher: readonly Stamp[] | undefined
}

const changed: StampCheck = { holds: false, fresher: undefined }

export function checkStamps(stamps: readonly Stamp[], absent: readonly string[], now: number): StampCheck {
  let fresher: Stamp[] | undefined
  for (const [i, stamp] of stamps.entries()) {
    const stats = statOf(stamp.path)
    if (stats === undefined) return changed
    if (stamp.rested && sameStats(stamp, stats)) continue
    const again = stampOf(stamp.path, now, stamp.digest)
    if (again === undefined) return changed
    if (!again.rested) continue
    fresher ??= [...stamps]
    fresher[i] = again
  }
  for (const path of absent) if (existsSync(path)) return changed
  return { holds: true, fresher }
}

const sameStats = (stamp: Stamp, stats: Stats): boolean =>
  stamp.mtimeMs === stats.mtimeMs &&
  stamp.ctimeMs === stats.ctimeMs &&
  stamp.size === stats.size &&
  stamp.ino === stats.ino
