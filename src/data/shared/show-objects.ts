import { diff } from '../../core/tree/diff.ts'
import { walk } from '../../core/tree/walk.ts'
import type { Digest } from '../../model/refs.ts'
import { Lanes } from '../../util/lanes.ts'
import type { Listings } from '../listings.ts'
import type { Sources } from '../sources.ts'
import { nameOf } from '../sources.ts'
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

/**
 * Shows a directory at plain keys below `plain/<name>/`, for readers that know nothing of Almanac. New files first,
 * then what says which version it is, then what is no longer in it goes: a reader of a key that stays always has one
 * version of it or the other, but several keys do not change at one instant.
 */
export async function showObjects(tools: ShowTools, name: string, root: Digest): Promise<void> {
  const { remote, listings, sources } = tools
  const { objects } = remote.blobs
  const folder = `${plainFolder}${name}/`
  // beside the folder: all that is in it is the directory's
  const state = `${plainFolder}${name}.almanac.json`
  const shown = (await readDocument(objects, state))?.['digest']
  const lanes = new Lanes(width)
  const sending: Promise<void>[] = []
  const gone: string[] = []
  const send = (path: string, digest: Digest, size: number, executable: boolean) => {
    const work = async () => {
      const source = await sources.of({ name: nameOf(path), digest, size, executable })
      await objects.putFile(folder + path, source.path, digest)
    }
    const one = lanes.run(work)
    one.catch(() => undefined)
    sending.push(one)
  }
  const isKnown = typeof shown === 'string' && (await remote.fetch(shown))
  if (isKnown) {
    for await (const { path, after } of listings.find(diff(shown, root))) {
      if (after?.kind === 'file') send(path, after.digest, after.size, after.executable)
      else gone.push(folder + path)
    }
  } else {
    for await (const { path, kind, digest, size, executable } of listings.find(walk(root)))
      if (kind === 'file') send(path, digest, size, executable)
  }
  await Promise.allSettled(sending)
  await Promise.all(sending)
  await writeDocument(objects, state, { digest: root })
  if (gone.length > 0) await objects.remove(gone)
}
