import type { BigIntStats } from 'node:fs'
import { closeSync, fstatSync, futimesSync, openSync, unlinkSync } from 'node:fs'
import type { Digest } from '../../model/refs.ts'

/**
 * The microseconds of a blob's modification time are derived from its digest. Whoever writes to it, through
 * whichever hard link, sets them anew: so one stat tells, at any later time and in any process, that it was
 * written to (but for one in a million). The seconds are those of its making, for people.
 */
export const stamped = (digest: Digest, ms: number): number =>
  Math.max(0, Math.floor(ms / 1000)) + (stampOf(digest) + 0.5) / 1e6

/** Was it left as it was made? */
export const bearsStamp = (digest: Digest, stat: Pick<BigIntStats, 'mtimeNs'>): boolean =>
  (stat.mtimeNs / 1000n) % 1_000_000n === BigInt(stampOf(digest))

const stampOf = (digest: Digest): number => Number.parseInt(digest.slice(0, 8), 16) % 1_000_000

/** What a file system keeps of times. */
export interface TimesKept {
  /** fractions of a second? Where it keeps whole ones only, the size alone tells whether a blob was written to */
  readonly stamps: boolean
  /** its own clock now, ns; undefined where it does not say when something was last changed */
  readonly now: bigint | undefined
}

/** `path`: a free one beside the store. */
export function timesKept(path: string): TimesKept {
  const digest = '0003039'.padEnd(64, '0')
  const file = openSync(path, 'wx', 0o600)
  try {
    futimesSync(file, 1, stamped(digest, 1e12))
    const stat = fstatSync(file, { bigint: true })
    const year = 31_536_000_000_000_000n
    const changes = stat.ctimeNs > stat.mtimeNs + year
    return { stamps: bearsStamp(digest, stat), now: changes ? stat.ctimeNs : undefined }
  } finally {
    closeSync(file)
    unlinkSync(path)
  }
}
