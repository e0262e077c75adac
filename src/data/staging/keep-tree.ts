import { lstatSync } from 'node:fs'
import { diff } from '../../core/tree/diff.ts'
import { walk } from '../../core/tree/walk.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import { type Digest, DirRef } from '../../model/refs.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { inputError } from '../files/failures.ts'
import type { HashRunner } from '../scan/hash-files.ts'
import { newRows, setRow } from '../scan/state-rows.ts'
import type { FileContent, Sources } from './sources.ts'
import { nameOf } from './sources.ts'

interface Tools {
  readonly pool: HashRunner
  readonly store: LocalBlobStore
  readonly listings: Listings
  readonly sources: Sources
}

/** A file that lies with the user, and what it must be. */
interface Outside {
  readonly path: string
  readonly digest: Digest
  readonly size: number
}

const jobFiles = 256
const heavyBytes = 4 << 20

/**
 * Copies what of a directory lies with the user into the store, and dates all of it anew, so that no collection takes
 * it before something that needs it is on record. What an earlier directory has is not looked at.
 * @throws ALM_INPUT_CHANGED, ALM_BLOB_MISSING, ALM_STORE_…
 */
export async function keepTree(tools: Tools, dir: DirRef, since: DirRef | undefined): Promise<DirRef> {
  const near = tools.sources.externalPath(dir.at)
  let batch: Outside[] = []
  let bytes = 0
  for await (const { path, ...content } of filesOf(tools, dir, since)) {
    if (tools.store.renew(content.digest)) continue
    const source = await tools.sources.of(content, near && `${near}/${path}`)
    if (!source.external) continue
    batch.push({ path: source.path, digest: content.digest, size: content.size })
    bytes += content.size
    if (batch.length < jobFiles && bytes < heavyBytes * 16) continue
    await takeAll(tools, batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) await takeAll(tools, batch)
  return new DirRef(dir.digest, dir.entries, dir.size)
}

/** Files of a directory that another has not got. */
async function* filesOf(
  { listings }: Pick<Tools, 'listings'>,
  dir: DirRef,
  since: DirRef | undefined,
): AsyncGenerator<FileContent & { readonly path: string }> {
  if (since === undefined) {
    for await (const entry of listings.find(walk(dir.digest)))
      if (entry.kind === 'file') yield { ...entry, name: nameOf(entry.path) }
    return
  }
  try {
    for await (const { path, after } of listings.find(diff(since.digest, dir.digest)))
      if (after?.kind === 'file') yield { ...after, path, name: nameOf(path) }
  } catch (error) {
    // what was lost of an earlier one is no fault of this one, of which all is looked at then
    if (!isAlmanacError(error) || !error.code.startsWith('ALM_BLOB_')) throw error
    yield* filesOf({ listings }, dir, undefined)
  }
}

async function takeAll({ pool, store }: Tools, files: readonly Outside[]): Promise<void> {
  await store.taking(async () => {
    // side by side: most files are large, or there are many
    await Promise.all(
      files.map(async (file) => {
        const rows = newRows(1)
        setRow(rows, 0, stateOf(file.path))
        const heavy = file.size > heavyBytes
        const job = { kind: 'hash' as const, paths: [file.path], rows, heavy, into: store.files }
        const taken = heavy ? await pool.run(job) : pool.runHere(job)
        if (Buffer.from(taken).toString('hex') !== file.digest)
          throw new AlmanacError('ALM_INPUT_CHANGED', { path: file.path })
        store.taken(file.digest, file.size)
      }),
    )
    for (const { digest } of files) store.renew(digest)
  })
}

function stateOf(path: string) {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    throw inputError(error, path)
  }
}
