import { diff } from '../../core/tree/diff.ts'
import { walk } from '../../core/tree/walk.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { TreeEntry } from '../../model/tree.ts'
import { Semaphore } from '../../util/semaphore.ts'
import type { Listings } from '../blobs/listings.ts'
import type { Sources } from '../staging/sources.ts'
import { nameOf } from '../staging/sources.ts'
import { readDocument, writeDocument } from './documents.ts'
import { plainFolder } from './layout.ts'
import type { Remote } from './remote.ts'

/** Files that are sent at once. */
const width = 8

interface ShowTools {
  readonly remote: Remote
  readonly listings: Listings
  readonly sources: Sources
}

/** What is to be shown: asked for again where it may have changed; undefined for nothing. */
export type Newest = () => Promise<Digest | undefined>

/**
 * Shows a directory at plain keys below `plain/<name>/`, for readers that know nothing of Almanac. New files first,
 * then what is no longer in it goes: a reader of a key that stays always has one version of it or the other, but
 * several keys do not change at one instant. `plain/<name>.almanac.json` says which directory it is.
 *
 * W1 it says so only of one that is there whole: before anything changes it says instead who is at work. What was cut
 *    off is not built upon: all is sent then, and what else is in the folder goes.
 * W2 of several at work each sees at its end that others were. Where one still is it is told so beside, and shows all anew
 *    at its end; else we do. Who tells looks afterwards whether that one is still at work, and who says that all is there
 *    looks afterwards whether it was told: whichever comes first, one of them sees it. So what stays is whole, but
 *    where another began since its last look at who is at work, and ended, or died, before it said that all is there.
 *
 * `instead`: only where one of these is shown.
 */
export async function showObjects(
  tools: ShowTools,
  name: string,
  newest: Newest,
  instead?: ReadonlySet<Digest>,
): Promise<void> {
  const { objects } = tools.remote.blobs
  // beside the folder: all that is in it is the directory's
  const state = `${plainFolder}${name}.almanac.json`
  const mixed = `${plainFolder}${name}.almanac.mixed.json`
  const isTold = async (): Promise<boolean> => (await objects.look(mixed)) !== undefined
  if (instead !== undefined) {
    const there = await readDocument(objects, state)
    if (!instead.has(String(there?.['digest'] ?? there?.['showing']))) return
  }
  for (let isMixed = await isTold(); ; ) {
    const root = await newest()
    const before = await readDocument(objects, state)
    const shown = isMixed ? undefined : before?.['digest']
    if (!isMixed && (root === undefined ? before === undefined : shown === root)) return
    const by = crypto.randomUUID()
    await writeDocument(objects, state, { showing: root, by })
    // who tells from now on saw us at work
    if (isMixed) await objects.remove([mixed])
    await change(tools, `${plainFolder}${name}/`, shown, root)
    const after = await readDocument(objects, state)
    isMixed = after?.['by'] !== by
    if (!isMixed) {
      if (root === undefined) await objects.remove([state])
      else await writeDocument(objects, state, { digest: root })
      isMixed = await isTold()
      if (!isMixed && (await newest()) === root) return
    } else if (after?.['by'] !== undefined) {
      await writeDocument(objects, mixed, {})
      const other = await readDocument(objects, state)
      if (other?.['by'] !== undefined) return
    }
  }
}

async function change(
  tools: ShowTools,
  folder: string,
  shown: unknown,
  root: Digest | undefined,
): Promise<void> {
  const { remote, sources } = tools
  const { objects } = remote.blobs
  const { files, gone } =
    (await difference(tools, folder, shown, root)) ?? (await everything(tools, folder, root))
  const semaphore = new Semaphore(width)
  const sending = files.map(({ path, digest, size, executable }) =>
    semaphore.run(async () => {
      const source = await sources.of({ name: nameOf(path), digest, size, executable })
      await objects.putFile(folder + path, source.path, digest)
    }),
  )
  await Promise.allSettled(sending)
  await Promise.all(sending)
  if (gone.length > 0) await objects.remove(gone)
}

interface Plan {
  readonly files: readonly TreeEntry[]
  /** keys */
  readonly gone: readonly string[]
}

/** Undefined where it is not known what is shown. */
async function difference(
  { remote, listings }: ShowTools,
  folder: string,
  shown: unknown,
  root: Digest | undefined,
): Promise<Plan | undefined> {
  if (typeof shown !== 'string' || root === undefined || !(await remote.fetch(shown))) return undefined
  const files: TreeEntry[] = []
  const gone: string[] = []
  try {
    for await (const { path, after } of listings.find(diff(shown, root))) {
      if (after?.kind === 'file') files.push(after)
      else gone.push(folder + path)
    }
  } catch (error) {
    // a part of what is shown
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return undefined
    throw error
  }
  return { files, gone }
}

async function everything(
  { remote, listings }: ShowTools,
  folder: string,
  root: Digest | undefined,
): Promise<Plan> {
  const files: TreeEntry[] = []
  if (root !== undefined)
    for await (const entry of listings.find(walk(root))) if (entry.kind === 'file') files.push(entry)
  const keys = new Set(files.map(({ path }) => folder + path))
  const gone: string[] = []
  for await (const { key } of remote.blobs.objects.list(folder)) if (!keys.has(key)) gone.push(key)
  return { files, gone }
}
