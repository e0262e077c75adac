import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isIndex, listingHeader } from '../core/tree/listing.ts'
import { isAlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import type { LocalBlobStore } from './blob-store.ts'
import { inStore, isMissing } from './failures.ts'
import type { Home } from './home.ts'
import { isDigest, shard, shards } from './home.ts'
import type { Listings } from './listings.ts'
import type { Parts } from './parts.ts'
import { namesIn } from './presence.ts'
import { removeTree } from './remove-tree.ts'

/** Clocks of a file system and of a process may differ by the grain of either, ms. */
const clockGrain = 2000

export interface GarbageOptions {
  /** all that must stay: files, and directories with all that is in them */
  readonly roots: AsyncIterable<Digest>
  /** only say what would be done */
  readonly dryRun: boolean
  /** longer than any work that has not yet told of its results takes, ms */
  readonly graceMs: number
  readonly now: number
}

export interface GarbageReport {
  readonly kept: number
  readonly keptBytes: number
  readonly unreachable: number
  readonly unreachableBytes: number
  /** of the unreachable ones: old enough, and taken out of use; they are deleted in a later round */
  readonly movedAside: number
  readonly deleted: number
  readonly freedBytes: number
  /** staged files and directories that nothing needs */
  readonly unstaged: number
  /** listings that a root needs and that are not there */
  readonly missing: number
}

/**
 * Mark and sweep, beside everything else.
 *
 * C1 a blob goes only after two rounds more than a grace apart found it unreachable, and none was put anew between.
 * C2 it is then moved aside, and taken back by whoever asks for it (`statBlob`); a round more than a grace later
 *    deletes it, unless it has become reachable.
 * C3 what is shown under the data directory is reachable, whatever the roots say.
 */
export async function collectGarbage(
  parts: Parts,
  data: string,
  options: GarbageOptions,
): Promise<GarbageReport> {
  const { reachable, missing } = await mark(parts, data, options.roots)
  const unstaged = sweepStaged(parts.home, reachable, options)
  const earlier = readMarks(parts.home.garbage)
  const marks: Marks = { unreachable: new Map(), aside: new Map() }
  const aside = sweepAside(parts.home, reachable, options, earlier, marks)
  const swept = await sweepStore(parts, reachable, options, earlier, marks)
  if (!options.dryRun) writeMarks(parts.home.garbage, marks)
  return { ...swept, ...aside, unstaged, missing }
}

async function mark(parts: Parts, data: string, roots: AsyncIterable<Digest>) {
  const reachable = new Set<Digest>()
  const count = { missing: 0 }
  for (const digest of inStore(data, () => shownIn(data))) await markFrom(parts, digest, reachable, count)
  for await (const digest of roots) await markFrom(parts, digest, reachable, count)
  return { reachable, missing: count.missing }
}

async function markFrom(
  { store, listings }: Parts,
  root: Digest,
  reachable: Set<Digest>,
  count: { missing: number },
): Promise<void> {
  if (reachable.has(root) || !isDigest(root)) return
  await reach(store, listings, root, reachable, count)
}

/** Adds a file, or a directory with all that is in it, as far as it is here. */
export async function reach(
  store: Pick<LocalBlobStore, 'pathOf'>,
  listings: Pick<Listings, 'read'>,
  root: Digest,
  reachable: Set<Digest>,
  count: { missing: number },
): Promise<void> {
  if (!isDigest(root)) return
  const isFile = !beginsAsListing(store.pathOf(root))
  if (isFile) return void reachable.add(root)
  reachable.delete(root)
  const open = [root]
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (reachable.has(digest)) continue
    reachable.add(digest)
    const listing = readOr(() => listings.read(digest as Digest))
    if (listing === undefined) {
      // a file that looks like a listing, or a listing that is gone: all else of its tree stays
      count.missing++
    } else if (isIndex(listing)) for (const node of listing.nodes) open.push(node.digest)
    else
      for (const entry of listing.entries)
        if (entry.kind === 'dir') open.push(entry.digest)
        else reachable.add(entry.digest)
    if (reachable.size % 4096 === 0) await new Promise(setImmediate)
  }
}

function readOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isAlmanacError(error) && (error.code === 'ALM_BLOB_MISSING' || error.code === 'ALM_BLOB_DAMAGED'))
      return undefined
    throw error
  }
}

/** Roots do not say what they are; most are files, which are not read whole for this. */
export function beginsAsListing(path: string): boolean {
  const head = Buffer.alloc(listingHeader.length)
  return inStore(path, () => {
    try {
      const file = openSync(path, 'r')
      try {
        return (
          readSync(file, head, 0, head.length, 0) === head.length && head.toString('latin1') === listingHeader
        )
      } finally {
        closeSync(file)
      }
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  })
}

/** What the links below a directory show. */
export function* shownIn(directory: string): Generator<Digest> {
  for (const name of namesIn(directory)) {
    const path = join(directory, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) yield* shownIn(path)
    else if (stat?.isSymbolicLink() === true)
      yield* readlinkSync(path).split('/').map(digestOfName).filter(isDigest)
  }
}

/** `-x` marks the executable one of two files of one content. */
export const digestOfName = (name: string): string => name.replace(/-x$/, '')

function sweepStaged(
  home: Home,
  reachable: ReadonlySet<Digest>,
  { dryRun, graceMs, now }: GarbageOptions,
): number {
  let unstaged = 0
  for (const parent of [home.files, home.trees]) {
    for (const part of shards) {
      const directory = `${parent}/${part}`
      for (const name of inStore(directory, () => namesIn(directory))) {
        const path = `${directory}/${name}`
        const stat = lstatSync(path, { throwIfNoEntry: false })
        if (reachable.has(digestOfName(name)) || stat === undefined || stat.ctimeMs > now - graceMs) continue
        unstaged++
        if (!dryRun) inStore(path, () => removeTree(path))
      }
    }
  }
  return unstaged
}

function sweepAside(
  home: Home,
  reachable: ReadonlySet<Digest>,
  { dryRun, graceMs, now }: GarbageOptions,
  earlier: Marks,
  marks: Marks,
) {
  let deleted = 0
  let freedBytes = 0
  for (const name of inStore(home.trash, () => namesIn(home.trash))) {
    const path = `${home.trash}/${name}`
    const stat = lstatSync(path, { throwIfNoEntry: false })
    const since = earlier.aside.get(name) ?? now
    if (stat === undefined) continue
    if (reachable.has(name)) {
      if (!dryRun) inStore(path, () => renameSync(path, shard(home.store, name)))
    } else if (now - since < graceMs) marks.aside.set(name, since)
    else {
      deleted++
      freedBytes += stat.size
      if (!dryRun) inStore(path, () => rmSync(path, { force: true }))
    }
  }
  return { deleted, freedBytes }
}

async function sweepStore(
  { store }: Parts,
  reachable: ReadonlySet<Digest>,
  { dryRun, graceMs, now }: GarbageOptions,
  earlier: Marks,
  marks: Marks,
) {
  const report = { kept: 0, keptBytes: 0, unreachable: 0, unreachableBytes: 0, movedAside: 0 }
  for await (const { digest, size, changedAt } of store.list()) {
    if (reachable.has(digest)) {
      report.kept++
      report.keptBytes += size
      continue
    }
    report.unreachable++
    report.unreachableBytes += size
    const since = earlier.unreachable.get(digest)
    // put or linked to since then: it begins anew
    const markedAt = since === undefined || changedAt > since - clockGrain ? now : since
    if (now - markedAt < graceMs || markedAt === now) marks.unreachable.set(digest, markedAt)
    else {
      report.movedAside++
      marks.aside.set(digest, now)
      if (!dryRun) store.moveAside(digest)
    }
  }
  return report
}

/** Since when (ms) blobs have been found unreachable, and been moved aside. */
interface Marks {
  readonly unreachable: Map<Digest, number>
  readonly aside: Map<Digest, number>
}

/** A line a blob: digest, time, and `aside` for those. A damaged file is as none: they are found again. */
function readMarks(path: string): Marks {
  const marks: Marks = { unreachable: new Map(), aside: new Map() }
  for (const line of readText(path).split('\n')) {
    const [digest = '', at, aside] = line.split(' ')
    if (isDigest(digest) && Number(at) > 0)
      marks[aside === 'aside' ? 'aside' : 'unreachable'].set(digest, Number(at))
  }
  return marks
}

const readText = (path: string): string =>
  inStore(path, () => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if (isMissing(error)) return ''
      throw error
    }
  })

function writeMarks(path: string, { unreachable, aside }: Marks): void {
  const lines = [
    ...[...unreachable].map(([digest, at]) => `${digest} ${at}\n`),
    ...[...aside].map(([digest, at]) => `${digest} ${at} aside\n`),
  ]
  inStore(path, () => {
    const temporary = `${path}.${crypto.randomUUID()}.tmp`
    writeFileSync(temporary, lines.join(''))
    renameSync(temporary, path)
  })
}
