import { closeSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Listing } from '../../core/tree/listing.ts'
import { isIndex, listingHeader } from '../../core/tree/listing.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { statBlob } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { inStore } from '../files/failures.ts'
import { isDigest } from '../files/home.ts'
import { ifThere, namesIn } from '../files/missing-files.ts'

/** Adds a file, or a directory with all that is in it, as far as it is here. */
export async function reach(
  store: Pick<LocalBlobStore, 'files' | 'pathOf'>,
  listings: Pick<Listings, 'read'>,
  root: Digest,
  reachable: Set<Digest>,
  count: { missing: number },
): Promise<void> {
  if (!isDigest(root)) return
  const path = store.pathOf(root)
  // one that was moved aside is taken back, or what is below it would go as that of no root
  inStore(path, () => statBlob(store.files, root))
  if (!beginsAsListing(path)) return void reachable.add(root)
  await reachTree((digest) => readOr(() => listings.read(digest)), root, reachable, count)
}

/** Adds a directory with all that is in it. `read`: undefined where a listing is gone. */
export async function reachTree(
  read: (digest: Digest) => Listing | undefined | Promise<Listing | undefined>,
  root: Digest,
  reachable: Set<Digest>,
  count: { missing: number },
): Promise<void> {
  // it may have been reached as a file
  const open = [root]
  const seen = new Set<Digest>()
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if ((digest !== root && reachable.has(digest)) || seen.has(digest)) continue
    seen.add(digest)
    reachable.add(digest)
    const reading = read(digest)
    const listing = reading instanceof Promise ? await reading : reading
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
    const file = ifThere(() => openSync(path, 'r'))
    if (file === undefined) return false
    try {
      return (
        readSync(file, head, 0, head.length, 0) === head.length && head.toString('latin1') === listingHeader
      )
    } finally {
      closeSync(file)
    }
  })
}

/** What the links below a directory show. */
export function* shownIn(directory: string): Generator<Digest> {
  for (const name of namesIn(directory)) {
    const path = join(directory, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) yield* shownIn(path)
    else if (stat?.isSymbolicLink() === true) yield* namedBy(path)
  }
}

/** What a link leads to; of one that another process has just replaced or removed, nothing. */
function namedBy(link: string): readonly Digest[] {
  const target = ifThere(() => readlinkSync(link)) ?? ''
  return target.split('/').map(digestOfName).filter(isDigest)
}

/** `-x` marks the executable one of two files of one content. */
export const digestOfName = (name: string): string => name.replace(/-x$/, '')
