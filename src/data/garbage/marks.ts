import type { Digest } from '../../model/refs.ts'
import { isDigest } from '../files/home.ts'

/** Clocks of a file system and of a process may differ by the grain of either, ms. */
const clockGrain = 2000

/** C1, for any store: gives what was found unreachable twice, and marks what is for the first time. */
export async function sweep<Blob extends Found>(
  blobs: AsyncIterable<Blob>,
  reachable: ReadonlySet<Digest>,
  { graceMs, now }: { readonly graceMs: number; readonly now: number },
  earlier: ReadonlyMap<Digest, number>,
  marks: Map<Digest, number>,
  take: (blob: Blob) => void,
) {
  const report = { kept: 0, keptBytes: 0, unreachable: 0, unreachableBytes: 0 }
  for await (const blob of blobs) {
    const { digest, size, changedAt } = blob
    if (reachable.has(digest)) {
      report.kept++
      report.keptBytes += size
      continue
    }
    report.unreachable++
    report.unreachableBytes += size
    const since = earlier.get(digest)
    // put or linked to since then: it begins anew
    const markedAt = since === undefined || changedAt > since - clockGrain ? now : since
    if (now - markedAt < graceMs || markedAt === now) marks.set(digest, markedAt)
    else take(blob)
  }
  return report
}

/** A blob as a store lists it. */
export interface Found {
  readonly digest: Digest
  readonly size: number
  readonly changedAt: number
}

/** Since when (ms) blobs have been found unreachable, listings too in a folder of their own, and blobs been moved aside. */
export interface Marks {
  readonly unreachable: Map<Digest, number>
  readonly listing: Map<Digest, number>
  readonly aside: Map<Digest, number>
}

export const noMarks = (): Marks => ({ unreachable: new Map(), listing: new Map(), aside: new Map() })

/** A line a blob: digest, time, and `aside` or `listing` for those. A damaged file is as none: they are found again. */
export function parseMarks(text: string): Marks {
  const marks = noMarks()
  for (const line of text.split('\n')) {
    const [digest = '', at, kind] = line.split(' ')
    if (isDigest(digest) && Number(at) > 0)
      marks[kind === 'aside' || kind === 'listing' ? kind : 'unreachable'].set(digest, Number(at))
  }
  return marks
}

export const marksText = ({ unreachable, listing, aside }: Marks): string =>
  [
    ...[...unreachable].map(([digest, at]) => `${digest} ${at}\n`),
    ...[...listing].map(([digest, at]) => `${digest} ${at} listing\n`),
    ...[...aside].map(([digest, at]) => `${digest} ${at} aside\n`),
  ].join('')
