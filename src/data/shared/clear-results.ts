import type { CacheChoice } from '../../ports/journal.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'
import { Semaphore } from '../../util/semaphore.ts'
import { isDigest } from '../files/home.ts'
import { readDocument } from './documents.ts'
import { baseFolder, cacheFolder } from './layout.ts'
import { unchangedObjects } from './unchanged-objects.ts'

/** Documents that are read, or removed, at once. */
const width = 32
const atOnce = 256

/** Which results: all that fit all that is said. `notSince`: not stored since; when they were used nobody notes there. */
export type SharedChoice = Pick<CacheChoice, 'name' | 'prefix' | 'notSince'>

/**
 * Removes results that can be reused from a shared store, beside all who use it; says how many.
 *
 * V1 only what was looked at goes: what somebody has replaced meanwhile stays.
 * V2 what goes is executed again by whoever needs it, and is then there for all: nobody is given half a result.
 */
export async function clearResults(
  objects: Objects,
  choice: SharedChoice,
  dryRun: boolean,
): Promise<{ readonly entries: number }> {
  let entries = 0
  for (const { folder, isResult } of foldersOf(choice)) {
    for await (const found of inLots(objects.list(folder))) {
      const chosen = await choose(objects, found, choice)
      const gone = dryRun ? chosen : await removeUnchanged(objects, chosen)
      if (isResult) entries += gone.length
    }
  }
  return { entries }
}

/** Fingerprints of results in a shared store that begin so: at most so many. */
export async function resultsOf(objects: Objects, prefix: string, most: number): Promise<readonly string[]> {
  const digests: string[] = []
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return digests
  for await (const { key } of objects.list(folderOf(prefix))) {
    const digest = digestOf(key)
    if (digest !== undefined) digests.push(digest)
    if (digests.length >= most) break
  }
  return digests
}

/** Results of maps go with those of their task, as else a map would carry over what is to be made anew. */
const foldersOf = ({ prefix }: SharedChoice) => [
  { folder: prefix === undefined ? cacheFolder : folderOf(prefix), isResult: true },
  ...(prefix === undefined ? [{ folder: baseFolder, isResult: false }] : []),
]

const folderOf = (prefix: string): string =>
  prefix.length < 2 ? `${cacheFolder}${prefix}` : `${cacheFolder}${prefix.slice(0, 2)}/${prefix}`

function digestOf(key: string): string | undefined {
  const digest = /([0-9a-f]+)\.json$/.exec(key)?.[1]
  return digest !== undefined && isDigest(digest) ? digest : undefined
}

async function choose(
  objects: Objects,
  found: readonly ObjectInfo[],
  { name, notSince }: SharedChoice,
): Promise<readonly ObjectInfo[]> {
  const old = found.filter(
    ({ key, changedAt }) => digestOf(key) !== undefined && changedAt < (notSince ?? Infinity),
  )
  if (name === undefined) return old
  const semaphore = new Semaphore(width)
  const names = await Promise.all(
    old.map(({ key }) => semaphore.run(async () => (await readDocument(objects, key))?.['name'])),
  )
  return old.filter((_, i) => names[i] === name)
}

/** A moment stays between the last look and the removal: what came then is executed once more, and nothing else. */
async function removeUnchanged(
  objects: Objects,
  chosen: readonly ObjectInfo[],
): Promise<readonly ObjectInfo[]> {
  const same = await unchangedObjects(objects, chosen)
  if (same.length > 0) await objects.remove(same.map(({ key }) => key))
  return same
}

async function* inLots(all: AsyncIterable<ObjectInfo>): AsyncGenerator<readonly ObjectInfo[]> {
  let lot: ObjectInfo[] = []
  for await (const one of all) {
    lot.push(one)
    if (lot.length < atOnce) continue
    yield lot
    lot = []
  }
  if (lot.length > 0) yield lot
}
