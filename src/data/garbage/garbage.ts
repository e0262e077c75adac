import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Digest } from '../../model/refs.ts'
import { inStore } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest, shard, shards } from '../files/home.ts'
import { ifThere, namesIn, textIn } from '../files/missing-files.ts'
import { removeTree } from '../files/remove-tree.ts'
import type { LocalParts } from '../staging/local-parts.ts'
import { type Marks, marksText, noMarks, parseMarks, sweep } from './marks.ts'
import { digestOfName, reach, shownIn } from './reachable.ts'

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
 * C3 what is shown under the data directory, or is pinned, is reachable, whatever the roots say.
 */
export async function collectGarbage(
  parts: LocalParts,
  data: string,
  options: GarbageOptions,
): Promise<GarbageReport> {
  if (!options.dryRun) parts.presence.checkWritable()
  const { reachable, missing } = await mark(parts, data, options.roots)
  const unstaged = sweepStaged(parts.home, reachable, options)
  const earlier = parseMarks(readText(parts.home.garbage))
  const marks = noMarks()
  const aside = sweepAside(parts.home, reachable, options, earlier, marks)
  const swept = await sweepStore(parts, reachable, options, earlier, marks)
  if (!options.dryRun) writeMarks(parts, marks)
  return { ...swept, ...aside, unstaged, missing }
}

async function mark(parts: LocalParts, data: string, roots: AsyncIterable<Digest>) {
  const reachable = new Set<Digest>()
  const count = { missing: 0 }
  for (const digest of inStore(data, () => shownIn(data))) await markFrom(parts, digest, reachable, count)
  for (const digest of inStore(parts.home.work, () => parts.pins.all()))
    await markFrom(parts, digest, reachable, count)
  for await (const digest of roots) await markFrom(parts, digest, reachable, count)
  return { reachable, missing: count.missing }
}

async function markFrom(
  { store, listings }: LocalParts,
  root: Digest,
  reachable: Set<Digest>,
  count: { missing: number },
): Promise<void> {
  if (reachable.has(root) || !isDigest(root)) return
  await reach(store, listings, root, reachable, count)
}

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
      if (!dryRun) inStore(path, () => takeBack(path, shard(home.store, name)))
    } else if (now - since < graceMs) marks.aside.set(name, since)
    else {
      deleted++
      freedBytes += stat.size
      if (!dryRun) inStore(path, () => rmSync(path, { force: true }))
    }
  }
  return { deleted, freedBytes }
}

/** Whoever asked for it meanwhile has taken it back already. */
function takeBack(aside: string, path: string): void {
  ifThere(() => renameSync(aside, path))
}

async function sweepStore(
  { store }: LocalParts,
  reachable: ReadonlySet<Digest>,
  options: GarbageOptions,
  earlier: Marks,
  marks: Marks,
) {
  let movedAside = 0
  const found = [earlier.unreachable, marks.unreachable] as const
  const report = await sweep(store.list(), reachable, options, ...found, ({ digest }) => {
    movedAside++
    marks.aside.set(digest, options.now)
    if (!options.dryRun) store.moveAside(digest)
  })
  return { ...report, movedAside }
}

const readText = (path: string): string => inStore(path, () => textIn(path))

function writeMarks({ home, presence }: LocalParts, marks: Marks): void {
  const path = home.garbage
  inStore(path, () => {
    // where it goes with this process if that is killed
    const temporary = `${presence.temporary}/${crypto.randomUUID()}`
    writeFileSync(temporary, marksText(marks))
    renameSync(temporary, path)
  })
}
